package webhooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/webhooks"
)

const signaturePrefix = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="

// vector is a delivery as it came, or as it was computed by hand.
type vector struct {
	secret, url, date, body, hash, signature string
}

const (
	authorizedBody = `{"msn":"123456","reference":"acme-shop-123-order123abc","pspReference":"dd8e0a8e-2b26-40ed-98f1-1d5832fc129f",` +
		`"name":"AUTHORIZED","amount":{"currency":"NOK","value":49900},"timestamp":"2026-01-19T16:26:32.099Z",` +
		`"idempotencyKey":"7c8b81e7-b08b-46e4-9729-191cb801c132","success":true}`
	checkInToken = "wbA8ceVRKkoYiQAVELHeFCC3Sn5dtNCvvEtVPiOT77j6wx7uR965AG6Q+q0ATP4="
	checkInBody  = `{"customerToken":"` + checkInToken + `","merchantQrId":"d8b7d76d-49aa-48b8-90c6-38779372c163","msn":"12345","initiatedAt":"2023-10-06T10:45:40.3061965Z"}`
	sentDate     = "Thu, 19 Nov 2026 10:00:00 GMT"
)

// official is the vector that the documentation of Vipps MobilePay had in 2023. Today's page shows it with the secret
// blotted out, so that it does not verify any more: see TestBlottedVector.
var official = vector{
	"A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/xU6FY/A==",
	"https://webhook.site/e2cee29b-012e-4f1d-8ef4-e95fd74a7a63",
	"Thu, 30 Mar 2023 08:38:32 GMT",
	`{"some-unique-content":"ee6e441b-cc4a-46f8-895d-a5af79bcc233/hello-world"}`,
	"lNlsp1XA03N34HrQsVzPgJKtC+r7l/RBF4V3JQUWMj4=",
	"agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U=",
}

var vectors = map[string]vector{
	"official": official,
	"payment": {
		someSecret, hookURL, sentDate, authorizedBody,
		"RPYlXrJ8cvZrUj9Od+KEKzwh+CcAKTQFt4l56m3OK24=", "4R3lt6ZFmGWHlkvkxrYMi0yikP5nn5dfdv79cFER+cM=",
	},
	"port and query": {
		someSecret, "https://example.com:8443/hooks/vipps?env=test&x=%C3%B8", sentDate, checkInBody,
		"a1I3cGWJlDHkl9goi75rq2uxM4/CstwDvh1N/iJh7OQ=", "fkHMNQ+8dQwK9DuW4kvja/6tnyHAIeFWRSnJoUcDF2Y=",
	},
	"no path, one letter": {
		"s", "https://example.com", sentDate, `{"n":"blåbær"}`,
		"dArPKlPxFttG5x8UzZNOTQ8as0QzskYI3niu+cYCbnY=", "cVVAMG/McOtXF4I6p73eBuwFc6r6tv7RwJGSUXFdnS8=",
	},
}

func (v vector) header() http.Header {
	return http.Header{
		"Content-Type":          {"application/json; charset=utf-8"},
		"User-Agent":            {"Vipps MobilePay/1.0 Webhooks/1.0"},
		"X-Ms-Date":             {v.date},
		"X-Ms-Content-Sha256":   {v.hash},
		"Authorization":         {signaturePrefix + v.signature},
		"X-Vipps-Authorization": {signaturePrefix + v.signature},
		"Webhook-Id":            {"39c2fb44-7107-45cd-b3b3-657c3202ed84"},
	}
}

// verifier knows the vector's URL and secret, and lives at the time of its date.
func (v vector) verifier(tb testing.TB) *webhooks.Verifier {
	tb.Helper()
	return newVerifier(tb, v.url, parseDate(tb, v.date), v.secret)
}

func newVerifier(tb testing.TB, url string, now time.Time, secrets ...string) *webhooks.Verifier {
	tb.Helper()
	config := webhooks.VerifierConfig{URL: url, Now: func() time.Time { return now }}
	for _, secret := range secrets {
		config.Secrets = append(config.Secrets, vipps.Secret(secret))
	}
	verifier, err := webhooks.NewVerifier(config)
	if err != nil {
		tb.Fatal(err)
	}
	return verifier
}

func parseDate(tb testing.TB, date string) time.Time {
	tb.Helper()
	at, err := http.ParseTime(date)
	if err != nil {
		tb.Fatal(err)
	}
	return at
}

// signed makes a delivery to https://example.com/hooks/vipps from the description of the algorithm, not from the code.
func signed(secret, date, body string) vector { return signedTo("example.com", secret, date, body) }

func signedTo(host, secret, date, body string) vector {
	sum := sha256.Sum256([]byte(body))
	v := vector{secret: secret, url: hookURL, date: date, body: body, hash: base64.StdEncoding.EncodeToString(sum[:])}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("POST\n/hooks/vipps\n" + date + ";" + host + ";" + v.hash))
	v.signature = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return v
}
