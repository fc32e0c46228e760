package contract_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/contract"
	"github.com/vippsvending/vipps/qr"
	"github.com/vippsvending/vipps/vending/vippstest"
)

var qrTour = []part{
	{name: "redirect codes", visit: visitRedirectCodes},
	{name: "callback codes", visit: visitCallbackCodes},
	{name: "callback codes with their category", options: vippstest.Options{Switches: vippstest.Switches{CallbackCategoryShown: true}}, visit: visitCallbackCodes},
	{name: "stickers", visit: visitStickers},
	{name: "one-time codes and customers", visit: visitOneTimeAndCustomers},
	{name: "codes with old tokens", options: vippstest.Options{LongLiving: true}, visit: visitCodesOldToken},
	{name: "refused codes", options: vippstest.Options{Merchants: []string{"654321"}}, visit: visitRefusedCodes},
}

// images are all ways to say what a code is wanted as.
var images = []qr.ImageOptions{
	{}, {Format: qr.SVG}, {Format: qr.PNG}, {Format: qr.PNG, Size: 100}, {Format: qr.PNG, Size: 2000}, {Format: qr.TargetURL},
}

const page = "https://shop.example/m?id=oslo-12&x=%C3%A6#a"

func visitRedirectCodes(s *stop) {
	ctx := s.t.Context()
	for i, image := range images {
		id := strings.Repeat("a", i+1) + "_-+ 100% æøåÆØÅ"
		request := qr.CreateRedirectRequest{ID: id, RedirectURL: page, Image: image}
		if i%2 == 1 {
			request.TTL = 5 * time.Minute
		}
		if image.Format != qr.TargetURL {
			request.WhiteBorder = new(8)
		}
		_, err := s.codes.CreateRedirect(ctx, request)
		s.done(err)
		_, err = s.codes.CreateRedirect(ctx, request)
		s.refused(err, http.StatusConflict, "")
		_, err = s.codes.GetRedirect(ctx, id, image)
		s.done(err)
		_, err = s.codes.ListRedirects(ctx, image)
		s.done(err)
		_, err = s.codes.UpdateRedirect(ctx, id, qr.UpdateRedirectRequest{RedirectURL: "https://shop.example", Image: image})
		s.done(err)
		s.done(s.codes.DeleteRedirect(ctx, id))
		s.done(s.codes.DeleteRedirect(ctx, id)) // 404
		_, err = s.codes.GetRedirect(ctx, id, image)
		s.refused(err, http.StatusNotFound, "")
		_, err = s.codes.UpdateRedirect(ctx, id, qr.UpdateRedirectRequest{RedirectURL: page, Image: image})
		s.refused(err, http.StatusNotFound, "")
	}
}

func visitCallbackCodes(s *stop) {
	ctx := s.t.Context()
	for _, category := range []qr.Category{"", qr.InStore, qr.Vending} {
		s.done(s.codes.PutCallback(ctx, "oslo-12", qr.PutCallbackRequest{LocationDescription: strings.Repeat("æ", 36), Category: category}))
	}
	for _, image := range images {
		_, err := s.codes.GetCallback(ctx, "oslo-12", image)
		s.done(err)
		_, err = s.codes.ListCallbacks(ctx, image)
		s.done(err)
	}
	s.done(s.codes.PutBeacon(ctx, "400700000001", qr.PutBeaconRequest{LocationDescription: "Kasse 1"}))
	s.done(s.codes.DeleteCallback(ctx, "oslo-12"))
	s.done(s.codes.DeleteCallback(ctx, "oslo-12")) // 404
	_, err := s.codes.GetCallback(ctx, "oslo-12", qr.ImageOptions{})
	s.refused(err, http.StatusNotFound, "")
}

// visitStickers keeps a fleet's codes as they should be.
func visitStickers(s *stop) {
	ctx := s.t.Context()
	for _, place := range []string{"Hall A", "Hall A", "Hall B"} {
		callbacks := []qr.CallbackSticker{{ID: "oslo-12", LocationDescription: place, Category: qr.Vending}, {ID: "oslo-13", LocationDescription: place}}
		redirects := []qr.RedirectSticker{{ID: "oslo 12", RedirectURL: "https://shop.example/" + place[5:]}, {ID: "oslo 13", RedirectURL: page}}
		_, err := s.codes.EnsureCallbacks(ctx, callbacks, qr.ImageOptions{})
		s.done(err)
		_, err = s.codes.EnsureCallback(ctx, callbacks[1], qr.ImageOptions{Format: qr.PNG})
		s.done(err)
		_, err = s.codes.EnsureRedirects(ctx, redirects, qr.ImageOptions{})
		s.done(err)
		_, err = s.codes.EnsureRedirect(ctx, redirects[1], qr.ImageOptions{Format: qr.PNG})
		s.done(err)
	}
}

func visitOneTimeAndCustomers(s *stop) {
	ctx := s.t.Context()
	payment, err := s.payments.Create(ctx, request("contract-0001"))
	s.done(err)
	for _, image := range images {
		request := qr.OneTimeRequest{URL: payment.RedirectURL, Image: image}
		_, err = s.codes.CreateOneTime(ctx, request)
		s.done(err)
		if image.Format != qr.TargetURL {
			request.WhiteBorder = new(0)
			_, err = s.codes.CreateOneTime(ctx, request)
			s.done(err)
		}
	}
	_, err = s.codes.CreateOneTime(ctx, qr.OneTimeRequest{URL: "https://api.vipps.no/dwo-api-application/v1/deeplink/vippsgateway?v=2&token=eyJraWQ"})
	s.refused(err, http.StatusBadRequest, "")
	s.done(s.emulator.Abort("contract-0001"))
	_, err = s.codes.CreateOneTime(ctx, qr.OneTimeRequest{URL: payment.RedirectURL})
	s.refused(err, http.StatusBadRequest, "")

	for _, code := range []string{s.emulator.PersonalQR("4712345678"), "https://qr.vipps.no/28/2/01/031/4712345678?v=1"} {
		_, err = s.codes.ExchangePersonalQR(ctx, vipps.Secret(code))
		s.done(err)
	}
	_, err = s.codes.ExchangePersonalQR(ctx, "https://qr.vipps.no/p/abc")
	s.refused(err, http.StatusBadRequest, "")
	token := vipps.Secret(s.emulator.CheckIn("", "oslo-12"))
	_, err = s.codes.ExchangeCustomerToken(ctx, token)
	s.done(err)
	s.emulator.Advance(16 * time.Minute)
	_, err = s.codes.ExchangeCustomerToken(ctx, token)
	s.refused(err, http.StatusBadRequest, "")
	for _, op := range []string{"qr-exchange", "qr-exchange-customer"} {
		s.emulator.Inject(vippstest.Fault{Op: op, Kind: vippstest.ErrorBefore, Count: -1})
	}
	_, err = s.codes.ExchangePersonalQR(ctx, "https://qr.vipps.no/p/abc")
	s.refused(err, http.StatusInternalServerError, "")
	_, err = s.codes.ExchangeCustomerToken(ctx, token)
	s.refused(err, http.StatusInternalServerError, "")
}

// visitCodesOldToken makes each call with a token that has expired: it is refused, and a new one is fetched.
func visitCodesOldToken(s *stop) {
	ctx := s.t.Context()
	long := request("contract-0001")
	s.withExpiry(&long, 24*time.Hour*7)
	payment, err := s.payments.Create(ctx, long)
	s.done(err)
	for _, call := range []func() error{
		func() error {
			_, err := s.codes.CreateRedirect(ctx, qr.CreateRedirectRequest{ID: "oslo-12", RedirectURL: page})
			return err
		},
		func() error { _, err := s.codes.ListRedirects(ctx, qr.ImageOptions{}); return err },
		func() error { _, err := s.codes.GetRedirect(ctx, "oslo-12", qr.ImageOptions{}); return err },
		func() error {
			_, err := s.codes.UpdateRedirect(ctx, "oslo-12", qr.UpdateRedirectRequest{RedirectURL: page})
			return err
		},
		func() error { return s.codes.DeleteRedirect(ctx, "oslo-12") },
		func() error {
			return s.codes.PutCallback(ctx, "oslo-12", qr.PutCallbackRequest{LocationDescription: "Hall B"})
		},
		func() error { _, err := s.codes.ListCallbacks(ctx, qr.ImageOptions{}); return err },
		func() error { _, err := s.codes.GetCallback(ctx, "oslo-12", qr.ImageOptions{}); return err },
		func() error { return s.codes.DeleteCallback(ctx, "oslo-12") },
		func() error {
			return s.codes.PutBeacon(ctx, "400700000001", qr.PutBeaconRequest{LocationDescription: "Hall B"})
		},
		func() error {
			_, err := s.codes.CreateOneTime(ctx, qr.OneTimeRequest{URL: payment.RedirectURL})
			return err
		},
		func() error {
			_, err := s.codes.ExchangePersonalQR(ctx, vipps.Secret(s.emulator.PersonalQR("4712345678")))
			return err
		},
		func() error {
			_, err := s.codes.ExchangeCustomerToken(ctx, vipps.Secret(s.emulator.CheckIn("", "oslo-12")))
			return err
		},
	} {
		s.emulator.Advance(2 * time.Hour)
		s.done(call())
	}
}

func visitRefusedCodes(s *stop) {
	ctx := s.t.Context()
	const id, malformed = "oslo-12", `{"colour":"red"}`
	root := []string{"qr", "v1"}
	redirects, callbacks := append(root, "merchant-redirect"), append(root, "merchant-callback")
	one, callback := append(redirects, id), append(callbacks, id)
	beacon := append(callbacks, "mobilepay", "400700000001")
	_, err := s.codes.CreateRedirect(ctx, qr.CreateRedirectRequest{ID: id, RedirectURL: page})
	s.done(err)
	for _, call := range []struct {
		method string
		path   []string
	}{
		{http.MethodPost, root},
		{http.MethodPost, redirects},
		{http.MethodPut, one},
		{http.MethodPut, callback},
		{http.MethodPut, beacon},
		{http.MethodPost, append(root, "exchange")},
		{http.MethodPost, append(root, "exchange", "customer")},
	} {
		for _, body := range []string{`{`, `[]`, `{}`, malformed} {
			s.refused(s.raw(call.method, []byte(body), "", call.path...), http.StatusBadRequest, "")
		}
	}
	for _, call := range []struct {
		method string
		path   []string
	}{{http.MethodPost, root}, {http.MethodPost, redirects}, {http.MethodPut, one}} {
		s.refused(s.client.Do(contract.Wrong(ctx), vipps.Request{
			Op: "raw", Method: call.method, Path: call.path, Body: []byte("oslo"), Header: http.Header{"Content-Type": {"text/plain"}},
		}, nil), http.StatusUnsupportedMediaType, "")
	}
	for number, status := range map[string]int{"17": http.StatusBadRequest, "999999": http.StatusForbidden} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			s.refused(s.rawFor(number, method, callback...), status, "")
		}
		s.refused(s.rawFor(number, http.MethodGet, callbacks...), status, "")
		s.refused(s.rawFor(number, http.MethodPut, beacon...), status, "")
		s.refused(s.rawFor(number, http.MethodGet, redirects...), status, "")
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			s.refused(s.rawFor(number, method, one...), status, "")
		}
	}

	s.done(s.codes.PutBeacon(ctx, "400700000001", qr.PutBeaconRequest{LocationDescription: "Hall A"}))
	err = qr.New(s.client.ForMerchant("654321")).PutBeacon(ctx, "400700000001", qr.PutBeaconRequest{LocationDescription: "Hall A"})
	s.refused(err, http.StatusConflict, "")
	for op, call := range map[string]func() error{
		"qr-callback-put": func() error {
			return s.codes.PutCallback(ctx, id, qr.PutCallbackRequest{LocationDescription: "Hall A"})
		},
		"qr-callback-get":    func() error { _, err := s.codes.GetCallback(ctx, id, qr.ImageOptions{}); return err },
		"qr-callback-list":   func() error { _, err := s.codes.ListCallbacks(ctx, qr.ImageOptions{}); return err },
		"qr-callback-delete": func() error { return s.codes.DeleteCallback(ctx, id) },
		"qr-beacon": func() error {
			return s.codes.PutBeacon(ctx, "400700000001", qr.PutBeaconRequest{LocationDescription: "Hall A"})
		},
	} {
		s.emulator.Inject(vippstest.Fault{Op: op, Kind: vippstest.ErrorBefore, Count: -1})
		s.refused(call(), http.StatusInternalServerError, "")
	}
}
