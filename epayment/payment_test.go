package epayment_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/apitest"
)

func nok(value int64) vipps.Amount { return vipps.Amount{Value: value, Currency: vipps.NOK} }

// plain compares secrets by their text, and shows it.
var plain = cmp.Transformer("text", func(s vipps.Secret) string { return string(s) })

func TestGet(t *testing.T) {
	t.Parallel()
	minimal := `{"aggregate":{"authorizedAmount":{"currency":"NOK","value":0},"cancelledAmount":{"currency":"NOK","value":0},
		"capturedAmount":{"currency":"NOK","value":0},"refundedAmount":{"currency":"NOK","value":0}},"amount":{"currency":"NOK","value":1000},
		"state":"CREATED","paymentMethod":{"type":"WALLET"},"profile":{},"pspReference":"1","reference":"` + reference + `"}`
	created := &epayment.Payment{
		Reference: reference, PSPReference: "1", State: epayment.StateCreated, Amount: nok(1000),
		Aggregate:     epayment.Aggregate{Authorized: nok(0), Cancelled: nok(0), Captured: nok(0), Refunded: nok(0)},
		PaymentMethod: epayment.UsedMethod{Type: epayment.Wallet},
	}
	with := func(change func(*epayment.Payment)) *epayment.Payment {
		changed := *created
		change(&changed)
		return &changed
	}
	replaced := func(old, now string) string {
		if !strings.Contains(minimal, old) {
			t.Fatalf("%s is not there to be replaced", old)
		}
		return strings.Replace(minimal, old, now, 1)
	}
	for _, test := range []struct {
		name string
		body string
		want *epayment.Payment // nil is an error
	}{
		{"minimal", minimal, created},
		{"full", apitest.Testdata(t, "payment.json"), &epayment.Payment{
			Reference: reference, PSPReference: "37c34d8c-2649-448e-864b-060d5d93e4c4", State: epayment.StateAuthorized, Amount: nok(1000),
			Aggregate:     epayment.Aggregate{Authorized: nok(1000), Cancelled: nok(750), Captured: nok(250), Refunded: nok(100)},
			PaymentMethod: epayment.UsedMethod{Type: epayment.Wallet, CardBIN: "540185"},
			Profile:       epayment.Profile{Sub: "c06c4afe-d9e1-4c5d-939a-177d752a0944"},
			RedirectURL:   "https://landing.vipps.no?token=abc123",
			Metadata:      map[string]string{"vending-nonce": "n"},
			ShippingDetails: epayment.ShippingDetails{
				Address:      epayment.Address{AddressLine1: "Robert Levins gate 5", AddressLine2: "Att: Rune Garborg", City: "Oslo", Country: "NO", PostCode: "0154"},
				ShippingCost: 9900, ShippingOptionID: "posten-servicepakke-1", ShippingOptionName: "A-post",
			},
			UserDetails: epayment.UserDetails{
				Email: "user@example.com", FirstName: "Ada", LastName: "Lovelace", MobileNumber: "4798765432", DateOfBirth: "1988-12-3",
				Addresses: []epayment.Address{{AddressLine1: "Robert Levins gate 5", City: "Oslo", Country: "NO", PostCode: "0154"}},
			},
			CaptureGuaranteedUntil: time.Date(2026, 9, 1, 7, 53, 44, 812e6, time.UTC),
		}},
		{"byte order mark", "\xef\xbb\xbf" + minimal, created},
		{"unknown fields", replaced(`"profile":{}`, `"profile":{"new":1},"receipt":{"a":[1]},"new":[{}]`), created},
		{"unknown words", replaced(`"CREATED","paymentMethod":{"type":"WALLET"}`, `"POSTPONED","paymentMethod":{"type":"BARTER"}`), with(func(p *epayment.Payment) {
			p.State, p.PaymentMethod.Type = "POSTPONED", "BARTER"
		})},
		{"null", replaced(`"profile":{}`, `"profile":null,"redirectUrl":null,"metadata":null,"shippingDetails":null,"userDetails":null,"captureGuaranteedUntil":null`), created},
		{"optional fields missing", replaced(`"paymentMethod":{"type":"WALLET"},"profile":{},"pspReference":"1",`, ``), with(func(p *epayment.Payment) {
			p.PSPReference, p.PaymentMethod = "", epayment.UsedMethod{}
		})},
		{"another reference", replaced(reference, "another-reference"), nil},
		{"reference in other letters", replaced(reference, strings.ToUpper(reference)), nil},
		{"no reference", replaced(`,"reference":"`+reference+`"`, ``), nil},
		{"no state", replaced(`"state":"CREATED",`, ``), nil},
		{"state null", replaced(`"CREATED"`, `null`), nil},
		{"state empty", replaced(`"CREATED"`, `""`), nil},
		{"state is a number", replaced(`"CREATED"`, `1`), nil},
		{"reference is a number", replaced(`"`+reference+`"`, `12345678`), nil},
		{"no amount", replaced(`"amount":{"currency":"NOK","value":1000},`, ``), nil},
		{"amount without value", replaced(`"value":1000`, `"worth":1000`), nil},
		{"amount null", replaced(`"value":1000`, `"value":null`), nil},
		{"amount without currency", replaced(`{"currency":"NOK","value":1000}`, `{"value":1000}`), nil},
		{"amount as text", replaced(`"value":1000`, `"value":"1000"`), nil},
		{"amount with a fraction", replaced(`"value":1000`, `"value":1000.5`), nil},
		{"no aggregate", replaced(`"aggregate"`, `"sums"`), nil},
		{"aggregate null", `{"aggregate":null,` + minimal[strings.Index(minimal, `"amount"`):], nil},
		{"no captured amount", replaced(`"capturedAmount"`, `"takenAmount"`), nil},
		{"captured amount null", replaced(`"capturedAmount":{"currency":"NOK","value":0}`, `"capturedAmount":null`), nil},
		{"captured amount without value", replaced(`"capturedAmount":{"currency":"NOK","value":0}`, `"capturedAmount":{"currency":"NOK"}`), nil},
		{"captured amount negative", replaced(`"capturedAmount":{"currency":"NOK","value":0}`, `"capturedAmount":{"currency":"NOK","value":-5}`), nil},
		{"captured amount in another currency", replaced(`"capturedAmount":{"currency":"NOK"`, `"capturedAmount":{"currency":"DKK"`), nil},
		{"list", "[" + minimal + "]", nil},
		{"half", minimal[:200], nil},
		{"empty", "", nil},
		{"page", "<html>log in to the network</html>", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.RegisterResponder("GET", payment, apitest.Answer(200, test.body))
			got, err := a.client(t).Get(t.Context(), reference)
			if (err != nil) != (test.want == nil) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(test.want, got, plain); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if failed, ok := errors.AsType[*vipps.Error](err); err != nil && (!ok || failed.Status != 200 || failed.OutcomeUnknown) {
				t.Errorf("%#v", err)
			}
		})
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want []epayment.Event // nil is an error
	}{
		{"sample", apitest.Testdata(t, "events.json"), []epayment.Event{
			{
				Reference: reference, PSPReference: "37c34d8c-2649-448e-864b-060d5d93e4c4", Name: epayment.EventCreated, Amount: nok(1000),
				Timestamp: time.Date(2023, 3, 27, 10, 51, 44, 533325800, time.UTC), IdempotencyKey: "key-c", Success: true,
			},
			{
				Reference: reference, PSPReference: "1304787731", Name: epayment.EventAuthorized, Amount: nok(1000),
				Timestamp: time.Date(2023, 3, 27, 10, 52, 0, 0, time.UTC), IdempotencyKey: "key-c",
			},
			{
				Reference: reference, PSPReference: "1304787732", Name: epayment.EventCancelled, Amount: nok(750),
				Timestamp: time.Date(2023, 3, 27, 8, 53, 0, 1e8, time.UTC), Success: true,
			},
		}},
		{"none", `[]`, []epayment.Event{}},
		{"unknown word", `[{"reference":"` + reference + `","name":"FROZEN","amount":{"currency":"NOK","value":1},"timestamp":"2023-03-27T10:53:00Z"}]`, []epayment.Event{
			{Reference: reference, Name: "FROZEN", Amount: nok(1), Timestamp: time.Date(2023, 3, 27, 10, 53, 0, 0, time.UTC)},
		}},
		{"object", `{"events":[]}`, nil},
		{"null", `null`, nil},
		{"another reference", `[{"reference":"another-reference","name":"CREATED","amount":{"currency":"NOK","value":1},"timestamp":"2023-03-27T10:53:00Z"}]`, nil},
		{"no name", `[{"reference":"` + reference + `","amount":{"currency":"NOK","value":1},"timestamp":"2023-03-27T10:53:00Z"}]`, nil},
		{"no time", `[{"reference":"` + reference + `","name":"CREATED","amount":{"currency":"NOK","value":1}}]`, nil},
		{"no amount", `[{"reference":"` + reference + `","name":"CREATED","timestamp":"2023-03-27T10:53:00Z"}]`, nil},
		{"null in it", `[null]`, nil},
		{"key is a number", `[{"reference":"` + reference + `","name":"CREATED","amount":{"currency":"NOK","value":1},"timestamp":"2023-03-27T10:53:00Z","idempotencyKey":1}]`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.RegisterResponder("GET", payment+"/events", apitest.Answer(200, test.body))
			got, err := a.client(t).Events(t.Context(), reference)
			if (err != nil) != (test.want == nil) {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAtRest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		state                                     epayment.State
		authorized, cancelled, captured, refunded int64
		want                                      bool
	}{
		{epayment.StateCreated, 0, 0, 0, 0, false},
		{epayment.StateAborted, 0, 0, 0, 0, true},
		{epayment.StateExpired, 0, 0, 0, 0, true},
		{epayment.StateTerminated, 0, 1000, 0, 0, true},
		{epayment.StateTerminated, 0, 0, 0, 0, true},
		{epayment.StateTerminated, 0, 0, 1, 0, false},
		{epayment.StateAborted, 1000, 0, 1000, 0, false},
		{epayment.StateExpired, 1000, 0, 1, 0, false},
		{epayment.StateAuthorized, 1000, 0, 0, 0, false},
		{epayment.StateAuthorized, 1000, 1000, 0, 0, true},
		{epayment.StateAuthorized, 1000, 0, 1000, 0, true},
		{epayment.StateAuthorized, 1000, 0, 250, 0, false},
		{epayment.StateAuthorized, 1000, 750, 250, 0, true},
		{epayment.StateAuthorized, 1000, 750, 249, 0, false},
		{epayment.StateAuthorized, 1000, 750, 250, 250, true},
		{epayment.StateAuthorized, 1000, 0, 500, 500, false},
		{"POSTPONED", 0, 0, 0, 0, false},
		{"", 0, 0, 0, 0, false},
	} {
		p := epayment.Payment{State: test.state, Aggregate: epayment.Aggregate{
			Authorized: nok(test.authorized), Cancelled: nok(test.cancelled), Captured: nok(test.captured), Refunded: nok(test.refunded),
		}}
		if p.AtRest() != test.want {
			t.Errorf("%+v: at rest %t", test, p.AtRest())
		}
	}
}

func TestFinal(t *testing.T) {
	t.Parallel()
	for state, want := range map[epayment.State]bool{
		epayment.StateCreated: false, epayment.StateAuthorized: true, epayment.StateAborted: true, epayment.StateExpired: true,
		epayment.StateTerminated: true, "POSTPONED": false, "": false,
	} {
		if state.Final() != want {
			t.Errorf("%s: final %t", state, state.Final())
		}
	}
}
