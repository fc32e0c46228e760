package webhooks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/webhooks"
)

func TestParse(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	authorized := webhooks.PaymentEvent{
		MSN: "123456", Reference: "acme-shop-123-order123abc", PSPReference: "dd8e0a8e-2b26-40ed-98f1-1d5832fc129f",
		Name: webhooks.NameAuthorized, Amount: vipps.Amount{Value: 49900, Currency: vipps.NOK}, Timestamp: at("2026-01-19T16:26:32.099Z"),
		IdempotencyKey: "7c8b81e7-b08b-46e4-9729-191cb801c132", Success: true,
	}
	checkIn := webhooks.CheckInEvent{
		CustomerToken: checkInToken, MerchantQRID: "d8b7d76d-49aa-48b8-90c6-38779372c163", MSN: "12345", InitiatedAt: at("2023-10-06T10:45:40.3061965Z"),
	}
	for name, test := range map[string]struct {
		body string
		want webhooks.Event // without Raw
	}{
		"payment":             {authorizedBody, &authorized},
		"payment with a mark": {"\xef\xbb\xbf " + authorizedBody + "\n", &authorized},
		"check-in":            {checkInBody, &checkIn},
		"check-in, old name":  {strings.Replace(checkInBody, `"msn"`, `"merchantSerialNumber"`, 1), &checkIn},
		"check-in, no zone":   {strings.Replace(checkInBody, `5Z"`, `5"`, 1), &checkIn},
		"check-in, numbers": {
			`{"customerToken":"t","merchantQrId":17,"msn":12345}`,
			&webhooks.CheckInEvent{CustomerToken: "t", MerchantQRID: "17", MSN: "12345"},
		},
		"everything": {
			`{"msn":"1234567","reference":"a-reference","pspReference":"p","name":"AUTHORIZED","amount":{"currency":"DKK","value":125},
			"timestamp":"2026-01-19T16:26:32.099Z","idempotencyKey":null,"success":true,"sub":"s",
			"captureGuaranteedUntil":"2026-09-01T09:53:44.812+02:00",
			"userDetails":{"email":"e","firstName":"f","lastName":"l","mobileNumber":"m","dateOfBirth":"1988-12-3","addresses":[{"addressLine1":"a","addressLine2":"b","city":"c","country":"NO","postCode":"p"}]},
			"shippingDetails":{"address":{"addressLine1":"x"},"shippingCost":4900,"shippingOptionId":"i","shippingOptionName":"n"}}`,
			&webhooks.PaymentEvent{
				MSN: "1234567", Reference: "a-reference", PSPReference: "p", Name: webhooks.NameAuthorized, Success: true, Sub: "s",
				Amount: vipps.Amount{Value: 125, Currency: vipps.DKK}, Timestamp: at("2026-01-19T16:26:32.099Z"),
				CaptureGuaranteedUntil: at("2026-09-01T07:53:44.812Z"),
				UserDetails: &webhooks.UserDetails{
					Email: "e", FirstName: "f", LastName: "l", MobileNumber: "m", DateOfBirth: "1988-12-3",
					Addresses: []webhooks.Address{{AddressLine1: "a", AddressLine2: "b", City: "c", Country: "NO", PostCode: "p"}},
				},
				ShippingDetails: &webhooks.ShippingDetails{
					Address: webhooks.Address{AddressLine1: "x"}, ShippingCost: 4900, ShippingOptionID: "i", ShippingOptionName: "n",
				},
			},
		},
		"the least":        {`{"reference":"r","name":"N"}`, &webhooks.PaymentEvent{Reference: "r", Name: "N"}},
		"a name of 2030":   {`{"reference":"r","name":"PARTIALLY_TELEPORTED","success":true}`, &webhooks.PaymentEvent{Reference: "r", Name: "PARTIALLY_TELEPORTED", Success: true}},
		"sub in a profile": {`{"reference":"r","name":"N","profile":{"sub":"s"}}`, &webhooks.PaymentEvent{Reference: "r", Name: "N", Sub: "s"}},
		"a failed capture": {`{"reference":"r","name":"CAPTURED","success":false}`, &webhooks.PaymentEvent{Reference: "r", Name: webhooks.NameCaptured}},
		"without success":  {`{"reference":"r","name":"CAPTURED"}`, &webhooks.PaymentEvent{Reference: "r", Name: webhooks.NameCaptured}},
		"numbers for text": {
			`{"msn":123456,"reference":12345678,"pspReference":1234567890123456789,"name":"N","idempotencyKey":7,"success":true}`,
			&webhooks.PaymentEvent{MSN: "123456", Reference: "12345678", PSPReference: "1234567890123456789", Name: "N", IdempotencyKey: "7", Success: true},
		},
		"unexpected forms": {
			`{"reference":"r","name":"N","amount":"much","timestamp":17,"success":"true","userDetails":[],"profile":"p","captureGuaranteedUntil":"soon"}`,
			&webhooks.PaymentEvent{Reference: "r", Name: "N", UserDetails: &webhooks.UserDetails{}},
		},
		"part of an amount": {
			`{"reference":"r","name":"N","amount":{"value":4.5,"currency":"NOK"},"success":true}`,
			&webhooks.PaymentEvent{Reference: "r", Name: "N", Amount: vipps.Amount{Currency: vipps.NOK}, Success: true},
		},
		"nulls":                {`{"reference":null,"name":null,"customerToken":null,"amount":null,"userDetails":null}`, &webhooks.UnknownEvent{}},
		"nothing":              {`{}`, &webhooks.UnknownEvent{}},
		"a recurring event":    {`{"agreementId":"agr_1","chargeId":"chr_1","eventType":"recurring.charge-captured.v1"}`, &webhooks.UnknownEvent{}},
		"a login event":        {`{"auth_req_id":"x"}`, &webhooks.UnknownEvent{}},
		"a token without code": {`{"customerToken":"t"}`, &webhooks.UnknownEvent{}},
		"a reference only":     {`{"reference":"r"}`, &webhooks.UnknownEvent{}},
		"a name in an object":  {`{"reference":"r","name":{"N":1}}`, &webhooks.UnknownEvent{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := webhooks.Parse([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if string(raw(got)) != test.body {
				t.Errorf("Raw is %q", string(raw(got)))
			}
			for _, event := range []webhooks.Event{got} {
				switch e := event.(type) {
				case *webhooks.PaymentEvent:
					e.Raw = ""
				case *webhooks.CheckInEvent:
					e.Raw = ""
				case *webhooks.UnknownEvent:
					e.Raw = ""
				}
			}
			if diff := cmp.Diff(test.want, got, cmp.Transformer("text", func(s vipps.Secret) string { return string(s) })); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func raw(event webhooks.Event) vipps.Secret {
	switch e := event.(type) {
	case *webhooks.PaymentEvent:
		return e.Raw
	case *webhooks.CheckInEvent:
		return e.Raw
	case *webhooks.UnknownEvent:
		return e.Raw
	default:
		return ""
	}
}

func TestParseGarbage(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", " ", "null", "true", "17", `"canary"`, "[]", `[{"reference":"canary"}]`, "{", `{"canary"}`, `{"a":1}{"canary":2}`, "<html>canary", "canary", "\xff",
		strings.Repeat(`{"a":`, 100_000),
	} {
		event, err := webhooks.Parse([]byte(body))
		if err == nil || event != nil {
			t.Errorf("%.20q: %v, %v", body, event, err)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error quotes the body: %v", err)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	parse := func(body string) webhooks.Event {
		event, err := webhooks.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return event
	}
	payment := `{"msn":"1","reference":"r","name":"CAPTURED","pspReference":"p"}`
	seen := map[string]string{}
	for _, body := range []string{ // all different; two captures of one payment differ by their PSP reference alone
		payment, strings.Replace(payment, `"p"`, `"q"`, 1), strings.Replace(payment, `"r"`, `"s"`, 1), strings.Replace(payment, `"1"`, `"2"`, 1),
		strings.Replace(payment, "CAPTURED", "REFUNDED", 1), checkInBody, strings.Replace(checkInBody, checkInToken, "other", 1), `{"a":1}`, `{"a":2}`,
	} {
		key := parse(body).Key()
		if earlier, ok := seen[key]; ok {
			t.Errorf("%s and %s have the same key", earlier, body)
		}
		seen[key] = body
		if parse(body).Key() != key || strings.Contains(key, checkInToken) || len(key) > 200 {
			t.Errorf("key %q", key)
		}
	}
	if got := parse(authorizedBody).Key(); got != "payment/123456/acme-shop-123-order123abc/AUTHORIZED/dd8e0a8e-2b26-40ed-98f1-1d5832fc129f" {
		t.Errorf("key %q", got) // users keep these
	}
	// The same scan under either name of the sales unit is the same event.
	if a, b := parse(checkInBody), parse(strings.Replace(checkInBody, `"msn"`, `"merchantSerialNumber"`, 1)); a.Key() != b.Key() {
		t.Error("the keys of one scan differ")
	}
	if got := parse(`{"customerToken":"t","merchantQrId":"m"}`).Key(); got != "checkin/e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8" {
		t.Errorf("key %q", got)
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	scanned := time.Date(2026, 11, 19, 23, 59, 30, 0, time.UTC)
	for name, test := range map[string]struct {
		initiated, sent time.Time
		want            time.Duration
		known           bool
	}{
		"across midnight": {scanned, scanned.Add(time.Minute), time.Minute, true},
		"a day":           {scanned, scanned.Add(24*time.Hour + time.Second), 24*time.Hour + time.Second, true},
		"whole seconds":   {scanned.Add(300 * time.Millisecond), scanned, -300 * time.Millisecond, true},
		"not delivered":   {scanned, time.Time{}, 0, false},
		"not dated":       {time.Time{}, scanned, 0, false},
	} {
		event := webhooks.CheckInEvent{InitiatedAt: test.initiated, SentAt: test.sent}
		if age, known := event.Age(); age != test.want || known != test.known {
			t.Errorf("%s: %v, %v", name, age, known)
		}
	}
}

func TestPaymentEventsAreAll(t *testing.T) {
	t.Parallel()
	for _, name := range []webhooks.EventName{
		webhooks.NameCreated, webhooks.NameAborted, webhooks.NameExpired, webhooks.NameCancelled,
		webhooks.NameCaptured, webhooks.NameRefunded, webhooks.NameAuthorized, webhooks.NameTerminated,
	} {
		want := webhooks.EventType("epayments.payment." + strings.ToLower(string(name)) + ".v1")
		found := false
		for _, event := range webhooks.PaymentEvents() {
			found = found || event == want
		}
		if !found {
			t.Errorf("%s is missing", want)
		}
	}
}
