package vending

import (
	"fmt"
	"time"

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
)

// fact carries what it is about, so that it can be tried on a newer session than the one it was learnt for, and be left
// alone by it.
type fact struct {
	kind     factKind
	view     View       // read
	redirect Sealed     // created
	reason   Reason     // withdraw
	vend     string     // verdict, resolved: the id of the try
	verdict  Verdict    // verdict, resolved
	n        int        // capture refused: the attempt
	code     vipps.Code // refused, capture refused, cancel refused
	cause    string     // unanswered, refused, not ready: for the history
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
	case factUnanswered, factRefused, factNotReady:
		return fmt.Sprintf("%s: %s", f.kind, f.cause)
	case factCreated, factClock:
		return string(f.kind)
	default:
		return string(f.kind)
	}
}

// Timeouts are how long a session may stay where it is. Zero fields take the defaults.
type Timeouts struct {
	// Open is how long the payment may be tried to be made. Defaults to 30 seconds.
	Open time.Duration
	// Approve is how long the customer has, from the moment the code is shown. Defaults to 90 seconds.
	Approve time.Duration
	// Seat is how long a machine waits for a withdrawal to be confirmed before it takes the next customer.
	// Defaults to 15 seconds.
	Seat time.Duration
	// Select is how long the next item may be waited for: the network may be away between two items, and the customer
	// leaves. Defaults to 60 seconds.
	Select time.Duration
	// Start is how long after it was told a machine may start its motor. Defaults to 20 seconds.
	Start time.Duration
	// Verdict is how long the machine has to say what came out. It is never shorter than Start. Defaults to 60 seconds.
	Verdict time.Duration
	// Hold is how long a person has to resolve a held session; never longer than 12 hours before the capture deadline.
	// Defaults to 24 hours.
	Hold time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	for _, field := range []struct {
		value *time.Duration
		or    time.Duration
	}{
		{&t.Open, 30 * time.Second},
		{&t.Approve, 90 * time.Second},
		{&t.Seat, 15 * time.Second},
		{&t.Select, 60 * time.Second},
		{&t.Start, 20 * time.Second},
		{&t.Verdict, 60 * time.Second},
		{&t.Hold, 24 * time.Hour},
	} {
		if *field.value == 0 {
			*field.value = field.or
		}
	}
	t.Verdict = max(t.Verdict, t.Start)
	return t
}

const (
	// fresh is how old a read may be when a product is let out on it.
	fresh = 15 * time.Second
	// lateCreate is how long after OpenUntil a request to make the payment may still arrive.
	lateCreate = 2 * time.Minute
	// lookAfter is when a session that closed without a payment looks once more.
	lookAfter = 20 * time.Minute
	// maxCreates is how often the payment is tried to be made; five changing calls a minute are allowed.
	maxCreates = 4
	// sendWindow is how long one attempt at a capture may be sent.
	sendWindow = 10 * time.Minute
	// lateCapture is how long after its window a capture may still arrive.
	lateCapture = 2 * time.Minute
	// guarantee is how long a reservation is good for if the payment does not say.
	guarantee = 6 * 24 * time.Hour
)

// backoff is when to try again what was refused: after 1, 10 and 60 minutes, then daily.
func backoff(refusals int) time.Duration {
	switch refusals {
	case 0, 1:
		return time.Minute
	case 2:
		return 10 * time.Minute
	case 3:
		return time.Hour
	default:
		return 24 * time.Hour
	}
}
