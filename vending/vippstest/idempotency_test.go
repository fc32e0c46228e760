package vippstest_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending/vippstest"
)

func TestKeyRepeated(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	create := request{method: "POST", path: "/epayment/v1/payments", key: "create", body: order("reference-1", nil)}
	first := m.send(create)
	if again := m.send(create); first.status != 201 || again.status != 201 || !bytes.Equal(first.raw, again.raw) {
		t.Errorf("%d %s, again %d %s", first.status, first.raw, again.status, again.raw)
	}
	must(t, m.server.Approve("reference-1"))
	captured := m.modify("capture", "reference-1", "same", 100)
	if again := m.modify("capture", "reference-1", "same", 100); !bytes.Equal(captured.raw, again.raw) {
		t.Errorf("%s, again %s", captured.raw, again.raw)
	}
	// The same key is another one for another operation.
	if a := m.modify("refund", "reference-1", "same", 50); a.status != 200 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := m.modify("refund", "reference-1", "same", 50); a.status != 200 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if p, _ := m.server.Payment("reference-1"); p.Captured != 100 || p.Refunded != 50 || len(m.server.Payments()) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestKeyConflicts(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustReserve("reference-1")
	m.mustReserve("reference-2")
	m.capture("reference-1", 1000)
	create := func(key, reference string, changes fields) result {
		return m.send(request{method: "POST", path: "/epayment/v1/payments", key: key, body: order(reference, changes)})
	}
	cancel := func(reference string) result {
		return m.send(request{
			method: "POST", path: "/epayment/v1/payments/" + reference + "/cancel", key: "cancel", body: "{}",
		})
	}
	create("create", "reference-3", nil)
	m.modify("capture", "reference-1", "capture", 10)
	m.modify("refund", "reference-1", "refund", 10)
	cancel("reference-1")
	for name, test := range map[string]struct {
		got  result
		code string
	}{
		"create, other body":       {create("create", "reference-3", fields{"paymentDescription": "Cola"}), "4020"},
		"create, other reference":  {create("create", "reference-4", nil), "4020"},
		"create, other key":        {create("other", "reference-3", nil), "4150"},
		"capture, other amount":    {m.modify("capture", "reference-1", "capture", 11), "4010"},
		"capture, other reference": {m.modify("capture", "reference-2", "capture", 10), "4010"},
		"refund, other amount":     {m.modify("refund", "reference-1", "refund", 11), "4150"},
		"cancel, other reference":  {cancel("reference-2"), "4020"},
	} {
		if test.got.status != 409 || test.got.code() != test.code {
			t.Errorf("%s: %d %s", name, test.got.status, test.got.raw)
		}
	}
	// A conflict does not replace what was kept.
	if a := m.modify("capture", "reference-1", "capture", 10); a.status != 200 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if p, _ := m.server.Payment("reference-2"); p.Captured != 0 || p.Cancelled != 0 {
		t.Errorf("%+v", p)
	}
}

func TestReferenceIsUniqueForASerialNumber(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Merchants: []string{"654321"}})
	m.mustCreate("reference-1", nil)
	a := m.send(request{
		method: "POST", path: "/epayment/v1/payments", key: "key", body: order("reference-1", nil),
		header: map[string]string{"Merchant-Serial-Number": "654321"},
	})
	if a.status != 201 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if p, ok := m.server.Payment("654321/reference-1"); !ok || p.MSN != "654321" {
		t.Errorf("%+v", p)
	}
	if p, ok := m.server.Payment("reference-1"); !ok || p.MSN != "123456" {
		t.Errorf("%+v", p)
	}
}

func TestRefusalsAreSticky(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustCreate("reference-1", nil)
	early := m.modify("capture", "reference-1", "early", 100)
	must(t, m.server.Approve("reference-1"))
	if a := m.modify("capture", "reference-1", "early", 100); a.code() != "6080" || !bytes.Equal(a.raw, early.raw) {
		t.Errorf("%d %s, first %s", a.status, a.raw, early.raw)
	}
	if a := m.modify("capture", "reference-1", "new", 100); a.status != 200 {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestBusyPaymentAndItsKey(t *testing.T) {
	t.Parallel()
	for _, forgets := range []bool{false, true} {
		m := newMerchant(t, vippstest.Options{Switches: vippstest.Switches{RefusalsNotSticky: forgets}})
		m.mustReserve("reference-1")
		m.server.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6280"})
		if a := m.modify("capture", "reference-1", "key", 100); a.status != 400 || a.code() != "6280" {
			t.Errorf("%d %s", a.status, a.raw)
		}
		want := map[bool]int{false: 400, true: 200}[forgets]
		if a := m.modify("capture", "reference-1", "key", 100); a.status != want {
			t.Errorf("forgets %v: %d %s", forgets, a.status, a.raw)
		}
		// 423 is never kept.
		m.server.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6160"})
		if a := m.modify("capture", "reference-1", "locked", 100); a.status != 423 || a.code() != "6160" {
			t.Errorf("%d %s", a.status, a.raw)
		}
		if a := m.modify("capture", "reference-1", "locked", 100); a.status != 200 {
			t.Errorf("%d %s", a.status, a.raw)
		}
	}
}

func TestKeysForgotten(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Switches: vippstest.Switches{KeysForgottenAfter: 30 * time.Minute}})
	m.mustReserve("reference-1")
	m.modify("capture", "reference-1", "key", 100)
	m.server.Advance(29 * time.Minute)
	m.modify("capture", "reference-1", "key", 100)
	if p, _ := m.server.Payment("reference-1"); p.Captured != 100 {
		t.Errorf("captured %d", p.Captured)
	}
	m.server.Advance(2 * time.Minute)
	m.modify("capture", "reference-1", "key", 100)
	if p, _ := m.server.Payment("reference-1"); p.Captured != 200 {
		t.Errorf("captured %d: the key was not forgotten", p.Captured)
	}
}

func TestGetLags(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Switches: vippstest.Switches{GetLags: true}})
	m.mustReserve("reference-1")
	for i, want := range []string{"CREATED", "AUTHORIZED", "AUTHORIZED"} {
		if a := m.get("reference-1"); a.text("state") != want {
			t.Errorf("read %d: %s", i, a.raw)
		}
	}
	m.capture("reference-1", 100)
	for i, want := range []int64{0, 100} {
		if a := m.get("reference-1"); a.number("aggregate", "capturedAmount", "value") != want {
			t.Errorf("read %d: %s", i, a.raw)
		}
	}
}
