package epayment_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	base      = "https://apitest.vipps.no"
	payments  = base + "/epayment/v1/payments"
	reference = "acme-shop-123-order123abc"
	payment   = payments + "/" + reference
)

// sent is a request as the server saw it.
type sent struct {
	method, path string
	header       http.Header
	body         string
}

// api is a table of answers that remembers what it was asked.
type api struct {
	*httpmock.MockTransport

	mu   sync.Mutex
	sent []sent
}

// newAPI answers token requests. A request that has no answer fails the test, and so does an answer that nobody asked for.
func newAPI(t *testing.T) *api {
	t.Helper()
	a := &api{MockTransport: httpmock.NewMockTransport()}
	a.RegisterResponder(http.MethodPost, base+"/accesstoken/get", answer(200, `{"access_token":"the-token","expires_in":"3600"}`))
	a.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		t.Errorf("nobody expects %s %s", r.Method, r.URL)
		return httpmock.NewStringResponse(http.StatusNotImplemented, ""), nil
	})
	t.Cleanup(func() {
		for name, count := range a.GetCallCountInfo() {
			if count == 0 && !strings.Contains(name, "accesstoken") {
				t.Errorf("%s was not asked for", name)
			}
		}
	})
	return a
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/accesstoken/get") {
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
			r.Body.Close()
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		a.mu.Lock()
		a.sent = append(a.sent, sent{r.Method, r.URL.RequestURI(), r.Header.Clone(), string(body)})
		a.mu.Unlock()
	}
	return a.MockTransport.RoundTrip(r)
}

func (a *api) requests() []sent {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.sent)
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

// answer is a body in the type that servers send it in.
func answer(status int, body string) httpmock.Responder {
	response := httpmock.NewStringResponse(status, body)
	response.Header.Set("Content-Type", "application/json")
	if status >= 400 {
		response.Header.Set("Content-Type", "application/problem+json")
	}
	return httpmock.ResponderFromResponse(response)
}

func refusal(status int, code string) httpmock.Responder {
	return answer(status, fmt.Sprintf(`{"type":"https://httpstatuses.io/%d","title":"No","status":%[1]d,"extraDetails":[{"name":"ErrorCode","reason":%q}],"traceId":"00-abc-def-01"}`, status, code))
}

func hangUp(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func testdata(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// wire is a request as text: method and path, headers that are not the same for every call of everybody, body.
func (s sent) wire() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", s.method, s.path)
	for _, name := range slices.Sorted(maps.Keys(s.header)) {
		if name != "Authorization" && name != "User-Agent" {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(s.header[name], ", "))
		}
	}
	return b.String() + "\n" + s.body + "\n"
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(testdata(t, name), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
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
				body = testdata(t, test.answer)
			}
			a.RegisterResponder(test.method, test.url, answer(test.status, body))
			if err := test.call(t, a.client(t)); err != nil {
				t.Fatal(err)
			}
			requests := a.requests()
			if len(requests) != 1 {
				t.Fatalf("%d requests", len(requests))
			}
			golden(t, test.name+".request", requests[0].wire())
		})
	}
}

func TestCancelTakesAFreshKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.RegisterResponder("POST", payment+"/cancel", answer(200, testdata(t, "captured.json")))
	client := a.client(t)
	for range 2 {
		if _, err := client.Cancel(t.Context(), reference, epayment.CancelRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	requests := a.requests()
	first, second := requests[0].header.Get("Idempotency-Key"), requests[1].header.Get("Idempotency-Key")
	if len(first) < 20 || len(first) > 50 || first == second {
		t.Errorf("keys %q and %q", first, second)
	}
}

func TestForceApproveInProduction(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	err := newClient(t, a, vipps.Production).ForceApprove(t.Context(), reference, epayment.ForceApproveRequest{Token: "token"})
	if !errors.Is(err, vipps.ErrNotAvailable) || len(a.requests()) != 0 || a.GetTotalCallCount() != 0 {
		t.Errorf("%v after %d calls", err, a.GetTotalCallCount())
	}
}
