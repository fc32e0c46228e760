package vending

import (
	"context"
	"fmt"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/redact"
)

// DynamicQROrder is what a customer has chosen at a machine with a screen.
type DynamicQROrder struct {
	// Machine is 1 to 25 of a-z, 0-9 and hyphens, the first not a 0. It begins the payment's reference, which the
	// customer sees.
	Machine string
	// Products are let out in this order: 1 to 50.
	Products []Product
	// Description is shown in the app: 3 to 100 characters. Defaults to the names of the products.
	Description string
	// Planogram is the version of the price list, kept with the session.
	Planogram string
	// QRFormat is what the code comes as. The zero value gives the text that the code says: whoever draws a code of it, with an
	// encoder such as rsc.io/qr, needs Vipps MobilePay's approval of the design. With epayment.QRPNG or epayment.QRSVG Content is
	// the address of a picture that may be shown as it is: fetch it with qr.FetchImage, or give it to a browser.
	QRFormat epayment.QRFormat
}

// Code is what a screen shows.
type Code struct {
	// Session is the id of the session and the reference of the payment.
	Session string
	Machine string
	// Content is what the code says, or the address of its picture, as the order's QRFormat asked. Whoever has it can pay:
	// show it and keep it nowhere.
	Content vipps.Secret
	Amount  vipps.Amount
}

// Format prints the code without its content, whatever the verb.
func (c Code) Format(f fmt.State, _ rune) {
	type plain Code
	redact.Format(f, plain(c))
}

// OpenDynamicQR starts a session for products that a customer has chosen on the machine: it takes the machine's seat,
// makes a payment of the exact price and returns the code for the screen. From there on the session runs by itself as long
// as [Operator.Run] does, here or in another process on the same store: [Operator.Wait] tells how it ends.
//
// A machine that another customer uses gives a *[BusyError], and one that cannot sell [ErrNotReady]. A payment
// that was refused gives the *[vipps.Error] of the refusal. An error after the session was stored names its id; what may
// have been made is taken back by itself.
//
// https://developer.vippsmobilepay.com/docs/recommended-flows/vending-machines/
func (o *Operator) OpenDynamicQR(ctx context.Context, order DynamicQROrder) (*Code, error) {
	var f findings
	f.require(isMachine(order.Machine), machineRule)
	checkProducts(f.require, order.Products, o.config.Currency)
	checkDescription(f.require, order.Description)
	if err := f.err("vending.OpenDynamicQR"); err != nil {
		return nil, err
	}
	if err := o.Ready(ctx, order.Machine); err != nil {
		return nil, err
	}
	if err := o.oneByOne(order.Machine, order.Products); err != nil {
		return nil, err
	}
	s := o.exact(order.Machine, DynamicQR, order.Planogram, order.Products)
	request := o.request(&s, order.Description)
	request.UserFlow = epayment.QR
	request.QRFormat = order.QRFormat
	if request.QRFormat.Format == "" {
		request.QRFormat = epayment.QRFormat{Format: epayment.QRTargetURL}
	}
	if err := o.open(ctx, &s, request); err != nil {
		return nil, err
	}
	return &Code{
		Session: s.ID, Machine: s.Machine, Content: vipps.Secret(s.RedirectURL.Open()),
		Amount: vipps.Amount{Value: s.Reserved, Currency: s.Currency},
	}, nil
}

// SellDynamicQR runs the door to its end: it opens a session, hands the code to show, and waits until the session is
// closed or a person is needed. It moves the session along itself if no [Operator.Run] does.
//
// A sale that comes to nothing is no error: look at Outcome.Result and Session.Reason.
//
// If the context ends first the customer is taken to have left: the session is withdrawn, or finished if the machine has
// been told, and followed for 15 seconds more, which is nearly always enough to see it closed. What is left over then is
// finished by whoever runs the store next. The error wraps the context's and says how the session ended; the session comes with
// it, as it is then.
func (o *Operator) SellDynamicQR(ctx context.Context, order DynamicQROrder, show func(Code)) (*Session, error) {
	stop := o.ensureRunning(ctx)
	defer stop()
	code, err := o.OpenDynamicQR(ctx, order)
	if err != nil {
		return nil, err
	}
	show(*code)
	return o.sell(ctx, code.Session)
}
