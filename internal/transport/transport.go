// Package transport sends the SDK's requests: the token, the headers every API wants, and the rules for repeating a request
// when an answer is lost. It knows nothing of payments; it reports what it saw, and the packages above judge it.
package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// errTooLarge is an answer that nobody can have meant.
var errTooLarge = errors.New("the answer is larger than 1 MiB")

// Config is what a Sender needs. It is checked by the caller.
type Config struct {
	HTTP            *http.Client
	TokenURL        string
	ClientID        string
	ClientSecret    string
	SubscriptionKey string
	Header          http.Header // sent with every request: the system headers and the user agent
	Logger          *slog.Logger
}

// Sender sends calls for one set of credentials. It is safe for concurrent use.
type Sender struct {
	config   Config
	http     *http.Client
	attempts int
	tokens   *tokens
	skew     *atomic.Pointer[time.Duration]
}

// NewSender makes a Sender. The client is copied, so that its settings can be fixed: no redirects, no cookies, a limit on
// every attempt.
func NewSender(config Config) *Sender {
	copied := *config.HTTP
	if copied.Timeout == 0 {
		copied.Timeout = 30 * time.Second
	}
	copied.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	copied.Jar = nil
	s := &Sender{config: config, http: &copied, attempts: 3, skew: new(atomic.Pointer[time.Duration])}
	copied.Transport = whole{base: copied.Transport, skew: s.skew}
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
	if d := s.skew.Load(); d != nil {
		return *d, true
	}
	return 0, false
}

// Scrub replaces the credentials and the given values, wherever they stand in text.
func (s *Sender) Scrub(text string, values ...string) string {
	for _, value := range slices.Concat(values, []string{s.config.ClientSecret, s.config.SubscriptionKey, s.config.ClientID}, s.tokens.values()) {
		if len(value) > 3 {
			text = strings.ReplaceAll(text, value, "[redacted]")
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
	Repeat         bool // sending it again is safe: GET, PUT, DELETE, or a key makes it so
}

// Answer is the last answer to a call.
type Answer struct {
	Status     int
	Header     http.Header
	Body       []byte
	RetryAfter time.Duration
}

// Result is what became of a call.
type Result struct {
	Answer *Answer // nil if the last attempt got none
	Err    error   // why there is no answer
	// Doubt says that an attempt was sent and never properly answered (connection lost, timeout, 408, 3xx, 5xx): it may have
	// done its work, or may still do it, whatever the last answer says.
	Doubt bool
	// Token says that Answer or Err is about fetching the token: the last attempt of the call itself was not made.
	Token bool
}

// Send makes a call with a token of the serial number it is for.
func (s *Sender) Send(ctx context.Context, c Call) Result {
	value, err := s.tokens.get(ctx, c.MSN)
	if err != nil {
		return tokenFailure(err, false)
	}
	header := http.Header{
		"Authorization":             {"Bearer " + value},
		"Ocp-Apim-Subscription-Key": {s.config.SubscriptionKey},
		"Merchant-Serial-Number":    {c.MSN},
	}
	if c.IdempotencyKey != "" {
		header.Set("Idempotency-Key", c.IdempotencyKey)
	}
	if c.Body != nil {
		header.Set("Content-Type", "application/json")
	}
	for name, values := range c.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return s.attempt(ctx, c, header, func(ctx context.Context) (string, error) {
		s.tokens.drop(c.MSN, value)
		fresh, err := s.tokens.get(ctx, c.MSN)
		if err != nil {
			return "", err
		}
		return "Bearer " + fresh, nil
	})
}

func tokenFailure(err error, doubt bool) Result {
	if refused, ok := errors.AsType[*tokenRefused](err); ok {
		return Result{Answer: &refused.answer, Doubt: doubt, Token: true}
	}
	return Result{Err: err, Doubt: doubt, Token: true}
}

// whole reads an answer's body before it hands the answer on, so that a connection lost in the middle of a body counts as
// an attempt without an answer. It hides every other method of the transport: go-retryablehttp closes the idle connections
// of a client after each failure, which breaks requests of others that share it.
type whole struct {
	base http.RoundTripper
	skew *atomic.Pointer[time.Duration]
}

func (w whole) RoundTrip(request *http.Request) (*http.Response, error) {
	start := time.Now()
	response, err := w.base.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if closing := response.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, errTooLarge
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		// The header counts whole seconds; its middle against the middle of the exchange.
		skew := date.Add(time.Second / 2).Sub(start.Add(time.Since(start) / 2))
		w.skew.Store(&skew)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}
