package main

import (
	"errors"
	"strings"
	"time"

	"github.com/vippsvending/vipps/examples/internal/setup"
)

// options are the flags.
type options struct {
	checkIn, chooseFirst               bool
	items                              int
	jam, silent, nothing, abort, above bool
	age, inFull, refund                bool
	approve, machine, currency, db     string
	pace                               time.Duration
}

// flagged is a flag and whether it is given.
type flagged struct {
	name string
	set  bool
}

// excluding finds two flags that cannot be given together.
func excluding(flags ...flagged) error {
	var given []string
	for _, f := range flags {
		if f.set {
			given = append(given, f.name)
		}
	}
	if len(given) < 2 {
		return nil
	}
	return errors.New(strings.Join(given, " and ") + " exclude each other")
}

func (o options) validate() error {
	var (
		jam, silent, abort   = flagged{"-jam", o.jam}, flagged{"-silent", o.silent}, flagged{"-abort", o.abort}
		nothing, above, age  = flagged{"-nothing", o.nothing}, flagged{"-above", o.above}, flagged{"-age", o.age}
		inFull, several      = flagged{"-in-full", o.inFull}, flagged{"-items", o.items > 1}
		chooseFirst, approve = flagged{"-choose-first", o.chooseFirst}, flagged{"-approve", o.approve != ""}
	)
	sets := [][]flagged{
		{jam, silent, nothing, abort, above, age, inFull}, // endings
		{approve, abort},
		{chooseFirst, several},
		{chooseFirst, inFull}, // the exact price is captured in full
	}
	for _, one := range []flagged{nothing, above, age} { // about choosing one product after the approval
		sets = append(sets, []flagged{chooseFirst, one}, []flagged{several, one})
	}
	for _, set := range sets {
		if err := excluding(set...); err != nil {
			return err
		}
	}
	switch {
	case o.items < 1 || o.items > 10:
		return errors.New("-items: must be 1 to 10")
	case o.pace <= 0:
		return errors.New("-pace: must be more than 0")
	case o.refund && !o.inFull:
		return errors.New("-refund is for -in-full only")
	default:
		return nil
	}
}

// fits says what the server that is used does not allow.
func (o options) fits(server *setup.Setup) error {
	switch err := server.Allows(o.approve, o.abort); {
	case err != nil || server.Emulator != nil:
		return err
	case o.checkIn:
		return errors.New("-checkin needs the emulator in this process: a webhook of Vipps MobilePay does not reach this program")
	case o.inFull:
		return errors.New("-in-full needs the emulator in this process: it makes a sales unit of that kind")
	default:
		return nil
	}
}

// wishes are the slots that the customer chooses after the approval, in order. What cannot be had is followed by the next.
func (o options) wishes() []string {
	switch {
	case o.chooseFirst, o.nothing:
		return nil
	case o.above:
		return []string{sandwich.Slot, cola.Slot}
	case o.age:
		return []string{energy.Slot, cola.Slot}
	}
	wishes := make([]string, o.items)
	for i := range wishes {
		wishes[i] = []string{cola.Slot, chips.Slot}[i%2]
	}
	return wishes
}
