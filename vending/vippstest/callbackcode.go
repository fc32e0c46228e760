package vippstest

import (
	"encoding/hex"
	"net/http"
)

func callbackCodeRoutes() []route {
	const root = "/qr/v1/merchant-callback"
	one := root + "/{reference}"
	routes := []route{
		{op: "qr-callback-put", method: http.MethodPut, pattern: one, body: requiredBody, handle: (*Server).putCallback},
		{op: "qr-callback-get", method: http.MethodGet, pattern: one, handle: (*Server).getCallback},
		{op: "qr-callback-list", method: http.MethodGet, pattern: root, handle: (*Server).listCallbacks},
		{op: "qr-callback-delete", method: http.MethodDelete, pattern: one, handle: (*Server).deleteCallback},
		{
			op: "qr-beacon", method: http.MethodPut, pattern: root + "/mobilepay/{reference}", body: requiredBody,
			handle: (*Server).putBeacon,
		},
	}
	for i := range routes {
		routes[i].msn, routes[i].bare, routes[i].refuse = msnRequired, true, refuseCode
	}
	return routes
}

var (
	putCallbackSchema = object(required("locationDescription", text(1, 36)), nullable("category", oneOf("IN_STORE", "VENDING")))
	putBeaconSchema   = object(required("locationDescription", text(1, 36)))
)

// putCallback makes a code or changes what is said about it. The code itself stays as it was printed.
func (s *Server) putCallback(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	putCallbackSchema(check, "", c.parsed)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	id := codeID{callbackCode, c.msn, c.reference}
	k := s.codes.named[id]
	if k == nil {
		k = &code{codeID: id, merchant: c.msn}
		s.addCode(k, c.at, 0)
	}
	k.location, k.category = c.parsed.get("locationDescription").text, c.parsed.get("category").text
	if k.category == "" {
		k.category = "IN_STORE"
	}
	return empty(http.StatusOK)
}

// putBeacon takes over a code that MobilePay printed. It stays with the serial number that was first.
func (s *Server) putBeacon(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	putBeaconSchema(check, "", c.parsed)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	id := codeID{kind: beaconCode, id: c.reference}
	k := s.codes.named[id]
	if k == nil {
		k = &code{codeID: id, merchant: c.msn}
		s.addCode(k, c.at, 0)
	}
	if k.merchant != c.msn {
		return c.route.refuse(c, refusal{status: http.StatusConflict})
	}
	k.location = c.parsed.get("locationDescription").text
	return empty(http.StatusOK)
}

// callbackView is a callback code as the API shows it.
type callbackView struct {
	MerchantSerialNumber string `json:"merchantSerialNumber"`
	MerchantQRID         string `json:"merchantQrId"`
	LocationDescription  string `json:"locationDescription"`
	Category             string `json:"category,omitempty"`
	QRImageURL           string `json:"qrImageUrl"`
	QRContent            string `json:"qrContent"`
}

// viewCallback gives the image another address at every look; none of them must be kept.
func (s *Server) viewCallback(k *code, p picture) callbackView {
	address := s.imageURL(k, p)
	v := callbackView{k.merchant, k.id, k.location, "", address + "&v=" + hex.EncodeToString(random(4)), k.content}
	if s.options.Switches.CallbackCategoryShown {
		v.Category = k.category
	}
	return v
}

func (s *Server) getCallback(c *call) reply {
	check := &check{}
	p := c.pictureOfQuery(check)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	k, r := s.codeOf(callbackCode, c)
	if k == nil {
		return r
	}
	return answer(http.StatusOK, typeJSON, s.viewCallback(k, p))
}

func (s *Server) listCallbacks(c *call) reply {
	check := &check{}
	p := c.pictureOfQuery(check)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	list := []callbackView{}
	for _, k := range s.codesOf(callbackCode, c.msn) {
		list = append(list, s.viewCallback(k, p))
	}
	return answer(http.StatusOK, typeJSON, list)
}

func (s *Server) deleteCallback(c *call) reply {
	k, r := s.codeOf(callbackCode, c)
	if k == nil {
		return r
	}
	s.removeCode(k)
	return empty(http.StatusOK)
}
