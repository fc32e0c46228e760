package vippstest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// post is what a program under test does, without the SDK.
func post(srv *vippstest.Server, path, key, body string) *http.Response {
	return send(srv, http.MethodPost, path, key, body)
}

func send(srv *vippstest.Server, method, path, key, body string) *http.Response {
	c := srv.Credentials()
	call := func(method, path, token string) *http.Response {
		r, _ := http.NewRequest(method, srv.URL()+path, bytes.NewBufferString(body))
		r.Header = http.Header{
			"Client_id": {c.ClientID}, "Client_secret": {c.ClientSecret}, "Ocp-Apim-Subscription-Key": {c.SubscriptionKey},
			"Merchant-Serial-Number": {c.MerchantSerialNumber}, "Authorization": {"Bearer " + token},
			"Idempotency-Key": {key}, "Content-Type": {"application/json"},
		}
		response, err := srv.Transport().RoundTrip(r)
		if err != nil {
			fmt.Println("no answer:", err)
			return &http.Response{}
		}
		return response
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	_ = json.NewDecoder(call(http.MethodPost, "/accesstoken/get", "").Body).Decode(&token)
	return call(method, path, token.AccessToken)
}

// A capture whose answer is lost has happened all the same.
func Example() {
	srv := vippstest.New(vippstest.Options{})
	defer srv.Close()

	post(srv, "/epayment/v1/payments", "order-0017-create", `{
		"reference": "order-0017", "amount": {"currency": "NOK", "value": 2500}, "paymentMethod": {"type": "WALLET"},
		"userFlow": "WEB_REDIRECT", "returnUrl": "https://shop.example/order-0017"}`)
	if err := srv.Approve("order-0017"); err != nil {
		fmt.Println(err)
	}

	srv.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.HangUpAfter})
	const capture = `{"modificationAmount": {"currency": "NOK", "value": 2500}}`
	post(srv, "/epayment/v1/payments/order-0017/capture", "order-0017-capture", capture)
	again := post(srv, "/epayment/v1/payments/order-0017/capture", "order-0017-capture", capture)

	payment, _ := srv.Payment("order-0017")
	fmt.Println(again.StatusCode, "captured", payment.Captured, "at rest", payment.AtRest())
	// Output:
	// no answer: EOF
	// 200 captured 2500 at rest true
}

// Nobody waits ten minutes for a payment to expire.
func ExampleServer_Advance() {
	srv := vippstest.New(vippstest.Options{})
	defer srv.Close()

	post(srv, "/epayment/v1/payments", "order-0018-create", `{
		"reference": "order-0018", "amount": {"currency": "NOK", "value": 2500}, "paymentMethod": {"type": "WALLET"},
		"userFlow": "QR"}`)
	srv.Advance(10 * time.Minute)
	payment, _ := srv.Payment("order-0018")
	fmt.Println(payment.State)
	fmt.Println(srv.Approve("order-0018"))
	// Output:
	// EXPIRED
	// vippstest: payment order-0018 is EXPIRED
}

// A customer scans the sticker of a machine; the webhook answers while the customer waits.
func ExampleServer_Scan() {
	srv := vippstest.New(vippstest.Options{})
	defer srv.Close()
	const hook = "https://shop.example/vipps"

	send(srv, http.MethodPut, "/qr/v1/merchant-callback/oslo-12", "", `{"locationDescription": "Hall B", "category": "VENDING"}`)
	sticker := srv.CallbackCodes()[0]
	_, err := srv.Scan(sticker.Content)
	fmt.Println(err)

	post(srv, "/webhooks/v1/webhooks", "", `{"url": "`+hook+`", "events": ["user.checked-in.v1"]}`)
	srv.HandleWebhooks(hook, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	scanned, err := srv.Scan(sticker.Content)
	fmt.Println(scanned.MerchantQRID, "in", scanned.Location, err)
	// Output:
	// vippstest: can't connect to store: no webhook was told
	// oslo-12 in Hall B <nil>
}
