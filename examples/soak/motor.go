package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// turning is how long the motor of the box turns.
const turning = 40 * time.Millisecond

// motor is the machine of the box: a journal, and a driver that writes a line for each product that leaves. That file is the
// machine's counter, which no program reads before the audit.
type motor struct {
	*vending.JournaledMachine
	counter *os.File
}

func newMotor(journal, counter string) (*motor, error) {
	file, err := os.OpenFile(counter, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the parent says where
	if err != nil {
		return nil, err
	}
	m := &motor{counter: file}
	m.JournaledMachine, err = vending.Journaled(journal, m.turn)
	return m, err
}

// vendID is what the driver's context says the turn is for.
type vendID struct{}

// Vend tells the driver for what it turns, which it needs for the counter only.
func (m *motor) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	return m.JournaledMachine.Vend(context.WithValue(ctx, vendID{}, c.ID), c)
}

// turn lets a product out half-way. Every twentieth jams.
func (m *motor) turn(ctx context.Context, _ string) error {
	id, _ := ctx.Value(vendID{}).(string)
	fmt.Println("motor") // a moment to be killed at
	pause(ctx, turning/2)
	if crc32.ChecksumIEEE([]byte(id))%20 == 0 {
		return vending.ErrJammed
	}
	if _, err := fmt.Fprintln(m.counter, id); err != nil {
		return err
	}
	pause(ctx, turning/2)
	return nil
}
