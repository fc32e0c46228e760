package vippstest

import (
	"net/http"
	"net/url"
	"strconv"
)

// What codes say begins with printedPath, and the addresses of their images with drawnPath.
const (
	printedPath = "/q/"
	drawnPath   = "/generate/qr."
)

func codePageRoutes() []route {
	routes := []route{
		{op: "qr-image", pattern: drawnPath + "png", handle: drawn("png")},
		{op: "qr-image", pattern: drawnPath + "svg", handle: drawn("svg")},
		{op: "qr-page", pattern: printedPath + "{id}", handle: (*Server).openCode},
	}
	for i := range routes {
		routes[i].method, routes[i].open, routes[i].refuse = http.MethodGet, true, refusePayment
	}
	return routes
}

// drawn serves the image of a code for as long as it can be scanned.
func drawn(format string) func(*Server, *call) reply {
	return func(s *Server, c *call) reply {
		query, _ := url.ParseQuery(c.query)
		k := s.codes.tokens[query.Get("code")]
		if k == nil || k.payment != nil && k.payment.State != stateCreated {
			return reply{status: http.StatusNotFound}
		}
		p := picture{format: format, size: defaultSize, border: -1}
		if n, err := strconv.Atoi(query.Get("size")); err == nil {
			p.size = min(max(n, smallestSize), largestSize)
		}
		if n, err := strconv.Atoi(query.Get("border")); err == nil {
			p.border = min(max(n, 0), p.size/4)
		}
		return draw(k.content, p)
	}
}

// openCode is what a camera other than the app's gets to. Looking has no effect: only [Server.Scan] checks anybody in.
func (s *Server) openCode(c *call) reply {
	k := s.codes.tokens[c.id]
	switch {
	case k == nil || k.content != s.options.PublicURL+printedPath+k.token:
		return page(http.StatusNotFound, "Not found", "There is no such code.")
	case k.kind == redirectCode:
		r := page(http.StatusSeeOther, "Vipps MobilePay", "To the merchant.")
		r.header.Set("Location", k.redirectURL)
		return r
	default:
		return page(http.StatusOK, "Vipps MobilePay", "Scan this code with the app: "+k.location+".")
	}
}
