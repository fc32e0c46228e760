package vippstest_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending/vippstest"
)

func TestToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options vippstest.Options
		life    string
	}{
		"test":       {vippstest.Options{}, "3600"},
		"production": {vippstest.Options{Production: true}, "86400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, test.options)
			c := m.server.Credentials()
			a := m.send(request{method: "POST", path: "/accessToken/get", header: map[string]string{
				"client_id": c.ClientID, "client_secret": c.ClientSecret,
			}})
			for _, field := range []string{
				"token_type", "expires_in", "ext_expires_in", "expires_on", "not_before", "resource", "access_token",
			} {
				if a.text(field) == "" {
					t.Errorf("%s is not a string in %s", field, a.raw)
				}
			}
			if a.text("expires_in") != test.life {
				t.Errorf("expires_in %q, want %s", a.text("expires_in"), test.life)
			}
			if len(a.text("access_token")) < 1000 {
				t.Error("the token is shorter than real ones")
			}
			if got := a.header.Get("Content-Type"); got != "application/json;charset=UTF-8" {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
}

func TestTokenRefused(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	c := m.server.Credentials()
	for name, test := range map[string]struct {
		header map[string]string
		status int
		error  string
	}{
		"client id":     {map[string]string{"client_id": "x"}, 400, "unauthorized_client"},
		"no client id":  {map[string]string{"client_id": ""}, 400, "unauthorized_client"},
		"secret":        {map[string]string{"client_secret": "x"}, 401, "invalid_client"},
		"serial number": {map[string]string{"Merchant-Serial-Number": "654321"}, 401, "unauthorized_client"},
		"key":           {map[string]string{"Ocp-Apim-Subscription-Key": "x"}, 401, ""},
		"no key":        {map[string]string{"Ocp-Apim-Subscription-Key": ""}, 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := map[string]string{"client_id": c.ClientID, "client_secret": c.ClientSecret}
			maps.Copy(header, test.header)
			a := m.send(request{method: "POST", path: "/accesstoken/get", header: header})
			if a.status != test.status || a.text("error") != test.error {
				t.Fatalf("%d %s", a.status, a.raw)
			}
			if test.error == "" {
				if a.number("statusCode") != 401 || !strings.Contains(a.text("message"), "subscription key") ||
					!strings.HasPrefix(a.header.Get("WWW-Authenticate"), "AzureApiManagementKey ") {
					t.Errorf("%v %s", a.header, a.raw)
				}
				return
			}
			if _, err := time.Parse("2006-01-02 15:04:05Z", a.text("timestamp")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	create := request{method: "POST", path: "/epayment/v1/payments", key: "key", body: order("headers-1", nil)}
	get := request{method: "GET", path: "/epayment/v1/payments/headers-1"}
	list := request{method: "GET", path: "/webhooks/v1/webhooks"}
	for name, test := range map[string]struct {
		request request
		header  map[string]string
		status  int
		names   string // of the extra details; "gateway" for the gateway's shape
	}{
		"no token":            {get, map[string]string{"Authorization": ""}, 401, "gateway"},
		"no Bearer":           {get, map[string]string{"Authorization": "token"}, 401, "gateway"},
		"unknown token":       {get, map[string]string{"Authorization": "Bearer x"}, 401, "gateway"},
		"no key":              {get, map[string]string{"Ocp-Apim-Subscription-Key": ""}, 401, "gateway"},
		"other key":           {list, map[string]string{"Ocp-Apim-Subscription-Key": "x"}, 401, "gateway"},
		"no serial number":    {get, map[string]string{"Merchant-Serial-Number": ""}, 400, "Merchant-Serial-Number"},
		"none for webhooks":   {list, map[string]string{"Merchant-Serial-Number": ""}, 400, "Merchant-Serial-Number"},
		"short serial number": {get, map[string]string{"Merchant-Serial-Number": "123"}, 400, "Merchant-Serial-Number"},
		"other serial number": {get, map[string]string{"Merchant-Serial-Number": "654321"}, 403, ""},
		"no idempotency key":  {create, map[string]string{"Idempotency-Key": ""}, 400, "Idempotency-Key"},
		"long one":            {create, map[string]string{"Idempotency-Key": strings.Repeat("k", 51)}, 400, "Idempotency-Key"},
		"long system name":    {create, map[string]string{"Vipps-System-Name": strings.Repeat("n", 31)}, 400, "Vipps-System-Name"},
		"form":                {create, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 415, ""},
		"nothing wrong": {create, map[string]string{
			"Idempotency-Key": strings.Repeat("k", 50), "Vipps-System-Name": strings.Repeat("ø", 30),
			"Content-Type": "application/json; charset=utf-8",
		}, 201, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, vippstest.Options{})
			r := test.request
			r.header = test.header
			a := m.send(r)
			if a.status != test.status {
				t.Fatalf("%d %s", a.status, a.raw)
			}
			if test.names == "gateway" {
				if a.number("statusCode") != int64(test.status) || a.text("message") == "" {
					t.Errorf("%s", a.raw)
				}
				return
			}
			if got := strings.Join(a.names(), " "); got != test.names {
				t.Errorf("complains about %q in %s", got, a.raw)
			}
		})
	}
}

func TestATokenEnds(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.server.Advance(time.Hour - time.Minute)
	if a := m.get("unknown-1"); a.status != 404 {
		t.Fatalf("before: %d", a.status)
	}
	m.server.Advance(time.Minute)
	if a := m.get("unknown-1"); a.status != 401 || a.number("statusCode") != 401 {
		t.Fatalf("after: %d %s", a.status, a.raw)
	}
	m.login()
	if a := m.get("unknown-1"); a.status != 404 {
		t.Fatalf("with a new one: %d", a.status)
	}
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	for _, r := range []request{
		{method: "GET", path: "/"},
		{method: "GET", path: "/epayment/v1/payments"},
		{method: "DELETE", path: "/epayment/v1/payments/reference-1"},
		{method: "GET", path: "/epayment/v1/payments/reference-1/"},
		{method: "POST", path: "/epayment/v1/payments/reference-1/approve", body: "{}"}, // the path has /test/ in it
	} {
		if a := m.send(r); a.status != 404 || a.text("message") != "Resource not found" {
			t.Errorf("%s %s: %d %s", r.method, r.path, a.status, a.raw)
		}
	}
}

func TestCallsAreLimited(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustReserve("limited-1")
	for range 5 {
		if a := m.capture("limited-1", 1); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.raw)
		}
	}
	a := m.capture("limited-1", 1)
	if a.status != 429 || a.number("statusCode") != 429 || a.header.Get("Retry-After") != "60" {
		t.Fatalf("%d %v %s", a.status, a.header, a.raw)
	}
	if a := m.refund("limited-1", 1); a.status != 200 {
		t.Errorf("another operation: %d %s", a.status, a.raw)
	}
	m.server.Advance(59 * time.Second)
	if a := m.capture("limited-1", 1); a.status != 429 || a.header.Get("Retry-After") != "1" {
		t.Errorf("%d %v", a.status, a.header)
	}
	m.server.Advance(time.Second)
	if a := m.capture("limited-1", 1); a.status != 200 {
		t.Errorf("a minute later: %d %s", a.status, a.raw)
	}
}

func TestReadsAreLimited(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustCreate("limited-2", nil)
	for range 120 {
		if a := m.get("limited-2"); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.raw)
		}
	}
	if a := m.get("limited-2"); a.status != 429 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := m.get("limited-3"); a.status != 404 {
		t.Errorf("another reference: %d", a.status)
	}
}

func TestCreateWithoutReferenceSharesOneLimit(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	for i, want := range []int{400, 400, 400, 400, 400, 429} {
		if a := m.create("ignored", fields{"reference": nil, "Reference": "limited-4"}); a.status != want {
			t.Errorf("call %d: %d %s", i, a.status, a.raw)
		}
	}
	if a := m.create("limited-4", nil); a.status != 201 {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestAnyCredentials(t *testing.T) {
	t.Parallel()
	s := vippstest.Start(t, vippstest.Options{AcceptAnyCredentials: true})
	m := &merchant{t: t, server: s, client: &http.Client{Transport: s.Transport()}}
	header := map[string]string{
		"client_id": "a", "client_secret": "b", "Ocp-Apim-Subscription-Key": "c", "Merchant-Serial-Number": "7654321",
	}
	m.token = m.send(request{method: "POST", path: "/accesstoken/get", header: header}).text("access_token")
	for currency, reference := range map[string]string{"NOK": "anyone-nok", "DKK": "anyone-dkk", "EUR": "anyone-eur"} {
		a := m.send(request{
			method: "POST", path: "/epayment/v1/payments", key: currency, header: header,
			body: order(reference, fields{"amount": fields{"currency": currency, "value": 100}}),
		})
		if a.status != 201 {
			t.Errorf("%d %s", a.status, a.raw)
		}
		if p, _ := s.Payment("7654321/" + reference); p.MSN != "7654321" {
			t.Errorf("%+v", p)
		}
	}
	header["client_id"] = ""
	if a := m.send(request{method: "POST", path: "/accesstoken/get", header: header}); a.status != 400 {
		t.Errorf("%d %s", a.status, a.raw)
	}
}
