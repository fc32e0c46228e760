package vending

import (
	"fmt"
	"math"
	"slices"
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
	maxRefunds = 6 // attempts at refunds that a run can need
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
	keyInFull // refused because only everything can be captured
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
	refunded                        int8
}

// code is a view as the exploration keeps it.
func (v View) code() viewCode {
	return viewCode{
		pay: uint8(slices.Index(payStates, v.State)), authorized: int8(v.Authorized), captured: int8(v.Captured),
		cancelled: int8(v.Cancelled), refunded: int8(v.Refunded),
	}
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
	refund   uint8 // of the refund that is being made: the same
}

type world struct {
	pay            uint8
	captured       int8
	cancelled      bool
	createKey      uint8
	captureKey     [maxKeys]uint8
	captureAmount  [maxKeys]int8
	refunded       int8
	refundKey      [maxRefunds]uint8
	lateRefund     [maxRefunds]bool
	asked          uint8 // how often a person has asked for a refund
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
	// maximum has the customer choose after the approval, once or twice; inFull is a sales unit that captures everything or
	// nothing.
	maximum, inFull bool
	// refunds is how many items a person may refund.
	refunds uint8
	unknown UnknownPolicy
	policy  InFullPolicy
	// maxRefused is how often Vipps MobilePay refuses something in one run.
	maxRefused uint8

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
	return &explorer{
		rules: r, items: items, faults: faults, lost: true, maxRefused: 2,
		sessionIDs: map[string]uint16{}, factIDs: map[factCode]uint16{},
		applied: map[applyKey]applyResult{}, nexts: map[nextKey]effect{},
	}
}

// intern keeps one copy of each different session, without what only matters to people.
func (e *explorer) intern(s Session) uint16 {
	s.Now, s.Opened, s.OpenUntil, s.ApproveUntil, s.SeatUntil, s.SelectUntil, s.VerdictUntil, s.HoldUntil = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.Seen.At, s.Seen.Twice, s.CancelAt, s.Capture.SendUntil, s.Capture.RetryAt, s.Approved, s.WakeAt = time.Time{}, false, time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	s.Since, s.Ended = time.Time{}, time.Time{}
	for i := range s.Refunds {
		s.Refunds[i].SendUntil, s.Refunds[i].Asked = time.Time{}, time.Time{}
	}
	s.Creates, s.Unfunded = 0, 0
	for i := range s.Tasks {
		s.Tasks[i].At = time.Time{}
	}
	key := fmt.Sprint(s.State, s.Seat, s.Reason, s.Items, s.Item, s.Seen, s.Due, s.Capture, s.Refusals, s.CancelRefusals, s.Lost, s.Over, s.Absent, s.Outcome, s.Tasks, s.MaxItems, s.Full, s.Refunds, s.RefundN)
	if id, ok := e.sessionIDs[key]; ok {
		return id
	}
	if len(e.sessions) > math.MaxUint16 {
		panic("more different sessions than have an id")
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
	s.ApproveUntil, s.SeatUntil, s.SelectUntil, s.VerdictUntil, s.HoldUntil = limit, limit, limit, limit, limit
	s.Capture.SendUntil = [...]time.Time{after, epoch.Add(-time.Minute), before}[t.window]
	s.Seen.At = epoch
	for i := range s.Tasks {
		s.Tasks[i].At = epoch
	}
	s.Ended = epoch
	s.Refunds = slices.Clone(s.Refunds)
	for i := range s.Refunds {
		s.Refunds[i].SendUntil = [...]time.Time{after, epoch.Add(-time.Minute), before}[t.refund]
	}
	return s
}

var kinds = []factKind{
	factCreated, factUnanswered, factRefused, factRead, factClock, factWithdraw, factNotReady, factVerdict, factResolved, factCaptureRefused, factCancelRefused,
	factSelected, factComplete, factRefundAsked, factRefunded, factRefundMissing, factRefundRefused, factReceipt, factAcknowledged, factPostponed, factSilent,
}

func kindCode(k factKind) uint8 {
	for i, kind := range kinds {
		if kind == k {
			return uint8(i)
		}
	}
	panic("unknown kind " + string(k))
}

var refusalCodes = []vipps.Code{"6100", epayment.CodeFundsUnavailable, epayment.CodeMustCaptureFull}

var payStates = []epayment.State{"", epayment.StateCreated, epayment.StateAuthorized, epayment.StateTerminated}

func (v viewCode) view() View {
	return View{
		At: epoch, Twice: true, Exists: v.pay != payNone, State: payStates[v.pay],
		Authorized: int64(v.authorized), Captured: int64(v.captured), Cancelled: int64(v.cancelled),
		Refunded: int64(v.refunded),
	}
}

func (e *explorer) fact(f factCode) fact {
	out := fact{kind: kinds[f.kind], view: f.view.view(), verdict: f.verdict, n: int(f.n), code: refusalCodes[f.code]}
	if f.vend > 0 {
		out.vend = fmt.Sprintf("s-v%d", f.vend)
	}
	switch out.kind { //nolint:exhaustive // the others say no more
	case factSelected:
		out.item = Item{Price: unitPrice}
	case factRefundAsked:
		out.refund = Refund{Amount: unitPrice, Items: []string{out.vend}, Reason: "asked"}
	case factWithdraw:
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

func (e *explorer) next(session uint16, view *viewCode, t times, clock, armedNow bool) effect {
	key := nextKey{session: session, times: t, clock: clock, armed: armedNow}
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
	how := unarmed // the limits of a command are not waited for: asking too early must be harmless too
	if armedNow {
		how = armed
	}
	result, _ := e.rules.next(&s, v, how)
	e.nexts[key] = result
	return result
}

// reserved is the price of the items, and twice the price of one where the customer chooses afterwards.
func (e *explorer) reserved() int8 {
	if e.maximum {
		return 2 * unitPrice
	}
	return int8(e.items * unitPrice)
}

// current is the attempt at a refund that the session is making; 0 if there is none.
func (e *explorer) refunding(session uint16) int {
	for _, task := range e.sessions[session].Tasks {
		if task.Kind == TaskRefund {
			return task.N
		}
	}
	return 0
}

// read is what a GET shows now.
func (e *explorer) read(a world) viewCode {
	v := viewCode{pay: a.pay}
	if a.pay == payAuthorized {
		v.authorized, v.captured, v.refunded = e.reserved(), a.captured, a.refunded
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
		ID: "s", State: Opening, Seat: "m", Machine: "m", Due: -1, Currency: vipps.NOK, Reserved: int64(e.reserved()),
		Timeouts: defaultTimeouts, UnknownVerdict: e.unknown, InFull: e.policy,
	}
	if e.maximum {
		s.Maximum, s.MaxItems = true, e.items
		return world{session: e.intern(s)}
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
	amount := a.captureAmount[n]
	if a.captureKey[n] == keyNew {
		switch {
		case a.pay != payAuthorized || a.cancelled || amount <= 0 || a.captured+amount > e.reserved():
			a.captureKey[n] = keyRefused
		case e.inFull && amount < e.reserved():
			a.captureKey[n] = keyInFull
		default:
			a.captured += amount
			a.captureKey[n] = keyDone
		}
	}
	return a.captureKey[n] == keyDone
}

// refund gives one unit back, under a key.
func refund(a *world, n uint8) bool {
	if a.refundKey[n] == keyNew {
		a.refundKey[n] = keyRefused
		if a.refunded+unitPrice <= a.captured {
			a.refunded += unitPrice
			a.refundKey[n] = keyDone
		}
	}
	return a.refundKey[n] == keyDone
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
