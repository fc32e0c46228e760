package vippstest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// operations of the QR and Order Management APIs, each of which succeeds against what is made here first.
func operations(t *testing.T, m *merchant) map[string]struct {
	reference string
	request   request
} {
	t.Helper()
	landing := m.mustCreate("reference-1", nil).text("redirectUrl")
	m.mustRedirect("poster", nil)
	m.mustCallback("sticker")
	category := fields{"orderId": "order-1", "paymentType": "ECOM", "type": "RECEIPT", "url": "https://shop.example"}
	id := m.send(request{method: "POST", path: "/order-management/v3/categories", body: category}).text("categoryId")
	m.postReceipt("order-1", receipt(nil))
	location := fields{"locationDescription": "Hall B"}
	type operation = struct {
		reference string
		request   request
	}
	return map[string]operation{
		"qr-one-time":          {"", request{method: "POST", path: "/qr/v1", header: asText, body: fields{"url": landing}}},
		"qr-redirect-create":   {"new", request{method: "POST", path: redirectPath, header: asText, body: fields{"id": "new", "redirectUrl": "https://shop.example"}}},
		"qr-redirect-list":     {"", request{method: "GET", path: redirectPath, header: asText}},
		"qr-redirect-get":      {"poster", request{method: "GET", path: redirectPath + "/poster", header: asText}},
		"qr-redirect-update":   {"poster", request{method: "PUT", path: redirectPath + "/poster", header: asText, body: fields{"redirectUrl": "https://shop.example"}}},
		"qr-redirect-delete":   {"poster", request{method: "DELETE", path: redirectPath + "/poster"}},
		"qr-callback-put":      {"sticker", request{method: "PUT", path: callbackPath + "/sticker", body: location}},
		"qr-callback-list":     {"", request{method: "GET", path: callbackPath}},
		"qr-callback-get":      {"sticker", request{method: "GET", path: callbackPath + "/sticker"}},
		"qr-callback-delete":   {"sticker", request{method: "DELETE", path: callbackPath + "/sticker"}},
		"qr-beacon":            {"1234567", request{method: "PUT", path: callbackPath + "/mobilepay/1234567", body: location}},
		"qr-exchange":          {"", request{method: "POST", path: "/qr/v1/exchange", body: fields{"qrCode": oldPersonalQR}}},
		"qr-exchange-customer": {"", request{method: "POST", path: "/qr/v1/exchange/customer", body: fields{"customer": fields{"customerToken": m.server.CheckIn("", "a")}}}},
		"receipt":              {"order-2", request{method: "POST", path: orderPath + "/receipts/order-2", body: receipt(nil)}},
		"category":             {"order-2", request{method: "PUT", path: orderPath + "/categories/order-2", body: fields{"category": "TICKET", "orderDetailsUrl": "https://shop.example"}}},
		"order":                {"order-1", request{method: "GET", path: orderPath + "/order-1"}},
		"image":                {"socks", request{method: "POST", path: "/order-management/v1/images", body: fields{"imageId": "socks", "src": drawn(t, "png", 167, 0), "type": "base64"}}},
		"category-add":         {"order-1", request{method: "POST", path: "/order-management/v3/categories", body: category}},
		"category-list":        {"", request{method: "GET", path: "/order-management/v3/categories?orderId=order-1"}},
		"category-get":         {"", request{method: "GET", path: "/order-management/v3/categories/" + id}},
		"category-delete":      {"", request{method: "DELETE", path: "/order-management/v3/categories/" + id}},
	}
}

func TestFaultsStrikeCodesAndOrders(t *testing.T) {
	t.Parallel()
	for op := range operations(t, newMerchant(t, vippstest.Options{})) {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, vippstest.Options{})
			o := operations(t, m)[op]
			before := m.server.Count(op, o.reference)
			m.server.Inject(
				vippstest.Fault{Op: op, Reference: o.reference, Kind: vippstest.ErrorBefore},
				vippstest.Fault{Op: op, Reference: o.reference, Kind: vippstest.Refuse, Status: 500, RetryAfter: time.Second},
				vippstest.Fault{Op: op, Reference: o.reference, Kind: vippstest.Refuse, Status: 400, Title: "Bad day"},
				vippstest.Fault{Op: op, Reference: o.reference, Kind: vippstest.RefuseSticky, Status: 429},
				vippstest.Fault{Op: op, Reference: o.reference, Kind: vippstest.HangUpBefore},
			)
			for i, status := range []int{500, 500, 400, 429, 0} {
				a := m.send(o.request)
				if a.status != status || status == 500 && len(a.raw) > 0 || status == 400 && a.text("title") != "Bad day" ||
					errors.Is(a.err, io.EOF) != (status == 0) {
					t.Errorf("%d: %d %s %v", i, a.status, a.raw, a.err)
				}
			}
			// It was never executed, and so it succeeds now.
			if a := m.send(o.request); a.status != 200 && a.status != 201 {
				t.Errorf("%d %s", a.status, a.raw)
			}
			if n := m.server.Count(op, o.reference) - before; n != 6 {
				t.Errorf("%s: counted %d", o.reference, n)
			}
		})
	}
}

func TestAnAnswerThatIsLostWasNoRefusal(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	all := operations(t, m)
	for op, again := range map[string]int{
		"qr-redirect-create": 409, "qr-redirect-delete": 404, "qr-callback-put": 200, "receipt": 409, "image": 409, "category": 200,
		"category-delete": 404,
	} {
		m.server.Inject(vippstest.Fault{Op: op, Kind: vippstest.HangUpAfter})
		if a := m.send(all[op].request); a.err == nil {
			t.Errorf("%s: %d %s", op, a.status, a.raw)
		}
		if a := m.send(all[op].request); a.status != again {
			t.Errorf("%s again: %d %s", op, a.status, a.raw)
		}
	}
	for op, want := range map[string]string{"qr-redirect-create": `{"id":"new"}`, "qr-beacon": `{"id":"1234567"}`} {
		m.server.Inject(vippstest.Fault{Op: op, Kind: vippstest.Refuse, Status: 409})
		if a := m.send(all[op].request); a.status != 409 || string(a.raw) != want {
			t.Errorf("%s: %d %s", op, a.status, a.raw)
		}
	}
}

func TestFaultsStrikeImages(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	content := m.mustRedirect("poster", nil)
	image := m.send(request{method: "GET", path: redirectPath + "/poster", header: map[string]string{"Accept": "image/png"}}).text("url")
	m.server.Inject(
		vippstest.Fault{Op: "qr-image", Kind: vippstest.Refuse, Status: 502}, vippstest.Fault{Op: "qr-page", Kind: vippstest.Refuse, Status: 503},
	)
	for address, statuses := range map[string][]int{image: {502, 200}, content: {503, 303}} {
		for _, status := range statuses {
			if a := m.open(address); a.status != status {
				t.Errorf("%s: %d, want %d", address, a.status, status)
			}
		}
	}
}

// Tokens and numbers of customers are in bodies, which the books have as they were sent, and nowhere else.
func TestCodesKeepSecrets(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var log strings.Builder
	m := newMerchant(t, vippstest.Options{Logf: func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&log, format+"\n", args...)
	}})
	token, personal := m.server.CheckIn("", "a"), m.server.PersonalQR("4798765432")
	m.exchange("", fields{"qrCode": personal})
	m.exchange("", fields{"qrCode": oldPersonalQR})
	m.exchange("/customer", fields{"customer": fields{"customerToken": token}})
	for _, r := range m.server.Requests() {
		r.Body = nil
		fmt.Fprintf(&log, "%+v\n", r)
	}
	for _, secret := range []string{token, personal, "4798765432", m.token, m.server.Credentials().SubscriptionKey} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s is in %s", secret, log.String())
		}
	}
}
