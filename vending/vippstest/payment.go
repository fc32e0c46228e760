package vippstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Payment is what the emulator's books say about a payment. Amounts are in minor units: 2500 is 25.00 NOK.
type Payment struct {
	MSN, Reference      string
	State               string // CREATED, AUTHORIZED, ABORTED, EXPIRED or TERMINATED
	Currency            string
	PaymentMethod       string // WALLET or CARD
	UserFlow            string
	CustomerInteraction string // CUSTOMER_NOT_PRESENT if the request did not say
	Description         string
	PhoneNumber         string // of the customer the request named, if it did by phone number
	ReturnURL           string
	RedirectURL         string // what create answered; empty for PUSH_MESSAGE

	// Amount is what was asked for, the others what became of it.
	Amount, Authorized, Captured, Cancelled, Refunded int64

	Created                time.Time
	Expires                time.Time // when the customer must have approved
	CaptureGuaranteedUntil time.Time // zero until authorized

	Metadata map[string]string
	Body     json.RawMessage // the create request as it was sent
}

// AtRest says that nothing is left to settle: the payment ended without a reservation, or all of the reservation has been
// captured or released. A TERMINATED payment has authorized nothing and cancelled everything.
func (p Payment) AtRest() bool {
	switch p.State {
	case stateAborted, stateExpired, stateTerminated:
		return p.Captured == 0
	case stateAuthorized:
		return p.Authorized == p.Captured+p.Cancelled
	default:
		return false
	}
}

// The states of a payment. Captures, refunds and cancels leave AUTHORIZED as it is.
const (
	stateCreated    = "CREATED"
	stateAuthorized = "AUTHORIZED"
	stateAborted    = "ABORTED"
	stateExpired    = "EXPIRED"
	stateTerminated = "TERMINATED"
)

// paymentID tells payments apart: references are unique within a serial number only.
type paymentID struct{ msn, reference string }

type payment struct {
	Payment
	order  order
	psp    string // of the CREATED event
	key    string // of create
	token  string // in the redirect URL
	events []event

	approving  bool // the customer is in 3-D Secure
	lapsed     bool // the capture deadline passed with something left
	authorized time.Time
	captured   time.Time // the last capture
	expiry     *task
	deadline   *task
	shown      *view // what a lagging GET shows next
}

func (p *payment) rest() int64 { return p.Authorized - p.Captured - p.Cancelled }

func (p *payment) express() bool { return p.order.shipping.has() }

// books is a copy for the outside.
func (p *payment) books() Payment {
	b := p.Payment
	b.Metadata = maps.Clone(p.Metadata)
	b.Body = bytes.Clone(p.Body)
	return b
}

// Payment finds a payment by its reference, of whatever serial number; "msn/reference" asks for one of that number.
func (s *Server) Payment(reference string) (Payment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	p, err := s.find(reference)
	if err != nil {
		return Payment{}, false
	}
	return p.books(), true
}

// Payments are all payments, in order of creation.
func (s *Server) Payments() []Payment {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	list := make([]Payment, len(s.order))
	for i, p := range s.order {
		list[i] = p.books()
	}
	return list
}

// find looks a payment up as the methods for the outside name it.
func (s *Server) find(reference string) (*payment, error) {
	if msn, ref, ok := strings.Cut(reference, "/"); ok {
		if p := s.payments[paymentID{msn, ref}]; p != nil {
			return p, nil
		}
	} else if p := s.payments[paymentID{s.credentials.MerchantSerialNumber, reference}]; p != nil {
		return p, nil
	} else {
		for _, p := range s.order {
			if p.Reference == reference {
				return p, nil
			}
		}
	}
	return nil, fmt.Errorf("vippstest: there is no payment %q", reference)
}

// amount is money on the wire.
type amount struct {
	Currency string `json:"currency"`
	Value    int64  `json:"value"`
}

type aggregate struct {
	AuthorizedAmount amount `json:"authorizedAmount"`
	CancelledAmount  amount `json:"cancelledAmount"`
	CapturedAmount   amount `json:"capturedAmount"`
	RefundedAmount   amount `json:"refundedAmount"`
}

func (p *payment) money(v int64) amount { return amount{p.Currency, v} }

func (p *payment) aggregate() aggregate {
	return aggregate{p.money(p.Authorized), p.money(p.Cancelled), p.money(p.Captured), p.money(p.Refunded)}
}

// expire ends a payment nobody approved in time.
func (s *Server) expire(p *payment) {
	if p.State == stateCreated {
		s.end(p, stateExpired, "EXPIRED")
	}
}

// end moves a payment from CREATED to a final state without a reservation.
func (s *Server) end(p *payment, state, name string) {
	p.State, p.approving = state, false
	s.drop(p.expiry)
	if state == stateTerminated && !s.options.Switches.TerminatedCancelsNothing {
		p.Cancelled = p.Amount
	}
	s.log(p, event{name: name, amount: p.Amount, success: true})
}

// authorize reserves the money.
func (s *Server) authorize(p *payment) {
	now := s.now()
	p.State, p.approving, p.authorized = stateAuthorized, false, now
	p.Authorized = p.Amount + p.order.shippingCost()
	s.drop(p.expiry)
	limit := captureWithin(s.market(p.Currency))
	p.CaptureGuaranteedUntil = now.Add(min(limit, guaranteedFor))
	p.deadline = s.after(limit, func() {
		if p.rest() > 0 {
			p.lapsed = true
			s.release(p)
		}
	})
	s.log(p, event{name: "AUTHORIZED", amount: p.Authorized, key: p.key, success: true})
}

// release gives back what is reserved and not captured.
func (s *Server) release(p *payment) {
	rest := p.rest()
	p.Cancelled += rest
	s.settled(p)
	s.log(p, event{name: "CANCELLED", amount: rest, success: true})
}

// settled drops the capture deadline when it has nothing left to end.
func (s *Server) settled(p *payment) {
	if p.rest() == 0 {
		s.drop(p.deadline)
	}
}

// errNot says why the phone or the portal cannot do something.
func (p *payment) errNot(what string) error {
	return errors.New("vippstest: payment " + p.Reference + " " + what)
}

// guaranteedFor is how long capturing is certain to work: the shortest of the card networks' guarantees.
const guaranteedFor = 7 * 24 * time.Hour

const refundWithin = 365 * 24 * time.Hour

func captureWithin(market string) time.Duration {
	if market == "NO" {
		return 180 * 24 * time.Hour
	}
	return 14 * 24 * time.Hour
}

func paymentRoutes() []route {
	const root = "/epayment/v1/payments"
	one := root + "/{reference}"
	routes := []route{
		{
			op: "create", method: http.MethodPost, pattern: root, subject: "reference", body: requiredBody,
			key: requiredKey, conflict: "4020", perMinute: 5, handle: (*Server).createPayment,
		},
		{
			op: "get", method: http.MethodGet, pattern: one, pathRef: true,
			perMinute: 120, perKey: true, handle: existing((*Server).getPayment),
		},
		{
			op: "events", method: http.MethodGet, pattern: one + "/events", pathRef: true,
			perMinute: 120, perKey: true, handle: existing((*Server).getEvents),
		},
		{
			op: "capture", method: http.MethodPost, pattern: one + "/capture", pathRef: true, body: requiredBody,
			key: requiredKey, conflict: "4010", perMinute: 5, handle: existing((*Server).capturePayment),
		},
		{
			op: "cancel", method: http.MethodPost, pattern: one + "/cancel", pathRef: true, body: optionalBody,
			key: optionalKey, conflict: "4020", perMinute: 5, handle: existing((*Server).cancelPayment),
		},
		{
			op: "refund", method: http.MethodPost, pattern: one + "/refund", pathRef: true, body: requiredBody,
			key: requiredKey, conflict: "4150", perMinute: 5, handle: existing((*Server).refundPayment),
		},
		{
			op: "approve", method: http.MethodPost, pattern: "/epayment/v1/test/payments/{reference}/approve",
			pathRef: true, body: requiredBody, handle: existing((*Server).forceApprove),
		},
	}
	for i := range routes {
		routes[i].msn = msnRequired
		routes[i].refuse = refusePayment
	}
	return routes
}

// existing finds the payment an operation is about.
func existing(handle func(*Server, *call, *payment) reply) func(*Server, *call) reply {
	return func(s *Server, c *call) reply {
		p := s.payments[paymentID{c.msn, c.reference}]
		if p == nil {
			return c.refuse("5090", fmt.Sprintf("The reference %s does not exist for MSN %s", c.reference, c.msn))
		}
		return handle(s, c, p)
	}
}
