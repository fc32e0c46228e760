package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/vending"
)

// sale is a machine with one customer.
type sale struct {
	options
	server   *setup.Setup
	operator *vending.Operator
	steps    chan vending.Transition
	notices  chan vending.Notice
	wishes   []string    // slots that are still to be chosen
	refilled atomic.Bool // the sandwich, with -above
	jammed   atomic.Bool // the first product, with -jam
}

// follow plays the customer at each step of the session, until nothing is left to do for it or nobody will do it.
func (s *sale) follow(ctx context.Context) (*vending.Session, error) {
	var last vending.Session
	var limit <-chan time.Time
	returned := ctx.Done()
	for {
		select {
		case t := <-s.steps:
			last = t.Session
			switch {
			case last.Finished(), last.State == vending.Held, last.Absent:
				return &last, nil
			case last.State == vending.Closed: // the receipt, or a refund, is on its way
				limit = time.After(10 * time.Second)
			case ctx.Err() != nil || t.Step.From == t.Step.To:
			case t.Step.To == vending.Waiting:
				s.decide(ctx, last.ID)
			case t.Step.To == vending.Choosing && last.Maximum:
				s.choose(ctx, last.ID, len(last.Items)+1)
			}
		case n := <-s.notices:
			fmt.Printf("notice, %s: %v\n", n.Kind, n.Err)
			if n.Kind == vending.NoticeCheckIn {
				return nil, errors.New("the scan was not served")
			}
		case <-returned:
			returned, limit = nil, time.After(30*time.Second)
			s.giveBack(ctx)
		case <-limit: // the store is gone when this program ends
			if last.State == vending.Closed {
				return &last, nil
			}
			return nil, fmt.Errorf("session %s is not finished, and nobody will: look at the payment in the portal", last.ID)
		}
	}
}

// decide is the customer with the payment in the app, unless that is a real one.
func (s *sale) decide(ctx context.Context, id string) {
	if !sleep(ctx, s.pace) {
		return
	}
	if err := s.server.Decide(ctx, id, s.approve, s.abort); err != nil {
		fmt.Println("the customer could not decide:", err)
	}
}

// choose is the customer at the machine's buttons. A choice that is refused costs nothing: the next one is tried.
func (s *sale) choose(ctx context.Context, id string, ordinal int) {
	s.refilled.Store(true)
	if s.nothing {
		fmt.Println("the customer walks away")
		return
	}
	for sleep(ctx, s.pace) {
		if len(s.wishes) == 0 {
			fmt.Println("the customer wants nothing more")
			report(s.operator.Complete(ctx, id))
			return
		}
		slot := s.wishes[0]
		s.wishes = s.wishes[1:]
		fmt.Println("the customer chooses", slot)
		err := s.operator.Select(ctx, id, ordinal, slot)
		if err == nil {
			return
		}
		fmt.Println("the machine says:", refusal(err))
	}
}

// refusal is what a machine shows. It has no screen, so it is short.
func refusal(err error) string {
	for reason, words := range map[error]string{
		vending.ErrAboveReservation: "more than is reserved",
		vending.ErrAgeLimit:         "needs an age check",
		vending.ErrSoldOut:          "sold out",
		vending.ErrNoProduct:        "not sold here",
		vending.ErrTooLate:          "too late",
	} {
		if errors.Is(err, reason) {
			return words
		}
	}
	return "try again: " + err.Error()
}

// giveBack is the return button.
func (s *sale) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	fmt.Println("the return button is pressed")
	session, err := s.operator.Seat(ctx, s.machine)
	if err == nil {
		err = s.operator.Withdraw(ctx, session.ID)
	}
	switch {
	case errors.Is(err, vending.ErrTooLate):
		fmt.Println("too late: the machine has been told, and what drops is paid for")
	case errors.Is(err, vending.ErrNotFound):
		fmt.Println("too late: the machine is done")
	default:
		report(err)
	}
}

func report(err error) {
	if err != nil {
		fmt.Println("that did not work:", err)
	}
}
