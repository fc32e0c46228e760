package main

import (
	"context"
	"slices"
	"strings"
	"testing"
)

var doorsAndMoney = map[string]money{
	"dynamic": {2500, 2500, 0}, "selection": {2500, 2500, 0}, "payment": {2500, 2500, 0}, "till": {2500, 2500, 0},
	"maximum": {4500, 2500, 2000}, "callback": {4500, 2500, 2000},
}

func TestDoors(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	for door, want := range doorsAndMoney {
		p.enter(door)
		p.buy(door)
		v := p.end(door)
		check(t, v, want)
		if len(v.Tray) == 0 || v.Sale.RestTone != "good" {
			t.Errorf("%s: nothing dropped: %+v", door, v)
		}
		p.do("mine", "")
		p.do("take", "")
	}
	p.until("at rest", func(v shown) bool { return v.Books.Words == "6 customers, 6 products, 150.00 NOK charged, all at rest" })
}

func TestFaults(t *testing.T) {
	t.Parallel()
	sold, released := money{2500, 2500, 0}, money{2500, 0, 2500}
	for _, group := range [][]struct {
		faults []string
		want   money
	}{
		{{[]string{"jam"}, released}, {[]string{"silent"}, released}, {[]string{"cut-create"}, sold}, {[]string{"cut-capture"}, sold}},
		{{[]string{"answer-create"}, sold}, {[]string{"answer-capture"}, sold}, {[]string{"jam", "answer-cancel"}, released}, {[]string{"request-create", "request-capture"}, sold}},
		{{[]string{"jam", "request-cancel"}, released}, {[]string{"hook-twice"}, sold}, {[]string{"hook-never"}, sold}, {[]string{"cut-vend"}, released}},
	} {
		t.Run(strings.Join(group[0].faults, ","), func(t *testing.T) {
			t.Parallel()
			p, _ := start(t)
			for _, test := range group {
				before := p.last
				for _, fault := range test.faults {
					p.do("fault", fault)
				}
				p.do("press", "A1")
				id := ""
				if before.Sale != nil {
					id = before.Sale.ID
				}
				if v := p.next("waiting, or without power", id, func(v shown) bool { return v.Power == "off" || v.state() == "Waiting" }); v.Power == "off" {
					p.turn("power", "", true)
					p.until("waiting", func(v shown) bool { return v.Power == "on" && v.state() == "Waiting" })
				}
				p.do("scan", "")
				v := p.end("dynamic")
				check(t, v, test.want)
				struck := map[string]bool{}
				for _, done := range v.Sale.Resolved {
					struck[done.Fault] = done.Says != ""
				}
				for _, fault := range test.faults {
					if !struck[fault] {
						t.Errorf("%v: %s has not struck: %+v", test.faults, fault, v.Sale)
					}
				}
				p.do("take", "")
			}
		})
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	p.buy("dynamic")
	p.do("abort", "")
	check(t, p.close(), money{})
	p.buy("dynamic")
	p.do("skip", "") // past the limit
	v := p.close()
	check(t, v, money{})
	p.do("approve", "")
	p.until("refused by the app", func(v shown) bool { return v.Phone.Says != "" })

	p.turn("setting", "hold", true)
	p.until("on", func(v shown) bool { return v.Power == "on" })
	p.do("fault", "silent")
	p.buy("dynamic")
	if v = p.end("dynamic"); v.Sale.Held != "cola" {
		t.Fatalf("not held: %+v", v.Sale)
	}
	p.turn("resolve", "", true)
	p.until("settled", func(v shown) bool { return v.state() == "Closed" })
	check(t, p.close(), money{2500, 2500, 0})
	p.do("refund", "")
	p.until("refunded", func(v shown) bool { return v.Sale.Money.Refunded == 2500 && v.Sale.Money.Captured == 0 })
}

func TestPartOfAReservation(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	p.enter("maximum")
	p.do("fault", "in-full")
	p.buy("maximum")
	check(t, p.end("maximum"), money{4500, 0, 4500})
	if problem := p.press(map[string]any{"do": "portal", "what": "cancel"}); problem == "" {
		t.Error("what is released can be released in the portal")
	}
	p.do("take", "")
	closed := p.until("closed", func(v shown) bool { return v.Guide.Target == "power" })
	if strings.Contains(closed.Screen.Text, "6140") {
		t.Errorf("the customer reads %q", closed.Screen.Text)
	}
	p.turn("power", "", false)
	p.turn("power", "", true)
	p.until("open again", func(v shown) bool { return v.Power == "on" && v.Guide.Target == "scan" })
}

// The app's approval comes when the machine's time is over.
func TestLate(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	for door, released := range map[string]int64{"dynamic": 2500, "payment": 2500, "maximum": 4500, "callback": 4500} {
		p.enter(door)
		p.do("fault", "late")
		p.buy(door)
		p.do("approve", "")
		v := p.close()
		check(t, v, money{released, 0, released})
		if !strings.HasPrefix(v.Sale.Words, "Approved too late, or the machine could not be reached in time.") || len(v.Sale.Resolved) != 1 || !strings.Contains(v.Sale.Resolved[0].Says, "released at once") {
			t.Errorf("%s: %+v", door, v.Sale)
		}
	}
}

// Somebody who follows what lights up gets on, whatever they have done before.
func TestGuided(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	lit := func(what, target string) {
		t.Helper()
		p.until(what, func(v shown) bool { return v.Guide.Target == target })
	}
	for door, target := range map[string]string{"dynamic": "slots", "selection": "tab-home", "payment": "slots", "maximum": "tab-home", "callback": "tab-home", "till": "slots"} {
		p.enter(door)
		p.buy(door)
		lit("asking", "approve")
		p.do("mine", "") // the customer looks at something else
		lit("asking elsewhere", "tab-home")
		p.do("home", "")
		if door == "dynamic" {
			lit("asking again", "approve")
		}
		p.until("asking again", func(v shown) bool { return v.Phone.View == "request" })
		p.do("abort", "")
		p.close()
		lit(door+" after an abort", target)
	}
	p.enter("till")
	for door, target := range map[string]string{"dynamic": "scan", "selection": "tab-home", "payment": "tab-home", "maximum": "tab-home"} {
		p.enter(door)
		p.buy(door)
		p.enter("till") // the phone is put away
		p.enter(door)
		lit(door+" with a phone that was put away", target)
		p.do(map[string]string{"scan": "scan", "tab-home": "home"}[target], "")
		lit(door+" found again", "approve")
		p.do("abort", "")
		p.close()
		p.do("take", "")
		p.until("put away", func(v shown) bool { return v.Phone.View == "home" })
	}
	p.enter("maximum")
	p.buy("maximum")
	p.do("scan", "") // once more, which shows the page
	p.until("a page", func(v shown) bool { return v.Phone.View == "browser" && v.Guide.Target == "tab-home" })
	p.do("home", "")
	lit("asking again", "approve")
}

// What the machine's screen says is for customers.
func TestScreen(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	p.enter("till")
	p.do("press", "A1")
	p.do("phone", "12")
	v := p.until("refused", func(v shown) bool { return v.Screen.Title == "Please note" })
	if strings.Contains(v.Screen.Text, "epayment") || strings.Contains(v.Screen.Text, "PhoneNumber") {
		t.Errorf("the customer reads %q", v.Screen.Text)
	}
	p.enter("maximum")
	p.buy("maximum")
	p.do("fault", "jam")
	if title := p.last.Screen.Title; title != "Welcome" {
		t.Errorf("the screen says %q", title)
	}
	p.do("approve", "")
	p.until("choosing", func(v shown) bool { return v.state() == "Choosing" })
	p.do("press", "A1")
	p.until("told to choose again", func(v shown) bool { return v.Screen.Text == "Nothing came out. Choose again." })
	p.do("portal", "capture")
	p.until("captured by hand", func(v shown) bool { return v.Sale.Money.Captured == 4500 })
	p.do("return", "")
	p.close()
	p.until("honest", func(v shown) bool { return v.Screen.Text == "We are looking into the charge." })
}

// What is done in the portal is said at once, although nothing reads the payment then.
func TestPortal(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	for what, says := range map[string]string{
		"capture": "45.00 NOK was approved, and 45.00 NOK is charged already.",
		"cancel":  "45.00 NOK was approved, and 45.00 NOK is released already.",
	} {
		p.enter("maximum")
		p.buy("maximum")
		p.do("approve", "")
		p.until("choosing", func(v shown) bool { return v.state() == "Choosing" })
		p.do("portal", what)
		p.until("said to "+what, func(v shown) bool { return v.state() == "Choosing" && v.Sale.Words == says })
		p.do("return", "")
		p.close()
		p.do("take", "")
		p.until("put away", func(v shown) bool { return v.Phone.View == "home" })
	}
	p.turn("setting", "hold", true)
	p.until("on", func(v shown) bool { return v.Power == "on" })
	p.enter("dynamic")
	p.do("fault", "silent")
	p.buy("dynamic")
	p.end("dynamic")
	p.do("portal", "capture")
	p.until("said to be captured", func(v shown) bool {
		return v.state() == "Held" && strings.HasSuffix(v.Sale.Words, "25.00 NOK was approved, and 25.00 NOK is charged already.")
	})
}

// A check-in is a webhook only: nothing can be read when it is lost, and the customer has to scan again.
func TestCheckInLost(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	p.enter("callback")
	p.do("fault", "hook-never")
	p.do("scan", "")
	p.until("asking for another scan", func(v shown) bool {
		return strings.Contains(v.Phone.Says, "scan again") && v.Guide.Target == "scan" && v.Sale == nil
	})
	p.do("fault", "hook-twice")
	p.buy("callback")
	v := p.end("callback")
	check(t, v, doorsAndMoney["callback"])
	var struck []string
	for _, done := range v.Sale.Resolved {
		struck = append(struck, done.Fault)
	}
	if !slices.Equal(struck, []string{"unheard", "checked-in-twice"}) {
		t.Errorf("struck: %v", struck)
	}
	var told []string
	for _, call := range v.Sale.Calls {
		if call.Op == "webhook checked-in" {
			told = append(told, call.Says)
		}
	}
	if !slices.Equal(told, []string{"lost on its way", "twice"}) {
		t.Errorf("the ledger has the check-ins %v", told)
	}
}

func TestNight(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	p.enter("maximum")
	p.do("fault", "jam") // the first customer is asked to choose again
	if problem := p.press(map[string]any{"do": "night", "n": 8}); problem != "" {
		t.Fatal(problem)
	}
	p.until("night", func(v shown) bool { return v.Night.Running })
	p.until("morning", func(v shown) bool { return !v.Night.Running })
	if v := p.until("at rest", func(v shown) bool { return v.Books.Tone != "busy" }); v.Books.Tone != "good" {
		t.Errorf("the books: %+v", v.Books)
	}
}

// The first customer of a night does not take for an answer what another was told.
func TestNightBegins(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // customers leave at once
	p, err := newPlayground(ctx, options{}, t.TempDir(), "http://127.0.0.1:1", "http://127.0.0.1:2")
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.message, p.phone.says = "Sold out.", "This code is not valid any more."
	if err := p.begin(1); err != nil {
		t.Fatal(err)
	}
	p.await(t.Context(), func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.night.n == 1
	})
	if p.refuses() {
		t.Errorf("the screen says %q, the phone %q", p.message, p.phone.says)
	}
}
