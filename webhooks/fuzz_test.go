package webhooks_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/webhooks"
)

// FuzzVerify looks for a delivery that passes without being one of those that were signed.
func FuzzVerify(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.date, v.hash, signaturePrefix+v.signature, "", v.body)
		f.Add(v.date, v.hash, "", signaturePrefix+v.signature, v.body)
		f.Add(v.date, v.hash, signaturePrefix, "HMAC-SHA256 "+v.signature, v.body+"\n")
	}
	good := vectors["payment"]
	f.Add(good.date, good.hash, signaturePrefix+good.signature, "another scheme", good.body)
	verifier := good.verifier(f)
	f.Fuzz(func(t *testing.T, date, hash, authorization, fallback, body string) {
		header := http.Header{
			"X-Ms-Date": {date}, "X-Ms-Content-Sha256": {hash}, "Authorization": {authorization}, "X-Vipps-Authorization": {fallback},
		}
		err := verifier.Verify(header, []byte(body))
		if err == nil {
			if date != good.date || body != good.body || hash != good.hash || !strings.HasSuffix(authorization, good.signature) && !strings.HasSuffix(fallback, good.signature) {
				t.Errorf("passed: %q", header)
			}
		} else if err != webhooks.ErrSignature && err != webhooks.ErrTooOld { //nolint:errorlint // bare errors: no detail
			t.Errorf("got %v", err)
		}
		// Whatever the body, a delivery with its right signature passes.
		v := signed(someSecret, sentDate, body)
		if err := verifier.Verify(v.header(), []byte(body)); err != nil {
			t.Errorf("signed well, but %v", err)
		}
	})
}

// FuzzParse looks for panics, for events without a key, and for bodies that are not kept.
func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.body))
	}
	for _, body := range []string{`{"msn":1,"reference":2,"name":"N","amount":{"value":1e99}}`, `{"customerToken":"t","merchantQrId":1,"initiatedAt":"9999-99-99"}`, `null`, `{`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := webhooks.Parse(body)
		if err != nil {
			if event != nil {
				t.Errorf("both %v and %v", event, err)
			}
			return
		}
		if event.Key() == "" || string(raw(event)) != string(body) || !json.Valid([]byte(strings.TrimPrefix(string(body), "\xef\xbb\xbf"))) {
			t.Errorf("%#v from %q", event, body)
		}
		if e, ok := event.(*webhooks.PaymentEvent); ok && (e.Reference == "" || e.Name == "") {
			t.Errorf("a payment's event without its payment: %v", e)
		}
		if e, ok := event.(*webhooks.CheckInEvent); ok && (e.CustomerToken == "" || e.MerchantQRID == "") {
			t.Errorf("a check-in without its customer: %v", e)
		}
	})
}

// FuzzAnswers looks for answers that the client takes for what they are not.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"id":"` + someID + `","secret":"` + someSecret + `"}`, `{"webhooks":[{"id":"a","url":"` + hookURL + `","events":["user.checked-in.v1"]}]}`,
		`{"webhooks":null}`, `{"id":7}`, `[]`, ``, `<html>`, badRequest,
	} {
		for _, status := range []int{200, 201, 204, 400, 404, 500} {
			f.Add(status, body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			t.Skip()
		}
		m, client := newMock(t)
		m.RegisterResponder(http.MethodPost, webhooksURL, apitest.Answer(status, body))
		m.RegisterResponder(http.MethodGet, webhooksURL, apitest.Answer(status, body))
		m.RegisterResponder(http.MethodDelete, webhooksURL+"/"+someID, apitest.Answer(status, body))
		hooks := webhooks.New(client)
		made, err := hooks.Register(t.Context(), webhooks.RegisterRequest{URL: hookURL, Events: webhooks.PaymentEvents()})
		if (err == nil) != (made != nil && made.ID != "" && made.Secret != "") {
			t.Errorf("%v, %v", made, err)
		}
		if status < 300 && err != nil && !errors.Is(err, vipps.ErrOutcomeUnknown) {
			t.Errorf("registered, but nobody knows with what secret: %v", err)
		}
		if listed, err := hooks.List(t.Context()); (err == nil) != (listed != nil) {
			t.Errorf("%v, %v", listed, err)
		}
		if err := hooks.Delete(t.Context(), someID); err != nil && status == http.StatusNotFound {
			t.Error(err)
		}
	})
}

// TestGoldenFilesAreComplete keeps a golden file from being left behind.
func TestGoldenFilesAreComplete(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		switch file.Name() {
		case "Register.request", "List.request", "Delete.request", "fuzz":
		default:
			t.Errorf("%s is of no use", file.Name())
		}
	}
}
