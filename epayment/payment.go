package epayment

import (
	"errors"
	"time"

	"github.com/vippsvending/vipps"
)

// Payment is a payment as it is now.
type Payment struct {
	Reference string `json:"reference"`
	// PSPReference is Vipps MobilePay's name for the creation; every event has its own.
	PSPReference string `json:"pspReference"`
	// State says how the customer's decision ended. What became of the money says Aggregate.
	State State `json:"state"`
	// Amount is what was asked for.
	Amount        vipps.Amount `json:"amount"`
	Aggregate     Aggregate    `json:"aggregate"`
	PaymentMethod UsedMethod   `json:"paymentMethod"`
	Profile       Profile      `json:"profile,omitzero"`
	// RedirectURL may be there while the customer can still approve. Whoever holds it can pay, so it does not print.
	RedirectURL vipps.Secret `json:"redirectUrl,omitzero"`
	// Metadata is what was given on create.
	Metadata map[string]string `json:"metadata,omitzero"`
	// ShippingDetails is of Express payments; zero otherwise.
	ShippingDetails ShippingDetails `json:"shippingDetails,omitzero"`
	// UserDetails holds what the customer agreed to share; zero if nothing was asked for.
	UserDetails UserDetails `json:"userDetails,omitzero"`
	// CaptureGuaranteedUntil is the last moment at which a capture is guaranteed. Zero if the answer had none.
	CaptureGuaranteedUntil time.Time `json:"captureGuaranteedUntil,omitzero"`
}

// AtRest says that nothing is owed either way: what was authorized is captured or cancelled to the last unit, or the
// payment ended without the customer's approval and nothing was captured. Rest is final; a refund does not end it.
func (p Payment) AtRest() bool {
	switch p.State {
	case StateAborted, StateExpired, StateTerminated:
		return p.Aggregate.Captured.Value == 0
	case StateAuthorized:
		return p.Aggregate.Authorized.Value-p.Aggregate.Captured.Value == p.Aggregate.Cancelled.Value
	case StateCreated:
		return false
	default:
		return false // a state this version does not know
	}
}

// State is how far the customer's decision is.
//
// AUTHORIZED stays AUTHORIZED after a capture, a refund or a cancel: read Aggregate to know what became of the money.
type State string

// The states.
const (
	StateCreated    State = "CREATED"    // the customer has not decided
	StateAuthorized State = "AUTHORIZED" // the customer has approved: money is, or was, reserved
	StateAborted    State = "ABORTED"    // the customer said no
	StateExpired    State = "EXPIRED"    // the customer said nothing in time
	StateTerminated State = "TERMINATED" // the merchant cancelled before the customer decided
)

// Final says that the state will not change any more. The money may still move: see [State]. A state that this version does
// not know is not final.
func (s State) Final() bool {
	switch s {
	case StateAuthorized, StateAborted, StateExpired, StateTerminated:
		return true
	case StateCreated:
		return false
	default:
		return false
	}
}

// Aggregate is what became of the money so far, each amount a sum over all operations, all in the payment's currency.
type Aggregate struct {
	Authorized vipps.Amount `json:"authorizedAmount"`
	// Cancelled was released. Of a payment that was terminated before its approval it is the whole amount.
	Cancelled vipps.Amount `json:"cancelledAmount"`
	Captured  vipps.Amount `json:"capturedAmount"`
	Refunded  vipps.Amount `json:"refundedAmount"`
}

// UsedMethod is what a customer pays with.
type UsedMethod struct {
	Type MethodType `json:"type"`
	// CardBIN is the first six digits of the card, if they are known.
	CardBIN string `json:"cardBin,omitzero"`
}

// Profile leads to the Userinfo API.
type Profile struct {
	// Sub names the customer there. It is set once the payment is authorized, if Profile.Scope was asked for.
	Sub string `json:"sub,omitzero"`
}

// UserDetails is what the customer agreed to share. Nothing of a person prints.
type UserDetails struct {
	Email        vipps.Secret `json:"email,omitzero"`
	FirstName    vipps.Secret `json:"firstName,omitzero"`
	LastName     vipps.Secret `json:"lastName,omitzero"`
	MobileNumber vipps.Secret `json:"mobileNumber,omitzero"` // with the country code
	// DateOfBirth is text as it came: "1988-12-3", without leading zeros.
	DateOfBirth vipps.Secret `json:"dateOfBirth,omitzero"`
	Addresses   []Address    `json:"addresses,omitzero"`
}

var (
	errOther     = errors.New("the answer is about another payment")
	errState     = errors.New("the answer has no state")
	errAmount    = errors.New("the answer has no amount")
	errAggregate = errors.New("the answer has no complete aggregate in the payment's currency")
)

// absent is where an amount stays if an answer does not have it. 0 would be taken for a fact.
const absent = -1

func unreadAggregate() Aggregate {
	none := vipps.Amount{Value: absent}
	return Aggregate{Authorized: none, Cancelled: none, Captured: none, Refunded: none}
}

func unreadPayment() *Payment {
	return &Payment{Amount: vipps.Amount{Value: absent}, Aggregate: unreadAggregate()}
}

func (p *Payment) whole(reference string) error {
	return whole(p.Reference, reference, p.State, p.Amount, p.Aggregate)
}

// whole refuses an answer that lacks something that decisions about money are made by.
func whole(got, reference string, state State, amount vipps.Amount, a Aggregate) error {
	if err := sameReference(got, reference); err != nil {
		return err
	}
	switch {
	case state == "":
		return errState
	case amount.Currency == "" || amount.Value < 0:
		return errAmount
	}
	for _, sum := range [...]vipps.Amount{a.Authorized, a.Cancelled, a.Captured, a.Refunded} {
		if sum.Value < 0 || sum.Currency != amount.Currency {
			return errAggregate
		}
	}
	return nil
}

func sameReference(got, want string) error {
	if got != want {
		return errOther
	}
	return nil
}
