package webhooks

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vippsvending/vipps"
)

// Why a delivery is refused. Neither error says more: the right signature, or a part of it, must not reach a log.
var (
	// ErrSignature means that a delivery was not signed with any of the secrets for this URL and this body. If genuine
	// deliveries get it, one of these is wrong: the secret, which belongs to one registration in one environment; the URL,
	// which must be the registered one, not the one behind a proxy; the body, which must be the bytes that came, not
	// decoded and encoded again; or a proxy has dropped both Authorization and X-Vipps-Authorization.
	ErrSignature = errors.New("webhooks: the signature does not match")
	// ErrTooOld means that a delivery is signed well, but its date is too far from this machine's clock, before or after.
	// It is an old delivery played back, or the clock is wrong: see [vipps.Client.ClockSkew]. Vipps MobilePay's own
	// repetitions have a new date and a new signature.
	ErrTooOld = errors.New("webhooks: the date of the delivery is outside the window")
)

// VerifierConfig is what a [Verifier] is made of. URL and Secrets are required.
type VerifierConfig struct {
	// URL is the address as it was registered. Take it from configuration, never from the request: signatures cover host and
	// path, and a proxy changes both.
	URL string
	// Secrets are the secrets of all registrations with this URL: one for payments, one for check-ins, an old and a new one
	// while changing. A secret is text and is used as it is; it is not base64 to be decoded, even if it looks like it. Blanks
	// and line ends around it are dropped, since secrets are read from files that end with one.
	Secrets []vipps.Secret
	// MaxAge is how far the date of a delivery may be from this machine's clock, before or after.
	// Defaults to 5 minutes.
	MaxAge time.Duration
	// Now is the clock. Defaults to [time.Now].
	Now func() time.Time
}

// Verifier says whether a delivery comes from Vipps MobilePay. Make one with [NewVerifier]; the zero Verifier refuses
// everything. It is safe for concurrent use, and prints no secrets.
type Verifier struct {
	before string   // the text to sign, up to the date
	after  string   // from the date up to the hash
	sign   []signer // one for each secret
	maxAge time.Duration
	now    func() time.Time
}

// signer makes the HMAC of a text. It is a function, because fmt looks into anything else when a verb does not fit.
type signer func(text []byte) [sha256.Size]byte

// newSigner keeps hashes that have taken the secret in already, since that is half of the work.
func newSigner(secret string) signer {
	idle := sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(secret)) }}
	return func(text []byte) [sha256.Size]byte {
		mac, _ := idle.Get().(hash.Hash) // nothing else is put in
		defer idle.Put(mac)
		mac.Reset()
		_, _ = mac.Write(text) // a hash has no errors
		return [sha256.Size]byte(mac.Sum(nil))
	}
}

// NewVerifier checks the configuration and makes a Verifier. The error matches [vipps.ErrInvalidRequest] and names every
// field that is wrong. A secret that is empty or was redacted on its way through a log or JSON is wrong.
func NewVerifier(config VerifierConfig) (*Verifier, error) {
	registered, err := parseAddress(config.URL)
	findings := []error{err}
	if len(config.Secrets) == 0 {
		findings = append(findings, errors.New("Secrets: must have at least one"))
	}
	v := &Verifier{
		before: "POST\n" + registered.target + "\n",
		after:  ";" + registered.host + ";",
		maxAge: cmp.Or(config.MaxAge, 5*time.Minute),
		now:    config.Now,
	}
	if v.now == nil {
		v.now = time.Now
	}
	for i, secret := range config.Secrets {
		text := strings.TrimSpace(string(secret))
		if text == "" || text == redacted || !printable(text) {
			findings = append(findings, fmt.Errorf("Secrets[%d]: must be the secret of a registration", i))
		}
		v.sign = append(v.sign, newSigner(text))
	}
	if config.MaxAge < 0 {
		findings = append(findings, errors.New("MaxAge: must not be negative"))
	}
	if err := errors.Join(findings...); err != nil {
		return nil, fmt.Errorf("webhooks.NewVerifier: %w: %w", vipps.ErrInvalidRequest, err)
	}
	return v, nil
}

const (
	redacted = "[redacted]" // what a vipps.Secret prints as: a secret that was stored by way of JSON comes back as this
	scheme   = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
)

// Verify says whether header and body are a delivery of Vipps MobilePay to the registered URL. The body is the bytes as they
// came. The names of the headers are in the form of net/http, as http.Header.Set makes them.
//
// The error is nil, [ErrSignature] or [ErrTooOld], the latter only for a delivery that is signed well. A delivery that comes
// again inside the window is good again; handling one twice must do no harm.
func (v *Verifier) Verify(header http.Header, body []byte) error {
	if v == nil || len(v.sign) == 0 {
		return ErrSignature
	}
	var content, signature [44]byte // base64 of 32 bytes
	encode(&content, sha256.Sum256(body))
	if !hmac.Equal(content[:], []byte(header.Get("X-Ms-Content-Sha256"))) {
		return ErrSignature
	}
	given, ok := strings.CutPrefix(header.Get("Authorization"), scheme)
	if !ok { // servers and proxies that keep Authorization for themselves: the same text comes in a header of its own
		given, ok = strings.CutPrefix(header.Get("X-Vipps-Authorization"), scheme)
	}
	if !ok {
		return ErrSignature
	}
	date := header.Get("X-Ms-Date")
	text := make([]byte, 0, len(v.before)+len(date)+len(v.after)+len(content))
	text = append(append(append(append(text, v.before...), date...), v.after...), content[:]...)
	good := false
	for _, sign := range v.sign {
		encode(&signature, sign(text))
		good = hmac.Equal(signature[:], []byte(given)) || good
	}
	sent, err := http.ParseTime(date)
	switch {
	case !good || err != nil:
		return ErrSignature
	case v.now().Sub(sent).Abs() > v.maxAge:
		return ErrTooOld
	default:
		return nil
	}
}

func encode(text *[44]byte, sum [sha256.Size]byte) { base64.StdEncoding.Encode(text[:], sum[:]) }

// LogValue gives slog the window and nothing else.
func (v Verifier) LogValue() slog.Value {
	return slog.GroupValue(slog.Duration("max_age", v.maxAge), slog.String("secrets", redacted))
}
