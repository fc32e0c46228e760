package vippstest_test

import (
	"net/http"
	"testing"

	"github.com/vippsvending/vipps/vending/vippstest"
)

func TestASaleFromCreateToRest(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	created := m.mustCreate("sale-0001", fields{"metadata": fields{"machine": "oslo12"}})
	scanned, err := m.server.Scan(created.text("redirectUrl"))
	ref := scanned.Reference
	if err != nil || ref != "sale-0001" {
		t.Fatalf("Scan = %+v, %v", scanned, err)
	}
	if err := m.server.Approve(ref); err != nil {
		t.Fatal(err)
	}
	if a := m.get(ref); a.text("state") != "AUTHORIZED" || a.number("aggregate", "authorizedAmount", "value") != 2500 ||
		a.text("metadata", "machine") != "oslo12" || a.text("captureGuaranteedUntil") == "" {
		t.Errorf("get: %s", a.raw)
	}
	if a := m.capture(ref, 1000); a.status != http.StatusOK || a.number("aggregate", "capturedAmount", "value") != 1000 {
		t.Errorf("capture: %s", a.raw)
	}
	if p, _ := m.server.Payment(ref); p.AtRest() {
		t.Error("at rest before the rest is released")
	}
	if a := m.cancel(ref, false); a.status != http.StatusOK || a.number("aggregate", "cancelledAmount", "value") != 1500 {
		t.Errorf("cancel: %s", a.raw)
	}
	if p, _ := m.server.Payment(ref); !p.AtRest() {
		t.Errorf("not at rest: %+v", p)
	}
	if a := m.refund(ref, 400); a.status != http.StatusOK || a.number("aggregate", "refundedAmount", "value") != 400 {
		t.Errorf("refund: %s", a.raw)
	}
}
