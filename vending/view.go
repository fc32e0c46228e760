package vending

import (
	"time"

	"github.com/vippsvending/vipps/epayment"
)

// View is what one read of a payment showed. Amounts are in minor units.
type View struct {
	// At is when the read was sent, by the store's clock.
	At time.Time
	// Exists is false if there is no such payment, or one that is not this session's.
	Exists bool
	State  epayment.State

	Authorized int64
	Captured   int64
	Cancelled  int64
	Refunded   int64
	// Twice says that the read before this one, by the same worker, showed the same.
	Twice bool
	// GuaranteedUntil is the last moment at which a capture is guaranteed; zero if the payment does not say.
	GuaranteedUntil time.Time
}

// free is what can still be captured.
func (v View) free() int64 { return v.Authorized - v.Captured - v.Cancelled }

// ended says that the payment can never be approved any more.
func (v View) ended() bool {
	return v.Exists && (v.State == epayment.StateAborted || v.State == epayment.StateExpired || v.State == epayment.StateTerminated)
}

// authorized says that there is, or was, a reservation. The state without an amount is a view that has not caught up.
func (v View) authorized() bool {
	return v.Exists && v.State == epayment.StateAuthorized && v.Authorized > 0
}

func (v View) created() bool { return v.Exists && v.State == epayment.StateCreated }

// atRest says that nothing more can happen to the payment by itself or by us.
func (v View) atRest() bool {
	return !v.Exists || v.ended() && v.Captured == 0 || v.authorized() && v.free() == 0
}

// literally is what "at rest" looks like to somebody who reads the sums alone. It is for the test that shows why not.
func (v View) literally() bool { return !v.Exists || v.Authorized == v.Captured+v.Cancelled }

// rank orders the states of a payment in time.
func (v View) rank() int {
	switch {
	case !v.Exists:
		return 0
	case v.State == epayment.StateCreated:
		return 1
	default:
		return 2
	}
}

// older says that a view is from before another: it shows less.
func (v View) older(than View) bool {
	return v.rank() < than.rank() || v.Authorized < than.Authorized || v.Captured < than.Captured ||
		v.Cancelled < than.Cancelled || v.Refunded < than.Refunded
}

// known says that a payment's state is one that this version understands.
func (v View) known() bool { return !v.Exists || v.created() || v.authorized() || v.ended() }
