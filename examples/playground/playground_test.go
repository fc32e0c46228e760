package main

import (
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
	if !slices.Equal(struck, []string{"unheard", "hook-twice"}) {
		t.Errorf("struck: %v", struck)
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
