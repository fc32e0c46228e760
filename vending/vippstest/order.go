package vippstest

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// An order is what a create request asks for, once its schema holds.
type order struct {
	reference   string
	currency    string
	value       int64
	method      string
	blocked     bool
	flow        string
	interaction string
	description string
	phone       string
	who         string // the customer's phone number, if the emulator knows it, by whatever the request named
	personalQR  value
	token       value
	hasPhone    bool
	returnURL   value
	receiptURL  value
	terms       value
	privacy     value
	scope       string
	minimumAge  int64
	expiresAt   value
	receipt     value
	shipping    value
	qrFormat    value
	metadata    []member
}

func readOrder(v value) order {
	customer := v.get("customer")
	o := order{
		reference:   v.get("reference").text,
		currency:    v.get("amount").get("currency").text,
		value:       v.get("amount").get("value").whole(),
		method:      v.get("paymentMethod").get("type").text,
		blocked:     len(v.get("paymentMethod").get("blockedSources").items) > 0,
		flow:        v.get("userFlow").text,
		interaction: v.get("customerInteraction").text,
		description: v.get("paymentDescription").text,
		phone:       customer.get("phoneNumber").text,
		hasPhone:    customer.get("phoneNumber").has(),
		personalQR:  customer.get("personalQr"),
		token:       customer.get("customerToken"),
		returnURL:   v.get("returnUrl"),
		receiptURL:  v.get("receiptUrl"),
		terms:       v.get("merchantLegalLinks").get("termsOfSaleUrl"),
		privacy:     v.get("merchantLegalLinks").get("privacyPolicyUrl"),
		scope:       v.get("profile").get("scope").text,
		minimumAge:  v.get("minimumUserAge").whole(),
		expiresAt:   v.get("expiresAt"),
		receipt:     v.get("receipt"),
		shipping:    v.get("shipping"),
		qrFormat:    v.get("qrFormat"),
		metadata:    v.get("metadata").members,
	}
	if o.interaction == "" {
		o.interaction = "CUSTOMER_NOT_PRESENT"
	}
	return o
}

// customers is how many ways of naming the customer were used.
func (o order) customers() int {
	n := 0
	for _, used := range []bool{o.hasPhone, o.personalQR.has(), o.token.has()} {
		if used {
			n++
		}
	}
	return n
}

// expires is when the customer must have approved.
func (o order) expires(now time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339, o.expiresAt.text); err == nil {
		return t.UTC()
	}
	return now.Add(10 * time.Minute)
}

// option is the shipping the customer chooses: the default one, or the first. With dynamic options the merchant would be
// asked; the emulator takes one that costs nothing.
func (o order) option() value {
	var first value
	for _, group := range o.shipping.get("fixedOptions").items {
		for _, option := range group.get("options").items {
			if !first.has() || option.get("isDefault").truth && !first.get("isDefault").truth {
				first = option
			}
		}
	}
	return first
}

func (o order) shippingCost() int64 {
	return o.option().get("amount").get("value").whole()
}

func (o order) shippingDetails() *shippingDetails {
	if !o.shipping.has() {
		return nil
	}
	d := &shippingDetails{
		Address: home, ShippingCost: o.shippingCost(),
		ShippingOptionID: o.option().get("id").text, ShippingOptionName: o.option().get("name").text,
	}
	if d.ShippingOptionID == "" {
		d.ShippingOptionID, d.ShippingOptionName = "dynamic", "Dynamic"
	}
	return d
}

// subOf is who a customer is to the merchant: the same id every time.
func subOf(phone string) string {
	h := sha256.Sum256([]byte("sub " + phone))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}
