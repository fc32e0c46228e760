package vending

import "time"

// effect is the one thing to do for a session now.
type effect int

const (
	doNothing    effect = iota // there is nothing left to do
	doSleep                    // until the time that comes with it
	doClock                    // a time limit has passed: tell the table
	doRead                     // GET
	doCreate                   // POST the frozen body
	doGiveUp                   // cancel, if nobody has approved
	doCancel                   // release what is reserved
	doCapture                  // capture, by the stored attempt
	doVend                     // tell the machine
	doConclude                 // ask the machine
	doReceipt                  // send the frozen receipt
	doRefund                   // refund, by the stored attempt
	doFindRefund               // look for the attempt in the payment's log
)

// armament is what a worker has to do with the command of a session that is Vending.
type armament int

const (
	unarmed armament = iota // the command is another worker's, or was
	armed                   // its own save has just entered Vending: it may tell the machine, once
	told                    // it has told the machine, or has run out of time to
)

// next decides what to do. view is the worker's own read, which no row has taken, or nil if it has none that is fresh;
// how says what this worker has to do with a vend command that is out.
func (r rules) next(s *Session, view *View, how armament) (effect, time.Time) {
	if view != nil && !usable(s, *view) {
		return doSleep, time.Time{}
	}
	switch s.State {
	case Opening:
		return r.opening(s)
	case Waiting:
		return r.waiting(s, view)
	case Withdrawing:
		return r.withdrawing(s, view)
	case Choosing:
		return r.choosing(s, view)
	case Vending:
		return r.vending(s, how)
	case Held:
		return until(s, s.HoldUntil)
	case Settling:
		return r.settling(s, view)
	case Closed:
		return r.closed(s, view)
	default:
		return doNothing, time.Time{} // a state of another version of this program
	}
}

func until(s *Session, at time.Time) (effect, time.Time) {
	if s.Now.Before(at) {
		return doSleep, at
	}
	return doClock, time.Time{}
}

func (r rules) opening(s *Session) (effect, time.Time) {
	if s.Now.Before(s.OpenUntil) && s.Creates < maxCreates {
		return doCreate, time.Time{}
	}
	return until(s, s.OpenUntil)
}

func (r rules) waiting(s *Session, view *View) (effect, time.Time) {
	switch {
	case !s.Now.Before(s.ApproveUntil):
		return doClock, time.Time{}
	case view == nil:
		return doRead, time.Time{}
	default:
		return doSleep, time.Time{}
	}
}

func (r rules) withdrawing(s *Session, view *View) (effect, time.Time) {
	switch {
	case s.Seat != "" && !s.Now.Before(s.SeatUntil):
		return doClock, time.Time{}
	case view == nil:
		return doRead, time.Time{}
	case view.created() && r.on(guardGiveUp):
		return doGiveUp, time.Time{}
	case view.created():
		return doCancel, time.Time{}
	default:
		return doSleep, time.Time{}
	}
}

func (r rules) choosing(s *Session, view *View) (effect, time.Time) {
	switch {
	case !s.Now.Before(s.SelectUntil):
		return doClock, time.Time{}
	case chooses(s): // the machine will say
		return doSleep, s.SelectUntil
	case view == nil:
		return doRead, time.Time{}
	default:
		return doSleep, time.Time{}
	}
}

// vending tells the machine or asks it. A command of another worker may be on its way as long as the machine may still
// start: asking would make its id unusable, whatever has woken us.
func (r rules) vending(s *Session, how armament) (effect, time.Time) {
	started := s.Since.Add(s.Timeouts.Start)
	switch {
	case how == armed || !r.on(guardConclude):
		return doVend, time.Time{}
	case how == unarmed && s.Now.Before(started):
		return doSleep, started
	default:
		return doConclude, time.Time{}
	}
}

func (r rules) settling(s *Session, view *View) (effect, time.Time) {
	if view == nil {
		return doRead, time.Time{}
	}
	switch needed, at := r.money(s, *view); needed {
	case capture:
		return doCapture, time.Time{}
	case release:
		return doCancel, time.Time{}
	case twice:
		return doRead, time.Time{}
	case wait, rest, surplus, loss, again:
		return doSleep, at
	default:
		return doSleep, at
	}
}

// closed does its tasks. It reads again whenever it is woken, as long as the payment may still appear.
func (r rules) closed(s *Session, view *View) (effect, time.Time) {
	i, at := s.task()
	switch {
	case s.Absent && view == nil:
		return doRead, time.Time{}
	case i >= 0 && s.Tasks[i].Kind == TaskReceipt:
		return doReceipt, time.Time{}
	case i >= 0 && s.Tasks[i].Kind == TaskRefund:
		return r.refunding(s, s.refund(s.Tasks[i].N), view)
	case i >= 0 && view == nil:
		return doRead, time.Time{}
	case i >= 0 || !at.IsZero():
		return doSleep, at
	case s.Absent: // somebody has woken it for nothing
		return doSleep, s.Now.Add(24 * time.Hour)
	default:
		return doNothing, time.Time{}
	}
}

// refunding sends the stored attempt while it may be sent. Afterwards, when it can no longer arrive, the payment's log says
// whether it did.
func (r rules) refunding(s *Session, refund *Refund, view *View) (effect, time.Time) {
	switch {
	case refund == nil:
		return doSleep, time.Time{}
	case view == nil:
		return doRead, time.Time{}
	case s.Now.Before(refund.SendUntil) && !refund.partlyIn(*view):
		return doRefund, time.Time{}
	case !s.Now.After(refund.SendUntil.Add(lateCapture)) && r.on(guardRefundLate):
		return doSleep, refund.SendUntil.Add(lateCapture + time.Second)
	case !view.Twice:
		return doRead, time.Time{}
	default:
		return doFindRefund, time.Time{}
	}
}

// maySend is asked once more just before the stored attempt goes out: a worker that was paused sends nothing after its
// window.
func (r rules) maySend(until, now time.Time) bool {
	return now.Before(until) || !r.on(guardWindow)
}
