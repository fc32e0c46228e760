package vippstest

import (
	"fmt"
	"net/http"
	"time"
)

// modification is the answer to capture, cancel and refund.
type modification struct {
	Amount       amount    `json:"amount"`
	State        string    `json:"state"`
	Aggregate    aggregate `json:"aggregate"`
	PSPReference string    `json:"pspReference"`
	Reference    string    `json:"reference"`
}

func (p *payment) modified() reply {
	return answer(http.StatusOK, typeProblem, modification{
		p.money(p.Amount), p.State, p.aggregate(), p.psp, p.Reference,
	})
}

var modificationSchema = object(required("modificationAmount", amountRule))

// modificationAmount reads the body of capture and refund.
func (s *Server) modificationAmount(c *call, p *payment) (int64, refusal, bool) {
	check := &check{lenient: s.options.LenientFields}
	modificationSchema(check, "", c.parsed)
	v := c.parsed.get("modificationAmount")
	value := v.get("value").whole()
	if v.get("currency").text != p.Currency {
		check.refuse("5040", "The currency of the payment is %s.", p.Currency)
	}
	r, ok := check.verdict()
	return value, r, ok
}

func (p *payment) wrongState(code, what string) refusal {
	return refusal{code: code, detail: fmt.Sprintf("Reference %s cannot be %s. Invalid state: %s.", p.Reference, what, p.State)}
}

func (s *Server) capturePayment(c *call, p *payment) reply {
	value, r, ok := s.modificationAmount(c, p)
	if !ok {
		return c.route.refuse(c, r)
	}
	if r := s.capture(p, value, c.key); r != nil {
		return c.route.refuse(c, *r)
	}
	return p.modified()
}

// capture takes reserved money, or says why not.
func (s *Server) capture(p *payment, value int64, key string) *refusal {
	switch {
	case value <= 0:
		return &refusal{code: "4040", detail: "The amount must be at least 1."}
	case p.State == stateCreated:
		return &refusal{code: "6080", detail: "The amount is not reserved."}
	case p.State != stateAuthorized:
		return new(p.wrongState("6200", "captured"))
	case p.Captured == p.Authorized:
		return &refusal{code: "6170"}
	case p.lapsed:
		return &refusal{code: "6100"}
	case p.rest() == 0:
		return &refusal{code: "6070"}
	case value > p.rest():
		return &refusal{code: "6090", detail: fmt.Sprintf("At most %d can be captured.", p.rest())}
	case s.options.NoPartialCapture && value != p.Authorized:
		return &refusal{code: "6140"}
	}
	p.Captured += value
	p.captured = s.now()
	s.settled(p)
	s.log(p, event{name: "CAPTURED", amount: value, key: key, success: true})
	if p.rest() > 0 {
		switch s.options.Switches.RemainderReleased {
		case RemainderReleasedAtOnce:
			s.release(p)
		case RemainderReleasedAfterASecond:
			s.after(time.Second, func() {
				if p.rest() > 0 {
					s.release(p)
				}
			})
		case RemainderKept:
		}
	}
	return nil
}

var cancelSchema = object(optional("cancelTransactionOnly", boolean))

func (s *Server) cancelPayment(c *call, p *payment) reply {
	if c.parsed.has() {
		check := &check{lenient: s.options.LenientFields}
		cancelSchema(check, "", c.parsed)
		if r, ok := check.verdict(); !ok {
			return c.route.refuse(c, r)
		}
	}
	if r := s.cancelAs(p, c.parsed.get("cancelTransactionOnly").truth); r != nil {
		return c.route.refuse(c, *r)
	}
	return p.modified()
}

// cancelAs ends a payment nobody has approved, or releases what is reserved, or says why not.
func (s *Server) cancelAs(p *payment, transactionOnly bool) *refusal {
	switch {
	case p.State == stateCreated && p.approving:
		return &refusal{code: "6250", detail: "The payment is being processed."}
	case p.State == stateCreated:
		s.end(p, stateTerminated, "TERMINATED")
	case p.State == stateTerminated:
		return s.cancelledBefore(p)
	case p.State != stateAuthorized && s.options.Switches.RepeatedCancel == RepeatedCancel6050:
		return new(p.wrongState("6050", "cancelled"))
	case p.State != stateAuthorized:
		return new(p.wrongState("6190", "cancelled"))
	case transactionOnly:
		return &refusal{code: "6060"}
	case p.Captured == p.Authorized:
		return &refusal{code: "6040"}
	case p.lapsed:
		return &refusal{code: "6030"}
	case p.rest() == 0:
		return s.cancelledBefore(p)
	default:
		s.release(p)
	}
	return nil
}

// cancelledBefore is the answer to cancelling what is cancelled.
func (s *Server) cancelledBefore(p *payment) *refusal {
	switch s.options.Switches.RepeatedCancel {
	case RepeatedCancelOK:
		return nil
	case RepeatedCancel6190:
		return new(p.wrongState("6190", "cancelled"))
	case RepeatedCancel6050:
	}
	return new(p.wrongState("6050", "cancelled"))
}

func (s *Server) refundPayment(c *call, p *payment) reply {
	value, r, ok := s.modificationAmount(c, p)
	if !ok {
		return c.route.refuse(c, r)
	}
	if r := s.refund(p, value, c.key); r != nil {
		return c.route.refuse(c, *r)
	}
	return p.modified()
}

// refund gives captured money back, or says why not.
func (s *Server) refund(p *payment, value int64, key string) *refusal {
	left := p.Captured - p.Refunded
	switch {
	case value <= 0:
		return &refusal{code: "4040", detail: "The amount must be at least 1."}
	case p.State == stateCreated:
		return &refusal{code: "6020"}
	case p.State != stateAuthorized, p.Captured == 0:
		return new(p.wrongState("6210", "refunded"))
	case left == 0:
		return &refusal{code: "6180"}
	case s.now().Sub(p.captured) > refundWithin:
		return &refusal{code: "6220"}
	case !s.options.Production && value == 123: // the test environment's user without an account
		return &refusal{code: "5100", detail: "The customer has no account to refund to."}
	case !s.options.Production && value == 124: // the test environment's refund that comes too late
		return &refusal{code: "6220"}
	case value > left:
		return &refusal{code: "6150", detail: fmt.Sprintf("At most %d can be refunded.", left)}
	}
	p.Refunded += value
	s.log(p, event{name: "REFUNDED", amount: value, key: key, success: true})
	return nil
}
