package epayment

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
)

// CreateRequest is a payment to be. IdempotencyKey, Reference, Amount, PaymentMethod.Type and UserFlow are required; the
// zero value of every other field leaves it out.
//
// It prints, logs and encodes to JSON without its secrets; [CreateRequest.Encode] gives the body that is sent.
type CreateRequest struct {
	// IdempotencyKey makes the call safe to repeat: 1 to 50 characters. Store it before the call, and repeat the call with
	// the same key and the same fields; a new key is a new intention. Never share a key between references. Deriving it from
	// something stored does it: the reference with "-c" behind it.
	IdempotencyKey string `json:"-"`
	// Reference is your name for the payment: 8 to 64 letters, digits and hyphens, unique in the sales unit for ever. The
	// customer sees it. All digits make Vipps MobilePay slow.
	Reference string `json:"reference"`
	// Amount is what the customer pays, or the most that will be captured later. It is at most 650 000.00 and at least what
	// [vipps.Currency.Minimum] says.
	Amount        vipps.Amount  `json:"amount"`
	PaymentMethod PaymentMethod `json:"paymentMethod"`
	// UserFlow is how the customer gets from here to the app.
	UserFlow UserFlow `json:"userFlow"`
	// Customer is who is to pay. It is required for PushMessage.
	Customer Customer `json:"customer,omitzero"`
	// CustomerInteraction must be CustomerPresent at a vending machine or a till. Empty means CustomerNotPresent.
	CustomerInteraction CustomerInteraction `json:"customerInteraction,omitzero"`
	// ReturnURL is where the customer is sent after the payment, approved or not: https or an app's own scheme, at most 2500
	// characters. It is required for WebRedirect. It may hold a token of yours, so it does not print.
	ReturnURL vipps.Secret `json:"returnUrl,omitzero"`
	// PaymentDescription is shown in the app, the portal and settlement files: 3 to 100 characters. If only part of Amount
	// may be captured, say that it is a temporary reservation of the maximum.
	PaymentDescription string `json:"paymentDescription,omitzero"`
	// QRFormat is for the QR flow only.
	QRFormat QRFormat `json:"qrFormat,omitzero"`
	// ExpiresAt lets the customer take longer than ten minutes: more than 10 minutes and less than 60 days ahead. It needs
	// Receipt and the approval of Vipps MobilePay ([CodeLongLivingNotAllowed]).
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// Receipt shows the customer what was bought. It cannot be changed later.
	Receipt Receipt `json:"receipt,omitzero"`
	// ReceiptURL is a page with the receipt: https or an app's own scheme. It does not print.
	ReceiptURL vipps.Secret `json:"receiptUrl,omitzero"`
	// Metadata comes back with [Client.Get]: at most 5 pairs, keys of at most 100 and values of at most 500 characters.
	Metadata map[string]string `json:"metadata,omitzero"`
	// MinimumUserAge in years, 0 to 100, which the app checks. Nil means none.
	MinimumUserAge *int           `json:"minimumUserAge,omitzero"`
	Profile        ProfileRequest `json:"profile,omitzero"`
	// MerchantLegalLinks makes the app ask the customer to accept the terms before paying. Set both.
	MerchantLegalLinks MerchantLegalLinks `json:"merchantLegalLinks,omitzero"`
	// Shipping makes the payment an Express payment.
	Shipping     Shipping     `json:"shipping,omitzero"`
	IndustryData IndustryData `json:"industryData,omitzero"`
}

// PaymentMethod is what the customer may pay with.
type PaymentMethod struct {
	Type MethodType `json:"type"`
	// BlockedSources are refused in the app. Wallet only, Denmark and Finland only ([CodeBlockedSourcesNotApplicable]).
	BlockedSources []BlockedSource `json:"blockedSources,omitzero"`
}

// MethodType is the kind of a payment method.
type MethodType string

// The kinds of payment methods.
const (
	Wallet MethodType = "WALLET" // in the app
	Card   MethodType = "CARD"   // a card typed in on a page; WebRedirect only, not in the test environment
)

// BlockedSource is a source of money that the customer must not use.
type BlockedSource string

// CommercialCards are cards of companies.
const CommercialCards BlockedSource = "COMMERCIAL_CARDS"

// UserFlow is how the customer gets to the app.
type UserFlow string

// The flows.
const (
	// WebRedirect gives an address that opens the app on a phone and a landing page elsewhere. It needs ReturnURL.
	WebRedirect UserFlow = "WEB_REDIRECT"
	// NativeRedirect gives an address that an app opens. Vipps MobilePay advises WebRedirect instead.
	NativeRedirect UserFlow = "NATIVE_REDIRECT"
	// PushMessage rings the customer's phone. It needs Customer and the approval of Vipps MobilePay ([CodePushNotAllowed]).
	PushMessage UserFlow = "PUSH_MESSAGE"
	// QR gives the address of an image to show; see QRFormat.
	QR UserFlow = "QR"
)

// Customer is who is to pay: exactly one of the fields. It does not print.
type Customer struct {
	// PhoneNumber has the country code and digits only: "4791234567".
	PhoneNumber vipps.Secret `json:"phoneNumber,omitzero"`
	// PersonalQR is the complete text of the code that a customer shows in the app, unchanged.
	PersonalQR vipps.Secret `json:"personalQr,omitzero"`
	// CustomerToken comes with a check-in (user.checked-in.v1) and is good for 15 minutes ([CodeInvalidCustomerToken]).
	CustomerToken vipps.Secret `json:"customerToken,omitzero"`
}

// CustomerInteraction says whether the customer stands in front of the machine or till.
type CustomerInteraction string

// The interactions.
const (
	CustomerPresent    CustomerInteraction = "CUSTOMER_PRESENT"
	CustomerNotPresent CustomerInteraction = "CUSTOMER_NOT_PRESENT"
)

// QRFormat is what the address of a QR payment leads to.
type QRFormat struct {
	// Format is required.
	Format QRFormatType `json:"format"`
	// Size is the width in pixels of a PNG, 100 to 2000. 0 means 1024.
	Size int `json:"size,omitzero"`
}

// QRFormatType is the kind of a QR code.
type QRFormatType string

// The kinds of QR codes. Without a [QRFormat] it is SVG.
const (
	QRTargetURL QRFormatType = "TEXT/TARGETURL" // the text to draw a code of; Vipps MobilePay has to approve the design
	QRSVG       QRFormatType = "IMAGE/SVG+XML"
	QRPNG       QRFormatType = "IMAGE/PNG"
)

// ProfileRequest asks for what the customer agrees to share. If the customer does not agree, the payment fails.
type ProfileRequest struct {
	// Scope is words with blanks between them, of: name address email phoneNumber birthDate nin.
	Scope string `json:"scope,omitzero"`
}

// MerchantLegalLinks are pages that the customer accepts in the app before paying.
type MerchantLegalLinks struct {
	TermsOfSaleURL   string `json:"termsOfSaleUrl,omitzero"`
	PrivacyPolicyURL string `json:"privacyPolicyUrl,omitzero"`
}

// Created is a payment that the customer can now approve.
type Created struct {
	Reference string `json:"reference"`
	// RedirectURL is what to open (WebRedirect, NativeRedirect) or to show (QR), unchanged and never in a frame. It is empty
	// for PushMessage. Whoever holds it can pay, so it does not print; string(RedirectURL) is the address.
	RedirectURL vipps.Secret `json:"redirectUrl,omitzero"`
}

// Create makes a payment. The customer then approves it in the app, within ten minutes unless ExpiresAt says otherwise.
//
// Errors: [vipps.ErrInvalidRequest], nothing was sent; [vipps.ErrOutcomeUnknown], the payment may exist: call again with
// the same request, now or after a restart; [CodeReferenceExists] and [CodeIdempotency], something of yours exists under
// this reference or key: get it and compare, by something random in Metadata, before taking it for this one;
// [CodeCustomerNotFound], to be told to the customer without saying that the number is wrong.
//
// It is repeated by itself as the table of package vipps says. Vipps MobilePay allows five calls a minute for one reference.
//
// See https://developer.vippsmobilepay.com/docs/APIs/epayment-api/.
func (c *Client) Create(ctx context.Context, request CreateRequest) (*Created, error) {
	body, err := request.Encode()
	if err != nil {
		return nil, err
	}
	return c.create(ctx, request.Reference, request.IdempotencyKey, body, request.secrets())
}

// CreateEncoded makes a payment from a body that [CreateRequest.Encode] made, for callers that must be able to repeat a
// create byte for byte after a restart, perhaps of a newer version: store reference, key and body before the first call.
// The reference must be the one in the body. The errors are those of [Client.Create].
func (c *Client) CreateEncoded(ctx context.Context, reference, idempotencyKey string, body []byte) (*Created, error) {
	var f findings
	f.reference(reference)
	f.key(idempotencyKey)
	var stored storedBody
	err := json.Unmarshal(body, &stored)
	f.require(err == nil, "body: must be what Encode returned")
	f.require(err != nil || stored.Reference == reference, "body: must be about the same reference")
	if err := f.err(opCreate); err != nil {
		return nil, err
	}
	return c.create(ctx, reference, idempotencyKey, body, stored.secrets())
}

const opCreate = "epayment.Create"

var createPath = path()

func (c *Client) create(ctx context.Context, reference, key string, body []byte, secrets []vipps.Secret) (*Created, error) {
	created := new(Created)
	err := c.client.Do(ctx, vipps.Request{
		Op: opCreate, Subject: reference, Method: http.MethodPost, Path: createPath, IdempotencyKey: key, Body: body, Redact: secrets,
		Accept: func() error { return sameReference(created.Reference, reference) },
	}, created)
	if err != nil {
		return nil, err
	}
	return created, nil
}

// Encode checks the request and returns its body as [Client.Create] sends it, byte for byte the same for the same request
// and version. The body holds the request's secrets in the clear (a phone number, a token): seal it where it is stored, erase
// it once the payment is known to exist, and do not log it. The error names every field that is wrong and matches
// [vipps.ErrInvalidRequest].
func (r CreateRequest) Encode() ([]byte, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r.body()); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", opCreate, vipps.ErrInvalidRequest, err)
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
