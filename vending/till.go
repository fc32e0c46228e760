package vending

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// TillOrder is what a customer buys from somebody who serves.
type TillOrder struct {
	// Machine names the till, as in [DynamicQROrder].
	Machine string
	// Products are let out in this order: 1 to 50. The till's Machine may be the person who hands them over.
	Products []Product
	// PersonalQR is the whole text of the code that the customer shows, as the scanner read it. This or PhoneNumber.
	PersonalQR vipps.Secret
	// PhoneNumber has the country code and 9 to 15 digits only: "4791234567".
	PhoneNumber vipps.Secret
	// Description is as in [DynamicQROrder].
	Description string
	// Planogram is the version of the price list, kept with the session.
	Planogram string
}

// OpenTill starts a session at a manned till: it takes the till's seat, makes a payment of the exact price and rings the
// customer's phone (PUSH_MESSAGE). The sales unit needs Vipps MobilePay's approval for that (5080). Who cannot pay this way
// gives [ErrCustomer]; other errors are those of [Operator.OpenDynamicQR].
//
// https://developer.vippsmobilepay.com/docs/recommended-flows/in-store/
func (o *Operator) OpenTill(ctx context.Context, order TillOrder) (*Session, error) {
	var f findings
	f.require(isMachine(order.Machine), machineRule)
	f.require((order.PersonalQR == "") != (order.PhoneNumber == ""), "PersonalQR, PhoneNumber: must be one of them")
	f.require(order.PhoneNumber == "" || isPhoneNumber(string(order.PhoneNumber)), "PhoneNumber: must be 9 to 15 digits, with the country code")
	length := utf8.RuneCountInString(string(order.PersonalQR))
	f.require(length == 0 || length >= 5 && length <= 255, "PersonalQR: must be 5 to 255 characters")
	checkProducts(f.require, order.Products, o.config.Currency)
	checkDescription(f.require, order.Description)
	if err := f.err("vending.OpenTill"); err != nil {
		return nil, err
	}
	if err := o.Ready(ctx, order.Machine); err != nil {
		return nil, err
	}
	if err := o.oneByOne(order.Machine, order.Products); err != nil {
		return nil, err
	}
	s := o.exact(order.Machine, Till, order.Planogram, order.Products)
	request := o.request(&s, order.Description)
	request.UserFlow = epayment.PushMessage
	request.ReturnURL = ""
	request.Customer = epayment.Customer{PersonalQR: order.PersonalQR, PhoneNumber: order.PhoneNumber}
	if err := o.open(ctx, &s, request); err != nil {
		return nil, err
	}
	return &s, nil
}

func isPhoneNumber(text string) bool {
	return len(text) >= 9 && len(text) <= 15 && strings.Trim(text, "0123456789") == ""
}

// SellTill runs the door to its end, as [Operator.SellDynamicQR] does. A sale that comes to nothing is no error.
func (o *Operator) SellTill(ctx context.Context, order TillOrder) (*Session, error) {
	stop := o.ensureRunning(ctx)
	defer stop()
	s, err := o.OpenTill(ctx, order)
	if err != nil {
		return nil, err
	}
	return o.sell(ctx, s.ID)
}
