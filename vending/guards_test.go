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
		name   string
		off    guard
		faults machineFault
		items  int
		want   string
	}{
		{"closed sessions are never looked at again", guardLookAgain, machineFault{}, 1, stuck},
		{"create refused, so closed", guardLookAgain | guardRefusedCreate, machineFault{}, 1, stuck},
		{"not found, so closed at once", guardLookAgain | guardAbsent, machineFault{}, 1, stuck},
		{"giving up decides and sends a full cancel in one step", guardGiveUp, machineFault{}, 1, "out and not paid, though nobody refused"},
		{"asking the machine does not fence the id", 0, machineFault{noFence: true}, 1, "a product is out"},
		{"recovery repeats the vend command", guardConclude, machineFault{forgetful: true}, 1, "came out twice"},
		{"a verdict is applied to another item", guardFactVend, machineFault{}, 2, "more was captured than came out"},
		{"a refusal is applied to another attempt", guardFactN, machineFault{}, 2, "more was captured than came out"},
		{"a new key after 429, 423, 6280 or a lost answer", guardConclusive, machineFault{}, 2, ""},
		{"the same key after a sticky refusal", guardNewKey, machineFault{}, 1, stuck},
		{"an attempt is sent after its window", guardWindow, machineFault{}, 2, "more was captured than came out"},
		{"a silent machine ends as not sold", guardUnknown, machineFault{}, 1, "nobody is told"},
		{"at rest means authorized = captured + cancelled, literally", guardRest, machineFault{}, 1, stuck},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			found := newExplorer(rules{off: test.off}, test.items, test.faults).run(10_000_000)
			t.Log(found)
			if found.ok() || !strings.Contains(found.String(), test.want) || len(found.trace) == 0 {
				t.Errorf("the exploration does not show what the guard prevents: want %q", test.want)
			}
		})
	}
}
