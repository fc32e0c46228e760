package vippstest_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

const hook = "https://shop.example/hooks/vipps"

func (m *merchant) register(url string, events ...string) result {
	m.t.Helper()
	return m.send(request{method: "POST", path: "/webhooks/v1/webhooks", body: fields{"url": url, "events": events}})
}

func (m *merchant) mustRegister(url string, events ...string) (id, secret string) {
	m.t.Helper()
	a := m.register(url, events...)
	if a.status != 201 {
		m.t.Fatalf("register: %d %s", a.status, a.raw)
	}
	return a.text("id"), a.text("secret")
}

const (
	createdEvent    = "epayments.payment.created.v1"
	authorizedEvent = "epayments.payment.authorized.v1"
	capturedEvent   = "epayments.payment.captured.v1"
	expiredEvent    = "epayments.payment.expired.v1"
	checkInEvent    = "user.checked-in.v1"
)

func TestRegisterListDelete(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Merchants: []string{"654321"}})
	list := func() any {
		a := m.send(request{method: "GET", path: "/webhooks/v1/webhooks"})
		if a.status != 200 {
			t.Fatalf("list: %d %s", a.status, a.raw)
		}
		return a.at("webhooks")
	}
	if diff := cmp.Diff([]any{}, list()); diff != "" {
		t.Errorf("at first (-want +got)\n%s", diff)
	}
	id, secret := m.mustRegister(hook, createdEvent, capturedEvent)
	id2, secret2 := m.mustRegister(hook, createdEvent)
	if id == id2 || secret == secret2 {
		t.Error("registering twice makes two webhooks")
	}
	raw, err := base64.StdEncoding.DecodeString(secret2)
	if len(secret) != 36 || len(secret2) != 88 || err != nil || len(raw) != 64 {
		t.Errorf("secrets of %d and %d characters", len(secret), len(secret2))
	}
	want := []any{
		fields{"id": id, "url": hook, "events": []any{createdEvent, capturedEvent}},
		fields{"id": id2, "url": hook, "events": []any{createdEvent}},
	}
	if diff := cmp.Diff(want, list()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, want := range []int{204, 404} {
		if a := m.send(request{method: "DELETE", path: "/webhooks/v1/webhooks/" + id}); a.status != want || want == 204 && len(a.raw) > 0 {
			t.Errorf("delete: %d %s", a.status, a.raw)
		}
	}
	if diff := cmp.Diff(want[1:], list()); diff != "" {
		t.Errorf("after deleting (-want +got)\n%s", diff)
	}
	other := map[string]string{"Merchant-Serial-Number": "654321"}
	if a := m.send(request{method: "GET", path: "/webhooks/v1/webhooks", header: other}); string(a.raw) != `{"webhooks":[]}` {
		t.Errorf("another serial number sees %s", a.raw)
	}
	if a := m.send(request{method: "DELETE", path: "/webhooks/v1/webhooks/" + id2, header: other}); a.status != 404 {
		t.Errorf("another serial number deletes: %d", a.status)
	}
	if a := m.send(request{method: "DELETE", path: "/webhooks/v1/webhooks/17"}); a.status != 400 {
		t.Errorf("delete: %d %s", a.status, a.raw)
	}
}

func TestRegisterValidation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		loopback bool
		body     any
		want     []string
	}{
		"no url":            {body: fields{"events": []string{createdEvent}}, want: []string{"url"}},
		"null":              {body: `{"url":null,"events":null}`, want: []string{"url", "events"}},
		"http":              {body: fields{"url": "http://shop.example", "events": []string{createdEvent}}, want: []string{"url"}},
		"relative":          {body: fields{"url": "/hooks", "events": []string{createdEvent}}, want: []string{"url"}},
		"localhost":         {body: fields{"url": "https://localhost/x", "events": []string{createdEvent}}, want: []string{"url"}},
		"loopback":          {body: fields{"url": "http://127.0.0.1:8080/x", "events": []string{createdEvent}}, want: []string{"url"}},
		"loopback allowed":  {loopback: true, body: fields{"url": "http://127.0.0.1:8080/x", "events": []string{createdEvent}}},
		"localhost allowed": {loopback: true, body: fields{"url": "http://localhost/x", "events": []string{createdEvent}}},
		"IPv6 allowed":      {loopback: true, body: fields{"url": "http://[::1]:80/x", "events": []string{createdEvent}}},
		"http allowed":      {loopback: true, body: fields{"url": "http://shop.example", "events": []string{createdEvent}}, want: []string{"url"}},
		"no events":         {body: fields{"url": hook, "events": []string{}}, want: []string{"events"}},
		"unknown event":     {body: fields{"url": hook, "events": []string{"epayments.payment.paid.v1"}}, want: []string{"events"}},
		"unknown field":     {body: fields{"url": hook, "events": []string{createdEvent}, "secret": "x"}, want: []string{"secret"}},
		"mixed":             {body: fields{"url": hook, "events": []string{createdEvent, checkInEvent, "recurring.charge-canceled.v1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, vippstest.Options{AllowLoopbackHTTP: test.loopback})
			a := m.send(request{method: "POST", path: "/webhooks/v1/webhooks", body: test.body})
			if test.want == nil {
				if a.status != 201 {
					t.Errorf("%d %s", a.status, a.raw)
				}
				return
			}
			if diff := cmp.Diff(test.want, a.names()); diff != "" || a.status != 400 || a.code() != "" {
				t.Errorf("%d %s (-want +got)\n%s", a.status, a.raw, diff)
			}
			if a.text("instance") != "/v1/webhooks" || a.text("type") == "" || a.text("type") != a.text("traceId") {
				t.Errorf("%s", a.raw)
			}
		})
	}
}

func TestWebhooksAreLimited(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	for i := range 25 {
		m.mustRegister(fmt.Sprintf("%s/%d", hook, i), createdEvent)
	}
	if a := m.register(hook, createdEvent, capturedEvent); a.status != 400 {
		t.Errorf("the 26th: %d %s", a.status, a.raw)
	}
	m.mustRegister(hook, capturedEvent)
	m.mustRegister(hook, checkInEvent)
	if a := m.register(hook, checkInEvent); a.status != 400 {
		t.Errorf("a second one for check-ins: %d %s", a.status, a.raw)
	}
}

func TestWebhooksOfPartners(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Merchants: []string{"654321"}})
	register := func(msn, url string) {
		a := m.send(request{
			method: "POST", path: "/webhooks/v1/webhooks", header: map[string]string{"Merchant-Serial-Number": msn},
			body: fields{"url": url, "events": []string{createdEvent, checkInEvent}},
		})
		if a.status != 201 {
			t.Fatalf("%d %s", a.status, a.raw)
		}
	}
	inboxes := map[string]*inbox{}
	for msn, url := range map[string]string{"": hook + "/all", "654321": hook + "/one"} {
		register(msn, url)
		inboxes[url] = m.receive(url)
	}
	m.mustCreate("reference-1", nil)
	m.send(request{
		method: "POST", path: "/epayment/v1/payments", key: "key", body: order("reference-2", nil),
		header: map[string]string{"Merchant-Serial-Number": "654321"},
	})
	m.server.CheckIn("123456", "sticker-1")
	m.server.CheckIn("654321", "sticker-2")
	m.server.Settle()
	for url, want := range map[string]map[string]int{
		// A payment is told to both; a check-in to the webhook of the sales unit alone, if there is one.
		hook + "/all": {"123456 payment": 1, "654321 payment": 1, "123456 check-in": 1},
		hook + "/one": {"654321 payment": 1, "654321 check-in": 1},
	} {
		got := map[string]int{}
		for _, d := range inboxes[url].all() {
			kind := " payment"
			if d.text("customerToken") != "" {
				kind = " check-in"
			}
			got[d.text("msn")+kind]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", url, diff)
		}
	}
}
