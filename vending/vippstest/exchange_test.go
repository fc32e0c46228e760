package vippstest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

const oldPersonalQR = "https://qr.vipps.no/28/2/01/031/4798765432?v=1"

func (m *merchant) exchange(path string, body any) result {
	m.t.Helper()
	return m.send(request{method: "POST", path: "/qr/v1/exchange" + path, body: body})
}

func TestExchange(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)
	m := newMerchant(t, vippstest.Options{Clock: func() time.Time { return now }})
	personal := m.server.PersonalQR("4798765432")
	token := m.server.CheckIn("", "a")
	m.mustCallback("b")
	m.mustRegister(hook, checkInEvent)
	m.receive(hook)
	scanned, err := m.server.ScanAs("4587654321", m.server.CallbackCodes()[0].Content)
	must(t, err)
	m.server.Advance(time.Minute)
	at := float64(now.Unix())
	msisdn := []string{"MSISDN"}
	for name, test := range map[string]struct {
		got  result
		want fields
	}{
		"personal":         {m.exchange("", fields{"qrCode": personal}), fields{"msisdn": "4798765432", "version": "2.0", "timestamp": at}},
		"requested":        {m.exchange("", fields{"qrCode": personal, "requestedData": msisdn}), fields{"msisdn": "4798765432", "version": "2.0", "timestamp": at}},
		"old":              {m.exchange("", fields{"qrCode": oldPersonalQR}), fields{"msisdn": "4798765432", "version": "1.0"}},
		"customer":         {m.exchange("/customer", fields{"customer": fields{"customerToken": token}, "requestedData": msisdn}), fields{"msisdn": "4712345678", "timestamp": at}},
		"somebody":         {m.exchange("/customer", fields{"customer": fields{"customerToken": scanned.CustomerToken}}), fields{"msisdn": "4587654321", "timestamp": at}},
		"no serial number": {m.send(request{method: "POST", path: "/qr/v1/exchange", body: fields{"qrCode": oldPersonalQR}, header: map[string]string{"Merchant-Serial-Number": ""}}), fields{"msisdn": "4798765432", "version": "1.0"}},
	} {
		if diff := cmp.Diff(test.want, test.got.body); test.got.status != 200 || diff != "" {
			t.Errorf("%s: %d (-want +got)\n%s", name, test.got.status, diff)
		}
	}
	m.server.Advance(15 * time.Minute)
	if a := m.exchange("/customer", fields{"customer": fields{"customerToken": token}}); a.status != 400 {
		t.Errorf("an old token: %d %s", a.status, a.raw)
	}
}

func TestExchangeRefused(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	for name, test := range map[string]struct {
		path         string
		body         any
		field, says  string
		status       int
		header       map[string]string
		withoutTitle bool
	}{
		"no code":         {body: fields{}, field: "qrCode", says: "The complete data contained in the QR code is required."},
		"empty code":      {body: fields{"qrCode": ""}, field: "qrCode", says: "The complete data contained in the QR code is required."},
		"null code":       {body: fields{"qrCode": nil}, field: "qrCode", says: "The complete data contained in the QR code is required."},
		"half a code":     {body: fields{"qrCode": oldPersonalQR[:40]}, field: "qrCode", says: "The QR code is not a personal one."},
		"a number":        {body: fields{"qrCode": 1}, field: "qrCode", says: "The value must be a string."},
		"other data":      {body: fields{"qrCode": oldPersonalQR, "requestedData": []string{"NAME"}}, field: "requestedData[0]", says: "The value must be one of MSISDN."},
		"no customer":     {path: "/customer", body: fields{"requestedData": []string{"MSISDN"}}, field: "customer", says: "Customer object is required."},
		"null customer":   {path: "/customer", body: fields{"customer": nil}, field: "customer", says: "Customer object is required."},
		"no token":        {path: "/customer", body: fields{"customer": fields{}}, field: "customer.customerToken", says: "The customer token is required."},
		"unknown token":   {path: "/customer", body: fields{"customer": fields{"customerToken": "x"}}, field: "customer.customerToken", says: "The customer token is unknown or too old."},
		"no JSON":         {body: "x", field: "body", says: "The body is not valid JSON."},
		"no content type": {body: fields{}, header: map[string]string{"Content-Type": ""}, status: 415},
		"serial number":   {body: fields{}, header: map[string]string{"Merchant-Serial-Number": "654321"}, status: 403},
		"unknown bearer":  {body: fields{}, header: map[string]string{"Authorization": "Bearer x"}, status: 401, withoutTitle: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := m.send(request{method: "POST", path: "/qr/v1/exchange" + test.path, body: test.body, header: test.header})
			if test.status != 0 {
				if a.status != test.status || (a.text("title") == "") != test.withoutTitle || (a.text("detail") == "") != test.withoutTitle {
					t.Errorf("%d %s", a.status, a.raw)
				}
				return
			}
			want := fields{
				"title": "Bad request", "status": 400.0, "detail": "The request body contains one or more invalid parameters.",
				"extraDetails": []any{fields{"name": test.field, "reason": test.says}},
			}
			if diff := cmp.Diff(want, a.body); a.status != 400 || diff != "" {
				t.Errorf("%d (-want +got)\n%s", a.status, diff)
			}
		})
	}
}

// Whoever shows a code or has scanned one is the customer of the payment, with all that is known about them.
func TestCustomersOfCodes(t *testing.T) {
	t.Parallel()
	const young, gone = "4798765432", "4712312312"
	m := newMerchant(t, vippstest.Options{Customers: []vippstest.Customer{
		{PhoneNumber: young, Age: 15}, {PhoneNumber: gone, Unknown: true},
	}})
	m.mustRegister(hook, checkInEvent)
	m.receive(hook)
	content := m.mustCallback("a")
	scan := func(phone string) string {
		scanned, err := m.server.ScanAs(phone, content)
		must(t, err)
		return scanned.CustomerToken
	}
	for name, test := range map[string]struct {
		customer fields
		want     string
	}{
		"personal":   {fields{"personalQr": m.server.PersonalQR("4711111111")}, ""},
		"young":      {fields{"personalQr": m.server.PersonalQR(young)}, "7010"},
		"young, old": {fields{"personalQr": oldPersonalQR}, "7010"},
		"gone":       {fields{"personalQr": m.server.PersonalQR(gone)}, "7010"},
		"scan":       {fields{"customerToken": scan("4711111111")}, ""},
		"young scan": {fields{"customerToken": scan(young)}, "7010"},
	} {
		reference := "reference-" + map[string]string{"personal": "1", "scan": "2"}[name]
		a := m.create(reference, fields{"userFlow": "PUSH_MESSAGE", "minimumUserAge": 18, "customer": test.customer})
		if a.code() != test.want || (a.status == 201) != (test.want == "") {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	m.mustCreate("reference-3", fields{"minimumUserAge": 18, "customer": fields{"customerToken": scan(young)}})
	if err := m.server.Approve("reference-3"); err == nil {
		t.Error("somebody too young has approved")
	}
}
