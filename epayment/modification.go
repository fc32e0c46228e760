package epayment

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"

	"github.com/vippsvending/vipps"
)

// CaptureRequest is money to be taken.
type CaptureRequest struct {
	// IdempotencyKey is of this one capture: 1 to 50 characters. Store it and the amount before the call, and use them for
	// every repetition; another capture of the same payment has another key. "…-capture-1" does it.
	IdempotencyKey string
	// Amount is what to take now: all that is reserved or a part of it.
	Amount vipps.Amount
}

// RefundRequest is money to be given back.
type RefundRequest struct {
	// IdempotencyKey is of this one refund: 1 to 50 characters. Store it and the amount before the call, and use them for
	// every repetition; another refund of the same payment has another key.
	IdempotencyKey string
	// Amount is what to give back now: at most what is captured and not refunded yet.
	Amount vipps.Amount
}

// CancelRequest is a reservation to be released. Its zero value is complete.
type CancelRequest struct {
	// IdempotencyKey is at most 50 characters. Empty means a fresh random one, which is right nearly always: repeating a
	// cancel is harmless, while a refusal sticks to its key.
	IdempotencyKey string
}

// Modification is a payment as it was after a capture, a cancel or a refund.
type Modification struct {
	// Amount is the payment's, as it was asked for on create.
	Amount vipps.Amount `json:"amount"`
	// State is AUTHORIZED before and after most of them: read Aggregate.
	State     State     `json:"state"`
	Aggregate Aggregate `json:"aggregate"`
	// PSPReference is that of the creation; the one of this operation is in [Client.Events].
	PSPReference string `json:"pspReference"`
	Reference    string `json:"reference"`
}

// Capture takes money that was reserved, after the goods are delivered. The payment must be AUTHORIZED. Captures add up;
// together with what was cancelled they cannot exceed what was authorized. Compare Aggregate.Captured of the answer with
// what you expect.
//
// Errors: [vipps.ErrInvalidRequest], nothing was sent; [vipps.ErrOutcomeUnknown], the money may be taken: call again with
// the same key and amount, now or after a restart, or read the payment; [CodeNotReserved], the customer has not approved;
// [CodeCaptureTooHigh] and [CodeAlreadyCaptured], read Aggregate; [CodeCaptureTryLater], the same key again in a while;
// [CodeFundsUnavailable], the money is gone; [CodeMustCaptureFull], the sales unit cannot capture parts. A refusal sticks to
// its key: try again with a new one only if Conclusive of the [vipps.Error] is true.
//
// It is repeated by itself as the table of package vipps says. Vipps MobilePay allows five captures a minute for one
// payment, and captures for 180 days in Norway, 14 days in Denmark and Finland; see also Payment.CaptureGuaranteedUntil.
//
// See https://developer.vippsmobilepay.com/docs/APIs/epayment-api/.
func (c *Client) Capture(ctx context.Context, reference string, request CaptureRequest) (*Modification, error) {
	return c.move(ctx, "epayment.Capture", reference, "capture", request.IdempotencyKey, request.Amount)
}

// Refund gives back money that was captured, within 365 days. Refunds add up; together they cannot exceed what was captured.
// The customer has it after two to ten bank days.
//
// Errors: [vipps.ErrInvalidRequest], nothing was sent; [vipps.ErrOutcomeUnknown], the money may be given back: call again
// with the same key and amount, or look for the key in [Client.Events]; [CodeRefundTooHigh] and [CodeAlreadyRefunded], read
// Aggregate; [CodeReferenceExists], which here means that the key was used for another amount.
//
// It is repeated by itself as the table of package vipps says; five refunds a minute are allowed for one payment.
//
// See https://developer.vippsmobilepay.com/docs/APIs/epayment-api/.
func (c *Client) Refund(ctx context.Context, reference string, request RefundRequest) (*Modification, error) {
	return c.move(ctx, "epayment.Refund", reference, "refund", request.IdempotencyKey, request.Amount)
}

// Cancel releases all that is reserved and not captured, for good; there is no partial cancel. A payment that the customer
// has not approved yet ends as TERMINATED, though nothing guarantees that the customer is not faster. To end such a payment
// and never release an approved one, use [Client.CancelIfNotAuthorized].
//
// Errors: [vipps.ErrOutcomeUnknown], call again or read the payment; [CodeCannotCancel], [CodeCancelNotReserved] and
// [CodeCancelCaptured], there may be nothing left to cancel: read the payment, [Payment.AtRest] is success;
// [CodeCancelProcessing], the customer is approving at this moment: again in a while.
//
// It is repeated by itself as the table of package vipps says; five cancels a minute are allowed for one payment.
//
// See https://developer.vippsmobilepay.com/docs/APIs/epayment-api/.
func (c *Client) Cancel(ctx context.Context, reference string, request CancelRequest) (*Modification, error) {
	return c.cancel(ctx, "epayment.Cancel", reference, request, `{"cancelTransactionOnly":false}`)
}

// CancelIfNotAuthorized ends a payment that the customer has not approved yet, and changes nothing if the customer was
// faster: then the error is [CodeAlreadyAuthorized]. It is the one to use when time is up. Apart from that it is
// [Client.Cancel].
func (c *Client) CancelIfNotAuthorized(ctx context.Context, reference string, request CancelRequest) (*Modification, error) {
	return c.cancel(ctx, "epayment.CancelIfNotAuthorized", reference, request, `{"cancelTransactionOnly":true}`)
}

func (c *Client) move(ctx context.Context, op, reference, what, key string, amount vipps.Amount) (*Modification, error) {
	var f findings
	f.reference(reference)
	f.key(key)
	f.amount("Amount", amount)
	if err := f.err(op); err != nil {
		return nil, err
	}
	body, err := json.Marshal(struct {
		ModificationAmount vipps.Amount `json:"modificationAmount"`
	}{amount})
	if err != nil {
		return nil, err
	}
	return c.modify(ctx, op, reference, what, key, body)
}

func (c *Client) cancel(ctx context.Context, op, reference string, request CancelRequest, body string) (*Modification, error) {
	key := request.IdempotencyKey
	if key == "" {
		key = rand.Text()
	}
	var f findings
	f.reference(reference)
	f.key(key)
	if err := f.err(op); err != nil {
		return nil, err
	}
	return c.modify(ctx, op, reference, "cancel", key, []byte(body))
}

func (c *Client) modify(ctx context.Context, op, reference, what, key string, body []byte) (*Modification, error) {
	m := &Modification{Amount: vipps.Amount{Value: absent}, Aggregate: unreadAggregate()}
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: reference, Method: http.MethodPost, Path: path(reference, what), IdempotencyKey: key, Body: body,
		Accept: func() error { return whole(m.Reference, reference, m.State, m.Amount, m.Aggregate) },
	}, m)
	if err != nil {
		return nil, err
	}
	return m, nil
}
