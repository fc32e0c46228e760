package vipps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// http2 is a client with its own connections and a server that speaks HTTP/2.
func http2(t *testing.T, handle http.HandlerFunc) (*Client, *http.Transport) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			t.Errorf("%s %s", r.Proto, r.URL)
		}
		if r.URL.Path == "/accesstoken/get" {
			_, _ = io.WriteString(w, `{"access_token":"t","expires_in":"3600"}`)
			return
		}
		handle(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	own := ownClient()
	transport, ok := own.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("%T", own.Transport)
	}
	t.Cleanup(transport.CloseIdleConnections)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	client, err := NewClient(Config{
		Environment: Test, BaseURL: server.URL, HTTPClient: own, System: System{Name: "acme-vend", Version: "1.4.0"},
		Credentials: Credentials{ClientID: "id", ClientSecret: "secret", SubscriptionKey: "key", MerchantSerialNumber: "123456"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client.SingleAttempt(), transport
}

var look = Request{Op: "test", Method: http.MethodGet, Path: []string{"x"}}

// TestHTTP2IsShared: callers at the same time need one connection.
func TestHTTP2IsShared(t *testing.T) {
	t.Parallel()
	const callers = 50
	var here sync.WaitGroup
	here.Add(callers)
	client, transport := http2(t, func(http.ResponseWriter, *http.Request) {
		here.Done()
		here.Wait()
	})
	var dials atomic.Int64
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return dial(ctx, network, address)
	}
	var wait sync.WaitGroup
	for range callers {
		wait.Go(func() {
			if err := client.Do(t.Context(), look, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := dials.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// TestHTTP2ThatGoesSilent: a connection that nothing comes back on is given up, whatever the calls on it do.
func TestHTTP2ThatGoesSilent(t *testing.T) {
	t.Parallel()
	client, transport := http2(t, func(http.ResponseWriter, *http.Request) {})
	if pings := transport.HTTP2; pings.SendPingTimeout <= 0 || pings.SendPingTimeout+pings.PingTimeout >= 30*time.Second {
		t.Errorf("a ping after %s, %s for its answer", pings.SendPingTimeout, pings.PingTimeout)
	}
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: 50 * time.Millisecond, PingTimeout: 50 * time.Millisecond}
	var newest atomic.Pointer[silent]
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		own := &silent{Conn: conn}
		newest.Store(own)
		return own, err
	}
	answered := func() bool {
		for range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			err := client.Do(ctx, look, nil)
			cancel()
			if err == nil {
				return true
			}
		}
		return false
	}
	if !answered() {
		t.Fatal("no call came through")
	}
	newest.Load().on.Store(true)
	if !answered() {
		t.Error("no call came through again")
	}
}

// silent is a connection that loses all that is sent, once it is on.
type silent struct {
	net.Conn
	on atomic.Bool
}

func (s *silent) Write(p []byte) (int, error) {
	if s.on.Load() {
		return len(p), nil
	}
	return s.Conn.Write(p)
}
