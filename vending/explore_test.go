package vending

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// The exploration runs the engine's own transition functions against every order of events that a small world allows: two
// workers that crash, race and pause between reading and sending; requests that are lost, answered late or arrive late;
// refusals that stick to their key; a store whose answers are lost; a customer, a machine that jams or says nothing, and
// somebody at the merchant portal. It checks the promises in every state, and that from every state the payment can come
// to rest without the help of the customer or the portal.

const (
	unitPrice  = 1
	maxKeys    = 8 // capture attempts that a run can need
	maxRefused = 2 // refusals by Vipps MobilePay in one run
)

// The payment, as it really is.
const (
	payNone uint8 = iota
	payCreated
	payAuthorized
	payEnded
)

// An item, as it really is.
const (
	itemFresh uint8 = iota
	itemDropped
	itemJammed
	itemFenced // its id was concluded before anything moved
)

// What became of a key.
const (
	keyNew uint8 = iota
	keyDone
	keyRefused
)

// program counters of a worker.
const (
	pcIdle uint8 = iota
	pcLoaded
	pcAct   // has decided what to send, and has not sent it
	pcFact  // has learnt something, and has not saved it
	pcArmed // its save entered Vending, and it has not told the machine
)

type viewCode struct {
	pay                             uint8
	authorized, captured, cancelled int8
}

type factCode struct {
	kind    uint8
	view    viewCode
	vend    uint8 // index + 1
	verdict Verdict
	n       uint8
	code    uint8
}

// workerState keeps of a worker's snapshot only what the rest of its work depends on.
type workerState struct {
	pc   uint8
	eff  uint8
	arg  uint8  // pcAct and pcArmed: the capture attempt or the item that it is about
	snap uint16 // pcLoaded
	fact uint16 // pcFact
}

// times are the clocks of a run, as bits, because only the order in which limits pass matters.
type times struct {
	openOver bool  // OpenUntil has passed
	openGone bool  // and so have the two minutes after it
	window   uint8 // of the newest capture attempt: 0 open, 1 passed, 2 passed two minutes ago
}

type world struct {
	pay            uint8
	captured       int8
	cancelled      bool
	createKey      uint8
	captureKey     [maxKeys]uint8
	lateCreate     bool
	lateGiveUp     bool
	lateCancel     bool
	lateVend       [2]bool
	lateCapture    [maxKeys]bool
	items          [2]uint8
	drops          [2]uint8
	portal         bool // the one action at the portal was used
	silent         bool // the machine's one silence was used
	refusals       uint8
	times          times
	session        uint16
	workers        [2]workerState
	brokenCovering bool // a product was armed without a covering read
}

// edge is one thing that can happen.
type edge struct {
	to   world
	why  string // filled in for traces only
	free bool   // does not need the customer or the portal
}

// machineFault are promises of a machine, broken to show what they prevent.
type machineFault struct {
	noFence   bool // asking about an id does not make it unusable
	forgetful bool // a second command for an id turns the motor again
}

type explorer struct {
	rules  rules
	faults machineFault
	items  int
	lost   bool // answers of the store may be lost

	describe bool
	buffer   []edge

	sessions   []Session
	sessionIDs map[string]uint16
	facts      []factCode
	factIDs    map[factCode]uint16
	applied    map[applyKey]applyResult
	nexts      map[nextKey]effect
}

type applyKey struct {
	session, fact uint16
	times         times
	clock         bool
}

type applyResult struct {
	session uint16
	taken   bool
}

type nextKey struct {
	session uint16
	view    viewCode
	hasView bool
	times   times
	clock   bool
	armed   bool
}

var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func newExplorer(r rules, items int, faults machineFault) *explorer {
	r.timeouts = Timeouts{}.withDefaults()
	return &explorer{
		rules: r, items: items, faults: faults, lost: true,
		sessionIDs: map[string]uint16{}, factIDs: map[factCode]uint16{},
		applied: map[applyKey]applyResult{}, nexts: map[nextKey]effect{},
	}
}

// intern keeps one copy of each different session, without what only matters to people.
func (e *explorer) intern(s Session) uint16 {
	s.Now, s.Opened, s.OpenUntil, s.ApproveUntil, s.SeatUntil, s.VerdictUntil, s.HoldUntil = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.Seen.At, s.CancelAt, s.Capture.SendUntil, s.Capture.RetryAt, s.Approved, s.WakeAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.Since, s.Ended = time.Time{}, time.Time{}
	s.Creates, s.Unfunded = 0, 0
	for i := range s.Tasks {
		s.Tasks[i].At = time.Time{}
	}
	key := fmt.Sprint(s.State, s.Seat, s.Reason, s.Items, s.Item, s.Seen, s.Due, s.Capture, s.Refusals, s.CancelRefusals, s.Lost, s.Over, s.Absent, s.Outcome, len(s.Tasks))
	if id, ok := e.sessionIDs[key]; ok {
		return id
	}
	id := uint16(len(e.sessions))
	e.sessions = append(e.sessions, s)
	e.sessionIDs[key] = id
	return id
}

func (e *explorer) internFact(f factCode) uint16 {
	if id, ok := e.factIDs[f]; ok {
		return id
	}
	id := uint16(len(e.facts))
	e.facts = append(e.facts, f)
	e.factIDs[f] = id
	return id
}

// at gives a session the clocks of the run. With clock, every limit it waits for has passed.
func (e *explorer) at(id uint16, t times, clock bool) Session {
	s := e.sessions[id]
	before, after := epoch.Add(-time.Hour), epoch.Add(time.Hour)
	limit := after
	if clock {
		limit = before
	}
	s.Now = epoch
	s.OpenUntil = after
	if t.openOver {
		s.OpenUntil = epoch.Add(-time.Second)
	}
	if t.openGone {
		s.OpenUntil = before
	}
	s.ApproveUntil, s.SeatUntil, s.VerdictUntil, s.HoldUntil = limit, limit, limit, limit
	s.Capture.SendUntil = [...]time.Time{after, epoch.Add(-time.Minute), before}[t.window]
	s.Seen.At = epoch
	for i := range s.Tasks {
		s.Tasks[i].At = epoch
	}
	return s
}

var kinds = []factKind{factCreated, factUnanswered, factRefused, factRead, factClock, factWithdraw, factNotReady, factVerdict, factResolved, factCaptureRefused, factCancelRefused}

func kindCode(k factKind) uint8 {
	for i, kind := range kinds {
		if kind == k {
			return uint8(i)
		}
	}
	panic("unknown kind " + string(k))
}

var refusalCodes = []vipps.Code{"6100", codeFundsUnavailable}

var payStates = []epayment.State{"", epayment.StateCreated, epayment.StateAuthorized, epayment.StateTerminated}

func (v viewCode) view() View {
	return View{
		At: epoch, Exists: v.pay != payNone, State: payStates[v.pay],
		Authorized: int64(v.authorized), Captured: int64(v.captured), Cancelled: int64(v.cancelled),
	}
}

func (e *explorer) fact(f factCode) fact {
	out := fact{kind: kinds[f.kind], view: f.view.view(), verdict: f.verdict, n: int(f.n), code: refusalCodes[f.code]}
	if f.vend > 0 {
		out.vend = fmt.Sprintf("s-v%d", f.vend)
	}
	if out.kind == factWithdraw {
		out.reason = []Reason{ReasonReturned, ReasonReplaced}[f.n]
	}
	return out
}

func (e *explorer) apply(session uint16, f factCode, t times, clock bool) (uint16, bool) {
	key := applyKey{session, e.internFact(f), t, clock}
	if result, ok := e.applied[key]; ok {
		return result.session, result.taken
	}
	next, taken := e.rules.apply(e.at(session, t, clock), e.fact(f))
	result := applyResult{session, taken}
	if taken {
		result.session = e.intern(next)
	}
	e.applied[key] = result
	return result.session, result.taken
}

func (e *explorer) next(session uint16, view *viewCode, t times, clock, armed bool) effect {
	key := nextKey{session: session, times: t, clock: clock, armed: armed}
	var v *View
	if view != nil {
		key.view, key.hasView = *view, true
		full := view.view()
		v = &full
	}
	if result, ok := e.nexts[key]; ok {
		return result
	}
	s := e.at(session, t, clock)
	result, _ := e.rules.next(&s, v, armed)
	e.nexts[key] = result
	return result
}

func (e *explorer) reserved() int8 { return int8(e.items * unitPrice) }

// read is what a GET shows now.
func (e *explorer) read(a world) viewCode {
	v := viewCode{pay: a.pay}
	if a.pay == payAuthorized {
		v.authorized, v.captured = e.reserved(), a.captured
		if a.cancelled {
			v.cancelled = e.reserved() - a.captured
		}
	}
	if a.pay == payEnded {
		v.cancelled = e.reserved()
	}
	return v
}

func (e *explorer) start() world {
	s := Session{
		ID: "s", State: Opening, Seat: "m", Machine: "m", Due: -1, Currency: vipps.NOK, Reserved: int64(e.items * unitPrice),
	}
	for range e.items {
		s.Items = append(s.Items, Item{Price: unitPrice})
	}
	return world{session: e.intern(s)}
}

// create makes the payment, if the key and the times allow it.
func create(a *world) bool {
	if a.createKey == keyNew {
		a.createKey, a.pay = keyDone, payCreated
	}
	return a.createKey == keyDone
}

func (e *explorer) capture(a *world, n uint8) bool {
	amount := int8(e.sessions[a.session].Due)
	if a.captureKey[n] == keyNew {
		if a.pay == payAuthorized && !a.cancelled && amount > 0 && a.captured+amount <= e.reserved() {
			a.captured += amount
			a.captureKey[n] = keyDone
		} else {
			a.captureKey[n] = keyRefused
		}
	}
	return a.captureKey[n] == keyDone
}

func (e *explorer) cancel(a *world, onlyCreated bool) {
	switch {
	case a.pay == payCreated:
		a.pay = payEnded
	case a.pay == payAuthorized && !onlyCreated && a.captured < e.reserved():
		a.cancelled = true
	}
}

// vend tells the machine; outcome is what its motor does if it turns.
func (e *explorer) vend(a *world, i int, outcome uint8) Verdict {
	if a.items[i] == itemFresh || e.faults.forgetful && a.items[i] != itemFenced {
		a.items[i] = outcome
		if outcome == itemDropped {
			a.drops[i]++
		}
	}
	return said(a.items[i])
}

func said(item uint8) Verdict {
	if item == itemDropped {
		return Dropped
	}
	return NotDropped
}

// edges lists everything that can happen next.
func (e *explorer) edges(a world) []edge {
	out := e.buffer[:0]
	add := func(to world, free bool, why string, args ...any) {
		if e.describe {
			why = fmt.Sprintf(why, args...) //nolint:govet // the callers' formats are constant
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

func (e *explorer) worker(a world, i int, add adder) {
	w := a.workers[i]
	with := func(x world, w workerState) world { x.workers[i] = w; return x }
	idle := workerState{}
	if w.pc != pcIdle {
		add(with(a, idle), true, "w%d crashes", i)
	}
	switch w.pc {
	case pcIdle:
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
		case doNothing, doSleep, doClock, doRead, doCreate, doVend, doConclude:
			add(with(workerState{}), true, "w%d reads %+v and waits", i, v)
		}
	case doCreate:
		add(with(workerState{pc: pcAct, eff: uint8(eff)}), true, "w%d will create", i)
	case doConclude, doVend:
		add(with(workerState{pc: pcAct, eff: uint8(eff), arg: uint8(snap.Item)}), true, "w%d will ask the machine", i)
	case doClock:
		f := factCode{kind: kindCode(factClock)}
		add(with(learnt(f)), true, "w%d sees a limit passed", i)
	case doNothing, doSleep, doGiveUp, doCancel, doCapture:
		add(with(workerState{}), true, "w%d has nothing to do", i)
	}
}

// Answers of Vipps MobilePay that the engine has to judge.
var (
	answerRefused  = &vipps.Error{Status: 400, Code: "6100"}
	answerUnfunded = &vipps.Error{Status: 400, Code: codeFundsUnavailable}
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
	case doNothing, doSleep, doClock, doRead:
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
	if a.createKey == keyNew && a.refusals < maxRefused {
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
	if !e.rules.mayCapture(&current, epoch) {
		done(a, nil, "does not send capture %d: its window has passed", n)
		return
	}
	x := a
	if e.capture(&x, n) {
		done(x, nil, "captures %d: 200", n)
		done(x, over(answerLost, 0), "captures %d: done, answer lost", n)
	} else {
		done(x, over(answerRefused, 0), "captures %d: refused, sticky", n)
	}
	if a.captureKey[n] == keyNew && a.refusals < maxRefused {
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
		x.brokenCovering = !view.authorized() || view.free() < unitPrice
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

// violation names the promise that a state breaks, or is empty.
func (e *explorer) violation(a world) string {
	drops := int64(0)
	for i := range e.items {
		if a.drops[i] > 1 {
			return "a product came out twice"
		}
		drops += int64(a.drops[i]) * unitPrice
	}
	switch {
	case a.brokenCovering:
		return "a machine was told to vend without a reservation that covers it"
	case int64(a.captured) > drops:
		return "more was captured than came out"
	}
	s := &e.sessions[a.session]
	if s.State != Closed || !e.rest(a) {
		return ""
	}
	told := s.Outcome.Lost + s.Outcome.Unknown
	missing := drops - int64(a.captured)
	switch {
	case missing > told:
		return "closed; a product is out, not paid, and nobody is told"
	case missing > 0 && !a.portal && !a.silent && a.refusals == 0:
		return "closed; a product is out and not paid, though nobody refused anything"
	case s.Outcome.Captured-s.Outcome.Refunded+s.Outcome.Lost-s.Outcome.Over != s.price(dropped):
		return "closed; the outcome does not add up"
	default:
		return ""
	}
}

// rest says that the session is closed and the payment truly is at rest.
func (e *explorer) rest(a world) bool {
	return e.sessions[a.session].State == Closed && a.pay != payCreated &&
		(a.pay != payAuthorized || a.cancelled || a.captured == e.reserved())
}

// exploration is what was found.
type exploration struct {
	states    int
	partial   bool // stopped at the limit, so nothing is known of what can come to rest
	violation string
	trace     []string
	stuck     int
}

func (x exploration) ok() bool { return x.violation == "" && x.stuck == 0 }

func (x exploration) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d states", x.states)
	if x.violation != "" {
		fmt.Fprintf(&b, ", %s", x.violation)
	}
	if x.stuck > 0 {
		fmt.Fprintf(&b, ", %d of them can never come to rest", x.stuck)
	}
	for i, step := range x.trace {
		fmt.Fprintf(&b, "\n  %2d. %s", i+1, step)
	}
	return b.String()
}

// run explores breadth first, so that a trace is as short as can be.
func (e *explorer) run(limit int) exploration {
	start := e.canonical(e.start())
	ids := map[world]int32{start: 0}
	states := []world{start}
	parent := []int32{-1}
	var from, to []int32
	trace := func(id int32) []string {
		var chain []int32
		for ; id >= 0; id = parent[id] {
			chain = append(chain, id)
		}
		e.describe = true
		defer func() { e.describe = false }()
		var steps []string
		for k := len(chain) - 1; k > 0; k-- {
			for _, edge := range e.edges(states[chain[k]]) {
				if e.canonical(edge.to) == states[chain[k-1]] {
					steps = append(steps, edge.why)
					break
				}
			}
		}
		return steps
	}
	for at := int32(0); int(at) < len(states); at++ {
		if what := e.violation(states[at]); what != "" {
			return exploration{states: len(states), violation: what, trace: trace(at)}
		}
		if len(states) > limit {
			return exploration{states: len(states), partial: true}
		}
		for _, edge := range e.edges(states[at]) {
			next := e.canonical(edge.to)
			id, seen := ids[next]
			if !seen {
				id = int32(len(states))
				ids[next] = id
				states = append(states, next)
				parent = append(parent, at)
			}
			if edge.free && id != at {
				from, to = append(from, at), append(to, id)
			}
		}
	}
	stuck, example := e.stuck(states, from, to)
	found := exploration{states: len(states), stuck: stuck}
	if stuck > 0 {
		found.trace = trace(example)
	}
	return found
}

// stuck counts the states from which no path leads to rest.
func (e *explorer) stuck(states []world, from, to []int32) (int, int32) {
	// Edges by their target, so that the search can go backwards.
	first := make([]int32, len(states)+1)
	for _, t := range to {
		first[t+1]++
	}
	for i := range states {
		first[i+1] += first[i]
	}
	sources := make([]int32, len(to))
	fill := make([]int32, len(states))
	for k, t := range to {
		sources[first[t]+fill[t]] = from[k]
		fill[t]++
	}
	reaches := make([]bool, len(states))
	var queue []int32
	for i, a := range states {
		if e.rest(a) {
			reaches[i] = true
			queue = append(queue, int32(i))
		}
	}
	for len(queue) > 0 {
		t := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, s := range sources[first[t]:first[t+1]] {
			if !reaches[s] {
				reaches[s] = true
				queue = append(queue, s)
			}
		}
	}
	count, example := 0, int32(-1)
	for i := len(states) - 1; i >= 0; i-- {
		if !reaches[i] {
			count++
			example = int32(i)
		}
	}
	return count, example
}

// canonical drops what can make no difference any more, and orders the two workers: they are alike.
func (e *explorer) canonical(a world) world {
	if a.createKey != keyNew {
		a.lateCreate = false
		if e.sessions[a.session].State != Opening && !e.loadedOpening(a) {
			a.times.openOver, a.times.openGone = true, true
		}
	}
	if a.pay == payAuthorized || a.pay == payEnded {
		a.lateGiveUp = false
	}
	done := a.pay == payEnded || a.cancelled || a.captured == e.reserved()
	if done {
		a.lateCancel = false
	}
	for n := range a.lateCapture {
		if a.lateCapture[n] && (done || a.captureKey[n] != keyNew) {
			a.lateCapture[n] = false
			if a.captureKey[n] == keyNew {
				a.captureKey[n] = keyRefused
			}
		}
	}
	for i := range a.lateVend {
		if a.items[i] != itemFresh && !e.faults.forgetful {
			a.lateVend[i] = false
		}
	}
	x, y := a.workers[0], a.workers[1]
	if y.pc > x.pc || y.pc == x.pc && (y.snap > x.snap || y.snap == x.snap && (y.fact > x.fact || y.fact == x.fact && (y.eff > x.eff || y.eff == x.eff && y.arg > x.arg))) {
		a.workers[0], a.workers[1] = y, x
	}
	return a
}

func (e *explorer) loadedOpening(a world) bool {
	for _, w := range a.workers {
		if w.pc == pcLoaded && e.sessions[w.snap].State == Opening {
			return true
		}
	}
	return false
}

// limit bounds an exploration. The race detector makes it several times slower and has nothing to find in it: it is one
// goroutine.
func limit() int {
	if RaceEnabled {
		return 100_000
	}
	return 20_000_000
}

func TestExploreDynamicQR(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		items int
		rules rules
	}{
		{"one item", 1, rules{}},
		{"one item, held when unknown", 1, rules{unknown: HoldUnknown}},
		{"two items", 2, rules{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := newExplorer(test.rules, test.items, machineFault{})
			found := e.run(limit())
			t.Logf("%s, %d different sessions", found, len(e.sessions))
			if found.partial {
				t.Log("stopped at the limit for the race detector; the whole exploration runs without it")
			}
			if !found.ok() || found.partial && !RaceEnabled {
				t.Error("the promises do not hold")
			}
		})
	}
}
