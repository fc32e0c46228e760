package epayment

import (
	"context"
	"fmt"
	"net/http"

	"github.com/vippsvending/vipps"
)

// Client makes, reads and changes payments. Make one with [New]. It is safe for concurrent use and needs no closing.
type Client struct {
	client *vipps.Client
}

// New makes a Client that uses the credentials, the token and the connections of client.
func New(client *vipps.Client) *Client { return &Client{client: client} }

// Get reads a payment. It is what to believe when an answer was lost, a webhook did not come or somebody used the merchant
// portal: read it and act on State and Aggregate.
//
// An error matches [vipps.ErrNotFound] if there is no such payment; just after a create whose answer was lost that is not
// yet a proof that there will be none. Reading is repeated by itself; 120 reads a minute are allowed for one payment.
//
// See https://developer.vippsmobilepay.com/docs/APIs/epayment-api/.
func (c *Client) Get(ctx context.Context, reference string) (*Payment, error) {
	const op = "epayment.Get"
	if err := validReference(op, reference); err != nil {
		return nil, err
	}
	payment := unreadPayment()
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: reference, Method: http.MethodGet, Path: path(reference),
		Accept: func() error { return payment.whole(reference) },
	}, payment)
	if err != nil {
		return nil, err
	}
	return payment, nil
}

// Events reads what happened to a payment, oldest first: what this program did, what the customer did, and what somebody
// did in the merchant portal. It settles which of several calls was carried out, by IdempotencyKey; for what is reserved
// and captured now, [Client.Get] is shorter.
//
// The errors and limits are those of [Client.Get].
func (c *Client) Events(ctx context.Context, reference string) ([]Event, error) {
	const op = "epayment.Events"
	if err := validReference(op, reference); err != nil {
		return nil, err
	}
	var events []Event
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: reference, Method: http.MethodGet, Path: path(reference, "events"),
		Accept: func() error { return wholeEvents(events, reference) },
	}, &events)
	if err != nil {
		return nil, err
	}
	return events, nil
}

// ForceApproveRequest says on whose behalf [Client.ForceApprove] approves: a Customer, a Token, or both.
type ForceApproveRequest struct {
	// Customer is the test user, as on create.
	Customer Customer `json:"customer,omitzero"`
	// Token is the token parameter of the payment's RedirectURL.
	Token vipps.Secret `json:"token,omitzero"`
}

// ForceApprove approves a payment as a test user would in the app, for tests without a phone. The test user must have
// approved one payment by hand before ([CodeIdentificationRequired] otherwise); Express payments cannot be approved so; an
// expired test card is answered with a 500.
//
// It exists in the test environment only: with a client for production it is [vipps.ErrNotAvailable] and nothing is sent.
// There is no key for it, so it is not repeated; after [vipps.ErrOutcomeUnknown] read the payment.
func (c *Client) ForceApprove(ctx context.Context, reference string, request ForceApproveRequest) error {
	const op = "epayment.ForceApprove"
	if c.client.Environment() != vipps.Test {
		return fmt.Errorf("%s %s: %w", op, reference, vipps.ErrNotAvailable)
	}
	var f findings
	f.reference(reference)
	f.require(request.Customer != (Customer{}) || request.Token != "", "Customer: must be set, or Token")
	f.customer(request.Customer)
	if err := f.err(op); err != nil {
		return err
	}
	body := struct {
		Customer customerBody `json:"customer,omitzero"`
		Token    string       `json:"token,omitzero"`
	}{request.Customer.body(), string(request.Token)}
	return c.client.Do(ctx, vipps.Request{
		Op: op, Subject: reference, Method: http.MethodPost,
		Path: []string{"epayment", "v1", "test", "payments", reference, "approve"},
		Body: body, Redact: append(request.Customer.secrets(), request.Token),
	}, nil)
}

func path(rest ...string) []string {
	return append([]string{"epayment", "v1", "payments"}, rest...)
}
