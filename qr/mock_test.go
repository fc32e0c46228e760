package qr_test

import (
	"flag"
	"net/http"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/qr"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	base      = "https://apitest.vipps.no"
	redirects = base + "/qr/v1/merchant-redirect"
	callbacks = base + "/qr/v1/merchant-callback"
	exchange  = base + "/qr/v1/exchange"
	oneTime   = base + "/qr/v1"
)

// mock is a table of answers that remembers what it was asked.
type mock struct{ *apitest.Mock }

func newMock(t *testing.T) *mock {
	t.Helper()
	return &mock{apitest.NewMock(t, base)}
}

func (m *mock) client(t *testing.T) *qr.Client {
	t.Helper()
	return newClient(t, m)
}

// newClient is a client that sends each request once.
func newClient(t testing.TB, transport http.RoundTripper) *qr.Client {
	t.Helper()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{
			ClientID: "the-client-id", ClientSecret: "the-client-secret", SubscriptionKey: "the-subscription-key", MerchantSerialNumber: "654321",
		},
		System:     vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient: &http.Client{Transport: transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	return qr.New(client.SingleAttempt())
}
