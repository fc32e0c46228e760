package vippstest_test

import (
	"bytes"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// open follows a redirect URL as a browser does, as far as the first answer.
func (m *merchant) open(url string) result {
	m.t.Helper()
	path, ok := strings.CutPrefix(url, m.server.URL())
	if !ok {
		m.t.Fatalf("%s is elsewhere", url)
	}
	none := map[string]string{"Authorization": "", "Ocp-Apim-Subscription-Key": "", "Merchant-Serial-Number": ""}
	response, err := m.server.Transport().RoundTrip(m.build(request{method: "GET", path: path, header: none}))
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(response.Body)
	return result{status: response.StatusCode, header: response.Header, raw: b.Bytes()}
}

func TestLandingPage(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{PublicURL: "http://localhost:8080/"})
	approved := m.mustCreate("reference-1", nil).text("redirectUrl")
	expired := m.mustCreate("reference-2", nil).text("redirectUrl")
	if a := m.open(approved); a.status != 200 || !strings.Contains(string(a.raw), "25.00 NOK") {
		t.Errorf("%d %s", a.status, a.raw)
	}
	must(t, m.server.Approve("reference-1"))
	if a := m.open(approved); a.status != 303 || a.header.Get("Location") != "https://shop.example/back" {
		t.Errorf("%d %v", a.status, a.header)
	}
	m.server.Advance(10 * time.Minute)
	if a := m.open(expired); a.status != 410 {
		t.Errorf("%d", a.status)
	}
	if a := m.open("http://localhost:8080/landing?token=x"); a.status != 404 {
		t.Errorf("%d", a.status)
	}
	if _, err := m.server.Scan(expired); err == nil {
		t.Error("the code of an expired payment was scanned")
	}
	if _, err := m.server.Scan("https://example.com"); err == nil {
		t.Error("any code was scanned")
	}
}

func TestQRImage(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	drawn := m.mustCreate("reference-1", fields{"userFlow": "QR"}).text("redirectUrl")
	if a := m.open(drawn); a.status != 200 || a.header.Get("Content-Type") != "image/svg+xml" || !bytes.HasPrefix(a.raw, []byte("<svg ")) {
		t.Errorf("%d %v", a.status, a.header)
	}
	for reference, size := range map[string]int{"reference-2": 100, "reference-3": 333, "reference-4": 0} {
		format := fields{"format": "IMAGE/PNG"}
		want := 1024
		if size > 0 {
			format["size"], want = size, size
		}
		a := m.open(m.mustCreate(reference, fields{"userFlow": "QR", "qrFormat": format}).text("redirectUrl"))
		image, err := png.Decode(bytes.NewReader(a.raw))
		if err != nil || a.header.Get("Content-Type") != "image/png" {
			t.Fatalf("%d %v: %v", a.status, a.header, err)
		}
		if b := image.Bounds(); b.Dx() != want || b.Dy() != want {
			t.Errorf("%v, want %d", b, want)
		}
		if r, _, _, _ := image.At(0, 0).RGBA(); r == 0 {
			t.Error("no white border")
		}
	}
	must(t, m.server.Abort("reference-1"))
	if a := m.open(drawn); a.status != 404 {
		t.Errorf("after the payment has ended: %d", a.status)
	}
}
