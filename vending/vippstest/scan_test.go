package vippstest_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

func TestScanOfACallbackCode(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	if a := m.putCallback("machine-7", fields{"locationDescription": "Hall B", "category": "VENDING"}); a.status != 200 {
		t.Fatal(a.status)
	}
	content := m.server.CallbackCodes()[0].Content
	_, secret := m.mustRegister(hook, checkInEvent)
	box := m.receive(hook)
	scanned, err := m.server.Scan(content)
	if err != nil {
		t.Fatal(err)
	}
	got := box.all() // nothing else was waited for
	if len(got) != 1 || got[0].text("merchantQrId") != "machine-7" || got[0].text("customerToken") != scanned.CustomerToken ||
		got[0].text("msn") != "123456" {
		t.Fatalf("%+v", got)
	}
	if err := got[0].verify(secret); err != nil {
		t.Error(err)
	}
	want := vippstest.Scanned{
		MerchantQRID: "machine-7", Location: "Hall B", Category: "VENDING", CustomerToken: got[0].text("customerToken"),
	}
	if diff := cmp.Diff(want, scanned); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	m.mustCreate("reference-1", fields{"customer": fields{"customerToken": scanned.CustomerToken}})
	if again, err := m.server.Scan(content); err != nil || again.CustomerToken == scanned.CustomerToken {
		t.Errorf("a second scan: %+v, %v", again, err)
	}
	m.send(request{method: "DELETE", path: callbackPath + "/machine-7"})
	if _, err := m.server.Scan(content); !errors.Is(err, vippstest.ErrCodeNotFound) {
		t.Errorf("of a deleted code: %v", err)
	}
	if n := len(box.all()); n != 2 {
		t.Errorf("%d check-ins", n)
	}
}

func TestACustomerIsToldThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	status := func(n int) http.HandlerFunc { return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) } }
	for name, test := range map[string]struct {
		events   []string // registered for
		handler  http.Handler
		fault    vippstest.DeliveryFaultKind
		why      string // no error if empty
		attempts int    // after a minute
	}{
		"accepted":     {events: []string{checkInEvent}, handler: status(204), attempts: 1},
		"no webhook":   {why: "no webhook"},
		"other events": {events: []string{createdEvent}, handler: status(200), why: "no webhook"},
		"refused":      {events: []string{checkInEvent}, handler: status(503), why: "503", attempts: 4},
		"hung up": {
			events: []string{checkInEvent}, handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			why: "EOF", attempts: 4,
		},
		"dropped":     {events: []string{checkInEvent}, handler: status(200), fault: vippstest.Drop, why: "no webhook"},
		"delayed":     {events: []string{checkInEvent}, handler: status(200), fault: vippstest.Delay, why: "no webhook", attempts: 1},
		"lost answer": {events: []string{checkInEvent}, handler: status(200), fault: vippstest.LostAnswer, why: "lost", attempts: 2},
		"twice":       {events: []string{checkInEvent}, handler: status(200), fault: vippstest.Duplicate, attempts: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, vippstest.Options{})
			content := m.mustCallback("a")
			if test.events != nil {
				m.mustRegister(hook, test.events...)
				m.server.HandleWebhooks(hook, test.handler)
			}
			if test.fault != "" {
				m.server.InjectDelivery(vippstest.DeliveryFault{Kind: test.fault, Delay: 30 * time.Second})
			}
			scanned, err := m.server.Scan(content)
			if errors.Is(err, vippstest.ErrCannotConnect) != (test.why != "") || err != nil && !strings.Contains(err.Error(), test.why) {
				t.Errorf("%v, want %q", err, test.why)
			}
			if scanned.MerchantQRID != "a" || scanned.CustomerToken == "" {
				t.Errorf("%+v", scanned)
			}
			m.server.Advance(time.Minute)
			if n := len(m.server.Deliveries()); n != test.attempts {
				t.Errorf("%d attempts, want %d", n, test.attempts)
			}
		})
	}
}

func TestScanFindsNothing(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	for _, code := range []string{"", "x", "https://example.com", m.server.URL() + "/q/x", m.server.PersonalQR("4712345678")} {
		if scanned, err := m.server.Scan(code); !errors.Is(err, vippstest.ErrCodeNotFound) || scanned != (vippstest.Scanned{}) {
			t.Errorf("%q: %+v, %v", code, scanned, err)
		}
	}
	m.mustCreate("reference-1", nil)
	p, _ := m.server.Payment("reference-1")
	must(t, m.server.Abort("reference-1"))
	if scanned, err := m.server.Scan(p.RedirectURL); err == nil || errors.Is(err, vippstest.ErrCodeNotFound) || scanned.Reference != "reference-1" {
		t.Errorf("%+v, %v", scanned, err)
	}
}

func TestScanEndsWithTheEmulator(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	content := m.mustCallback("a")
	m.mustRegister(hook, checkInEvent)
	begun := make(chan struct{})
	m.server.HandleWebhooks(hook, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	}))
	done := make(chan error, 1)
	go func() {
		_, err := m.server.Scan(content)
		done <- err
	}()
	<-begun
	m.server.Close()
	if err := <-done; !errors.Is(err, vippstest.ErrCannotConnect) {
		t.Error(err)
	}
}
