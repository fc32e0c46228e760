package vippstest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
)

// created is the answer to create.
type created struct {
	RedirectURL string `json:"redirectUrl,omitempty"`
	Reference   string `json:"reference"`
}

func (s *Server) createPayment(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	createSchema(check, "", c.parsed)
	r, ok := check.verdict()
	var o order
	if ok {
		o = readOrder(c.parsed)
		o.who = s.whoIs(o)
		s.checkOrder(check, o, c.at)
		r, ok = check.verdict()
	}
	if !ok {
		return c.route.refuse(c, r)
	}
	id := paymentID{c.msn, o.reference}
	if s.payments[id] != nil {
		return c.refuse("4150", fmt.Sprintf("Reference %s already exists.", o.reference))
	}
	p := s.newPayment(c, o)
	s.payments[id] = p
	s.order = append(s.order, p)
	s.redirects[p.token] = p
	s.keepReceipt(c, p)
	s.log(p, event{name: "CREATED", amount: p.Amount, key: c.key, success: true})
	p.shown = new(p.view())
	p.expiry = s.after(p.Expires.Sub(c.at), func() { s.expire(p) })
	return answer(http.StatusCreated, typeJSON, created{p.RedirectURL, p.Reference})
}

func (s *Server) newPayment(c *call, o order) *payment {
	p := &payment{
		Payment: Payment{
			MSN: c.msn, Reference: o.reference, State: stateCreated, Currency: o.currency, Amount: o.value,
			PaymentMethod: o.method, UserFlow: o.flow, CustomerInteraction: o.interaction, Description: o.description,
			PhoneNumber: o.phone, ReturnURL: o.returnURL.text,
			Created: c.at, Expires: o.expires(c.at), Body: bytes.Clone(c.body),
		},
		order: o,
		psp:   newID(),
		key:   c.key,
		token: base64.RawURLEncoding.EncodeToString(random(32)),
	}
	if len(o.metadata) > 0 {
		p.Metadata = map[string]string{}
		for _, m := range o.metadata {
			p.Metadata[m.name] = m.value.text
		}
	}
	p.RedirectURL = s.redirectURL(p)
	return p
}

// redirectURL is what the customer opens or scans.
func (s *Server) redirectURL(p *payment) string {
	switch {
	case p.UserFlow == "PUSH_MESSAGE":
		return ""
	case p.UserFlow == "NATIVE_REDIRECT" && s.options.Production:
		return "vipps://token=" + p.token
	case p.UserFlow == "NATIVE_REDIRECT":
		return "vippsMT://token=" + p.token
	case p.UserFlow == "QR" && p.order.qrFormat.get("format").text != "TEXT/TARGETURL":
		return s.options.PublicURL + "/qr-image?token=" + p.token
	default:
		return s.landingURL(p)
	}
}

// landingURL is the page where a customer without the app begins; it is also what a one-time QR says.
func (s *Server) landingURL(p *payment) string {
	return s.options.PublicURL + "/landing?token=" + p.token
}
