package transport

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	// waitMax is the longest wait before another attempt; a server that asks for more is asked by the caller, later.
	waitMax  = 8 * time.Second
	waitMin  = 250 * time.Millisecond
	waitStep = time.Second
)

// attempt sends one call until it is answered, cannot be repeated safely, or is out of attempts. refresh gives a new
// Authorization header after a 401; nil where there is none.
func (s *Sender) attempt(ctx context.Context, c Call, header http.Header, refresh func(context.Context) (string, error)) Result {
	var body any
	if c.Body != nil {
		body = c.Body
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, c.Method, c.URL, body)
	if err != nil {
		return Result{Err: withoutURL(err)}
	}
	for _, source := range []http.Header{s.config.Header, header} {
		for name, values := range source {
			request.Header[name] = values
		}
	}
	t := &tries{sender: s, call: c, refresh: refresh, start: time.Now()}
	client := retryablehttp.Client{ // a literal, not NewClient: no logger, no defaults
		HTTPClient:   s.http,
		RetryMax:     s.attempts, // one more than check allows, for the new token after a 401
		CheckRetry:   t.check,
		Backoff:      func(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return t.wait },
		PrepareRetry: t.prepare,
		ErrorHandler: func(response *http.Response, err error, _ int) (*http.Response, error) {
			if response != nil && err != nil {
				return nil, errors.Join(err, response.Body.Close())
			}
			return response, err
		},
	}
	response, err := client.Do(request)
	switch {
	case t.tokenErr != nil:
		return tokenFailure(t.tokenErr, t.doubt)
	case err != nil:
		return Result{Err: withoutURL(err), Doubt: t.doubt}
	}
	content, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return Result{Err: err, Doubt: true}
	}
	after, _ := retryAfter(response)
	return Result{
		Answer: &Answer{Status: response.StatusCode, Header: response.Header, Body: content, RetryAfter: after},
		Doubt:  t.doubt,
	}
}

// tries are the attempts at one call.
type tries struct {
	sender   *Sender
	call     Call
	refresh  func(context.Context) (string, error)
	start    time.Time
	count    int
	wait     time.Duration
	stale    bool // the last answer was 401: prepare gets a new token
	renewed  bool // the new token was asked for
	tokenErr error
	doubt    bool
}

// check says whether to try again. It never returns an error, so that whatever answer there is comes back.
func (t *tries) check(ctx context.Context, response *http.Response, err error) (bool, error) {
	t.count++
	status := 0
	if response != nil {
		status = response.StatusCode
	}
	t.log(ctx, status, err)
	t.stale = false
	unanswered := err != nil && !neverSent(err) || status >= 500 || status >= 300 && status < 400 || status == http.StatusRequestTimeout
	t.doubt = t.doubt || unanswered
	switch {
	case ctx.Err() != nil:
		return false, nil // an answer that came in just before the end is kept
	case status == http.StatusUnauthorized && t.refresh != nil && !t.renewed:
		t.stale, t.renewed, t.wait = true, true, 0
		return true, nil
	case t.count >= t.sender.attempts:
		return false, nil
	case err != nil:
		if !t.call.Repeat && !neverSent(err) || errors.Is(err, errTooLarge) {
			return false, nil
		}
	case status == http.StatusTooManyRequests:
	case status >= 500 && status != http.StatusNotImplemented:
		if !t.call.Repeat {
			return false, nil
		}
	default:
		return false, nil
	}
	t.wait = delay(t.count, response)
	if deadline, ok := ctx.Deadline(); t.wait > waitMax || ok && time.Until(deadline) < t.wait {
		return false, nil // no point in waiting: hand back what there is
	}
	t.sender.config.Logger.LogAttrs(ctx, slog.LevelWarn, "request is repeated", slog.String("op", t.call.Op),
		slog.String("subject", t.call.Subject), slog.Int("attempt", t.count), slog.Int("status", status), slog.Duration("wait", t.wait))
	return true, nil
}

func (t *tries) log(ctx context.Context, status int, err error) {
	attrs := []slog.Attr{
		slog.String("op", t.call.Op), slog.String("subject", t.call.Subject), slog.Int("attempt", t.count),
		slog.Int("status", status), slog.Duration("duration", time.Since(t.start)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", withoutURL(err).Error()))
	}
	t.sender.config.Logger.LogAttrs(ctx, slog.LevelDebug, "request", attrs...)
}

// prepare sets a new token before the attempt after a 401. Nothing else about the request changes.
func (t *tries) prepare(request *http.Request) error {
	if !t.stale {
		return nil
	}
	authorization, err := t.refresh(request.Context())
	if err != nil {
		t.tokenErr = err
		return err
	}
	request.Header.Set("Authorization", authorization)
	return nil
}

// delay is what the server asks for, else a random time under a doubling limit.
func delay(attempt int, response *http.Response) time.Duration {
	if after, ok := retryAfter(response); ok {
		return after + rand.N(waitMin) //nolint:gosec // spreading load is not cryptography
	}
	return waitMin + rand.N(waitStep<<(attempt-1)) //nolint:gosec // as above
}

// retryAfter reads the header in both of its forms.
func retryAfter(response *http.Response) (time.Duration, bool) {
	if response == nil {
		return 0, false
	}
	value := response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// neverSent says that an error proves that no byte of the request left: there was no connection.
func neverSent(err error) bool {
	network, ok := errors.AsType[*net.OpError](err)
	return ok && (network.Op == "dial" || network.Op == "proxyconnect")
}

// withoutURL drops the address that net/http puts in front of its errors.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
