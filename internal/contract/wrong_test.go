package contract_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/internal/contract"
)

const (
	base    = "https://vipps.test"
	goodKey = "key-1"
	// goodCreate and goodPayment are what the tests below break.
	goodCreate = `{"reference":"contract-0001","amount":{"value":4900,"currency":"NOK"},"paymentMethod":{"type":"WALLET"},` +
		`"userFlow":"PUSH_MESSAGE","customer":{"phoneNumber":"4712345678"}}`
	goodCreated = `{"reference":"contract-0001"}`
	zero        = `{"value":0,"currency":"NOK"}`
	goodPayment = `{"reference":"contract-0001","pspReference":"1","state":"CREATED","amount":{"value":4900,"currency":"NOK"},` +
		`"aggregate":{"authorizedAmount":` + zero + `,"cancelledAmount":` + zero + `,"capturedAmount":` + zero + `,"refundedAmount":` + zero + `},` +
		`"paymentMethod":{"type":"WALLET"},"profile":{}}`
	goodEvent = `{"msn":"123456","reference":"contract-0001","pspReference":"1","name":"AUTHORIZED","amount":{"currency":"NOK","value":4900},` +
		`"timestamp":"2026-01-19T16:26:32.099Z","success":true}`
	jsonType    = "application/json"
	problemType = "application/problem+json"
)

// answering is a server that always says the same.
type answering struct {
	status     int
	kind, body string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {a.kind}}, Body: io.NopCloser(strings.NewReader(a.body)), Request: r,
	}, nil
}

// exchange gives what the transport reports, without the messages.
func exchange(t *testing.T, checker *contract.Checker, r *http.Request, answer answering) []string {
	t.Helper()
	var found []string
	transport := &contract.Transport{Next: answer, Checker: checker, Report: func(f contract.Finding) {
		found = append(found, fmt.Sprintf("%s %s: %s: %s", f.Operation, f.Side, f.Where, f.Rule))
	}}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != answer.body {
		t.Errorf("%q came through, %v", body, err)
	}
	return found
}

func create(t *testing.T, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/epayment/v1/payments", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer x", "Ocp-Apim-Subscription-Key": "x", "Merchant-Serial-Number": "123456", "Idempotency-Key": goodKey, "Content-Type": jsonType,
	} {
		r.Header.Set(name, value)
	}
	return r
}

// TestWrongRequests sees that each deviation of a request is caught, and nothing else.
func TestWrongRequests(t *testing.T) {
	t.Parallel()
	checker := newChecker(t)
	const operation = "POST /v1/payments request: "
	for _, test := range []struct {
		name   string
		old    string // in goodCreate
		new    string
		change func(*http.Request)
		want   []string
	}{
		{name: "good"},
		{name: "misspelled field", old: `"reference"`, new: `"orderId"`, want: []string{operation + "/reference: required", operation + "/orderId: unknown"}},
		{name: "unknown field", old: `"userFlow"`, new: `"colour":"red","userFlow"`, want: []string{operation + "/colour: unknown"}},
		{name: "unknown field inside", old: `"phoneNumber"`, new: `"name":"Ada","phoneNumber"`, want: []string{operation + "/customer: maxProperties", operation + "/customer/name: unknown"}},
		{name: "negative amount", old: "4900", new: "-1", want: []string{operation + "/amount/value: minimum"}},
		{name: "amount as text", old: "4900", new: `"4900"`, want: []string{operation + "/amount/value: type"}},
		{name: "fraction", old: "4900", new: "49.5", want: []string{operation + "/amount/value: type"}},
		{name: "unknown word", old: "PUSH_MESSAGE", new: "PUSH", want: []string{operation + "/userFlow: enum"}},
		{name: "two customers", old: `"phoneNumber"`, new: `"customerToken":"x","phoneNumber"`, want: []string{operation + "/customer: maxProperties"}},
		{name: "nobody", old: `"phoneNumber":"4712345678"`, new: "", want: []string{operation + "/customer: minProperties"}},
		{name: "null", old: `{"type":"WALLET"}`, new: "null", want: []string{operation + "/paymentMethod: nullable"}},
		{name: "no JSON", old: "{", new: "", want: []string{operation + "body: JSON"}},
		{name: "no body", old: goodCreate, want: []string{operation + "header Content-Type: unknown", operation + "body: required"}},
		{name: "no token", change: func(r *http.Request) { r.Header.Del("Authorization") }, want: []string{operation + "header Authorization: security"}},
		{name: "no key", change: func(r *http.Request) { r.Header.Del("Idempotency-Key") }, want: []string{operation + "header Idempotency-Key: required"}},
		{name: "long key", change: func(r *http.Request) { r.Header.Set("Idempotency-Key", strings.Repeat("k", 51)) }, want: []string{operation + "header Idempotency-Key: maxLength"}},
		{name: "bad serial number", change: func(r *http.Request) { r.Header.Set("Merchant-Serial-Number", "abcdef") }, want: []string{operation + "header Merchant-Serial-Number: pattern"}},
		{name: "unknown header", change: func(r *http.Request) { r.Header.Set("Vipps-Colour", "red") }, want: []string{operation + "header Vipps-Colour: unknown"}},
		{name: "query", change: func(r *http.Request) { r.URL.RawQuery = "a=b" }, want: []string{operation + "query a: unknown"}},
		{name: "content type", change: func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, want: []string{operation + "header Content-Type: content type"}},
		{name: "method", change: func(r *http.Request) { r.Method = http.MethodPut }, want: []string{"PUT /epayment/v1/payments request: : route"}},
		{name: "path", change: func(r *http.Request) { r.URL.Path = "/epayment/v2/payments" }, want: []string{"POST /epayment/v2/payments request: : route"}},
		{name: "on purpose", old: "4900", new: "-1", change: func(r *http.Request) { *r = *r.WithContext(contract.Wrong(r.Context())) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			body := goodCreate
			if test.old != "" {
				body = strings.Replace(body, test.old, test.new, 1)
			}
			r := create(t, body)
			if test.change != nil {
				test.change(r)
			}
			if diff := cmp.Diff(test.want, exchange(t, checker, r, answering{201, jsonType, goodCreated})); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestWrongAnswers does the same for answers.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	checker := newChecker(t)
	const (
		creating = "POST /v1/payments answer: "
		reading  = "GET /v1/payments/{Reference} answer: "
		problem  = `{"type":"https://httpstatuses.io/400","title":"Invalid amount","status":400,"traceId":"00-1"}`
	)
	get := func(t *testing.T) *http.Request {
		t.Helper()
		r := create(t, "")
		r.Method, r.URL.Path, r.Body = http.MethodGet, "/epayment/v1/payments/contract-0001", nil
		r.Header.Del("Idempotency-Key")
		r.Header.Del("Content-Type")
		return r
	}
	for _, test := range []struct {
		name     string
		get      bool // else create
		answer   answering
		old, new string
		want     []string
	}{
		{name: "good create", answer: answering{201, jsonType, goodCreated}},
		{name: "good get", get: true, answer: answering{200, jsonType, goodPayment}},
		{name: "good problem", answer: answering{400, problemType, problem}},
		{name: "wrong status", answer: answering{200, jsonType, goodCreated}, want: []string{creating + "status 200: status"}},
		{name: "wrong content type", answer: answering{201, "text/plain", goodCreated}, want: []string{creating + "header Content-Type: content type"}},
		{name: "no JSON", answer: answering{201, jsonType, "<html>"}, want: []string{creating + "body: JSON"}},
		{name: "nothing", answer: answering{201, jsonType, ""}, want: []string{creating + "body: JSON"}},
		{name: "missing field", get: true, answer: answering{200, jsonType, goodPayment}, old: `"state":"CREATED",`, want: []string{reading + "/state: required"}},
		{name: "missing sum", get: true, answer: answering{200, jsonType, goodPayment}, old: `"capturedAmount"`, new: `"captured"`, want: []string{
			reading + "/aggregate/capturedAmount: required", reading + "/aggregate/captured: unknown",
		}},
		{name: "unknown state", get: true, answer: answering{200, jsonType, goodPayment}, old: "CREATED", new: "INITIATED", want: []string{reading + "/state: enum"}},
		{name: "number as text", get: true, answer: answering{200, jsonType, goodPayment}, old: "4900", new: `"4900"`, want: []string{reading + "/amount/value: type"}},
		{name: "unknown field", get: true, answer: answering{200, jsonType, goodPayment}, old: `"profile"`, new: `"receipt":{},"profile"`, want: []string{reading + "/receipt: unknown"}},
		{name: "not a URI", answer: answering{201, jsonType, goodCreated}, old: "{", new: `{"redirectUrl":"landing",`, want: []string{creating + "/redirectUrl: format"}},
		{name: "problem without trace", answer: answering{409, problemType, problem}, old: `,"traceId":"00-1"`, want: []string{creating + "/traceId: required"}},
		{name: "gateway that says more", get: true, answer: answering{429, jsonType, `{"statusCode":429,"message":"Slow down","retry":1}`}, want: []string{
			reading + ": properties", reading + "/retry: unknown",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, answer := create(t, goodCreate), test.answer
			if test.get {
				r = get(t)
			}
			if test.old != "" {
				answer.body = strings.Replace(answer.body, test.old, test.new, 1)
			}
			if diff := cmp.Diff(test.want, exchange(t, checker, r, answer)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestWrongDeliveries does the same for webhooks.
func TestWrongDeliveries(t *testing.T) {
	t.Parallel()
	checker := newChecker(t)
	for _, test := range []struct{ old, new, want string }{
		{"", "", "[]"},
		{`"msn":"123456",`, "", "[/msn required]"},
		{"AUTHORIZED", "RESERVED", "[/name enum]"},
		{`"2026-01-19T16:26:32.099Z"`, `"yesterday"`, "[/timestamp format]"},
		{`"success":true`, `"success":true,"event":"x"`, "[/event unknown]"},
	} {
		var got []string
		for _, f := range checker.CheckDelivery([]byte(strings.Replace(goodEvent, test.old, test.new, 1))) {
			got = append(got, f.Where+" "+f.Rule)
		}
		if fmt.Sprint(got) != test.want {
			t.Errorf("%s: %v, want %s", test.new, got, test.want)
		}
	}
}

// TestUnused sees that exceptions which nothing needs are told, and so is what was never tried.
func TestUnused(t *testing.T) {
	t.Parallel()
	checker := newChecker(t)
	unused, err := checker.Unused()
	if err != nil || len(unused) < 10 {
		t.Errorf("%d exceptions are unused before anything was sent, %v", len(unused), err)
	}
	before := len(checker.Unseen())
	exchange(t, checker, create(t, goodCreate), answering{201, jsonType, goodCreated})
	if after := len(checker.Unseen()); after >= before || after == 0 {
		t.Errorf("%d things were never seen, then %d", before, after)
	}
	fewer, err := checker.Unused()
	if err != nil || len(fewer) != len(unused)-1 {
		t.Errorf("a customer needs one patch, but %d of %d exceptions are left, %v", len(fewer), len(unused), err)
	}
}
