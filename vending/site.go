package vending

import (
	"context"
	"fmt"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/redact"
)

// Redirect is where a page sends the customer who has pressed pay.
type Redirect struct {
	// Session is the id of the session and the reference of the payment.
	Session string
	Machine string
	// URL opens the app, or a page of Vipps MobilePay. Whoever has it can pay: redirect to it and keep it nowhere.
	// It is empty if the session can no longer be paid; then Page tells what became of it.
	URL vipps.Secret
	// Page finds the session again, whatever browser the customer comes back in; see [Operator.Page].
	Page   vipps.Secret
	Amount vipps.Amount
	// Maximum says that Amount is a maximum, and that the customer chooses afterwards.
	Maximum bool
}

// Format prints the redirect without its secrets, whatever the verb.
func (r Redirect) Format(f fmt.State, _ rune) {
	type plain Redirect
	redact.Format(f, plain(r))
}

// SiteOrder is what a customer pays for on a machine's page.
type SiteOrder struct {
	// Machine is as in [DynamicQROrder].
	Machine string
	// Products are what the page showed, and are let out in this order. Their prices come from the planogram or the machine,
	// whatever the browser sends: they are compared.
	Products []Shown
	// Planogram is the version that the page showed; empty compares the prices only.
	Planogram string
	// Description is as in [DynamicQROrder].
	Description string
	// Visit makes pressing pay twice the same as once: the same visit, machine and products are one session, for which the same
	// redirect is given again. It is random, of at most 64 bytes, and made anew whenever the page is shown. The end of the
	// context does not take such a session back: it is there for the next press, until Timeouts.Approve. Empty is always another
	// session.
	Visit string
}

// OpenSiteSelection starts a session for products that the customer has chosen on a page, when pay is pressed and not
// before: pages are fetched by previews too. Names and prices come from Config.Planogram. It takes the machine's seat, makes
// a payment of the exact price and returns the address to redirect to.
//
// What the page showed and cannot be sold for that price gives [ErrRepriced], [ErrSoldOut] or [ErrNoProduct], and nothing is
// made. Other errors are those of [Operator.OpenDynamicQR].
//
// https://developer.vippsmobilepay.com/docs/recommended-flows/vending-machines/
func (o *Operator) OpenSiteSelection(ctx context.Context, order SiteOrder) (*Redirect, error) {
	const op = "vending.OpenSiteSelection"
	if err := order.check(op); err != nil {
		return nil, err
	}
	return o.once(ctx, order.Machine, order.Visit, order.Products, func(ctx context.Context, id string) (*Redirect, error) {
		return o.openSiteSelection(ctx, op, id, order)
	})
}

func (o *Operator) openSiteSelection(ctx context.Context, op, id string, order SiteOrder) (*Redirect, error) {
	planogram, err := o.planogram(ctx, op, order.Machine)
	if err != nil {
		return nil, err
	}
	if order.Planogram != "" && order.Planogram != planogram.Version {
		return nil, fmt.Errorf("machine %s: price list %q is %q by now: %w", order.Machine, order.Planogram, planogram.Version, ErrRepriced)
	}
	products := make([]Product, len(order.Products))
	for i, shown := range order.Products {
		if products[i], err = planogram.product(shown.Slot); err != nil {
			return nil, fmt.Errorf("machine %s: %w", order.Machine, err)
		}
	}
	order.Planogram = planogram.Version
	return o.openSite(ctx, op, id, SiteSelection, order, products)
}

// OpenSitePayment starts a session for what the customer has chosen on the machine ([Operator.ReportSelection]), when pay is
// pressed on its page. The page shows [Operator.Selection]; if that is no longer what it showed, nothing is made: the error is
// [ErrNoSelection] or [ErrRepriced]. Otherwise it is as [Operator.OpenSiteSelection].
//
// https://developer.vippsmobilepay.com/docs/recommended-flows/vending-machines/
func (o *Operator) OpenSitePayment(ctx context.Context, order SiteOrder) (*Redirect, error) {
	const op = "vending.OpenSitePayment"
	if err := order.check(op); err != nil {
		return nil, err
	}
	return o.once(ctx, order.Machine, order.Visit, order.Products, func(ctx context.Context, id string) (*Redirect, error) {
		products, ok := o.Selection(order.Machine)
		if !ok {
			return nil, fmt.Errorf("machine %s: %w", order.Machine, ErrNoSelection)
		}
		if len(products) != len(order.Products) {
			return nil, fmt.Errorf("machine %s: %w", order.Machine, ErrRepriced)
		}
		return o.openSite(ctx, op, id, SitePayment, order, products)
	})
}

func (order *SiteOrder) check(op string) error {
	var f findings
	f.require(isMachine(order.Machine), machineRule)
	f.require(len(order.Products) > 0, "Products: must be set")
	checkShown(f.require, order.Products)
	f.require(len(order.Planogram) <= maxText, "Planogram: must be at most %d bytes", maxText)
	f.require(len(order.Visit) <= maxText, "Visit: must be at most %d bytes", maxText)
	checkDescription(f.require, order.Description)
	return f.err(op)
}

func (o *Operator) openSite(ctx context.Context, op, id string, door Door, order SiteOrder, products []Product) (*Redirect, error) {
	if err := same(products, order.Products); err != nil {
		return nil, fmt.Errorf("machine %s: %w", order.Machine, err)
	}
	var f findings
	checkProducts(f.require, products, o.config.Currency)
	f.require(o.config.ReturnURL != "", "Config.ReturnURL: must be set for this door")
	if err := f.err(op); err != nil {
		return nil, err
	}
	if err := o.Ready(ctx, order.Machine); err != nil {
		return nil, err
	}
	if err := o.oneByOne(order.Machine, products); err != nil {
		return nil, err
	}
	s := o.exact(order.Machine, door, order.Planogram, products)
	s.ID = id
	request := o.request(&s, order.Description)
	request.UserFlow = epayment.WebRedirect
	if err := o.open(ctx, &s, request); err != nil {
		return nil, err
	}
	return o.redirect(&s), nil
}
