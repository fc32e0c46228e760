package webhooks

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/vippsvending/vipps"
)

// Event is what a delivery tells: a [*PaymentEvent], a [*CheckInEvent] or an [*UnknownEvent], and nothing else. An event is a
// nudge, not the truth: it may come late, twice, or never. Read the payment before money or goods move.
type Event interface {
	// Key is the same for each delivery of the same event, and different for different events, for tables of what has been
	// handled. It holds no secret.
	Key() string

	setSentAt(time.Time)
}

// EventName is what happened to a payment. Names that are not among the constants are kept as they came.
type EventName string

// The names of events of a payment. The same words are epayment.EventName in a payment's log; what a registration asks for
// is an [EventType], such as [PaymentCaptured].
const (
	NameCreated    EventName = "CREATED"
	NameAborted    EventName = "ABORTED" // by the customer
	NameExpired    EventName = "EXPIRED"
	NameCancelled  EventName = "CANCELLED" // the reservation, or a part of it, was released
	NameCaptured   EventName = "CAPTURED"
	NameRefunded   EventName = "REFUNDED"
	NameAuthorized EventName = "AUTHORIZED" // the money is reserved
	NameTerminated EventName = "TERMINATED" // by the merchant, before the customer approved
)

// PaymentEvent tells that something happened to a payment, or that an operation on it failed.
type PaymentEvent struct {
	MSN          string // the sales unit
	Reference    string
	PSPReference string // of this event; the payment has one of its own
	Name         EventName
	// Amount is the amount of this operation, such as one of several captures.
	Amount    vipps.Amount
	Timestamp time.Time // when it happened; zero if the delivery does not say
	// IdempotencyKey is the one that the operation was asked for with; empty if there was none.
	IdempotencyKey string
	// Success is false if the operation failed. Nothing has changed then, whatever the name says.
	Success bool
	// CaptureGuaranteedUntil comes with AUTHORIZED: until then a capture cannot fail for lack of money. Zero if unknown.
	CaptureGuaranteedUntil time.Time
	Sub                    vipps.Secret     // the customer's id for Userinfo, if profile data was asked for
	UserDetails            *UserDetails     // nil if the customer was not asked to share them
	ShippingDetails        *ShippingDetails // nil outside Express
	// SentAt is the signed date of the delivery, set by [Handler]; zero from Parse.
	SentAt time.Time
	Raw    vipps.Secret // the body as it came
}

// Key is made of sales unit, reference, name and the event's PSP reference, since a payment may have several captures.
func (e *PaymentEvent) Key() string {
	return "payment/" + e.MSN + "/" + e.Reference + "/" + string(e.Name) + "/" + e.PSPReference
}

func (e *PaymentEvent) setSentAt(at time.Time) { e.SentAt = at }

// UserDetails are what the customer agreed to share. Any of them may be empty. They print redacted.
type UserDetails struct {
	Email        vipps.Secret `json:"email"`
	FirstName    vipps.Secret `json:"firstName"`
	LastName     vipps.Secret `json:"lastName"`
	MobileNumber vipps.Secret `json:"mobileNumber"`
	DateOfBirth  vipps.Secret `json:"dateOfBirth"` // not padded: "1988-12-3"
	Addresses    []Address    `json:"addresses"`
}

// Address is where a customer lives or wants something sent. The parts that say who print redacted.
type Address struct {
	AddressLine1 vipps.Secret `json:"addressLine1"`
	AddressLine2 vipps.Secret `json:"addressLine2"`
	City         vipps.Secret `json:"city"`
	PostCode     vipps.Secret `json:"postCode"`
	Country      string       `json:"country"` // ISO 3166: "NO"
}

// ShippingDetails are what the customer chose in Express.
type ShippingDetails struct {
	Address            Address `json:"address"`
	ShippingCost       int64   `json:"shippingCost"` // minor units, in the payment's currency
	ShippingOptionID   string  `json:"shippingOptionId"`
	ShippingOptionName string  `json:"shippingOptionName"`
}

// CheckInEvent tells that a customer has scanned a merchant callback QR code and waits for a payment request now.
type CheckInEvent struct {
	// CustomerToken addresses the customer in a new payment, for 15 minutes.
	CustomerToken vipps.Secret
	MerchantQRID  string    // the code that was scanned
	MSN           string    // the sales unit
	InitiatedAt   time.Time // when the code was scanned, by Vipps MobilePay's clock; zero if the delivery does not say
	// SentAt is the signed date of the delivery, set by [Handler]; zero from Parse.
	SentAt time.Time
	Raw    vipps.Secret // the body as it came
}

// Key is derived from the token by SHA-256, so that it is no secret.
func (e *CheckInEvent) Key() string { return "checkin/" + digest(string(e.CustomerToken)) }

// Age is how long before this delivery the code was scanned, both by Vipps MobilePay's clock, so that a wrong clock here does
// not matter. It is false if either time is unknown: then the event must not pass for a fresh one. The date of a delivery has
// whole seconds, so an age may be a little below zero.
func (e *CheckInEvent) Age() (time.Duration, bool) {
	if e.SentAt.IsZero() || e.InitiatedAt.IsZero() {
		return 0, false
	}
	return e.SentAt.Sub(e.InitiatedAt), true
}

func (e *CheckInEvent) setSentAt(at time.Time) { e.SentAt = at }

// UnknownEvent is an event that this version cannot read: one of another API, or one that is new. It is to be acknowledged,
// since a delivery that is not blocks those behind it.
type UnknownEvent struct {
	// SentAt is the signed date of the delivery, set by [Handler]; zero from Parse.
	SentAt time.Time
	Raw    vipps.Secret // the body as it came; it may not even be JSON
}

// Key is derived from the body by SHA-256.
func (e *UnknownEvent) Key() string { return "unknown/" + digest(string(e.Raw)) }

func (e *UnknownEvent) setSentAt(at time.Time) { e.SentAt = at }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
