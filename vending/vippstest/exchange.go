package vippstest

import (
	"encoding/base64"
	"net/http"
	"regexp"
)

// personalPattern is a customer's own code in its first version, which says the number in clear.
var personalPattern = regexp.MustCompile(`^https://qr\.vipps\.no/28/2/01/031/(\d{9,15})\?v=1$`)

// PersonalQR is the code that a customer's app shows to be scanned at a till. It can be exchanged for the number, and a
// payment that is created with it is that customer's; it is good for ever. Codes of the old kind are understood as well:
// "https://qr.vipps.no/28/2/01/031/4712345678?v=1".
func (s *Server) PersonalQR(phoneNumber string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	content := "https://qr.vipps.no/p/" + base64.RawURLEncoding.EncodeToString(random(24))
	s.personal[content] = presence{phoneNumber, s.now()}
	return content
}

// whoIs is the phone number of a payment's customer, if it is known.
func (s *Server) whoIs(o order) string {
	if who, ok := s.personal[o.personalQR.text]; ok {
		return who.phone
	}
	if old := personalPattern.FindStringSubmatch(o.personalQR.text); old != nil {
		return old[1]
	}
	if who, ok := s.checkIns[o.token.text]; ok {
		return who.phone
	}
	return o.phone
}

func exchangeRoutes() []route {
	routes := []route{
		{op: "qr-exchange", pattern: "/qr/v1/exchange", handle: (*Server).exchangePersonal},
		{op: "qr-exchange-customer", pattern: "/qr/v1/exchange/customer", handle: (*Server).exchangeCustomer},
	}
	for i := range routes {
		routes[i].method, routes[i].body, routes[i].msn = http.MethodPost, requiredBody, msnOptional
		routes[i].bare, routes[i].refuse = true, refuseExchange
	}
	return routes
}

// The documentation has requestedData required for customer tokens in one place and leaves it out in another.
var (
	requestedData          = optional("requestedData", array(0, oneOf("MSISDN")))
	exchangePersonalSchema = object(nullable("qrCode", anyText), requestedData)
	exchangeCustomerSchema = object(nullable("customer", object(nullable("customerToken", anyText))), requestedData)
)

type exchanged struct {
	MSISDN    string `json:"msisdn"`
	Version   string `json:"version,omitempty"`
	Timestamp int64  `json:"timestamp,omitempty"`
}

func (s *Server) exchangePersonal(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	exchangePersonalSchema(check, "", c.parsed)
	content := c.parsed.get("qrCode")
	who, known := s.personal[content.text]
	old := personalPattern.FindStringSubmatch(content.text)
	switch {
	case len(check.details) > 0:
	case content.text == "":
		check.wrong("qrCode", "The complete data contained in the QR code is required.")
	case !known && old == nil:
		check.wrong("qrCode", "The QR code is not a personal one.")
	}
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	if !known {
		return answer(http.StatusOK, typeJSON, exchanged{MSISDN: old[1], Version: "1.0"})
	}
	return answer(http.StatusOK, typeJSON, exchanged{who.phone, "2.0", who.at.Unix()})
}

func (s *Server) exchangeCustomer(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	exchangeCustomerSchema(check, "", c.parsed)
	customer := c.parsed.get("customer")
	who, known := s.checkedInAs(customer.get("customerToken").text)
	switch {
	case len(check.details) > 0:
	case !customer.has():
		check.wrong("customer", "Customer object is required.")
	case customer.get("customerToken").text == "":
		check.wrong("customer.customerToken", "The customer token is required.")
	case !known:
		check.wrong("customer.customerToken", "The customer token is unknown or too old.")
	}
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	return answer(http.StatusOK, typeJSON, exchanged{MSISDN: who.phone, Timestamp: who.at.Unix()})
}
