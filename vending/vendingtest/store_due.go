package vendingtest

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// dueChecks are about Due, which claims sessions for work.
func dueChecks() []storeCheck {
	return []storeCheck{
		{"due is what is watched and has waited long enough", dueWatched},
		{"the longest waiting is due first", dueInOrder},
		{"a claim respects its limit", dueLimit},
		{"a claim moves WakeAt by the lease and nothing else", dueLease},
		{"a session is claimed by one of many", dueOnce},
		{"a claim ends with its lease", dueAgain},
		{"leaving a loop over Due loses nothing", dueLeft},
		{"a claim says who was woken", dueWoken},
	}
}

func (p *probe) claim(limit int, lease time.Duration) []vending.Session {
	p.Helper()
	return p.all("Due", p.Due(p.ctx, limit, lease))
}

func dueWatched(p *probe) {
	for _, id := range []string{"due", "later", "never", "finished", "absent", "tasks"} {
		p.create(session(id))
	}
	p.due("due", time.Minute)
	p.change("never", func(s *vending.Session) { s.WakeAt = time.Time{} })
	for _, id := range []string{"finished", "absent", "tasks"} {
		p.change(id, func(s *vending.Session) {
			end(s, s.Now, 0)
			s.WakeAt = s.Now.Add(-time.Minute)
			s.Absent = id == "absent"
			if id == "tasks" {
				s.Tasks = []vending.Task{{Kind: vending.TaskLook, At: s.Now}}
			}
		})
	}
	got := ids(p.claim(10, time.Hour))
	slices.Sort(got)
	if want := []string{"absent", "due", "tasks"}; !slices.Equal(got, want) {
		p.Errorf("Due gives %v, want %v: those that are watched and whose WakeAt has come, not one that is to be woken later or never, and none that is finished", got, want)
	}
}

func dueInOrder(p *probe) {
	want := make([]string, 30)
	for i := range want {
		waited := (i*7)%len(want) + 1 // in another order than they were made
		id := fmt.Sprintf("shop-%02d", i)
		p.create(session(id))
		p.due(id, time.Duration(waited)*time.Minute)
		want[len(want)-waited] = id
	}
	if got := ids(p.claim(len(want), time.Hour)); !slices.Equal(got, want) {
		p.Errorf("Due gives %v, want the longest waiting first: %v", got, want)
	}
}

func dueLimit(p *probe) {
	var want []string
	for i := range 7 {
		id := fmt.Sprint("shop-", i)
		p.create(session(id))
		p.due(id, time.Duration(10-i)*time.Minute)
		want = append(want, id)
	}
	if got := ids(p.claim(0, time.Hour)); len(got) != 0 {
		p.Errorf("Due with limit 0 gives %v", got)
	}
	if got := ids(p.claim(3, time.Hour)); !slices.Equal(got, want[:3]) {
		p.Errorf("Due with limit 3 gives %v, want the three that have waited longest: %v", got, want[:3])
	}
	if got := ids(p.claim(100, time.Hour)); !slices.Equal(got, want[3:]) {
		p.Errorf("then Due gives %v, want all others and only them: %v", got, want[3:])
	}
}

func dueLease(p *probe) {
	const lease = 40 * time.Minute
	p.create(session("shop-a"))
	before := p.due("shop-a", time.Minute)
	claimed := p.claim(10, lease)
	after := p.load("shop-a")
	if len(claimed) != 1 {
		p.Fatalf("Due gives %v, want shop-a", ids(claimed))
	}
	p.between("WakeAt after a claim of 40 minutes", after.WakeAt, before.Now.Add(lease), after.Now.Add(lease))
	p.same("the session that Due gives, against Load", after, claimed[0])
	before.WakeAt = after.WakeAt
	p.same("a claim, which touches nothing but WakeAt, not even the version", before, after)
	if err := p.Save(p.ctx, claimed[0]); err != nil {
		p.Errorf("Save of what Due gave: %v", err)
	}
}

func dueOnce(p *probe) {
	const sessions, workers = 120, 12
	p.each(sessions, func(i int) error {
		s := session(fmt.Sprintf("shop-%03d", i))
		s.WakeAt = s.Now.Add(-time.Minute)
		return p.Create(p.ctx, s)
	})
	var mu sync.Mutex
	claims := map[string]int{}
	errs := together(workers, func(i int) error {
		for {
			got := 0
			for s, err := range p.stores(i).Due(p.ctx, 7, time.Hour) {
				if err != nil {
					return err
				}
				got++
				mu.Lock()
				claims[s.ID]++
				mu.Unlock()
			}
			if got == 0 {
				return nil
			}
		}
	})
	p.tally("Due by many at once", errs, func(error) bool { return false })
	for id, n := range claims {
		if n != 1 {
			p.Errorf("session %s was claimed %d times by workers that asked at once", id, n)
		}
	}
	// One that others were just claiming may be passed over by everybody.
	for _, s := range p.claim(sessions, time.Hour) {
		claims[s.ID]++
	}
	if len(claims) != sessions {
		p.Errorf("%d of %d sessions that were due were claimed", len(claims), sessions)
	}
}

func dueAgain(p *probe) {
	p.create(session("shop-a"))
	p.due("shop-a", time.Minute)
	if got := ids(p.claim(10, 50*time.Millisecond)); len(got) != 1 {
		p.Fatalf("Due gives %v, want shop-a", got)
	}
	p.until("a second claim of a session whose lease of 50 ms has passed", func() bool { return len(p.claim(10, time.Hour)) == 1 })
}

func dueLeft(p *probe) {
	seen := map[string]bool{}
	for i := range 10 {
		id := fmt.Sprint("shop-", i)
		p.create(session(id))
		p.due(id, time.Minute)
	}
	for s, err := range p.Due(p.ctx, 10, 30*time.Millisecond) {
		if err != nil {
			p.Fatal(err)
		}
		seen[s.ID] = true
		break
	}
	p.until("a claim of everything that a loop over Due has not come to, once its lease of 30 ms has passed", func() bool {
		for _, s := range p.claim(10, time.Hour) {
			seen[s.ID] = true
		}
		return len(seen) == 10
	})
}

// loop is one of the iterators of a store.
type loop struct {
	name string
	over func(p *probe) iter.Seq2[vending.Session, error]
}

// loops are all of them. Each of prepared's sessions is in one of them.
func loops() []loop {
	return []loop{
		{"Due", func(p *probe) iter.Seq2[vending.Session, error] { return p.Due(p.ctx, 10, time.Hour) }},
		{"Open", func(p *probe) iter.Seq2[vending.Session, error] { return p.Open(p.ctx) }},
		{"Closed", func(p *probe) iter.Seq2[vending.Session, error] {
			return p.Closed(p.ctx, time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
		}},
	}
}

// prepared makes six sessions: three that are open and due, and three that are closed.
func (p *probe) prepared() {
	for i := range 6 {
		id := fmt.Sprint("shop-", i)
		s := p.create(seated(id, "machine-of-"+id))
		if i < 3 {
			p.due(id, time.Minute)
		} else {
			p.closed(id, s.Now, 0)
		}
	}
}

// clockInAll wants the store's clock in every session that is given.
func clockInAll(p *probe) {
	p.prepared()
	last := p.load("shop-0").Now
	if last.IsZero() {
		p.Fatal("Load leaves Session.Now zero, want the store's clock")
	}
	advanced := func(what string, now time.Time) {
		p.Helper()
		if now.Before(last) {
			p.Errorf("%s says Now %s, which is before %s, which was said earlier: it is not the store's clock at that moment", what, now, last)
		}
		last = now
	}
	p.change("shop-0", func(s *vending.Session) { s.Now = s.Now.Add(-time.Hour) }) // whatever a Save says of it is not stored
	advanced("Load", p.load("shop-0").Now)
	other, err := p.other.Load(p.ctx, "shop-0")
	if err != nil {
		p.Fatal(err)
	}
	advanced("Load over another connection", other.Now)
	seat, err := p.Seat(p.ctx, "machine-of-shop-0")
	if err != nil {
		p.Fatal(err)
	}
	advanced("Seat", seat.Now)
	for _, loop := range loops() {
		began, newest := last, last
		for _, s := range p.all(loop.name, loop.over(p)) {
			last = began // in which order a loop reads the clock is its own affair
			advanced(loop.name, s.Now)
			newest = slices.MaxFunc([]time.Time{newest, s.Now}, time.Time.Compare)
		}
		last = newest
	}
	if err := p.Wake(p.ctx, 0, "shop-0"); err != nil {
		p.Fatal(err)
	}
	p.between("WakeAt after Wake in 0, between two readings of Now", p.load("shop-0").WakeAt, last, p.load("shop-0").Now)
	p.until("a Load whose Now is later than that of the first", func() bool { return p.load("shop-0").Now.After(last) })
}

func dueWoken(p *probe) {
	claimed := func(when string, want ...bool) {
		p.Helper()
		var got []bool
		list := p.claim(10, time.Hour)
		slices.SortFunc(list, func(a, b vending.Session) int { return strings.Compare(a.ID, b.ID) })
		for _, s := range list {
			got = append(got, s.Woken)
		}
		if !slices.Equal(got, want) {
			p.Errorf("%s Due gives Woken %v of %v, want %v: Wake was called, and no Rest has taken it away since, or not", when, got, ids(list), want)
		}
	}
	for _, id := range []string{"shop-a", "shop-b"} {
		p.create(session(id))
		p.due(id, time.Minute)
	}
	claimed("of new sessions", false, false)
	if err := p.Wake(p.ctx, 0, "shop-b"); err != nil {
		p.Fatal(err)
	}
	p.due("shop-a", time.Minute)
	p.change("shop-b", func(*vending.Session) {})
	claimed("after a wake of the second, and saves of both,", false, true)
	p.due("shop-a", time.Minute)
	p.due("shop-b", time.Minute)
	claimed("after a claim, whose worker may have died,", false, true)
	rest := func(woken bool) {
		p.Helper()
		var both []vending.Session
		for _, id := range []string{"shop-a", "shop-b"} {
			s := p.load(id)
			s.Woken = s.Woken && woken
			both = append(both, s)
		}
		if err := p.Rest(p.ctx, 0, both...); err != nil {
			p.Fatal(err)
		}
	}
	rest(true)
	claimed("after a rest of what Load has given,", false, true)
	rest(false)
	claimed("after a rest without it", false, false)
	if err := p.Wake(p.ctx, 0, "shop-a", "shop-b"); err != nil {
		p.Fatal(err)
	}
	claimed("after a wake of both", true, true)
	rest(false)
	claimed("after another rest without it", false, false)
}
