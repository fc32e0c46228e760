package webhooks

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"time"

	"github.com/vippsvending/vipps"
)

// delivery is the fields of all bodies that are known. There is no envelope, and no field that says which it is.
type delivery struct {
	MSN                    string       `json:"msn"`
	Reference              string       `json:"reference"`
	PSPReference           string       `json:"pspReference"`
	Name                   EventName    `json:"name"`
	Amount                 vipps.Amount `json:"amount"`
	Timestamp              string       `json:"timestamp"`
	IdempotencyKey         string       `json:"idempotencyKey"`
	Success                bool         `json:"success"`
	CaptureGuaranteedUntil string       `json:"captureGuaranteedUntil"`
	Sub                    string       `json:"sub"`
	Profile                struct {
		Sub string `json:"sub"`
	} `json:"profile"`
	UserDetails     *UserDetails     `json:"userDetails"`
	ShippingDetails *ShippingDetails `json:"shippingDetails"`

	CustomerToken        string `json:"customerToken"`
	MerchantQRID         string `json:"merchantQrId"`
	MerchantSerialNumber string `json:"merchantSerialNumber"` // the name of msn until 2024
	InitiatedAt          string `json:"initiatedAt"`
}

// Parse reads the body of a delivery. Verify first: Parse believes everything.
//
// It is lenient: unknown fields and names, missing fields and numbers where text belongs are no errors, and a field of an
// unexpected form is left zero. An object that is neither a payment's nor a check-in's event is an [*UnknownEvent]. The error
// is for a body that is not a JSON object; it does not quote the body.
func Parse(body []byte) (Event, error) {
	var d delivery
	text := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(text) == 0 || text[0] != '{' {
		return nil, errBody
	}
	if err := json.Unmarshal(text, &d); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok {
			return nil, errBody
		}
		d.numbersToText(text)
	}
	raw := vipps.Secret(body)
	switch {
	case d.CustomerToken != "" && d.MerchantQRID != "":
		return &CheckInEvent{
			CustomerToken: vipps.Secret(d.CustomerToken), MerchantQRID: d.MerchantQRID, MSN: cmp.Or(d.MSN, d.MerchantSerialNumber),
			InitiatedAt: instant(d.InitiatedAt), Raw: raw,
		}, nil
	case d.Reference != "" && d.Name != "":
		return &PaymentEvent{
			MSN: d.MSN, Reference: d.Reference, PSPReference: d.PSPReference, Name: d.Name, Amount: d.Amount,
			Timestamp: instant(d.Timestamp), IdempotencyKey: d.IdempotencyKey, Success: d.Success,
			CaptureGuaranteedUntil: instant(d.CaptureGuaranteedUntil), Sub: vipps.Secret(cmp.Or(d.Sub, d.Profile.Sub)),
			UserDetails: d.UserDetails, ShippingDetails: d.ShippingDetails, Raw: raw,
		}, nil
	default:
		return &UnknownEvent{Raw: raw}, nil
	}
}

var errBody = errors.New("webhooks.Parse: the body is not a JSON object")

// numbersToText fills in the text that came as a number. The decoder has filled in everything else.
func (d *delivery) numbersToText(text []byte) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil {
		return
	}
	for name, field := range map[string]*string{
		"msn": &d.MSN, "merchantSerialNumber": &d.MerchantSerialNumber, "reference": &d.Reference,
		"pspReference": &d.PSPReference, "idempotencyKey": &d.IdempotencyKey, "merchantQrId": &d.MerchantQRID,
	} {
		var number json.Number
		if value := fields[name]; len(value) > 0 && value[0] != '"' && json.Unmarshal(value, &number) == nil {
			*field = number.String()
		}
	}
}

// instant reads a time; without a zone it is UTC, which is what the servers use. What is not a time is zero.
func instant(text string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}
