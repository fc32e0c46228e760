package ordermanagement_test

import (
	"flag"
	"net/http"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/apitest"
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
type mock struct{ *apitest.Mock }

func newMock(t *testing.T) *mock {
	t.Helper()
	return &mock{apitest.NewMock(t, base)}
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
