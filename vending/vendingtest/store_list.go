package vendingtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// listChecks are about Open, Closed and Prune, and about what may be done inside a loop.
func listChecks() []storeCheck {
	return []storeCheck{
		{"open is what is not finished, oldest first", openOldest},
		{"closed is a period, from included, to excluded", closedPeriod},
		{"prune removes what is finished and ended before", pruneFinished},
		{"the store's clock is in every session", clockInAll},
		{"a loop may be left and begun again", loopLeft},
		{"a loop may call the store", loopCalls},
	}
}

func openOldest(p *probe) {
	want := make([]string, 9)
	for i := range want {
		place := (i * 4) % len(want) // in another order than they were made
		id := fmt.Sprint("shop-", i)
		p.create(session(id))
		p.change(id, func(s *vending.Session) { s.Opened = s.Now.Add(time.Duration(place) * time.Second) })
		want[place] = id
	}
	now := p.load("shop-0").Now
	for _, id := range []string{"finished", "absent"} {
		p.create(session(id))
		p.closed(id, now, 0)
	}
	p.change("absent", func(s *vending.Session) { s.Absent = true })
	p.closed("shop-1", now, 1) // has a task left
	p.change("shop-2", func(s *vending.Session) { s.State = vending.Held })
	p.change("shop-3", func(s *vending.Session) { s.State = "SomethingNew" })
	for i := range 2 {
		if got := ids(p.all("Open", p.stores(i).Open(p.ctx))); !slices.Equal(got, want) {
			p.Errorf("Open gives %v, want %v: what is not finished, closed with a task included, oldest first", got, want)
		}
	}
}

func closedPeriod(p *probe) {
	p.create(session("open"))
	start := p.load("open").Now.Truncate(time.Millisecond).Add(-time.Hour)
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Millisecond) }
	for _, i := range []int{3, 0, 4, 1, 2} {
		id := fmt.Sprint("shop-", i)
		p.create(session(id))
		p.closed(id, at(i), i%2) // one with a task is closed too
	}
	for _, period := range []struct {
		from, to time.Time
		want     []string
	}{
		{at(1), at(3), []string{"shop-1", "shop-2"}},
		{at(0), at(1), []string{"shop-0"}},
		{at(2), at(2), []string{}},
		{at(1).Add(time.Microsecond), at(3).Add(time.Microsecond), []string{"shop-2", "shop-3"}},
		{at(5), at(9), []string{}},
		{time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), []string{"shop-0", "shop-1", "shop-2", "shop-3", "shop-4"}},
	} {
		if got := ids(p.all("Closed", p.Closed(p.ctx, period.from, period.to))); !slices.Equal(got, period.want) {
			p.Errorf("Closed from %s to %s gives %v, want %v: from included, to excluded, oldest first, and what is open in none", period.from, period.to, got, period.want)
		}
	}
}

func pruneFinished(p *probe) {
	p.create(session("open"))
	before := p.load("open").Now.Truncate(time.Millisecond)
	p.change("open", func(s *vending.Session) { s.Opened = before.Add(-time.Hour) })
	for id, ended := range map[string]time.Duration{"old": -time.Hour, "older": -2 * time.Hour, "tasks": -time.Hour, "then": 0, "later": time.Hour} {
		p.create(seated(id, "machine-of-"+id))
		tasks := 0
		if id == "tasks" {
			tasks = 1
		}
		p.closed(id, before.Add(ended), tasks)
	}
	if n, err := p.Prune(p.ctx, before); n != 2 || err != nil {
		p.Errorf("Prune says that it removed %d, %v; want 2: what is finished and ended before, not at, the moment", n, err)
	}
	for id, kept := range map[string]bool{"open": true, "old": false, "older": false, "tasks": true, "then": true, "later": true} {
		if _, err := p.Load(p.ctx, id); kept != (err == nil) || !kept && !errors.Is(err, vending.ErrNotFound) {
			p.Errorf("after Prune, Load of session %q: %v; want it kept: %t", id, err, kept)
		}
	}
	if err := p.Wake(p.ctx, 0, "old", "older"); err != nil {
		p.Errorf("Wake of sessions that were pruned: %v, want them ignored", err)
	}
	if got := ids(p.claim(10, time.Hour)); slices.Contains(got, "old") || slices.Contains(got, "older") {
		p.Errorf("Due gives %v, some of which were pruned", got)
	}
	if n, err := p.Prune(p.ctx, before); n != 0 || err != nil {
		p.Errorf("a second Prune of the same says %d, %v", n, err)
	}
}

func loopLeft(p *probe) {
	p.prepared()
	for _, loop := range loops() {
		sessions := loop.over(p)
		first := ""
		for s, err := range sessions {
			if err != nil {
				p.Fatalf("%s: %v", loop.name, err)
			}
			first = s.ID
			break
		}
		if !p.returns("Load after a loop over "+loop.name+" that was left", "the loop has left a lock or a connection behind", func(ctx context.Context) error {
			_, err := p.Load(ctx, first)
			return err
		}) {
			return
		}
		if loop.name == "Due" {
			continue // a second loop claims what is due then
		}
		if got := ids(p.all(loop.name, sessions)); len(got) != 3 || got[0] != first {
			p.Errorf("ranging over %s again, after a loop that was left, gives %v; want all three, from %s on", loop.name, got, first)
		}
	}
}

func loopCalls(p *probe) {
	const held = "the loop holds a lock or a connection while it yields"
	p.prepared()
	made := 0
	for _, loop := range loops() {
		count := 0
		for s, err := range loop.over(p) {
			if err != nil {
				p.Fatalf("%s: %v", loop.name, err)
			}
			if count++; count > 20 {
				break // what the loop makes itself may come too, but not for ever
			}
			made++
			extra := session(fmt.Sprint("extra-", made))
			inside := func(what string, call func(ctx context.Context) error) bool {
				return p.returns(what+" inside a loop over "+loop.name, held, call)
			}
			ok := inside("Load", func(ctx context.Context) error {
				_, err := p.Load(ctx, s.ID)
				return err
			}) && inside("Save", func(ctx context.Context) error {
				return p.Save(ctx, s)
			}) && inside("Wake", func(ctx context.Context) error {
				return p.Wake(ctx, time.Hour, s.ID)
			}) && inside("Create", func(ctx context.Context) error {
				if count > 1 {
					return nil
				}
				return p.Create(ctx, extra)
			}) && inside("Seat", func(ctx context.Context) error {
				if _, err := p.Seat(ctx, "machine-nobody-has"); !errors.Is(err, vending.ErrNotFound) {
					return err
				}
				return nil
			})
			for _, inner := range loops() {
				ok = ok && inside("a loop over "+inner.name, func(context.Context) error {
					for _, err := range inner.over(p) {
						if err != nil {
							return err
						}
					}
					return nil
				})
			}
			ok = ok && inside("Prune", func(ctx context.Context) error {
				_, err := p.Prune(ctx, time.Time{})
				return err
			})
			if !ok {
				break
			}
		}
		if count == 0 && !p.Failed() {
			p.Errorf("%s gives nothing", loop.name)
		}
	}
}
