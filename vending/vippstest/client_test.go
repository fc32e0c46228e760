package vippstest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// merchant speaks to the emulator as a merchant's program does, in plain HTTP and JSON.
type merchant struct {
	t      *testing.T
	server *vippstest.Server
	client *http.Client
	token  string
	keys   int
}

func newMerchant(t *testing.T, o vippstest.Options) *merchant {
	t.Helper()
	s := vippstest.Start(t, o)
	m := &merchant{t: t, server: s, client: &http.Client{Transport: s.Transport()}}
	m.login()
	return m
}

func (m *merchant) login() {
	m.t.Helper()
	c := m.server.Credentials()
	a := m.send(request{method: "POST", path: "/accesstoken/get", header: map[string]string{
		"client_id": c.ClientID, "client_secret": c.ClientSecret, "Ocp-Apim-Subscription-Key": c.SubscriptionKey,
	}})
	if a.status != http.StatusOK {
		m.t.Fatalf("token: %d %s", a.status, a.raw)
	}
	m.token = a.text("access_token")
}

// request is one call. Headers of the API are filled in; an empty value in header leaves one out.
type request struct {
	method, path string
	key          string
	body         any // a string is sent as it is
	header       map[string]string
}

type result struct {
	status int
	header http.Header
	raw    []byte
	body   map[string]any
	err    error
}

// at follows names through nested objects.
func (r result) at(path ...string) any {
	var v any = r.body
	for _, name := range path {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

func (r result) text(path ...string) string {
	s, _ := r.at(path...).(string)
	return s
}

func (r result) number(path ...string) int64 {
	n, _ := r.at(path...).(float64)
	return int64(n)
}

// code is the numeric code of a refusal.
func (r result) code() string {
	list, _ := r.at("extraDetails").([]any)
	for _, e := range list {
		d, _ := e.(map[string]any)
		if d["name"] == "ErrorCode" {
			code, _ := d["reason"].(string)
			return code
		}
	}
	return ""
}

// names are the fields that a refusal complains about.
func (r result) names() []string {
	var names []string
	list, _ := r.at("extraDetails").([]any)
	for _, e := range list {
		d, _ := e.(map[string]any)
		name, _ := d["name"].(string)
		names = append(names, name)
	}
	return names
}

func (m *merchant) build(r request) *http.Request {
	m.t.Helper()
	var body io.Reader
	switch b := r.body.(type) {
	case nil:
	case string:
		body = bytes.NewReader([]byte(b))
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			m.t.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	out, err := http.NewRequestWithContext(m.t.Context(), r.method, m.server.URL()+r.path, body)
	if err != nil {
		m.t.Fatal(err)
	}
	c := m.server.Credentials()
	out.Header.Set("Authorization", "Bearer "+m.token)
	out.Header.Set("Ocp-Apim-Subscription-Key", c.SubscriptionKey)
	out.Header.Set("Merchant-Serial-Number", c.MerchantSerialNumber)
	if body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		out.Header.Set("Idempotency-Key", r.key)
	}
	for name, value := range r.header {
		if value == "" {
			out.Header.Del(name)
		} else {
			out.Header.Set(name, value)
		}
	}
	return out
}

func (m *merchant) send(r request) result {
	m.t.Helper()
	response, err := m.client.Do(m.build(r))
	if err != nil {
		return result{err: err}
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	a := result{status: response.StatusCode, header: response.Header, raw: raw, err: err}
	if len(raw) > 0 {
		_ = json.Unmarshal(raw, &a.body) // lists and pages stay raw
	}
	return a
}

type fields = map[string]any

// order is a create body that is accepted, with changes: nil takes a field out.
func order(reference string, changes fields) fields {
	body := fields{
		"amount":        fields{"currency": "NOK", "value": 2500},
		"paymentMethod": fields{"type": "WALLET"},
		"reference":     reference,
		"userFlow":      "WEB_REDIRECT",
		"returnUrl":     "https://shop.example/back",
	}
	for name, v := range changes {
		if v == nil {
			delete(body, name)
		} else {
			body[name] = v
		}
	}
	return body
}

func (m *merchant) newKey() string {
	m.keys++
	return "key-" + string(rune('a'+m.keys/26)) + string(rune('a'+m.keys%26))
}

func (m *merchant) create(reference string, changes fields) result {
	m.t.Helper()
	return m.send(request{method: "POST", path: "/epayment/v1/payments", key: m.newKey(), body: order(reference, changes)})
}

// mustCreate makes a payment of 2500.
func (m *merchant) mustCreate(reference string, changes fields) result {
	m.t.Helper()
	a := m.create(reference, changes)
	if a.status != http.StatusCreated {
		m.t.Fatalf("create: %d %s", a.status, a.raw)
	}
	return a
}

// mustReserve makes a payment of 2500 and has it approved.
func (m *merchant) mustReserve(reference string) {
	m.t.Helper()
	m.mustCreate(reference, nil)
	if err := m.server.Approve(reference); err != nil {
		m.t.Fatal(err)
	}
}

func (m *merchant) get(reference string) result {
	m.t.Helper()
	return m.send(request{method: "GET", path: "/epayment/v1/payments/" + reference})
}

func (m *merchant) modify(op, reference, key string, value int64) result {
	m.t.Helper()
	return m.send(request{
		method: "POST", path: "/epayment/v1/payments/" + reference + "/" + op, key: key,
		body: fields{"modificationAmount": fields{"currency": "NOK", "value": value}},
	})
}

func (m *merchant) capture(reference string, value int64) result {
	m.t.Helper()
	return m.modify("capture", reference, m.newKey(), value)
}

func (m *merchant) refund(reference string, value int64) result {
	m.t.Helper()
	return m.modify("refund", reference, m.newKey(), value)
}

func (m *merchant) cancel(reference string, only bool) result {
	m.t.Helper()
	return m.send(request{
		method: "POST", path: "/epayment/v1/payments/" + reference + "/cancel", key: m.newKey(),
		body: fields{"cancelTransactionOnly": only},
	})
}
