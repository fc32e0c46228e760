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
	for n, who := range []string{"the return button", "another customer"} {
		if id, ok := e.apply(a.session, factCode{kind: kindCode(factWithdraw), n: uint8(n)}, a.times, false); ok && id != a.session {
			x := a
			x.session = id
			e.settled(a, &x)
			add(x, true, "%s: %s", who, e.sessions[id].State)
		}
	}
}

// settled resets the window of the capture attempt when the session has got a new one.
func (e *explorer) settled(before world, x *world) {
	if e.sessions[before.session].Capture.N != e.sessions[x.session].Capture.N {
		x.times.window = 0
	}
}
