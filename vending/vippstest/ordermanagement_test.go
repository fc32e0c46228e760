package vippstest_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

const orderPath = "/order-management/v2/ecom"

func (m *merchant) postReceipt(reference string, body any) result {
	m.t.Helper()
	return m.send(request{method: "POST", path: orderPath + "/receipts/" + reference, body: body})
}

func (m *merchant) getOrder(reference string) result {
	m.t.Helper()
	return m.send(request{method: "GET", path: orderPath + "/" + reference})
}

var jsonUUID = regexp.MustCompile(`^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$`)

// decoded is JSON as the answers have it.
func decoded(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	must(t, json.Unmarshal(raw, &out))
	return out
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Merchants: []string{"654321"}})
	const order = "no-such_payment.1"
	if a := m.getOrder(order); a.status != 404 || a.text("title") == "" || a.text("instance") == "" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	sent := receipt(fields{"name": "Cola <0.5 l> & pant"})
	a := m.postReceipt(order, sent)
	if a.status != 201 || !jsonUUID.Match(a.raw) || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	for _, path := range []string{orderPath, "/order-management/v2/ECOM", "/order-management/v2/eCom"} {
		a := m.send(request{method: "GET", path: path + "/" + order})
		if diff := cmp.Diff(map[string]any{"receipt": decoded(t, sent)}, a.body); a.status != 200 || diff != "" {
			t.Errorf("%s: %d (-want +got)\n%s", path, a.status, diff)
		}
	}
	if raw, ok := m.server.Receipt(order); !ok || !strings.Contains(string(raw), "pant") {
		t.Errorf("%s", raw)
	}
	a = m.postReceipt(order, receipt(nil))
	if a.status != 409 || a.text("title") != "Conflict" || a.text("detail") == "" || a.at("id") != nil {
		t.Errorf("again: %d %s", a.status, a.raw)
	}
	if raw, _ := m.server.Receipt(order); !strings.Contains(string(raw), "pant") {
		t.Errorf("it changed to %s", raw)
	}
	other := map[string]string{"Merchant-Serial-Number": "654321"}
	for name, r := range map[string]request{
		"recurring":     {path: "/order-management/v2/Recurring/receipts/" + order},
		"serial number": {path: orderPath + "/receipts/" + order, header: other},
	} {
		r.method, r.body = "POST", receipt(nil)
		if a := m.send(r); a.status != 201 {
			t.Errorf("another %s: %d %s", name, a.status, a.raw)
		}
	}
	if raw, ok := m.server.Receipt("654321/" + order); !ok || strings.Contains(string(raw), "pant") {
		t.Errorf("%s", raw)
	}
	if _, ok := m.server.Receipt("other"); ok {
		t.Error("a receipt of nothing")
	}
}

func TestReceiptSlot(t *testing.T) {
	t.Parallel()
	for _, separate := range []bool{false, true} {
		m := newMerchant(t, vippstest.Options{Switches: vippstest.Switches{ReceiptSlotSeparate: separate}})
		first, second := receipt(fields{"name": "at first"}), receipt(fields{"name": "at last"})
		m.mustCreate("reference-1", fields{"receipt": first})
		m.mustCreate("reference-2", nil)
		want := first
		shows := func() {
			t.Helper()
			if diff := cmp.Diff(decoded(t, want), m.getOrder("reference-1").at("receipt")); diff != "" {
				t.Errorf("separate %v (-want +got)\n%s", separate, diff)
			}
			raw, _ := m.server.Receipt("reference-1")
			if diff := cmp.Diff(decoded(t, want), decoded(t, raw)); diff != "" {
				t.Errorf("separate %v (-want +got)\n%s", separate, diff)
			}
		}
		shows()
		status := 409
		if separate {
			status, want = 201, second
		}
		if a := m.postReceipt("reference-1", second); a.status != status {
			t.Errorf("separate %v: %d %s", separate, a.status, a.raw)
		}
		shows()
		if a := m.postReceipt("reference-1", second); a.status != 409 {
			t.Errorf("separate %v: %d %s", separate, a.status, a.raw)
		}
		for _, status := range []int{201, 409} {
			if a := m.postReceipt("reference-2", second); a.status != status {
				t.Errorf("of a payment without receipt: %d %s", a.status, a.raw)
			}
		}
	}
}

func TestReceiptsAreChecked(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	for name, test := range map[string]struct {
		path   string // the one of receipts if empty
		body   any
		status int
		want   string
	}{
		"no lines":       {body: fields{"orderLines": []any{}, "bottomLine": fields{"currency": "NOK"}}, want: "OrderLines"},
		"no currency":    {body: fields{"orderLines": receipt(nil)["orderLines"], "bottomLine": fields{}}, want: "BottomLine.Currency"},
		"negative":       {body: receipt(fields{"totalAmount": -1}), want: "OrderLines[0].TotalAmount"},
		"quantity":       {body: receipt(fields{"unitInfo": fields{"unitPrice": 1, "quantity": "1,5"}}), want: "OrderLines[0].UnitInfo.Quantity"},
		"unknown":        {body: receipt(fields{"price": 1}), want: "OrderLines[0].Price"},
		"bad sum":        {body: receipt(fields{"totalTaxAmount": 1}), status: 201},
		"payment type":   {path: "/order-management/v2/epayment/receipts/a", body: receipt(nil), want: "PaymentType"},
		"order":          {path: orderPath + "/receipts/a%20b", body: receipt(nil), want: "OrderId"},
		"form":           {body: "a=b", want: "Body"},
		"get, type":      {path: "/order-management/v2/epayment/a", status: 404},
		"category type":  {path: "/order-management/v2/x/categories/a", body: fields{"category": "GENERAL", "orderDetailsUrl": "https://shop.example"}, want: "PaymentType"},
		"old receipts":   {path: "/order-management/v1/receipts/1", body: receipt(nil), status: 404},
		"no such method": {path: "/order-management/v2/ecom/receipts/a", status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request{method: "POST", path: test.path, body: test.body}
			switch {
			case r.path == "":
				r.path = orderPath + "/receipts/" + strings.ReplaceAll(name, " ", "-")
			case test.body == nil:
				r.method = "GET"
			case strings.Contains(r.path, "categories"):
				r.method = "PUT"
			}
			if test.status == 0 {
				test.status = 400
			}
			if a := m.send(r); a.status != test.status || a.params() != test.want {
				t.Errorf("%d %q %s", a.status, a.params(), a.raw)
			}
		})
	}
	for name, value := range map[string]string{"Merchant-Serial-Number": "", "Authorization": "Bearer x"} {
		a := m.send(request{method: "GET", path: orderPath + "/a", header: map[string]string{name: value}})
		if want := map[string]int{"Merchant-Serial-Number": 400, "Authorization": 401}[name]; a.status != want || (want == 401) != (len(a.raw) == 0) {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
}

func TestCategoryOfAnOrder(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	put := func(body any) result {
		return m.send(request{method: "PUT", path: orderPath + "/categories/order-1", body: body})
	}
	first := put(fields{"category": "GENERAL", "orderDetailsUrl": "https://shop.example/1", "imageId": nil})
	if first.status != 200 || !jsonUUID.Match(first.raw) {
		t.Errorf("%d %s", first.status, first.raw)
	}
	last := fields{"category": "TICKET", "orderDetailsUrl": "https://shop.example/2", "imageId": "socks-orange_1.2"}
	if a := put(last); a.status != 200 || string(a.raw) != string(first.raw) {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if diff := cmp.Diff(map[string]any{"category": last}, m.getOrder("order-1").body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	m.postReceipt("order-1", receipt(nil))
	if a := m.getOrder("order-1"); a.at("receipt") == nil || a.at("category") == nil {
		t.Errorf("%s", a.raw)
	}
	for want, body := range map[string]fields{
		"Category OrderDetailsUrl": {},
		"Category":                 {"category": "SHOP", "orderDetailsUrl": "https://shop.example"},
		"OrderDetailsUrl":          {"category": "GENERAL", "orderDetailsUrl": "/1"},
		"ImageId":                  {"category": "GENERAL", "orderDetailsUrl": "https://shop.example", "imageId": "a b"},
	} {
		if a := put(body); a.status != 400 || a.params() != want {
			t.Errorf("%s: %d %s", want, a.status, a.raw)
		}
	}
}

func TestCategories(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Merchants: []string{"654321"}})
	const path = "/order-management/v3/categories"
	add := func(changes fields) result {
		body := fields{"orderId": "order-1", "paymentType": "ECOM", "type": "RECEIPT", "url": "https://shop.example/r"}
		maps.Copy(body, changes)
		return m.send(request{method: "POST", path: path, body: body})
	}
	a, b := add(nil), add(fields{"type": "DELIVERY", "imageId": "socks"})
	one, two := a.text("categoryId"), b.text("categoryId")
	if a.status != 201 || len(a.body) != 1 || len(one) != 36 || one == two {
		t.Fatalf("%d %s, %d %s", a.status, a.raw, b.status, b.raw)
	}
	add(fields{"orderId": "order-2"})
	first := fields{"categoryId": one, "orderId": "order-1", "paymentType": "ECOM", "type": "RECEIPT", "url": "https://shop.example/r"}
	second := fields{"categoryId": two, "orderId": "order-1", "paymentType": "ECOM", "type": "DELIVERY", "url": "https://shop.example/r", "imageId": "socks"}
	list := func(query string) result { return m.send(request{method: "GET", path: path + query}) }
	if diff := cmp.Diff(map[string]any{"categories": []any{first, second}}, list("?orderId=order-1").body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if a := list("?orderId=order-3"); string(a.raw) != `{"categories":[]}` {
		t.Errorf("%s", a.raw)
	}
	if a := list(""); a.status != 400 || a.params() != "OrderId" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if got := m.server.Categories("123456/order-1"); len(got) != 2 || got[1].ImageID != "socks" {
		t.Errorf("%+v", got)
	}
	get := func(method, id string, header map[string]string) result {
		return m.send(request{method: method, path: path + "/" + id, header: header})
	}
	if diff := cmp.Diff(second, get("GET", strings.ToUpper(two), nil).body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	other := map[string]string{"Merchant-Serial-Number": "654321"}
	if a := m.send(request{method: "GET", path: path + "?orderId=order-1", header: other}); string(a.raw) != `{"categories":[]}` {
		t.Errorf("another serial number sees %s", a.raw)
	}
	for name, test := range map[string]struct {
		got    result
		status int
	}{
		"no UUID":              {get("GET", "x", nil), 400},
		"another's":            {get("GET", two, other), 404},
		"deleted by another":   {get("DELETE", two, other), 404},
		"deleted, of no UUID":  {get("DELETE", "x", nil), 404},
		"recurring in lower":   {add(fields{"paymentType": "ecom"}), 400},
		"bad order":            {add(fields{"orderId": "a b"}), 400},
		"null image":           {add(fields{"imageId": nil}), 400},
		"long image":           {add(fields{"imageId": repeat(129)}), 400},
		"url without a scheme": {add(fields{"url": "shop.example"}), 400},
	} {
		if test.got.status != test.status || test.got.text("title") == "" {
			t.Errorf("%s: %d %s", name, test.got.status, test.got.raw)
		}
	}
	for _, status := range []int{200, 404} {
		if a := get("DELETE", one, nil); a.status != status || (len(a.raw) == 0) != (status == 200) {
			t.Errorf("%d %s", a.status, a.raw)
		}
	}
	if got := m.server.Categories("order-1"); len(got) != 1 || got[0].ID != two {
		t.Errorf("%+v", got)
	}
}

func TestNoOrderManagement(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{NoOrderManagement: true})
	m.mustCreate("reference-1", fields{"receipt": receipt(nil)})
	if a := m.postReceipt("reference-2", receipt(nil)); a.status != 404 || a.text("message") != "Resource not found" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if _, ok := m.server.Receipt("reference-1"); !ok {
		t.Error("the receipt of create is not in the books")
	}
}
