package vippstest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// Without Advance, real timers run.
func TestExpiryByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMerchant(t, vippstest.Options{LongLiving: true})
		m.mustRegister(hook, expiredEvent)
		box := m.receive(hook)
		start := time.Now()
		m.mustCreate("reference-1", nil)
		m.mustCreate("reference-2", fields{"expiresAt": start.Add(time.Hour).Format(time.RFC3339), "receipt": receipt(nil)})
		<-time.After(2 * time.Hour)
		got := map[string]time.Duration{}
		for _, d := range box.all() {
			got[d.text("reference")] = d.when.Sub(start)
		}
		want := map[string]time.Duration{"reference-1": 10 * time.Minute, "reference-2": time.Hour}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestAdvanceStopsAtEveryMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)
	m := newMerchant(t, vippstest.Options{Clock: func() time.Time { return now }})
	m.mustRegister(hook, createdEvent, expiredEvent)
	m.receive(hook).answer = func(d received) int {
		if d.text("name") == "CREATED" && m.server.Count("token", "") == 1 {
			return 500
		}
		return 200
	}
	m.mustCreate("reference-1", nil)
	m.server.Advance(20 * time.Minute)
	if got := m.server.Now(); !got.Equal(now.Add(20 * time.Minute)) {
		t.Errorf("now %v", got)
	}
	var got []string
	for _, d := range m.server.Deliveries() {
		got = append(got, fmt.Sprint(d.Attempt, " ", d.At.Sub(now)))
	}
	want := []string{"1 0s", "2 2s", "3 4s", "4 6s", "5 1m6s", "6 3m6s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	m.login()
	m.server.Advance(time.Hour)
	list := m.server.Deliveries()
	if last := list[len(list)-1]; last.Event != expiredEvent || last.Status != 200 || !last.At.Equal(now.Add(time.Hour+186*time.Second)) {
		t.Errorf("%+v", last)
	}
	m.login()
	if events := m.events("reference-1"); events[len(events)-1]["timestamp"] != "2026-11-19T10:10:00.0000000Z" {
		t.Errorf("expired at %v", events[len(events)-1]["timestamp"])
	}
}

// A clock that the test moves itself needs no Advance.
func TestAClockOfOnesOwn(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)
	m := newMerchant(t, vippstest.Options{Clock: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	m.mustCreate("reference-1", nil)
	mu.Lock()
	now = now.Add(10 * time.Minute)
	mu.Unlock()
	if p, _ := m.server.Payment("reference-1"); p.State != "EXPIRED" {
		t.Errorf("%+v", p)
	}
}

// With the race detector: everything at once, and the sums are right in the end.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{NoRateLimits: true})
	m.mustRegister(hook, createdEvent, authorizedEvent, capturedEvent, expiredEvent)
	m.receive(hook)
	var wg sync.WaitGroup
	for i := range 20 {
		reference := fmt.Sprintf("reference-%02d", i)
		post := func(path, key string, body any) {
			raw, _ := json.Marshal(body)
			r := m.build(request{method: "POST", path: path, key: key, body: string(raw)})
			response, err := m.client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			_ = response.Body.Close()
		}
		wg.Go(func() {
			post("/epayment/v1/payments", reference, order(reference, nil))
			_ = m.server.Approve(reference)
			for k := range 10 {
				wg.Go(func() {
					// Each key twice: half of these are repetitions.
					post("/epayment/v1/payments/"+reference+"/capture", fmt.Sprint(reference, k/2),
						fields{"modificationAmount": fields{"currency": "NOK", "value": 100}})
				})
			}
			_ = m.server.Payments()
			_ = m.server.Requests()
			_ = m.server.Deliveries()
			m.server.Advance(time.Second)
		})
	}
	wg.Wait()
	m.server.Settle()
	for _, p := range m.server.Payments() {
		if p.Captured != 500 {
			t.Errorf("%s: captured %d", p.Reference, p.Captured)
		}
	}
}

func FuzzCreate(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `null`, `"x"`, `{"amount":{"value":1e400,"currency":"NOK"}}`, `{"reference":null,"customer":{"phoneNumber":1}}`,
		`{"receipt":{"orderLines":[null],"bottomLine":[]},"shipping":{"fixedOptions":[{"options":[7]}]},"metadata":{"":""}}`,
		strings.Repeat(`{"a":`, 40), "\xff\xfe", `{"reference":"reference-1","reference":"reference-2"}`,
	} {
		f.Add(seed)
	}
	raw, _ := json.Marshal(order("reference-1", fields{
		"receipt": receipt(nil), "shipping": express("NOK"), "profile": fields{"scope": "address"}, "metadata": fields{"a": "b"},
	}))
	f.Add(string(raw))
	f.Fuzz(func(t *testing.T, body string) {
		m := newMerchant(t, vippstest.Options{})
		a := m.send(request{
			method: "POST", path: "/epayment/v1/payments", key: "key", body: body,
			header: map[string]string{"Content-Type": "application/json"},
		})
		switch a.status {
		case 201, 400:
			if a.body == nil {
				t.Errorf("%d %q", a.status, a.raw)
			}
		case 413:
		default:
			t.Errorf("%d %q", a.status, a.raw)
		}
		for _, op := range []string{"capture", "refund", "cancel"} {
			m.mustCreate(op+"-reference", nil)
			a := m.send(request{
				method: "POST", path: "/epayment/v1/payments/" + op + "-reference/" + op, key: "key", body: body,
				header: map[string]string{"Content-Type": "application/json"},
			})
			if a.status != 200 && a.status != 400 {
				t.Errorf("%s: %d %q", op, a.status, a.raw)
			}
		}
		if a := m.send(request{
			method: "POST", path: "/webhooks/v1/webhooks", body: body, header: map[string]string{"Content-Type": "application/json"},
		}); a.status != 201 && a.status != 400 {
			t.Errorf("register: %d %q", a.status, a.raw)
		}
	})
}

func TestLongBody(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	a := m.create("reference-1", fields{"paymentDescription": strings.Repeat("x", 1<<20)})
	if a.status != 413 {
		t.Errorf("%d %s", a.status, a.raw)
	}
}
