package vippstest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

func TestForceApprove(t *testing.T) {
	t.Parallel()
	const phone = "4712345678"
	who := func(c vippstest.Customer) vippstest.Options {
		c.PhoneNumber = phone
		return vippstest.Options{Customers: []vippstest.Customer{c}}
	}
	customer := fields{"customer": fields{"phoneNumber": phone}}
	const ref = "reference-1"
	for name, test := range map[string]struct {
		options vippstest.Options
		changes fields
		before  func(*vippstest.Server) error
		body    fields
		want    string
	}{
		"customer":       {body: customer},
		"nobody":         {body: fields{}, want: "4140"},
		"wrong token":    {body: fields{"token": "x"}, want: "10020"},
		"somebody else":  {changes: fields{"customer": fields{"phoneNumber": "4787654321"}}, body: customer, want: "10020"},
		"production":     {options: vippstest.Options{Production: true}, body: customer, want: "10020"},
		"approved":       {before: func(s *vippstest.Server) error { return s.Approve(ref) }, body: customer, want: "6230"},
		"aborted":        {before: func(s *vippstest.Server) error { return s.Abort(ref) }, body: customer, want: "10010"},
		"never approved": {options: who(vippstest.Customer{NeverApproved: true}), body: customer, want: "10030"},
		"source":         {options: who(vippstest.Customer{InvalidSource: true}), body: customer, want: "10040"},
		"no cards":       {options: who(vippstest.Customer{NoCards: true}), body: customer, want: "10050"},
		"express": {
			changes: fields{"shipping": express("NOK"), "profile": fields{"scope": "address"}}, body: customer, want: "10060",
		},
		"limit":           {options: who(vippstest.Customer{Limit: 2499}), body: customer, want: "10070"},
		"within limit":    {options: who(vippstest.Customer{Limit: 2500}), body: customer},
		"unknown":         {options: who(vippstest.Customer{Unknown: true}), body: customer, want: "7010"},
		"declined amount": {changes: fields{"amount": fields{"currency": "NOK", "value": 151}}, body: customer},
		"unknown field":   {body: fields{"phoneNumber": phone}, want: "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, test.options)
			m.mustCreate(ref, test.changes)
			if test.before != nil {
				must(t, test.before(m.server))
			}
			a := m.send(request{method: "POST", path: "/epayment/v1/test/payments/" + ref + "/approve", body: test.body})
			if test.want == "" {
				if p, _ := m.server.Payment(ref); a.status != 200 || len(a.raw) != 0 || p.State != "AUTHORIZED" {
					t.Errorf("%d %s, then %s", a.status, a.raw, p.State)
				}
				return
			}
			got := a.code()
			if got == "" && len(a.names()) > 0 {
				got = "malformed"
			}
			if a.status != 400 || got != test.want {
				t.Errorf("%d %s", a.status, a.raw)
			}
		})
	}
}

func TestForceApproveByToken(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	url := m.mustCreate("reference-1", nil).text("redirectUrl")
	token := url[len("https://vipps.test/landing?token="):]
	a := m.send(request{method: "POST", path: "/epayment/v1/test/payments/reference-1/approve", body: fields{"token": token}})
	if a.status != 200 {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestPhoneAndPortalSayWhyNot(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Customers: []vippstest.Customer{{PhoneNumber: "4712345678", Age: 15}}})
	s := m.server
	m.mustCreate("reference-1", nil)
	must(t, s.Abort("reference-1"))
	m.mustReserve("reference-2")
	m.mustCreate("reference-3", fields{"minimumUserAge": 16, "customer": fields{"phoneNumber": "4712345678"}})
	m.mustCreate("reference-4", nil)
	for name, test := range map[string]struct {
		got  error
		want string
	}{
		"unknown":      {s.Approve("reference-0"), `vippstest: there is no payment "reference-0"`},
		"aborted":      {s.Approve("reference-1"), "vippstest: payment reference-1 is ABORTED"},
		"authorized":   {s.Abort("reference-2"), "vippstest: payment reference-2 is AUTHORIZED"},
		"in secure":    {s.BeginApproval("reference-2"), "vippstest: payment reference-2 is AUTHORIZED"},
		"too young":    {s.Approve("reference-3"), "vippstest: payment reference-3 is not for customers of that age"},
		"not reserved": {s.PortalCapture("reference-4", 1), "vippstest: payment reference-4 was refused: 6080 Cannot capture before reservation"},
		"nothing":      {s.PortalCapture("reference-2", 0), "vippstest: payment reference-2 was refused: 4040 Invalid amount"},
		"too much":     {s.PortalRefund("reference-2", 1), "vippstest: payment reference-2 was refused: 6210 Payment cannot be refunded"},
		"cancelled":    {s.PortalCancel("reference-1"), "vippstest: payment reference-1 was refused: 6050 Cannot cancel a non-reserved payment"},
	} {
		if test.got == nil || test.got.Error() != test.want {
			t.Errorf("%s: %v", name, test.got)
		}
	}
}

func TestBooks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)
	m := newMerchant(t, vippstest.Options{Clock: func() time.Time { return now }})
	body := fields{
		"userFlow": "QR", "customerInteraction": "CUSTOMER_PRESENT", "paymentDescription": "A cola", "metadata": fields{"a": "b"},
	}
	a := m.mustCreate("reference-1", body)
	must(t, m.server.Approve("reference-1"))
	m.mustCreate("reference-2", nil)
	got := m.server.Payments()
	if len(got) != 2 || got[1].Reference != "reference-2" {
		t.Fatalf("%+v", got)
	}
	first := got[0]
	first.Body = nil
	want := vippstest.Payment{
		MSN: "123456", Reference: "reference-1", State: "AUTHORIZED", Currency: "NOK", PaymentMethod: "WALLET", UserFlow: "QR",
		CustomerInteraction: "CUSTOMER_PRESENT", Description: "A cola", ReturnURL: "https://shop.example/back",
		RedirectURL: a.text("redirectUrl"), Amount: 2500, Authorized: 2500, Created: now, Expires: now.Add(10 * time.Minute),
		CaptureGuaranteedUntil: now.Add(7 * 24 * time.Hour), Metadata: map[string]string{"a": "b"},
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := m.get("reference-1").text("captureGuaranteedUntil"); got != "2026-11-26T10:00:00.000+00:00" {
		t.Errorf("captureGuaranteedUntil %s", got)
	}
	got[0].Metadata["a"] = "changed"
	if p, _ := m.server.Payment("reference-1"); p.Metadata["a"] != "b" {
		t.Error("the books can be written to")
	}
}

func TestProfileAndExpress(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustCreate("reference-1", fields{"shipping": express("NOK"), "profile": fields{"scope": "name address"}})
	if a := m.get("reference-1"); a.at("userDetails") != nil || a.at("profile", "sub") != nil || a.at("shippingDetails") != nil {
		t.Errorf("before approval: %s", a.raw)
	}
	must(t, m.server.Approve("reference-1"))
	a := m.get("reference-1")
	if a.number("aggregate", "authorizedAmount", "value") != 3400 || a.number("amount", "value") != 2500 {
		t.Errorf("the chosen shipping is part of what is authorized: %s", a.raw)
	}
	if a.text("userDetails", "firstName") == "" || a.text("userDetails", "email") != "" || a.text("profile", "sub") == "" {
		t.Errorf("name was consented to, email was not asked for: %s", a.raw)
	}
	if a.text("shippingDetails", "shippingOptionId") != "b" || a.number("shippingDetails", "shippingCost") != 900 {
		t.Errorf("the default option is chosen: %s", a.raw)
	}
	if a := m.capture("reference-1", 3400); a.status != 200 {
		t.Errorf("%d %s", a.status, a.raw)
	}
}
