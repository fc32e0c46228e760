package vipps_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
)

// server is a real one on loopback. It has tokens; handle answers the rest.
func server(t *testing.T, handle http.HandlerFunc) vipps.Config {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/accesstoken/get" {
			if r.ContentLength != 0 || len(r.TransferEncoding) != 0 {
				t.Errorf("the token is asked for with a body: %d %v", r.ContentLength, r.TransferEncoding)
			}
			_, _ = io.WriteString(w, `{"access_token":"t","expires_in":"3600"}`)
			return
		}
		handle(w, r)
	}))
	t.Cleanup(s.Close)
	c := config(nil)
	c.HTTPClient, c.BaseURL = nil, s.URL
	return c
}

// hang cuts the connection after writing this much of an answer.
func hang(t *testing.T, w http.ResponseWriter, text string) {
	t.Helper()
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = buffered.WriteString(text)
	_ = buffered.Flush()
	_ = conn.Close()
}

// TestConnections proves against real connections what the tables assume of them.
func TestConnections(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		handle func(*testing.T, http.ResponseWriter, *http.Request)
		want   ending
		status int
	}{
		{"done", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(201)
			_, _ = io.WriteString(w, `{"id":"1"}`)
		}, done, 0},
		{"hangs up", func(t *testing.T, w http.ResponseWriter, _ *http.Request) { hang(t, w, "") }, unknown, 0},
		{"half a header", func(t *testing.T, w http.ResponseWriter, _ *http.Request) { hang(t, w, "HTTP/1.1 20") }, unknown, 0},
		{"no HTTP", func(t *testing.T, w http.ResponseWriter, _ *http.Request) { hang(t, w, "SSH-2.0\r\n\r\n") }, unknown, 0},
		{"half a body", func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			hang(t, w, "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":")
		}, unknown, 0},
		{"half of a chunked body", func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			hang(t, w, "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{\"id\":\r\n")
		}, unknown, 0},
		{"half a refusal", func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
			hang(t, w, "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{\"id\":")
		}, refused, 403},
		{"redirect", func(_ *testing.T, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, unknown, 307},
		{"redirect to nowhere", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://[::1")
			w.WriteHeader(http.StatusFound)
		}, unknown, 302},
		{"refused", func(_ *testing.T, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, refused, 403},
		{"cookies", func(t *testing.T, w http.ResponseWriter, r *http.Request) {
			if len(r.Cookies()) > 0 {
				t.Error("a cookie came back")
			}
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			_, _ = io.WriteString(w, `{"id":"1"}`)
		}, done, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			client := newClient(t, server(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				if r.URL.Path != "/things/v1/thing" {
					t.Errorf("went to %s", r.URL)
				}
				test.handle(t, w, r)
			})).SingleAttempt()
			for range 2 {
				err := client.Do(t.Context(), createWithoutKey(), &thing{})
				failed, _ := errors.AsType[*vipps.Error](err)
				if got := endingOf(err); got != test.want || err != nil && failed.Status != test.status {
					t.Errorf("%s, want %s with status %d: %v", got, test.want, test.status, err)
				}
				if err != nil && strings.Contains(err.Error(), "://") {
					t.Errorf("the error has an address: %v", err)
				}
			}
			if calls.Load() != 2 {
				t.Errorf("%d calls, want 2", calls.Load())
			}
		})
	}
}

func TestClosedPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	_ = listener.Close()
	c := server(t, nil)
	c.OrderManagementBaseURL = closed
	request := create()
	request.Path = []string{"order-management", "v2"}
	err = newClient(t, c).SingleAttempt().Do(t.Context(), request, nil)
	if network, ok := errors.AsType[*net.OpError](err); endingOf(err) != refused || !ok || network.Op != "dial" {
		t.Errorf("got %v", err)
	}
}

func TestWrongCertificate(t *testing.T) {
	t.Parallel()
	other := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("called") }))
	other.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	other.StartTLS()
	defer other.Close()
	c := server(t, nil)
	c.OrderManagementBaseURL = other.URL
	request := create()
	request.Path = []string{"order-management", "v2"}
	if err := newClient(t, c).SingleAttempt().Do(t.Context(), request, nil); endingOf(err) != refused {
		t.Errorf("got %v", err)
	}
}

// TestServerThatDiesWithARequest: net/http sends a request with a key again by itself when a kept connection breaks. If the
// server is gone by then, the error is of a connection that was never made, but the first copy did arrive.
func TestServerThatDiesWithARequest(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan struct{})
	go func() {
		defer close(arrived)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		reader := bufio.NewReader(conn)
		const body = `{"access_token":"t","expires_in":"3600"}`
		if _, err := http.ReadRequest(reader); err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if r, err := http.ReadRequest(reader); err != nil || r.Header.Get("Idempotency-Key") != "key-1" {
			t.Errorf("%v, %v", r, err)
		}
		_ = listener.Close()
		_ = conn.Close()
	}()
	c := config(nil)
	c.HTTPClient, c.BaseURL = nil, "http://"+listener.Addr().String()
	err = newClient(t, c).SingleAttempt().Do(t.Context(), create(), nil)
	<-arrived
	if !errors.Is(err, vipps.ErrOutcomeUnknown) {
		t.Errorf("the request arrived, but: %v", err)
	}
}

// TestFailuresLeaveConnectionsAlone: a call that fails must not close the connections that others share.
func TestFailuresLeaveConnectionsAlone(t *testing.T) {
	t.Parallel()
	var closed atomic.Bool
	c := server(t, func(w http.ResponseWriter, _ *http.Request) { hang(t, w, "") })
	c.HTTPClient = &http.Client{Transport: &closing{closed: &closed, Transport: &http.Transport{}}}
	if err := newClient(t, c).SingleAttempt().Do(t.Context(), create(), nil); err == nil {
		t.Error("no error")
	}
	if closed.Load() {
		t.Error("the idle connections were closed")
	}
}

type closing struct {
	*http.Transport
	closed *atomic.Bool
}

func (c *closing) CloseIdleConnections() { c.closed.Store(true) }

// TestManyCallers is for the race detector: everything that is shared, at once, over real connections.
func TestManyCallers(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	client := newClient(t, server(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n := calls.Add(1); {
		case n%7 == 0:
			w.WriteHeader(http.StatusUnauthorized)
		case n%11 == 0:
			hang(t, w, "HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{")
		default:
			_, _ = io.WriteString(w, `{"id":"1"}`)
		}
	}))
	var wait sync.WaitGroup
	for i := range 100 {
		wait.Go(func() {
			own := client.ForMerchant(fmt.Sprint(100000 + i%3)).SingleAttempt()
			for range 5 {
				if err := own.Do(t.Context(), create(), &thing{}); err != nil {
					_ = err.Error()
				}
				_, _ = own.ClockSkew()
			}
		})
	}
	wait.Wait()
}

// TestClientOfTheCaller: the client that was given is neither changed nor followed when it changes.
func TestClientOfTheCaller(t *testing.T) {
	t.Parallel()
	service := newService(t)
	service.always(answer(200, "{}"))
	own := &http.Client{Transport: service}
	c := config(service)
	c.HTTPClient = own
	client := newClient(t, c)
	if own.Timeout != 0 || own.CheckRedirect != nil {
		t.Errorf("the caller's client was changed: %+v", own)
	}
	own.Transport = nil
	if err := client.Do(t.Context(), get(), nil); err != nil {
		t.Error(err)
	}
	// One without a transport gets connections of its own.
	c = server(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
	c.HTTPClient = &http.Client{Timeout: time.Minute}
	if err := newClient(t, c).Do(t.Context(), get(), nil); err != nil || c.HTTPClient.Transport != nil {
		t.Errorf("%v, %+v", err, c.HTTPClient)
	}
}

// TestConnectionsAreKept: callers at the same time need a connection each, and all callers after them none: whatever came as
// the answer was read to its end.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const callers = 50
	answers := []func(http.ResponseWriter){
		func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"id":"1"}`) },
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) },
		func(w http.ResponseWriter) { http.Error(w, `{"title":"No"}`, http.StatusBadRequest) },
		func(w http.ResponseWriter) {
			http.Error(w, strings.Repeat("busy ", 20_000), http.StatusServiceUnavailable)
		},
		func(w http.ResponseWriter) { w.Header().Set("Location", "/elsewhere"); w.WriteHeader(http.StatusFound) },
	}
	var here sync.WaitGroup // the callers of one round, so that each needs a connection of its own
	var calls, opened atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/accesstoken/get" {
			_, _ = io.WriteString(w, `{"access_token":"t","expires_in":"3600"}`)
			return
		}
		here.Done()
		here.Wait()
		answers[calls.Add(1)%int64(len(answers))](w)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	c := config(nil)
	c.HTTPClient, c.BaseURL = nil, s.URL
	client := newClient(t, c).SingleAttempt()
	for round := range 3 {
		here.Add(callers)
		var wait sync.WaitGroup
		for range callers {
			wait.Go(func() { _ = client.Do(t.Context(), get(), nil) }) // how it ends is not the question
		}
		wait.Wait()
		if n := opened.Load(); n > callers {
			t.Fatalf("%d connections after round %d, want at most %d", n, round+1, callers)
		}
	}
	if n := calls.Load(); n != 3*callers {
		t.Errorf("%d calls", n)
	}
}
