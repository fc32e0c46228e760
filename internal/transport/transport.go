// Package transport sends the SDK's requests: the token, the headers every API wants, and the rules for repeating a request
// when an answer is lost. It knows nothing of payments; it reports what it saw, and the packages above judge it.
package transport

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// attemptTimeout bounds one attempt, its body included, if the caller's client sets no limit.
const attemptTimeout = 30 * time.Second

// Config is what a Sender needs. It is checked by the caller.
type Config struct {
	HTTP            *http.Client // its Transport and its Timeout, for one attempt, are used; never its redirects and cookies
	TokenURL        string
	ClientID        string
	ClientSecret    string
	SubscriptionKey string
	Header          http.Header // sent with every request: the system headers and the user agent
	Logger          *slog.Logger
}

// Sender sends calls for one set of credentials. It is safe for concurrent use.
type Sender struct {
	config   *Config // a pointer: fmt follows only one of them when it prints what holds a Sender
	base     http.RoundTripper
	timeout  time.Duration
	attempts int
	tokens   *tokens
	skew     *atomic.Int64 // nanoseconds; noSkew before the first answer
}

// noSkew is no possible difference between two clocks.
const noSkew = -1 << 63

// NewSender makes a Sender.
func NewSender(config Config) *Sender {
	s := &Sender{
		config:   &config,
		base:     config.HTTP.Transport,
		timeout:  cmp.Or(config.HTTP.Timeout, attemptTimeout),
		attempts: 3,
		skew:     new(atomic.Int64),
	}
	s.skew.Store(noSkew)
	s.config.Header = maps.Clone(config.Header)
	s.config.Header["Ocp-Apim-Subscription-Key"] = []string{config.SubscriptionKey}
	s.tokens = &tokens{fetch: s.fetchToken, cached: map[string]token{}}
	return s
}

// Once is a Sender that shares everything but sends each request a single time. A 401 is still answered with a new token.
func (s *Sender) Once() *Sender {
	once := *s
	once.attempts = 1
	return &once
}

// Skew is how far the server's clock was ahead of ours in the newest answer; false before the first.
func (s *Sender) Skew() (time.Duration, bool) {
	skew := s.skew.Load()
	if skew == noSkew {
		return 0, false
	}
	return time.Duration(skew), true
}

// Scrub replaces the credentials and the given values, wherever they stand in text, as they are or escaped for a query.
func (s *Sender) Scrub(text string, values ...string) string {
	if text == "" {
		return ""
	}
	values = slices.Concat(values, []string{s.config.ClientSecret, s.config.SubscriptionKey, s.config.ClientID}, s.tokens.values())
	// The longest first: one value may be the beginning of another.
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	for _, value := range values {
		if len(value) > 3 {
			text = strings.ReplaceAll(text, value, "[redacted]")
			text = strings.ReplaceAll(text, url.QueryEscape(value), "[redacted]")
		}
	}
	return text
}

// Call is one operation: one or more attempts at one request.
type Call struct {
	Op             string
	Subject        string // what it is about, for the log: a payment's reference, never a secret
	Method         string
	URL            string
	MSN            string
	Header         http.Header
	IdempotencyKey string
	Body           []byte
	Repeat         bool     // sending it again is safe: GET, PUT, DELETE, or a key makes it so
	Redact         []string // what the log must not show
}

// Answer is the last answer to a call.
type Answer struct {
	Status     int
	Body       []byte
	Cut        bool // Body is only the first MiB
	RetryAfter time.Duration
	Asked      bool // RetryAfter was said; 0 is an answer
}

// Result is what became of a call.
type Result struct {
	Answer *Answer // nil if the last attempt got none
	Err    error   // why there is no answer, or why the call ended with one that was to be followed by another attempt
	// Doubt says that an attempt was sent and never properly answered (connection lost, timeout, 408, 1xx, 3xx, 5xx): it may
	// have done its work, or may still do it, whatever the last answer says.
	Doubt bool
	// Token says that Answer or Err is about fetching the token: the last attempt of the call itself was not made.
	Token bool
	// Used are the tokens the call was sent with, for Scrub: the first, and the one that replaced it.
	Used [2]string
}

// Send makes a call with a token of the serial number it is for.
func (s *Sender) Send(ctx context.Context, c Call) Result {
	current, err := s.tokens.get(ctx, c.MSN)
	if err != nil {
		return tokenFailure(err)
	}
	header := s.header(c.MSN)
	header["Authorization"] = []string{current.bearer}
	if c.IdempotencyKey != "" {
		header["Idempotency-Key"] = []string{c.IdempotencyKey}
	}
	if c.Body != nil {
		header["Content-Type"] = jsonType
	}
	for name, values := range c.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return s.attempt(ctx, c, header, current.value)
}

var jsonType = []string{"application/json"}

// header is a new header with what every request carries, the token's included.
func (s *Sender) header(msn string) http.Header {
	header := make(http.Header, len(s.config.Header)+4)
	maps.Copy(header, s.config.Header)
	header["Merchant-Serial-Number"] = []string{msn}
	return header
}

func tokenFailure(err error) Result {
	if failed, ok := errors.AsType[*tokenError](err); ok {
		return Result{Answer: failed.answer, Err: failed.err, Token: true}
	}
	return Result{Err: err, Token: true}
}
