package vending

import (
	"fmt"
)

// edges lists everything that can happen next.
func (e *explorer) edges(a world) []edge {
	out := e.buffer[:0]
	add := func(to world, free bool, why string, args ...any) {
		if e.describe {
			why = fmt.Sprintf(why, args...)
		}
		out = append(out, edge{to, why, free})
	}
	e.customer(a, add)
	e.late(a, add)
	e.clock(a, add)
	for i := range a.workers {
		e.worker(a, i, add)
	}
	e.buffer = out
	return out
}

type adder func(to world, free bool, why string, args ...any)

func (e *explorer) customer(a world, add adder) {
	if a.pay == payCreated {
		x := a
		x.pay = payAuthorized
		add(x, false, "the customer approves")
		x = a
		x.pay = payEnded
		add(x, false, "the customer aborts, or the payment expires")
	}
	if a.pay == payAuthorized && !a.portal && !a.cancelled && a.captured == 0 {
		x := a
		x.portal, x.cancelled = true, true
		add(x, false, "the portal cancels")
	}
}

func (e *explorer) late(a world, add adder) {
	if a.lateCreate {
		x := a
		x.lateCreate = false
		create(&x)
		add(x, true, "a late create arrives")
		x = a
		x.lateCreate = false
		add(x, true, "a late create is lost")
	}
	if a.lateGiveUp {
		x := a
		x.lateGiveUp = false
		e.cancel(&x, true)
		add(x, true, "a late cancel-if-not-authorized arrives")
	}
	if a.lateCancel {
		x := a
		x.lateCancel = false
		e.cancel(&x, false)
		add(x, true, "a late cancel arrives")
	}
	for i := range e.items {
		if !a.lateVend[i] {
			continue
		}
		for _, outcome := range []uint8{itemDropped, itemJammed} {
			x := a
			x.lateVend[i] = false
			e.vend(&x, i, outcome)
			add(x, true, "a late vend command %d arrives: %d", i+1, outcome)
		}
	}
	for n := range a.lateRefund {
		if a.lateRefund[n] {
			x := a
			x.lateRefund[n] = false
			refund(&x, uint8(n))
			add(x, true, "a late refund %d arrives", n)
		}
	}
	for n := range a.lateCapture {
		if a.lateCapture[n] {
			x := a
			x.lateCapture[n] = false
			e.capture(&x, uint8(n))
			add(x, true, "a late capture %d arrives", n)
		}
	}
}

// clock lets limits pass, and people bring facts of their own: one transaction each.
func (e *explorer) clock(a world, add adder) {
	if !a.times.openOver {
		x := a
		x.times.openOver = true
		add(x, true, "OpenUntil passes")
	} else if !a.times.openGone && !a.lateCreate {
		x := a
		x.times.openGone = true
		add(x, true, "two minutes after OpenUntil pass")
	}
	s := e.sessions[a.session]
	if s.State == Settling && s.Due > 0 {
		// An attempt that nobody sends is let run out once, to keep the run finite; one that is stuck always.
		n := s.Capture.N
		switch {
		case a.times.window == 0 && (n == 1 || a.captureKey[n] == keyRefused) && n < maxKeys-1:
			x := a
			x.times.window = 1
			add(x, true, "the window of capture %d passes", n)
		case a.times.window == 1 && !a.lateCapture[n]:
			x := a
			x.times.window = 2
			add(x, true, "two minutes after the window of capture %d pass", n)
		}
	}
	e.refundClock(a, add)
	silence := s.State == Vending
	if !silence || !a.silent {
		if id, ok := e.apply(a.session, factCode{kind: kindCode(factClock)}, a.times, true); ok && id != a.session {
			x := a
			x.session = id
			x.silent = x.silent || silence
			e.settled(a, &x)
			add(x, true, "a limit passes: %s", e.sessions[id].State)
		}
	}
	e.people(a, add)
	for n, who := range []string{"the return button", "another customer"} {
		if id, ok := e.apply(a.session, factCode{kind: kindCode(factWithdraw), n: uint8(n)}, a.times, false); ok && id != a.session {
			x := a
			x.session = id
			e.settled(a, &x)
			add(x, true, "%s: %s", who, e.sessions[id].State)
		}
	}
}

// refundClock lets the window of a refund run out.
func (e *explorer) refundClock(a world, add adder) {
	n := e.refunding(a.session)
	switch {
	case n == 0 || e.sessions[a.session].State != Closed:
	case a.times.refund == 0 && (n == 1 || a.refundKey[n] == keyRefused) && n < maxRefunds-1:
		x := a
		x.times.refund = 1
		add(x, true, "the window of refund %d passes", n)
	case a.times.refund == 1 && !a.lateRefund[n]:
		x := a
		x.times.refund = 2
		add(x, true, "two minutes after the window of refund %d pass", n)
	}
}

// people say that the customer wants nothing more, what came out of a held session, and that an item is to be refunded.
func (e *explorer) people(a world, add adder) {
	say := func(x world, f factCode, why string) {
		if id, ok := e.apply(a.session, f, a.times, false); ok && id != a.session {
			x.session = id
			e.settled(a, &x)
			add(x, false, "%s: %s", why, e.sessions[id].State)
		}
	}
	s := &e.sessions[a.session]
	if s.Maximum {
		say(a, factCode{kind: kindCode(factComplete)}, "the customer wants nothing more")
	}
	for i := range s.Items {
		if !e.mayStart(a, i) {
			say(a, factCode{kind: kindCode(factResolved), vend: uint8(i + 1), verdict: said(a.items[i])}, "a person looks into the machine")
		}
		if a.asked < e.refunds && s.State == Closed {
			x := a
			x.asked++
			say(x, factCode{kind: kindCode(factRefundAsked), vend: uint8(i + 1)}, "a person asks for a refund")
		}
	}
}

// mayStart says that the command for an item is still on its way. A person looks later than that.
func (e *explorer) mayStart(a world, i int) bool {
	for _, w := range a.workers {
		if w.pc == pcArmed && int(w.arg) == i {
			return true
		}
	}
	return a.lateVend[i]
}

// settled resets the windows of attempts that the session has replaced.
func (e *explorer) settled(before world, x *world) {
	was, is := &e.sessions[before.session], &e.sessions[x.session]
	if was.Capture.N != is.Capture.N {
		x.times.window = 0
		x.captureAmount[is.Capture.N] = int8(is.Capture.Amount)
	}
	if was.RefundN != is.RefundN || was.State != Closed && is.State == Closed {
		x.times.refund = 0
	}
}
