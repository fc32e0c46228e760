package ordermanagement_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/ordermanagement"
)

// answering is an API that knows a few answers.
type answering map[string]string

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	switch body, ok := a[r.Method+" "+r.URL.Path]; {
	case strings.HasSuffix(r.URL.Path, "/accesstoken/get"):
		_, _ = io.WriteString(answer, `{"access_token":"the-token","expires_in":"3600"}`)
	case ok:
		_, _ = io.WriteString(answer, body)
	default:
		answer.WriteHeader(http.StatusConflict)
	}
	return answer.Result(), nil
}

func exampleClient(answers answering) *ordermanagement.Client {
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Production,
		Credentials: vipps.Credentials{ClientID: "id", ClientSecret: "secret", SubscriptionKey: "key", MerchantSerialNumber: "654321"},
		System:      vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient:  &http.Client{Transport: answers},
	})
	if err != nil {
		panic(err)
	}
	return ordermanagement.New(client)
}

// What was sold, after a part of a reservation was captured.
func ExampleClient_AddReceipt() {
	ctx := context.Background()
	orders := exampleClient(answering{"POST /order-management/v2/ecom/receipts/machine-17-0001": `"16328cb8-d769-4c53-90ad-e19777823f0a"`})
	captured := vipps.Amount{Value: 42_924, Currency: vipps.NOK}
	receipt, err := epayment.NewReceipt(captured, epayment.BottomLine{POSID: "machine-17", ReceiptNumber: "machine-17-0001"},
		epayment.Item{Name: "Headphones", ID: "0017", Price: 42_924, TaxRate: 2500})
	if err != nil {
		fmt.Println(err)
		return
	}
	line := receipt.OrderLines[0]
	fmt.Println(line.TotalAmountExcludingTax, "+", line.TotalTaxAmount)
	id, err := orders.AddReceipt(ctx, ordermanagement.Ecom, "machine-17-0001", ordermanagement.AddReceiptRequest{Receipt: receipt, Amount: captured})
	fmt.Println(id, err)
	// Nothing is sent of a receipt that is not about what was paid.
	_, err = orders.AddReceipt(ctx, ordermanagement.Ecom, "machine-17-0001",
		ordermanagement.AddReceiptRequest{Receipt: receipt, Amount: vipps.Amount{Value: 50_000, Currency: vipps.NOK}})
	fmt.Println(strings.HasSuffix(err.Error(), "Receipt.OrderLines: add up to 429.24 NOK instead of 500.00 NOK"))
	// Output:
	// 34339 + 8585
	// 16328cb8-d769-4c53-90ad-e19777823f0a <nil>
	// true
}

// An image that is there already is a success.
func ExampleClient_AddImage() {
	file, err := os.Open("testdata/square.png")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	image, err := exampleClient(nil).AddImage(context.Background(), ordermanagement.AddImageRequest{Reader: file})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(image.ID), image.Existed)
	// Output: 128 true
}

// The link of a payment, and what was added to it.
func ExampleClient_PutCategory() {
	ctx := context.Background()
	orders := exampleClient(answering{
		"PUT /order-management/v2/ecom/categories/machine-17-0001": `"16328cb8-d769-4c53-90ad-e19777823f0a"`,
		"GET /order-management/v2/ecom/machine-17-0001":            `{"category":{"category":"TICKET","orderDetailsUrl":"https://vend.example/0001"}}`,
	})
	_, err := orders.PutCategory(ctx, ordermanagement.Ecom, "machine-17-0001",
		ordermanagement.Category{Type: ordermanagement.CategoryTicket, URL: "https://vend.example/0001"})
	if err != nil {
		fmt.Println(err)
		return
	}
	order, err := orders.Get(ctx, ordermanagement.Ecom, "machine-17-0001")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(order.Category.Type, order.Category.URL, order.Receipt == nil)
	// Output: TICKET https://vend.example/0001 true
}
