package vendingtest

import (
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// streamChecks go through more sessions than a store may want to hold in its hands at once.
func streamChecks() []storeCheck {
	return []storeCheck{{"thousands are gone through while they change", thousands}}
}

const manySessions = 1500

// thousands goes through many sessions by each iterator, while the loop saves them: all that are open, so that they leave
// what is gone through, and some of the others. It wakes and prunes them all.
func thousands(p *probe) {
	name := func(i int) string { return fmt.Sprintf("shop-%05d", i) }
	all := make([]string, manySessions)
	p.each(manySessions, func(i int) error {
		all[i] = name(i)
		return p.stores(i).Create(p.ctx, session(name(i)))
	})
	if err := p.Wake(p.ctx, 0, append([]string{"shop-x"}, all...)...); err != nil {
		p.Fatalf("Wake of %d sessions at once: %v", manySessions, err)
	}
	p.stream("Due", p.Due(p.ctx, manySessions+10, time.Hour), 10, func(s *vending.Session) { s.State = vending.Waiting })
	var ended time.Time
	opened := p.stream("Open", p.Open(p.ctx), 1, func(s *vending.Session) {
		ended = s.Now
		end(s, s.Now, 0)
	})
	if !slices.IsSortedFunc(opened, func(a, b vending.Session) int { return a.Opened.Compare(b.Opened) }) {
		p.Error("Open of thousands of sessions is not oldest first")
	}
	closed := p.stream("Closed", p.Closed(p.ctx, opened[0].Now.Add(-time.Hour), ended.Add(time.Hour)), 10, func(s *vending.Session) { s.Planogram = "seen" })
	if !slices.IsSortedFunc(closed, func(a, b vending.Session) int { return a.Ended.Compare(b.Ended) }) {
		p.Error("Closed of thousands of sessions is not oldest first")
	}
	if left := p.all("Open", p.Open(p.ctx)); len(left) != 0 {
		p.Errorf("%d sessions are open after all have been closed", len(left))
	}
	if n, err := p.Prune(p.ctx, ended.Add(time.Hour)); n != manySessions || err != nil {
		p.Errorf("Prune of %d finished sessions says %d, %v", manySessions, n, err)
	}
}

// stream goes through an iterator that has to give every session once, and saves one of so many while it goes on.
func (p *probe) stream(name string, sessions iter.Seq2[vending.Session, error], oneOf int, change func(*vending.Session)) []vending.Session {
	p.Helper()
	next := make(chan vending.Session)
	var saving sync.WaitGroup
	for i := range 16 {
		saving.Go(func() {
			for s := range next {
				if err := p.stores(i).Save(p.ctx, s); err != nil {
					p.Errorf("Save of session %s while a loop over %s goes on: %v", s.ID, name, err)
				}
			}
		})
	}
	times := map[string]int{}
	var given []vending.Session
	for s, err := range sessions {
		if err != nil {
			p.Errorf("%s gave an error after %d sessions: %v", name, len(given), err)
			break
		}
		given = append(given, s)
		times[s.ID]++
		if len(given)%oneOf == 0 {
			change(&s)
			next <- s
		}
	}
	close(next)
	saving.Wait()
	for id, n := range times {
		if n != 1 {
			p.Errorf("%s gave session %s %d times while the loop saved them", name, id, n)
		}
	}
	if len(times) != manySessions {
		p.Fatalf("%s gave %d of %d sessions while the loop saved them", name, len(times), manySessions)
	}
	return given
}
