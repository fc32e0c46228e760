package contract_test

import (
	"errors"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending/vippstest"
)

var tokenTour = []part{
	{name: "token", visit: visitToken},
	{name: "token refused", visit: visitTokenRefused},
	{name: "token of long serial number", options: vippstest.Options{Merchants: []string{"2060591"}}, visit: visitLongSerialNumber},
	{name: "gateway", visit: visitGateway},
}

func visitToken(s *stop) {
	s.create("contract-0001", nil)
	s.emulator.Advance(2 * time.Hour) // the token is refused, and a new one fetched
	_, err := s.payments.Get(s.t.Context(), "contract-0001")
	s.done(err)
	if n := s.emulator.Count("token", ""); n != 2 {
		s.t.Errorf("%d tokens", n)
	}
}

func visitTokenRefused(s *stop) {
	for name, change := range map[string]func(*vipps.Credentials){
		"client id":        func(c *vipps.Credentials) { c.ClientID = "fb492b5e-7907-4d83-ba20-c7fb60ca35de" },
		"client secret":    func(c *vipps.Credentials) { c.ClientSecret = "Y8Kteew6GE2ZmeycEt6egg==" },
		"subscription key": func(c *vipps.Credentials) { c.SubscriptionKey = "0f14ebcab0ec4b29ae0cb90d91b4a84a" },
		"serial number":    func(c *vipps.Credentials) { c.MerchantSerialNumber = "999999" },
	} {
		s.use(s.newClient(func(c *vipps.Config) { change(&c.Credentials) }))
		if _, err := s.payments.Get(s.t.Context(), "contract-0001"); !errors.Is(err, vipps.ErrUnauthorized) {
			s.t.Errorf("%s: %v", name, err)
		}
	}
	s.use(s.newClient(nil))
	s.emulator.Inject(vippstest.Fault{Op: "token", Kind: vippstest.ErrorBefore, Count: -1})
	_, err := s.payments.Get(s.t.Context(), "contract-0001")
	s.refused(err, http.StatusInternalServerError, "")
}

func visitLongSerialNumber(s *stop) {
	s.use(s.client.ForMerchant("2060591"))
	s.create("contract-0001", nil)
}

// visitGateway gets the answers of what stands in front of the APIs.
func visitGateway(s *stop) {
	ctx := s.t.Context()
	s.create("contract-0001", nil)
	s.done(s.emulator.Approve("contract-0001"))
	for _, status := range []int{401, 403, 404, 429, 500, 502, 503, 504} {
		s.emulator.Inject(vippstest.Fault{Op: "get", Kind: vippstest.Refuse, Status: status, Count: -1})
		_, err := s.payments.Get(ctx, "contract-0001")
		s.refused(err, status, "")
		s.emulator.ClearFaults()
	}
	for _, kind := range []vippstest.FaultKind{vippstest.ErrorBefore, vippstest.ErrorAfter} {
		s.emulator.Inject(vippstest.Fault{Op: "capture", Kind: kind, Count: -1})
		_, err := s.payments.Capture(ctx, "contract-0001", capture("key-"+string(kind), 100))
		s.refused(err, http.StatusInternalServerError, epayment.CodeInternal)
		s.emulator.ClearFaults()
	}
	s.emulator.Inject(vippstest.Fault{Op: "create", Kind: vippstest.Refuse, Status: http.StatusForbidden})
	s.refused(s.tryCreate("contract-0002", nil), http.StatusForbidden, "")
	s.emulator.Inject(vippstest.Fault{Op: "list", Kind: vippstest.Refuse, Status: http.StatusForbidden})
	_, err := s.webhooks.List(ctx)
	s.refused(err, http.StatusForbidden, "")
	for range 6 {
		s.emulator.Advance(time.Second)
		_, err = s.payments.Refund(ctx, "contract-0001", epayment.RefundRequest{IdempotencyKey: "r", Amount: nok(1_000_000)})
	}
	s.refused(err, http.StatusTooManyRequests, "")
}
