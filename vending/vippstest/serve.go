package vippstest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// maxBody is the longest request body that is read, but for images.
const maxBody = 1 << 20

// An ending is how an exchange ends for the client.
type ending int

const (
	whole       ending = iota // the answer arrives
	half                      // the first half of it does
	hungUp                    // the connection is closed without an answer
	reset                     // the connection breaks
	unreachable               // there never was one
	gone                      // the client left
)

// exchange takes a request from its arrival to its answer, faults included. It returns when the answer is to be sent.
func (s *Server) exchange(r *http.Request) (reply, ending) {
	c := &call{
		method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, header: r.Header.Clone(), traceID: newTraceID(),
	}
	s.match(c, r.URL.EscapedPath())
	if err := c.read(r.Body); err != nil {
		return reply{}, hungUp // the client broke off while sending
	}
	c.findSubject()
	ctx := r.Context()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return reply{}, unreachable
	}
	s.runDue()
	s.strike(c)
	entry := s.record(c)
	if c.fault == nil {
		return s.finish(entry, s.run(c)), whole
	}
	return s.suffer(ctx, c, entry)
}

// suffer is an exchange that a fault has struck.
func (s *Server) suffer(ctx context.Context, c *call, entry *Request) (reply, ending) {
	switch c.fault.Kind {
	case Refuse:
		return s.finish(entry, c.fault.refusal(c)), whole
	case ErrorBefore:
		return s.finish(entry, internalError(c)), whole
	case ErrorAfter:
		s.run(c)
		return s.finish(entry, internalError(c)), whole
	case Unreachable:
		return s.finish(entry, reply{}), unreachable
	case HangUpBefore:
		return s.finish(entry, reply{}), hungUp
	case HangUpAfter:
		return s.finish(entry, s.run(c)), hungUp
	case HalfBody:
		return s.finish(entry, s.run(c)), half
	case Late:
		s.after(c.fault.Delay, func() { s.finish(entry, s.run(c)) })
		return s.finish(entry, reply{}), reset
	case Slow:
		r := s.finish(entry, s.run(c))
		passed := make(chan struct{})
		t := s.after(c.fault.Delay, func() { close(passed) })
		how := s.hold(ctx, passed)
		s.drop(t)
		return r, how
	case Hang:
		return s.finish(entry, reply{}), s.hold(ctx, nil)
	case RefuseSticky: // the operation itself refuses
		return s.finish(entry, s.run(c)), whole
	default: // Inject lets no other kind in
		return s.finish(entry, s.run(c)), whole
	}
}

// hold waits without the lock until passed is closed, the client leaves, or the emulator is closed.
func (s *Server) hold(ctx context.Context, passed <-chan struct{}) ending {
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-passed:
		return whole
	case <-ctx.Done():
		return gone
	case <-s.ctx.Done():
		return hungUp
	}
}

// findSubject takes the reference from the body, if no path carries it. The limiter keys on it before anything is
// checked, and so do faults.
func (c *call) findSubject() {
	if c.route == nil || c.route.subject == "" || c.tooLong {
		return
	}
	c.parsed, c.malformed = parse(c.body)
	if subject := c.parsed.get(c.route.subject); subject.kind == isString {
		c.reference = subject.text
	}
}

func (c *call) read(body io.ReadCloser) error {
	if body == nil {
		return nil
	}
	most := maxBody
	if c.route != nil && c.route.most > 0 {
		most = c.route.most
	}
	b, err := io.ReadAll(io.LimitReader(body, int64(most)+1))
	c.body, c.tooLong = b, len(b) > most
	if c.tooLong {
		c.body = b[:most]
	}
	return err
}

// ServeHTTP answers over a connection. Faults that break connections abort it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, how := s.exchange(r)
	if how != whole && how != half {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.header)
	if answer.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
	}
	if how == whole {
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body) // the client may have left
		return
	}
	if len(answer.body) > 0 {
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body[:len(answer.body)/2])
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler)
}

// Transport reaches the emulator without a network, whatever host a request names. A request whose context ends while its
// answer is held back returns the context's error; connections that a fault breaks are errors like those of a real one.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer, how := t.server.exchange(r)
	switch {
	case how == gone:
		return nil, r.Context().Err()
	case how == unreachable:
		return nil, errRefused
	case how == reset:
		return nil, errReset
	case how == hungUp, how == half && len(answer.body) == 0:
		return nil, io.EOF
	}
	var body io.Reader = bytes.NewReader(answer.body)
	if how == half {
		body = io.MultiReader(bytes.NewReader(answer.body[:len(answer.body)/2]), broken{})
	}
	header := answer.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		Status:        strconv.Itoa(answer.status) + " " + http.StatusText(answer.status),
		StatusCode:    answer.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		Body:          io.NopCloser(body),
		ContentLength: int64(len(answer.body)),
		Request:       r,
	}, nil
}

// What a real transport returns when nobody listens, and when the connection breaks.
var (
	errRefused error = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	errReset   error = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
)

// broken is the rest of an answer whose connection ended.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
