package vending

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Seat gives the session that has a machine to itself now, or an error that matches [ErrNotFound]. A machine whose customer
// presses a button finds by it what the button is for.
func (o *Operator) Seat(ctx context.Context, machine string) (*Session, error) {
	s, err := o.config.Store.Seat(ctx, machine)
	if err != nil {
		return nil, fmt.Errorf("machine %s: %w", machine, err)
	}
	return &s, nil
}

// Select is the customer choosing a product, in a session that is [Choosing]: the machine is then told to let it out, and
// [Operator.Wait] or Config.Observe say what became of it. Call it in the process that reaches the machine. The ordinal
// counts the products of the session from 1, dropped or not: len(Items) + 1 is the next. The same selection again is the same
// request, so take the ordinal once for each press of a button.
//
// A product that cannot be chosen changes nothing, and the customer may choose another one: [ErrNoProduct], [ErrSoldOut],
// [ErrAgeLimit], [ErrAboveReservation] (a second product, or one that was refilled after the approval), or [ErrRepriced] if the
// price list is not the one of the approval. Neither does an
// error of the payment's read, or [ErrElsewhere] of the machine's Ready: try again. [ErrTooLate] means that the session is not
// choosing, or that its reservation is gone.
func (o *Operator) Select(ctx context.Context, session string, ordinal int, slot string) error {
	m := &mover{o: o, id: session, done: ctx.Done()}
	if err := m.load(ctx); err != nil {
		return err
	}
	if m.foreign() {
		return errForeign
	}
	if m.s.chosen(ordinal, slot) {
		return nil // asked before
	}
	if m.tick(); m.s.State != Choosing || !inTurn(&m.s, fact{n: ordinal}) {
		_ = o.config.Store.Wake(ctx, 0, session) // its time may be over, and nobody has seen it yet
		return fmt.Errorf("session %s is %s and has %d products: %w", session, m.s.State, len(m.s.Items), ErrTooLate)
	}
	item, err := o.choice(ctx, &m.s, slot)
	if err != nil {
		return fmt.Errorf("session %s: %w", session, err)
	}
	if err := o.config.Store.Wake(ctx, lease, session); err != nil { // ours for a while
		return err
	}
	if err := m.load(ctx); err != nil {
		return err
	}
	err = m.choose(ctx, ordinal, item)
	if m.s.State == Vending && m.how == armed {
		o.forgetSelection(m.s.Machine) // the button was for this session
		// The machine's word is not given up with whoever pressed the button, nor waited for without end.
		working, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.s.Timeouts.Verdict+time.Minute)
		m.done = working.Done()
		o.apart(func() {
			defer cancel()
			if err := m.run(context.WithoutCancel(ctx)); err != nil {
				m.warn(ctx, "session stopped", err)
			}
		})
		return nil
	}
	// Whatever it is now, it is for whoever runs the store, unless somebody has woken it meanwhile: that is sooner.
	err = errors.Join(err, m.sleep(ctx, m.restAt()))
	o.wakeLoop()
	return err
}

// chosen says whether a selection has been taken.
func (s *Session) chosen(ordinal int, slot string) bool {
	return s.Maximum && ordinal >= 1 && ordinal <= len(s.Items) && s.Items[ordinal-1].Slot == slot
}

// restAt is when a session that this worker lets go is to be looked at.
func (m *mover) restAt() time.Duration {
	if m.s.State == Choosing {
		return max(0, m.s.SelectUntil.Sub(m.s.Now))
	}
	return 0
}

// choice is the product in a slot, if this session may have it.
func (o *Operator) choice(ctx context.Context, s *Session, slot string) (Item, error) {
	planogram, err := o.planogram(ctx, "vending.Select", s.Machine)
	if err != nil {
		return Item{}, err
	}
	if planogram.Version != s.Planogram {
		return Item{}, fmt.Errorf("price list %q is %q by now: %w", s.Planogram, planogram.Version, ErrRepriced)
	}
	product, err := planogram.product(slot)
	if err != nil {
		return Item{}, err
	}
	var f findings
	checkProducts(f.require, []Product{product}, s.Currency)
	if err := f.err("planogram of machine " + s.Machine); err != nil {
		return Item{}, err
	}
	switch {
	case product.MinimumAge > s.MinimumUserAge:
		return Item{}, fmt.Errorf("%s: %w", product.Name, ErrAgeLimit)
	case product.Price > s.rest():
		return Item{}, fmt.Errorf("%s: %w", product.Name, ErrAboveReservation)
	default:
		return product.item(), nil
	}
}

// choose puts a selection to the table, with a read that is fresh: what a session that is choosing has seen last is as good
// as a read of our own, since nothing is sent while it chooses.
func (m *mover) choose(ctx context.Context, ordinal int, item Item) error {
	m.tick()
	if age := m.s.Now.Sub(m.s.Seen.At); age >= 0 && age <= fresh-arming {
		seen := m.s.Seen
		seen.Twice = false
		m.look(time.Now().Add(-age), seen)
	}
	for range 2 { // the second time with a read, if the first aged while the machine was asked
		if m.view == nil {
			if _, err := m.read(ctx); err != nil || m.view == nil {
				return fmt.Errorf("session %s: the reservation could not be checked, choose again: %w", m.id, errors.Join(err, m.last))
			}
		}
		taken, err := m.take(ctx, fact{kind: factSelected, n: ordinal, item: item, view: *m.view})
		switch {
		case errors.Is(err, errElsewhere):
			return fmt.Errorf("session %s: %w", m.id, ErrElsewhere)
		case err != nil:
			return err
		case taken && m.s.State == Vending:
			return nil
		case taken && m.s.Reason == ReasonMachine:
			return fmt.Errorf("session %s: the machine cannot sell: %w", m.id, ErrTooLate)
		case !taken && m.s.chosen(ordinal, item.Slot):
			return nil // by another call
		case taken || m.s.State != Choosing:
			return fmt.Errorf("session %s is %s: %w", m.id, m.s.State, ErrTooLate)
		}
		m.view = nil
	}
	return fmt.Errorf("session %s: %w", m.id, errChooseAgain)
}

var errChooseAgain = errors.New("the reservation could not be checked in time, choose again")

// Complete ends a session with a maximum once the customer wants nothing more: what dropped is captured at once and the
// rest released. Without it a session ends by itself when Timeouts.Select passes, when the reservation is spent, or after as
// many products as were ordered. While a product is being let out it ends after that one. Completing twice is the same as
// once. Before the approval it is [Operator.Withdraw] that ends a session.
func (o *Operator) Complete(ctx context.Context, session string) error {
	return o.tell(ctx, session, fact{kind: factComplete})
}
