package epayment_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/apitest"
)

func minimal() epayment.CreateRequest {
	return epayment.CreateRequest{
		IdempotencyKey: reference + "-c",
		Reference:      reference,
		Amount:         vipps.Amount{Value: 4900, Currency: vipps.NOK},
		PaymentMethod:  epayment.PaymentMethod{Type: epayment.Wallet},
		UserFlow:       epayment.WebRedirect,
		ReturnURL:      "https://shop.example/orders?a=1&b=CANARY-return",
	}
}

// full has every field set that can be set together, and each secret holds the word CANARY.
func full() epayment.CreateRequest {
	line := epayment.NewOrderLine("1234567890", "Sjokolade <melk>", 2500, 1500)
	line.UnitInfo = epayment.UnitInfo{UnitPrice: 2700, Quantity: "1", QuantityUnit: epayment.Pieces}
	line.Discount, line.ProductURL, line.IsShipping, line.IsReturn = 200, "https://shop.example/p/1?a=b&c=d", true, true
	line.TaxPercentage = new(15)
	return epayment.CreateRequest{
		IdempotencyKey: reference + "-c",
		Reference:      reference,
		Amount:         vipps.Amount{Value: 2500, Currency: vipps.DKK},
		PaymentMethod:  epayment.PaymentMethod{Type: epayment.Wallet, BlockedSources: []epayment.BlockedSource{epayment.CommercialCards}},
		UserFlow:       epayment.QR,
		Customer:       epayment.Customer{CustomerToken: "CANARY-token+/%="},

		CustomerInteraction: epayment.CustomerPresent,
		ReturnURL:           "https://shop.example/orders?a=1&b=CANARY-return",
		PaymentDescription:  "Temporary reservation of the maximum",
		QRFormat:            epayment.QRFormat{Format: epayment.QRPNG, Size: 400},
		ExpiresAt:           time.Date(2026, 9, 1, 7, 53, 44, 0, time.UTC),
		Receipt: epayment.Receipt{
			OrderLines: []epayment.OrderLine{line},
			BottomLine: epayment.BottomLine{
				Currency: vipps.DKK, TipAmount: 1, POSID: "vending_machine_12345", ReceiptNumber: "17",
				PaymentSources: epayment.PaymentSources{GiftCard: 1, Card: 2, Voucher: 3, Cash: 4},
				Barcode:        epayment.Barcode{Format: epayment.Code128, Data: "0527"},
			},
		},
		ReceiptURL:         "https://shop.example/receipts/CANARY-receipt",
		Metadata:           map[string]string{"vending-machine": "oslo12", "a": "b"},
		MinimumUserAge:     new(0),
		Profile:            epayment.ProfileRequest{Scope: "name address"},
		MerchantLegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"},
		Shipping: epayment.Shipping{
			DynamicOptions:   epayment.DynamicOptions{CallbackURL: "https://shop.example/ship", CallbackAuthorizationToken: "CANARY-callback"},
			AllowedCountries: []string{"DK", "NO"},
		},
		IndustryData: epayment.IndustryData{AirlineData: epayment.AirlineData{
			AgencyInvoiceNumber: "1", AirlineCode: "074", AirlineDesignatorCode: "KL", PassengerName: "CANARY-passenger", TicketNumber: "123-1",
		}},
	}
}

// TestFull keeps full, and with it the golden file and the search for secrets, complete when a field is added.
func TestFull(t *testing.T) {
	t.Parallel()
	alternatives := map[string]bool{".Customer.PhoneNumber": true, ".Customer.PersonalQR": true, ".Shipping.FixedOptions": true}
	var walk func(name string, v reflect.Value)
	walk = func(name string, v reflect.Value) {
		if v.IsZero() && !alternatives[name] {
			t.Errorf("full does not set %s", name)
		}
		switch {
		case v.Type() == reflect.TypeFor[time.Time]():
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				walk(name+"."+v.Type().Field(i).Name, v.Field(i))
			}
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				walk(name+"[]", v.Index(i))
			}
		case v.Type() == reflect.TypeFor[vipps.Secret]():
			if !v.IsZero() && !strings.Contains(v.String(), "CANARY") {
				t.Errorf("%s is no canary", name)
			}
		}
	}
	walk("", reflect.ValueOf(full()))
}

func TestEncode(t *testing.T) {
	t.Parallel()
	shipped := minimal()
	shipped.Shipping.FixedOptions = []epayment.ShippingGroup{{
		Type: epayment.HomeDelivery, Brand: epayment.Posten, IsDefault: true, Priority: 2,
		Options: []epayment.ShippingOption{{
			ID: "posten-1", Amount: vipps.Amount{Currency: vipps.NOK}, Name: "A-post", IsDefault: true, Priority: 1, Meta: "m", EstimatedDelivery: "1-2 days",
		}},
	}}
	pushed := minimal()
	pushed.UserFlow, pushed.ReturnURL, pushed.Customer = epayment.PushMessage, "", epayment.Customer{PhoneNumber: "4791234567"}
	scanned := pushed
	scanned.Customer = epayment.Customer{PersonalQR: "https://qr.vipps.no/p/CANARY"}
	for name, request := range map[string]epayment.CreateRequest{
		"full": full(), "fixed shipping": shipped, "push": pushed, "personal QR": scanned,
	} {
		body, err := request.Encode()
		if err != nil {
			t.Fatal(name, err)
		}
		again, _ := request.Encode()
		if string(body) != string(again) {
			t.Errorf("%s: %s, then %s", name, body, again)
		}
		if strings.Contains(string(body), "redacted") || !json.Valid(body) || strings.Contains(string(body), `\u0026`) {
			t.Errorf("%s: %s", name, body)
		}
		if strings.Contains(string(body), request.IdempotencyKey) {
			t.Errorf("%s: the key is in the body: %s", name, body)
		}
		if name == "full" {
			continue // its bytes are in CreateFull.request
		}
		apitest.Golden(t, *update, "encode-"+strings.ReplaceAll(name, " ", "-")+".json", string(body)+"\n")
	}
}

// TestCreateEncoded repeats a stored body byte for byte, with fields this version does not know.
func TestCreateEncoded(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.RegisterResponder("POST", payments, apitest.Answer(201, apitest.Testdata(t, "created.json")))
	body := `{ "reference":"` + reference + `","new":[1,2], "customer":{"customerToken":"a\u002bb"}}`
	created, err := a.client(t).CreateEncoded(t.Context(), reference, "key-c", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&epayment.Created{Reference: reference, RedirectURL: "https://landing.vipps.no?token=abc123"}, created); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := a.Requests()[0]; !strings.HasSuffix(got, "\n\n"+body+"\n") || key(got) != "key-c" {
		t.Errorf("sent %s", got)
	}
}

func TestCreateEncodedInvalid(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, reference, key, body, want string }{
		{"another reference", reference, "k", `{"reference":"another-reference"}`, "body"},
		{"no reference", reference, "k", `{}`, "body"},
		{"no JSON", reference, "k", `CANARY`, "body"},
		{"list", reference, "k", `[]`, "body"},
		{"empty", reference, "k", ``, "body"},
		{"no key", reference, "", `{"reference":"` + reference + `"}`, "IdempotencyKey"},
		{"bad reference", "a/b", "k", `{"reference":"a/b"}`, "Reference"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			_, err := a.client(t).CreateEncoded(t.Context(), test.reference, test.key, []byte(test.body))
			if !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%v", err)
			}
			if a.GetTotalCallCount() != 0 {
				t.Error("something was sent")
			}
		})
	}
}
