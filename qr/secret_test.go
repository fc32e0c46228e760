package qr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/qr"
)

// TestFormat prints pointers one level down under verbs that do not fit, where fmt does not ask a field how it prints.
func TestFormat(t *testing.T) {
	t.Parallel()
	const mark = "s3cr3t"
	for _, value := range []any{
		&qr.OneTimeRequest{URL: mark},
		&qr.OneTimeCode{ImageURL: mark, Content: mark},
		&qr.Customer{MSISDN: mark},
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x", "%X", "%t"} {
			for _, shape := range []any{value, []any{value}, map[string]any{"v": value}, &[]any{value}, struct{ V any }{value}} {
				fmt.Fprintf(&out, verb+"\n", shape)
			}
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Error(err)
		}
		out.Write(encoded)
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", value)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", value)
		for _, secret := range []string{mark, fmt.Sprintf("%x", mark), fmt.Sprintf("%X", mark)} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%T prints a secret: %s", value, out.String())
			}
		}
	}
}

// TestErrorsConceal has a server that says in its errors what it was sent, whole and in parts.
func TestErrorsConceal(t *testing.T) {
	t.Parallel()
	const old = "https://qr.vipps.no/28/2/01/031/4712345678?v=1"
	secrets := []string{landing, "eyJraWQiO-CANARY", personalQR, "qwjhewqhueheuqwhuqwhe-CANARY", token, old, "4712345678"}
	said := "it was"
	for name, call := range map[string]struct {
		address string
		say     []string
		call    func(*testing.T, *qr.Client) error
	}{
		"CreateOneTime": {oneTime, secrets[:2], func(t *testing.T, c *qr.Client) error {
			_, err := c.CreateOneTime(t.Context(), qr.OneTimeRequest{URL: landing})
			return err
		}},
		"ExchangePersonalQR": {exchange, secrets[2:4], func(t *testing.T, c *qr.Client) error {
			_, err := c.ExchangePersonalQR(t.Context(), personalQR)
			return err
		}},
		"ExchangeCustomerToken": {exchange + "/customer", secrets[4:5], func(t *testing.T, c *qr.Client) error {
			_, err := c.ExchangeCustomerToken(t.Context(), token)
			return err
		}},
		"old": {exchange, secrets[5:], func(t *testing.T, c *qr.Client) error {
			_, err := c.ExchangePersonalQR(t.Context(), old)
			return err
		}},
	} {
		all, err := json.Marshal(said + " " + strings.Join(call.say, " and "))
		if err != nil {
			t.Fatal(err)
		}
		problem := fmt.Sprintf(`{"title":%[1]s,"detail":%[1]s,"instance":%[1]s,"type":%[1]s,"invalidParams":[{"name":%[1]s,"reason":%[1]s}]}`, all)
		for kind, responder := range map[string]httpmock.Responder{
			"problem":   apitest.Answer(400, problem),
			"id":        apitest.Answer(409, `{"id":`+string(all)+`}`),
			"text":      apitest.Answer(400, strings.Join(call.say, " and ")),
			"types":     apitest.Answer(200, `{"url":{"`+call.say[0]+`":1},"msisdn":{"`+call.say[0]+`":1}}`),
			"bad JSON":  apitest.Answer(200, call.say[0]),
			"transport": httpmock.NewErrorResponder(errors.New("lost " + call.say[0])),
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				m := newMock(t)
				m.RegisterResponder(http.MethodPost, call.address, responder)
				err := call.call(t, m.client(t))
				failed, ok := errors.AsType[*vipps.Error](err)
				if !ok {
					t.Fatalf("%v", err)
				}
				text := fmt.Sprintf("%v %+v %#v %q", err, err, err, err) + failed.Type + failed.Detail + failed.Instance + failed.TraceID + failed.Body + fmt.Sprint(failed.Details)
				for _, secret := range append(secrets, "CANARY") {
					if strings.Contains(text, secret) {
						t.Errorf("shows %s: %s", secret, text)
					}
				}
			})
		}
	}
}

// TestCustomerConceals makes an answer with a number that cannot be used.
func TestCustomerConceals(t *testing.T) {
	t.Parallel()
	m := newMock(t)
	m.RegisterResponder("POST", exchange, apitest.Answer(200, `{"msisdn":"4798765432","timestamp":"4798765432"}`))
	_, err := m.client(t).ExchangePersonalQR(t.Context(), personalQR)
	if err == nil || strings.Contains(fmt.Sprintf("%v %#v", err, err), "4798765432") {
		t.Errorf("%v", err)
	}
}
