package vendingtest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// createChecks are about Create, Load and Seat.
func createChecks() []storeCheck {
	return []storeCheck{
		{"a new session has version 1", newVersion},
		{"a new session moves to the store's clock", newInTime},
		{"an unknown session is not found", unknownNotFound},
		{"a taken id comes before a taken seat", existsBeforeBusy},
		{"a taken seat names machine and holder", busyNames},
		{"a seat goes to one of many", oneSeat},
		{"an id goes to one of many", oneID},
		{"a seat is found by its machine", seatFound},
		{"no seat is not a seat", noSeat},
		{"what is stored is a copy", copies},
		{"sessions survive a restart", survives},
	}
}

func newVersion(p *probe) {
	s := session("shop-a")
	s.Version = 7
	if got := p.create(s).Version; got != 1 {
		p.Errorf("Create stored version %d, want 1 whatever the session says", got)
	}
}

func newInTime(p *probe) {
	before := p.create(session("shop-a")).Now
	s := session("shop-b")
	const ahead = -26 * time.Hour // whoever made it has a clock that is slow
	for _, at := range []*time.Time{&s.Now, &s.Opened, &s.Since, &s.OpenUntil, &s.WakeAt, &s.History[0].At} {
		*at = at.Add(ahead)
	}
	got := p.create(s)
	if got.Opened.Before(before.Add(-time.Microsecond)) || got.Opened.After(got.Now) {
		p.Fatalf("a session that was opened just now by a clock that is %s wrong says Opened %s; by the store's clock it was %s before and %s after: Create has to use Session.InTime", ahead, got.Opened, before, got.Now)
	}
	s.Version = 1
	p.same("Create, which moves times as Session.InTime does", s.InTime(s.Now.Add(got.Opened.Sub(s.Opened))), got)
}

func unknownNotFound(p *probe) {
	p.create(seated("shop-a", "oslo1"))
	for _, id := range []string{"shop-b", "", "shop-a'--", "SHOP-A", "shop-_", "%"} {
		if _, err := p.Load(p.ctx, id); !errors.Is(err, vending.ErrNotFound) {
			p.Errorf("Load of %q, which is not stored: %v, want ErrNotFound", id, err)
		}
		if _, err := p.Seat(p.ctx, id); !errors.Is(err, vending.ErrNotFound) {
			p.Errorf("Seat of machine %q, which nobody holds: %v, want ErrNotFound", id, err)
		}
	}
}

func existsBeforeBusy(p *probe) {
	first := p.create(seated("shop-a", "oslo1"))
	if err := p.Create(p.ctx, seated("shop-a", "oslo1")); !errors.Is(err, vending.ErrExists) {
		p.Errorf("Create of the same session again: %v, want ErrExists, which comes before *BusyError: whoever repeats a Create has to learn that it was done", err)
	}
	if err := p.Create(p.ctx, seated("shop-a", "oslo2")); !errors.Is(err, vending.ErrExists) {
		p.Errorf("Create with a taken id on a free machine: %v, want ErrExists", err)
	}
	p.same("a refused Create, which changes nothing", first, p.load("shop-a"))
	if holder, err := p.Seat(p.ctx, "oslo2"); !errors.Is(err, vending.ErrNotFound) {
		p.Errorf("a Create that was refused with ErrExists has left its seat taken by %q, %v", holder.ID, err)
	}
}

func busyNames(p *probe) {
	p.create(seated("shop-a", "oslo1"))
	err := p.Create(p.ctx, seated("shop-b", "oslo1"))
	busy, ok := errors.AsType[*vending.BusyError](err)
	if !ok {
		p.Fatalf("Create on a machine that is taken: %v, want *BusyError", err)
	}
	if busy.Machine != "oslo1" {
		p.Errorf("*BusyError names machine %q, want oslo1", busy.Machine)
	}
	if busy.Session != "shop-a" && busy.Session != "" {
		p.Errorf("*BusyError names session %q as the holder, want shop-a", busy.Session)
	}
	if _, err := p.Load(p.ctx, "shop-b"); !errors.Is(err, vending.ErrNotFound) {
		p.Errorf("Load of a session whose Create was refused: %v, want ErrNotFound", err)
	}
}

func oneSeat(p *probe) {
	const customers = 40
	for round := range 3 {
		machine := fmt.Sprintf("oslo%d", round)
		name := func(i int) string { return fmt.Sprintf("shop-%d-%d", round, i) }
		errs := together(customers, func(i int) error { return p.stores(i).Create(p.ctx, seated(name(i), machine)) })
		done, busy := p.tally("Create of many sessions at one machine at once", errs, isBusy)
		if done != 1 || busy != customers-1 {
			p.Errorf("of %d sessions that were opened at one machine at once %d got the seat and %d were told that it is busy, want 1 and %d", customers, done, busy, customers-1)
		}
		winner := name(slices.Index(errs, nil))
		for _, err := range errs {
			if busy, ok := errors.AsType[*vending.BusyError](err); ok && (busy.Machine != machine || busy.Session != winner && busy.Session != "") {
				p.Errorf("*BusyError says machine %q and session %q, want %q and %q", busy.Machine, busy.Session, machine, winner)
			}
		}
		if holder, err := p.Seat(p.ctx, machine); err != nil || holder.ID != winner {
			p.Errorf("Seat gives session %q, %v; Create gave the machine to %s", holder.ID, err, winner)
		}
	}
}

func oneID(p *probe) {
	const tries = 40
	errs := together(tries, func(i int) error { return p.stores(i).Create(p.ctx, seated("shop-a", "oslo1")) })
	done, exist := p.tally("Create of one session many times at once", errs, func(err error) bool { return errors.Is(err, vending.ErrExists) })
	if done != 1 || exist != tries-1 {
		p.Errorf("of %d times that one session was created at once %d succeeded and %d gave ErrExists, want 1 and %d", tries, done, exist, tries-1)
	}
}

func seatFound(p *probe) {
	a := p.create(seated("shop-a", "oslo1"))
	p.create(seated("shop-b", "oslo2"))
	for i := range 2 {
		got, err := p.stores(i).Seat(p.ctx, "oslo1")
		if err != nil {
			p.Fatalf("Seat of a machine that a session holds: %v", err)
		}
		p.same("Seat, against Load", a, got)
	}
}

func noSeat(p *probe) {
	for _, id := range []string{"shop-a", "shop-b"} {
		if err := p.Create(p.ctx, session(id)); err != nil {
			p.Fatalf("Create of a session without a seat, one of several: %v; only sessions with a seat exclude each other", err)
		}
	}
	if s, err := p.Seat(p.ctx, ""); !errors.Is(err, vending.ErrNotFound) {
		p.Errorf("Seat of no machine gives session %q, %v; want ErrNotFound", s.ID, err)
	}
}

func copies(p *probe) {
	mine := filled(p, 1)
	stored := p.create(mine)
	want := filled(p, 1) // shares nothing with what the store has seen or given
	want = want.InTime(want.Now.Add(stored.Opened.Sub(want.Opened)))
	scribble(&mine)
	given := p.load("shop-a")
	p.same("Load, after the caller of Create changed its own session", want, given)
	scribble(&given)
	saved := p.load("shop-a")
	p.same("Load, after the caller of Load changed what it got", want, saved)
	if err := p.Save(p.ctx, saved); err != nil {
		p.Fatal(err)
	}
	scribble(&saved)
	want.Version++
	p.same("Load, after the caller of Save changed its own session", want, p.load("shop-a"))
}

// scribble changes what a session shares with its copies: the first element of every slice.
func scribble(s *vending.Session) {
	fields := reflect.ValueOf(s).Elem()
	for _, field := range fields.Fields() {
		if field.Kind() == reflect.Slice && field.Len() > 0 {
			field.Index(0).SetZero()
		}
	}
}

func survives(p *probe) {
	if !p.place.Durable {
		return
	}
	first := &sitting{TB: p.TB}
	store := p.place.Connect(first)
	for _, id := range []string{"shop-a", "shop-b"} {
		if err := store.Create(p.ctx, seated(id, "machine-of-"+id)); err != nil {
			p.Fatal(err)
		}
	}
	s, err := store.Load(p.ctx, "shop-a")
	if err != nil {
		p.Fatal(err)
	}
	s.State = vending.Waiting
	if err := store.Save(p.ctx, s); err != nil {
		p.Fatal(err)
	}
	first.end()
	p.Store = p.place.Connect(p.TB)
	s.Version++
	p.same("a session after a restart", s, p.load("shop-a"))
	if got := ids(p.all("Open", p.Open(p.ctx))); len(got) != 2 {
		p.Errorf("after a restart Open gives %v, want both sessions", got)
	}
	if err := p.Create(p.ctx, seated("shop-c", "machine-of-shop-b")); !isBusy(err) {
		p.Errorf("a seat that was taken before a restart: Create gives %v, want *BusyError", err)
	}
}

// sitting is a part of a test: what it opened is closed when it ends.
type sitting struct {
	testing.TB
	cleanups []func()
}

func (s *sitting) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *sitting) end() {
	for _, f := range slices.Backward(s.cleanups) {
		f()
	}
}
