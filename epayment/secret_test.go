package epayment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/apitest"
)

// shown is everything that printing, logging and encoding make of a value.
func shown(t *testing.T, value any) string {
	t.Helper()
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb+"\n", value)
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Error(err)
	}
	out.Write(encoded)
	slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", value)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", value)
	if err, ok := value.(error); ok {
		out.WriteString(err.Error())
	}
	return out.String()
}

func conceals(t *testing.T, name string, value any) {
	t.Helper()
	text := shown(t, value)
	for _, secret := range []string{"CANARY", fmt.Sprintf("%x", "CANARY"), fmt.Sprintf("%X", "CANARY")} {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("%s shows a secret: %s", name, text[max(0, i-100):min(len(text), i+100)])
		}
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	request := full()
	conceals(t, "CreateRequest", request)
	conceals(t, "*CreateRequest", &request)
	conceals(t, "Customer", epayment.Customer{PhoneNumber: "CANARY", PersonalQR: "CANARY", CustomerToken: "CANARY"})
	conceals(t, "ForceApproveRequest", epayment.ForceApproveRequest{Customer: epayment.Customer{PhoneNumber: "CANARY"}, Token: "CANARY"})
	conceals(t, "Created", epayment.Created{Reference: reference, RedirectURL: "CANARY"})
	address := epayment.Address{AddressLine1: "CANARY", AddressLine2: "CANARY", PostCode: "CANARY"}
	conceals(t, "Payment", &epayment.Payment{
		RedirectURL:     "CANARY",
		ShippingDetails: epayment.ShippingDetails{Address: address},
		UserDetails: epayment.UserDetails{
			Email: "CANARY", FirstName: "CANARY", LastName: "CANARY", MobileNumber: "CANARY", DateOfBirth: "CANARY", Addresses: []epayment.Address{address},
		},
	})
}

// TestErrorsConceal has a server that says in its errors what it was sent.
func TestErrorsConceal(t *testing.T) {
	t.Parallel()
	request := full()
	body, err := request.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, secret := range []vipps.Secret{
		request.Customer.CustomerToken, request.ReturnURL, request.ReceiptURL,
		request.Shipping.DynamicOptions.CallbackAuthorizationToken, request.IndustryData.AirlineData.PassengerName,
	} {
		said = append(said, "it was "+string(secret))
	}
	all, err := json.Marshal(strings.Join(said, " and "))
	if err != nil {
		t.Fatal(err)
	}
	problem := fmt.Sprintf(`{"title":%[1]s,"detail":%[1]s,"instance":%[1]s,"traceId":%[1]s,"type":%[1]s,"extraDetails":[{"name":%[1]s,"reason":%[1]s}]}`, all)
	for name, responder := range map[string]httpmock.Responder{
		"problem":   apitest.Answer(400, problem),
		"text":      apitest.Answer(400, strings.Join(said, " and ")),
		"bad types": apitest.Answer(201, `{"reference":`+string(all)+`,"redirectUrl":{"CANARY":"CANARY"}}`),
		"reference": apitest.Answer(201, `{"reference":`+string(all)+`}`),
		"bad JSON":  apitest.Answer(201, "CANARY"),
		"page":      apitest.Answer(201, "<CANARY>"),
		"transport": httpmock.NewErrorResponder(errors.New("no answer")),
	} {
		synctest.Test(t, func(t *testing.T) {
			a := newAPI(t)
			a.RegisterResponder("POST", payments, responder)
			client := a.client(t)
			_, err := client.Create(t.Context(), request)
			_, encodedErr := client.CreateEncoded(t.Context(), reference, "key-c", body)
			for _, err := range []error{err, encodedErr} {
				if err == nil {
					t.Errorf("%s: no error", name)
					continue
				}
				conceals(t, name, err)
				if failed, ok := errors.AsType[*vipps.Error](err); ok && strings.Contains(failed.Detail+failed.Body+failed.Type, "CANARY") {
					t.Errorf("%s: the error holds a secret: %q %q", name, failed.Detail, failed.Body)
				}
			}
		})
	}
}

func TestForceApproveConceals(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.RegisterResponder("POST", base+"/epayment/v1/test/payments/"+reference+"/approve",
		apitest.Answer(400, `{"title":"4799CANARY of the-CANARY-token is unknown"}`))
	err := a.client(t).ForceApprove(t.Context(), reference, epayment.ForceApproveRequest{
		Customer: epayment.Customer{CustomerToken: "4799CANARY"}, Token: "the-CANARY-token",
	})
	conceals(t, "ForceApprove", err)
}
