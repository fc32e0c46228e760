package ordermanagement_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/ordermanagement"
)

const guid = "16328cb8-d769-4c53-90ad-e19777823f0a"

func nok(value int64) vipps.Amount { return vipps.Amount{Value: value, Currency: vipps.NOK} }

// sample is the receipt of the documentation.
func sample(t testing.TB) epayment.Receipt {
	t.Helper()
	receipt, err := epayment.NewReceipt(nok(42_924), epayment.BottomLine{POSID: "vending_machine_12345", ReceiptNumber: orderID},
		epayment.Item{Name: "Socks & <flip-flops>", ID: "1234567890", Price: 42_924, TaxRate: 2500})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// drawing is an image of a size.
func drawing(t testing.TB, kind string, width, height int) []byte {
	t.Helper()
	var buffer bytes.Buffer
	canvas := image.NewGray(image.Rect(0, 0, width, height))
	err := png.Encode(&buffer, canvas)
	if kind == "jpeg" {
		buffer.Reset()
		err = jpeg.Encode(&buffer, canvas, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// TestWire has a golden file for every operation, and the answers of the documentation.
func TestWire(t *testing.T) {
	t.Parallel()
	category := ordermanagement.Category{Type: ordermanagement.CategoryReceipt, URL: "https://www.example.com?a=b&c=d", ImageID: "socks-orange-123"}
	shown := ordermanagement.AddedCategory{
		ID: linkID, OrderID: "PaymentReference123", PaymentType: ordermanagement.Ecom,
		Category: ordermanagement.Category{Type: ordermanagement.CategoryReceipt, URL: "https://www.example.com", ImageID: "f09c6aeb-442e-4da1-b36a-d8f613edc6c9"},
	}
	first, second := shown, shown
	first.ID = "880f5088-7708-4a5a-87d9-31e83aacc035"
	second.Type, second.ImageID = "NEW", ""
	for _, test := range []struct {
		name   string
		method string
		url    string
		status int
		answer string
		call   func(*testing.T, *ordermanagement.Client) (any, error)
		want   any
	}{
		{"AddReceipt", "POST", receipts, 201, "id.json", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			return c.AddReceipt(t.Context(), ordermanagement.Ecom, orderID, ordermanagement.AddReceiptRequest{Receipt: sample(t), Amount: nok(42_924)})
		}, guid},
		{"AddReceiptRecurring", "POST", api + "/v2/recurring/receipts/a.b_c-1", 201, "id.json", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			receipt, err := epayment.NewReceipt(nok(5500), epayment.BottomLine{
				TipAmount: 500, PaymentSources: epayment.PaymentSources{GiftCard: 100}, Barcode: epayment.Barcode{Format: epayment.Code39, Data: "SC0527013501 "},
			},
				epayment.Item{Name: "socks", ID: "line_item_1", Price: 400, Quantity: "2.5", Unit: epayment.Kilograms, TaxRate: 2500, ProductURL: "https://example.com/store/socks"},
				epayment.Item{Name: "flip-flops", ID: "line_item_2", Price: 2500, Quantity: "3", TaxRate: 2500, Discount: 2500},
				epayment.Item{Name: "old flip-flops", ID: "line_item_3", Price: 2000, TaxRate: 2500, IsReturn: true},
				epayment.Item{Name: "Home Delivery", ID: "delivery", Price: 1000, IsShipping: true},
			)
			if err != nil {
				t.Fatal(err)
			}
			return c.AddReceipt(t.Context(), ordermanagement.Recurring, "a.b_c-1", ordermanagement.AddReceiptRequest{Receipt: receipt, Amount: nok(5500)})
		}, guid},
		{"PutCategory", "PUT", categories, 200, "id.json", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			return c.PutCategory(t.Context(), ordermanagement.Ecom, orderID, category)
		}, guid},
		{"Get", "GET", order, 200, "order.json", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			return c.Get(t.Context(), ordermanagement.Ecom, orderID)
		}, &ordermanagement.Order{
			Category: &ordermanagement.Category{Type: ordermanagement.CategoryGeneral, URL: "https://example.com", ImageID: "socks-orange-123"},
			Receipt: &epayment.Receipt{
				OrderLines: []epayment.OrderLine{
					{
						Name: "socks", ID: "line_item_1", TotalAmount: 1000, TotalAmountExcludingTax: 800, TotalTaxAmount: 200, TaxPercentage: new(25),
						UnitInfo: epayment.UnitInfo{UnitPrice: 400, Quantity: "2.5", QuantityUnit: epayment.Kilograms}, ProductURL: "https://example.com/store/socks",
					},
					{Name: "flip-flops", ID: "line_item_2", TotalAmount: 5000, TotalAmountExcludingTax: 4000, TotalTaxAmount: 1000, TaxRate: new(2500)},
					{Name: "Home Delivery", ID: "delivery", TotalAmount: 1000, TotalAmountExcludingTax: 800, TotalTaxAmount: 200, TaxPercentage: new(25), IsShipping: true},
				},
				BottomLine: epayment.BottomLine{
					Currency: vipps.NOK, POSID: "pos_122", ReceiptNumber: "0527013501", Barcode: epayment.Barcode{Format: epayment.Code39, Data: "SC0527013501 "},
				},
			},
		}},
		{"AddCategory", "POST", links, 201, "added.json", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			return c.AddCategory(t.Context(), ordermanagement.Ecom, orderID, category)
		}, linkID},
		{"ListCategories", "GET", links + "?orderId=" + orderID, 200, "categories.json", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			return c.ListCategories(t.Context(), orderID)
		}, []ordermanagement.AddedCategory{first, second}},
		{"GetCategory", "GET", links + "/" + linkID, 200, "category.json", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			return c.GetCategory(t.Context(), linkID)
		}, &shown},
		{"DeleteCategory", "DELETE", links + "/" + linkID, 200, "", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			return nil, c.DeleteCategory(t.Context(), linkID)
		}, nil},
		{"AddImage", "POST", images, 200, "image.json", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			return c.AddImage(t.Context(), ordermanagement.AddImageRequest{Content: []byte(apitest.Testdata(t, "square.png"))})
		}, &ordermanagement.AddedImage{ID: "socks-orange-123"}},
		{"AddImageNamed", "POST", images, 200, "image.json", func(t *testing.T, c *ordermanagement.Client) (any, error) {
			return c.AddImage(t.Context(), ordermanagement.AddImageRequest{Reader: strings.NewReader(apitest.Testdata(t, "square.png")), ID: "socks-orange-123"})
		}, &ordermanagement.AddedImage{ID: "socks-orange-123"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := newMock(t)
			body := ""
			if test.answer != "" {
				body = apitest.Testdata(t, test.answer)
			}
			m.RegisterResponder(test.method, test.url, apitest.Answer(test.status, body))
			got, err := test.call(t, m.client(t))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			requests := m.Requests()
			if len(requests) != 1 {
				t.Fatalf("%d requests", len(requests))
			}
			apitest.Golden(t, *update, test.name+".request", requests[0])
		})
	}
}

// TestGetParts reads payments with one of the two, or none.
func TestGetParts(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][2]bool{
		`{}`:                               {},
		`{"category":null,"receipt":null}`: {},
		`{"category":{"category":"TICKET","orderDetailsUrl":"https://a"}}`: {true, false},
		`{"receipt":{"orderLines":[],"bottomLine":{"currency":"DKK"}}}`:    {false, true},
	} {
		m := newMock(t)
		m.RegisterResponder("GET", order, apitest.Answer(200, body))
		got, err := m.client(t).Get(t.Context(), ordermanagement.Ecom, orderID)
		if err != nil || [2]bool{got.Category != nil, got.Receipt != nil} != want {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

// TestAddImage has the limits of images, and all that the API says of one that is there.
func TestAddImage(t *testing.T) {
	t.Parallel()
	good := drawing(t, "png", 300, 167)
	sum := sha512.Sum512(good)
	id := hex.EncodeToString(sum[:])
	for name, test := range map[string]struct {
		id      string
		status  int
		body    string
		existed bool
		err     error
	}{
		"added":              {"", 200, `{"imageId":"` + id + `"}`, false, nil},
		"conflict":           {"", 409, `{"title":"Conflict","detail":"d","instance":"i"}`, true, nil},
		"bare conflict":      {"", 409, ``, true, nil},
		"duplicate title":    {"", 400, `{"title":"Duplicate image","detail":"d","instance":"i"}`, true, nil},
		"duplicate detail":   {"", 400, `{"title":"t","detail":"The imageId is a duplicate.","instance":"i"}`, true, nil},
		"duplicate field":    {"", 400, `{"title":"t","detail":"d","instance":"i","invalidParams":[{"name":"ImageId","reason":"DUPLICATE"}]}`, true, nil},
		"duplicate text":     {"", 400, `duplicate image`, true, nil},
		"too large for them": {"", 400, `{"title":"t","detail":"too large","instance":"i"}`, false, &vipps.Error{}},
		"another duplicate":  {"", 403, `{"title":"duplicate"}`, false, vipps.ErrUnauthorized},
		"named, conflict":    {"mine", 409, ``, false, vipps.ErrConflict},
		"named, duplicate":   {"mine", 400, `{"title":"duplicate"}`, false, vipps.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMock(t)
			m.RegisterResponder("POST", images, apitest.Answer(test.status, test.body))
			got, err := m.client(t).AddImage(t.Context(), ordermanagement.AddImageRequest{Content: good, ID: test.id})
			if _, ok := errors.AsType[*vipps.Error](test.err); ok {
				if failed, ok := errors.AsType[*vipps.Error](err); !ok || failed.Status != test.status {
					t.Errorf("%v", err)
				}
				return
			}
			if test.err != nil {
				if !errors.Is(err, test.err) || got != nil {
					t.Errorf("%v, %v", got, err)
				}
				return
			}
			if err != nil || got.ID != id || got.Existed != test.existed {
				t.Errorf("%v, %v", got, err)
			}
			if sent := m.Requests()[0]; !strings.Contains(sent, `"imageId":"`+id+`"`) || len(id) != 128 {
				t.Errorf("sent %s", sent)
			}
		})
	}
}

// TestImageKinds adds what is just right, from bytes and from a reader.
func TestImageKinds(t *testing.T) {
	t.Parallel()
	large := drawing(t, "png", 200, 200)
	large = append(large, make([]byte, 2<<20-len(large))...)
	for name, content := range map[string][]byte{
		"PNG": drawing(t, "png", 167, 167), "JPEG": drawing(t, "jpeg", 167, 167), "flat": drawing(t, "jpeg", 1, 167), "2 MB": large,
	} {
		m := newMock(t)
		m.RegisterResponder("POST", images, apitest.Answer(200, `{"imageId":"x"}`))
		client := m.client(t)
		for _, request := range []ordermanagement.AddImageRequest{{Content: content}, {Reader: bytes.NewReader(content)}} {
			if _, err := client.AddImage(t.Context(), request); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if sent := m.Requests(); sent[0] != sent[1] {
			t.Errorf("%s: bytes and a reader are not the same", name)
		}
	}
}
