package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/vending"
)

// options are the flags.
type options struct {
	phone, approve, machine, currency    string
	db                                   string
	scan, basket, abort, nobody, unknown bool
	pace                                 time.Duration
}

func (o options) validate() error {
	var answers []string // of the customer
	for name, given := range map[string]bool{
		"-abort": o.abort, "-nobody": o.nobody, "-unknown-customer": o.unknown, "-approve": o.approve != "",
	} {
		if given {
			answers = append(answers, name)
		}
	}
	slices.Sort(answers)
	switch {
	case len(answers) > 1:
		return errors.New(strings.Join(answers, " and ") + " exclude each other")
	case o.phone != "" && o.scan:
		return errors.New("-phone and -scan exclude each other")
	case o.pace <= 0:
		return errors.New("-pace: must be more than 0")
	default:
		return nil
	}
}

// fits says what the server that is used does not allow.
func (o options) fits(server *setup.Setup) error {
	switch err := server.Allows(o.approve, o.abort); {
	case err != nil || server.Emulator != nil:
		return err
	case o.unknown:
		return errors.New("-unknown-customer needs the emulator in this process")
	case o.phone == "" && !o.scan:
		return errors.New("-phone or -scan must say who pays: only the emulator in this process has a customer of its own")
	default:
		return nil
	}
}

// products are what is on the counter.
func (o options) products() []vending.Product {
	coffee := vending.Product{Name: "Coffee", Slot: "machine", Price: 3900, TaxRate: 2500}
	if !o.basket {
		return []vending.Product{coffee}
	}
	return []vending.Product{coffee, {Name: "Bun", Slot: "basket", Price: 3500, TaxRate: 2500}}
}
