package database

import (
	"context"
	"fmt"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

// Resume tells what an earlier run left open, and waits until it is at rest or a person has to decide. Somebody must be
// running the operator. What belongs to another sales unit is left to its own programs.
func (d *Database) Resume(ctx context.Context, client *vipps.Client, operator *vending.Operator) error {
	if !d.Durable() {
		return nil
	}
	var left []string
	for s, err := range d.Store.Open(ctx) {
		switch {
		case err != nil:
			return fmt.Errorf("-db: %w", err)
		case s.State == vending.Closed: // its money is at rest
		case s.Environment != client.Environment() || s.MerchantSerialNumber != client.MerchantSerialNumber():
			fmt.Printf("left open: session %s is %s, and of another sales unit: left to its own program\n", s.ID, s.State)
		case s.State == vending.Held:
			fmt.Printf("left open: session %s is held for a person\n", s.ID)
		default:
			fmt.Printf("left open: session %s is %s, and is finished first\n", s.ID, s.State)
			left = append(left, s.ID)
		}
	}
	for _, id := range left {
		s, err := operator.Wait(ctx, id)
		if err != nil {
			return fmt.Errorf("session %s was left open, and is still: %w", id, err)
		}
		fmt.Printf("finished: session %s, %s\n", id, s.Summary())
	}
	return nil
}

// Run keeps sessions moving until stop is called. A shop has a process that does so always.
func Run(ctx context.Context, operator *vending.Operator) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = operator.Run(ctx) // ends with ctx, and says so
	}()
	return func() {
		cancel()
		<-ended
	}
}
