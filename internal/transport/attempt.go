package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// tries are the attempts at one call. It is the RoundTripper of its own http.Client, so it sees each attempt whole. The
// clients and what attempts need stand in it, so that a call allocates them together.
type tries struct {
	sender  *Sender
	call    Call
	http    http.Client
	retries retryablehttp.Client
	used    [2]string // the tokens it was sent with; empty for the request for a token

	// About the newest attempt.
	count     int
	start     time.Time
	answer    *Answer
	connected atomic.Bool
	unsent    bool // nothing of it can have reached the server
	wait      time.Duration
	stale     bool // it was answered with 401: prepare gets a new token
	renewed   bool // a new token was asked for, by this or an earlier attempt
	tokenErr  error
	doubt     bool // it, or an earlier one, was sent and not properly answered
}

// attempt sends one call until it is answered, cannot be repeated safely, or is out of attempts. The token is the one in the
// header; a 401 is answered with another one, if there is any.
func (s *Sender) attempt(ctx context.Context, c Call, header http.Header, token string) Result {
	var body any
	if len(c.Body) > 0 { // an empty body that is not nil would go out chunked
		body = c.Body
	}
	request, err := retryablehttp.NewRequestWithContext(ctx, c.Method, c.URL, body)
	if err != nil {
		return Result{Err: withoutURL(err)}
	}
	request.Header = header
	t := &tries{sender: s, call: c, used: [2]string{token}, start: time.Now(), unsent: true}
	t.http.Transport = t
	t.retries = retryablehttp.Client{ // a literal, not NewClient: no logger, no defaults
		HTTPClient:   &t.http,
		RetryMax:     s.attempts, // one more than check allows, for the new token after a 401
		CheckRetry:   t.check,
		Backoff:      t.backoff,
		PrepareRetry: t.prepare,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	response, err := t.retries.Do(request)
	if response != nil {
		_ = response.Body.Close() // empty: RoundTrip has read it
	}
	if t.tokenErr != nil {
		result := tokenFailure(t.tokenErr)
		result.Doubt, result.Used = t.doubt, t.used
		return result
	}
	return Result{Answer: t.answer, Err: withoutURL(err), Doubt: t.doubt, Used: t.used}
}

// RoundTrip makes one attempt. It reads the body before it hands the answer on, so that a connection lost in the middle of a
// body counts as an attempt without an answer.
//
// It hides every other method of the transport: go-retryablehttp closes the idle connections of a client after each
// failure, which breaks requests of others that share it.
func (t *tries) RoundTrip(request *http.Request) (*http.Response, error) {
	t.answer, t.unsent = nil, true
	caller := request.Context()
	if err := caller.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(caller, t.sender.timeout)
	defer cancel()
	// net/http repeats a request on its own when a connection it kept turns out to be dead. If it then cannot connect, the
	// error is that of a connection that never was, though the request may have arrived on the old one.
	t.connected.Store(false)
	request = request.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { t.connected.Store(true) },
	}))
	response, err := t.sender.base.RoundTrip(request)
	t.unsent = err != nil && neverSent(err) && !t.connected.Load()
	if err == nil {
		t.answer, err = t.sender.read(response, t.start)
	}
	if err != nil {
		if ctx.Err() != nil && caller.Err() == nil {
			err = fmt.Errorf("no answer within %s: %w", t.sender.timeout, context.DeadlineExceeded)
		}
		return nil, err
	}
	// Without a header, Location above all: no redirect is followed, and one whose address cannot be read is an answer too.
	return &http.Response{StatusCode: t.answer.Status, Body: http.NoBody, Request: request}, nil
}

var errNothing = errors.New("the transport gave neither an answer nor an error")

// read takes an answer in. Half a body is no answer to a call that succeeded; the status of a refusal is worth keeping.
func (s *Sender) read(response *http.Response, start time.Time) (*Answer, error) {
	if response == nil {
		return nil, errNothing
	}
	answer := &Answer{Status: response.StatusCode}
	answer.RetryAfter, answer.Asked = retryAfter(response.Header)
	if response.Body != nil {
		body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
		if closing := response.Body.Close(); err == nil {
			err = closing
		}
		if err != nil && answer.Status >= 200 && answer.Status <= 299 {
			return nil, err
		}
		answer.Body, answer.Cut = body[:min(len(body), maxAnswer)], len(body) > maxAnswer
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		// The header counts whole seconds; its middle against the middle of the exchange.
		s.skew.Store(int64(date.Add(time.Second / 2).Sub(start.Add(time.Since(start) / 2))))
	}
	return answer, nil
}

// neverSent says that an error proves that no byte of the request left: there was no connection, or not to the right server.
func neverSent(err error) bool {
	if network, ok := errors.AsType[*net.OpError](err); ok {
		return network.Op == "dial" || network.Op == "proxyconnect"
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// withoutURL drops the address that net/http puts in front of its errors.
func withoutURL(err error) error {
	for {
		wrapped, ok := errors.AsType[*url.Error](err)
		if !ok {
			return err
		}
		err = wrapped.Err
	}
}
