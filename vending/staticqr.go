package vending

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// ErrPartialCapture means that the sales unit does not capture parts of a reservation, by Config.NoPartialCapture or because
// Vipps MobilePay has refused it (6140), so that a maximum cannot be reserved. Have the customer choose before paying.
var ErrPartialCapture = errors.New("vending: this sales unit cannot capture a part of what it reserves")

// StaticQROrder is a customer who has scanned a machine's sticker.
type StaticQROrder struct {
	// Machine is as in [DynamicQROrder].
	Machine string
	// Items is how many products the customer may take: so many times the dearest price is reserved. Defaults to 1. A product
	// that did not drop does not count.
	Items int
	// MinimumUserAge is checked by the app, in years. What needs more can then not be chosen, and does not count for the
	// maximum. The Config may ask for more.
	MinimumUserAge int
	// Description is shown in the app if a maximum is reserved: 3 to 100 characters. Defaults to saying that it is only
	// reserved.
	Description string
	// Shown is the amount that the page has named, in minor units, and Products what it has named as chosen on the machine;
	// none for a maximum. If it is something else by now the error is [ErrRepriced]. With Shown 0 nothing is compared.
	Shown    int64
	Products []Shown
	// Visit is as in [SiteOrder]: the same visit, machine, Shown and Products are one session.
	Visit string
}

// OpenStaticQR starts a session for a customer who has scanned a redirect code and pressed the button on its page: it takes
// the machine's seat, reserves the dearest price of Config.Planogram and returns the address to redirect to. Once the
// customer has approved ([Choosing]), the machine says what they choose with [Operator.Select]; what drops is captured and
// the rest released.
//
// If something was chosen on the machine before ([Operator.ReportSelection]) the session is for that, for its exact price,
// and goes on by itself. Errors are those of [Operator.OpenSiteSelection], and [ErrPartialCapture].
//
// https://developer.vippsmobilepay.com/docs/recommended-flows/vending-machines/
func (o *Operator) OpenStaticQR(ctx context.Context, order StaticQROrder) (*Redirect, error) {
	const op = "vending.OpenStaticQR"
	if err := order.check(op); err != nil {
		return nil, err
	}
	if o.config.ReturnURL == "" {
		return nil, fmt.Errorf("%s: %w: Config.ReturnURL: must be set for this door", op, vipps.ErrInvalidRequest)
	}
	return o.once(ctx, order.Machine, order.Visit, order.shown(), func(ctx context.Context, id string) (*Redirect, error) {
		return o.openStaticQR(ctx, op, id, order)
	})
}

func (o *Operator) openStaticQR(ctx context.Context, op, id string, order StaticQROrder) (*Redirect, error) {
	if err := o.Ready(ctx, order.Machine); err != nil {
		return nil, err
	}
	s, _, err := o.static(ctx, op, StaticQR, order)
	if err != nil {
		return nil, err
	}
	s.ID = id
	if order.Shown != 0 && !order.names(&s) {
		return nil, fmt.Errorf("machine %s: what was shown for %s is %s by now: %w", order.Machine, vipps.Amount{Value: order.Shown, Currency: s.Currency},
			s.describe(), ErrRepriced)
	}
	request := o.request(&s, s.only(order.Description))
	request.UserFlow = epayment.WebRedirect
	if err := o.open(ctx, &s, request); err != nil {
		return nil, err
	}
	return o.redirect(&s), nil
}

// shown is what a page has named.
func (order *StaticQROrder) shown() string { return fmt.Sprintf("%d %v", order.Shown, order.Products) }

// names says that a session is for what the page has named.
func (order *StaticQROrder) names(s *Session) bool {
	return order.Shown == s.Reserved && slices.EqualFunc(order.Products, s.Items, func(shown Shown, item Item) bool {
		return shown.Slot == item.Slot && shown.Price == item.Price
	})
}

// Quote is what a sticker's page names before the button is pressed.
type Quote struct {
	Amount vipps.Amount
	// Maximum says that Amount is only reserved, and that the customer chooses afterwards. Else Products were chosen on the
	// machine before, and Amount is their price.
	Maximum  bool
	Products []Product
}

// QuoteStaticQR says what [Operator.OpenStaticQR] would reserve now. Nothing is made.
func (o *Operator) QuoteStaticQR(ctx context.Context, order StaticQROrder) (*Quote, error) {
	const op = "vending.QuoteStaticQR"
	if err := order.check(op); err != nil {
		return nil, err
	}
	s, chosen, err := o.static(ctx, op, StaticQR, order)
	if err != nil {
		return nil, err
	}
	return &Quote{Amount: vipps.Amount{Value: s.Reserved, Currency: s.Currency}, Maximum: s.Maximum, Products: chosen}, nil
}

func (order *StaticQROrder) check(op string) error {
	var f findings
	f.require(isMachine(order.Machine), machineRule)
	f.require(order.Items >= 0 && order.Items <= maxProducts, "Items: must be 0 to %d", maxProducts)
	checkShown(f.require, order.Products)
	f.require(len(order.Visit) <= maxText, "Visit: must be at most %d bytes", maxText)
	f.require(order.MinimumUserAge >= 0 && order.MinimumUserAge <= 100, "MinimumUserAge: must be 0 to 100")
	checkDescription(f.require, order.Description)
	return f.err(op)
}

// static makes the session of a sticker: for what was chosen on the machine before, which it gives too, else for a maximum.
func (o *Operator) static(ctx context.Context, op string, door Door, order StaticQROrder) (Session, []Product, error) {
	age := max(order.MinimumUserAge, o.config.MinimumUserAge)
	if chosen, ok := o.Selection(order.Machine); ok {
		if err := o.oneByOne(order.Machine, chosen); err != nil {
			return Session{}, nil, err
		}
		s := o.exact(order.Machine, door, "", chosen)
		s.MinimumUserAge = max(s.MinimumUserAge, age)
		return s, chosen, nil
	}
	if o.config.NoPartialCapture || o.partialRefused.Load() {
		return Session{}, nil, fmt.Errorf("machine %s: %w", order.Machine, ErrPartialCapture)
	}
	planogram, err := o.planogram(ctx, op, order.Machine)
	if err != nil {
		return Session{}, nil, err
	}
	s := o.newSession(order.Machine, door, planogram.Version)
	s.Maximum, s.MaxItems = true, cmp.Or(order.Items, 1)
	s.MinimumUserAge = age
	s.Reserved = planogram.dearest(s.MinimumUserAge) * int64(s.MaxItems)
	switch {
	case s.Reserved == 0:
		return Session{}, nil, fmt.Errorf("machine %s: nothing in its planogram can be sold: %w", order.Machine, ErrSoldOut)
	case s.Reserved < s.Currency.Minimum() || s.Reserved > maxAmount:
		return Session{}, nil, fmt.Errorf("machine %s: %w: the planogram's maximum is %s", order.Machine, vipps.ErrInvalidRequest,
			vipps.Amount{Value: s.Reserved, Currency: s.Currency})
	}
	return s, nil, nil
}

// only keeps the words about a maximum from a payment of an exact price.
func (s *Session) only(description string) string {
	if s.Maximum {
		return description
	}
	return ""
}

// refusePartial closes the doors that reserve a maximum, in this process.
func (o *Operator) refusePartial(machine, session string, err error) {
	o.partialRefused.Store(true)
	o.notify(Notice{Kind: NoticePartialCapture, Machine: machine, Session: session, Err: err})
}
