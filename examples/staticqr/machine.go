package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/examples/internal/story"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
)

// What the machine sells.
var (
	cola     = vending.Product{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}
	chips    = vending.Product{Name: "Chips", Slot: "B2", Price: 3200, TaxRate: 1500}
	sandwich = vending.Product{Name: "Sandwich", Slot: "C3", Price: 4000, TaxRate: 1500}
	energy   = vending.Product{Name: "Energy drink", Slot: "D4", Price: 4500, TaxRate: 1500, MinimumAge: 16}
)

func newSale(server *setup.Setup, kept *database.Database, o options) (*sale, error) {
	s := &sale{
		options: o, server: server, wishes: o.wishes(),
		steps: make(chan vending.Transition, 1000), notices: make(chan vending.Notice, 10),
	}
	machine, err := kept.Machine(o.machine, s.turnMotor)
	if err != nil {
		return nil, err
	}
	config := vending.Config{
		Client:    server.Client,
		Machine:   machine,
		Store:     kept.Store,
		Currency:  vipps.Currency(o.currency),
		Planogram: s.planogram,
		ReturnURL: page(o.machine) + "?t={token}",
		PageKey:   vipps.Secret(rand.Text() + rand.Text()), // nobody serves the page here, so its address may end with the process
		LegalLinks: epayment.MerchantLegalLinks{
			TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy",
		},
		Observe: func(t vending.Transition) {
			story.Narrate(t)
			if !kept.Earlier(t.Session.ID) {
				s.steps <- t
			}
		},
		Notify: func(n vending.Notice) { s.notices <- n },
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	switch { // patience for a demonstration
	case o.silent:
		config.Timeouts = vending.Timeouts{Start: o.pace, Verdict: o.pace * 3 / 2}
		if !kept.Durable() {
			scripted := new(vendingtest.Machine) // is never heard of again
			scripted.Script(vendingtest.Silent)
			config.Machine = scripted
		}
	case o.nothing:
		config.Timeouts.Select = o.pace * 3 / 2
	case o.refund:
		config.InFull = vending.CaptureAndRefund
	}
	if o.checkIn {
		config.CheckIns = &vending.CheckIns{Items: s.most()}
	}
	s.operator, err = vending.NewOperator(config)
	return s, err
}

// most is what is reserved for: one product more than the customer takes of several, so that there is something to finish.
func (s *sale) most() int {
	if s.items == 1 {
		return 1
	}
	return s.items + 1
}

// planogram may change while a customer stands there: with -above the dearest product is refilled after the approval.
func (s *sale) planogram(context.Context, string) (vending.Planogram, error) {
	last := sandwich
	last.SoldOut = s.above && !s.refilled.Load()
	return vending.Planogram{Version: "summer", Products: []vending.Product{cola, chips, last, energy}}, nil
}

// turnMotor is where the machine's own protocol goes. Nil means that the product dropped, and an error that nobody knows.
func (s *sale) turnMotor(ctx context.Context, _ string) error {
	switch {
	case !sleep(ctx, s.pace/2):
		return ctx.Err()
	case s.jam && !s.jammed.Swap(true):
		return vending.ErrJammed
	case s.silent:
		return errors.New("the motor says nothing")
	default:
		return nil
	}
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

// page is what the machine's sticker opens.
func page(machine string) string { return "https://shop.example/m/" + machine }
