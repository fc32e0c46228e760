package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/qr"
)

// codes makes, reads, changes and deletes a code of each kind.
func (t *tour) codes(ctx context.Context, server *setup.Setup, c choices) error {
	codes, id := qr.New(server.Client), "apitour-"+strings.ToLower(rand.Text())
	if err := t.redirects(ctx, codes, id); err != nil {
		return err
	}
	if err := t.callbacks(ctx, codes, id); err != nil {
		return err
	}
	if c.beacon == "" {
		fmt.Println("skip  MobilePay beacons: give the id of one of your own with -beacon; it cannot be given up again")
	} else {
		_ = t.step(func() (string, error) { // counted
			return "a code that MobilePay printed is this sales unit's", codes.PutBeacon(ctx, c.beacon, qr.PutBeaconRequest{LocationDescription: "API tour"})
		})
	}
	if !server.Pretend {
		fmt.Println("skip  one-time codes: they are of payments of the eCom and Recurring APIs; ePayment has UserFlow QR")
		return nil
	}
	payments := epayment.New(server.Client)
	reference, err := t.create(ctx, payments, vipps.Currency(c.currency))
	if err != nil {
		return err
	}
	_ = t.step(func() (string, error) { // counted
		payment, err := payments.Get(ctx, reference)
		if err != nil {
			return "", err
		}
		t.requests.take() // seen before
		made, err := codes.CreateOneTime(ctx, qr.OneTimeRequest{URL: payment.RedirectURL})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("a code for a screen, good for %s", made.ExpiresIn), nil
	})
	t.giveUp(ctx, payments, reference)
	return nil
}

func (t *tour) redirects(ctx context.Context, codes *qr.Client, id string) error {
	const before, after = "https://example.com/before", "https://example.com/after"
	same := func(code *qr.RedirectCode, err error, address, shows string) (string, error) {
		switch {
		case err != nil:
			return "", err
		case code.RedirectURL != address:
			return "", errors.New("the code opens another page")
		}
		return shows, nil
	}
	err := t.step(func() (string, error) {
		code, err := codes.CreateRedirect(ctx, qr.CreateRedirectRequest{ID: id, RedirectURL: before})
		return same(code, err, before, "a code that opens a page")
	})
	if err != nil {
		return err
	}
	for _, call := range []func() (string, error){
		func() (string, error) {
			code, err := codes.GetRedirect(ctx, id, qr.ImageOptions{Format: qr.PNG, Size: 400})
			return same(code, err, before, "the same code, as PNG")
		},
		func() (string, error) {
			all, err := codes.ListRedirects(ctx, qr.ImageOptions{})
			if err == nil && !slices.ContainsFunc(all, func(code qr.RedirectCode) bool { return code.ID == id }) {
				err = errors.New("the new code is not in the list")
			}
			return fmt.Sprintf("redirect codes: %d, the new one among them", len(all)), err
		},
		func() (string, error) {
			code, err := codes.UpdateRedirect(ctx, id, qr.UpdateRedirectRequest{RedirectURL: after})
			return same(code, err, after, "it opens another page; what is printed stays good")
		},
		func() (string, error) {
			return "the code is gone", codes.DeleteRedirect(context.WithoutCancel(ctx), id)
		},
	} {
		_ = t.step(call) // counted; the last one is made in any case
	}
	return nil
}

func (t *tour) callbacks(ctx context.Context, codes *qr.Client, id string) error {
	err := t.step(func() (string, error) {
		return "a code that checks customers in at a machine",
			codes.PutCallback(ctx, id, qr.PutCallbackRequest{LocationDescription: "API tour", Category: qr.Vending})
	})
	if err != nil {
		return err
	}
	for _, call := range []func() (string, error){
		func() (string, error) {
			code, err := codes.GetCallback(ctx, id, qr.ImageOptions{Format: qr.PNG, Size: 400})
			if err == nil && (code.LocationDescription != "API tour" || code.ImageURL == "") {
				err = errors.New("the code is not as it was made")
			}
			return "its location, text and the address of its image", err
		},
		func() (string, error) {
			all, err := codes.ListCallbacks(ctx, qr.ImageOptions{})
			if err == nil && !slices.ContainsFunc(all, func(code qr.CallbackCode) bool { return code.ID == id }) {
				err = errors.New("the new code is not in the list")
			}
			return fmt.Sprintf("callback codes: %d, the new one among them", len(all)), err
		},
		func() (string, error) {
			return "the code is gone", codes.DeleteCallback(context.WithoutCancel(ctx), id)
		},
	} {
		_ = t.step(call) // counted; the last one is made in any case
	}
	return nil
}

// customers asks who showed a code and who scanned one.
func (t *tour) customers(ctx context.Context, server *setup.Setup, phone string) error {
	codes := qr.New(server.Client)
	known := func(customer *qr.Customer, err error) (string, error) {
		if err == nil && customer.MSISDN == "" {
			err = errors.New("there is no number")
		}
		return "the customer's phone number", err
	}
	if !server.Pretend || phone == "" {
		fmt.Println("skip  the phone numbers of customers: they need a person who shows or scans a code with the app")
		return nil
	}
	personal := vipps.Secret("https://qr.vipps.no/28/2/01/031/" + phone + "?v=1") // the old kind, which any emulator understands
	if server.Emulator != nil {
		personal = vipps.Secret(server.Emulator.PersonalQR(phone))
	}
	_ = t.step(func() (string, error) { return known(codes.ExchangePersonalQR(ctx, personal)) }) // counted
	if server.Emulator == nil {
		fmt.Println("skip  exchange of a customer token: nobody scans codes here; run the tour without VIPPS_BASE_URL")
		return nil
	}
	token := vipps.Secret(server.Emulator.CheckIn(server.Client.MerchantSerialNumber(), "apitour"))
	return t.step(func() (string, error) { return known(codes.ExchangeCustomerToken(ctx, token)) })
}
