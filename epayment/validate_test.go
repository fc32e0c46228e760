package epayment_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

func TestCreateInvalid(t *testing.T) {
	t.Parallel()
	type request = epayment.CreateRequest
	receipt := func(change func(*epayment.Receipt)) func(*request) {
		return func(r *request) {
			r.Receipt = epayment.Receipt{
				OrderLines: []epayment.OrderLine{epayment.NewOrderLine("1", "Cola", 2500, 2500)},
				BottomLine: epayment.BottomLine{Currency: vipps.NOK},
			}
			change(&r.Receipt)
		}
	}
	for _, test := range []struct {
		want   string // the field; empty is valid
		change func(*request)
	}{
		{"", func(*request) {}},
		{"IdempotencyKey", func(r *request) { r.IdempotencyKey = "" }},
		{"IdempotencyKey", func(r *request) { r.IdempotencyKey = strings.Repeat("k", 51) }},
		{"IdempotencyKey", func(r *request) { r.IdempotencyKey = "a b" }},
		{"", func(r *request) { r.IdempotencyKey = strings.Repeat("k", 50) }},
		{"Reference", func(r *request) { r.Reference = "" }},
		{"Reference", func(r *request) { r.Reference = "short-1" }},
		{"Reference", func(r *request) { r.Reference = strings.Repeat("r", 65) }},
		{"Reference", func(r *request) { r.Reference = "with/slash" }},
		{"Reference", func(r *request) { r.Reference = "with_underscore" }},
		{"Reference", func(r *request) { r.Reference = "påløpende" }},
		{"", func(r *request) { r.Reference = strings.Repeat("r", 64) }},
		{"", func(r *request) { r.Reference = "azAZ09-x" }},
		{"Amount.Value", func(r *request) { r.Amount.Value = 0 }},
		{"Amount.Value", func(r *request) { r.Amount.Value = -1 }},
		{"Amount.Value", func(r *request) { r.Amount.Value = 65_000_001 }},
		{"", func(r *request) { r.Amount.Value = 65_000_000 }},
		{"Amount.Currency", func(r *request) { r.Amount.Currency = "" }},
		{"PaymentMethod.Type", func(r *request) { r.PaymentMethod = epayment.PaymentMethod{} }},
		{"PaymentMethod.BlockedSources", func(r *request) {
			r.PaymentMethod = epayment.PaymentMethod{Type: epayment.Card, BlockedSources: []epayment.BlockedSource{epayment.CommercialCards}}
		}},
		{"UserFlow", func(r *request) { r.UserFlow = "" }},
		{"", func(r *request) { r.UserFlow = "NEW_FLOW" }},
		{"UserFlow", func(r *request) { r.UserFlow, r.PaymentMethod.Type = epayment.QR, epayment.Card }},
		{"", func(r *request) { r.PaymentMethod.Type = epayment.Card }},
		{"ReturnURL", func(r *request) { r.ReturnURL = "" }},
		{"ReturnURL", func(r *request) { r.ReturnURL = "shop.example/CANARY" }},
		{"ReturnURL", func(r *request) { r.ReturnURL = "https://CANARY\x7f" }},
		{"ReturnURL", func(r *request) { r.ReturnURL = vipps.Secret("https://" + strings.Repeat("a", 2500)) }},
		{"", func(r *request) { r.ReturnURL = "myapp://paid" }},
		{"", func(r *request) { r.UserFlow, r.ReturnURL = epayment.QR, "" }},
		{"ReceiptURL", func(r *request) { r.ReceiptURL = "CANARY" }},
		{"Customer", func(r *request) { r.UserFlow = epayment.PushMessage }},
		{"Customer", func(r *request) { r.Customer = epayment.Customer{PhoneNumber: "4791234567", CustomerToken: "CANARY"} }},
		{"Customer.PhoneNumber", func(r *request) { r.Customer.PhoneNumber = "+4791234567" }},
		{"Customer.PhoneNumber", func(r *request) { r.Customer.PhoneNumber = "47912345" }},
		{"Customer.PhoneNumber", func(r *request) { r.Customer.PhoneNumber = "4791234567890123" }},
		{"", func(r *request) { r.Customer.PhoneNumber = "299123456" }},
		{"Customer.PersonalQR", func(r *request) { r.Customer.PersonalQR = "CNRY" }},
		{"", func(r *request) { r.Customer.CustomerToken = "%+/=" }},
		{"QRFormat", func(r *request) { r.QRFormat.Format = epayment.QRSVG }},
		{"QRFormat.Format", func(r *request) { r.UserFlow, r.QRFormat.Size = epayment.QR, 300 }},
		{"QRFormat.Size", func(r *request) {
			r.UserFlow, r.QRFormat = epayment.QR, epayment.QRFormat{Format: epayment.QRSVG, Size: 300}
		}},
		{"QRFormat.Size", func(r *request) {
			r.UserFlow, r.QRFormat = epayment.QR, epayment.QRFormat{Format: epayment.QRPNG, Size: 99}
		}},
		{"", func(r *request) { r.UserFlow, r.QRFormat = epayment.QR, epayment.QRFormat{Format: epayment.QRPNG} }},
		{"PaymentDescription", func(r *request) { r.PaymentDescription = "ab" }},
		{"PaymentDescription", func(r *request) { r.PaymentDescription = strings.Repeat("ø", 101) }},
		{"", func(r *request) { r.PaymentDescription = strings.Repeat("ø", 100) }},
		{"Metadata", func(r *request) { r.Metadata = map[string]string{"1": "", "2": "", "3": "", "4": "", "5": "", "6": ""} }},
		{"Metadata key", func(r *request) { r.Metadata = map[string]string{strings.Repeat("k", 101): ""} }},
		{"Metadata value", func(r *request) { r.Metadata = map[string]string{"k": strings.Repeat("v", 501)} }},
		{"", func(r *request) { r.Metadata = map[string]string{strings.Repeat("k", 100): strings.Repeat("v", 500)} }},
		{"MinimumUserAge", func(r *request) { r.MinimumUserAge = new(101) }},
		{"MinimumUserAge", func(r *request) { r.MinimumUserAge = new(-1) }},
		{"", func(r *request) { r.MinimumUserAge = new(0) }},
		{"Receipt", func(r *request) { r.ExpiresAt = time.Now().Add(time.Hour) }},
		{"", receipt(func(*epayment.Receipt) {})},
		{"Receipt.OrderLines", receipt(func(r *epayment.Receipt) { r.OrderLines = nil })},
		{"Receipt.OrderLines[0].Name", receipt(func(r *epayment.Receipt) { r.OrderLines[0].Name = "" })},
		{"Receipt.OrderLines[0].TaxRate", receipt(func(r *epayment.Receipt) { r.OrderLines[0].TaxRate = nil })},
		{"Receipt.OrderLines[0].TaxRate", receipt(func(r *epayment.Receipt) { r.OrderLines[0].TaxRate = new(10_001) })},
		{"Receipt.OrderLines[0].TaxPercentage", receipt(func(r *epayment.Receipt) { r.OrderLines[0].TaxPercentage = new(101) })},
		{"Receipt.OrderLines[0].Discount", receipt(func(r *epayment.Receipt) { r.OrderLines[0].Discount = -1 })},
		{"Receipt.OrderLines[0].UnitInfo.Quantity", receipt(func(r *epayment.Receipt) { r.OrderLines[0].UnitInfo.Quantity = "1,5" })},
		{"Receipt.OrderLines[0].UnitInfo.UnitPrice", receipt(func(r *epayment.Receipt) {
			r.OrderLines[0].UnitInfo = epayment.UnitInfo{Quantity: "1.5", UnitPrice: -1}
		})},
		{"Receipt.BottomLine.Currency", receipt(func(r *epayment.Receipt) { r.BottomLine.Currency = "" })},
		{"Receipt.BottomLine.TipAmount", receipt(func(r *epayment.Receipt) { r.BottomLine.TipAmount = -1 })},
		{"Receipt.BottomLine.Barcode", receipt(func(r *epayment.Receipt) { r.BottomLine.Barcode.Data = "1" })},
		{"Shipping", func(r *request) { r.Shipping.AllowedCountries = []string{"NO"} }},
		{"Shipping", func(r *request) {
			r.Shipping = full().Shipping
			r.Shipping.FixedOptions = []epayment.ShippingGroup{{Type: "OTHER", Brand: "OTHER", Options: []epayment.ShippingOption{
				{ID: "1", Name: "n", Amount: nok(0)},
			}}}
		}},
		{"Shipping.FixedOptions[0]", func(r *request) { r.Shipping.FixedOptions = []epayment.ShippingGroup{{}} }},
		{"Shipping.FixedOptions[0].Options[0]", func(r *request) {
			r.Shipping.FixedOptions = []epayment.ShippingGroup{{Type: "OTHER", Brand: "OTHER", Options: []epayment.ShippingOption{{}}}}
		}},
		{"Shipping.DynamicOptions.CallbackURL", func(r *request) { r.Shipping.DynamicOptions.CallbackAuthorizationToken = "CANARY" }},
		{"Shipping.AllowedCountries[1]", func(r *request) {
			r.Shipping = full().Shipping
			r.Shipping.AllowedCountries = []string{"NO", "no"}
		}},
		{"PaymentMethod.Type", func(r *request) { r.Shipping, r.PaymentMethod.Type = full().Shipping, epayment.Card }},
		{"IndustryData.AirlineData.AgencyInvoiceNumber", func(r *request) {
			r.IndustryData.AirlineData = epayment.AirlineData{AirlineCode: "074", AirlineDesignatorCode: "KL", PassengerName: "CANARY"}
		}},
	} {
		t.Run(test.want, func(t *testing.T) {
			t.Parallel()
			r := minimal()
			test.change(&r)
			_, err := r.Encode()
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, vipps.ErrInvalidRequest) || errors.Is(err, vipps.ErrOutcomeUnknown) {
				t.Fatalf("%v", err)
			}
			text := err.Error()
			if !strings.Contains(text, test.want+":") || strings.Count(text, "\n") != 0 || strings.Contains(text, "CANARY") {
				t.Errorf("want only %s: %s", test.want, text)
			}
			a := newAPI(t)
			if _, err := a.client(t).Create(t.Context(), r); !errors.Is(err, vipps.ErrInvalidRequest) || a.GetTotalCallCount() != 0 {
				t.Errorf("%v after %d calls", err, a.GetTotalCallCount())
			}
		})
	}
}

func TestInvalidNamesAll(t *testing.T) {
	t.Parallel()
	_, err := epayment.CreateRequest{}.Encode()
	for _, field := range []string{"IdempotencyKey", "Reference", "Amount.Value", "Amount.Currency", "PaymentMethod.Type", "UserFlow"} {
		if !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s is not in: %v", field, err)
		}
	}
}

func TestCallsInvalid(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	c := a.client(t)
	ctx := t.Context()
	_, get := c.Get(ctx, "../other")
	_, events := c.Events(ctx, "")
	_, wait := c.WaitFinal(ctx, "short")
	_, capture := c.Capture(ctx, reference, epayment.CaptureRequest{Amount: nok(1)})
	_, captured := c.Capture(ctx, reference, epayment.CaptureRequest{IdempotencyKey: "k"})
	_, refund := c.Refund(ctx, reference, epayment.RefundRequest{Amount: nok(1)})
	_, refunded := c.Refund(ctx, reference, epayment.RefundRequest{IdempotencyKey: "k", Amount: vipps.Amount{Value: 1}})
	_, cancel := c.Cancel(ctx, reference, epayment.CancelRequest{IdempotencyKey: strings.Repeat("k", 51)})
	_, cancelled := c.CancelIfNotAuthorized(ctx, "a?b=cdefg", epayment.CancelRequest{})
	for i, test := range []struct {
		err  error
		want string
	}{
		{get, "Reference"},
		{events, "Reference"},
		{wait, "Reference"},
		{capture, "IdempotencyKey"},
		{captured, "Amount.Value"},
		{refund, "IdempotencyKey"},
		{refunded, "Amount.Currency"},
		{cancel, "IdempotencyKey"},
		{cancelled, "Reference"},
		{c.ForceApprove(ctx, reference, epayment.ForceApproveRequest{}), "Customer"},
		{c.ForceApprove(ctx, "x", epayment.ForceApproveRequest{Token: "t"}), "Reference"},
		{c.ForceApprove(ctx, reference, epayment.ForceApproveRequest{Customer: epayment.Customer{PhoneNumber: "CANARY"}}), "Customer.PhoneNumber"},
	} {
		if !errors.Is(test.err, vipps.ErrInvalidRequest) || !strings.Contains(test.err.Error(), test.want) || strings.Contains(test.err.Error(), "CANARY") {
			t.Errorf("%d: %v", i, test.err)
		}
	}
	if a.GetTotalCallCount() != 0 {
		t.Error("something was sent")
	}
}
