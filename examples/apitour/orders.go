package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/ordermanagement"
)

// orders adds a receipt, links and an image to the first payment of the tour, and reads them.
func (t *tour) orders(ctx context.Context, client *vipps.Client, c choices) error {
	const ecom = ordermanagement.Ecom
	if !c.orders {
		fmt.Println("skip  Order Management: receipts and images cannot be taken back; add some with -orders")
		return nil
	}
	orders, amount := ordermanagement.New(client), vipps.Amount{Value: 1000, Currency: vipps.Currency(c.currency)}
	receipt, err := epayment.NewReceipt(amount, epayment.BottomLine{POSID: "apitour"},
		epayment.Item{ID: "cola", Name: "Cola", Price: 1250, Discount: 250, TaxRate: 1500})
	if err != nil {
		return err
	}
	err = t.step(func() (string, error) {
		_, err := orders.AddReceipt(ctx, ecom, t.reference, ordermanagement.AddReceiptRequest{Receipt: receipt, Amount: amount})
		return fmt.Sprintf("a receipt over %s", amount), err
	})
	if errors.Is(err, vipps.ErrNotAvailable) {
		fmt.Println("skip  Order Management: the test environment does not have it; an emulator does, and so does production")
		return nil
	}
	picture, err := drawing()
	if err != nil {
		return err
	}
	link := ordermanagement.Category{Type: ordermanagement.CategoryReceipt, URL: "https://example.com/receipt"}
	_ = t.step(func() (string, error) { // counted
		added, err := orders.AddImage(ctx, ordermanagement.AddImageRequest{Content: picture})
		switch {
		case err != nil:
			return "", err
		case added.Existed:
			return "the image was there already", nil
		}
		link.ImageID = added.ID
		return "an image for links of any number of payments", nil
	})
	_ = t.step(func() (string, error) { // counted
		_, err := orders.PutCategory(ctx, ecom, t.reference, link)
		return "a link that the app shows with the payment", err
	})
	_ = t.step(func() (string, error) { // counted
		order, err := orders.Get(ctx, ecom, t.reference)
		if err == nil && (order.Receipt == nil || order.Category == nil) {
			err = errors.New("the receipt or the link is missing")
		}
		return "the receipt and the link", err
	})
	return t.links(ctx, orders, link)
}

// links are those of version 3, of which a payment may have several.
func (t *tour) links(ctx context.Context, orders *ordermanagement.Client, link ordermanagement.Category) error {
	var id string
	err := t.step(func() (shows string, err error) {
		id, err = orders.AddCategory(ctx, ordermanagement.Ecom, t.reference, link)
		return "a link of version 3, with an id of its own", err
	})
	if err != nil {
		return err
	}
	for _, call := range []func() (string, error){
		func() (string, error) {
			all, err := orders.ListCategories(ctx, t.reference)
			return fmt.Sprintf("links: %d", len(all)), err
		},
		func() (string, error) {
			found, err := orders.GetCategory(ctx, id)
			if err == nil && found.Category != link {
				err = errors.New("the link is not as it was added")
			}
			return "the same link", err
		},
		func() (string, error) {
			return "the link is gone", orders.DeleteCategory(context.WithoutCancel(ctx), id)
		},
	} {
		_ = t.step(call) // counted; the last one is made in any case
	}
	return nil
}

// drawing is an image of the smallest size that is taken.
func drawing() ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 167, 167)))
	return b.Bytes(), err
}
