package contract_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending/vippstest"
)

var people = []vippstest.Customer{
	{PhoneNumber: "4790000001", Unknown: true},
	{PhoneNumber: "4790000002", NeverApproved: true},
	{PhoneNumber: "4790000003", InvalidSource: true},
	{PhoneNumber: "4790000004", NoCards: true},
	{PhoneNumber: "4790000005", Limit: 1000},
	{PhoneNumber: "4790000006", Age: 15},
}

func visitApprove(s *stop) {
	ctx, i := s.t.Context(), 0
	fresh := func(change func(*epayment.CreateRequest)) string {
		i++
		reference := fmt.Sprintf("contract-%04d", i)
		s.create(reference, change)
		return reference
	}
	token := vipps.Secret(s.emulator.CheckIn("", "d8b7d76d-49aa-48b8-90c6-38779372c163"))
	for _, customer := range []epayment.Customer{{PhoneNumber: "4712345678"}, {PersonalQR: "https://qr.vipps.no/p/abc"}, {CustomerToken: token}} {
		reference := fresh(nil)
		s.done(s.payments.ForceApprove(ctx, reference, epayment.ForceApproveRequest{Customer: customer}))
		s.look(reference, epayment.StateAuthorized)
	}
	reference := fresh(nil)
	payment := s.look(reference, epayment.StateCreated)
	address, err := url.Parse(string(payment.RedirectURL))
	s.done(err)
	s.done(s.payments.ForceApprove(ctx, reference, epayment.ForceApproveRequest{Token: vipps.Secret(address.Query().Get("token"))}))
	for number, code := range map[vipps.Secret]vipps.Code{
		"4790000001": epayment.CodeCustomerNotFound, "4790000002": epayment.CodeIdentificationRequired,
		"4790000003": epayment.CodeInvalidPaymentSource, "4790000004": epayment.CodeNoCards, "4790000005": epayment.CodePaymentLimitExceeded,
	} {
		err := s.payments.ForceApprove(ctx, fresh(nil), epayment.ForceApproveRequest{Customer: epayment.Customer{PhoneNumber: number}})
		s.refused(err, http.StatusBadRequest, code)
	}
	approve := func(reference string) error {
		return s.payments.ForceApprove(ctx, reference, epayment.ForceApproveRequest{Customer: epayment.Customer{PhoneNumber: "4712345678"}})
	}
	s.refused(approve("no-such-payment"), http.StatusNotFound, epayment.CodeReferenceNotFound)
	s.refused(approve(reference), http.StatusBadRequest, epayment.CodeAlreadyReserved)
	aborted := fresh(nil)
	s.done(s.emulator.Abort(aborted))
	s.refused(approve(aborted), http.StatusBadRequest, epayment.CodeApproveFailed)
	express := fresh(func(r *epayment.CreateRequest) {
		r.Profile.Scope = "address"
		r.Shipping.DynamicOptions.CallbackURL = "https://shop.example/ship"
	})
	s.refused(approve(express), http.StatusBadRequest, epayment.CodeOperationNotSupported)
}

// visitRefusedCreates sends requests that the document has nothing against.
func visitRefusedCreates(s *stop) {
	s.create("contract-taken", nil)
	for i, test := range []struct {
		code   vipps.Code
		status int
		change func(*epayment.CreateRequest)
	}{
		{epayment.CodeIdempotency, 409, func(r *epayment.CreateRequest) { r.Reference, r.IdempotencyKey = "contract-other", "contract-taken-c" }},
		{epayment.CodeReferenceExists, 409, func(r *epayment.CreateRequest) { r.Reference = "contract-taken" }},
		{epayment.CodeInvalidCustomerToken, 400, func(r *epayment.CreateRequest) { r.Customer.CustomerToken = "ey%382jf8+qk3" }},
		{epayment.CodeInvalidScope, 400, func(r *epayment.CreateRequest) { r.Profile.Scope = "name shoeSize" }},
		{epayment.CodeIllegalScope, 400, func(r *epayment.CreateRequest) { r.Profile.Scope = "nin" }},
		{epayment.CodeInvalidURL, 400, func(r *epayment.CreateRequest) { r.ReturnURL = "http://shop.example/" }},
		{epayment.CodeInvalidURL, 400, func(r *epayment.CreateRequest) { r.ReceiptURL = "javascript:alert(1)" }},
		{epayment.CodeBlockedSourcesNotApplicable, 400, func(r *epayment.CreateRequest) {
			r.PaymentMethod.BlockedSources = []epayment.BlockedSource{epayment.CommercialCards}
		}},
		{epayment.CodeInvalidCurrency, 400, func(r *epayment.CreateRequest) { r.Amount.Currency = vipps.DKK }},
		{epayment.CodeAmountTooSmall, 400, func(r *epayment.CreateRequest) { r.Amount = nok(99) }},
		{epayment.CodeExpiryTooSoon, 400, func(r *epayment.CreateRequest) { s.withExpiry(r, 5*time.Minute) }},
		{epayment.CodeExpiryTooLate, 400, func(r *epayment.CreateRequest) { s.withExpiry(r, 61*24*time.Hour) }},
		{epayment.CodeCustomerNotFound, 400, func(r *epayment.CreateRequest) {
			r.UserFlow, r.Customer.PhoneNumber = epayment.PushMessage, "4790000001"
		}},
		{epayment.CodeCustomerNotFound, 400, func(r *epayment.CreateRequest) {
			r.UserFlow, r.Customer.PhoneNumber, r.MinimumUserAge = epayment.PushMessage, "4790000006", new(18)
		}},
	} {
		err := s.tryCreate(fmt.Sprintf("contract-%04d", i), test.change)
		s.refused(err, test.status, test.code)
	}
	for _, code := range []vipps.Code{
		epayment.CodeInternal, epayment.CodeInvalidPaymentMethod, epayment.CodeLongLivingNotAllowed, epayment.CodeBankAccountNotVerified, epayment.CodeCannotCreate,
	} {
		s.emulator.Inject(vippstest.Fault{Op: "create", Kind: vippstest.RefuseSticky, Code: string(code), Count: -1})
		if err := s.tryCreate("contract-x"+string(code), nil); err == nil {
			s.t.Errorf("%s: not refused", code)
		}
		s.emulator.ClearFaults()
	}
}

func (s *stop) withExpiry(r *epayment.CreateRequest, ahead time.Duration) {
	r.ExpiresAt = s.emulator.Now().Add(ahead)
	r.Receipt = epayment.Receipt{
		OrderLines: []epayment.OrderLine{epayment.NewOrderLine("1", "Cola", 4900, 1500)},
		BottomLine: epayment.BottomLine{Currency: vipps.NOK},
	}
}

func visitSalesUnit(s *stop) {
	ctx := s.t.Context()
	for i, test := range []struct {
		code   vipps.Code
		change func(*epayment.CreateRequest)
	}{
		{epayment.CodePushNotAllowed, func(r *epayment.CreateRequest) {
			r.UserFlow, r.Customer.PhoneNumber = epayment.PushMessage, "4712345678"
		}},
		{epayment.CodeExpressNotAllowed, func(r *epayment.CreateRequest) {
			r.Profile.Scope, r.Shipping.DynamicOptions.CallbackURL = "address", "https://shop.example/ship"
		}},
		{epayment.CodeLongLivingNotAllowed, func(r *epayment.CreateRequest) { s.withExpiry(r, time.Hour) }},
	} {
		s.refused(s.tryCreate(fmt.Sprintf("contract-%04d", i), test.change), http.StatusBadRequest, test.code)
	}
	s.create("contract-full", nil)
	s.done(s.emulator.Approve("contract-full"))
	_, err := s.payments.Capture(ctx, "contract-full", capture("c1", 1000))
	s.refused(err, http.StatusBadRequest, epayment.CodeMustCaptureFull)
	s.refused(s.rawFor("17", http.MethodGet, "epayment", "v1", "payments", "contract-full"), http.StatusBadRequest, "")
	s.refused(s.rawFor("999999", http.MethodGet, "epayment", "v1", "payments", "contract-full"), http.StatusForbidden, "")
}

func visitRefusedChanges(s *stop) {
	ctx := s.t.Context()
	// A key is of one operation, whatever the payment.
	doCapture := func(reference, key string, value int64) error {
		_, err := s.payments.Capture(ctx, reference, capture(reference+key, value))
		return err
	}
	doRefund := func(reference, key string, value int64) error {
		_, err := s.payments.Refund(ctx, reference, refund(reference+key, value))
		return err
	}
	doCancel := func(reference string) error {
		_, err := s.payments.Cancel(ctx, reference, epayment.CancelRequest{})
		return err
	}
	const missing, created, reserved, taken, released, aborted = "contract-missing", "contract-created", "contract-reserved",
		"contract-taken", "contract-released", "contract-aborted"
	for _, reference := range []string{created, reserved, taken, released, aborted} {
		s.create(reference, nil)
	}
	for _, reference := range []string{reserved, taken, released} {
		s.done(s.emulator.Approve(reference))
	}
	s.done(s.emulator.Abort(aborted))
	s.done(s.emulator.BeginApproval(created))
	s.done(doCapture(reserved, "c1", 1000))
	s.done(doCapture(taken, "c1", 4900))
	s.done(doCancel(released))

	_, err := s.payments.Get(ctx, missing)
	s.refused(err, http.StatusNotFound, epayment.CodeReferenceNotFound)
	_, err = s.payments.Events(ctx, missing)
	s.refused(err, http.StatusNotFound, epayment.CodeReferenceNotFound)
	_, err = s.payments.CancelIfNotAuthorized(ctx, reserved, epayment.CancelRequest{})
	s.refused(err, http.StatusBadRequest, epayment.CodeAlreadyAuthorized)
	for _, test := range []struct {
		err    error
		status int
		code   vipps.Code
	}{
		{doCapture(missing, "c9", 1000), 404, epayment.CodeReferenceNotFound},
		{doCapture(created, "c9", 1000), 400, epayment.CodeNotReserved},
		{doCapture(reserved, "c1", 1001), 409, epayment.CodeCaptureIdempotency},
		{doCapture(reserved, "c9", 4900), 400, epayment.CodeCaptureTooHigh},
		{doCapture(taken, "c9", 1), 400, epayment.CodeAlreadyCaptured},
		{doCapture(released, "c9", 1), 400, epayment.CodeCaptureCancelled},
		{doCapture(aborted, "c9", 1), 400, epayment.CodeCannotCapture},
		{doRefund(missing, "r9", 1000), 404, epayment.CodeReferenceNotFound},
		{doRefund(created, "r9", 1000), 400, epayment.CodeRefundBeforeReservation},
		{doRefund(reserved, "r1", 1), 0, ""},
		{doRefund(reserved, "r1", 2), 409, epayment.CodeReferenceExists},
		{doRefund(reserved, "r9", 1000), 400, epayment.CodeRefundTooHigh},
		{doRefund(aborted, "r9", 1), 400, epayment.CodeCannotRefund},
		{doRefund(taken, "r1", 4900), 0, ""},
		{doRefund(taken, "r9", 1), 400, epayment.CodeAlreadyRefunded},
		{doCancel(missing), 404, epayment.CodeReferenceNotFound},
		{doCancel(created), 400, epayment.CodeCancelProcessing},
		{doCancel(taken), 400, epayment.CodeCancelCaptured},
		{doCancel(released), 400, epayment.CodeCancelNotReserved},
	} {
		if test.status == 0 {
			s.done(test.err)
			continue
		}
		s.refused(test.err, test.status, test.code)
	}
	if doCancel(aborted) == nil {
		s.t.Error("an aborted payment was cancelled")
	}
	for _, reference := range []string{aborted, created} { // with one key
		_, err = s.payments.Cancel(ctx, reference, epayment.CancelRequest{IdempotencyKey: "x"})
	}
	s.refused(err, http.StatusConflict, epayment.CodeIdempotency)
	s.refusedByFault(reserved, doCapture, doRefund, doCancel)
}

// refusedByFault gets what the emulator has no reason of its own for.
func (s *stop) refusedByFault(reference string, capture, refund func(string, string, int64) error, cancel func(string) error) {
	for op, codes := range map[string][]vipps.Code{
		"capture": {epayment.CodeFundsUnavailable, epayment.CodeCaptureTryLater, epayment.CodeProcessing, epayment.CodeCapturePeriodExpired},
		"refund":  {epayment.CodeRefundNotPossible, epayment.CodeRefundPeriodExpired, epayment.CodeProcessing},
		"cancel":  {epayment.CodeCancelPeriodExpired, epayment.CodeCannotCancel, epayment.CodeProcessing},
		"get":     {epayment.CodeProcessing},
	} {
		for _, code := range codes {
			s.emulator.Inject(vippstest.Fault{Op: op, Kind: vippstest.Refuse, Code: string(code), Count: -1})
			var err error
			switch op {
			case "capture":
				err = capture(reference, "k"+string(code), 1)
			case "refund":
				err = refund(reference, "k"+string(code), 1)
			case "cancel":
				err = cancel(reference)
			default:
				_, err = s.payments.Get(s.t.Context(), reference)
			}
			if err == nil {
				s.t.Errorf("%s %s: not refused", op, code)
			}
			s.emulator.ClearFaults()
		}
	}
}

// visitMalformed sends what the clients would not, to see that it is refused in the documented way.
func visitMalformed(s *stop) {
	const good = `{"reference":"contract-0001","amount":{"value":4900,"currency":"NOK"},"paymentMethod":{"type":"WALLET"},` +
		`"userFlow":"WEB_REDIRECT","returnUrl":"https://shop.example/"`
	pairs := func(n, key, value int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%s%d":"%s"`, strings.Repeat("k", key), i, strings.Repeat("v", value))
		}
		return `,"metadata":{` + b.String()[1:] + `}}`
	}
	for i, test := range []struct {
		code vipps.Code
		body string
	}{
		{"", `{`},
		{"", `[]`},
		{"", `{}`},
		{"", good + `,"colour":"red"}`},
		{"", good + `,"customer":{"phoneNumber":"4712345678","customerToken":"x"}}`},
		{"", good + `,"paymentDescription":"x"}`},
		{"", good + `,"qrFormat":{"format":"IMAGE/GIF"}}`},
		{"", good + `,"receipt":{"orderLines":[],"bottomLine":{"currency":"SEK"}}}`},
		{epayment.CodeMissingParameter, strings.Replace(good, `,"returnUrl":"https://shop.example/"`, "", 1) + "}"},
		{epayment.CodeInvalidAmount, strings.Replace(good, "4900", "49.5", 1) + "}"},
		{epayment.CodeInvalidPhoneNumber, good + `,"customer":{"phoneNumber":"+47 12345678"}}`},
		{epayment.CodeInvalidPersonalQR, good + `,"customer":{"personalQr":"x"}}`},
		{epayment.CodeMetadataTooMany, good + pairs(6, 1, 1)},
		{epayment.CodeMetadataKeyTooLong, good + pairs(1, 101, 1)},
		{epayment.CodeMetadataValueTooLong, good + pairs(1, 1, 501)},
		{epayment.CodeMetadataDuplicateKey, good + `,"metadata":{"a":"1","a":"2"}}`},
		{epayment.CodeInvalidPaymentMethod, strings.Replace(good, "WALLET", "CARD_PASSTHROUGH", 1) + "}"},
	} {
		err := s.raw(http.MethodPost, []byte(test.body), fmt.Sprintf("key-%d", i), "epayment", "v1", "payments")
		s.refused(err, http.StatusBadRequest, test.code)
	}
	s.create("contract-0002", nil)
	s.done(s.emulator.Approve("contract-0002"))
	for i, body := range []string{`{}`, `{"modificationAmount":{"value":"1","currency":"NOK"}}`, `{"modificationAmount":{"value":100,"currency":"DKK"}}`} {
		for _, op := range []string{"capture", "refund"} {
			if s.raw(http.MethodPost, json.RawMessage(body), fmt.Sprint("k", i), "epayment", "v1", "payments", "contract-0002", op) == nil {
				s.t.Errorf("%s %s: not refused", op, body)
			}
		}
	}
	if s.raw(http.MethodPost, json.RawMessage(`{"cancelTransactionOnly":"yes"}`), "k", "epayment", "v1", "payments", "contract-0002", "cancel") == nil {
		s.t.Error("a word was taken for a bool")
	}
	if s.raw(http.MethodPost, json.RawMessage(`{}`), "", "epayment", "v1", "test", "payments", "contract-0002", "approve") == nil {
		s.t.Error("nobody approved")
	}
	s.refused(s.raw(http.MethodGet, nil, "", "epayment", "v1", "payments", "short"), http.StatusBadRequest, "")
}
