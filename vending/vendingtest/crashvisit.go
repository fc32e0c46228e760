package vendingtest

import (
	"context"
	"errors"
	"slices"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

var errGone = errors.New("vendingtest: what was asked has ended its goroutine")

// Visit is what a customer has in front of them in one run of a [Scenario]: the machine, and a phone with the app.
type Visit struct {
	// Vipps is the phone, the merchant portal, and where faults are injected.
	Vipps *vippstest.Server
	// Machine is the one of the run.
	Machine Counted

	world *world
}

// Ask does something with the operator of the process at work, such as opening a session. If that process dies meanwhile Ask
// returns an error, and leaves do behind: what it calls comes back when the run is over. The context ends with the process;
// t.Context will do as well, but not context.Background, with which the rest of a dead process would never end.
func (v *Visit) Ask(do func(ctx context.Context, o *vending.Operator) error) error {
	p := v.world.atWork()
	done := make(chan error, 1)
	v.world.asks.Go(func() {
		err := errGone
		defer func() { done <- err }()
		err = do(p.ctx, p.operator)
	})
	select {
	case err := <-done:
		if err != nil && p.isDead() {
			return errCrashed
		}
		return err
	case <-p.died:
		return errCrashed
	}
}

// Insist is Ask by somebody who tries again with the next process if the first one dies: who presses a button once more.
func (v *Visit) Insist(do func(ctx context.Context, o *vending.Operator) error) error {
	for {
		if err := v.Ask(do); !errors.Is(err, errCrashed) {
			return err
		}
	}
}

// Payment waits for a payment and gives the reference of the newest, which is the id of its session. It is empty if
// everything has come to rest without one.
func (v *Visit) Payment() (reference string) {
	v.world.wait(func() bool {
		payments := v.Vipps.Payments()
		if len(payments) > 0 {
			reference = payments[len(payments)-1].Reference
		}
		return reference != ""
	})
	return reference
}

// Until waits until a session is in one of some states, or everything has come to rest otherwise. It gives the session as
// it is then; nil if there is none with that id.
func (v *Visit) Until(id string, states ...vending.State) *vending.Session {
	var session *vending.Session
	v.world.wait(func() bool {
		s, err := v.world.desk.Load(v.world.t.Context(), id)
		if err != nil {
			session = nil
			return false
		}
		session = &s
		return slices.Contains(states, s.State)
	})
	return session
}
