package vippstest_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

const callbackPath = "/qr/v1/merchant-callback"

func (m *merchant) putCallback(id string, body any) result {
	m.t.Helper()
	return m.send(request{method: "PUT", path: callbackPath + "/" + url.PathEscape(id), body: body})
}

// mustCallback makes a callback code and returns what it says.
func (m *merchant) mustCallback(id string) string {
	m.t.Helper()
	if a := m.putCallback(id, fields{"locationDescription": "Platform 3"}); a.status != 200 || len(a.raw) != 0 {
		m.t.Fatalf("%d %s", a.status, a.raw)
	}
	return m.send(request{method: "GET", path: callbackPath + "/" + url.PathEscape(id)}).text("qrContent")
}

func TestCallbackCode(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Merchants: []string{"654321"}})
	const id = "kasse 1/b"
	content := m.mustCallback(id)
	one := callbackPath + "/" + url.PathEscape(id)
	a := m.send(request{method: "GET", path: one})
	image := a.text("qrImageUrl")
	want := fields{
		"merchantSerialNumber": "123456", "merchantQrId": id, "locationDescription": "Platform 3",
		"qrContent": content, "qrImageUrl": image,
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if a := m.putCallback(id, fields{"locationDescription": "Platform 4", "category": "VENDING"}); a.status != 200 || len(a.raw) != 0 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	a = m.send(request{method: "GET", path: one})
	if a.text("locationDescription") != "Platform 4" || a.text("qrContent") != content || a.text("qrImageUrl") == image {
		t.Errorf("%s", a.raw)
	}
	m.mustCallback("second")
	a = m.send(request{method: "GET", path: callbackPath})
	if l := a.list(); len(l) != 2 || l[0]["merchantQrId"] != id || l[1]["merchantQrId"] != "second" {
		t.Errorf("%s", a.raw)
	}
	other := map[string]string{"Merchant-Serial-Number": "654321"}
	if a := m.send(request{method: "GET", path: one, header: other}); a.status != 404 || len(a.raw) != 0 {
		t.Errorf("another serial number: %d %s", a.status, a.raw)
	}
	if books := m.server.CallbackCodes(); len(books) != 2 || books[0].ID != id || books[0].Category != "VENDING" ||
		books[0].Location != "Platform 4" || books[0].Content != content || books[0].MSN != "123456" || books[1].Category != "IN_STORE" {
		t.Errorf("%+v", books)
	}
	for _, status := range []int{200, 404} {
		if a := m.send(request{method: "DELETE", path: one}); a.status != status || (len(a.raw) == 0) != (status == 200) {
			t.Errorf("delete: %d %s", a.status, a.raw)
		}
	}
	if again := m.mustCallback(id); again == content {
		t.Error("a deleted code came back")
	}
}

func TestCategoryOfACallbackCode(t *testing.T) {
	t.Parallel()
	for _, shown := range []bool{false, true} {
		m := newMerchant(t, vippstest.Options{Switches: vippstest.Switches{CallbackCategoryShown: shown}})
		for _, category := range []any{nil, "IN_STORE", "VENDING", nil} {
			if a := m.putCallback("a", fields{"locationDescription": "A", "category": category}); a.status != 200 {
				t.Fatalf("%d %s", a.status, a.raw)
			}
			want := "IN_STORE"
			if category != nil {
				want = "VENDING"
			}
			if category == "IN_STORE" {
				want = "IN_STORE"
			}
			if got := m.server.CallbackCodes()[0].Category; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			a := m.send(request{method: "GET", path: callbackPath + "/a"})
			if got := a.text("category"); got != "" && !shown || shown && got != want {
				t.Errorf("shown %v: %s", shown, a.raw)
			}
		}
	}
}

func TestCallbackCodesAreChecked(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustCallback("a")
	put := func(body any) request { return request{method: "PUT", path: callbackPath + "/b", body: body} }
	get := func(query string) request { return request{method: "GET", path: callbackPath + "/a?" + query} }
	noMSN := map[string]string{"Merchant-Serial-Number": ""}
	for name, test := range map[string]struct {
		request request
		status  int
		want    string
	}{
		"longest location": {put(fields{"locationDescription": strings.Repeat("ø", 36)}), 200, ""},
		"long location":    {put(fields{"locationDescription": repeat(37)}), 400, "LocationDescription"},
		"empty location":   {put(fields{"locationDescription": ""}), 400, "LocationDescription"},
		"no location":      {put(fields{}), 400, "LocationDescription"},
		"category":         {put(fields{"locationDescription": "B", "category": "SHOP"}), 400, "Category"},
		"unknown field":    {put(fields{"locationDescription": "B", "merchantQrId": "b"}), 400, "MerchantQrId"},
		"no body":          {put(nil), 400, "Body"},
		"beacon":           {request{method: "PUT", path: callbackPath + "/mobilepay/1", body: fields{"locationDescription": repeat(37)}}, 400, "LocationDescription"},
		"no serial number": {request{method: "PUT", path: callbackPath + "/b", header: noMSN, body: fields{"locationDescription": "B"}}, 400, "Merchant-Serial-Number"},
		"none to get":      {request{method: "GET", path: callbackPath, header: noMSN}, 400, "Merchant-Serial-Number"},
		"other to get":     {request{method: "GET", path: callbackPath, header: map[string]string{"Merchant-Serial-Number": "654321"}}, 403, ""},
		"png":              {get("QrImageFormat=PNG&QrImageSize=100"), 200, ""},
		"camel case":       {get("qrImageFormat=png&qrImageSize=2000"), 200, ""},
		"format":           {get("QrImageFormat=JPEG"), 400, "QrImageFormat"},
		"small":            {get("QrImageSize=99"), 400, "QrImageSize"},
		"large":            {get("qrimagesize=2001"), 400, "QrImageSize"},
		"in a list":        {request{method: "GET", path: callbackPath + "?QrImageSize=x"}, 400, "QrImageSize"},
		"Accept ignored":   {request{method: "GET", path: callbackPath + "/a", header: asText}, 200, ""},
		"no id":            {request{method: "PUT", path: callbackPath + "/", body: fields{"locationDescription": "B"}}, 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if a := m.send(test.request); a.status != test.status || a.params() != test.want {
				t.Errorf("%d %q %s", a.status, a.params(), a.raw)
			}
		})
	}
}

func TestBeacons(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Merchants: []string{"654321"}})
	put := func(msn, location string) result {
		return m.send(request{
			method: "PUT", path: callbackPath + "/mobilepay/1234567", body: fields{"locationDescription": location},
			header: map[string]string{"Merchant-Serial-Number": msn},
		})
	}
	for _, location := range []string{"Kiosk", "Kiosk 2"} {
		if a := put("123456", location); a.status != 200 || len(a.raw) != 0 {
			t.Errorf("%d %s", a.status, a.raw)
		}
	}
	if a := put("654321", "Mine"); a.status != 409 || string(a.raw) != `{"id":"1234567"}` {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if books := m.server.CallbackCodes(); len(books) != 1 || !books[0].Beacon || books[0].Location != "Kiosk 2" {
		t.Errorf("%+v", books)
	}
	if a := m.send(request{method: "GET", path: callbackPath}); string(a.raw) != "[]" {
		t.Errorf("a beacon is no code of its own: %s", a.raw)
	}
	m.mustRegister(hook, checkInEvent)
	box := m.receive(hook)
	for _, content := range []string{"mobilepaypos://pos?id=1234567&source=qr", "1234567", m.server.CallbackCodes()[0].Content} {
		if scanned, err := m.server.Scan(content); err != nil || scanned.MerchantQRID != "1234567" || scanned.Location != "Kiosk 2" {
			t.Errorf("%+v, %v", scanned, err)
		}
	}
	if got := box.all(); len(got) != 3 || got[0].text("merchantQrId") != "1234567" {
		t.Errorf("%d check-ins", len(got))
	}
}
