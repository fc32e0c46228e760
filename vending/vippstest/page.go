package vippstest

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
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
	format, picture := p.order.qrFormat, picture{format: "svg", size: defaultSize, border: -1}
	if format.get("format").text == "IMAGE/PNG" {
		picture.format = "png"
	}
	if n, ok := format.get("size").integer(); ok {
		picture.size = int(n)
	}
	return draw(s.landingURL(p), picture)
}
