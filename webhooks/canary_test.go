package webhooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/webhooks"
)

// show prints values in every way there is.
func show(t *testing.T, values ...any) string {
	t.Helper()
	var out bytes.Buffer
	loggers := []*slog.Logger{slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))}
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%o"} {
			fmt.Fprintf(&out, verb+"\n", value)
			fmt.Fprintf(&out, verb+"\n", []any{value})
			fmt.Fprintf(&out, verb+"\n", map[string]any{"value": value})
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Errorf("%T: %v", value, err)
		}
		out.Write(encoded)
		for _, logger := range loggers {
			logger.InfoContext(t.Context(), "value", slog.Any("value", value))
		}
	}
	return out.String()
}

// clean fails if a secret is in the text: as it is, as bytes in decimal or hexadecimal, or quoted.
func clean(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		decimal := strings.Trim(fmt.Sprint([]byte(secret)), "[]")
		goSyntax := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(secret)), "[]byte{"), "}")
		for _, form := range []string{secret, decimal, goSyntax, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
			if i := strings.Index(text, form); i >= 0 {
				t.Errorf("%.12s… is shown in …%s…", secret, text[max(0, i-60):i+len(form)])
			}
		}
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	const secret, token, person = "canary-secret-1", "canary-customer-token", "canary-person"
	v := vectors["payment"]
	verifier := newVerifier(t, hookURL, parseDate(t, sentDate), secret)
	if err := verifier.Verify(signed(secret, sentDate, "{}").header(), []byte("{}")); err != nil {
		t.Fatal(err) // from here on the verifier keeps hashes
	}
	holder := struct {
		Verifier *webhooks.Verifier
		Copied   webhooks.Verifier
		hidden   *webhooks.Verifier
		copied   webhooks.Verifier
	}{verifier, *verifier, verifier, *verifier}
	made := webhooks.Registration{ID: "a", URL: hookURL, Events: webhooks.PaymentEvents(), Secret: secret}
	values := []any{
		verifier, *verifier, holder, &holder, made, &made, &webhooks.EnsureResult{Own: []webhooks.Registration{made}},
		webhooks.EnsureRequest{Known: []webhooks.Registration{made}},
	}
	for _, body := range []string{
		`{"customerToken":"` + token + `","merchantQrId":"q"}`,
		`{"reference":"r","name":"N","sub":"` + person + `","userDetails":{"email":"` + person + `","firstName":"` + person + `","lastName":"` + person +
			`","mobileNumber":"` + person + `","dateOfBirth":"` + person + `","addresses":[{"addressLine1":"` + person + `","addressLine2":"` + person +
			`","city":"` + person + `","postCode":"` + person + `"}]},"shippingDetails":{"address":{"addressLine1":"` + person + `"}}}`,
		`{"what":"` + token + `"}`,
	} {
		event, err := webhooks.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, event, event.Key())
		if e, ok := event.(*webhooks.PaymentEvent); ok {
			values = append(values, e.UserDetails, e.ShippingDetails, &e.ShippingDetails.Address, e.UserDetails.Addresses)
		}
	}
	config := webhooks.VerifierConfig{URL: hookURL, Secrets: []vipps.Secret{secret}}
	text := show(t, values...) + fmt.Sprintf("%v %+v %#v %s", config, config, config, []any{&config})
	clean(t, text, secret, token, person)
	if !strings.Contains(text, "[redacted]") {
		t.Error("nothing was printed")
	}

	// What a handler says about deliveries, good and bad, to the log and to whoever sent them.
	forged := v
	forged.signature = official.signature
	handler := &webhooks.Handler{
		Verifier: newVerifier(t, hookURL, parseDate(t, sentDate), secret, someSecret),
		Handle:   func(context.Context, webhooks.Event) error { return errors.New("store is down") },
	}
	for _, delivery := range []vector{v, forged, signed(secret, sentDate, checkInBody), signed(secret, sentDate, "["+checkInToken)} {
		for _, date := range []string{delivery.date, "Thu, 19 Nov 2026 10:10:00 GMT"} {
			header := delivery.header()
			header.Set("X-Ms-Date", date)
			answer, log := deliver(handler, http.MethodPost, header, strings.NewReader(delivery.body))
			right := signed(someSecret, date, delivery.body).signature
			said := fmt.Sprint(answer.Code, answer.Header(), answer.Body) + log + show(t, handler.Verifier.Verify(header, []byte(delivery.body)))
			clean(t, said, secret, someSecret, checkInToken, delivery.signature, right, delivery.hash)
		}
	}
}

// What the API says in refusing must not carry keys or secrets into errors.
func TestErrorsOfTheClientAreClean(t *testing.T) {
	t.Parallel()
	for _, status := range []int{201, 400, 401, 500} {
		m, client := newMock(t)
		m.RegisterResponder(http.MethodPost, webhooksURL, apitest.Answer(status, `{"id":7,"secret":"canary-secret","title":"canary-token canary-key canary-client-secret"}`))
		_, err := webhooks.New(client).Register(t.Context(), webhooks.RegisterRequest{URL: hookURL, Events: webhooks.PaymentEvents()})
		if err == nil {
			t.Fatal("no error")
		}
		clean(t, fmt.Sprintf("%v %+v %#v", err, err, err), "canary-secret", "canary-token", "canary-key", "canary-client-secret")
	}
}
