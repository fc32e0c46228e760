package examples_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"regexp"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/qr"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// decode reads a code as a phone would, with a decoder that has nothing in common with what drew it.
func decode(t *testing.T, drawn *qr.Image) string {
	t.Helper()
	picture := rasterize(t, drawn.Data)
	if drawn.Format == qr.PNG {
		var err error
		if picture, err = png.Decode(bytes.NewReader(drawn.Data)); err != nil {
			t.Fatal(err)
		}
	}
	// The decoder now and then takes something in the middle of a code for one of its corners. Each hint looks in another way.
	for _, hint := range []map[gozxing.DecodeHintType]any{
		nil, {gozxing.DecodeHintType_PURE_BARCODE: true}, {gozxing.DecodeHintType_TRY_HARDER: true},
	} {
		bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
		if err != nil {
			t.Fatal(err)
		}
		read, err := qrcode.NewQRCodeReader().Decode(bitmap, hint)
		if err == nil {
			return read.GetText()
		}
		t.Logf("not read, with hints %v: %v", hint, err)
	}
	t.Fatal("the code cannot be read")
	return ""
}

var module = regexp.MustCompile(`M(\d+) (\d+)h1v1h-1z`)

// rasterize paints an SVG of dark modules, four pixels each. It gives nothing for what is no SVG.
func rasterize(t *testing.T, data []byte) image.Image {
	t.Helper()
	var drawing struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		ViewBox string   `xml:"viewBox,attr"`
		Paths   []struct {
			Fill string `xml:"fill,attr"`
			D    string `xml:"d,attr"`
		} `xml:"path"`
	}
	if xml.Unmarshal(data, &drawing) != nil {
		return nil
	}
	var x, y, side, height int
	if n, err := fmt.Sscan(drawing.ViewBox, &x, &y, &side, &height); n != 4 || x != 0 || y != 0 || side != height {
		t.Fatalf("viewBox %q: %v", drawing.ViewBox, err)
	}
	const scale = 4
	picture := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for i := range picture.Pix {
		picture.Pix[i] = 0xff
	}
	for _, path := range drawing.Paths {
		if path.Fill != "" {
			continue // the background
		}
		if rest := module.ReplaceAllString(path.D, ""); rest != "" {
			t.Fatalf("%q is no module", rest)
		}
		for _, at := range module.FindAllStringSubmatch(path.D, -1) {
			if _, err := fmt.Sscan(at[1]+" "+at[2], &x, &y); err != nil {
				t.Fatal(err)
			}
			for i := range scale * scale {
				picture.SetGray(x*scale+i%scale, y*scale+i/scale, color.Gray{})
			}
		}
	}
	return picture
}

// Each code that the emulator draws says what the API says that it encodes, and a phone that scans it gets where it should.
func TestDrawnCodes(t *testing.T) {
	t.Parallel()
	emulator := vippstest.Start(t, vippstest.Options{NoRateLimits: true})
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test, BaseURL: emulator.URL(), Credentials: vipps.Credentials(emulator.Credentials()),
		System: vipps.System{Name: "examples", Version: "1"}, HTTPClient: &http.Client{Transport: emulator.Transport()},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, codes, payments := t.Context(), qr.New(client), epayment.New(client)
	check := func(t *testing.T, address, content string) string {
		t.Helper()
		drawn, err := qr.FetchImage(ctx, address, qr.FetchOptions{HTTPClient: &http.Client{Transport: emulator.Transport()}})
		if err != nil {
			t.Fatal(err)
		}
		read := decode(t, drawn)
		if content == "" || read != content {
			t.Errorf("the code says %q, want %q", read, content)
		}
		return read
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	options := []qr.ImageOptions{{Format: qr.SVG}, {Format: qr.PNG}}
	for _, size := range []int{100, 101, 150, 333, 500, 2000} {
		options = append(options, qr.ImageOptions{Format: qr.PNG, Size: size})
	}
	for _, format := range []epayment.QRFormat{
		{Format: epayment.QRSVG}, {Format: epayment.QRPNG}, {Format: epayment.QRPNG, Size: 200}, {Format: epayment.QRPNG, Size: 2000},
	} {
		t.Run(fmt.Sprint("payment ", format), func(t *testing.T) {
			t.Parallel()
			reference := fmt.Sprintf("scanned-%s-%d", format.Format[len("IMAGE/"):][:3], format.Size)
			made, err := payments.Create(ctx, epayment.CreateRequest{
				IdempotencyKey: reference, Reference: reference, Amount: vipps.Amount{Value: 2500, Currency: vipps.NOK},
				PaymentMethod: epayment.PaymentMethod{Type: epayment.Wallet}, UserFlow: epayment.QR, QRFormat: format,
			})
			must(t, err)
			text, err := codes.CreateOneTime(ctx, qr.OneTimeRequest{URL: made.RedirectURL, Image: qr.ImageOptions{Format: qr.TargetURL}})
			must(t, err)
			read := check(t, string(made.RedirectURL), string(text.Content))
			if got, err := emulator.Scan(read); err != nil || got.Reference != reference {
				t.Errorf("the code leads to %q, %v", got.Reference, err)
			}
			one, err := codes.CreateOneTime(ctx, qr.OneTimeRequest{URL: made.RedirectURL, Image: qr.ImageOptions{Format: qr.PNG, Size: 300}})
			must(t, err)
			check(t, string(one.ImageURL), string(text.Content))
		})
	}
	const page = "https://shop.example/m?id=oslo-12"
	_, err = codes.CreateRedirect(ctx, qr.CreateRedirectRequest{ID: "oslo 12", RedirectURL: page})
	must(t, err)
	must(t, codes.PutCallback(ctx, "oslo-12", qr.PutCallbackRequest{LocationDescription: "Hall B", Category: qr.Vending}))
	for _, image := range options {
		t.Run(fmt.Sprint("redirect ", image), func(t *testing.T) {
			t.Parallel()
			text, err := codes.GetRedirect(ctx, "oslo 12", qr.ImageOptions{Format: qr.TargetURL})
			must(t, err)
			code, err := codes.GetRedirect(ctx, "oslo 12", image)
			must(t, err)
			if got, err := emulator.Scan(check(t, code.ImageURL, text.Content)); err != nil || got.Opens != page {
				t.Errorf("the code opens %q, %v", got.Opens, err)
			}
		})
		t.Run(fmt.Sprint("callback ", image), func(t *testing.T) {
			t.Parallel()
			code, err := codes.GetCallback(ctx, "oslo-12", image)
			must(t, err)
			if got, _ := emulator.Scan(check(t, code.ImageURL, code.Content)); got.MerchantQRID != "oslo-12" {
				t.Errorf("the code is that of %q", got.MerchantQRID)
			}
		})
	}
}
