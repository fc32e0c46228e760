package qr_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/qr"
)

const (
	callbackID = "27072f82-c4b6-49cd-9838-10f21d87496e"
	landing    = "https://api.vipps.no/dwo-api-application/v1/deeplink/vippsgateway?v=2&token=eyJraWQiO-CANARY"
	personalQR = "https://qr.vipps.no/p/qwjhewqhueheuqwhuqwhe-CANARY"
	token      = "wbA8ceVRKkoYiQAVELHeFCC3Sn5dtNCvvEtVPiOT77j6wx7uR965AG6Q+q0ATP4=CANARY"
)

// TestWire has a golden file for every operation, and the answers of the documentation.
func TestWire(t *testing.T) {
	t.Parallel()
	png := qr.ImageOptions{Format: qr.PNG, Size: 600}
	redirect := &qr.RedirectCode{
		ID: "billboard_1", RedirectURL: "https://example.com/myProduct", ImageURL: "https://qr.vipps.no/generate/qr.png?...", ExpiresIn: 598 * time.Second,
	}
	target := &qr.RedirectCode{
		ID: "billboard_1", RedirectURL: "https://example.com/myProduct", Content: "https://qr.vipps.no/r/abc", ExpiresIn: qr.Never,
	}
	callback := qr.CallbackCode{
		ID: callbackID, MerchantSerialNumber: "12345", LocationDescription: "Kasse 1",
		ImageURL: "https://qr.vipps.no/generate/qr.png?...", Content: "https://qr.vipps.no/...",
	}
	vending := callback
	vending.Category = qr.Vending
	at := time.Date(2021, 10, 12, 8, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name   string
		method string
		url    string
		answer string
		call   func(*testing.T, *qr.Client) (any, error)
		want   any
	}{
		{"CreateRedirect", "POST", redirects, "redirect.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.CreateRedirect(t.Context(), qr.CreateRedirectRequest{ID: "billboard_1", RedirectURL: "https://example.com/myProduct"})
		}, redirect},
		{"CreateRedirectFull", "POST", redirects, "redirect.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.CreateRedirect(t.Context(), qr.CreateRedirectRequest{
				ID: "billboard_1", RedirectURL: "https://example.com/myProduct?a=b&c=d", TTL: 10 * time.Minute, Image: png, WhiteBorder: new(0),
			})
		}, redirect},
		{"GetRedirect", "GET", redirects + "/billboard_1", "redirect-target.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.GetRedirect(t.Context(), "billboard_1", qr.ImageOptions{Format: qr.TargetURL})
		}, target},
		{"ListRedirects", "GET", redirects, "redirects.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.ListRedirects(t.Context(), png)
		}, []qr.RedirectCode{
			{ID: "billboard_1", RedirectURL: "https://example.com/myProduct", ImageURL: "https://qr.vipps.no/generate/qr.png?a", ExpiresIn: qr.Never},
			{ID: "billboard_2", RedirectURL: "https://example.com/other", ImageURL: "https://qr.vipps.no/generate/qr.png?b"},
		}},
		{"UpdateRedirect", "PUT", redirects + "/billboard_1", "redirect.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.UpdateRedirect(t.Context(), "billboard_1", qr.UpdateRedirectRequest{RedirectURL: "https://example.com/new", Image: qr.ImageOptions{Format: qr.SVG}})
		}, redirect},
		{"DeleteRedirect", "DELETE", redirects + "/Skjerm%201+%25%C3%A6", "", func(t *testing.T, c *qr.Client) (any, error) {
			return nil, c.DeleteRedirect(t.Context(), "Skjerm 1+%æ")
		}, nil},
		{"PutCallback", "PUT", callbacks + "/" + callbackID, "", func(t *testing.T, c *qr.Client) (any, error) {
			return nil, c.PutCallback(t.Context(), callbackID, qr.PutCallbackRequest{LocationDescription: "Kasse 1"})
		}, nil},
		{"PutCallbackVending", "PUT", callbacks + "/" + callbackID, "", func(t *testing.T, c *qr.Client) (any, error) {
			return nil, c.PutCallback(t.Context(), callbackID, qr.PutCallbackRequest{LocationDescription: "Spor 3 & <4>", Category: qr.Vending})
		}, nil},
		{"GetCallback", "GET", callbacks + "/" + callbackID + "?QrImageFormat=PNG&QrImageSize=600", "callback.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.GetCallback(t.Context(), callbackID, png)
		}, &callback},
		{"ListCallbacks", "GET", callbacks + "?QrImageFormat=SVG", "callbacks.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.ListCallbacks(t.Context(), qr.ImageOptions{})
		}, []qr.CallbackCode{vending}},
		{"DeleteCallback", "DELETE", callbacks + "/kasse%201", "", func(t *testing.T, c *qr.Client) (any, error) {
			return nil, c.DeleteCallback(t.Context(), "kasse 1")
		}, nil},
		{"PutBeacon", "PUT", callbacks + "/mobilepay/1234567890", "", func(t *testing.T, c *qr.Client) (any, error) {
			return nil, c.PutBeacon(t.Context(), "1234567890", qr.PutBeaconRequest{LocationDescription: "Kasse 1"})
		}, nil},
		{"CreateOneTime", "POST", oneTime, "onetime.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.CreateOneTime(t.Context(), qr.OneTimeRequest{URL: landing, Image: png})
		}, &qr.OneTimeCode{ImageURL: "https://qr.vipps.no/generate/qr.png?token=CANARY", ExpiresIn: 544 * time.Second}},
		{"CreateOneTimeBorder", "POST", oneTime, "onetime.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.CreateOneTime(t.Context(), qr.OneTimeRequest{URL: landing, Image: png, WhiteBorder: new(20)})
		}, &qr.OneTimeCode{ImageURL: "https://qr.vipps.no/generate/qr.png?token=CANARY", ExpiresIn: 544 * time.Second}},
		{"CreateOneTimeTarget", "POST", oneTime, "onetime.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.CreateOneTime(t.Context(), qr.OneTimeRequest{URL: landing, Image: qr.ImageOptions{Format: qr.TargetURL}})
		}, &qr.OneTimeCode{Content: "https://qr.vipps.no/generate/qr.png?token=CANARY", ExpiresIn: 544 * time.Second}},
		{"ExchangePersonalQR", "POST", exchange, "exchange-2.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.ExchangePersonalQR(t.Context(), personalQR)
		}, &qr.Customer{MSISDN: "4798765432", GeneratedAt: at, Version: "2.0"}},
		{"ExchangePersonalQR1", "POST", exchange, "exchange-1.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.ExchangePersonalQR(t.Context(), "https://qr.vipps.no/28/2/01/031/4712345678?v=1")
		}, &qr.Customer{MSISDN: "4798765432", Version: "1.0"}},
		{"ExchangeCustomerToken", "POST", exchange + "/customer", "exchange-customer.json", func(t *testing.T, c *qr.Client) (any, error) {
			return c.ExchangeCustomerToken(t.Context(), token)
		}, &qr.Customer{MSISDN: "4798765432", GeneratedAt: at}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := newMock(t)
			body := ""
			if test.answer != "" {
				body = apitest.Testdata(t, test.answer)
			}
			m.RegisterResponder(test.method, test.url, apitest.Answer(200, body))
			got, err := test.call(t, m.client(t))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			requests := m.Requests()
			if len(requests) != 1 {
				t.Fatalf("%d requests", len(requests))
			}
			apitest.Golden(t, *update, test.name+".request", requests[0])
		})
	}
}

// TestLenient has answers that are not as documented and can be used all the same.
func TestLenient(t *testing.T) {
	t.Parallel()
	const id = "billboard_1"
	for name, test := range map[string]struct {
		body   string
		format qr.Format
		want   qr.RedirectCode
	}{
		"null and missing": {`{"id":null,"url":"u","redirectUrl":null,"expiresIn":null}`, "", qr.RedirectCode{ID: id, ImageURL: "u"}},
		"other case":       {`{"id":"BILLBOARD_1","url":"u"}`, qr.PNG, qr.RedirectCode{ID: "BILLBOARD_1", ImageURL: "u"}},
		"target":           {`{"id":"billboard_1","targetUrl":"t"}`, qr.TargetURL, qr.RedirectCode{ID: id, Content: "t"}},
		"long":             {`{"url":"u","expiresIn":9223372036854775807}`, "", qr.RedirectCode{ID: id, ImageURL: "u", ExpiresIn: 9223372036 * time.Second}},
		"mark":             {"\xef\xbb\xbf" + `{"url":"u","expiresIn":-5}`, "", qr.RedirectCode{ID: id, ImageURL: "u", ExpiresIn: qr.Never}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMock(t)
			m.RegisterResponder("GET", redirects+"/"+id, apitest.Answer(200, test.body))
			got, err := m.client(t).GetRedirect(t.Context(), id, qr.ImageOptions{Format: test.format})
			if diff := cmp.Diff(&test.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	m := newMock(t)
	m.RegisterResponder("GET", callbacks+"/kasse1?QrImageFormat=SVG", apitest.Answer(200, `{"qrContent":"c","category":"NEW"}`))
	got, err := m.client(t).GetCallback(t.Context(), "kasse1", qr.ImageOptions{Format: qr.TargetURL})
	if diff := cmp.Diff(&qr.CallbackCode{ID: "kasse1", Content: "c", Category: "NEW"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	// Integrators have seen 201 as well.
	m.RegisterResponder("PUT", callbacks+"/kasse1", apitest.Answer(201, ""))
	if err := m.client(t).PutCallback(t.Context(), "kasse1", qr.PutCallbackRequest{LocationDescription: "Kasse 1"}); err != nil {
		t.Error(err)
	}
}

// TestDeleteTwice deletes what is not there.
func TestDeleteTwice(t *testing.T) {
	t.Parallel()
	m := newMock(t)
	m.RegisterResponder("DELETE", redirects+"/a", apitest.Answer(404, `{"title":"Not found","detail":"d","instance":"i"}`))
	m.RegisterResponder("DELETE", callbacks+"/a", apitest.Answer(404, ""))
	if err := m.client(t).DeleteRedirect(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if err := m.client(t).DeleteCallback(t.Context(), "a"); err != nil {
		t.Error(err)
	}
}
