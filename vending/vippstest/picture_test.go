package vippstest_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"regexp"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// shows compares a PNG with a code, module by module, border included.
func shows(t *testing.T, raw []byte, content string, size, border int) {
	t.Helper()
	decoded, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	m, ok := decoded.(*image.Paletted)
	if !ok {
		t.Fatalf("a %T", decoded)
	}
	white := m.ColorIndexAt(0, 0)
	if r, g, b, _ := m.Palette[white].RGBA(); r+g+b != 3*0xffff {
		t.Error("the border is not white")
	}
	if b := m.Bounds(); b.Dx() != size || b.Dy() != size {
		t.Fatalf("%v, want %d", b, size)
	}
	code, err := qr.Encode(content, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	module := size / (code.Size + 8)
	if border >= 0 {
		module = (size - 2*border) / code.Size
	}
	start := (size - module*code.Size) / 2
	if border < 0 && start < 4*module || start < border {
		t.Errorf("a border of %d pixels, modules of %d", start, module)
	}
	for y := range size {
		for x := range size {
			black := x >= start && y >= start && code.Black((x-start)/module, (y-start)/module)
			if (m.Pix[y*m.Stride+x] != white) != black {
				t.Fatalf("pixel %d, %d is wrong", x, y)
			}
		}
	}
}

var svgModule = regexp.MustCompile(`M(\d+) (\d+)h1v1h-1z`)

// showsSVG does the same with an SVG.
func showsSVG(t *testing.T, raw []byte, content string) {
	t.Helper()
	code, err := qr.Encode(content, qr.M)
	if err != nil {
		t.Fatal(err)
	}
	side := code.Size + 8
	if !strings.Contains(string(raw), fmt.Sprintf(`viewBox="0 0 %d %d"`, side, side)) {
		t.Errorf("%.100s", raw)
	}
	drawn := map[string]bool{}
	for _, module := range svgModule.FindAllSubmatch(raw, -1) {
		drawn[string(module[1])+" "+string(module[2])] = true
	}
	for y := range code.Size {
		for x := range code.Size {
			if drawn[fmt.Sprint(x+4, " ", y+4)] != code.Black(x, y) {
				t.Fatalf("module %d, %d is wrong", x, y)
			}
		}
	}
}

func TestImagesOfRedirectCodes(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	content := m.mustRedirect("poster", nil)
	get := func(accept, size string) result {
		header := map[string]string{"Accept": accept}
		if size != "" {
			header["Size"] = size
		}
		return m.open(m.send(request{method: "GET", path: redirectPath + "/poster", header: header}).text("url"))
	}
	for _, accept := range []string{"image/*", "image/svg+xml"} {
		a := get(accept, "300")
		if a.status != 200 || a.header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("%d %v", a.status, a.header)
		}
		showsSVG(t, a.raw, content)
	}
	for header, size := range map[string]int{"": 1024, "100": 100, "333": 333, "2000": 2000} {
		a := get("image/png", header)
		if a.status != 200 || a.header.Get("Content-Type") != "image/png" {
			t.Errorf("%d %v", a.status, a.header)
		}
		shows(t, a.raw, content, size, -1)
	}
	put := m.send(request{
		method: "PUT", path: redirectPath + "/poster", header: map[string]string{"Accept": "image/png", "Size": "300"},
		body: fields{"redirectUrl": "https://shop.example/new", "size": 400, "whiteBorder": 8},
	})
	shows(t, m.open(put.text("url")).raw, content, 400, 8)
	plain, _, _ := strings.Cut(put.text("url"), "&")
	shows(t, m.open(plain+"&size=99&border=99").raw, content, 100, 25)
	shows(t, m.open(plain+"&size=2001&border=-1").raw, content, 2000, 0)
	m.send(request{method: "DELETE", path: redirectPath + "/poster"})
	if a := m.open(put.text("url")); a.status != 404 {
		t.Errorf("of a deleted code: %d", a.status)
	}
}

func TestImagesOfCallbackCodes(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{PublicURL: "http://localhost:8080"})
	content := m.mustCallback("a")
	for _, path := range []string{callbackPath + "/a", callbackPath} {
		get := func(query string) result {
			a := m.send(request{method: "GET", path: path + query})
			if l := a.list(); len(l) == 1 {
				a.body = l[0]
			}
			return m.open(a.text("qrImageUrl"))
		}
		showsSVG(t, get("").raw, content)
		showsSVG(t, get("?QrImageFormat=svg&QrImageSize=500").raw, content)
		shows(t, get("?qrimageformat=Png").raw, content, 1024, -1)
		shows(t, get("?QrImageFormat=PNG&QrImageSize=123").raw, content, 123, -1)
	}
	if a := m.open(content); a.status != 200 || !strings.Contains(string(a.raw), "Platform 3") {
		t.Errorf("%d %s", a.status, a.raw)
	}
	for _, path := range []string{"/q/x", "/generate/qr.png?code=x", "/generate/qr.svg"} {
		if a := m.open(m.server.URL() + path); a.status != 404 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestImagesOfPayments(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	says := m.mustCreate("reference-1", fields{"userFlow": "QR", "qrFormat": fields{"format": "TEXT/TARGETURL"}}).text("redirectUrl")
	a := m.send(request{method: "POST", path: "/qr/v1", body: fields{"url": says}, header: map[string]string{"Accept": "image/png", "Size": "100"}})
	shows(t, m.open(a.text("url")).raw, says, 100, -1)
}

func TestOneTimeCode(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{LongLiving: true})
	landing := m.mustCreate("reference-1", nil).text("redirectUrl")
	post := func(path, landing string) result {
		return m.send(request{method: "POST", path: path, header: asText, body: fields{"url": landing}})
	}
	m.server.Advance(3 * time.Minute)
	a := post("/qr/v1/", "  "+landing)
	if left := a.number("expiresIn"); a.status != 200 || left < 418 || left > 420 {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	if scanned, err := m.server.Scan(a.text("url")); err != nil || scanned.Reference != "reference-1" {
		t.Errorf("%+v, %v", scanned, err)
	}
	drawn := m.send(request{method: "POST", path: "/qr/v1", header: map[string]string{"Accept": "image/*"}, body: fields{"url": landing}}).text("url")
	showsSVG(t, m.open(drawn).raw, a.text("url"))
	_, token, _ := strings.Cut(drawn, "code=")
	if _, err := m.server.Scan(m.server.URL() + "/q/" + token); !errors.Is(err, vippstest.ErrCodeNotFound) || m.open(m.server.URL()+"/q/"+token).status != 404 {
		t.Error("it can be scanned by something it does not say")
	}
	must(t, m.server.Approve("reference-1"))
	if a := m.open(drawn); a.status != 404 {
		t.Errorf("after the payment: %d", a.status)
	}
	for landing, title := range map[string]string{landing: "Order timeout", "https://shop.example?token=x": "Validation error"} {
		if a := post("/qr/v1", landing); a.status != 400 || a.text("title") != title || a.text("detail") == "" || len(a.text("instance")) != 36 {
			t.Errorf("%d %s", a.status, a.raw)
		}
	}
	if a := m.send(request{method: "POST", path: "/qr/v1", body: fields{}}); a.status != 400 || a.params() != "Url Accept" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if n := len(m.server.RedirectCodes()) + len(m.server.CallbackCodes()); n != 0 {
		t.Errorf("%d codes in the books", n)
	}
	long := m.mustCreate("reference-2", fields{
		"expiresAt": m.server.Now().Add(time.Hour).Format(time.RFC3339), "receipt": receipt(nil),
	}).text("redirectUrl")
	m.server.Advance(time.Minute)
	a = m.send(request{method: "POST", path: "/qr/v1", header: map[string]string{"Accept": "image/png"}, body: fields{"url": long}})
	if a.number("expiresIn") != 600 {
		t.Errorf("%s", a.raw)
	}
	m.server.Advance(10 * time.Minute)
	if a := m.open(a.text("url")); a.status != 404 {
		t.Errorf("after ten minutes: %d", a.status)
	}
}
