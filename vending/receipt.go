package vending

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/ordermanagement"
)

// orders is what the engine needs of the Order Management API.
type orders interface {
	AddReceipt(ctx context.Context, paymentType ordermanagement.PaymentType, orderID string, request ordermanagement.AddReceiptRequest) (string, error)
	Get(ctx context.Context, paymentType ordermanagement.PaymentType, orderID string) (*ordermanagement.Order, error)
}

// receiptBefore says that the receipt goes into the request that makes the payment. That of a basket depends on what drops,
// and cannot be changed once it is sent.
func (s *Session) receiptBefore() bool {
	return !s.Maximum && len(s.Items) == 1 && s.Items[0].TaxRate != 0
}

// receiptOf is the receipt of items that cost a sum together. An error means that it cannot be made.
func (s *Session) receiptOf(sum int64, pick func(Item) bool) (epayment.Receipt, error) {
	var lines []epayment.Item
	for i, item := range s.Items {
		if pick(item) {
			lines = append(lines, epayment.Item{Name: item.Name, ID: strconv.Itoa(i + 1), Price: item.Price, TaxRate: max(0, item.TaxRate)})
		}
	}
	return epayment.NewReceipt(vipps.Amount{Value: sum, Currency: s.Currency},
		epayment.BottomLine{Currency: s.Currency, POSID: s.Machine, ReceiptNumber: s.ID}, lines...)
}

// receipt is what is to be sent for what was captured: nothing if it was sent before, if a tax rate is not known, or if the
// sums disagree, which a person has to look at anyway.
func (s *Session) receipt() []byte {
	due := s.price(inTime)
	if s.receiptBefore() || due == 0 || s.Outcome.Captured-s.Outcome.Refunding != due {
		return nil
	}
	for _, item := range s.Items {
		if inTime(item) && item.TaxRate == 0 {
			return nil
		}
	}
	receipt, err := s.receiptOf(due, inTime)
	if err != nil {
		return nil
	}
	body, err := json.Marshal(receipt)
	if err != nil {
		return nil
	}
	return body
}

// sendReceipt posts the frozen receipt. One that is there already is what was asked for if it is equal.
func (m *mover) sendReceipt(ctx context.Context) (bool, error) {
	i, _ := m.s.task()
	var receipt epayment.Receipt
	if err := json.Unmarshal(m.s.Tasks[i].Body, &receipt); err != nil {
		return m.receiptEnds(ctx, "cannot be read: "+err.Error())
	}
	calling, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := m.o.orders.AddReceipt(calling, ordermanagement.Ecom, m.id, ordermanagement.AddReceiptRequest{Receipt: receipt, SkipBalance: true})
	switch {
	case err == nil:
		return m.receiptEnds(ctx, "sent")
	case errors.Is(err, vipps.ErrNotAvailable):
		return m.receiptEnds(ctx, "not sent: there is no Order Management API in this environment")
	case errors.Is(err, vipps.ErrConflict):
		return m.compareReceipt(ctx, receipt)
	case malformed(err):
		return m.receiptEnds(ctx, "refused: "+err.Error())
	case errors.Is(err, vipps.ErrInvalidRequest):
		return m.receiptEnds(ctx, "cannot be sent: "+err.Error())
	case m.s.Now.Sub(m.s.Ended) > receiptPatience:
		return m.receiptEnds(ctx, "given up: "+err.Error())
	default:
		return m.failed(ctx, err), nil
	}
}

// malformed is a refusal that will not change.
func malformed(err error) bool {
	refused, ok := errors.AsType[*vipps.Error](err)
	return ok && !refused.OutcomeUnknown && (refused.Status == http.StatusBadRequest || refused.Status == http.StatusNotFound || refused.Status == http.StatusUnprocessableEntity)
}

func (m *mover) compareReceipt(ctx context.Context, receipt epayment.Receipt) (bool, error) {
	calling, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	order, err := m.o.orders.Get(calling, ordermanagement.Ecom, m.id)
	switch {
	case err != nil && m.s.Now.Sub(m.s.Ended) <= receiptPatience:
		return m.failed(ctx, err), nil
	case err != nil:
		return m.receiptEnds(ctx, "there is one, which cannot be read: "+err.Error())
	case order.Receipt != nil && sameReceipt(*order.Receipt, receipt):
		return m.receiptEnds(ctx, "sent before")
	default:
		return m.receiptEnds(ctx, "there is another one")
	}
}

func sameReceipt(a, b epayment.Receipt) bool {
	return a.BottomLine.ReceiptNumber == b.BottomLine.ReceiptNumber && slices.EqualFunc(a.OrderLines, b.OrderLines, func(x, y epayment.OrderLine) bool {
		return x.Name == y.Name && x.ID == y.ID && x.TotalAmount == y.TotalAmount && x.TotalTaxAmount == y.TotalTaxAmount
	})
}

func (m *mover) receiptEnds(ctx context.Context, how string) (bool, error) {
	return m.take(ctx, fact{kind: factReceipt, cause: how})
}
