package contract_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

const hook = "https://shop.example/hooks/vipps?env=test"

var webhooksTour = []part{
	{name: "registrations", visit: visitRegistrations},
	{name: "partner's registrations", options: vippstest.Options{Merchants: []string{"654321"}}, visit: visitPartner},
	{name: "refused registrations", visit: visitRefusedRegistrations},
	{name: "deliveries", options: vippstest.Options{Switches: vippstest.Switches{FailedAuthorizedEvents: true}}, visit: visitDeliveries},
}

func visitRegistrations(s *stop) {
	ctx := s.t.Context()
	if _, err := s.webhooks.List(ctx); err != nil {
		s.t.Error(err)
	}
	made, err := s.webhooks.Register(ctx, webhooks.RegisterRequest{URL: hook, Events: webhooks.PaymentEvents()})
	s.done(err)
	result, err := s.webhooks.Ensure(ctx, webhooks.EnsureRequest{
		URL: "https://shop.example/hooks/other", Events: append(webhooks.PaymentEvents(), webhooks.UserCheckedIn, webhooks.ChargeCaptured),
	})
	s.done(err)
	_, err = s.webhooks.Ensure(ctx, webhooks.EnsureRequest{
		URL: "https://shop.example/hooks/moved", Events: append(webhooks.PaymentEvents(), webhooks.UserCheckedIn), Known: result.Own,
	})
	s.done(err)
	if _, err := s.webhooks.List(ctx); err != nil {
		s.t.Error(err)
	}
	s.done(s.webhooks.Delete(ctx, made.ID))
	s.done(s.webhooks.Delete(ctx, made.ID)) // 404
}

func visitPartner(s *stop) {
	s.use(s.client.ForMerchant("654321"))
	made, err := s.webhooks.Register(s.t.Context(), webhooks.RegisterRequest{URL: hook, Events: []webhooks.EventType{webhooks.PaymentCaptured}})
	s.done(err)
	s.done(s.webhooks.Delete(s.t.Context(), made.ID))
}

func visitRefusedRegistrations(s *stop) {
	ctx, path := s.t.Context(), []string{"webhooks", "v1", "webhooks"}
	for _, body := range []any{
		[]byte(`{`),
		map[string]any{},
		map[string]any{"url": nil, "events": nil},
		map[string]any{"url": "ftp://shop.example", "events": []string{"epayments.payment.captured.v1"}},
		map[string]any{"url": hook, "events": []string{}},
		map[string]any{"url": hook, "events": []string{"epayments.payment.captured.v1"}, "colour": "red"},
	} {
		s.refused(s.raw(http.MethodPost, body, "", path...), http.StatusBadRequest, "")
	}
	_, err := s.webhooks.Register(ctx, webhooks.RegisterRequest{URL: hook, Events: []webhooks.EventType{"epayments.payment.sneezed.v1"}})
	s.refused(err, http.StatusBadRequest, "")
	for range 2 {
		_, err = s.webhooks.Register(ctx, webhooks.RegisterRequest{URL: hook, Events: []webhooks.EventType{webhooks.UserCheckedIn}})
	}
	s.refused(err, http.StatusBadRequest, "")
	s.refused(s.raw(http.MethodDelete, nil, "", append(path, "17")...), http.StatusBadRequest, "")
	s.emulator.Inject(vippstest.Fault{Op: "list", Kind: vippstest.Refuse, Status: http.StatusBadRequest, Title: "Bad Request"})
	_, err = s.webhooks.List(ctx)
	s.refused(err, http.StatusBadRequest, "")
	for number, status := range map[string]int{"17": http.StatusBadRequest, "999999": http.StatusForbidden} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			s.refused(s.rawFor(number, method, path...), status, "")
		}
	}
}

// listen holds the deliveries to a webhook to the document, and hands them on.
func (s *stop) listen(address string, next http.Handler) {
	s.emulator.HandleWebhooks(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			s.t.Error(err)
		}
		for _, f := range s.checker.CheckDelivery(body) {
			s.t.Errorf("%s", f)
		}
		if next != nil {
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		}
	}))
}

func visitDeliveries(s *stop) {
	ctx := s.t.Context()
	_, err := s.webhooks.Register(ctx, webhooks.RegisterRequest{URL: hook, Events: webhooks.PaymentEvents()})
	s.done(err)
	s.listen(hook, nil)
	for i := range 4 {
		s.create(fmt.Sprintf("contract-%04d", i), func(r *epayment.CreateRequest) {
			r.Profile.Scope = "name address email phoneNumber birthDate"
			r.Shipping.FixedOptions = []epayment.ShippingGroup{{
				Type: epayment.Mailbox, Brand: epayment.Posten, Options: []epayment.ShippingOption{{ID: "a", Name: "A-post", Amount: nok(9900)}},
			}}
		})
	}
	s.done(s.emulator.Approve("contract-0000"))
	_, err = s.payments.Capture(ctx, "contract-0000", capture("c", 1000))
	s.done(err)
	_, err = s.payments.Refund(ctx, "contract-0000", refund("r", 1000))
	s.done(err)
	_, err = s.payments.Cancel(ctx, "contract-0000", epayment.CancelRequest{})
	s.done(err)
	s.done(s.emulator.Abort("contract-0001"))
	_, err = s.payments.Cancel(ctx, "contract-0002", epayment.CancelRequest{})
	s.done(err)
	s.create("contract-declined", func(r *epayment.CreateRequest) { r.Amount = nok(182) })
	if s.emulator.Approve("contract-declined") == nil {
		s.t.Error("the card was not declined")
	}
	s.create("contract-portal", func(r *epayment.CreateRequest) { r.Amount = vipps.Amount{Value: 100, Currency: vipps.NOK} })
	s.done(s.emulator.Approve("contract-portal"))
	s.done(s.emulator.PortalCancel("contract-portal"))
	s.emulator.Advance(11 * time.Minute)
	s.emulator.Settle()
}
