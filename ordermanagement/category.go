package ordermanagement

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/vippsvending/vipps"
)

// Category is a link that the app shows with a payment. Type and URL are required.
type Category struct {
	Type CategoryType `json:"type"`
	// URL is opened in the phone's browser, where nobody is logged in.
	URL string `json:"url"`
	// ImageID is that of an image that [Client.AddImage] added. Empty is none.
	ImageID string `json:"imageId,omitzero"`
}

// CategoryType is what a link leads to. It decides on its words in the app.
type CategoryType string

// The types of links.
const (
	CategoryGeneral           CategoryType = "GENERAL"
	CategoryReceipt           CategoryType = "RECEIPT"
	CategoryOrderConfirmation CategoryType = "ORDER_CONFIRMATION"
	CategoryDelivery          CategoryType = "DELIVERY"
	CategoryTicket            CategoryType = "TICKET"
	CategoryBooking           CategoryType = "BOOKING"
)

// AddedCategory is one of the links of a payment, with an id of its own.
type AddedCategory struct {
	ID          string      `json:"categoryId"`
	OrderID     string      `json:"orderId"`
	PaymentType PaymentType `json:"paymentType"`
	Category
}

// categoryV2 is a Category under the names of version 2.
type categoryV2 struct {
	Category        CategoryType `json:"category"`
	OrderDetailsURL string       `json:"orderDetailsUrl"`
	ImageID         string       `json:"imageId,omitzero"`
}

func (f *findings) category(category Category) {
	f.require(category.Type != "", "Category.Type: must be set")
	u, err := url.Parse(category.URL)
	f.require(err == nil && u.Scheme != "", "Category.URL: must be an address with a scheme")
	f.imageID("Category.ImageID", category.ImageID)
}

// PutCategory writes the one link that version 2 of the API knows for a payment, in place of any before it, and returns its id.
// It may be repeated: the same call twice is the same as once. The API does not check that there is such a payment.
//
// See https://developer.vippsmobilepay.com/docs/APIs/order-management-api/.
func (c *Client) PutCategory(ctx context.Context, paymentType PaymentType, orderID string, category Category) (string, error) {
	const op = "ordermanagement.PutCategory"
	var f findings
	f.order(paymentType, orderID)
	f.category(category)
	if err := f.err(op); err != nil {
		return "", err
	}
	var id answeredID
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: orderID, Method: http.MethodPut, Path: path("v2", paymentType.segment(), "categories", orderID),
		Body: categoryV2{category.Type, category.URL, category.ImageID}, Accept: id.accept,
	}, &id)
	return string(id), err
}

// AddCategory adds a link to a payment, which may have several in version 3 of the API, and returns its id. Version 3 is in the
// specification but not in the guides, and whether every sales unit has it is not known: where it is missing, the error matches
// [vipps.ErrNotFound], and [Client.PutCategory] is left.
//
// It is not repeated after a lost answer, since a second call adds a second link. If the error matches
// [vipps.ErrOutcomeUnknown], look with [Client.ListCategories] before calling again.
func (c *Client) AddCategory(ctx context.Context, paymentType PaymentType, orderID string, category Category) (string, error) {
	const op = "ordermanagement.AddCategory"
	var f findings
	f.order(paymentType, orderID)
	f.category(category)
	if err := f.err(op); err != nil {
		return "", err
	}
	body := struct {
		OrderID     string      `json:"orderId"`
		PaymentType PaymentType `json:"paymentType"`
		Category
	}{orderID, paymentType, category}
	var answer struct {
		ID answeredID `json:"categoryId"`
	}
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: orderID, Method: http.MethodPost, Path: path("v3", "categories"), Body: body, Accept: answer.ID.accept,
	}, &answer)
	return string(answer.ID), err
}

// ListCategories reads the links of a payment, none if there are none. What is said of version 3 at [Client.AddCategory] holds
// here as well.
func (c *Client) ListCategories(ctx context.Context, orderID string) ([]AddedCategory, error) {
	const op = "ordermanagement.ListCategories"
	var f findings
	f.orderID(orderID)
	if err := f.err(op); err != nil {
		return nil, err
	}
	var answer struct {
		Categories []AddedCategory `json:"categories"`
	}
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: orderID, Method: http.MethodGet, Path: path("v3", "categories"), Query: url.Values{"orderId": {orderID}},
		Accept: func() error {
			if answer.Categories == nil {
				return errors.New("the answer has no list")
			}
			return nil
		},
	}, &answer)
	if err != nil {
		return nil, err
	}
	return answer.Categories, nil
}

// GetCategory reads one link by the id that [Client.AddCategory] returned. An error matches [vipps.ErrNotFound] if there is no
// such link.
func (c *Client) GetCategory(ctx context.Context, id string) (*AddedCategory, error) {
	const op = "ordermanagement.GetCategory"
	var f findings
	f.categoryID(id)
	if err := f.err(op); err != nil {
		return nil, err
	}
	category := new(AddedCategory)
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: id, Method: http.MethodGet, Path: path("v3", "categories", id),
		Accept: func() error {
			if !strings.EqualFold(category.ID, id) {
				return errors.New("the answer is about another category")
			}
			return nil
		},
	}, category)
	if err != nil {
		return nil, err
	}
	return category, nil
}

// DeleteCategory takes a link away. One that does not exist is deleted already: that is no error. If the error matches
// [vipps.ErrOutcomeUnknown], call again.
func (c *Client) DeleteCategory(ctx context.Context, id string) error {
	const op = "ordermanagement.DeleteCategory"
	var f findings
	f.categoryID(id)
	if err := f.err(op); err != nil {
		return err
	}
	err := c.client.Do(ctx, vipps.Request{Op: op, Subject: id, Method: http.MethodDelete, Path: path("v3", "categories", id)}, nil)
	if errors.Is(err, vipps.ErrNotFound) {
		return nil
	}
	return err
}

func (f *findings) categoryID(id string) {
	f.require(categoryID.MatchString(id), "id: must be the id of a category")
}
