package vending

import (
	"cmp"
	"flag"
	"fmt"
	"hash/maphash"
	"strings"
	"testing"
)

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
	}
	s := &e.sessions[a.session]
	switch {
	case int64(a.captured) > drops && !s.Full:
		return "more was captured than came out"
	case int64(a.refunded) > s.refunded(func(r Refund) bool { return r.State != RefundRefused }):
		return "more was refunded than asked for"
	}
	if s.State != Closed || !e.rest(a) {
		return ""
	}
	told := s.Outcome.Lost + s.Outcome.Unknown
	missing := drops - int64(a.captured) + int64(a.refunded)
	switch {
	case missing > told:
		return "closed; a product is out, not paid, and nobody is told"
	case int64(a.refunded) < s.refunded(func(r Refund) bool { return r.State == RefundDone }):
		return "closed; a refund is said to be done and is not"
	case -missing > s.Outcome.Over:
		return "closed; more was kept than came out, and nobody is told"
	case missing > 0 && !a.portal && !a.silent && a.refusals == 0 && a.asked == 0 && (!e.inFull || e.policy == CaptureAndRefund):
		return "closed; a product is out and not paid, though nobody refused anything"
	case s.Outcome.Captured-s.Outcome.Refunded+s.Outcome.Lost-s.Outcome.Over != s.price(dropped):
		return "closed; the outcome does not add up"
	default:
		return ""
	}
}

// rest says that the session is closed and the payment truly is at rest.
func (e *explorer) rest(a world) bool {
	return e.sessions[a.session].State == Closed && e.refunding(a.session) == 0 && a.pay != payCreated &&
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
	states := []world{start}
	ids := newIndex()
	ids.find(&states, start)
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
			id, seen := ids.find(&states, next)
			if !seen {
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

// index finds states. It is a map from states to their numbers, with a tenth of its memory: millions of them are looked up,
// and all the time goes into waiting for memory.
type index struct {
	seed  maphash.Seed
	slots []slot
	used  int
}

// slot is a state's number and a part of its hash; a tag of 0 is empty.
type slot struct {
	tag uint32
	id  int32
}

func newIndex() *index { return &index{seed: maphash.MakeSeed(), slots: make([]slot, 1<<16)} }

// find gives the number of a state, and adds it if it is new.
func (x *index) find(states *[]world, a world) (id int32, seen bool) {
	if 2*x.used >= len(x.slots) {
		x.grow(*states)
	}
	at, tag := x.hash(&a)
	for ; x.slots[at].tag != 0; at = (at + 1) & (len(x.slots) - 1) {
		if s := x.slots[at]; s.tag == tag && (*states)[s.id] == a {
			return s.id, true
		}
	}
	id = int32(x.used)
	if x.used == len(*states) {
		*states = append(*states, a)
	}
	x.slots[at] = slot{tag, id}
	x.used++
	return id, false
}

func (x *index) hash(a *world) (at int, tag uint32) {
	hash := maphash.Comparable(x.seed, *a)
	return int(hash) & (len(x.slots) - 1), uint32(hash>>32) | 1
}

func (x *index) grow(states []world) {
	x.slots = make([]slot, 4*len(x.slots))
	for id := range x.used {
		at, tag := x.hash(&states[id])
		for ; x.slots[at].tag != 0; at = (at + 1) & (len(x.slots) - 1) {
		}
		x.slots[at] = slot{tag, int32(id)}
	}
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
	for n := range a.lateRefund {
		if a.refundKey[n] != keyNew {
			a.lateRefund[n] = false
		}
	}
	for i := range a.lateVend {
		if a.items[i] != itemFresh && !e.faults.forgetful {
			a.lateVend[i] = false
		}
	}
	for i, w := range a.workers {
		if w.pc == pcFact && e.dead(a.session, w.fact) {
			a.workers[i] = workerState{}
		}
	}
	x, y := a.workers[0], a.workers[1]
	if y.pc > x.pc || y.pc == x.pc && (y.snap > x.snap || y.snap == x.snap && (y.fact > x.fact || y.fact == x.fact && (y.eff > x.eff || y.eff == x.eff && y.arg > x.arg))) {
		a.workers[0], a.workers[1] = y, x
	}
	return a
}

// dead says that no row takes a fact any more, whatever happens: its worker can only give way.
func (e *explorer) dead(session, fact uint16) bool {
	s, f := &e.sessions[session], e.facts[fact]
	switch kinds[f.kind] { //nolint:exhaustive // the others may still say something
	case factRead:
		view := f.view.view()
		return view.older(s.Seen)
	case factSelected:
		return int(f.n) <= len(s.Items) || s.Due >= 0
	case factRefused, factUnanswered:
		return s.State != Opening
	case factCreated:
		return s.State != Opening && s.Seen.Exists
	case factCaptureRefused:
		return int(f.n) < s.Capture.N && e.rules.on(guardFactN)
	case factRefunded, factRefundMissing, factRefundRefused:
		return s.refund(int(f.n)) == nil && int(f.n) < s.RefundN && e.rules.on(guardRefundN)
	default:
		return false
	}
}

func (e *explorer) loadedOpening(a world) bool {
	for _, w := range a.workers {
		if w.pc == pcLoaded && e.sessions[w.snap].State == Opening {
			return true
		}
	}
	return false
}

var whole = flag.Bool("whole", false, "explore the largest worlds to their end, and crash at every point")

// limit bounds an exploration, and says why. The race detector makes it several times slower and has nothing to find in it: it
// is one goroutine.
func limit(large bool) (states int, why string) {
	switch {
	case RaceEnabled:
		return 100_000, "the race detector is slow; the whole exploration runs without it"
	case large && !*whole:
		return 300_000, "it is large; go test -run Explore -whole explores all of it"
	default:
		return 20_000_000, ""
	}
}

func TestExplore(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		items   int
		unknown UnknownPolicy
		refund  InFullPolicy
		maximum bool
		inFull  bool
		refunds uint8
		refused uint8
		kept    bool // no answer of the store is lost
		large   bool
	}{
		{name: "exact, one item", items: 1},
		{name: "exact, one item, held when unknown", items: 1, unknown: HoldUnknown},
		{name: "exact, one item, refunded", items: 1, refunds: 1},
		{name: "maximum", items: 1, maximum: true},
		{name: "maximum, held when unknown", items: 1, maximum: true, unknown: HoldUnknown},
		{name: "maximum, refunded", items: 1, maximum: true, refunds: 1, large: true},
		{name: "maximum, in full only, released", items: 1, maximum: true, inFull: true, large: true},
		{name: "maximum, in full only, captured and refunded", items: 1, maximum: true, inFull: true, refund: CaptureAndRefund, refused: 1, large: true},
		// Two refusals in one run, and a store whose answers are lost, are in those above; together with two choices they are
		// too many states for a test.
		{name: "exact, two items, both refunded, one refusal", items: 2, refunds: 2, refused: 1, kept: true, large: true},
		{name: "maximum, two choices, held when unknown, one refusal", items: 2, maximum: true, unknown: HoldUnknown, refused: 1, kept: true, large: true},
		{name: "exact, two items", items: 2, large: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := newExplorer(rules{}, test.items, machineFault{})
			e.unknown, e.policy = test.unknown, test.refund
			e.maximum, e.inFull, e.refunds = test.maximum, test.inFull, test.refunds
			e.lost = !test.kept
			e.maxRefused = cmp.Or(test.refused, e.maxRefused)
			states, why := limit(test.large)
			found := e.run(states)
			t.Logf("%s, %d different sessions", found, len(e.sessions))
			if found.partial {
				t.Logf("stopped at %d states: %s", states, why)
			}
			if !found.ok() || found.partial && why == "" {
				t.Error("the promises do not hold")
			}
		})
	}
}
