package vippstest

// Approve is the customer accepting a payment in the app. It fails if there is no such payment, if it is no longer CREATED,
// and, outside of production, for the amounts that stand for a card that is declined (151 and 182 to 202); such a payment
// stays CREATED, as the customer may try another card.
//
// "msn/reference" names a payment of a particular serial number, here and in the other methods.
func (s *Server) Approve(reference string) error {
	return s.onPhone(reference, func(p *payment) error {
		if who := s.options.customer(p.order.who); who.tooYoungFor(p.order.minimumAge) {
			return p.errNot("is not for customers of that age")
		}
		if why := s.declines(p); why != "" {
			p.approving = p.Amount == 201 // its result is not known for an hour, longer than the payment lives
			s.log(p, event{name: "AUTHORIZED", amount: p.Amount, key: p.key})
			return p.errNot("was declined: " + why)
		}
		s.authorize(p)
		return nil
	})
}

// Abort is the customer saying no in the app.
func (s *Server) Abort(reference string) error {
	return s.onPhone(reference, func(p *payment) error {
		s.end(p, stateAborted, "ABORTED")
		return nil
	})
}

// BeginApproval is the customer pressing pay and being sent to 3-D Secure. Until they approve, abort, or let the payment
// expire, cancelling it is refused with 6250.
func (s *Server) BeginApproval(reference string) error {
	return s.onPhone(reference, func(p *payment) error {
		p.approving = true
		return nil
	})
}

// declines says why the test environment's bank turns a payment down.
func (s *Server) declines(p *payment) string {
	if s.options.Production || (p.Amount == 197 || p.Amount == 202) && p.Currency != "NOK" {
		return ""
	}
	return map[int64]string{
		151: "insufficient funds", 182: "refused by the issuer", 183: "suspected fraud", 184: "withdrawal limit exceeded",
		186: "expired card", 187: "invalid card", 197: "3-D Secure denied", 201: "the result is unknown",
		202: "strong customer authentication required",
	}[p.Amount]
}

// onPhone does something with a payment that waits for its customer.
func (s *Server) onPhone(reference string, do func(*payment) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	p, err := s.find(reference)
	if err != nil {
		return err
	}
	if p.State != stateCreated {
		return p.errNot("is " + p.State)
	}
	return do(p)
}

// PortalCancel is somebody cancelling a payment by hand in the merchant portal.
func (s *Server) PortalCancel(reference string) error {
	return s.inPortal(reference, func(p *payment) *refusal { return s.cancelAs(p, false) })
}

// PortalCapture is somebody capturing by hand in the merchant portal. The amount is in minor units.
func (s *Server) PortalCapture(reference string, amount int64) error {
	return s.inPortal(reference, func(p *payment) *refusal { return s.capture(p, amount, "") })
}

// PortalRefund is somebody refunding by hand in the merchant portal. The amount is in minor units.
func (s *Server) PortalRefund(reference string, amount int64) error {
	return s.inPortal(reference, func(p *payment) *refusal { return s.refund(p, amount, "") })
}

func (s *Server) inPortal(reference string, do func(*payment) *refusal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	p, err := s.find(reference)
	if err != nil {
		return err
	}
	if r := do(p); r != nil {
		return p.errNot("was refused: " + r.code + " " + titles[r.code])
	}
	return nil
}
