package webhooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/vippsvending/vipps/webhooks"
)

func BenchmarkVerify(b *testing.B) {
	v := vectors["payment"]
	verifier, header, body := v.verifier(b), v.header(), []byte(v.body)
	b.ReportAllocs()
	for b.Loop() {
		if err := verifier.Verify(header, body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyFloor is what cannot be saved: one SHA-256, one HMAC-SHA256, base64 of both.
func BenchmarkVerifyFloor(b *testing.B) {
	v := vectors["payment"]
	secret, body := []byte(v.secret), []byte(v.body)
	text := []byte("POST\n/hooks/vipps\n" + v.date + ";example.com;" + v.hash)
	b.ReportAllocs()
	for b.Loop() {
		floor(secret, text, body)
	}
}

func floor(secret, text, body []byte) {
	sum := sha256.Sum256(body)
	mac := hmac.New(sha256.New, secret)
	mac.Write(text)
	var encoded [44]byte
	base64.StdEncoding.Encode(encoded[:], sum[:])
	base64.StdEncoding.Encode(encoded[:], mac.Sum(nil))
}

func BenchmarkVerifyAndParse(b *testing.B) {
	v := vectors["payment"]
	verifier, header, body := v.verifier(b), v.header(), []byte(v.body)
	b.ReportAllocs()
	for b.Loop() {
		if err := verifier.Verify(header, body); err != nil {
			b.Fatal(err)
		}
		if _, err := webhooks.Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyAndParseFloor adds the decoding of the fields that a payment's event has.
func BenchmarkVerifyAndParseFloor(b *testing.B) {
	v := vectors["payment"]
	secret, body := []byte(v.secret), []byte(v.body)
	text := []byte("POST\n/hooks/vipps\n" + v.date + ";example.com;" + v.hash)
	b.ReportAllocs()
	for b.Loop() {
		floor(secret, text, body)
		var event struct {
			MSN          string `json:"msn"`
			Reference    string `json:"reference"`
			PSPReference string `json:"pspReference"`
			Name         string `json:"name"`
			Amount       struct {
				Value    int64  `json:"value"`
				Currency string `json:"currency"`
			} `json:"amount"`
			Timestamp      string `json:"timestamp"`
			IdempotencyKey string `json:"idempotencyKey"`
			Success        bool   `json:"success"`
		}
		if err := json.Unmarshal(body, &event); err != nil {
			b.Fatal(err)
		}
	}
}
