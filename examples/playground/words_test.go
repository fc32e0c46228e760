package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

// What the page says of a sale that did not go as planned is true.
func TestWords(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	one := func(v vending.Verdict) []vending.Item {
		return []vending.Item{{Name: "Cola", Price: 2500, VendID: "s-v1", Concluded: true, Verdict: v}}
	}
	closed := func(reason vending.Reason, o vending.Outcome, items []vending.Item) vending.Session {
		return vending.Session{State: vending.Closed, Reason: reason, Outcome: o, Items: items}
	}
	reserved := vending.View{Authorized: 4500}
	charged := vending.View{Authorized: 4500, Captured: 4500}
	released := vending.View{Authorized: 4500, Cancelled: 4500}
	for name, test := range map[string]struct {
		session vending.Session
		fault   string // whose resolution is read; empty for the words of the sale
		says    string
	}{
		"choosing":                   {vending.Session{State: vending.Choosing, Maximum: true, Reserved: 4500, Seen: reserved}, "", "At most 45.00 NOK is reserved. Nothing is charged yet."},
		"choosing, captured by hand": {vending.Session{State: vending.Choosing, Maximum: true, Reserved: 4500, Seen: charged}, "", "45.00 NOK was approved, and 45.00 NOK is charged already."},
		"vending, captured by hand":  {vending.Session{State: vending.Vending, Seen: charged, Items: one(vending.Unknown)}, "", "45.00 NOK was approved, and 45.00 NOK is charged already. The machine lets cola out."},
		"choosing, released by hand": {vending.Session{State: vending.Choosing, Maximum: true, Reserved: 4500, Seen: released}, "", "45.00 NOK was approved, and 45.00 NOK is released already."},
		"held, released by hand":     {vending.Session{State: vending.Held, Seen: released, Items: one(vending.Unknown)}, "", "Nobody knows whether cola came out. 45.00 NOK was approved, and 45.00 NOK is released already."},
		"held":                       {vending.Session{State: vending.Held, Seen: charged, Items: one(vending.Unknown)}, faultSilent, "The sale waits until a person says what happened."},
		"withdrawing":                {vending.Session{State: vending.Withdrawing}, "", "The payment is being taken back. If the customer approves in this moment, it is sold or released."},
		"settling":                   {vending.Session{State: vending.Settling, Due: 2500, Seen: reserved}, "", "25.00 NOK is due: that is captured, and the rest released."},
		"settling, lost":             {vending.Session{State: vending.Settling, Due: 2500, Seen: reserved, Lost: true}, "", "25.00 NOK is due and could not be captured. 45.00 NOK is reserved."},
		"settling in full":           {vending.Session{State: vending.Settling, Due: 2500, Seen: charged, Full: true}, "", "25.00 NOK is due: all is captured, and what is too much refunded."},
		"settling, not released":     {vending.Session{State: vending.Settling, Seen: reserved, Outcome: vending.Outcome{Result: vending.NotReleased}}, "", "The rest of the reservation could not be released yet."},
		"captured and refunded":      {closed("", vending.Outcome{Result: vending.NotSold, Captured: 4500, Refunded: 4500}, nil), "", "No sale. 45.00 NOK was charged. 45.00 NOK refunded."},
		"partly sold":                {closed("", vending.Outcome{Result: vending.PartlySold, Captured: 2500, Released: 2000}, nil), "", "Partly sold. 25.00 NOK charged, 20.00 NOK released."},
		"not approved":               {closed(vending.ReasonClock, vending.Outcome{Result: vending.NotSold}, nil), "", "The customer did not approve in time. No sale, and nothing charged."},
		"not chosen": {
			vending.Session{State: vending.Closed, Reason: vending.ReasonClock, Maximum: true, SelectUntil: at, Seen: reserved, Outcome: vending.Outcome{Result: vending.NotSold, Released: 4500}},
			"", "Nothing was chosen in time. No sale. All of the 45.00 NOK released, nothing charged.",
		},
		"approved too late": {
			vending.Session{State: vending.Closed, Reason: vending.ReasonClock, Seen: reserved, Outcome: vending.Outcome{Result: vending.NotSold, Released: 4500}},
			"", "Approved too late, or the machine could not be reached in time. No sale. All of the 45.00 NOK released, nothing charged.",
		},
		"given up": {closed(vending.ReasonReturned, vending.Outcome{Result: vending.NotSold}, nil), "", "The customer gave up. No sale, and nothing charged."},

		"jam":                        {closed("", vending.Outcome{Result: vending.NotSold, Released: 2500}, one(vending.NotDropped)), faultJam, "The sensor saw nothing drop. So nothing was captured, and the reservation was released."},
		"jam, and the sensor silent": {closed("", vending.Outcome{Result: vending.NotSold, Released: 2500, Unknown: 2500}, one(vending.Unknown)), faultJam, "Nothing dropped, and nobody heard of it."},
		"jam, captured by hand":      {closed("", vending.Outcome{Result: vending.OverCaptured, Captured: 4500, Over: 4500}, one(vending.NotDropped)), faultJam, "The sensor saw nothing drop. Somebody else captured."},
		"cut, and back too late":     {closed(vending.ReasonUnanswered, vending.Outcome{Result: vending.NotSold}, nil), faultCutCreate, "It was stored before it was sent: after the restart it was looked up and taken back."},
		"cut at a refusal":           {closed("", vending.Outcome{Result: vending.Uncollected, Released: 4500, Lost: 2500}, one(vending.Dropped)), faultCutCapture, "After the restart the payment was read: nothing was captured."},
		"cut at a capture":           {closed("", vending.Outcome{Result: vending.Sold, Captured: 2500}, one(vending.Dropped)), faultCutCapture, "it was captured already"},
		"skipped while it turned":    {closed("", vending.Outcome{Result: vending.DeliveredUnpaid, Released: 2500, Lost: 2500}, []vending.Item{{Name: "Cola", Concluded: true, Verdict: vending.Dropped, Late: true}}), "skip", "The verdict came after the limit: the money was already released."},
		"skipped, and not captured":  {closed("", vending.Outcome{Result: vending.Uncollected, Released: 2500, Lost: 2500}, one(vending.Dropped)), "skip", "The limit was over, and what was not used was taken back."},
		"jam, not released":          {closed("", vending.Outcome{Result: vending.NotReleased}, one(vending.NotDropped)), faultJam, "The sensor saw nothing drop. So nothing was captured."},
		"a check-in twice":           {vending.Session{State: vending.Waiting}, twiceCheckedIn, "The check-in came twice. Its token is known: one session."},
		"late":                       {closed(vending.ReasonClock, vending.Outcome{Result: vending.NotSold, Released: 2500}, nil), faultLate, "Nothing was let out for it: the reservation was released at once."},
	} {
		test.session.Currency = vipps.NOK
		s := &sale{Session: test.session}
		said := s.words()
		if test.fault != "" {
			said = s.resolution(test.fault)
		}
		if !strings.HasSuffix(said, test.says) && !strings.Contains(said, test.says) || test.fault == "" && said != test.says {
			t.Errorf("%s: %q, want %q", name, said, test.says)
		}
	}
}

// An error's code is not an amount.
func TestBecause(t *testing.T) {
	t.Parallel()
	got := because(vending.Step{Fact: "refused, captured 2500", Why: "code 6070"})
	if got == "" || strings.Contains(got, "60.70") {
		t.Errorf("%q", got)
	}
	if got := because(vending.Step{Fact: "refused with code 6070 of 2500"}); got != "refused with code 6070 of 25.00" {
		t.Errorf("%q", got)
	}
}

// As long as a fault is not resolved nothing is said about that.
func TestWordsBefore(t *testing.T) {
	t.Parallel()
	for _, f := range faultList {
		s := &sale{Session: vending.Session{State: vending.Opening}}
		if f.ID == faultTwice { // there is nothing to resolve
			continue
		}
		said := s.resolution(f.ID)
		for _, early := range []string{"again", "sent", "seen all the same"} {
			if strings.Contains(said, early) {
				t.Errorf("%s says already: %q", f.ID, said)
			}
		}
	}
}

// Only who has said a phone number is told how one is written.
func TestProblem(t *testing.T) {
	t.Parallel()
	for _, asked := range []order{{Do: "open"}, {Do: "open", Phone: "12"}} {
		if said := problem(asked, vipps.ErrInvalidRequest); said == "" || strings.Contains(said, "phone number") != (asked.Phone != "") {
			t.Errorf("%+v: %q", asked, said)
		}
	}
}

// late is an answer to a request whose body comes slowly.
type late struct {
	*httptest.ResponseRecorder
	until []time.Time
}

func (l *late) SetReadDeadline(at time.Time) error {
	l.until = append(l.until, at)
	return nil
}

// Whoever sends slowly does not keep a connection, and whoever sends nothing may listen for as long as they like.
func TestArrived(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body   io.Reader
		status int
		limits []bool // whether each is one, or takes the one before away
		heard  string
	}{
		"nothing": {nil, 200, nil, ""},
		"a form":  {strings.NewReader("a=b"), 200, []bool{true, false}, "a=b"},
		"slowly":  {io.MultiReader(strings.NewReader("a"), iotest.ErrReader(os.ErrDeadlineExceeded)), 400, []bool{true}, ""},
		"much":    {strings.NewReader(strings.Repeat("a", maxForm+1)), 400, []bool{true}, ""},
	} {
		w := &late{ResponseRecorder: httptest.NewRecorder()}
		var heard []byte
		arrived(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard, _ = io.ReadAll(r.Body) })).
			ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/do", test.body))
		var limits []bool
		for _, at := range w.until {
			limits = append(limits, !at.IsZero())
		}
		if w.Code != test.status || !slices.Equal(limits, test.limits) || string(heard) != test.heard {
			t.Errorf("%s: status %d, limits %v, heard %q", name, w.Code, limits, heard)
		}
	}
}

// The screen does not say that nothing is charged where something is.
func TestFarewell(t *testing.T) {
	t.Parallel()
	s := &sale{Session: vending.Session{State: vending.Closed, Seen: vending.View{Authorized: 4500, Captured: 4500}}}
	if v := farewell(s, 4500); v.Text != "We are looking into the charge." {
		t.Errorf("%+v", v)
	}
	if v := farewell(s, 0); v.Text != "You are not charged." { // it was refunded
		t.Errorf("%+v", v)
	}
}
