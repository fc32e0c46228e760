package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// draw is what goes wrong for one customer: nothing or one thing before there is a payment, and up to two after.
func draw(d *rand.Rand) (before, after []vippstest.Fault) {
	for range d.IntN(3) {
		fault := trouble(d)
		switch n := d.IntN(20); {
		case n < 4:
			fault.Op = "create"
			before = append(before, fault)
		case n < 9:
			fault.Op = "capture"
			after = append(after, codes(d, fault, "6280"))
		case n < 14:
			fault.Op = "get"
			fault.Skip = d.IntN(2)
			after = append(after, fault)
		case n < 18:
			fault.Op = "cancel"
			after = append(after, codes(d, fault, "6250"))
		case n < 19:
			fault.Op = "refund"
			after = append(after, fault)
		default:
			fault.Op = "receipt"
			after = append(after, fault)
		}
	}
	return before, after
}

// trouble is a way in which a request fails. The refusals say nothing for good.
func trouble(d *rand.Rand) vippstest.Fault {
	delay := between(d, 200*time.Millisecond, 3*time.Second)
	faults := []vippstest.Fault{
		{Kind: vippstest.ErrorBefore},
		{Kind: vippstest.ErrorAfter},
		{Kind: vippstest.HangUpBefore},
		{Kind: vippstest.HangUpAfter},
		{Kind: vippstest.HalfBody},
		{Kind: vippstest.Slow, Delay: delay},
		{Kind: vippstest.Late, Delay: delay},
		{Kind: vippstest.Refuse, Status: http.StatusTooManyRequests, RetryAfter: time.Second},
		{Kind: vippstest.Refuse, Status: http.StatusForbidden},
		{Kind: vippstest.Refuse, Status: http.StatusBadGateway},
	}
	fault := faults[d.IntN(len(faults))]
	fault.Count = 1 + d.IntN(2)
	return fault
}

// codes makes every fourth fault a refusal of the operation's own.
func codes(d *rand.Rand, fault vippstest.Fault, code string) vippstest.Fault {
	if d.IntN(4) > 0 {
		return fault
	}
	return vippstest.Fault{Op: fault.Op, Kind: vippstest.Refuse, Code: code, Count: fault.Count}
}

// kinds lists counts by kind, in brackets.
func kinds(counts map[string]int) string {
	if len(counts) == 0 {
		return ""
	}
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", kind, counts[kind]))
	}
	return " (" + strings.Join(words, ", ") + ")"
}
