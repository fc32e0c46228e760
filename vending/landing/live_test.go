package landing_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
	"github.com/vippsvending/vipps/vending/vendingtest"
)

// stream is an answer that is read while it is written.
type stream struct {
	*httptest.ResponseRecorder
	mu     sync.Mutex
	events []string
	until  []time.Time // write deadlines
	broken bool
}

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return 0, net.ErrClosed
	}
	s.events = append(s.events, string(b))
	return len(b), nil
}

func (s *stream) SetWriteDeadline(at time.Time) error {
	s.until = append(s.until, at)
	return nil
}

func (s *stream) FlushError() error { return nil }

func (s *stream) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.events, "")
}

// versions are the versions that were sent.
func (s *stream) versions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var versions []string
	for _, event := range s.events {
		if version, ok := strings.CutPrefix(event, "data: "); ok {
			versions = append(versions, strings.TrimSpace(version))
		}
	}
	return versions
}

// follow opens a page's live connection until leave is called. ended says when it was answered.
func (s *shop) follow(t *testing.T, target string) (events *stream, ended func() bool, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	events = &stream{ResponseRecorder: httptest.NewRecorder()}
	done := make(chan struct{})
	r := s.browser().request(t, http.MethodGet, target, "").WithContext(ctx)
	go func() {
		defer close(done)
		s.site.ServeHTTP(events, r)
	}()
	return events, func() bool {
		synctest.Wait()
		select {
		case <-done:
			return true
		default:
			return false
		}
	}, cancel
}

func TestLiveStatus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		s.machine.Script(vendingtest.Slow(5 * time.Second))
		b := s.browser()
		status := s.buy(t, b)
		events, ended, leave := s.follow(t, status+"/live")
		defer leave()
		later(20 * time.Second)
		if got := events.versions(); len(got) != 1 || !strings.Contains(b.get(t, status).body, `data-version="`+got[0]+`"`) {
			t.Fatalf("versions %v, want that of the page", got)
		}
		if got := events.all(); !strings.Contains(got, ": \n\n") {
			t.Errorf("nobody would notice who has left: %q", got)
		}
		if err := s.vipps.Approve(s.payment(t).Reference); err != nil {
			t.Fatal(err)
		}
		later(time.Minute)
		if !ended() {
			t.Fatal("the connection of a session that is over stays")
		}
		if got := events.versions(); len(got) < 3 {
			t.Errorf("versions %v, want those of vending and of the end at least", got)
		}
		if last := events.until[len(events.until)-1]; !last.IsZero() {
			t.Error("the connection keeps a deadline for the request after")
		}
		if got := b.get(t, status+"/live"); got.status != http.StatusNoContent {
			t.Errorf("connected again: %d, want 204, which stops the browser", got.status)
		}
	})
}

func TestLiveSelection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		b := s.browser()
		for _, machine := range []string{"pay1", "max1"} {
			events, ended, leave := s.follow(t, "/m/live/"+machine)
			later(time.Second)
			cola := vending.Product{Name: "Cola", Slot: "A1", Price: 2500}
			if err := s.operator.ReportSelection(machine, cola); err != nil {
				t.Fatal(err)
			}
			later(time.Second)
			if got := events.versions(); len(got) != 2 || !strings.Contains(b.get(t, "/m/"+machine).body, `data-version="`+got[1]+`"`) {
				t.Errorf("%s: versions %v, want that of the page with the selection last", machine, got)
			}
			leave()
			if !ended() {
				t.Errorf("%s: the connection outlives the browser's", machine)
			}
		}
		if got := b.get(t, "/m/live/oslo12"); got.status != http.StatusNoContent {
			t.Errorf("a page that does not change is followed: %d", got.status)
		}
		b.get(t, "/m/live/bergen").wants(t, 404)
	})
}

// TestLiveEnds has connections end by themselves, with the site, and with a browser that takes nothing any more.
func TestLiveEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		_, ended, leave := s.follow(t, "/m/live/pay1")
		defer leave()
		later(4 * time.Minute)
		if ended() {
			t.Error("a connection ends after four minutes")
		}
		later(2 * time.Minute)
		if !ended() {
			t.Error("a connection is there for ever")
		}
		broken, ended, leave := s.follow(t, "/m/live/pay1")
		defer leave()
		later(time.Second)
		broken.mu.Lock()
		broken.broken = true
		broken.mu.Unlock()
		later(20 * time.Second)
		if !ended() {
			t.Error("a connection that takes nothing is kept")
		}
		_, ended, leave = s.follow(t, "/m/live/pay1")
		defer leave()
		later(time.Second)
		s.site.Close()
		s.site.Close()
		if !ended() {
			t.Error("a connection holds up the server's end")
		}
	})
}

func TestLiveLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{site: func(c *landing.Config) { c.Limits.Live, c.Limits.LivePerAddress = 3, 2 }})
		b := s.browser()
		var leaving []func()
		follow := func(address string) int {
			ctx, leave := context.WithCancel(t.Context())
			leaving = append(leaving, leave)
			w := &stream{ResponseRecorder: httptest.NewRecorder()}
			r := b.request(t, http.MethodGet, "/m/live/pay1", "").WithContext(ctx)
			r.RemoteAddr = address
			go s.site.ServeHTTP(w, r)
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.Code
		}
		for i, test := range []struct {
			address string
			want    int
		}{{"192.0.2.1:1", 200}, {"192.0.2.1:2", 200}, {"192.0.2.1:3", 503}, {"192.0.2.2:1", 200}, {"192.0.2.3:1", 503}} {
			if got := follow(test.address); got != test.want {
				t.Errorf("connection %d: %d, want %d", i+1, got, test.want)
			}
		}
		for _, leave := range leaving {
			leave()
		}
		synctest.Wait()
		if got := follow("192.0.2.1:4"); got != 200 {
			t.Errorf("after all have left: %d", got)
		}
		leaving[len(leaving)-1]()
	})
}

// TestLiveTimeouts follows over a real connection, through a server whose timeouts are shorter, until it is shut down.
func TestLiveTimeouts(t *testing.T) {
	t.Parallel()
	s := newShop(t, change{})
	server := httptest.NewUnstartedServer(s.site)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 3*time.Second, 3*time.Second
	server.Config.RegisterOnShutdown(s.site.Close)
	server.Start()
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/m/live/pay1", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	next := func() string {
		for lines.Scan() {
			if version, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return version
			}
		}
		return ""
	}
	first := next()
	after := time.NewTimer(4 * time.Second) // both timeouts have passed by then
	<-after.C
	if err := s.operator.ReportSelection("pay1", vending.Product{Name: "Cola", Slot: "A1", Price: 2500}); err != nil {
		t.Fatal(err)
	}
	if second := next(); second == "" || second == first {
		t.Errorf("versions %q and %q: the connection ended with the server's timeouts", first, second)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := server.Config.Shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("shutdown: %v", err)
	}
}
