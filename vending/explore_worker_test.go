package vending

import (
	"fmt"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

func (e *explorer) worker(a world, i int, add adder) {
	w := a.workers[i]
	with := func(x world, w workerState) world { x.workers[i] = w; return x }
	idle := workerState{}
	if w.pc != pcIdle {
		add(with(a, idle), true, "w%d crashes", i)
	}
	switch w.pc {
	case pcIdle:
		e.choose(a, i, add)
		if e.sessions[a.session].Watched() {
			add(with(a, workerState{pc: pcLoaded, snap: a.session}), true, "w%d loads %s", i, e.sessions[a.session].State)
		}
	case pcLoaded:
		e.decide(a, i, add)
	case pcAct:
		e.perform(a, i, add)
	case pcFact:
		e.save(a, i, add)
	case pcArmed:
		e.tell(a, i, add)
	}
}

// choose brings a customer's choice to a worker, with a read, or with what was seen last if that is fresh.
func (e *explorer) choose(a world, i int, add adder) {
	s := &e.sessions[a.session]
	if s.State != Choosing || !s.Maximum || len(s.Items) >= e.items {
		return
	}
	for k, view := range []viewCode{e.read(a), s.Seen.code()} {
		f := factCode{kind: kindCode(factSelected), n: uint8(len(s.Items) + 1), view: view}
		x := a
		x.workers[i] = workerState{pc: pcFact, fact: e.internFact(f)}
		add(x, true, "w%d: the customer chooses item %d, %s %+v", i, f.n, []string{"which reads", "which was seen as"}[k], view)
	}
}

// decide reads the payment if the engine wants to, and takes its decision; nothing is sent yet.
func (e *explorer) decide(a world, i int, add adder) {
	w := a.workers[i]
	with := func(w workerState) world { x := a; x.workers[i] = w; return x }
	learnt := func(f factCode) workerState {
		return workerState{pc: pcFact, fact: e.internFact(f)}
	}
	snap := &e.sessions[w.snap]
	switch eff := e.next(w.snap, nil, a.times, false, false); eff {
	case doRead:
		v := e.read(a)
		f := factCode{kind: kindCode(factRead), view: v}
		if id, ok := e.apply(w.snap, f, a.times, false); ok {
			if id != w.snap {
				add(with(learnt(f)), true, "w%d reads %+v", i, v)
			}
			return
		}
		switch then := e.next(w.snap, &v, a.times, false, false); then {
		case doCapture:
			add(with(workerState{pc: pcAct, eff: uint8(then), arg: uint8(snap.Capture.N)}), true, "w%d reads %+v and will capture", i, v)
		case doGiveUp, doCancel:
			add(with(workerState{pc: pcAct, eff: uint8(then)}), true, "w%d reads %+v and will cancel", i, v)
		case doRefund, doFindRefund:
			add(with(workerState{pc: pcAct, eff: uint8(then), arg: uint8(e.refunding(w.snap))}), true, "w%d reads %+v and will see to the refund", i, v)
		case doNothing, doSleep, doClock, doRead, doCreate, doVend, doConclude, doReceipt:
			add(with(workerState{}), true, "w%d reads %+v and waits", i, v)
		}
	case doCreate:
		add(with(workerState{pc: pcAct, eff: uint8(eff)}), true, "w%d will create", i)
	case doConclude, doVend:
		add(with(workerState{pc: pcAct, eff: uint8(eff), arg: uint8(snap.Item)}), true, "w%d will ask the machine", i)
	case doClock:
		f := factCode{kind: kindCode(factClock)}
		add(with(learnt(f)), true, "w%d sees a limit passed", i)
	case doNothing, doSleep, doGiveUp, doCancel, doCapture, doReceipt, doRefund, doFindRefund:
		add(with(workerState{}), true, "w%d has nothing to do", i)
	}
}

// Answers of Vipps MobilePay that the engine has to judge.
var (
	answerRefused  = &vipps.Error{Status: 400, Code: "6100"}
	answerInFull   = &vipps.Error{Status: 400, Code: epayment.CodeMustCaptureFull}
	answerUnfunded = &vipps.Error{Status: 400, Code: epayment.CodeFundsUnavailable}
	answerLater    = &vipps.Error{Status: 400, Code: "6280"}
	answerGateway  = &vipps.Error{Status: 429}
	answerLost     = &vipps.Error{OutcomeUnknown: true}
)

// perform sends what was decided. The world may have moved on since.
func (e *explorer) perform(a world, i int, add adder) {
	w := a.workers[i]
	done := func(x world, f *factCode, why string, args ...any) {
		nw := workerState{}
		if f != nil {
			nw = workerState{pc: pcFact, fact: e.internFact(*f)}
		}
		x.workers[i] = nw
		if e.describe {
			why = fmt.Sprintf("w%d %s", i, fmt.Sprintf(why, args...))
		}
		add(x, true, "%s", why)
	}
	switch effect(w.eff) {
	case doCreate:
		e.performCreate(a, done)
	case doGiveUp:
		x := a
		e.cancel(&x, true)
		done(x, nil, "cancels if not authorized")
		if !a.lateGiveUp {
			x = a
			x.lateGiveUp = true
			done(x, nil, "cancels if not authorized: slow")
		}
		done(a, nil, "cancels if not authorized: 6250")
	case doCancel:
		x := a
		e.cancel(&x, false)
		done(x, nil, "cancels")
		if !a.lateCancel {
			x = a
			x.lateCancel = true
			done(x, nil, "cancels: slow")
		}
	case doCapture:
		e.performCapture(a, w.arg, done)
	case doConclude:
		e.performConclude(a, int(w.arg), done)
	case doVend: // only with a guard switched off: recovery tells the machine again
		index := int(w.arg)
		for _, outcome := range []uint8{itemDropped, itemJammed} {
			x := a
			verdict := e.vend(&x, index, outcome)
			done(x, verdictFact(index, verdict), "tells the machine again: %s", verdict)
		}
	case doRefund:
		e.performRefund(a, w.arg, done)
	case doFindRefund:
		f := factCode{kind: kindCode(factRefundMissing), n: w.arg, view: e.read(a)}
		if a.refundKey[w.arg] == keyDone {
			f.kind = kindCode(factRefunded)
		}
		done(a, &f, "looks for refund %d", w.arg)
	case doNothing, doSleep, doClock, doRead, doReceipt:
	}
}

func verdictFact(index int, verdict Verdict) *factCode {
	return &factCode{kind: kindCode(factVerdict), vend: uint8(index + 1), verdict: verdict}
}

type doner func(x world, f *factCode, why string, args ...any)

func (e *explorer) performCreate(a world, done doner) {
	anyRefusal := len(e.rules.instead) > 0
	refusal := func(answer *vipps.Error) *factCode {
		if e.rules.attemptOver(answer) || anyRefusal {
			return &factCode{kind: kindCode(factRefused)}
		}
		return nil
	}
	x := a
	if create(&x) {
		done(x, &factCode{kind: kindCode(factCreated)}, "creates: 201")
		done(x, nil, "creates: answer lost")
	} else {
		done(x, refusal(answerRefused), "creates: refused, as before")
	}
	if a.createKey == keyNew && a.refusals < e.maxRefused {
		x = a
		x.refusals++
		x.createKey = keyRefused
		done(x, refusal(answerRefused), "creates: refused")
	}
	done(a, refusal(answerGateway), "creates: 429")
	if !a.lateCreate && !a.times.openGone {
		x = a
		x.lateCreate = true
		done(x, nil, "creates: slow")
		if anyRefusal {
			done(x, refusal(answerGateway), "creates: slow, then 429")
		}
	}
}

func (e *explorer) performCapture(a world, n uint8, done doner) {
	newest := uint8(e.sessions[a.session].Capture.N)
	over := func(answer *vipps.Error, code uint8) *factCode {
		if e.rules.attemptOver(answer) {
			return &factCode{kind: kindCode(factCaptureRefused), n: n, code: code}
		}
		return nil
	}
	t := a.times
	if n < newest && a.captureKey[n] != keyRefused {
		t.window = 2 // another attempt was stored, so the window of this one has passed
	}
	current := e.at(a.session, t, false)
	if !e.rules.maySend(current.Capture.SendUntil, epoch) {
		done(a, nil, "does not send capture %d: its window has passed", n)
		return
	}
	x := a
	if e.capture(&x, n) {
		done(x, nil, "captures %d: 200", n)
		done(x, over(answerLost, 0), "captures %d: done, answer lost", n)
	} else if x.captureKey[n] == keyInFull {
		done(x, over(answerInFull, 2), "captures %d: refused, only in full", n)
	} else {
		done(x, over(answerRefused, 0), "captures %d: refused, sticky", n)
	}
	if a.captureKey[n] == keyNew && a.refusals < e.maxRefused {
		x = a
		x.refusals++
		done(x, over(answerLater, 0), "captures %d: 6280, not kept for the key", n)
		x.captureKey[n] = keyRefused
		done(x, over(answerLater, 0), "captures %d: 6280, sticky", n)
		done(x, over(answerRefused, 0), "captures %d: refused for good", n)
		done(x, over(answerUnfunded, 1), "captures %d: no funds", n)
	}
	done(a, over(answerGateway, 0), "captures %d: 429", n)
	if !a.lateCapture[n] {
		x = a
		x.lateCapture[n] = true
		done(x, over(answerLost, 0), "captures %d: slow", n)
	}
}

func (e *explorer) performRefund(a world, n uint8, done doner) {
	t := a.times
	if n != uint8(e.refunding(a.session)) {
		t.refund = 2 // it is over, or another attempt was stored
	}
	if current := e.at(a.session, t, false); t.refund == 2 || !e.rules.maySend(current.refund(int(n)).SendUntil, epoch) {
		done(a, nil, "does not send refund %d: its window has passed", n)
		return
	}
	refused := factCode{kind: kindCode(factRefundRefused), n: n}
	x := a
	if refund(&x, n) {
		done(x, &factCode{kind: kindCode(factRefunded), n: n, view: e.read(x)}, "refunds %d: 200", n)
		done(x, nil, "refunds %d: done, answer lost", n)
	} else {
		done(x, &refused, "refunds %d: refused, sticky", n)
	}
	if a.refundKey[n] == keyNew && a.refusals < e.maxRefused {
		x = a
		x.refusals++
		x.refundKey[n] = keyRefused
		done(x, nil, "refunds %d: try later, sticky", n)
		done(x, &refused, "refunds %d: refused for good", n)
	}
	if !a.lateRefund[n] {
		x = a
		x.lateRefund[n] = true
		done(x, nil, "refunds %d: slow", n)
	}
}

func (e *explorer) performConclude(a world, index int, done doner) {
	x := a
	if x.items[index] == itemFresh && !e.faults.noFence {
		x.items[index] = itemFenced
	}
	verdict := said(x.items[index])
	done(x, verdictFact(index, verdict), "concludes %d: %s", index+1, verdict)
	done(x, nil, "concludes %d: answer lost", index+1)
	if !a.silent {
		x.silent = true
		done(x, verdictFact(index, Unknown), "concludes %d: memory lost", index+1)
	}
}

// save stores what was learnt, on the session it was learnt for or on a newer one.
func (e *explorer) save(a world, i int, add adder) {
	w := a.workers[i]
	f := e.facts[w.fact]
	id, ok := e.apply(a.session, f, a.times, false)
	x := a
	x.workers[i] = workerState{}
	if !ok {
		add(x, true, "w%d gives way with its %s", i, kinds[f.kind])
		return
	}
	x.session = id
	e.settled(a, &x)
	before, after := &e.sessions[a.session], &e.sessions[id]
	if after.State == Vending && before.State != Vending {
		view := f.view.view()
		x.brokenCovering = !view.authorized() || view.free() < unitPrice+before.price(unsettled)
		x.workers[i] = workerState{pc: pcArmed, arg: uint8(after.Item)}
	}
	add(x, true, "w%d saves %s, item %d, due %d, capture %d", i, after.State, after.Item+1, after.Due, after.Capture.N)
	if e.lost && id != a.session {
		x.workers[i] = w
		add(x, true, "w%d saves %s, but the store's answer is lost", i, after.State)
	}
}

// tell sends the one vend command of the worker whose save armed it.
func (e *explorer) tell(a world, i int, add adder) {
	w := a.workers[i]
	index := int(w.arg)
	for _, outcome := range []uint8{itemDropped, itemJammed} {
		x := a
		verdict := e.vend(&x, index, outcome)
		x.workers[i] = workerState{pc: pcFact, fact: e.internFact(*verdictFact(index, verdict))}
		add(x, true, "w%d tells the machine to vend %d: %s", i, index+1, verdict)
		x.workers[i] = workerState{}
		add(x, true, "w%d tells the machine to vend %d: %s, answer lost", i, index+1, verdict)
	}
	x := a
	x.workers[i] = workerState{}
	x.lateVend[index] = true
	add(x, true, "w%d tells the machine to vend %d: slow", i, index+1)
}
