package ordermanagement_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/ordermanagement"
)

func someCategory() ordermanagement.Category {
	return ordermanagement.Category{Type: ordermanagement.CategoryTicket, URL: "https://example.com"}
}

type call struct {
	name, method, url string
	changes           bool
	call              func(context.Context, *ordermanagement.Client) error
}

// calls are all operations, with the method and address they go to.
func calls(t *testing.T) []call {
	t.Helper()
	receipt, content := sample(t), []byte(apitest.Testdata(t, "square.png"))
	return []call{
		{"AddReceipt", "POST", receipts, true, func(ctx context.Context, c *ordermanagement.Client) error {
			_, err := c.AddReceipt(ctx, ordermanagement.Ecom, orderID, ordermanagement.AddReceiptRequest{Receipt: receipt, Amount: nok(42_924)})
			return err
		}},
		{"PutCategory", "PUT", categories, true, func(ctx context.Context, c *ordermanagement.Client) error {
			_, err := c.PutCategory(ctx, ordermanagement.Ecom, orderID, someCategory())
			return err
		}},
		{"Get", "GET", order, false, func(ctx context.Context, c *ordermanagement.Client) error {
			_, err := c.Get(ctx, ordermanagement.Ecom, orderID)
			return err
		}},
		{"AddCategory", "POST", links, true, func(ctx context.Context, c *ordermanagement.Client) error {
			_, err := c.AddCategory(ctx, ordermanagement.Ecom, orderID, someCategory())
			return err
		}},
		{"ListCategories", "GET", links + "?orderId=" + orderID, false, func(ctx context.Context, c *ordermanagement.Client) error {
			_, err := c.ListCategories(ctx, orderID)
			return err
		}},
		{"GetCategory", "GET", links + "/" + linkID, false, func(ctx context.Context, c *ordermanagement.Client) error {
			_, err := c.GetCategory(ctx, linkID)
			return err
		}},
		{"DeleteCategory", "DELETE", links + "/" + linkID, true, func(ctx context.Context, c *ordermanagement.Client) error {
			return c.DeleteCategory(ctx, linkID)
		}},
		{"AddImage", "POST", images, true, func(ctx context.Context, c *ordermanagement.Client) error {
			_, err := c.AddImage(ctx, ordermanagement.AddImageRequest{Content: content, ID: "mine"})
			return err
		}},
	}
}

const invalidParams = `{"type":"https://datatracker.ietf.org/doc/html/rfc7231#section-6.5.1","title":"One or more validation errors occurred.","detail":"BadRequest","instance":"00-616e415f5af7584eb4d9369d0fe8d7cc-48b90041faff204c-00","invalidParams":[{"name":"OrderLines","reason":"The field OrderLines is required."}]}`

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		body   string
		want   error
		text   string
		trace  string
	}{
		{"parameters", 400, invalidParams, nil, "400 One or more validation errors occurred.; OrderLines: The field", "00-616e415f5af7584eb4d9369d0fe8d7cc-48b90041faff204c-00"},
		{"empty 401", 401, "", vipps.ErrUnauthorized, "401 Unauthorized", ""},
		{"gateway", 401, `{"statusCode":401,"message":"Access denied due to missing subscription key."}`, vipps.ErrUnauthorized, "401 Access denied", ""},
		{"missing", 404, `{"title":"Not found","detail":"d","instance":"17"}`, vipps.ErrNotFound, "404 Not found", "17"},
		{"taken", 409, `{"title":"Conflict","detail":"d","instance":"17"}`, vipps.ErrConflict, "409 Conflict", "17"},
		{"rate", 429, ``, vipps.ErrRateLimited, "429 Too Many Requests", ""},
	} {
		for _, call := range calls(t) {
			if test.status == 404 && call.method == "DELETE" {
				continue // TestDeleteTwice
			}
			t.Run(test.name+"/"+call.name, func(t *testing.T) {
				t.Parallel()
				m := newMock(t)
				m.RegisterResponder(call.method, call.url, apitest.Answer(test.status, test.body))
				err := call.call(t.Context(), m.client(t))
				failed, ok := errors.AsType[*vipps.Error](err)
				if !ok || failed.Op != "ordermanagement."+call.name || failed.Status != test.status || failed.TraceID != test.trace {
					t.Fatalf("%v", err)
				}
				if !strings.Contains(err.Error(), test.text) || test.want != nil && !errors.Is(err, test.want) || errors.Is(err, vipps.ErrOutcomeUnknown) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

func TestDeleteTwice(t *testing.T) {
	t.Parallel()
	m := newMock(t)
	m.RegisterResponder("DELETE", links+"/"+linkID, apitest.Answer(404, ""))
	if err := m.client(t).DeleteCategory(t.Context(), linkID); err != nil {
		t.Error(err)
	}
}

// TestOutcomeUnknown loses the answers of all calls.
func TestOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		responder httpmock.Responder
		unknown   bool
		read      bool // the answer is one of success that has to be read
	}{
		"connection lost": {apitest.HangUp, true, false},
		"failed":          {apitest.Answer(500, ""), true, false},
		"page":            {apitest.Answer(200, "<html>"), true, false},
		"half":            {apitest.Answer(201, `"16328cb8`), true, true},
		"empty":           {apitest.Answer(201, ``), true, true},
		"nothing said":    {apitest.Answer(200, `""`), true, true},
		"null":            {apitest.Answer(200, `null`), true, true},
		"list":            {apitest.Answer(200, `[1]`), true, true},
		"refused":         {apitest.Answer(400, invalidParams), false, false},
	} {
		for _, call := range calls(t) {
			if test.read && call.method == "DELETE" {
				continue // it reads nothing
			}
			t.Run(call.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				m := newMock(t)
				m.RegisterResponder(call.method, call.url, test.responder)
				err := call.call(t.Context(), m.client(t))
				if err == nil || errors.Is(err, vipps.ErrOutcomeUnknown) != (test.unknown && call.changes) {
					t.Errorf("%v", err)
				}
			})
		}
	}
	m := newMock(t)
	for _, call := range calls(t) {
		if call.name == "AddCategory" || call.name == "AddImage" || call.name == "ListCategories" || call.name == "GetCategory" {
			m.RegisterResponder(call.method, call.url, apitest.Answer(200, `{"categoryId":""}`))
			if err := call.call(t.Context(), m.client(t)); err == nil || errors.Is(err, vipps.ErrOutcomeUnknown) != call.changes {
				t.Errorf("%s: %v", call.name, err)
			}
		}
	}
}

// TestEnvironments sends nothing where there is no such API, and where the configuration says elsewhere.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	for _, call := range calls(t) {
		m := newMock(t)
		client := configured(t, vipps.Config{Environment: vipps.Test, HTTPClient: &http.Client{Transport: m}})
		if err := call.call(t.Context(), client); !errors.Is(err, vipps.ErrNotAvailable) || m.GetTotalCallCount() != 0 {
			t.Errorf("%s: %v after %d calls", call.name, err, m.GetTotalCallCount())
		}
	}
	m := newMock(t)
	m.RegisterResponder("POST", "https://apitest.vipps.no/accesstoken/get", apitest.Answer(200, `{"access_token":"the-token","expires_in":"3600"}`))
	m.RegisterResponder("GET", "https://orders.example/order-management/v2/ecom/"+orderID, apitest.Answer(200, `{}`))
	client := configured(t, vipps.Config{Environment: vipps.Test, OrderManagementBaseURL: "https://orders.example", HTTPClient: &http.Client{Transport: m}})
	if _, err := client.Get(t.Context(), ordermanagement.Ecom, orderID); err != nil {
		t.Error(err)
	}
}

// TestValidation sends nothing.
func TestValidation(t *testing.T) {
	t.Parallel()
	type client = *ordermanagement.Client
	addImage := func(request ordermanagement.AddImageRequest) func(context.Context, client) error {
		return func(ctx context.Context, c client) error { _, err := c.AddImage(ctx, request); return err }
	}
	addReceipt := func(change func(*ordermanagement.AddReceiptRequest)) func(context.Context, client) error {
		return func(ctx context.Context, c client) error {
			request := ordermanagement.AddReceiptRequest{Receipt: sample(t), Amount: nok(42_924)}
			change(&request)
			_, err := c.AddReceipt(ctx, ordermanagement.Ecom, orderID, request)
			return err
		}
	}
	addCategory := func(category ordermanagement.Category) func(context.Context, client) error {
		return func(ctx context.Context, c client) error {
			_, err := c.AddCategory(ctx, ordermanagement.Ecom, orderID, category)
			_, again := c.PutCategory(ctx, ordermanagement.Ecom, orderID, category)
			if fmt.Sprint(again) != strings.ReplaceAll(fmt.Sprint(err), "AddCategory", "PutCategory") {
				t.Errorf("%v, %v", err, again)
			}
			return err
		}
	}
	low := drawing(t, "png", 300, 166)
	large := append(drawing(t, "png", 300, 300), make([]byte, 2<<20)...)
	for name, test := range map[string]struct {
		call   func(context.Context, client) error
		fields []string
	}{
		"type": {func(ctx context.Context, c client) error {
			_, err := c.Get(ctx, "EPAYMENT", orderID)
			return err
		}, []string{"paymentType: "}},
		"no type": {func(ctx context.Context, c client) error {
			_, err := c.PutCategory(ctx, "", orderID, someCategory())
			return err
		}, []string{"paymentType: "}},
		"order": {func(ctx context.Context, c client) error {
			_, err := c.Get(ctx, ordermanagement.Ecom, "a/b")
			return err
		}, []string{"orderID: "}},
		"no order": {func(ctx context.Context, c client) error {
			_, err := c.ListCategories(ctx, "")
			return err
		}, []string{"orderID: "}},
		"dots": {func(ctx context.Context, c client) error {
			_, err := c.AddReceipt(ctx, "x", "..", ordermanagement.AddReceiptRequest{})
			return err
		}, []string{"paymentType: ", "orderID: ", "Receipt.OrderLines: ", "Receipt.BottomLine.Currency: ", "Amount: "}},
		"crooked":      {addReceipt(func(r *ordermanagement.AddReceiptRequest) { r.Amount.Value++ }), []string{"Receipt.OrderLines: add up to 429.24 NOK instead of 429.25 NOK"}},
		"currency":     {addReceipt(func(r *ordermanagement.AddReceiptRequest) { r.Amount.Currency = vipps.DKK }), []string{"Receipt.BottomLine.Currency: "}},
		"crooked line": {addReceipt(func(r *ordermanagement.AddReceiptRequest) { r.Receipt.OrderLines[0].TotalTaxAmount++ }), []string{"Receipt.OrderLines[0].TotalAmount: "}},
		"no amount":    {addReceipt(func(r *ordermanagement.AddReceiptRequest) { r.Amount = vipps.Amount{} }), []string{"Amount: "}},
		"negative line": {addReceipt(func(r *ordermanagement.AddReceiptRequest) {
			r.Receipt.OrderLines[0].TotalAmount, r.SkipBalance = -1, true
		}), []string{"Receipt.OrderLines[0].TotalAmount: must not be negative"}},
		"no name": {addReceipt(func(r *ordermanagement.AddReceiptRequest) {
			r.Receipt.OrderLines[0].Name, r.SkipBalance = "", true
		}), []string{"Receipt.OrderLines[0].Name: "}},
		"category":        {addCategory(ordermanagement.Category{URL: "example.com", ImageID: "a b"}), []string{"Category.Type: ", "Category.URL: ", "Category.ImageID: "}},
		"long image id":   {addCategory(ordermanagement.Category{Type: "TICKET", URL: "https://a", ImageID: strings.Repeat("a", 129)}), []string{"Category.ImageID: "}},
		"get category":    {func(ctx context.Context, c client) error { _, err := c.GetCategory(ctx, "a/b"); return err }, []string{"id: "}},
		"delete category": {func(ctx context.Context, c client) error { return c.DeleteCategory(ctx, "") }, []string{"id: "}},
		"low":             {addImage(ordermanagement.AddImageRequest{Content: low}), []string{"Content: must be at least 167 pixels high, is 166"}},
		"low, read":       {addImage(ordermanagement.AddImageRequest{Reader: bytes.NewReader(low)}), []string{"Reader: must be at least 167"}},
		"large":           {addImage(ordermanagement.AddImageRequest{Content: large}), []string{"Content: must be at most 2 MB"}},
		"large, read":     {addImage(ordermanagement.AddImageRequest{Reader: bytes.NewReader(large)}), []string{"Reader: must be at most 2 MB"}},
		"GIF":             {addImage(ordermanagement.AddImageRequest{Content: []byte("GIF89a")}), []string{"Content: must be a PNG or a JPEG"}},
		"broken PNG":      {addImage(ordermanagement.AddImageRequest{Content: low[:20]}), []string{"Content: must be a PNG or a JPEG"}},
		"no bytes":        {addImage(ordermanagement.AddImageRequest{Content: []byte{}}), []string{"Content: must be a PNG or a JPEG"}},
		"no image":        {addImage(ordermanagement.AddImageRequest{}), []string{"Content: must be set, or Reader"}},
		"two images":      {addImage(ordermanagement.AddImageRequest{Content: low, Reader: bytes.NewReader(low)}), []string{"Content: must be set, or Reader"}},
		"image id":        {addImage(ordermanagement.AddImageRequest{ID: "a/b"}), []string{"ID: ", "Content: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMock(t)
			err := test.call(t.Context(), m.client(t))
			if !errors.Is(err, vipps.ErrInvalidRequest) || errors.Is(err, vipps.ErrOutcomeUnknown) || m.GetTotalCallCount() != 0 {
				t.Fatalf("%v after %d calls", err, m.GetTotalCallCount())
			}
			for _, field := range test.fields {
				if !strings.Contains(err.Error(), field) {
					t.Errorf("%v does not name %q", err, field)
				}
			}
		})
	}
}

// TestReaderFails sends nothing of an image that cannot be read to its end.
func TestReaderFails(t *testing.T) {
	t.Parallel()
	m := newMock(t)
	broken := errors.New("broken")
	_, err := m.client(t).AddImage(t.Context(), ordermanagement.AddImageRequest{Reader: iotest.ErrReader(broken)})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "Reader: ") || m.GetTotalCallCount() != 0 {
		t.Errorf("%v", err)
	}
}

// TestSkipBalance sends what nobody has added up.
func TestSkipBalance(t *testing.T) {
	t.Parallel()
	m := newMock(t)
	m.RegisterResponder("POST", receipts, apitest.Answer(201, `"x"`))
	receipt := sample(t)
	receipt.OrderLines = append(receipt.OrderLines, epayment.NewOrderLine("2", "More", 1, 0))
	_, err := m.client(t).AddReceipt(t.Context(), ordermanagement.Ecom, orderID, ordermanagement.AddReceiptRequest{Receipt: receipt, SkipBalance: true})
	if err != nil {
		t.Error(err)
	}
}

// TestErrorsConceal has a server that repeats the credentials.
func TestErrorsConceal(t *testing.T) {
	t.Parallel()
	secrets := "the-token the-client-secret the-subscription-key the-client-id"
	for _, call := range calls(t) {
		for _, responder := range []httpmock.Responder{
			apitest.Answer(400, `{"title":"`+secrets+`","detail":"`+secrets+`","instance":"`+secrets+`","invalidParams":[{"name":"`+secrets+`","reason":"`+secrets+`"}]}`),
			apitest.Answer(400, secrets),
			apitest.Answer(200, `{"`+secrets+`":`),
			httpmock.NewErrorResponder(errors.New(secrets)),
		} {
			m := newMock(t)
			m.RegisterResponder(call.method, call.url, responder)
			err := call.call(t.Context(), m.client(t))
			text := fmt.Sprintf("%v %+v %#v %q", err, err, err, err)
			if failed, ok := errors.AsType[*vipps.Error](err); ok {
				text += failed.Detail + failed.Instance + failed.TraceID + failed.Body + fmt.Sprint(failed.Details)
			}
			for secret := range strings.FieldsSeq(secrets) {
				if strings.Contains(text, secret) {
					t.Errorf("%s shows %s: %s", call.name, secret, text)
				}
			}
		}
	}
}
