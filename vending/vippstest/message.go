package vippstest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"
)

// A message is the request of one attempt, signed.
type message struct {
	Delivery
	loseAnswer bool
}

// newMessage signs a parcel for one attempt. Each attempt has its own date and so its own signature.
func (s *Server) newMessage(r *registration, p *parcel) message {
	m := message{Delivery: Delivery{
		WebhookID: r.id, URL: r.url, Event: p.event, Reference: p.reference,
		Attempt: p.attempt, At: s.now(), Body: p.body,
	}}
	date, secret := m.At, r.secret
	f := s.strikeAttempt(p.occurrence)
	if f != nil {
		m.Fault = string(f.Kind)
		m.loseAnswer = f.Kind == LostAnswer
	}
	if f != nil && f.Kind == StaleDate {
		date = date.Add(-max(f.Delay, time.Hour))
	}
	if f != nil && f.Kind == BadSignature {
		secret += "x"
	}
	m.Header = sign(secret, r.url, date, p.body)
	m.Header.Set("Webhook-Id", r.id)
	if f != nil && f.Kind == ForgedBody {
		m.Body = forge(p.body)
	}
	if f != nil && f.Kind == NoAuthorization {
		m.Header.Del("Authorization")
	}
	return m
}

// forge asks for more, or speaks of another merchant.
func forge(body []byte) []byte {
	if bytes.Contains(body, []byte(`"value":`)) {
		return bytes.Replace(body, []byte(`"value":`), []byte(`"value":9`), 1)
	}
	return bytes.Replace(body, []byte(`"msn":"`), []byte(`"msn":"9`), 1)
}

// sign makes the headers of a delivery. The key is the secret as text, never decoded, and what is signed is the address
// as it was registered.
func sign(secret, address string, at time.Time, body []byte) http.Header {
	u, err := url.Parse(address)
	if err != nil {
		u = &url.URL{}
	}
	hash := sha256.Sum256(body)
	content := base64.StdEncoding.EncodeToString(hash[:])
	date := at.UTC().Format(http.TimeFormat)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("POST\n" + u.RequestURI() + "\n" + date + ";" + u.Host + ";" + content))
	authorization := "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" +
		base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return http.Header{
		"Content-Type":          {"application/json; charset=utf-8"},
		"User-Agent":            {"Vipps MobilePay/1.0 Webhooks/1.0"},
		"Accept-Encoding":       {"gzip"},
		"X-Ms-Date":             {date},
		"X-Ms-Content-Sha256":   {content},
		"Authorization":         {authorization},
		"X-Vipps-Authorization": {authorization},
	}
}
