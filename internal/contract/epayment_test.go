package contract_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

var epaymentTour = []part{
	{name: "capture, refund, cancel", visit: visitMoney},
	{name: "states", visit: visitStates},
	{name: "flows", options: vippstest.Options{NoRateLimits: true}, visit: visitFlows},
	{name: "receipt", options: vippstest.Options{LongLiving: true}, visit: visitReceipt},
	{name: "shipping", visit: visitShipping},
	{name: "Denmark", options: vippstest.Options{Market: "DK"}, visit: visitDenmark},
	{name: "Finland", options: vippstest.Options{Market: "FI"}, visit: visitFinland},
	{name: "production", options: vippstest.Options{Production: true}, visit: visitProduction},
	{name: "forced approval", options: vippstest.Options{Customers: people, NoRateLimits: true}, visit: visitApprove},
	{name: "refused creates", options: vippstest.Options{LongLiving: true, Customers: people, NoRateLimits: true}, visit: visitRefusedCreates},
	{name: "refused by the sales unit", options: vippstest.Options{NoPush: true, NoExpress: true, NoPartialCapture: true}, visit: visitSalesUnit},
	{name: "refused changes", options: vippstest.Options{NoRateLimits: true}, visit: visitRefusedChanges},
	{name: "malformed", options: vippstest.Options{NoRateLimits: true}, visit: visitMalformed},
}

func nok(value int64) vipps.Amount { return vipps.Amount{Value: value, Currency: vipps.NOK} }

func capture(key string, value int64) epayment.CaptureRequest {
	return epayment.CaptureRequest{IdempotencyKey: key, Amount: nok(value)}
}

func refund(key string, value int64) epayment.RefundRequest {
	return epayment.RefundRequest{IdempotencyKey: key, Amount: nok(value)}
}

func request(reference string) epayment.CreateRequest {
	return epayment.CreateRequest{
		IdempotencyKey: reference + "-c",
		Reference:      reference,
		Amount:         nok(4900),
		PaymentMethod:  epayment.PaymentMethod{Type: epayment.Wallet},
		UserFlow:       epayment.WebRedirect,
		ReturnURL:      "https://shop.example/orders/17?a=b&c=d",
	}
}

func (s *stop) tryCreate(reference string, change func(*epayment.CreateRequest)) error {
	r := request(reference)
	if change != nil {
		change(&r)
	}
	_, err := s.payments.Create(s.t.Context(), r)
	return err
}

func (s *stop) create(reference string, change func(*epayment.CreateRequest)) {
	s.t.Helper()
	s.done(s.tryCreate(reference, change))
}

// look reads a payment and its history.
func (s *stop) look(reference string, state epayment.State) *epayment.Payment {
	s.t.Helper()
	payment, err := s.payments.Get(s.t.Context(), reference)
	s.done(err)
	_, err = s.payments.Events(s.t.Context(), reference)
	s.done(err)
	if payment == nil || payment.State != state {
		s.t.Errorf("%v, want %s", payment, state)
	}
	return payment
}

func visitMoney(s *stop) {
	ctx, reference := s.t.Context(), "contract-0001"
	s.create(reference, nil)
	s.create(reference, nil) // repeated
	s.look(reference, epayment.StateCreated)
	s.done(s.emulator.Approve(reference))
	for _, key := range []string{"c1", "c1", "c2"} { // repeated
		_, err := s.payments.Capture(ctx, reference, capture(key, 1000))
		s.done(err)
	}
	s.look(reference, epayment.StateAuthorized)
	_, err := s.payments.Cancel(ctx, reference, epayment.CancelRequest{})
	s.done(err)
	_, err = s.payments.Refund(ctx, reference, refund("r1", 500))
	s.done(err)
	s.look(reference, epayment.StateAuthorized)

	s.emulator.Inject(vippstest.Fault{Op: "create", Kind: vippstest.HangUpAfter}, vippstest.Fault{Op: "capture", Kind: vippstest.HalfBody})
	s.create("contract-0002", nil)
	s.done(s.emulator.Approve("contract-0002"))
	_, err = s.payments.Capture(ctx, "contract-0002", capture("c3", 4900))
	s.done(err)
}

func visitStates(s *stop) {
	ctx := s.t.Context()
	s.create("contract-aborted", nil)
	s.done(s.emulator.Abort("contract-aborted"))
	s.look("contract-aborted", epayment.StateAborted)
	s.create("contract-terminated", nil)
	_, err := s.payments.CancelIfNotAuthorized(ctx, "contract-terminated", epayment.CancelRequest{IdempotencyKey: "x"})
	s.done(err)
	s.look("contract-terminated", epayment.StateTerminated)
	s.create("contract-declined", func(r *epayment.CreateRequest) { r.Amount = nok(151) })
	if s.emulator.Approve("contract-declined") == nil {
		s.t.Error("the card was not declined")
	}
	s.look("contract-declined", epayment.StateCreated)
	s.create("contract-expired", nil)
	s.emulator.Advance(11 * time.Minute)
	s.look("contract-expired", epayment.StateExpired)
	s.create("contract-portal", nil)
	s.done(s.emulator.Approve("contract-portal"))
	s.done(s.emulator.PortalCapture("contract-portal", 1000))
	s.done(s.emulator.PortalCancel("contract-portal"))
	s.done(s.emulator.PortalRefund("contract-portal", 1000))
	s.look("contract-portal", epayment.StateAuthorized)
}

// visitFlows makes payments with every flow, every kind of customer and every field that has nothing to do with Express.
func visitFlows(s *stop) {
	token := vipps.Secret(s.emulator.CheckIn("", "d8b7d76d-49aa-48b8-90c6-38779372c163"))
	for i, change := range []func(*epayment.CreateRequest){
		func(r *epayment.CreateRequest) { r.Customer.PhoneNumber = "4712345678" },
		func(r *epayment.CreateRequest) {
			r.Customer.PersonalQR = "https://qr.vipps.no/28/2/01/031/4712345678?v=1"
		},
		func(r *epayment.CreateRequest) { r.Customer.CustomerToken = token },
		func(r *epayment.CreateRequest) {
			r.UserFlow, r.ReturnURL, r.Customer.PhoneNumber = epayment.PushMessage, "", "4712345678"
		},
		func(r *epayment.CreateRequest) {
			r.UserFlow, r.Customer.PersonalQR = epayment.PushMessage, "https://qr.vipps.no/p/abc"
		},
		func(r *epayment.CreateRequest) { r.UserFlow, r.Customer.CustomerToken = epayment.PushMessage, token },
		func(r *epayment.CreateRequest) { r.UserFlow, r.ReturnURL = epayment.NativeRedirect, "acme-app://paid" },
		func(r *epayment.CreateRequest) { r.PaymentMethod.Type = epayment.Card },
		func(r *epayment.CreateRequest) { r.UserFlow, r.ReturnURL = epayment.QR, "" },
		func(r *epayment.CreateRequest) {
			r.UserFlow, r.QRFormat = epayment.QR, epayment.QRFormat{Format: epayment.QRSVG}
		},
		func(r *epayment.CreateRequest) {
			r.UserFlow, r.QRFormat = epayment.QR, epayment.QRFormat{Format: epayment.QRPNG, Size: 400}
		},
		func(r *epayment.CreateRequest) {
			r.UserFlow, r.QRFormat = epayment.QR, epayment.QRFormat{Format: epayment.QRTargetURL}
		},
		func(r *epayment.CreateRequest) { r.CustomerInteraction = epayment.CustomerPresent },
		func(r *epayment.CreateRequest) { r.CustomerInteraction = epayment.CustomerNotPresent },
		func(r *epayment.CreateRequest) {
			r.PaymentDescription = "Temporary reservation of the maximum <æøå>"
			r.ReceiptURL = "https://shop.example/receipts/17"
			r.Metadata = map[string]string{"vending-machine": "oslo12", "nonce": "x", "3": "", "4": "d", "5": strings.Repeat("e", 500)}
			r.MinimumUserAge = new(0)
			r.MerchantLegalLinks = epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"}
		},
		func(r *epayment.CreateRequest) {
			r.MinimumUserAge = new(100)
			r.Profile.Scope = "name address email phoneNumber birthDate"
		},
		func(r *epayment.CreateRequest) { r.Profile.Scope = "phoneNumber" },
		func(r *epayment.CreateRequest) {
			r.IndustryData.AirlineData = epayment.AirlineData{
				AgencyInvoiceNumber: "123456", AirlineCode: "074", AirlineDesignatorCode: "KL", PassengerName: "FLYER / MARY MS.", TicketNumber: "123-1234567890",
			}
		},
		func(r *epayment.CreateRequest) {
			r.IndustryData.AirlineData = epayment.AirlineData{AgencyInvoiceNumber: "1", AirlineCode: "074", AirlineDesignatorCode: "KL", PassengerName: "F"}
		},
		func(r *epayment.CreateRequest) { r.Amount = nok(65_000_000) },
		func(r *epayment.CreateRequest) { r.Amount = nok(100) },
		func(r *epayment.CreateRequest) {
			r.Reference = strings.Repeat("Ab0-", 16)
			r.IdempotencyKey = strings.Repeat("k", 50)
		},
	} {
		var reference string
		s.create(fmt.Sprintf("contract-%04d", i), func(r *epayment.CreateRequest) { change(r); reference = r.Reference })
		s.look(reference, epayment.StateCreated)
		s.done(s.emulator.Approve(reference))
		s.look(reference, epayment.StateAuthorized)
	}
}

// visitReceipt sends receipts with everything in them, for a payment that lives long.
func visitReceipt(s *stop) {
	line := epayment.NewOrderLine("1234567890", "Sjokolade <melk>", 2500, 1500)
	line.UnitInfo = epayment.UnitInfo{UnitPrice: 2700, Quantity: "0.822", QuantityUnit: epayment.Pieces}
	line.Discount, line.ProductURL, line.IsShipping, line.IsReturn = 200, "https://shop.example/p/1?a=b&c=d", true, true
	old := epayment.NewOrderLine("2", "Gammel", 2400, 0)
	old.TaxRate, old.TaxPercentage = nil, new(0)
	lines := []epayment.OrderLine{line, old}
	for _, unit := range []epayment.QuantityUnit{"", epayment.Kilograms, epayment.Kilometres, epayment.Minutes, epayment.Litres, epayment.KWh} {
		more := epayment.NewOrderLine("3", "Mer", 0, 0)
		more.UnitInfo = epayment.UnitInfo{Quantity: "2", QuantityUnit: unit}
		lines = append(lines, more)
	}
	for i, barcode := range []epayment.Barcode{
		{Format: epayment.EAN13, Data: "5901234123457"}, {Format: epayment.Code39, Data: "0527"}, {Format: epayment.Code128, Data: "0527"}, {},
	} {
		s.create(fmt.Sprintf("contract-%04d", i), func(r *epayment.CreateRequest) {
			r.ExpiresAt = s.emulator.Now().Add(24*time.Hour + time.Millisecond)
			r.Receipt = epayment.Receipt{OrderLines: lines, BottomLine: epayment.BottomLine{
				Currency: vipps.NOK, TipAmount: 1, POSID: "vending_machine_12345", ReceiptNumber: "17",
				PaymentSources: epayment.PaymentSources{GiftCard: 1, Card: 2, Voucher: 3, Cash: 4}, Barcode: barcode,
			}}
		})
	}
	s.create("contract-small", func(r *epayment.CreateRequest) {
		r.Receipt = epayment.Receipt{
			OrderLines: []epayment.OrderLine{epayment.NewOrderLine("1", "Cola", 4900, 1500)},
			BottomLine: epayment.BottomLine{Currency: vipps.NOK},
		}
	})
	s.look("contract-0000", epayment.StateCreated)
}

// visitShipping makes Express payments with every carrier and every way of delivery.
func visitShipping(s *stop) {
	brands := []epayment.ShippingBrand{
		epayment.Posten, epayment.Bring, epayment.PostNord, epayment.HeltHjem, epayment.PorterBuddy, epayment.DHL, epayment.Instabox,
		epayment.FedEx, epayment.Matkahuolto, epayment.GLS, epayment.Posti, epayment.Gordon, epayment.OtherBrand,
	}
	types := []epayment.ShippingType{epayment.HomeDelivery, epayment.PickupPoint, epayment.Mailbox, epayment.InStore, epayment.OtherShipping}
	var groups []epayment.ShippingGroup
	for i, brand := range brands {
		groups = append(groups, epayment.ShippingGroup{
			Type: types[i%len(types)], Brand: brand, IsDefault: i == 0, Priority: i,
			Options: []epayment.ShippingOption{
				{ID: "a", Amount: nok(9900), Name: "A-post", IsDefault: true, Priority: 1, Meta: "Storgata 1", EstimatedDelivery: "1-2 days"},
				{ID: "b", Amount: nok(0), Name: "Free"},
			},
		})
	}
	for reference, shipping := range map[string]epayment.Shipping{
		"contract-fixed": {FixedOptions: groups, AllowedCountries: []string{"NO", "DK"}},
		"contract-dynamic": {DynamicOptions: epayment.DynamicOptions{
			CallbackURL: "https://shop.example/ship", CallbackAuthorizationToken: "ae0cb90d91b4a84a",
		}},
	} {
		s.create(reference, func(r *epayment.CreateRequest) {
			r.Shipping, r.Profile.Scope = shipping, "name address email phoneNumber"
		})
		s.done(s.emulator.Approve(reference))
		if payment := s.look(reference, epayment.StateAuthorized); payment != nil && payment.ShippingDetails == (epayment.ShippingDetails{}) {
			s.t.Errorf("%s: no shipping details", reference)
		}
	}
}

func visitDenmark(s *stop) {
	s.create("contract-0001", func(r *epayment.CreateRequest) {
		r.Amount = vipps.Amount{Value: 1, Currency: vipps.DKK}
		r.PaymentMethod.BlockedSources = []epayment.BlockedSource{epayment.CommercialCards}
		r.Receipt = epayment.Receipt{
			OrderLines: []epayment.OrderLine{epayment.NewOrderLine("1", "Sodavand", 1, 2500)},
			BottomLine: epayment.BottomLine{Currency: vipps.DKK},
		}
		r.Shipping = epayment.Shipping{FixedOptions: []epayment.ShippingGroup{{
			Type: epayment.Mailbox, Brand: epayment.GLS, Options: []epayment.ShippingOption{{ID: "a", Name: "A", Amount: vipps.Amount{Currency: vipps.DKK}}},
		}}}
		r.Profile.Scope = "address"
	})
	s.finish("contract-0001", vipps.Amount{Value: 1, Currency: vipps.DKK})
}

func visitFinland(s *stop) {
	s.create("contract-0001", func(r *epayment.CreateRequest) {
		r.Amount = vipps.Amount{Value: 250, Currency: vipps.EUR}
		r.Receipt = epayment.Receipt{
			OrderLines: []epayment.OrderLine{epayment.NewOrderLine("1", "Limsa", 250, 2550)},
			BottomLine: epayment.BottomLine{Currency: vipps.EUR},
		}
		r.Shipping = epayment.Shipping{FixedOptions: []epayment.ShippingGroup{{
			Type: epayment.PickupPoint, Brand: epayment.Posti, Options: []epayment.ShippingOption{{ID: "a", Name: "A", Amount: vipps.Amount{Currency: vipps.EUR}}},
		}}}
		r.Profile.Scope = "address"
	})
	s.finish("contract-0001", vipps.Amount{Value: 250, Currency: vipps.EUR})
}

// finish takes a payment, gives it back, and hears of it.
func (s *stop) finish(reference string, amount vipps.Amount) {
	s.t.Helper()
	ctx := s.t.Context()
	_, err := s.webhooks.Register(ctx, webhooks.RegisterRequest{URL: hook, Events: webhooks.PaymentEvents()})
	s.done(err)
	s.listen(hook, nil)
	s.done(s.emulator.Approve(reference))
	s.look(reference, epayment.StateAuthorized)
	_, err = s.payments.Capture(ctx, reference, epayment.CaptureRequest{IdempotencyKey: "c", Amount: amount})
	s.done(err)
	_, err = s.payments.Refund(ctx, reference, epayment.RefundRequest{IdempotencyKey: "r", Amount: amount})
	s.done(err)
	s.look(reference, epayment.StateAuthorized)
	s.create("contract-cancel", func(r *epayment.CreateRequest) { r.Amount = amount })
	_, err = s.payments.Cancel(ctx, "contract-cancel", epayment.CancelRequest{})
	s.done(err)
	s.look("contract-cancel", epayment.StateTerminated)
	s.emulator.Settle()
}

func visitProduction(s *stop) {
	s.use(s.newClient(func(c *vipps.Config) { c.Environment = vipps.Production }))
	s.create("contract-0001", nil)
	s.create("contract-0002", func(r *epayment.CreateRequest) { r.UserFlow = epayment.NativeRedirect })
	s.finish("contract-0001", nok(4900))
	s.look("contract-0002", epayment.StateCreated)
	err := s.raw(http.MethodPost, map[string]any{"customer": map[string]string{"phoneNumber": "4712345678"}}, "",
		"epayment", "v1", "test", "payments", "contract-0002", "approve")
	s.refused(err, http.StatusBadRequest, epayment.CodeApproveNotAllowed)
}
