package ordermanagement_test

import (
	"bytes"
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
	"github.com/vippsvending/vipps/ordermanagement"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	base       = "https://api.vipps.no"
	api        = base + "/order-management"
	orderID    = "acme-shop-123-order123abc"
	receipts   = api + "/v2/ecom/receipts/" + orderID
	categories = api + "/v2/ecom/categories/" + orderID
	order      = api + "/v2/ecom/" + orderID
	links      = api + "/v3/categories"
	linkID     = "337f5e5d-288b-40d5-be14-901cc3acacc0"
	images     = api + "/v1/images"
)

// mock is a table of answers that remembers what it was asked.
type mock struct {
	*httpmock.MockTransport

	mu   sync.Mutex
	sent []string
}

// newMock answers token requests. A request that has no answer fails the test, and so does an answer that nobody asked for.
func newMock(t *testing.T) *mock {
	t.Helper()
	m := &mock{MockTransport: httpmock.NewMockTransport()}
	m.RegisterResponder(http.MethodPost, base+"/accesstoken/get", answer(200, `{"access_token":"the-token","expires_in":"3600"}`))
	m.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		t.Errorf("nobody expects %s %s", r.Method, r.URL)
		return httpmock.NewStringResponse(http.StatusNotImplemented, ""), nil
	})
	t.Cleanup(func() {
		for name, count := range m.GetCallCountInfo() {
			if count == 0 && !strings.Contains(name, "accesstoken") {
				t.Errorf("%s was not asked for", name)
			}
		}
	})
	return m
}

func (m *mock) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/accesstoken/get") {
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
			r.Body.Close()
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		m.mu.Lock()
		m.sent = append(m.sent, wire(r, body))
		m.mu.Unlock()
	}
	return m.MockTransport.RoundTrip(r)
}

// wire is a request as text: method and address, headers that are not the same for every call of everybody, body.
func wire(r *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL.RequestURI())
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Authorization" && name != "User-Agent" {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(r.Header[name], ", "))
		}
	}
	return b.String() + "\n" + string(body) + "\n"
}

func (m *mock) requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sent)
}

func (m *mock) client(t *testing.T) *ordermanagement.Client {
	t.Helper()
	return newClient(t, m)
}

// newClient is a client that sends each request once.
func newClient(t testing.TB, transport http.RoundTripper) *ordermanagement.Client {
	t.Helper()
	return configured(t, vipps.Config{Environment: vipps.Production, HTTPClient: &http.Client{Transport: transport}})
}

func configured(t testing.TB, config vipps.Config) *ordermanagement.Client {
	t.Helper()
	config.Credentials = vipps.Credentials{
		ClientID: "the-client-id", ClientSecret: "the-client-secret", SubscriptionKey: "the-subscription-key", MerchantSerialNumber: "654321",
	}
	config.System = vipps.System{Name: "acme-vend", Version: "1.4.0"}
	client, err := vipps.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return ordermanagement.New(client.SingleAttempt())
}

func answer(status int, body string) httpmock.Responder {
	return httpmock.NewStringResponder(status, body).HeaderSet(http.Header{"Content-Type": {"application/json"}})
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

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(testdata(t, name), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
