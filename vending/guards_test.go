package vending

import (
	"strings"
	"testing"
)

// TestGuards switches each guard off and expects the exploration to find what it prevents: the rows of the list of things
// that look harmless and are not.
func TestGuards(t *testing.T) {
	t.Parallel()
	const stuck = "can never come to rest"
	for _, test := range []struct {
		name    string
		off     guard
		instead []row
		faults  machineFault
		items   int
		refunds uint8
		want    string
	}{
		{name: "closed sessions are never looked at again", off: guardLookAgain, items: 1, want: stuck},
		{
			name: "create refused, so closed", off: guardLookAgain, items: 1, want: stuck,
			instead: []row{{in(Opening), factRefused, "", nil, Closed, closeAbsent}},
		},
		{name: "not found, so closed at once", off: guardLookAgain | guardAbsent, items: 1, want: stuck},
		{name: "giving up decides and sends a full cancel in one step", off: guardGiveUp, items: 1, want: "not paid, though nobody refused"},
		{name: "asking the machine does not fence the id", faults: machineFault{noFence: true}, items: 1, want: "a product is out"},
		{name: "recovery repeats the vend command", off: guardConclude, faults: machineFault{forgetful: true}, items: 1, want: "came out twice"},
		{name: "a verdict is applied to another item", off: guardFactVend, items: 2, want: "more was captured than came out"},
		{name: "a refusal is applied to another attempt", off: guardFactN, items: 2, want: "more was captured than came out"},
		{name: "a new key after 429, 423, 6280 or a lost answer", off: guardConclusive, items: 2, want: "more was captured than came out"},
		{name: "the same key after a sticky refusal", off: guardNewKey, items: 1, want: stuck},
		{name: "an attempt is sent after its window", off: guardWindow, items: 2, want: "more was captured than came out"},
		{name: "a silent machine ends as not sold", off: guardUnknown, items: 1, want: "nobody is told"},
		{name: "an answer about a refund is applied to another attempt", off: guardRefundN, items: 1, refunds: 1, want: "more was refunded than asked for"},
		{name: "a refund is tried again before a late one must have arrived", off: guardRefundLate, items: 1, refunds: 1, want: "more was refunded than asked for"},
		{name: "at rest means authorized = captured + cancelled, literally", off: guardRest, items: 1, want: stuck},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := newExplorer(rules{off: test.off, instead: test.instead}, test.items, test.faults)
			e.refunds = test.refunds
			states, _ := limit(false)
			found := e.run(states)
			t.Log(found)
			if found.partial && RaceEnabled {
				t.Skip("not found within the limit for the race detector; runs without it")
			}
			if found.ok() || !strings.Contains(found.String(), test.want) || len(found.trace) == 0 {
				t.Errorf("the exploration does not show what the guard prevents: want %q", test.want)
			}
		})
	}
}
