package contract

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Everything in which this module and the documents differ on purpose stands in this file, by name and with the reason.
// Whatever of it turns out to be needed by nothing fails the tests.

// An exception is a finding that is right.
type exception struct {
	api       string
	operation string // two stars at the end stand for any ending
	side      Side
	where     string // as operation
	rule      string
	why       string
}

func (x exception) String() string {
	return fmt.Sprintf("%s %s, %s: %s: %s (%s)", x.api, x.operation, x.side, x.where, x.rule, x.why)
}

func (x exception) covers(f Finding) bool {
	return x.api == f.API && x.side == f.Side && x.rule == f.Rule && fits(x.operation, f.Operation) && fits(x.where, f.Where)
}

func fits(pattern, text string) bool {
	if start, ok := strings.CutSuffix(pattern, "**"); ok {
		return strings.HasPrefix(text, start)
	}
	return pattern == text
}

var exceptions = []exception{
	// The token endpoint.
	{"token", "POST /accesstoken/get", Sent, "header Merchant-Serial-Number", "maxLength", "serial numbers have seven digits by now"},
	{"token", "POST /accesstoken/get", Sent, "header Merchant-Serial-Number", "pattern", "as above"},
	{"token", "POST /accesstoken/get", Answered, "/access_token", "format", "a JWT has dots, which base64 has not"},

	// What is newer than version 1.8.1.
	{"epayment", "POST /v1/payments", Sent, "/merchantLegalLinks", "unknown", "since 2026, between June and October"},
	{"epayment", "POST /v1/payments", Sent, "/shipping/allowedCountries", "unknown", "since May 2026"},
	{"epayment", "GET /v1/payments/{Reference}", Answered, "/captureGuaranteedUntil", "unknown", "since August 2026"},
	{"epayment", "WebhookEvent", Told, "/captureGuaranteedUntil", "unknown", "since August 2026"},

	// What version 1.8.1 has wrong.
	{"epayment", "GET /v1/payments/{Reference}/events", Answered, "/*/paymentAction", "required", "removed in May 2023, but from properties only"},
	{"epayment", "**", Answered, "/instance", "unknown", "every published sample of a problem has it"},
	{"epayment", "GET /v1/payments/{Reference}", Answered, "/userDetails/**", "required", "there is only what the customer was asked for"},
	{"epayment", "WebhookEvent", Told, "/userDetails/**", "required", "as above"},
	{"epayment", "GET /v1/payments/{Reference}**", Sent, "header Vipps-System-**", "unknown", "the published samples send them with every call"},
	{"epayment", "POST /v1/test/payments/{Reference}/approve", Sent, "header Vipps-System-**", "unknown", "as above"},
	{
		"epayment", "POST /v1/payments/{Reference}/cancel", Sent, "header Idempotency-Key", "unknown",
		"required until version 1.4.1, then not listed any more, but still recommended by the guide",
	},

	// What is newer than the QR API's document.
	{"qr", "PUT /v1/merchant-callback/{merchantQrId}", Sent, "/category", "unknown", "since 2025"},
	{"qr", "GET /v1/merchant-callback/{merchantQrId}", Answered, "/category", "unknown", "as above; whether it is shown is not known"},
	{"qr", "GET /v1/merchant-callback", Answered, "/*/category", "unknown", "as above"},
	{"qr", "POST /v1", Sent, "/whiteBorder", "unknown", "the page about formats has it in the body"},
	{"qr", "POST /v1/merchant-redirect", Sent, "/whiteBorder", "unknown", "as above"},
	{"qr", "POST /v1", Sent, "/size", "unknown", "as above, and in the header as well"},
	{"qr", "POST /v1/merchant-redirect", Sent, "/size", "unknown", "as above"},

	// What it has wrong.
	{"qr", "POST /v1/exchange**", Sent, "header Vipps-System-**", "unknown", "all other operations have them"},

	// What the document of Order Management has wrong.
	{
		"ordermanagement", "**", Sent, "path paymentType", "enum",
		"the guide and the vendor's own plugin write it in lower case, and the API takes either",
	},
}

// A patch mends a document before anything is compared with it.
type patch struct {
	api, name, why string
	apply          func(*openapi3.T) error
}

var patches = []patch{
	{
		api: "epayment", name: "Customer: oneOf becomes anyOf with exactly one property",
		why: "each of the three schemas accepts every object, so that oneOf refuses all customers",
		apply: func(spec *openapi3.T) error {
			customer := spec.Components.Schemas["Customer"].Value
			if len(customer.OneOf) != 3 {
				return errors.New("there is no such oneOf")
			}
			customer.AnyOf, customer.OneOf = customer.OneOf, nil
			customer.MinProps, customer.MaxProps = 1, new(uint64(1))
			return nil
		},
	},
}

// A shape is what an answer looks like that the document has no schema for.
type shape struct {
	name   string
	api    string // empty is any
	status []int
	kind   string // the content type; empty is an answer without a body
	schema string // of the document, or in JSON if it begins with a brace; empty is no JSON
}

// use is the name of one of its statuses.
func (s *shape) use(status int) string { return fmt.Sprintf("%s, %d", s.name, status) }

// undeclaredAnswers are the shapes that an answer may have.
func undeclaredAnswers(api string, e Exchange) []*shape {
	kind, _, _ := strings.Cut(e.Header.Get("Content-Type"), ";")
	var fit []*shape
	for i, s := range undeclared {
		if kind == s.kind && (kind != "" || len(e.Answer) == 0) && (s.api == "" || s.api == api) && slices.Contains(s.status, e.Status) {
			fit = append(fit, &undeclared[i])
		}
	}
	return fit
}

func (s *shape) content(spec *openapi3.T) openapi3.Content {
	schema := openapi3.NewSchema()
	switch {
	case strings.HasPrefix(s.schema, "{"):
		if err := json.Unmarshal([]byte(s.schema), schema); err != nil {
			panic(s.name + ": " + err.Error())
		}
	case s.schema != "":
		schema = spec.Components.Schemas[s.schema].Value
	}
	return openapi3.Content{cmp.Or(s.kind, "*/*"): openapi3.NewMediaType().WithSchema(schema)}
}

var undeclared = []shape{
	{name: "problem of the ePayment API", api: "epayment", status: []int{400, 403, 404, 422, 423, 500}, kind: "application/problem+json", schema: "Problem"},
	{name: "problem of the Webhooks API", api: "webhooks", status: []int{403, 404}, kind: "application/problem+json", schema: "ProblemDetails"},
	{
		name: "refusal by the gateway", status: []int{401, 403, 429}, kind: "application/json",
		schema: `{"type": "object", "additionalProperties": false, "required": ["statusCode", "message"],
			"properties": {"statusCode": {"type": "integer"}, "message": {"type": "string"}}}`,
	},
	{name: "problem of the QR API", api: "qr", status: []int{400, 403}, kind: "application/json", schema: "QrErrorResponse"},
	{name: "problem of the Order Management API", api: "ordermanagement", status: []int{400, 403, 409}, kind: "application/json", schema: "ErrorResponse"},
	{name: "unauthorized, without a body", api: "ordermanagement", status: []int{401}},
	{name: "page of a proxy", status: []int{502, 503, 504}, kind: "text/html"},
	{
		name: "refusal of a token", api: "token", status: []int{400, 401, 500}, kind: "application/json",
		schema: `{"type": "object", "additionalProperties": false,
			"required": ["error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri"],
			"properties": {
				"error": {"type": "string"}, "error_description": {"type": "string"},
				"error_codes": {"type": "array", "items": {"type": "integer"}},
				"timestamp": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ$"},
				"trace_id": {"type": "string", "format": "uuid"}, "correlation_id": {"type": "string", "format": "uuid"},
				"error_uri": {"type": "string", "format": "uri"}}}`,
	},
}

// unseen is what the documents have and neither the clients nor the emulator do.
var unseen = []exception{
	{"token", "POST /miami/v1/token", Answered, "**", "", "for other kinds of keys, which no API here takes"},
	{"epayment", "POST /merchant-dynamic-shipping-callback", Sent, "**", "", "the merchant's own server, which the emulator does not ask"},
	{"epayment", "POST /merchant-dynamic-shipping-callback", Answered, "**", "", "as above"},
	{"epayment", "POST /v1/payments/{Reference}/capture", Answered, "/state=ABORTED", "", "only what is authorized is captured"},
	{"epayment", "POST /v1/payments/{Reference}/capture", Answered, "/state=CREATED", "", "as above"},
	{"epayment", "POST /v1/payments/{Reference}/capture", Answered, "/state=EXPIRED", "", "as above"},
	{"epayment", "POST /v1/payments/{Reference}/capture", Answered, "/state=TERMINATED", "", "as above"},
	{"epayment", "POST /v1/payments/{Reference}/refund", Answered, "/state=ABORTED", "", "only what is authorized is refunded"},
	{"epayment", "POST /v1/payments/{Reference}/refund", Answered, "/state=CREATED", "", "as above"},
	{"epayment", "POST /v1/payments/{Reference}/refund", Answered, "/state=EXPIRED", "", "as above"},
	{"epayment", "POST /v1/payments/{Reference}/refund", Answered, "/state=TERMINATED", "", "as above"},
	{"epayment", "POST /v1/payments/{Reference}/cancel", Answered, "/state=ABORTED", "", "a cancel is refused then"},
	{"epayment", "POST /v1/payments/{Reference}/cancel", Answered, "/state=CREATED", "", "a cancel ends that state"},
	{"epayment", "POST /v1/payments/{Reference}/cancel", Answered, "/state=EXPIRED", "", "a cancel is refused then"},
	{"epayment", "GET /v1/payments/{Reference}", Answered, "/userDetails/addresses/*/addressLine2", "", "nobody in the emulator has a second line"},
	{"epayment", "GET /v1/payments/{Reference}", Answered, "/shippingDetails/address/addressLine2", "", "as above"},
	{"epayment", "WebhookEvent", Told, "/userDetails/addresses/*/addressLine2", "", "as above"},
	{"epayment", "WebhookEvent", Told, "/shippingDetails/address/addressLine2", "", "as above"},
}
