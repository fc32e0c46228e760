package database

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/vippsvending/vipps/vending"
)

// Driver turns the motor of a slot, as [vending.Journaled] says.
type Driver func(ctx context.Context, slot string) error

// Machine makes a machine of a driver: one that keeps its promise over a crash if sessions outlive the program, with a
// journal for each machine by name. With a file the journals stand beside it, and programs that share it find each other's
// sessions there: while one holds a machine's journal its motors are that one's to turn. With a server there is no more here
// than the machine that is named.
func (d *Database) Machine(name string, driver Driver) (vending.Machine, error) {
	if !d.Durable() {
		return vending.NewMemoryMachine(driver), nil
	}
	folder := d.folder
	if folder == "" { // there is no beside: a journal belongs to the box that the motors are wired to
		own, err := os.UserConfigDir()
		if err != nil {
			return nil, err
		}
		folder = filepath.Join(own, "vipps-examples", "machines")
	}
	d.machines = machines{folder: folder, beside: d.beside, own: name, driver: driver, open: map[string]*vending.JournaledMachine{}}
	_, err := d.machines.machine(name)
	return &d.machines, err
}

// Desk is the machines as seen from a desk: it turns no motor, and asks those journals that stand beside the database and
// that nobody holds.
func (d *Database) Desk() vending.Machine {
	d.machines = machines{
		folder: d.folder, beside: d.beside, open: map[string]*vending.JournaledMachine{},
		driver: func(context.Context, string) error { return errDesk },
	}
	return &d.machines
}

var errDesk = errors.New("no motor is turned from a desk")

type machines struct {
	folder string
	beside bool
	own    string // empty for a desk
	driver Driver

	mu   sync.Mutex
	open map[string]*vending.JournaledMachine
}

// machine opens a machine's journal when it is first needed.
func (m *machines) machine(name string) (vending.Machine, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found, ok := m.open[name]; ok {
		return found, nil
	}
	if name == "" || name != filepath.Base(name) || !m.beside && name != m.own {
		return nil, fmt.Errorf("machine %q is not reached from here", name)
	}
	dir := filepath.Join(m.folder, name)
	if _, err := os.Stat(dir); m.own == "" && err != nil {
		return nil, fmt.Errorf("machine %q is not reached from here: %w", name, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	made, err := vending.Journaled(dir, m.driver)
	if err != nil {
		return nil, err
	}
	m.open[name] = made
	return made, nil
}

func (m *machines) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, machine := range m.open {
		_ = machine.Close() // what it could not record it says is unknown, next time
		delete(m.open, name)
	}
}

// Ready implements [vending.Machine].
func (m *machines) Ready(ctx context.Context, name string) error {
	machine, err := m.machine(name)
	if err != nil || m.own == "" {
		return errors.Join(vending.ErrElsewhere, err)
	}
	return machine.Ready(ctx, name)
}

// Vend implements [vending.Machine].
func (m *machines) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	machine, err := m.machine(c.Machine)
	if err != nil {
		return vending.Unknown, err
	}
	return machine.Vend(ctx, c)
}

// Conclude implements [vending.Machine].
func (m *machines) Conclude(ctx context.Context, id string) (vending.Verdict, error) {
	machine, err := m.machine(vending.MachineOf(id))
	if err != nil {
		return vending.Unknown, err
	}
	return machine.Conclude(ctx, id)
}
