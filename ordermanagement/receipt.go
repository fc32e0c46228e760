package ordermanagement

import (
	"context"
	"fmt"
	"net/http"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// AddReceiptRequest is a receipt and what it must add up to. Both are required, Amount unless SkipBalance is set.
type AddReceiptRequest struct {
	// Receipt is the same as in a create of the ePayment API. epayment.NewReceipt makes one from prices and tax rates.
	Receipt epayment.Receipt
	// Amount is what the customer paid: what was captured, not what was reserved. The API takes a receipt that does not add up
	// to it, and then the app does not show its lines.
	Amount vipps.Amount
	// SkipBalance sends a receipt whose sums nobody has checked.
	SkipBalance bool
}

// AddReceipt adds a receipt to a payment and returns the receipt's id. A receipt cannot be changed or taken back, and a payment
// has at most one. On the ePayment API the receipt of a create is the better choice where the goods are known then; it most
// likely takes the same place, so that a payment which has it gets no other.
//
// At a machine that reserves a maximum, call it after the capture, with what was sold. The API does not check that there is
// such a payment: an orderID with a mistake in it succeeds and is never seen.
//
// An error matches [vipps.ErrConflict] if the payment has a receipt. It is not repeated after a lost answer; if the error
// matches [vipps.ErrOutcomeUnknown], call again, and a conflict then says that the first call did it, or somebody else did. To
// know, put something of your own into BottomLine.ReceiptNumber and compare it with what [Client.Get] reads. An error matches
// [vipps.ErrInvalidRequest] if the receipt does not add up; nothing was sent then.
//
// See https://developer.vippsmobilepay.com/docs/APIs/order-management-api/.
func (c *Client) AddReceipt(ctx context.Context, paymentType PaymentType, orderID string, request AddReceiptRequest) (string, error) {
	const op = "ordermanagement.AddReceipt"
	var f findings
	f.order(paymentType, orderID)
	if err := request.Receipt.Validate(); err != nil {
		f = append(f, err)
	}
	if !request.SkipBalance {
		if request.Amount.Value <= 0 || request.Amount.Currency == "" {
			f.require(false, "Amount: must be set, unless SkipBalance is")
		} else if err := request.Receipt.Balance(request.Amount); err != nil {
			f = append(f, err)
		}
	}
	for i, line := range request.Receipt.OrderLines {
		f.require(line.TotalAmount >= 0, fmt.Sprintf("Receipt.OrderLines[%d].TotalAmount: must not be negative; set IsReturn", i))
	}
	if err := f.err(op); err != nil {
		return "", err
	}
	var id answeredID
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: orderID, Method: http.MethodPost, Path: path("v2", paymentType.segment(), "receipts", orderID),
		Body: request.Receipt, Accept: id.accept,
	}, &id)
	return string(id), err
}
