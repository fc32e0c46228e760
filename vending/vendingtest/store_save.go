package vendingtest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vippsvending/vipps/vending"
)

// saveChecks are about Save: compare and swap, and seats that are given up.
func saveChecks() []storeCheck {
	return []storeCheck{
		{"a save counts the version", saveCounts},
		{"a save of an old version is stale", saveStale},
		{"a save of an unknown session is refused", saveUnknown},
		{"a version is saved by one of many", oneSave},
		{"a save gives its seat up", seatGivenUp},
		{"a save does not take the seat of another", seatNotTaken},
		{"a refused save leaves the seat", staleKeepsSeat},
	}
}

func saveCounts(p *probe) {
	s := p.create(session("shop-a"))
	for want := int64(2); want < 6; want++ {
		s.State = vending.Waiting
		if err := p.stores(int(want)).Save(p.ctx, s); err != nil {
			p.Fatalf("Save of version %d, which is the newest: %v", s.Version, err)
		}
		if s = p.load("shop-a"); s.Version != want {
			p.Fatalf("after a Save of version %d the version is %d, want one more", want-1, s.Version)
		}
	}
}

func saveStale(p *probe) {
	old := p.create(session("shop-a"))
	newest := p.change("shop-a", func(s *vending.Session) { s.State = vending.Waiting })
	for _, version := range []int64{old.Version, 0, newest.Version + 1} {
		s := old
		s.Version, s.State = version, vending.Settling
		if err := p.Save(p.ctx, s); !errors.Is(err, vending.ErrStale) {
			p.Errorf("Save of version %d when %d is stored: %v, want ErrStale", version, newest.Version, err)
		}
	}
	p.same("a stale Save, which changes nothing", newest, p.load("shop-a"))
}

func saveUnknown(p *probe) {
	s := session("shop-a")
	for _, s.Version = range []int64{0, 1} {
		if err := p.Save(p.ctx, s); !errors.Is(err, vending.ErrNotFound) && !errors.Is(err, vending.ErrStale) {
			p.Errorf("Save of a session that was never created: %v, want ErrNotFound or ErrStale", err)
		}
	}
	if _, err := p.Load(p.ctx, "shop-a"); !errors.Is(err, vending.ErrNotFound) {
		p.Errorf("a Save of a session that was never created has stored it: Load gives %v", err)
	}
}

func oneSave(p *probe) {
	const workers = 30
	s := p.create(session("shop-a"))
	for round := range 5 {
		errs := together(workers, func(i int) error {
			mine := s
			mine.Planogram = fmt.Sprintf("%d by worker %d", round, i)
			return p.stores(i).Save(p.ctx, mine)
		})
		saved, stale := p.tally("Save of one version by many at once", errs, func(err error) bool { return errors.Is(err, vending.ErrStale) })
		if saved != 1 || stale != workers-1 {
			p.Errorf("of %d workers that saved the same version at once %d succeeded and %d were told ErrStale, want 1 and %d: the others' saves are lost", workers, saved, stale, workers-1)
		}
		want := fmt.Sprintf("%d by worker %d", round, slices.Index(errs, nil))
		if s = p.load("shop-a"); s.Planogram != want {
			p.Errorf("stored is %q; the Save that succeeded wrote %q", s.Planogram, want)
		}
	}
}

func seatGivenUp(p *probe) {
	p.create(seated("shop-a", "oslo1"))
	p.change("shop-a", func(s *vending.Session) { s.State = vending.Waiting })
	if err := p.Create(p.ctx, seated("shop-b", "oslo1")); !isBusy(err) {
		p.Errorf("a save that keeps the seat has freed it: Create gives %v, want *BusyError", err)
	}
	p.change("shop-a", func(s *vending.Session) { s.Seat, s.State = "", vending.Settling })
	if s, err := p.Seat(p.ctx, "oslo1"); !errors.Is(err, vending.ErrNotFound) {
		p.Errorf("Seat of a machine that was given up gives session %q, %v; want ErrNotFound", s.ID, err)
	}
	if err := p.other.Create(p.ctx, seated("shop-b", "oslo1")); err != nil {
		p.Errorf("Create on a machine that was given up by the save that cleared Seat: %v", err)
	}
}

func seatNotTaken(p *probe) {
	p.create(seated("shop-a", "oslo1"))
	p.change("shop-a", func(s *vending.Session) { s.Seat = "" })
	p.create(seated("shop-b", "oslo1"))
	s := p.load("shop-a")
	s.Seat = "oslo1"
	busy, ok := errors.AsType[*vending.BusyError](p.Save(p.ctx, s))
	if !ok {
		p.Fatal("Save took a seat that another session holds, want *BusyError: no two sessions have the same")
	}
	if busy.Machine != "oslo1" || busy.Session != "shop-b" && busy.Session != "" {
		p.Errorf("*BusyError says machine %q and session %q, want oslo1 and shop-b", busy.Machine, busy.Session)
	}
	s.Seat = ""
	p.same("a Save that was refused as busy, which changes nothing", s, p.load("shop-a"))
	if holder, err := p.Seat(p.ctx, "oslo1"); err != nil || holder.ID != "shop-b" {
		p.Errorf("Seat gives %q, %v; want shop-b, which had the machine", holder.ID, err)
	}
}

func staleKeepsSeat(p *probe) {
	old := p.create(seated("shop-a", "oslo1"))
	p.change("shop-a", func(s *vending.Session) { s.State = vending.Waiting })
	old.Seat = ""
	if err := p.Save(p.ctx, old); !errors.Is(err, vending.ErrStale) {
		p.Errorf("Save of an old version: %v, want ErrStale", err)
	}
	if holder, err := p.Seat(p.ctx, "oslo1"); err != nil || holder.ID != "shop-a" {
		p.Errorf("a stale Save has given the seat up: Seat gives %q, %v", holder.ID, err)
	}
}
