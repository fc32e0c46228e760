package webhooks_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/webhooks"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	tokenURL    = "https://apitest.vipps.no/accesstoken/get"
	webhooksURL = "https://apitest.vipps.no/webhooks/v1/webhooks"
	hookURL     = "https://example.com/hooks/vipps"
)

// mock is an API made of responders, and a record of what was asked.
type mock struct {
	*httpmock.MockTransport
	mu       sync.Mutex
	requests []string
}

func newMock(t *testing.T) (*mock, *vipps.Client) {
	t.Helper()
	m := &mock{MockTransport: httpmock.NewMockTransport()}
	m.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		t.Errorf("nobody answers %s %s", r.Method, r.URL)
		return httpmock.NewStringResponse(http.StatusNotImplemented, ""), nil
	})
	m.RegisterResponder(http.MethodPost, tokenURL, apitest.Answer(http.StatusOK, `{"access_token":"canary-token","expires_in":"3600"}`))
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{
			ClientID: "canary-id", ClientSecret: "canary-client-secret", SubscriptionKey: "canary-key", MerchantSerialNumber: "123456",
		},
		System:     vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient: &http.Client{Transport: m},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, client.SingleAttempt()
}

// RoundTrip writes the request down and answers it.
func (m *mock) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if r.URL.String() != tokenURL {
		var b strings.Builder
		fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.ReplaceAll(strings.Join(r.Header[name], ", "), vipps.Version, "VERSION"))
		}
		fmt.Fprintf(&b, "\n%s\n", body)
		m.mu.Lock()
		m.requests = append(m.requests, b.String())
		m.mu.Unlock()
	}
	return m.MockTransport.RoundTrip(r)
}

// calls are how often each responder answered, without the token's.
func (m *mock) calls() map[string]int {
	counts := m.GetCallCountInfo()
	delete(counts, "POST "+tokenURL)
	return counts
}

// plain is a Registration whose secret can be compared and seen.
type plain struct {
	ID, URL, Secret string
	Events          []webhooks.EventType
}

func reveal(registrations ...webhooks.Registration) []plain {
	var all []plain
	for _, r := range registrations {
		all = append(all, plain{r.ID, r.URL, string(r.Secret), r.Events})
	}
	return all
}
