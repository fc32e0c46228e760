package vendingtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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

// wakeChecks are about Wake, which moves WakeAt and nothing else.
func wakeChecks() []storeCheck {
	return []storeCheck{
		{"a wake moves WakeAt and nothing else", wakeMoves},
		{"a wake ignores unknown sessions", wakeUnknown},
		{"a wake leaves finished sessions", wakeWatched},
		{"a save writes its own WakeAt", saveWakeAt},
		{"wakes and claims undo no save", wakesAndSaves},
	}
}

func wakeMoves(p *probe) {
	s := p.create(session("shop-a"))
	p.create(session("shop-b"))
	for _, in := range []time.Duration{0, 90 * time.Second, 1234567 * time.Microsecond} {
		before := p.load("shop-a").Now
		if err := p.Wake(p.ctx, in, "shop-a"); err != nil {
			p.Fatalf("Wake: %v", err)
		}
		got := p.load("shop-a")
		p.between(fmt.Sprintf("WakeAt after Wake in %s", in), got.WakeAt, before.Add(in), got.Now.Add(in))
		s.WakeAt = got.WakeAt
		p.same("Wake, which touches nothing but WakeAt, not even the version", s, got)
	}
	if b := p.load("shop-b"); b.WakeAt.Sub(b.Now) < 50*time.Minute {
		p.Errorf("Wake of shop-a has moved the WakeAt of shop-b to %s", b.WakeAt)
	}
	if err := p.Save(p.ctx, s); err != nil {
		p.Errorf("Save of a session that was loaded before it was woken: %v; Wake must not touch the version", err)
	}
}

func wakeUnknown(p *probe) {
	p.create(session("shop-a"))
	if err := p.Wake(p.ctx, 0, "shop-x", "shop-a", "", "shop'--"); err != nil {
		p.Errorf("Wake of a known and of unknown ids: %v, want them ignored", err)
	}
	if err := p.Wake(p.ctx, 0, "shop-x"); err != nil {
		p.Errorf("Wake of an unknown id: %v, want it ignored", err)
	}
	if err := p.Wake(p.ctx, 0); err != nil {
		p.Errorf("Wake of nobody: %v", err)
	}
	if got := ids(p.all("Due", p.Due(p.ctx, 10, time.Hour))); !slices.Equal(got, []string{"shop-a"}) {
		p.Errorf("after a Wake of a known and of unknown ids %v are due, want the known one", got)
	}
}

func wakeWatched(p *probe) {
	for _, id := range []string{"finished", "absent", "tasks"} {
		p.create(session(id))
		p.closed(id, p.load(id).Now, 0)
	}
	p.change("tasks", func(s *vending.Session) { s.Tasks = []vending.Task{{Kind: vending.TaskLook, At: s.Now}} })
	p.change("absent", func(s *vending.Session) { s.Absent = true })
	for _, ids := range [][]string{{"finished", "absent", "tasks"}, {"finished"}, {"absent"}, {"tasks"}} {
		before := p.load("absent").Now
		if err := p.Wake(p.ctx, time.Minute, ids...); err != nil {
			p.Fatalf("Wake: %v", err)
		}
		for _, id := range ids {
			s := p.load(id)
			switch {
			case id == "finished" && !s.WakeAt.IsZero():
				p.Errorf("Wake of %v has moved the WakeAt of a finished session to %s; it is not watched", ids, s.WakeAt)
			case id != "finished" && s.WakeAt.Before(before.Add(time.Minute-time.Microsecond)):
				p.Errorf("Wake of %v has not moved the WakeAt of session %q, which is closed, but watched", ids, id)
			}
		}
	}
}

func saveWakeAt(p *probe) {
	s := p.create(session("shop-a"))
	if err := p.Wake(p.ctx, 0, "shop-a"); err != nil {
		p.Fatalf("Wake: %v", err)
	}
	s.WakeAt = s.Now.Add(20 * time.Minute)
	if err := p.Save(p.ctx, s); err != nil {
		p.Fatalf("Save of a session that was loaded before it was woken: %v", err)
	}
	s.Version++
	p.same("a Save after a Wake, which writes its own WakeAt", s, p.load("shop-a"))
	if got := ids(p.all("Due", p.Due(p.ctx, 10, time.Hour))); len(got) != 0 {
		p.Errorf("%v are due: the Save has put them off", got)
	}
}

// wakesAndSaves catches a Wake or a claim that reads a session and writes it back: what is saved in between is lost.
func wakesAndSaves(p *probe) {
	p.create(session("shop-a"))
	stop := make(chan struct{})
	var nudges atomic.Int64
	var nudging sync.WaitGroup
	for i := range 4 {
		nudging.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := p.stores(i).Wake(p.ctx, 0, "shop-a"); err != nil {
					p.Errorf("Wake while others save: %v", err)
					return
				}
				for _, err := range p.stores(i).Due(p.ctx, 1, time.Hour) {
					if err != nil {
						p.Errorf("Due while others save: %v", err)
						return
					}
				}
				nudges.Add(1)
			}
		})
	}
	defer nudging.Wait()
	defer close(stop)
	s := p.load("shop-a")
	for i := 0; i < 50 || nudges.Load() < 50 && !p.Failed(); i++ {
		s.Planogram = fmt.Sprint("save ", i)
		if err := p.Save(p.ctx, s); err != nil {
			p.Fatalf("Save number %d of the only one who saves, while others wake and claim: %v; neither touches the version", i, err)
		}
		s.Version++
		if got := p.load("shop-a"); got.Planogram != s.Planogram || got.Version != s.Version {
			p.Fatalf("version %d with %q is stored after a Save of %q: a Wake or a claim has written an old session back", got.Version, got.Planogram, s.Planogram)
		}
	}
}
