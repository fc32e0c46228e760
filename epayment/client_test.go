package epayment_test

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/apitest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	base      = "https://apitest.vipps.no"
	payments  = base + "/epayment/v1/payments"
	reference = "acme-shop-123-order123abc"
	payment   = payments + "/" + reference
)

// api is a table of answers that remembers what it was asked.
type api struct{ *apitest.Mock }

func newAPI(t *testing.T) *api {
	t.Helper()
	return &api{apitest.NewMock(t, base)}
}

func (a *api) client(t *testing.T) *epayment.Client {
	t.Helper()
	return newClient(t, a, vipps.Test)
}

func newClient(t testing.TB, transport http.RoundTripper, environment vipps.Environment) *epayment.Client {
	t.Helper()
	client, err := vipps.NewClient(config(transport, environment))
	if err != nil {
		t.Fatal(err)
	}
	return epayment.New(client)
}

func config(transport http.RoundTripper, environment vipps.Environment) vipps.Config {
	return vipps.Config{
		Environment: environment,
		Credentials: vipps.Credentials{
			ClientID: "the-client-id", ClientSecret: "the-client-secret", SubscriptionKey: "the-subscription-key", MerchantSerialNumber: "654321",
		},
		System:     vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient: &http.Client{Transport: transport},
	}
}

func refusal(status int, code string) httpmock.Responder {
	return apitest.Answer(status, fmt.Sprintf(`{"type":"https://httpstatuses.io/%d","title":"No","status":%[1]d,"extraDetails":[{"name":"ErrorCode","reason":%q}],"traceId":"00-abc-def-01"}`, status, code))
}

func TestWire(t *testing.T) {
	t.Parallel()
	nok := func(value int64) vipps.Amount { return vipps.Amount{Value: value, Currency: vipps.NOK} }
	ignore := func(_ any, err error) error { return err }
	for _, test := range []struct {
		name   string
		method string
		url    string
		status int
		answer string
		call   func(*testing.T, *epayment.Client) error
	}{
		{"Create", "POST", payments, 201, "created.json", func(t *testing.T, c *epayment.Client) error {
			return ignore(c.Create(t.Context(), minimal()))
		}},
		{"CreateFull", "POST", payments, 201, "created.json", func(t *testing.T, c *epayment.Client) error {
			return ignore(c.Create(t.Context(), full()))
		}},
		{"Get", "GET", payment, 200, "payment.json", func(t *testing.T, c *epayment.Client) error {
			return ignore(c.Get(t.Context(), reference))
		}},
		{"Events", "GET", payment + "/events", 200, "events.json", func(t *testing.T, c *epayment.Client) error {
			return ignore(c.Events(t.Context(), reference))
		}},
		{"Capture", "POST", payment + "/capture", 200, "captured.json", func(t *testing.T, c *epayment.Client) error {
			return ignore(c.Capture(t.Context(), reference, epayment.CaptureRequest{IdempotencyKey: "key-k1", Amount: nok(250)}))
		}},
		{"Refund", "POST", payment + "/refund", 200, "captured.json", func(t *testing.T, c *epayment.Client) error {
			return ignore(c.Refund(t.Context(), reference, epayment.RefundRequest{IdempotencyKey: "key-r1", Amount: nok(250)}))
		}},
		{"Cancel", "POST", payment + "/cancel", 200, "captured.json", func(t *testing.T, c *epayment.Client) error {
			return ignore(c.Cancel(t.Context(), reference, epayment.CancelRequest{IdempotencyKey: "key-x1"}))
		}},
		{"CancelIfNotAuthorized", "POST", payment + "/cancel", 200, "captured.json", func(t *testing.T, c *epayment.Client) error {
			return ignore(c.CancelIfNotAuthorized(t.Context(), reference, epayment.CancelRequest{IdempotencyKey: "key-x1"}))
		}},
		{"ForceApprove", "POST", base + "/epayment/v1/test/payments/" + reference + "/approve", 200, "", func(t *testing.T, c *epayment.Client) error {
			return c.ForceApprove(t.Context(), reference, epayment.ForceApproveRequest{
				Customer: epayment.Customer{PhoneNumber: "4791234567"}, Token: "the-landing-token",
			})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			body := ""
			if test.answer != "" {
				body = apitest.Testdata(t, test.answer)
			}
			a.RegisterResponder(test.method, test.url, apitest.Answer(test.status, body))
			if err := test.call(t, a.client(t)); err != nil {
				t.Fatal(err)
			}
			requests := a.Requests()
			if len(requests) != 1 {
				t.Fatalf("%d requests", len(requests))
			}
			apitest.Golden(t, *update, test.name+".request", requests[0])
		})
	}
}

func TestCancelTakesAFreshKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.RegisterResponder("POST", payment+"/cancel", apitest.Answer(200, apitest.Testdata(t, "captured.json")))
	client := a.client(t)
	for range 2 {
		if _, err := client.Cancel(t.Context(), reference, epayment.CancelRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	requests := a.Requests()
	first, second := key(requests[0]), key(requests[1])
	if len(first) < 20 || len(first) > 50 || first == second {
		t.Errorf("keys %q and %q", first, second)
	}
}

// key is a request's Idempotency-Key; empty if there is none.
func key(request string) string {
	_, rest, _ := strings.Cut(request, "\nIdempotency-Key: ")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

func TestForceApproveInProduction(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	err := newClient(t, a, vipps.Production).ForceApprove(t.Context(), reference, epayment.ForceApproveRequest{Token: "token"})
	if !errors.Is(err, vipps.ErrNotAvailable) || len(a.Requests()) != 0 || a.GetTotalCallCount() != 0 {
		t.Errorf("%v after %d calls", err, a.GetTotalCallCount())
	}
}
