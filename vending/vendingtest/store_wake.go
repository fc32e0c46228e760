package vendingtest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vippsvending/vipps/vending"
)

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

// restChecks are about Rest, which gives back what a worker has claimed.
func restChecks() []storeCheck {
	return []storeCheck{
		{"a rest moves WakeAt and nothing else", restMoves},
		{"a rest does not overrule a wake", restWoken},
		{"a rest leaves finished and unknown sessions", restUnknown},
		{"a rest follows a claim and a save", restClaimed},
	}
}

func restMoves(p *probe) {
	for _, id := range []string{"shop-a", "shop-b", "shop-c"} {
		p.create(session(id))
	}
	for _, in := range []time.Duration{0, 90 * time.Second, 1234567 * time.Microsecond} {
		a, b := p.load("shop-a"), p.load("shop-b")
		if err := p.Rest(p.ctx, in, a, b); err != nil {
			p.Fatalf("Rest: %v", err)
		}
		for _, before := range []vending.Session{a, b} {
			got := p.load(before.ID)
			p.between(fmt.Sprintf("WakeAt after Rest for %s", in), got.WakeAt, before.Now.Add(in), got.Now.Add(in))
			before.WakeAt = got.WakeAt
			p.same("Rest, which touches nothing but WakeAt, not even the version", before, got)
		}
	}
	if c := p.load("shop-c"); c.WakeAt.Sub(c.Now) < 50*time.Minute {
		p.Errorf("Rest of others has moved the WakeAt of shop-c to %s", c.WakeAt)
	}
}

func restWoken(p *probe) {
	var held []vending.Session
	for _, id := range []string{"woken", "saved", "kept"} {
		p.create(session(id))
		held = append(held, p.load(id))
	}
	if err := p.Wake(p.ctx, 0, "woken"); err != nil {
		p.Fatal(err)
	}
	saved := p.change("saved", func(s *vending.Session) { s.WakeAt = s.Now.Add(-time.Minute) })
	woken := p.load("woken")
	if err := p.Rest(p.ctx, 2*time.Hour, held...); err != nil {
		p.Fatal(err)
	}
	for _, want := range []vending.Session{woken, saved} {
		if got := p.load(want.ID); !got.WakeAt.Equal(want.WakeAt) {
			p.Errorf("Rest of what was held before has moved the WakeAt of %q from %s to %s: whoever has moved it meanwhile must not be overruled", want.ID, want.WakeAt, got.WakeAt)
		}
	}
	if got := p.load("kept"); got.WakeAt.Sub(got.Now) < 110*time.Minute {
		p.Errorf("Rest has not moved a session that nobody has touched, which came between others: WakeAt is %s", got.WakeAt)
	}
}

func restUnknown(p *probe) {
	p.create(session("shop-a"))
	p.create(session("finished"))
	finished := p.closed("finished", p.load("finished").Now, 0)
	if err := p.Rest(p.ctx, 0, session("shop-x"), finished, vending.Session{}, session("shop'--")); err != nil {
		p.Errorf("Rest of sessions that are unknown or finished: %v, want them ignored", err)
	}
	if err := p.Rest(p.ctx, 0); err != nil {
		p.Errorf("Rest of nobody: %v", err)
	}
	if got := ids(p.claim(10, time.Hour)); len(got) != 0 {
		p.Errorf("after a Rest of sessions that are unknown or finished %v are due, want none", got)
	}
}

func restClaimed(p *probe) {
	p.create(session("shop-a"))
	p.due("shop-a", time.Minute)
	claimed := p.claim(10, time.Hour)
	if len(claimed) != 1 {
		p.Fatalf("Due gives %v, want shop-a", ids(claimed))
	}
	if err := p.Rest(p.ctx, 0, claimed[0]); err != nil {
		p.Fatal(err)
	}
	if got := p.load("shop-a"); got.WakeAt.After(got.Now) {
		p.Errorf("Rest of what Due gave has not moved its WakeAt, which is %s", got.WakeAt)
	}
	s := p.load("shop-a")
	s.WakeAt = s.Now.Add(20*time.Minute + 123*time.Nanosecond)
	if err := p.Save(p.ctx, s); err != nil {
		p.Fatal(err)
	}
	if err := p.Rest(p.ctx, 0, s); err != nil {
		p.Fatal(err)
	}
	if got := p.load("shop-a"); got.WakeAt.After(got.Now) {
		p.Errorf("Rest of what was saved has not moved its WakeAt, which is %s", got.WakeAt)
	}
}
