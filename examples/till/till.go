package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/examples/internal/story"
	"github.com/vippsvending/vipps/vending"
)

// till is a counter with somebody behind it.
type till struct {
	options
	server   *setup.Setup
	kept     *database.Database
	operator *vending.Operator
	opened   atomic.Bool          // there is a session
	finished chan vending.Session // nothing is left to do for it
}

func newTill(server *setup.Setup, kept *database.Database, o options) (*till, error) {
	t := &till{options: o, server: server, kept: kept, finished: make(chan vending.Session, 1)}
	machine, err := kept.Machine(o.machine, t.handOver)
	if err != nil {
		return nil, err
	}
	config := vending.Config{
		Client:   server.Client,
		Machine:  machine,
		Store:    kept.Store,
		Currency: vipps.Currency(o.currency),
		LegalLinks: epayment.MerchantLegalLinks{
			TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy",
		},
		Observe: t.observe,
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if o.nobody {
		config.Timeouts.Approve = o.pace // patience for a demonstration
	}
	t.operator, err = vending.NewOperator(config)
	return t, err
}

func (t *till) observe(transition vending.Transition) {
	story.Narrate(transition)
	if t.kept.Earlier(transition.Session.ID) {
		return
	}
	t.opened.Store(true)
	s := transition.Session
	switch {
	case s.State == vending.Waiting && transition.Step.From == vending.Opening:
		go t.decide(s.ID)
	case s.Finished():
		select {
		case t.finished <- s:
		default: // a word that comes later changes nothing
		}
	}
}

// decide is the customer with the payment in the app, unless that is a real one.
func (t *till) decide(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // after Ctrl-C as well: nobody takes the phone away
	defer cancel()
	if t.nobody || !sleep(ctx, t.pace) {
		return
	}
	if err := t.server.Decide(ctx, id, t.approve, t.abort); err != nil {
		fmt.Println("the customer could not decide:", err)
	}
}

// handOver is the person behind the counter, who presses a key when it is done. Nil means that the customer has it.
func (t *till) handOver(ctx context.Context, slot string) error {
	fmt.Println("hand over: one from the", slot)
	if !sleep(ctx, t.pace/2) {
		return ctx.Err()
	}
	return nil
}

// sleep says whether the time passed before the context ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
