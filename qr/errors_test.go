package qr_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/qr"
)

// calls are all operations, with the method and address they go to.
var calls = []struct {
	name, method, url string
	changes           bool
	call              func(context.Context, *qr.Client) error
}{
	{"CreateRedirect", "POST", redirects, true, func(ctx context.Context, c *qr.Client) error {
		_, err := c.CreateRedirect(ctx, qr.CreateRedirectRequest{ID: "a", RedirectURL: "https://example.com"})
		return err
	}},
	{"GetRedirect", "GET", redirects + "/a", false, func(ctx context.Context, c *qr.Client) error {
		_, err := c.GetRedirect(ctx, "a", qr.ImageOptions{})
		return err
	}},
	{"ListRedirects", "GET", redirects, false, func(ctx context.Context, c *qr.Client) error {
		_, err := c.ListRedirects(ctx, qr.ImageOptions{})
		return err
	}},
	{"UpdateRedirect", "PUT", redirects + "/a", true, func(ctx context.Context, c *qr.Client) error {
		_, err := c.UpdateRedirect(ctx, "a", qr.UpdateRedirectRequest{RedirectURL: "https://example.com"})
		return err
	}},
	{"DeleteRedirect", "DELETE", redirects + "/a", true, func(ctx context.Context, c *qr.Client) error {
		return c.DeleteRedirect(ctx, "a")
	}},
	{"PutCallback", "PUT", callbacks + "/a", true, func(ctx context.Context, c *qr.Client) error {
		return c.PutCallback(ctx, "a", qr.PutCallbackRequest{LocationDescription: "x"})
	}},
	{"GetCallback", "GET", callbacks + "/a?QrImageFormat=SVG", false, func(ctx context.Context, c *qr.Client) error {
		_, err := c.GetCallback(ctx, "a", qr.ImageOptions{})
		return err
	}},
	{"ListCallbacks", "GET", callbacks + "?QrImageFormat=SVG", false, func(ctx context.Context, c *qr.Client) error {
		_, err := c.ListCallbacks(ctx, qr.ImageOptions{})
		return err
	}},
	{"DeleteCallback", "DELETE", callbacks + "/a", true, func(ctx context.Context, c *qr.Client) error {
		return c.DeleteCallback(ctx, "a")
	}},
	{"PutBeacon", "PUT", callbacks + "/mobilepay/a", true, func(ctx context.Context, c *qr.Client) error {
		return c.PutBeacon(ctx, "a", qr.PutBeaconRequest{LocationDescription: "x"})
	}},
	{"CreateOneTime", "POST", oneTime, true, func(ctx context.Context, c *qr.Client) error {
		_, err := c.CreateOneTime(ctx, qr.OneTimeRequest{URL: landing})
		return err
	}},
	{"ExchangePersonalQR", "POST", exchange, true, func(ctx context.Context, c *qr.Client) error {
		_, err := c.ExchangePersonalQR(ctx, personalQR)
		return err
	}},
	{"ExchangeCustomerToken", "POST", exchange + "/customer", true, func(ctx context.Context, c *qr.Client) error {
		_, err := c.ExchangeCustomerToken(ctx, token)
		return err
	}},
}

const (
	invalidParams = `{"type":"https://datatracker.ietf.org/doc/html/rfc7231#section-6.5.1","title":"One or more validation errors occurred.","detail":"BadRequest","instance":"00-616e415f5af7584eb4d9369d0fe8d7cc-48b90041faff204c-00","invalidParams":[{"name":"RedirectUrl","reason":"The field RedirectUrl must match the regular expression '^https://[\\w\\.]+([\\w#!:.?+=&%@\\-/]+)?$'."}]}`
	timeout       = `{"title":"Order timeout","detail":"Payment has already timed out","instance":"3cff3564-4a14-4481-8dbb-431087753eed"}`
	badExchange   = `{"title":"Bad request","status":400,"detail":"The request body contains one or more invalid parameters.","extraDetails":[{"name":"qrCode","reason":"The complete data contained in the QR code is required."}]}`
	gateway       = `{"statusCode":401,"message":"Access denied due to invalid subscription key."}`
)

// TestErrors has every shape of error that the API answers with, for every operation.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   error
		text   string
		trace  string
	}{
		{"parameters", 400, invalidParams, nil, "400 One or more validation errors occurred.; RedirectUrl: The field", "00-616e415f5af7584eb4d9369d0fe8d7cc-48b90041faff204c-00"},
		{"timeout", 400, timeout, nil, "400 Order timeout", "3cff3564-4a14-4481-8dbb-431087753eed"},
		{"exchange", 400, badExchange, nil, "400 Bad request; qrCode: The complete data", ""},
		{"empty 401", 401, "", vipps.ErrUnauthorized, "401 Unauthorized", ""},
		{"gateway", 401, gateway, vipps.ErrUnauthorized, "401 Access denied", ""},
		{"forbidden", 403, "", vipps.ErrUnauthorized, "403 Forbidden", ""},
		{"taken", 409, `{"id":"billboard_1"}`, vipps.ErrConflict, "409 id is taken; id: billboard_1", ""},
		{"media type", 415, "", nil, "415 Unsupported Media Type", ""},
		{"rate", 429, `{"statusCode":429,"message":"Rate limit is exceeded. Try again in 20 seconds."}`, vipps.ErrRateLimited, "429 Rate limit", ""},
	} {
		for _, call := range calls {
			t.Run(test.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				m := newMock(t)
				m.RegisterResponder(call.method, call.url, apitest.Answer(test.status, test.body))
				err := call.call(t.Context(), m.client(t))
				failed, ok := errors.AsType[*vipps.Error](err)
				if !ok || failed.Op != "qr."+call.name || failed.Status != test.status || failed.TraceID != test.trace {
					t.Fatalf("%v", err)
				}
				if !strings.Contains(err.Error(), test.text) || test.want != nil && !errors.Is(err, test.want) || errors.Is(err, vipps.ErrOutcomeUnknown) {
					t.Errorf("%v", err)
				}
			})
		}
	}
	for _, call := range calls {
		if call.method == "DELETE" {
			continue // TestDeleteTwice
		}
		m := newMock(t)
		m.RegisterResponder(call.method, call.url, apitest.Answer(404, ""))
		if err := call.call(t.Context(), m.client(t)); !errors.Is(err, vipps.ErrNotFound) {
			t.Errorf("%s: %v", call.name, err)
		}
	}
}

// TestOutcomeUnknown loses the answers of all calls.
func TestOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for _, call := range calls {
		bodiless := slices.Contains([]string{"PUT " + callbacks + "/a", "PUT " + callbacks + "/mobilepay/a"}, call.method+" "+call.url) || call.method == "DELETE"
		for name, test := range map[string]struct {
			responder httpmock.Responder
			unknown   bool
			read      bool // the answer is one of success that has to be read
		}{
			"connection lost": {apitest.HangUp, true, false},
			"failed":          {apitest.Answer(500, ""), true, false},
			"bad gateway":     {apitest.Answer(502, "<html>"), true, false},
			"page":            {apitest.Answer(200, "<html>"), true, false},
			"half":            {apitest.Answer(200, `{"id":"a","url":`), true, true},
			"empty":           {apitest.Answer(200, ``), true, true},
			"no fields":       {apitest.Answer(200, `{}`), true, true},
			"null":            {apitest.Answer(200, `null`), true, true},
			"other types":     {apitest.Answer(200, `{"id":{},"url":1,"msisdn":[],"merchantQrId":1}`), true, true},
			"refused":         {apitest.Answer(400, timeout), false, false},
		} {
			if test.read && bodiless {
				continue // these calls read nothing
			}
			t.Run(call.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				m := newMock(t)
				m.RegisterResponder(call.method, call.url, test.responder)
				err := call.call(t.Context(), m.client(t))
				if err == nil || errors.Is(err, vipps.ErrOutcomeUnknown) != (test.unknown && call.changes) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// TestOtherCode has answers about codes that nobody asked for.
func TestOtherCode(t *testing.T) {
	t.Parallel()
	for _, call := range calls {
		if !slices.Contains([]string{"CreateRedirect", "GetRedirect", "UpdateRedirect", "GetCallback"}, call.name) {
			continue
		}
		m := newMock(t)
		m.RegisterResponder(call.method, call.url, apitest.Answer(200, `{"id":"b","merchantQrId":"b","url":"u"}`))
		if err := call.call(t.Context(), m.client(t)); err == nil || errors.Is(err, vipps.ErrOutcomeUnknown) != call.changes {
			t.Errorf("%s: %v", call.name, err)
		}
	}
}

// TestValidation sends nothing.
func TestValidation(t *testing.T) {
	t.Parallel()
	redirect := func(change func(*qr.CreateRedirectRequest)) func(context.Context, *qr.Client) error {
		return func(ctx context.Context, c *qr.Client) error {
			request := qr.CreateRedirectRequest{ID: "a", RedirectURL: "https://example.com"}
			change(&request)
			_, err := c.CreateRedirect(ctx, request)
			return err
		}
	}
	address := func(value string) func(context.Context, *qr.Client) error {
		return redirect(func(r *qr.CreateRedirectRequest) { r.RedirectURL = value })
	}
	id := func(value string) func(context.Context, *qr.Client) error {
		return redirect(func(r *qr.CreateRedirectRequest) { r.ID = value })
	}
	image := func(o qr.ImageOptions) func(context.Context, *qr.Client) error {
		return redirect(func(r *qr.CreateRedirectRequest) { r.Image = o })
	}
	ttl := func(d time.Duration) func(context.Context, *qr.Client) error {
		return redirect(func(r *qr.CreateRedirectRequest) { r.TTL = d })
	}
	put := func(id, location string) func(context.Context, *qr.Client) error {
		return func(ctx context.Context, c *qr.Client) error {
			return c.PutCallback(ctx, id, qr.PutCallbackRequest{LocationDescription: location})
		}
	}
	long := strings.Repeat("æ", 37)
	for name, test := range map[string]struct {
		call   func(context.Context, *qr.Client) error
		fields []string
	}{
		"no id":            {id(""), []string{"ID: "}},
		"slash":            {id("a/b"), []string{"ID: "}},
		"dots":             {id(".."), []string{"ID: "}},
		"long id":          {id(strings.Repeat("ø", 129)), []string{"ID: "}},
		"http":             {address("http://example.com"), []string{"RedirectURL: "}},
		"no address":       {address(""), []string{"RedirectURL: "}},
		"tilde":            {address("https://example.com/~me"), []string{"RedirectURL: "}},
		"comma":            {address("https://example.com/a,b"), []string{"RedirectURL: "}},
		"line end":         {address("https://example.com/a\n"), []string{"RedirectURL: "}},
		"no host":          {address("https://"), []string{"RedirectURL: "}},
		"both":             {redirect(func(r *qr.CreateRedirectRequest) { r.ID, r.RedirectURL = "", "" }), []string{"ID: ", "RedirectURL: "}},
		"short ttl":        {ttl(299 * time.Second), []string{"TTL: "}},
		"long ttl":         {ttl(1 << 31 * time.Second), []string{"TTL: "}},
		"broken ttl":       {ttl(300*time.Second + 1), []string{"TTL: "}},
		"negative ttl":     {ttl(-1), []string{"TTL: "}},
		"format":           {image(qr.ImageOptions{Format: "GIF"}), []string{"ImageOptions.Format: "}},
		"small":            {image(qr.ImageOptions{Format: qr.PNG, Size: 99}), []string{"ImageOptions.Size: "}},
		"large":            {image(qr.ImageOptions{Format: qr.PNG, Size: 2001}), []string{"ImageOptions.Size: "}},
		"sized SVG":        {image(qr.ImageOptions{Size: 600}), []string{"ImageOptions.Size: "}},
		"wide border":      {redirect(func(r *qr.CreateRedirectRequest) { r.WhiteBorder = new(101) }), []string{"WhiteBorder: "}},
		"border of a text": {redirect(func(r *qr.CreateRedirectRequest) { r.WhiteBorder, r.Image.Format = new(8), qr.TargetURL }), []string{"WhiteBorder: "}},
		"callback id":      {put("kasse 1", "x"), []string{"ID: "}},
		"no callback id":   {put("", "x"), []string{"ID: "}},
		"long location":    {put("a", long), []string{"LocationDescription: "}},
		"no location":      {put("a", " "), []string{"LocationDescription: "}},
		"callback, both":   {put("a/b", long), []string{"ID: ", "LocationDescription: "}},
		"get redirect": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.GetRedirect(ctx, "a/b", qr.ImageOptions{Size: 1})
			return err
		}, []string{"ID: ", "ImageOptions.Size: "}},
		"list redirects": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.ListRedirects(ctx, qr.ImageOptions{Size: 1})
			return err
		}, []string{"ImageOptions.Size: "}},
		"update": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.UpdateRedirect(ctx, "", qr.UpdateRedirectRequest{Image: qr.ImageOptions{Format: "X"}})
			return err
		}, []string{"ID: ", "RedirectURL: ", "ImageOptions.Format: "}},
		"delete redirect": {func(ctx context.Context, c *qr.Client) error { return c.DeleteRedirect(ctx, "a.b") }, []string{"ID: "}},
		"get callback": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.GetCallback(ctx, "..", qr.ImageOptions{Size: 1})
			return err
		}, []string{"ID: ", "ImageOptions.Size: "}},
		"list callbacks": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.ListCallbacks(ctx, qr.ImageOptions{Format: "X"})
			return err
		}, []string{"ImageOptions.Format: "}},
		"delete callback": {func(ctx context.Context, c *qr.Client) error { return c.DeleteCallback(ctx, "a\n") }, []string{"ID: "}},
		"beacon":          {func(ctx context.Context, c *qr.Client) error { return c.PutBeacon(ctx, "", qr.PutBeaconRequest{}) }, []string{"beaconID: ", "LocationDescription: "}},
		"one-time": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.CreateOneTime(ctx, qr.OneTimeRequest{URL: "CANARY", Image: qr.ImageOptions{Size: 1}, WhiteBorder: new(-1)})
			return err
		}, []string{"URL: ", "ImageOptions.Size: ", "WhiteBorder: "}},
		"personal QR": {func(ctx context.Context, c *qr.Client) error { _, err := c.ExchangePersonalQR(ctx, ""); return err }, []string{"personalQR: "}},
		"token":       {func(ctx context.Context, c *qr.Client) error { _, err := c.ExchangeCustomerToken(ctx, ""); return err }, []string{"token: "}},
		"sticker": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.EnsureRedirect(ctx, qr.RedirectSticker{}, qr.ImageOptions{Size: 1})
			return err
		}, []string{"ID: ", "RedirectURL: ", "ImageOptions.Size: "}},
		"callback sticker": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.EnsureCallback(ctx, qr.CallbackSticker{}, qr.ImageOptions{Size: 1})
			return err
		}, []string{"ID: ", "LocationDescription: ", "ImageOptions.Size: "}},
		"stickers": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.EnsureRedirects(ctx, []qr.RedirectSticker{{}}, qr.ImageOptions{Size: 1})
			return err
		}, []string{"ImageOptions.Size: "}},
		"callback stickers": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.EnsureCallbacks(ctx, []qr.CallbackSticker{{}}, qr.ImageOptions{Size: 1})
			return err
		}, []string{"ImageOptions.Size: "}},
		"a batch of bad": {func(ctx context.Context, c *qr.Client) error {
			_, err := c.EnsureCallbacks(ctx, []qr.CallbackSticker{{}}, qr.ImageOptions{})
			return err
		}, []string{"stickers[0]", "ID: ", "LocationDescription: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMock(t)
			err := test.call(t.Context(), m.client(t))
			if !errors.Is(err, vipps.ErrInvalidRequest) || errors.Is(err, vipps.ErrOutcomeUnknown) || m.GetTotalCallCount() != 0 {
				t.Fatalf("%v after %d calls", err, m.GetTotalCallCount())
			}
			for _, field := range test.fields {
				if !strings.Contains(err.Error(), field) {
					t.Errorf("%v does not name %q", err, field)
				}
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("shows a secret: %v", err)
			}
		})
	}
}

// TestGoodValues has what is just right.
func TestGoodValues(t *testing.T) {
	t.Parallel()
	m := newMock(t)
	m.RegisterResponder("POST", redirects, func(*http.Request) (*http.Response, error) { return apitest.Answer(200, `{"url":"u"}`)(nil) })
	client := m.client(t)
	ids := []string{"a", strings.Repeat("ø", 128), "Skjerm 1 +%æØ_-", "0"}
	for i, address := range []string{
		"https://example.com", "https://my-shop.example.com:8080/a?b=c&d=%20#e!@+", "https://a", "https://localhost/x",
	} {
		_, err := client.CreateRedirect(t.Context(), qr.CreateRedirectRequest{
			ID: ids[i], RedirectURL: address, TTL: []time.Duration{0, 300 * time.Second, (1<<31 - 1) * time.Second, time.Hour}[i],
			Image: qr.ImageOptions{Format: qr.PNG, Size: []int{0, 100, 2000, 200}[i]}, WhiteBorder: []*int{nil, new(0), new(100), new(8)}[i],
		})
		if err != nil {
			t.Error(err)
		}
	}
	m.RegisterResponder("PUT", callbacks+"/a", apitest.Answer(200, ""))
	if err := client.PutCallback(t.Context(), "a", qr.PutCallbackRequest{LocationDescription: strings.Repeat("æ", 36)}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(5, len(m.Requests())); diff != "" {
		t.Error(diff)
	}
}
