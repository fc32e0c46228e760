package vending

import (
	"fmt"

	"github.com/vippsvending/vipps"
)

// factKind is what a worker has learnt, or a person has said.
type factKind string

const (
	factCreated        factKind = "created"         // the payment was made
	factUnanswered     factKind = "unanswered"      // the request to make it was not answered, or refused for the moment
	factRefused        factKind = "refused"         // it was refused for good
	factRead           factKind = "read"            // the payment, as it was
	factClock          factKind = "clock"           // time has passed
	factWithdraw       factKind = "withdraw"        // somebody takes the session back
	factNotReady       factKind = "not ready"       // the machine cannot sell
	factVerdict        factKind = "verdict"         // the machine's word on one item
	factResolved       factKind = "resolved"        // a person's word on one item
	factCaptureRefused factKind = "capture refused" // for good, under this attempt's key
	factCancelRefused  factKind = "cancel refused"  // for good, for now
	factSelected       factKind = "selected"        // the customer has chosen an item, and the payment was seen
	factComplete       factKind = "complete"        // the customer wants nothing more
	factRefundAsked    factKind = "refund asked"    // by a person
	factRefunded       factKind = "refunded"        // the answer, or the payment's log, says so
	factRefundMissing  factKind = "refund missing"  // the payment's log does not have it
	factRefundRefused  factKind = "refund refused"  // for good
	factReceipt        factKind = "receipt"         // nothing is left to do about it
	factPostponed      factKind = "postponed"       // a task that failed is tried again later
	factSilent         factKind = "silent"          // the machine was asked what became of an item, and did not answer
	factAcknowledged   factKind = "acknowledged"    // a person has dealt with the outcome
)

// fact carries what it is about, so that it can be tried on a newer session than the one it was learnt for, and be left
// alone by it.
type fact struct {
	kind     factKind
	view     View       // read, selected, refunded, refund missing
	redirect Sealed     // created
	reason   Reason     // withdraw
	vend     string     // verdict, resolved, silent: the id of the try
	verdict  Verdict    // verdict, resolved
	n        int        // capture refused, refund…: the attempt; selected: the ordinal, from 1
	code     vipps.Code // refused, capture refused, cancel refused, refund refused
	item     Item       // selected
	refund   Refund     // refund asked
	cause    string     // unanswered, refused, not ready, receipt, acknowledged, postponed, silent: for the history
}

// String is the fact for the history. It holds no secret.
func (f fact) String() string {
	switch f.kind {
	case factRead:
		if !f.view.Exists {
			return "read: no payment"
		}
		return fmt.Sprintf("read: %s, authorized %d, captured %d, cancelled %d", f.view.State, f.view.Authorized, f.view.Captured, f.view.Cancelled)
	case factWithdraw:
		return fmt.Sprintf("withdraw: %s", f.reason)
	case factVerdict, factResolved:
		return fmt.Sprintf("%s: %s %s", f.kind, f.vend, f.verdict)
	case factCaptureRefused:
		return fmt.Sprintf("capture %d refused: %s", f.n, f.code)
	case factCancelRefused:
		return fmt.Sprintf("%s: %s", f.kind, f.code)
	case factUnanswered, factRefused, factNotReady, factReceipt, factAcknowledged, factPostponed, factSilent:
		return fmt.Sprintf("%s: %s", f.kind, f.cause)
	case factSelected:
		return fmt.Sprintf("selected: %d. %s in %s for %d", f.n, f.item.Name, f.item.Slot, f.item.Price)
	case factRefundAsked:
		return fmt.Sprintf("refund asked: %d, %s", f.refund.Amount, f.refund.Reason)
	case factRefunded, factRefundMissing:
		return fmt.Sprintf("%s: attempt %d", f.kind, f.n)
	case factRefundRefused:
		return fmt.Sprintf("refund %d refused: %s", f.n, f.code)
	case factCreated, factClock, factComplete:
		return string(f.kind)
	default:
		return string(f.kind)
	}
}
