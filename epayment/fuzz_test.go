package epayment_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/apitest"
)

// always gives every call the same answer, and a token.
type always string

func (a always) RoundTrip(r *http.Request) (*http.Response, error) {
	body := string(a)
	if strings.HasSuffix(r.URL.Path, "/accesstoken/get") {
		body = `{"access_token":"` + apitest.Token + `","expires_in":"3600"}`
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Date": {"Tue, 01 Sep 2026 07:53:44 GMT"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// saying is a client whose every call is answered with what body points to. It is made once, since fetching a token for every
// input is slow.
func saying(f *testing.F) (client *epayment.Client, body *string) {
	f.Helper()
	body = new(string)
	return newClient(f, saver{body}, vipps.Test), body
}

type saver struct{ body *string }

func (s saver) RoundTrip(r *http.Request) (*http.Response, error) {
	return always(*s.body).RoundTrip(r)
}

func seeds(f *testing.F, name string) {
	f.Helper()
	good := apitest.Testdata(f, name)
	for _, seed := range []string{good, good[:len(good)/2], "", "null", "{}", "[]", "[null]", "<html>", strings.ReplaceAll(good, "1000", "-1"), strings.ReplaceAll(good, `"NOK"`, "null")} {
		f.Add(seed)
	}
}

func wholeAmounts(t *testing.T, state epayment.State, amount vipps.Amount, a epayment.Aggregate) {
	t.Helper()
	if state == "" || amount.Value < 0 || amount.Currency == "" {
		t.Errorf("believed: state %q, amount %v", state, amount)
	}
	for _, sum := range []vipps.Amount{a.Authorized, a.Cancelled, a.Captured, a.Refunded} {
		if sum.Value < 0 || sum.Currency != amount.Currency {
			t.Errorf("believed: aggregate %v", a)
		}
	}
}

func FuzzCreated(f *testing.F) {
	seeds(f, "created.json")
	client, said := saying(f)
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		created, err := client.Create(t.Context(), minimal())
		if (err == nil) != (created != nil) || err == nil && created.Reference != reference {
			t.Errorf("%v, %v", created, err)
		}
	})
}

func FuzzPayment(f *testing.F) {
	seeds(f, "payment.json")
	client, said := saying(f)
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		got, err := client.Get(t.Context(), reference)
		if (err == nil) != (got != nil) || err == nil && got.Reference != reference {
			t.Errorf("%v, %v", got, err)
		}
		if err == nil {
			wholeAmounts(t, got.State, got.Amount, got.Aggregate)
			_ = shown(t, got)
		}
	})
}

func FuzzModification(f *testing.F) {
	seeds(f, "captured.json")
	client, said := saying(f)
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		got, err := client.Cancel(t.Context(), reference, epayment.CancelRequest{})
		if (err == nil) != (got != nil) || err == nil && got.Reference != reference {
			t.Errorf("%v, %v", got, err)
		}
		if err == nil {
			wholeAmounts(t, got.State, got.Amount, got.Aggregate)
		}
	})
}

func FuzzEvents(f *testing.F) {
	seeds(f, "events.json")
	client, said := saying(f)
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		events, err := client.Events(t.Context(), reference)
		if (err == nil) != (events != nil) {
			t.Errorf("%v, %v", events, err)
		}
		for _, event := range events {
			if event.Reference != reference || event.Name == "" || event.Timestamp.IsZero() {
				t.Errorf("believed: %+v", event)
			}
		}
	})
}

// FuzzCreateEncoded looks for stored bodies that break the search for their secrets.
func FuzzCreateEncoded(f *testing.F) {
	body, err := full().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(body))
	f.Add(`{"reference":"` + reference + `","customer":null}`)
	client, said := saying(f)
	f.Fuzz(func(t *testing.T, body string) {
		*said = "{}"
		_, _ = client.CreateEncoded(t.Context(), reference, "k", []byte(body))
	})
}
