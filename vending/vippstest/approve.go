package vippstest

import "net/http"

var approveSchema = object(optional("customer", customerRule), optional("token", anyText))

// forceApprove is the test environment's approval without an app. The amounts that mean a failure do not fail here.
func (s *Server) forceApprove(c *call, p *payment) reply {
	check := &check{lenient: s.options.LenientFields}
	approveSchema(check, "", c.parsed)
	customer, token := c.parsed.get("customer"), c.parsed.get("token")
	if !customer.has() && !token.has() {
		check.refuse("4140", "The parameter customer is required.")
	}
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	phone := customer.get("phoneNumber").text
	if phone == "" {
		phone = p.order.who
	}
	who := s.options.customer(phone)
	switch {
	case s.options.Production:
		return c.refuse("10020", "Payments cannot be approved in production.")
	case p.express():
		return c.refuse("10060", "Express payments cannot be approved.")
	case p.State == stateAuthorized:
		return c.refuse("6230", "")
	case p.State != stateCreated:
		return c.refuse("10010", "Invalid state: "+p.State+".")
	case token.has() && token.text != p.token, p.PhoneNumber != "" && phone != p.PhoneNumber:
		return c.refuse("10020", "The payment belongs to somebody else.")
	case who.Unknown, who.tooYoungFor(p.order.minimumAge):
		return c.refuse("7010", "")
	case who.NeverApproved:
		return c.refuse("10030", "")
	case who.InvalidSource:
		return c.refuse("10040", "")
	case who.NoCards:
		return c.refuse("10050", "")
	case who.Limit > 0 && p.Amount > who.Limit:
		return c.refuse("10070", "")
	}
	s.authorize(p)
	return reply{status: http.StatusOK, header: http.Header{}}
}
