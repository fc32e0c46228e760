package vending

import (
	"fmt"
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
