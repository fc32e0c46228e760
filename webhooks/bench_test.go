package webhooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/webhooks"
)

// The floor is what cannot be saved: one SHA-256, one HMAC-SHA256, base64 of both.
func BenchmarkVerify(b *testing.B) {
	v := vectors["payment"]
	verifier, header, body := v.verifier(b), v.header(), []byte(v.body)
	apitest.Versus(b, func() error { return verifier.Verify(header, body) }, v.floor())
}

// The floor adds the decoding of the fields that a payment's event has.
func BenchmarkVerifyAndParse(b *testing.B) {
	v := vectors["payment"]
	verifier, header, body := v.verifier(b), v.header(), []byte(v.body)
	floor := v.floor()
	apitest.Versus(b, func() error {
		if err := verifier.Verify(header, body); err != nil {
			return err
		}
		_, err := webhooks.Parse(body)
		return err
	}, func() error {
		_ = floor()
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
		return json.Unmarshal(body, &event)
	})
}

// floor hashes the vector's body and signs it.
func (v vector) floor() func() error {
	secret, body := []byte(v.secret), []byte(v.body)
	text := []byte("POST\n/hooks/vipps\n" + v.date + ";example.com;" + v.hash)
	return func() error {
		sum := sha256.Sum256(body)
		mac := hmac.New(sha256.New, secret)
		mac.Write(text)
		var encoded [44]byte
		base64.StdEncoding.Encode(encoded[:], sum[:])
		base64.StdEncoding.Encode(encoded[:], mac.Sum(nil))
		return nil
	}
}
