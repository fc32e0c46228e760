package epayment

import (
	"errors"
	"time"

	"github.com/vippsvending/vipps"
)

// Event is one entry of a payment's history.
type Event struct {
	Reference string `json:"reference"`
	// PSPReference is this event's own, and the same in its webhook.
	PSPReference string    `json:"pspReference"`
	Name         EventName `json:"name"`
	// Amount is of this operation, not a sum.
	Amount    vipps.Amount `json:"amount"`
	Timestamp time.Time    `json:"timestamp"`
	// IdempotencyKey is the key of the call that did it; empty if there was none or it is not told.
	IdempotencyKey string `json:"idempotencyKey,omitzero"`
	// Success is false for an operation that was tried and failed: such an event changed nothing.
	Success bool `json:"success"`
}

// EventName says what happened.
type EventName string

// The events. A webhook brings the same words as webhooks.EventName, such as webhooks.NameCaptured.
const (
	EventCreated    EventName = "CREATED"
	EventAuthorized EventName = "AUTHORIZED"
	EventAborted    EventName = "ABORTED"
	EventExpired    EventName = "EXPIRED"
	EventTerminated EventName = "TERMINATED"
	EventCaptured   EventName = "CAPTURED"
	EventCancelled  EventName = "CANCELLED"
	EventRefunded   EventName = "REFUNDED"
)

var errEvent = errors.New("the answer has an event without a name, a time or an amount")

func wholeEvents(events []Event, reference string) error {
	for _, event := range events {
		if err := sameReference(event.Reference, reference); err != nil {
			return err
		}
		if event.Name == "" || event.Timestamp.IsZero() || event.Amount.Currency == "" {
			return errEvent
		}
	}
	return nil
}
