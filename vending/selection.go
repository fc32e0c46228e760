package vending

import (
	"slices"
	"time"
)

// selectionTime is how long a machine's selection counts. Afterwards whoever chose has left.
const selectionTime = 60 * time.Second

// selection is what has been chosen on a machine and not paid for.
type selection struct {
	products []Product
	at       time.Time
}

// ReportSelection says what has just been chosen on a machine, for the doors where the customer chooses there before paying:
// the page shows it, and [Operator.OpenSitePayment], [Operator.OpenStaticQR] and check-ins make a payment for it. It is kept in
// this process for 60 seconds, until a session of that machine begins or ends, and replaces what was reported before; with no
// products it is taken back. Machine, page and webhook have to meet in one process for it.
func (o *Operator) ReportSelection(machine string, products ...Product) error {
	var f findings
	f.require(isMachine(machine), machineRule)
	if len(products) > 0 {
		checkProducts(f.require, products, o.config.Currency)
	}
	if err := f.err("vending.ReportSelection"); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(products) == 0 {
		delete(o.selections, machine)
		return nil
	}
	o.selections[machine] = selection{slices.Clone(products), time.Now()}
	return nil
}

// Selection is what was chosen on a machine in the last 60 seconds, as far as this process knows.
func (o *Operator) Selection(machine string) ([]Product, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	chosen, ok := o.selections[machine]
	if !ok || since(chosen.at) > selectionTime {
		delete(o.selections, machine)
		return nil, false
	}
	return slices.Clone(chosen.products), true
}

func (o *Operator) forgetSelection(machine string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.selections, machine)
}
