package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

// The machines, and what happened there.
const (
	sold     = "oslo-1"
	stale    = "oslo-2" // a basket that the customer will complain about
	jammed   = "oslo-3"
	released = "oslo-4" // silent, and nothing was charged
	held     = "oslo-5" // silent, and a person is to decide
	refused  = "oslo-6" // the product came out and could not be captured
	waiting  = "oslo-7" // the customer has not approved yet
	meddled  = "oslo-8" // somebody captured in the portal, so that the machine was never told
)

// fleet is a Machine for all of them: it finds by the command, or by the vend id, whom to ask.
type fleet map[string]*vendingtest.Machine

func (f fleet) Ready(ctx context.Context, machine string) error {
	m, known := f[machine]
	if !known {
		return fmt.Errorf("machine %s is not known", machine)
	}
	return m.Ready(ctx, machine)
}

func (f fleet) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	return f[c.Machine].Vend(ctx, c) // it was ready
}

func (f fleet) Conclude(ctx context.Context, id string) (vending.Verdict, error) {
	m, known := f[vending.MachineOf(id)]
	if !known {
		return vending.Unknown, fmt.Errorf("machine of %s is not known", id)
	}
	return m.Conclude(ctx, id)
}

// script makes the machines, and some of them break. Nobody has the patience of a shop here.
func (f fleet) script(timeouts map[string]vending.Timeouts) {
	for _, machine := range []string{sold, stale, jammed, released, held, refused, waiting, meddled} {
		f[machine] = new(vendingtest.Machine)
	}
	f[jammed].Script(vendingtest.Jam)
	for _, machine := range []string{released, held} {
		f[machine].Script(vendingtest.Silent)
		timeouts[machine] = vending.Timeouts{Start: 50 * time.Millisecond, Verdict: 50 * time.Millisecond}
	}
}

// history makes a day's sales. The first of them was made when silent machines were still not charged for, by an operator
// of that kind on the same store.
func history(ctx context.Context, server *setup.Setup, d *desk) error {
	config := d.config
	config.UnknownVerdict = vending.ReleaseUnknown
	before, err := vending.NewOperator(config)
	if err != nil {
		return err
	}
	fmt.Println("making a day's sales")
	if err := sell(ctx, server, before, released); err != nil {
		return err
	}
	machines := []string{sold, stale, jammed, held, refused, meddled}
	failures := make([]error, len(machines))
	var sales sync.WaitGroup
	for i, machine := range machines {
		sales.Go(func() { failures[i] = sell(ctx, server, d.operator, machine) })
	}
	sales.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	_, err = d.operator.OpenDynamicQR(ctx, order(waiting))
	return err
}

func order(machine string) vending.DynamicQROrder {
	o := vending.DynamicQROrder{Machine: machine, Products: []vending.Product{{Name: "Coffee", Slot: "A1", Price: 2500, TaxRate: 1500}}}
	if machine == stale {
		o.Products = append(o.Products, vending.Product{Name: "Bun", Slot: "B2", Price: 3500, TaxRate: 1500})
	}
	return o
}

func sell(ctx context.Context, server *setup.Setup, operator *vending.Operator, machine string) error {
	_, err := operator.SellDynamicQR(ctx, order(machine), func(code vending.Code) {
		if machine == refused {
			server.Emulator.Inject(vippstest.Fault{
				Op: "capture", Reference: code.Session, Count: -1, Kind: vippstest.RefuseSticky, Code: "6200",
			})
		}
		err := server.Emulator.Approve(code.Session)
		if err == nil && machine == meddled {
			err = server.Emulator.PortalCapture(code.Session, code.Amount.Value)
		}
		if err == nil { // as the webhook would
			err = operator.HandleEvent(ctx, &webhooks.PaymentEvent{Reference: code.Session, Name: webhooks.NameAuthorized})
		}
		if err != nil {
			fmt.Println("the customer could not approve:", err)
		}
	})
	if err != nil {
		return fmt.Errorf("machine %s: %w", machine, err)
	}
	return nil
}
