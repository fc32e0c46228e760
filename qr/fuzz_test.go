package qr_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/qr"
)

// saying gives every call the answer that body points to. It is made once, since fetching a token for every input is slow.
func saying(f *testing.F, seeds ...string) (client *qr.Client, body *string) {
	f.Helper()
	for _, name := range seeds {
		good := apitest.Testdata(f, name)
		for _, seed := range []string{good, good[:len(good)/2], strings.ReplaceAll(good, `"`, "")} {
			f.Add(seed)
		}
	}
	for _, seed := range []string{"", "null", "{}", "[]", "[null]", "[[]]", "<html>", `{"id":null}`, `{"url":"u","expiresIn":-9223372036854775808}`} {
		f.Add(seed)
	}
	body = new(string)
	return newClient(f, saver{body}), body
}

type saver struct{ body *string }

func (s saver) RoundTrip(r *http.Request) (*http.Response, error) {
	body := *s.body
	if strings.HasSuffix(r.URL.Path, "/accesstoken/get") {
		body = `{"access_token":"the-token","expires_in":"3600"}`
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func FuzzRedirect(f *testing.F) {
	client, said := saying(f, "redirect.json", "redirect-target.json")
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		for _, format := range []qr.Format{qr.SVG, qr.TargetURL} {
			got, err := client.GetRedirect(t.Context(), "billboard_1", qr.ImageOptions{Format: format})
			if (err == nil) != (got != nil) || err == nil && (!strings.EqualFold(got.ID, "billboard_1") || got.ExpiresIn < qr.Never) {
				t.Errorf("believed: %+v, %v", got, err)
			}
		}
	})
}

func FuzzRedirects(f *testing.F) {
	client, said := saying(f, "redirects.json")
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		if got, err := client.ListRedirects(t.Context(), qr.ImageOptions{}); (err == nil) != (got != nil) {
			t.Errorf("believed: %+v, %v", got, err)
		}
	})
}

func FuzzCallback(f *testing.F) {
	client, said := saying(f, "callback.json")
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		got, err := client.GetCallback(t.Context(), callbackID, qr.ImageOptions{})
		if (err == nil) != (got != nil) || err == nil && !strings.EqualFold(got.ID, callbackID) {
			t.Errorf("believed: %+v, %v", got, err)
		}
	})
}

func FuzzCallbacks(f *testing.F) {
	client, said := saying(f, "callbacks.json")
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		if got, err := client.ListCallbacks(t.Context(), qr.ImageOptions{}); (err == nil) != (got != nil) {
			t.Errorf("believed: %+v, %v", got, err)
		}
	})
}

func FuzzOneTime(f *testing.F) {
	client, said := saying(f, "onetime.json")
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		got, err := client.CreateOneTime(t.Context(), qr.OneTimeRequest{URL: landing})
		if (err == nil) != (got != nil) || err == nil && got.ImageURL == "" {
			t.Errorf("believed: %+v, %v", got, err)
		}
	})
}

func FuzzExchange(f *testing.F) {
	client, said := saying(f, "exchange-1.json", "exchange-2.json", "exchange-customer.json")
	f.Fuzz(func(t *testing.T, body string) {
		*said = body
		got, err := client.ExchangePersonalQR(t.Context(), personalQR)
		if (err == nil) != (got != nil) || err == nil && got.MSISDN == "" {
			t.Errorf("believed: %+v, %v", got, err)
		}
		if _, again := client.ExchangeCustomerToken(t.Context(), token); (again == nil) != (err == nil) {
			t.Errorf("%v, then %v", err, again)
		}
	})
}

// FuzzFetchImage looks for content that is taken for an image and is none.
func FuzzFetchImage(f *testing.F) {
	f.Add("\x89PNG\r\n\x1a\n", "image/png")
	f.Add(`<?xml version="1.0"?><!DOCTYPE svg><!-- c --><svg xmlns="http://www.w3.org/2000/svg"/>`, "image/svg+xml; charset=utf-8")
	f.Add("<html><svg/></html>", "text/html")
	f.Fuzz(func(t *testing.T, body, contentType string) {
		transport := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})
		got, err := qr.FetchImage(t.Context(), "https://qr.vipps.no/x", qr.FetchOptions{HTTPClient: &http.Client{Transport: transport}, MaxBytes: 100})
		if (err == nil) != (got != nil) || err == nil && (len(got.Data) > 100 || !strings.Contains(body, "PNG") && !strings.Contains(body, "svg")) {
			t.Errorf("%v, %v", got, err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }
