package vippstest

import (
	"bytes"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"strings"

	"rsc.io/qr"
)

// The pages that redirect URLs lead to. They say what a customer sees and have no buttons: the phone is a matter of
// Server's methods.
func pageRoutes() []route {
	return []route{
		{op: "landing", method: http.MethodGet, pattern: "/landing", open: true, refuse: refusePayment, handle: (*Server).landing},
		{op: "qr-image", method: http.MethodGet, pattern: "/qr-image", open: true, refuse: refusePayment, handle: (*Server).qrImage},
	}
}

func (s *Server) redirected(c *call) *payment {
	query, err := url.ParseQuery(c.query)
	if err != nil {
		return nil
	}
	return s.redirects[query.Get("token")]
}

// landing waits for the customer's phone and then sends the browser back to the merchant.
func (s *Server) landing(c *call) reply {
	p := s.redirected(c)
	switch {
	case p == nil:
		return page(http.StatusNotFound, "Not found", "There is no such payment.")
	case p.State == stateCreated:
		r := page(http.StatusOK, "Vipps MobilePay",
			fmt.Sprintf("Approve %s in the app to pay %d.%02d %s.", p.Reference, p.Amount/100, p.Amount%100, p.Currency))
		r.header.Set("Refresh", "2")
		return r
	case p.State != stateExpired && p.ReturnURL != "":
		r := page(http.StatusSeeOther, "Vipps MobilePay", "Back to the merchant.")
		r.header.Set("Location", p.ReturnURL)
		return r
	default:
		return page(http.StatusGone, "Vipps MobilePay", "The payment has ended.")
	}
}

func page(status int, title, text string) reply {
	title, text = html.EscapeString(title), html.EscapeString(text)
	return reply{
		status: status,
		header: http.Header{"Content-Type": {"text/html; charset=utf-8"}, "Cache-Control": {"no-store"}},
		body: []byte("<!doctype html><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>" +
			title + "</title><h1>" + title + "</h1><p>" + text + "</p>\n"),
	}
}

// qrImage draws the one-time QR of a payment, as long as it can be paid.
func (s *Server) qrImage(c *call) reply {
	p := s.redirected(c)
	if p == nil || p.State != stateCreated {
		return reply{status: http.StatusNotFound}
	}
	code, err := qr.Encode(s.landingURL(p), qr.M)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	if p.order.qrFormat.get("format").text != "IMAGE/PNG" {
		return reply{status: http.StatusOK, header: imageHeader("image/svg+xml"), body: drawSVG(code)}
	}
	size := 1024
	if n, ok := p.order.qrFormat.get("size").integer(); ok {
		size = int(n)
	}
	body, err := drawPNG(code, size)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: http.StatusOK, header: imageHeader("image/png"), body: body}
}

func imageHeader(kind string) http.Header {
	return http.Header{"Content-Type": {kind}, "Cache-Control": {"no-store"}, "Access-Control-Allow-Origin": {"*"}}
}

// quiet is the white border that a scanner needs, in modules.
const quiet = 4

func drawSVG(code *qr.Code) []byte {
	var b strings.Builder
	side := code.Size + 2*quiet
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, side, side)
	fmt.Fprintf(&b, `<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, side, side)
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String())
}

// drawPNG makes the image exactly size pixels wide.
func drawPNG(code *qr.Code, size int) ([]byte, error) {
	m := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	side := code.Size + 2*quiet
	drawn := -1 // the row of modules that the line above shows
	for y := range size {
		line := m.Pix[y*m.Stride : y*m.Stride+size]
		row := y * side / size
		if row == drawn {
			copy(line, m.Pix[(y-1)*m.Stride:])
			continue
		}
		drawn = row
		for x := range line {
			if code.Black(x*side/size-quiet, row-quiet) {
				line[x] = 1
			}
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return b.Bytes(), err
}
