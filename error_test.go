package vipps_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vippsvending/vipps"
)

// TestError sends every shape of error body through a call.
func TestError(t *testing.T) {
	t.Parallel()
	const op, subject = "things.Get", "thing-1"
	for _, test := range []struct {
		name   string
		status int
		body   string
		header []string
		want   vipps.Error
		text   string
	}{
		{
			"epayment", 400,
			`{"type":"https://httpstatuses.io/400","title":"Cannot capture before reservation","detail":"d","instance":"/v1/x","status":400,"extraDetails":[{"name":"ErrorCode","reason":"6080"}],"traceId":"00-81"}`,
			nil,
			vipps.Error{
				Code: "6080", Type: "https://httpstatuses.io/400", Title: "Cannot capture before reservation", Detail: "d", Instance: "/v1/x",
				TraceID: "00-81", Details: []vipps.Detail{{Name: "ErrorCode", Reason: "6080"}},
			},
			"400 6080 Cannot capture before reservation (trace 00-81)",
		},
		{
			"numbers where text belongs", 409, `{"title":17,"traceId":18,"status":"409","extraDetails":[{"name":"ErrorCode","reason":4150},{"name":"x","reason":1}]}`, nil,
			vipps.Error{Code: "4150", Title: "17", TraceID: "18", Details: []vipps.Detail{{Name: "ErrorCode", Reason: "4150"}, {Name: "x", Reason: "1"}}},
			"409 4150 17; x: 1 (trace 18)",
		},
		{
			"qr", 400, `{"title":"One or more validation errors occurred.","detail":"BadRequest","instance":"00-616e","invalidParams":[{"name":"RedirectUrl","reason":"must match"}]}`, nil,
			vipps.Error{
				Title: "One or more validation errors occurred.", Detail: "BadRequest", Instance: "00-616e", TraceID: "00-616e",
				Details: []vipps.Detail{{Name: "RedirectUrl", Reason: "must match"}},
			},
			"400 One or more validation errors occurred.; RedirectUrl: must match (trace 00-616e)",
		},
		{
			"id that is taken", 409, `{"id":"machine_1"}`, nil,
			vipps.Error{Title: "id is taken", Details: []vipps.Detail{{Name: "id", Reason: "machine_1"}}},
			"409 id is taken; id: machine_1",
		},
		{
			"gateway", 429, `{"statusCode":429,"message":"Rate limit is exceeded. Try again in 60 seconds."}`,
			[]string{"Retry-After", "60"},
			vipps.Error{Title: "Rate limit is exceeded. Try again in 60 seconds.", RetryAfter: time.Minute},
			"429 Rate limit is exceeded. Try again in 60 seconds.",
		},
		{
			"old list", 400, `[{"errorMessage":"no","errorCode":35}]`, nil,
			vipps.Error{Title: "no", Details: []vipps.Detail{{Name: "35", Reason: "no"}}},
			"400 no",
		},
		{
			"list of texts", 400, `["no","nor this"]`, nil,
			vipps.Error{Title: "no", Details: []vipps.Detail{{Reason: "no"}, {Reason: "nor this"}}},
			"400 no; nor this",
		},
		{"error info", 400, `{"errorInfo":{"errorMessage":"no"}}`, nil, vipps.Error{Title: "no"}, "400 no"},
		{"page", 403, "<html>\nForbidden</html>", nil, vipps.Error{Body: "<html>\nForbidden</html>"}, "403 Forbidden"},
		{"empty", 404, "", nil, vipps.Error{}, "404 Not Found"},
		{"nothing known", 418, `{"a":1}`, nil, vipps.Error{Body: `{"a":1}`}, "418 I'm a teapot"},
		{"a status without a name", 499, ``, nil, vipps.Error{}, "499"},
		{
			"lines and controls", 400, `{"title":"a\r\nb\u2028c\u001b[31md\u0085e","traceId":"t\nu","extraDetails":[{"name":"n\n","reason":"r\tq"}]}`, nil,
			vipps.Error{Title: "a\r\nb\u2028c\x1b[31md\u0085e", TraceID: "t\nu", Details: []vipps.Detail{{Name: "n\n", Reason: "r\tq"}}},
			"400 a b c [31md e; n : r q (trace t u)",
		},
		{
			"a code that is none", 400, `{"title":"t","extraDetails":[{"name":"ErrorCode","reason":"see the manual"}]}`, nil,
			vipps.Error{Title: "t", Details: []vipps.Detail{{Name: "ErrorCode", Reason: "see the manual"}}},
			"400 t; ErrorCode: see the manual",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := newService(t)
			service.script(http.MethodGet, thingURL, answer(test.status, test.body, test.header...))
			err := newClient(t, config(service)).Do(t.Context(), get(), &thing{})
			test.want.Op, test.want.Subject, test.want.Status = op, subject, test.status
			got, ok := errors.AsType[*vipps.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(&test.want, got, cmpopts.IgnoreUnexported(vipps.Error{})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if want := op + " " + subject + ": " + test.text; got.Error() != want {
				t.Errorf("%q, want %q", got, want)
			}
			service.done()
		})
	}
}

func TestErrorIsShort(t *testing.T) {
	t.Parallel()
	service := newService(t)
	long := strings.Repeat("x", 100_000)
	details := strings.Repeat(`{"name":"`+long[:2000]+`","reason":"`+long[:2000]+`"},`, 40)
	service.script(http.MethodGet, thingURL, answer(400, `{"title":"`+long+`","traceId":"00-1","extraDetails":[`+strings.TrimSuffix(details, ",")+`]}`))
	err := newClient(t, config(service)).Do(t.Context(), get(), nil)
	if n := len(err.Error()); n > 16<<10 || !strings.HasSuffix(err.Error(), "(trace 00-1)") {
		t.Errorf("%d bytes: …%s", n, err.Error()[n-20:])
	}
}

func TestErrorIs(t *testing.T) {
	t.Parallel()
	sentinels := []error{
		vipps.ErrInvalidRequest, vipps.ErrOutcomeUnknown, vipps.ErrUnauthorized, vipps.ErrNotFound, vipps.ErrConflict, vipps.ErrRateLimited,
		vipps.ErrNotAvailable, vipps.Code("4150"), vipps.Code("6080"), vipps.Code(""),
	}
	for _, test := range []struct {
		err  *vipps.Error
		want []error
	}{
		{&vipps.Error{}, nil},
		{&vipps.Error{Status: 400}, nil},
		{&vipps.Error{Status: 401}, []error{vipps.ErrUnauthorized}},
		{&vipps.Error{Status: 403}, []error{vipps.ErrUnauthorized}},
		{&vipps.Error{Status: 404}, []error{vipps.ErrNotFound}},
		{&vipps.Error{Status: 409, Code: "4150"}, []error{vipps.ErrConflict, vipps.Code("4150")}},
		{&vipps.Error{Status: 429, OutcomeUnknown: true}, []error{vipps.ErrRateLimited, vipps.ErrOutcomeUnknown}},
		{&vipps.Error{Status: 500, OutcomeUnknown: true}, []error{vipps.ErrOutcomeUnknown}},
		{&vipps.Error{Status: 404, During: "accesstoken.Get"}, nil},
		{&vipps.Error{Status: 409, During: "accesstoken.Get", Code: "4150"}, nil},
		{&vipps.Error{Status: 400, During: "accesstoken.Get"}, []error{vipps.ErrUnauthorized}},
	} {
		var want []string
		for _, sentinel := range test.want {
			want = append(want, sentinel.Error())
		}
		var got []string
		for _, sentinel := range sentinels {
			if errors.Is(test.err, sentinel) {
				got = append(got, sentinel.Error())
			}
		}
		if diff := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("%+v (-want +got)\n%s", test.err, diff)
		}
	}
}

func TestConclusive(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		code   vipps.Code
		want   bool
	}{
		{400, "6080", true},
		{404, "5090", true},
		{400, "4040", true},
		{422, "5070", true},
		{403, "5080", true},
		{400, "6260", true},
		{400, "99999", true}, // numbered, if not by a number of ours
		{400, "", false},
		{403, "", false},
		{404, "", false},
		{409, "", false},
		{409, "4010", false},
		{409, "4020", false},
		{409, "4150", false},
		{400, "4150", false},
		{400, "6160", false},
		{400, "6250", false},
		{400, "6280", false},
		{401, "6080", false},
		{408, "6080", false},
		{423, "6080", false},
		{429, "6080", false},
		{500, "3010", false},
		{502, "6080", false},
		{302, "6080", false},
		{200, "6080", false},
		{0, "6080", false},
	} {
		if got := (&vipps.Error{Status: test.status, Code: test.code}).Conclusive(); got != test.want {
			t.Errorf("%d %s: %t", test.status, test.code, got)
		}
		if (&vipps.Error{Status: test.status, Code: test.code, During: "accesstoken.Get"}).Conclusive() {
			t.Errorf("%d %s is conclusive although it is about the token", test.status, test.code)
		}
	}
}

// TestAnswerThatCannotBeRead names the field and keeps the value to itself.
func TestAnswerThatCannotBeRead(t *testing.T) {
	t.Parallel()
	type result struct {
		Inner struct {
			Phone int       `json:"phone"`
			At    time.Time `json:"at"`
		} `json:"inner"`
	}
	for _, test := range []struct{ name, body, want string }{
		{"another type", `{"inner":{"phone":"secret"}}`, "the answer cannot be read: field inner.phone is not of type int"},
		{"no JSON", `{"inner":secret}`, "the answer cannot be read: bad JSON after 10 bytes"},
		{"half", `{"inner":{"phone":4`, "the answer cannot be read: bad JSON after 19 bytes"},
		{"own decoder", `{"inner":{"at":"secret"}}`, "the answer cannot be read: a field has an unexpected form"},
		{"two answers", `{} {}`, "the answer cannot be read: bad JSON after 4 bytes"},
		{"empty", " \n", "the answer is empty"},
		{"null", "null", "the answer is empty"},
		{"page", " <p>", "a page of HTML came instead of an answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := newService(t)
			service.script(http.MethodPost, thingURL, answer(200, test.body))
			err := newClient(t, config(service)).Do(t.Context(), create(), &result{})
			if want := "things.Create thing-1: outcome unknown: 200 " + test.want; err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}
