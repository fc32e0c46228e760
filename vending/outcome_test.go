package vending_test

import (
	"strings"
	"testing"

	"github.com/vippsvending/vipps/vending"
)

// TestActionBeforeRefund does not have a product refunded that may have come out.
func TestActionBeforeRefund(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		outcome vending.Outcome
		first   string
	}{
		{vending.Outcome{Result: vending.OverCaptured, Captured: 2500, Over: 2500}, "refund"},
		{vending.Outcome{Result: vending.OverCaptured, Captured: 2500, Over: 2500, Unknown: 2500}, "look at the machine's counters"},
	} {
		if got := test.outcome.Action(); !strings.HasPrefix(got, test.first) {
			t.Errorf("%+v: %q, want %q first", test.outcome, got, test.first)
		}
	}
}
