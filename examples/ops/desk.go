package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/vending"
)

// desk is what a person works with.
type desk struct {
	store    vending.Store
	operator *vending.Operator
	config   vending.Config
	machines fleet
}

// open opens the store, and an operator on it. A desk in a shop has the database that the machines' programs have, and may
// run beside them: who runs the store does what is decided here.
func open(server *setup.Setup, kept *database.Database) (*desk, error) {
	d := &desk{store: kept.Store, machines: fleet{}}
	d.config = vending.Config{
		Client:   server.Client,
		Machine:  d.machines,
		Store:    d.store,
		Currency: vipps.NOK,
		LegalLinks: epayment.MerchantLegalLinks{
			TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy",
		},
		UnknownVerdict:  vending.HoldUnknown,
		MachineTimeouts: map[string]vending.Timeouts{},
		Notify: func(n vending.Notice) {
			fmt.Printf("notice, %s, machine %s, session %s: %v\n", n.Kind, n.Machine, n.Session, n.Err)
		},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	}
	d.machines.script(d.config.MachineTimeouts)
	if kept.Durable() {
		d.config.Machine, d.config.MachineTimeouts = kept.Desk(), nil
	}
	var err error
	d.operator, err = vending.NewOperator(d.config)
	return d, err
}

// month is how long the desk looks back.
const month = 31 * 24 * time.Hour

// sessions are those of the last month, the open ones first.
func (d *desk) sessions(ctx context.Context) iter.Seq2[vending.Session, error] {
	return func(yield func(vending.Session, error) bool) {
		for s, err := range d.store.Open(ctx) {
			if s.State != vending.Closed && !yield(s, err) { // a closed one that has a task left is below
				return
			}
		}
		now := time.Now()
		for s, err := range d.store.Closed(ctx, now.Add(-month), now.Add(month)) {
			if !yield(s, err) {
				return
			}
		}
	}
}

// find gives the session whose id is, or begins with, what somebody has typed.
func (d *desk) find(ctx context.Context, id string) (*vending.Session, error) {
	s, err := d.operator.Session(ctx, id)
	if !errors.Is(err, vending.ErrNotFound) {
		return s, err
	}
	for other, failure := range d.sessions(ctx) {
		switch {
		case failure != nil:
			return nil, failure
		case !strings.HasPrefix(other.ID, id):
		case s != nil:
			return nil, fmt.Errorf("session %s: there are several", id)
		default:
			s = &other
		}
	}
	if s == nil {
		return nil, err
	}
	return s, nil
}

// vend gives the vend id that somebody has typed, with the session's id cut short or not, and the session.
func (d *desk) vend(ctx context.Context, id string) (string, *vending.Session, error) {
	i := strings.LastIndex(id, "-v")
	if i < 0 {
		return "", nil, fmt.Errorf("%s is no vend id: show tells them", id)
	}
	s, err := d.find(ctx, id[:i])
	if err != nil {
		return "", nil, err
	}
	return s.ID + id[i:], s, nil
}

// patience is how long a command waits for what it has asked for.
const patience = 5 * time.Second

// until waits until a session is as it should be. It looks, since another process may be the one that gets it there.
func (d *desk) until(ctx context.Context, id string, done func(*vending.Session) bool) (*vending.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		s, err := d.operator.Session(ctx, id)
		if err != nil || done(s) {
			return s, err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			fmt.Println("not yet done; it goes on by itself")
			return s, nil
		}
	}
}
