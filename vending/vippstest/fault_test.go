package vippstest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// What a client sees of each fault, and whether the capture happened.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, socket := range []bool{false, true} {
		for name, test := range map[string]struct {
			fault    vippstest.Fault
			status   int   // of the answer
			err      error // without a socket
			code     string
			executed bool
		}{
			"refuse":         {fault: vippstest.Fault{Kind: vippstest.Refuse, Code: "6260"}, status: 400, code: "6260"},
			"refuse sticky":  {fault: vippstest.Fault{Kind: vippstest.RefuseSticky, Code: "6090"}, status: 400, code: "6090"},
			"locked":         {fault: vippstest.Fault{Kind: vippstest.Refuse, Code: "6160"}, status: 423, code: "6160"},
			"error before":   {fault: vippstest.Fault{Kind: vippstest.ErrorBefore}, status: 500, code: "3010"},
			"error after":    {fault: vippstest.Fault{Kind: vippstest.ErrorAfter}, status: 500, code: "3010", executed: true},
			"unreachable":    {fault: vippstest.Fault{Kind: vippstest.Unreachable}, err: syscall.ECONNREFUSED},
			"hang up before": {fault: vippstest.Fault{Kind: vippstest.HangUpBefore}, err: io.EOF},
			"hang up after":  {fault: vippstest.Fault{Kind: vippstest.HangUpAfter}, err: io.EOF, executed: true},
			"half body":      {fault: vippstest.Fault{Kind: vippstest.HalfBody}, status: 200, err: io.ErrUnexpectedEOF, executed: true},
			"late":           {fault: vippstest.Fault{Kind: vippstest.Late, Delay: time.Hour}, err: syscall.ECONNRESET},
			"slow":           {fault: vippstest.Fault{Kind: vippstest.Slow, Delay: time.Millisecond}, status: 200, executed: true},
		} {
			t.Run(name+map[bool]string{true: "/socket", false: "/transport"}[socket], func(t *testing.T) {
				t.Parallel()
				m := newMerchant(t, vippstest.Options{})
				m.mustReserve("reference-1")
				test.fault.Op, test.fault.Reference = "capture", "reference-1"
				m.server.Inject(test.fault)
				if socket {
					web := httptest.NewServer(m.server)
					defer web.Close()
					m.client = &http.Client{Transport: rehost{strings.TrimPrefix(web.URL, "http://"), web.Client().Transport}}
				}
				a := m.modify("capture", "reference-1", "key", 100)
				switch {
				case test.err != nil && a.err == nil:
					t.Errorf("%d %s, want %v", a.status, a.raw, test.err)
				case test.err != nil && !socket && !errors.Is(a.err, test.err):
					t.Errorf("%v, want %v", a.err, test.err)
				case test.err == nil && a.err != nil:
					t.Error(a.err)
				case a.status != test.status && (test.err == nil || a.status != 0), a.code() != test.code:
					t.Errorf("%d %s", a.status, a.raw)
				}
				if name == "half body" && json.Valid(a.raw) {
					t.Errorf("the whole answer arrived: %s", a.raw)
				}
				if p, _ := m.server.Payment("reference-1"); (p.Captured == 100) != test.executed {
					t.Errorf("captured %d", p.Captured)
				}
				// It struck once: the same key now gives what was kept for it, or succeeds.
				again := m.modify("capture", "reference-1", "key", 100)
				if want := map[bool]int{true: 400, false: 200}[name == "refuse sticky"]; again.status != want {
					t.Errorf("again: %d %s", again.status, again.raw)
				}
				if n := m.server.Count("capture", "reference-1"); n != 2 {
					t.Errorf("counted %d", n)
				}
			})
		}
	}
}

// rehost sends requests to a server on a port.
type rehost struct {
	host string
	next http.RoundTripper
}

func (r rehost) RoundTrip(request *http.Request) (*http.Response, error) {
	out := request.Clone(request.Context())
	out.URL.Scheme, out.URL.Host = "http", r.host
	// net/http repeats a request with a key on a dead connection by itself.
	out.Close = true
	return r.next.RoundTrip(out)
}

func TestFaultsChooseTheirRequests(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	for _, ref := range []string{"reference-1", "reference-2"} {
		m.mustReserve(ref)
	}
	m.server.Inject(
		vippstest.Fault{Op: "get", Reference: "reference-1", Skip: 1, Count: 2, Kind: vippstest.Refuse, Status: 503},
		vippstest.Fault{Op: "get", Reference: "reference-1", Kind: vippstest.Refuse, Status: 502},
		vippstest.Fault{Op: "events", Count: -1, Kind: vippstest.Refuse, Status: 500},
	)
	var got []int
	for range 6 {
		got = append(got, m.get("reference-1").status)
	}
	// The first one passes for one fault and is struck by the other.
	if diff := cmp.Diff([]int{502, 503, 503, 200, 200, 200}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if a := m.get("reference-2"); a.status != 200 {
		t.Errorf("another reference: %d", a.status)
	}
	events := request{method: "GET", path: "/epayment/v1/payments/reference-1/events"}
	for range 3 {
		if a := m.send(events); a.status != 500 {
			t.Errorf("%d", a.status)
		}
	}
	m.server.ClearFaults()
	if a := m.send(events); a.status != 200 {
		t.Errorf("cleared: %d", a.status)
	}
}

func TestRefusalsLookLikeWhoMakesThem(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{NoRateLimits: true})
	for name, test := range map[string]struct {
		fault       vippstest.Fault
		status      int
		contentType string
		body        string // part of it
		retryAfter  string
	}{
		"401":       {vippstest.Fault{Status: 401}, 401, "application/json", `"statusCode":401`, ""},
		"403":       {vippstest.Fault{Status: 403}, 403, "application/json", `"statusCode":403`, ""},
		"429":       {vippstest.Fault{Status: 429, RetryAfter: 1500 * time.Millisecond}, 429, "application/json", "in 2 seconds", "2"},
		"bare 429":  {vippstest.Fault{Status: 429}, 429, "application/json", `"statusCode":429`, ""},
		"502":       {vippstest.Fault{Status: 502}, 502, "text/html", "<h1>Bad Gateway</h1>", ""},
		"503":       {vippstest.Fault{Status: 503, RetryAfter: time.Minute}, 503, "text/html", "<html>", "60"},
		"500":       {vippstest.Fault{Status: 500}, 500, "application/problem+json", `"status":500`, ""},
		"code":      {vippstest.Fault{Code: "5070", Title: "Reworded"}, 422, "application/problem+json", `"title":"Reworded"`, ""},
		"status":    {vippstest.Fault{Code: "6080", Status: 409}, 409, "application/problem+json", `"reason":"6080"`, ""},
		"body":      {vippstest.Fault{Body: "[", Status: 418}, 418, "application/json", "[", ""},
		"text body": {vippstest.Fault{Body: "busy", ContentType: "text/plain"}, 400, "text/plain", "busy", ""},
	} {
		test.fault.Kind, test.fault.Op = vippstest.Refuse, "get"
		m.server.Inject(test.fault)
		a := m.get("reference-1")
		if a.status != test.status || a.header.Get("Content-Type") != test.contentType ||
			!strings.Contains(string(a.raw), test.body) || a.header.Get("Retry-After") != test.retryAfter {
			t.Errorf("%s: %d %v %s", name, a.status, a.header, a.raw)
		}
	}
}

func TestAKeyAnsweredBeforeIsNotRefused(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustReserve("reference-1")
	m.modify("capture", "reference-1", "old", 100)
	m.server.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6260"})
	if a := m.modify("capture", "reference-1", "old", 100); a.status != 200 {
		t.Errorf("the old key: %d %s", a.status, a.raw)
	}
	for range 2 {
		if a := m.modify("capture", "reference-1", "new", 100); a.code() != "6260" {
			t.Errorf("a new key: %d %s", a.status, a.raw)
		}
	}
}

func TestLateRequestArrives(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.server.Inject(vippstest.Fault{Op: "create", Kind: vippstest.Late, Delay: time.Minute})
	if a := m.create("reference-1", nil); a.err == nil {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	m.server.Advance(59 * time.Second)
	if a := m.get("reference-1"); a.status != 404 {
		t.Errorf("too early: %d", a.status)
	}
	m.server.Advance(time.Second)
	if a := m.get("reference-1"); a.status != 200 {
		t.Errorf("never arrived: %d", a.status)
	}
	for _, r := range m.server.Requests() {
		if r.Op == "create" && (r.Fault != "late" || r.Status != 201) {
			t.Errorf("%+v", r)
		}
	}
}

func TestHeldBackAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMerchant(t, vippstest.Options{})
		m.mustReserve("reference-1")
		m.server.Inject(
			vippstest.Fault{Op: "get", Kind: vippstest.Slow, Delay: 20 * time.Second},
			vippstest.Fault{Op: "get", Kind: vippstest.Slow, Delay: time.Hour},
			vippstest.Fault{Op: "capture", Kind: vippstest.Slow, Delay: time.Hour},
			vippstest.Fault{Op: "cancel", Kind: vippstest.Hang},
		)
		start := time.Now()
		if a := m.get("reference-1"); a.status != 200 || time.Since(start) != 20*time.Second {
			t.Errorf("%d after %v", a.status, time.Since(start))
		}

		ended := make(chan result)
		go func() { ended <- m.get("reference-1") }()
		synctest.Wait()
		m.server.Advance(time.Hour)
		if a := <-ended; a.status != 200 || time.Since(start) != 20*time.Second {
			t.Errorf("advanced: %d after %v", a.status, time.Since(start))
		}
		m.login()

		m.client.Timeout = 5 * time.Second
		if a := m.modify("capture", "reference-1", "key", 100); !errors.Is(a.err, context.DeadlineExceeded) {
			t.Errorf("slow: %v", a.err)
		}
		if p, _ := m.server.Payment("reference-1"); p.Captured != 100 {
			t.Error("a slow capture was not executed")
		}
		if a := m.cancel("reference-1", false); !errors.Is(a.err, context.DeadlineExceeded) {
			t.Errorf("hang: %v", a.err)
		}
		if p, _ := m.server.Payment("reference-1"); p.Cancelled != 0 {
			t.Error("a cancel that hangs was executed")
		}
	})
}

func TestTransportOfAnEndedContext(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := m.build(request{method: "POST", path: "/epayment/v1/payments", key: "key", body: order("reference-1", nil)})
	response, err := m.server.Transport().RoundTrip(r.WithContext(ctx))
	if !errors.Is(err, context.Canceled) {
		_ = response.Body.Close()
		t.Fatalf("error %v", err)
	}
	if n := len(m.server.Payments()); n != 0 {
		t.Errorf("%d payments", n)
	}
}

func TestCloseEndsWhatIsHeldBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMerchant(t, vippstest.Options{})
		m.server.Inject(vippstest.Fault{Op: "get", Kind: vippstest.Hang})
		ended := make(chan result)
		go func() { ended <- m.get("reference-1") }()
		synctest.Wait()
		m.server.Close()
		if a := <-ended; !errors.Is(a.err, io.EOF) {
			t.Errorf("%d, %v", a.status, a.err)
		}
		if a := m.get("reference-1"); !errors.Is(a.err, syscall.ECONNREFUSED) {
			t.Errorf("after Close: %d, %v", a.status, a.err)
		}
		m.server.Close()
	})
}

func TestBooksHaveNoSecrets(t *testing.T) {
	t.Parallel()
	var logged strings.Builder
	s := vippstest.Start(t, vippstest.Options{Logf: func(format string, args ...any) {
		for _, a := range args {
			if text, ok := a.(string); ok {
				logged.WriteString(text + " ")
			}
		}
		logged.WriteString(format + "\n")
	}})
	m := &merchant{t: t, server: s, client: &http.Client{Transport: s.Transport()}}
	m.login()
	a := m.mustCreate("reference-1", fields{"customer": fields{"phoneNumber": "4791234567"}})
	c := s.Credentials()
	var all strings.Builder
	all.WriteString(logged.String())
	for _, r := range s.Requests() {
		for name, values := range r.Header {
			all.WriteString(name + strings.Join(values, " "))
		}
	}
	for _, secret := range []string{c.ClientID, c.ClientSecret, c.SubscriptionKey, m.token} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("%q is in %s", secret, all.String())
		}
	}
	for _, secret := range []string{"4791234567", a.text("redirectUrl")} {
		if strings.Contains(logged.String(), secret) {
			t.Errorf("%q is in %s", secret, logged.String())
		}
	}
	if !strings.Contains(logged.String(), "create reference-1") {
		t.Errorf("nothing was logged: %s", logged.String())
	}
}
