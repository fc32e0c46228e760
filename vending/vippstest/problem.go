package vippstest

import (
	"net/http"
	"strconv"
)

// A refusal is why a request was not done, before an API puts it in its own words.
type refusal struct {
	status  int    // 0 is what the code, or else 400, stands for
	code    string // numeric, or empty
	title   string // empty is the code's own
	detail  string
	details []detail // what is wrong with a malformed request
}

type detail struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// problem is RFC 9457 as the ePayment and Webhooks APIs speak it.
type problem struct {
	Type         string   `json:"type"`
	Title        string   `json:"title"`
	Detail       string   `json:"detail,omitempty"`
	Instance     string   `json:"instance,omitempty"`
	Status       int      `json:"status"`
	ExtraDetails []detail `json:"extraDetails,omitempty"`
	TraceID      string   `json:"traceId"`
}

// refusePayment words a refusal as the ePayment API does: the numeric code is one of the extra details.
func refusePayment(c *call, r refusal) reply {
	r = r.complete()
	p := problem{
		Type: "https://httpstatuses.io/" + strconv.Itoa(r.status), Title: r.title, Detail: r.detail,
		Instance: c.instance(), Status: r.status, ExtraDetails: r.details, TraceID: c.traceID,
	}
	if r.code != "" {
		p.ExtraDetails = append([]detail{{"ErrorCode", r.code}}, r.details...)
	}
	a := answer(r.status, typeProblem, p)
	a.code = r.code
	return a
}

// refuseWebhook words a refusal as the Webhooks API does: no codes, and the trace id in place of the type.
func refuseWebhook(c *call, r refusal) reply {
	r = r.complete()
	return answer(r.status, typeProblem, problem{
		Type: c.traceID, Title: r.title, Detail: r.detail,
		Instance: c.instance(), Status: r.status, ExtraDetails: r.details, TraceID: c.traceID,
	})
}

func (r refusal) complete() refusal {
	if r.status == 0 {
		r.status = statusOf(r.code)
	}
	if r.title == "" {
		r.title = titles[r.code]
	}
	if r.title == "" {
		r.title = http.StatusText(r.status)
	}
	if r.detail == "" && len(r.details) > 0 {
		r.detail = "One or more validation errors occurred."
	}
	return r
}

// refuse is a refusal with a numeric code.
func (c *call) refuse(code, detail string) reply {
	return c.route.refuse(c, refusal{code: code, detail: detail})
}

// statusOf is the HTTP status of a numeric code. The documentation gives it for few; the others are 400.
func statusOf(code string) int {
	switch code {
	case "3010":
		return http.StatusInternalServerError
	case "4010", "4020", "4150":
		return http.StatusConflict
	case "5070":
		return http.StatusUnprocessableEntity
	case "5090":
		return http.StatusNotFound
	case "6160":
		return http.StatusLocked
	default:
		return http.StatusBadRequest
	}
}

// titles of the numeric codes of the ePayment API.
var titles = map[string]string{
	"3010": "Internal error", "4010": "Capture idempotency conflict", "4020": "Idempotency error",
	"4040": "Invalid amount", "4050": "Invalid CustomerToken", "4060": "Invalid PersonalQr",
	"4070": "Invalid phone number", "4080": "Invalid scope", "4090": "Invalid URL",
	"4100": "Metadata capacity exceeded", "4110": "Metadata duplicate keys not allowed",
	"4120": "Metadata key length exceeded", "4130": "Metadata value length exceeded",
	"4140": "Missing required parameter", "4150": "Idempotency error", "4160": "Invalid payment method type",
	"5010": "Blocking sources not applicable", "5020": "Express payment not allowed", "5030": "Illegal scope",
	"5040": "Invalid currency for merchant", "5050": "Long-living payment not allowed",
	"5060": "Merchant bank account not verified", "5070": "Payment cannot be created",
	"5080": "PUSH_MESSAGE not allowed", "5090": "Reference not found", "5100": "Refund not possible",
	"6010": "Amount too small", "6020": "Attempted refund before reservation", "6030": "Cancel period expired",
	"6040": "Cannot cancel a captured payment", "6050": "Cannot cancel a non-reserved payment",
	"6060": "Cannot cancel authorized payment", "6070": "Cannot capture a cancelled payment",
	"6080": "Cannot capture before reservation", "6090": "Capture amount too high", "6100": "Capture period expired",
	"6110": "Expiration date is too late", "6120": "Expiration date is too soon",
	"6130": "Long living payments require a receipt", "6140": "Must capture full amount", "6150": "Not enough refundable",
	"6160": "Order processing", "6170": "Payment already captured", "6180": "Payment already refunded",
	"6190": "Payment cannot be cancelled", "6200": "Payment cannot be captured", "6210": "Payment cannot be refunded",
	"6220": "Refund period expired", "6230": "Payment is already reserved", "6250": "Cannot cancel processing payment",
	"6260": "Funds unavailable", "6280": "Capture failed, please try again later", "7010": "Customer not found",
	"10010": "Approve failed", "10020": "Approve not allowed", "10030": "Identification required",
	"10040": "Invalid payment source", "10050": "No cards", "10060": "Operation not supported",
	"10070": "Payment limit exceeded",
}
