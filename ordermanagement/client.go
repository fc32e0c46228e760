package ordermanagement

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// Client adds receipts, links and images to payments and reads them. Make one with [New]. It is safe for concurrent use and
// needs no closing.
type Client struct {
	client *vipps.Client
}

// New makes a Client that uses the credentials, the token and the connections of client.
func New(client *vipps.Client) *Client { return &Client{client: client} }

// PaymentType says which API a payment was made with.
type PaymentType string

// The types of payments. What is decoded is one of them in whatever case it came.
const (
	Ecom      PaymentType = "ECOM" // the ePayment API and the eCom API
	Recurring PaymentType = "RECURRING"
)

// UnmarshalText takes every case: descriptions of the API have ECOM, eCom and ecom.
func (t *PaymentType) UnmarshalText(text []byte) error {
	*t = PaymentType(text)
	if known := PaymentType(strings.ToUpper(string(text))); known.known() {
		*t = known
	}
	return nil
}

func (t PaymentType) known() bool { return t == Ecom || t == Recurring }

// segment is the type as it stands in addresses, where the API takes every case.
func (t PaymentType) segment() string { return strings.ToLower(string(t)) }

// Order is what has been added to a payment.
type Order struct {
	// Category is nil if there is none.
	Category *Category
	// Receipt is nil if there is none.
	Receipt *epayment.Receipt
}

// Get reads what has been added to a payment: the category that [Client.PutCategory] wrote, and the receipt that
// [Client.AddReceipt] or the create of the payment brought. It is the only way to read a receipt, since the payment itself does
// not show it. Receipts may come with fields that this version does not know.
//
// An error matches [vipps.ErrNotFound] if there is nothing. In the test environment see the package comment.
//
// See https://developer.vippsmobilepay.com/docs/APIs/order-management-api/.
func (c *Client) Get(ctx context.Context, paymentType PaymentType, orderID string) (*Order, error) {
	const op = "ordermanagement.Get"
	var f findings
	f.order(paymentType, orderID)
	if err := f.err(op); err != nil {
		return nil, err
	}
	var answer struct {
		Category *categoryV2       `json:"category"`
		Receipt  *epayment.Receipt `json:"receipt"`
	}
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: orderID, Method: http.MethodGet, Path: path("v2", paymentType.segment(), orderID),
	}, &answer)
	if err != nil {
		return nil, err
	}
	order := &Order{Receipt: answer.Receipt}
	if answer.Category != nil {
		order.Category = &Category{answer.Category.Category, answer.Category.OrderDetailsURL, answer.Category.ImageID}
	}
	return order, nil
}

func path(rest ...string) []string { return append([]string{"order-management"}, rest...) }

// answeredID is an answer that is nothing but the id of what was written.
type answeredID string

func (a *answeredID) accept() error {
	if *a == "" {
		return errors.New("the answer has no id")
	}
	return nil
}

// name is the pattern of order ids and image ids.
var (
	name       = regexp.MustCompile(`^[0-9A-Za-z_.-]+$`)
	categoryID = regexp.MustCompile(`^[0-9A-Za-z-]+$`)
)

// findings collects what is wrong with a request, each finding by the name of its field.
type findings []error

func (f *findings) require(ok bool, finding string) {
	if !ok {
		*f = append(*f, errors.New(finding))
	}
}

func (f findings) err(op string) error {
	if len(f) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", op, vipps.ErrInvalidRequest, errors.Join(f...))
}

func (f *findings) order(paymentType PaymentType, orderID string) {
	f.require(paymentType.known(), "paymentType: must be Ecom or Recurring")
	f.orderID(orderID)
}

func (f *findings) orderID(orderID string) {
	f.require(name.MatchString(orderID) && orderID != "." && orderID != "..",
		"orderID: must be letters a-z, digits, dots, hyphens and underscores")
}

func (f *findings) imageID(field, id string) {
	f.require(id == "" || name.MatchString(id) && len(id) <= 128,
		field+": must be 1 to 128 letters a-z, digits, dots, hyphens and underscores")
}
