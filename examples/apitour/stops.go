package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/webhooks"
)

// webhooks registers an address, finds it in the list and removes it.
func (t *tour) webhooks(ctx context.Context, client *vipps.Client, address string) error {
	if address == "" { // events of real customers must not go to somebody else's address, however briefly
		fmt.Println("skip  webhooks: in production, give an address of your own with -webhook")
		return nil
	}
	hooks := webhooks.New(client)
	var made *webhooks.Registration
	err := t.step(func() (shows string, err error) {
		made, err = hooks.Register(ctx, webhooks.RegisterRequest{URL: address, Events: []webhooks.EventType{webhooks.PaymentTerminated}})
		return "a webhook; its secret is told once, here, and to be stored", err
	})
	if err != nil {
		return err
	}
	err = t.step(func() (string, error) {
		all, err := hooks.List(ctx)
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(all, func(r webhooks.Registration) bool { return r.ID == made.ID }) {
			return "", errors.New("the new webhook is not in the list")
		}
		return fmt.Sprintf("webhooks: %d, the new one among them", len(all)), nil
	})
	return errors.Join(err, t.step(func() (string, error) {
		return "the webhook is gone", hooks.Delete(context.WithoutCancel(ctx), made.ID)
	}))
}

// payments takes one payment through its life and ends another before it is approved.
func (t *tour) payments(ctx context.Context, client *vipps.Client, phone string, currency vipps.Currency) error {
	payments := epayment.New(client)
	first, err := t.create(ctx, payments, currency)
	if err != nil {
		return err
	}
	t.reference = first
	_ = t.step(func() (string, error) { // counted
		payment, err := payments.Get(ctx, first)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s: nobody has approved it yet", payment.State), nil
	})
	switch {
	case phone == "":
		fmt.Println("skip  approve, capture, cancel, refund: they need -phone with a test user's number, in the test environment")
		defer t.giveUp(ctx, payments, first)
	case t.life(ctx, payments, first, phone, currency) != nil:
		fmt.Println("what is left of the payment is cancelled:")
		_ = t.step(func() (string, error) { // counted, and nothing else can be done
			_, err := payments.Cancel(context.WithoutCancel(ctx), first, epayment.CancelRequest{})
			return "nothing is reserved any more", err
		})
	}
	_ = t.step(func() (string, error) { // counted
		events, err := payments.Events(ctx, first)
		names := make([]string, len(events))
		for i, event := range events {
			names[i] = string(event.Name)
		}
		return strings.Join(names, ", "), err
	})
	second, err := t.create(ctx, payments, currency)
	if err == nil {
		t.giveUp(ctx, payments, second)
	}
	return err
}

func (t *tour) create(ctx context.Context, payments *epayment.Client, currency vipps.Currency) (reference string, err error) {
	reference = "apitour-" + strings.ToLower(rand.Text())
	amount := vipps.Amount{Value: 2500, Currency: currency}
	err = t.step(func() (string, error) {
		_, err := payments.Create(ctx, epayment.CreateRequest{
			IdempotencyKey:     reference + "-c",
			Reference:          reference,
			Amount:             amount,
			PaymentMethod:      epayment.PaymentMethod{Type: epayment.Wallet},
			UserFlow:           epayment.WebRedirect,
			ReturnURL:          "https://example.com/",
			PaymentDescription: "API tour",
		})
		return fmt.Sprintf("a payment of %s that the customer can approve", amount), err
	})
	return reference, err
}

// life has a payment approved and settles it.
func (t *tour) life(ctx context.Context, payments *epayment.Client, reference, phone string, currency vipps.Currency) error {
	part := vipps.Amount{Value: 1000, Currency: currency}
	changed := func(m *epayment.Modification, err error) (string, error) {
		if err != nil {
			return "", err
		}
		a := m.Aggregate
		return fmt.Sprintf("%s captured, %s cancelled, %s refunded", a.Captured, a.Cancelled, a.Refunded), nil
	}
	for _, call := range []func() (string, error){
		func() (string, error) {
			return "approved on behalf of a test user", payments.ForceApprove(ctx, reference, epayment.ForceApproveRequest{
				Customer: epayment.Customer{PhoneNumber: vipps.Secret(phone)},
			})
		},
		func() (string, error) {
			payment, err := t.reserved(ctx, payments, reference)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s, %s reserved", payment.State, payment.Aggregate.Authorized), nil
		},
		func() (string, error) {
			return changed(payments.Capture(ctx, reference, epayment.CaptureRequest{IdempotencyKey: reference + "-k1", Amount: part}))
		},
		func() (string, error) { return changed(payments.Cancel(ctx, reference, epayment.CancelRequest{})) },
		func() (string, error) {
			return changed(payments.Refund(ctx, reference, epayment.RefundRequest{IdempotencyKey: reference + "-r1", Amount: part}))
		},
	} {
		if err := t.step(call); err != nil {
			return err
		}
	}
	return nil
}

// reserved reads the payment until it is approved, which may take a moment.
func (t *tour) reserved(ctx context.Context, payments *epayment.Client, reference string) (*epayment.Payment, error) {
	for range 15 {
		payment, err := payments.Get(ctx, reference)
		switch {
		case err != nil:
			return nil, err
		case payment.State == epayment.StateAuthorized:
			return payment, nil
		case payment.State.Final():
			return nil, fmt.Errorf("the payment is %s", payment.State)
		}
		select {
		case <-time.After(2 * time.Second):
			t.requests.take() // one line is enough
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, errors.New("the payment is still not approved")
}

// giveUp ends a payment that nobody has approved.
func (t *tour) giveUp(ctx context.Context, payments *epayment.Client, reference string) {
	_ = t.step(func() (string, error) { // counted
		ended, err := payments.CancelIfNotAuthorized(context.WithoutCancel(ctx), reference, epayment.CancelRequest{})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s, since nobody had approved it", ended.State), nil
	})
}
