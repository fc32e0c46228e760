package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// most is how many customers a night has at most.
const most = 200

// night is a row of customers who do what they like, with faults at random.
type night struct{ n, of int }

type nightView struct {
	Running bool `json:"running"`
	Done    int  `json:"done"`
	Of      int  `json:"of"`
}

func (n night) view() nightView { return nightView{n.of > 0, n.n, n.of} }

// begin starts a night.
func (p *playground) begin(n int) error {
	if n < 1 || n > most {
		return fmt.Errorf("a night has 1 to %d customers", most)
	}
	p.mu.Lock()
	if p.night.of > 0 {
		p.mu.Unlock()
		return errors.New("it is night already")
	}
	seated := p.seated() != nil
	if !seated {
		p.night, p.message, p.phone = night{0, n}, "", phone{turn: p.phone.turn} // the first customer is told nothing yet
	}
	p.touch()
	p.mu.Unlock()
	if seated {
		return errors.New("finish the sale first, or press return")
	}
	go p.spend(n)
	return nil
}

// spend lets the customers come, one after another and by every door in turn, beginning at the one that is open.
func (p *playground) spend(n int) {
	p.mu.Lock()
	before := p.door
	p.mu.Unlock()
	first := slices.Index(doors, before)
	pace := p.motor.hurry(100 * time.Millisecond)
	p.motor.refill()
	for i := range n {
		ctx, cancel := context.WithTimeout(p.ctx, 90*time.Second)
		p.visit(ctx, doors[(first+i)%len(doors)])
		cancel()
		p.mu.Lock()
		p.night.n = i + 1
		p.touch()
		p.mu.Unlock()
		if p.ctx.Err() != nil {
			return
		}
	}
	p.faults.disarm()
	p.motor.hurry(pace)
	p.motor.take()
	p.motor.refill()
	p.mu.Lock()
	p.door, p.night, p.message, p.phone = before, night{}, "", phone{turn: p.phone.turn}
	p.touch()
	p.mu.Unlock()
}

// visit is one customer.
func (p *playground) visit(ctx context.Context, d door) {
	p.motor.take()
	if rand.IntN(12) == 0 { //nolint:gosec // a game
		p.motor.refill()
	}
	slot := catalog[rand.IntN(len(catalog))].Slot //nolint:gosec // as above
	_ = p.enter(d.ID)                             // it is one of ours
	for range rand.IntN(3) {                      //nolint:gosec // as above
		p.spoil()
	}
	id := p.arrive(ctx, d, slot)
	if id == "" {
		return
	}
	p.pay(ctx, id)
	p.choosing(ctx, id, slot)
	if s, ok := p.until(ctx, id, over); ok && s.State == vending.Held {
		_ = p.resolve(len(p.motor.dropped(id)) > 0) // the person looks into the flap
		p.until(ctx, id, func(s *sale) bool { return s.State == vending.Closed })
	}
}

// patience is how long a customer waits for an answer of any kind before leaving.
const patience = 10 * time.Second

// arrive is a customer beginning, which gives the sale; none if the machine or the phone refuses. Who is told to scan again
// does so once.
func (p *playground) arrive(ctx context.Context, d door, slot string) string {
	before := p.newest()
	for range 2 {
		refused := p.come(d, slot)
		waiting, cancel := context.WithTimeout(ctx, patience)
		p.await(waiting, func() bool {
			return refused != nil || p.newest() != before || p.child.address() == "" || p.refuses()
		})
		cancel()
		p.light(ctx)
		if id := p.newest(); id != before {
			return id
		}
		if d.Door != vending.CheckIn {
			break
		}
	}
	return ""
}

// refuses says that the machine's screen or the phone has an answer for who has just begun, and no sale.
func (p *playground) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.message != "" || p.phone.says != ""
}

// come is how a customer begins.
func (p *playground) come(d door, slot string) error {
	switch d.Door {
	case vending.DynamicQR:
		return p.press(slot)
	case vending.Till:
		p.choose(slot)
		return p.hold("")
	case vending.CheckIn:
		return p.scan()
	case vending.SitePayment:
		if err := p.press(slot); err != nil {
			return err
		}
	case vending.SiteSelection, vending.StaticQR:
	}
	return p.ask(order{Do: "open", Door: d.Door, Machine: d.Machine, Slot: slot})
}

// pay is what the customer does on the phone.
func (p *playground) pay(ctx context.Context, id string) {
	if s, ok := p.until(ctx, id, func(s *sale) bool { return s.State != vending.Opening }); !ok || s.State != vending.Waiting {
		return
	}
	switch n := rand.IntN(10); { //nolint:gosec // a game
	case n < 8:
		_ = p.emulator.Approve(id) // it may be over
	case n == 8:
		_ = p.emulator.Abort(id) // as above
	default:
		_ = p.ask(order{Do: "withdraw", Session: id}) // it may have no power
	}
	p.changed()
}

// choosing is what a customer does who has approved a maximum: one press for a product, and the return button when the machine
// asks again, because the product is sold out or has not dropped.
func (p *playground) choosing(ctx context.Context, id, slot string) {
	asked := order{Do: "select", Session: id, Slot: slot}
	var done int64 // the version of the sale that the last press was about
	for ctx.Err() == nil {
		s, ok := p.until(ctx, id, func(s *sale) bool { return s.Maximum && s.State == vending.Choosing && s.Version > done || over(s) })
		if !ok || over(s) {
			return
		}
		switch err := p.ask(asked); {
		case errors.Is(err, errNoPower), errors.Is(err, errWent):
			p.light(ctx) // and the same press again
			continue
		case err == nil || asked.Do == "withdraw": // what is refused has moved on, and is heard of
			done = s.Version
		}
		asked = order{Do: "withdraw", Session: id}
	}
}

// spoil arms something, or does it.
func (p *playground) spoil() {
	ids := []string{
		faultJam, faultSilent, faultCutCreate, faultCutVend, faultCutCapture, faultLostCreate, faultLostCapture, faultLostCancel,
		faultNotCreate, faultNotCapture, faultNotCancel, faultTwice, faultNoHook,
	}
	if id := ids[rand.IntN(len(ids))]; !p.faults.isArmed(id) { //nolint:gosec // a game
		p.faults.toggle(id)
	}
}

// light restores the power if it is gone.
func (p *playground) light(ctx context.Context) {
	if p.child.address() == "" && ctx.Err() == nil {
		_ = p.restore() // the screen says why not
	}
}

// until waits for a sale, with the power restored whenever it goes.
func (p *playground) until(ctx context.Context, id string, is func(*sale) bool) (*sale, bool) {
	for {
		var found *sale
		ok := p.await(ctx, func() bool {
			s, ok := p.look(id)
			found = s
			return ok && is(s) || p.child.address() == ""
		})
		if !ok {
			return found, false
		}
		if found != nil && is(found) {
			return found, true
		}
		p.light(ctx)
	}
}

// look gives a copy of a sale.
func (p *playground) look(id string) (*sale, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.sales[id]
	if !ok {
		return nil, false
	}
	copied := *s
	return &copied, true
}

func (p *playground) newest() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.order) == 0 {
		return ""
	}
	return p.order[len(p.order)-1]
}

// over says that a sale goes no further by itself.
func over(s *sale) bool { return s.State == vending.Closed || s.State == vending.Held }
