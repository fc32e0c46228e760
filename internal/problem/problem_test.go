package problem_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/internal/problem"
)

func same(text string) string { return text }

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		want problem.Problem
	}{
		{
			"epayment",
			"\xef\xbb\xbf" + `{"type":"https://httpstatuses.io/400","title":"Cannot capture before reservation","detail":"d","instance":"/v1/payments/r/capture","status":400,"extraDetails":[{"name":"ErrorCode","reason":"6080"}],"traceId":"00-81-70-01"}`,
			problem.Problem{
				Code: "6080", Type: "https://httpstatuses.io/400", Title: "Cannot capture before reservation", Detail: "d",
				Instance: "/v1/payments/r/capture", TraceID: "00-81-70-01", Details: []problem.Detail{{Name: "ErrorCode", Reason: "6080"}},
			},
		},
		{
			"code as a number, status as a string",
			`{"title":"t","status":"400","extraDetails":[{"name":"ErrorCode","reason":6080}]}`,
			problem.Problem{Code: "6080", Title: "t", Details: []problem.Detail{{Name: "ErrorCode", Reason: "6080"}}},
		},
		{
			"qr and order management",
			`{"title":"One or more validation errors occurred.","detail":"BadRequest","instance":"00-616e-48b9-00","invalidParams":[{"name":"RedirectUrl","reason":"must match"}]}`,
			problem.Problem{
				Title: "One or more validation errors occurred.", Detail: "BadRequest", Instance: "00-616e-48b9-00",
				TraceID: "00-616e-48b9-00", Details: []problem.Detail{{Name: "RedirectUrl", Reason: "must match"}},
			},
		},
		{"only an id", `{"id":"machine_1"}`, problem.Problem{Title: "id is taken", Details: []problem.Detail{{Name: "id", Reason: "machine_1"}}}},
		{
			"gateway", `{"statusCode":429,"message":"Rate limit is exceeded. Try again in 3 seconds."}`,
			problem.Problem{Title: "Rate limit is exceeded. Try again in 3 seconds."},
		},
		{
			"token", `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret","error_codes":[7000215],"trace_id":"t"}`,
			problem.Problem{Title: "invalid_client", Detail: "AADSTS7000215: Invalid client secret", TraceID: "t"},
		},
		{
			"old list", `[{"errorMessage":"no","errorCode":35}]`,
			problem.Problem{Title: "no", Details: []problem.Detail{{Name: "35", Reason: "no"}}},
		},
		{"old list of strings", `["no"]`, problem.Problem{Title: "no", Details: []problem.Detail{{Reason: "no"}}}},
		{"error info", `{"errorInfo":{"errorMessage":"no"}}`, problem.Problem{Title: "no"}},
		{"null details", `{"title":"t","extraDetails":null}`, problem.Problem{Title: "t"}},
		{
			"a number that is no code", `{"title":"t","extraDetails":[{"name":"ErrorCode","reason":"4791234567"}]}`,
			problem.Problem{Title: "t", Details: []problem.Detail{{Name: "ErrorCode", Reason: "4791234567"}}},
		},
		{
			"a sentence that is no code", `{"title":"t","extraDetails":[{"name":"ErrorCode","reason":"no"}]}`,
			problem.Problem{Title: "t", Details: []problem.Detail{{Name: "ErrorCode", Reason: "no"}}},
		},
		{
			"the spelling of the name changes", `{"title":"t","extraDetails":[{"name":"errorCode","reason":"4040"}]}`,
			problem.Problem{Code: "4040", Title: "t", Details: []problem.Detail{{Name: "errorCode", Reason: "4040"}}},
		},
		{
			"webhooks", `{"type":"00-8","title":"Bad","status":400,"instance":"/v1/webhooks","traceId":"00-9","extraDetails":[{"name":"url","reason":"r"}]}`,
			problem.Problem{Type: "00-8", Title: "Bad", Instance: "/v1/webhooks", TraceID: "00-9", Details: []problem.Detail{{Name: "url", Reason: "r"}}},
		},
		{
			"old list with a page around it", `{"errors":["no"]}`,
			problem.Problem{Title: "no", Details: []problem.Detail{{Reason: "no"}}},
		},
		{"response info", `{"ResponseInfo":{"ResponseMessage":"no"}}`, problem.Problem{Title: "no"}},
		{"half a body", `{"title":"t","extra`, problem.Problem{Body: `{"title":"t","extra`}},
		{"html", "<html>502</html>", problem.Problem{Body: "<html>502</html>"}},
		{"empty", "", problem.Problem{}},
		{"a number", "17", problem.Problem{Body: "17"}},
		{"objects where text belongs", `{"title":{},"detail":[1]}`, problem.Problem{Body: `{"title":{},"detail":[1]}`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, problem.Decode([]byte(test.body), same)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDecodeKeepsLittle(t *testing.T) {
	t.Parallel()
	got := problem.Decode([]byte(strings.Repeat("x", 1<<20)), same)
	if len(got.Body) != 4<<10 {
		t.Errorf("kept %d bytes of an unreadable body, want 4096", len(got.Body))
	}
}

// TestDecodeCleansBeforeItCuts puts a secret where the limit of a text is: half of one is still a secret.
func TestDecodeCleansBeforeItCuts(t *testing.T) {
	t.Parallel()
	clean := func(text string) string { return strings.ReplaceAll(text, "secret", "*") }
	if got := problem.Decode([]byte(strings.Repeat("x", 4<<10-3)+"secret"), clean); strings.Contains(got.Body, "sec") {
		t.Errorf("the body ends with %q", got.Body[len(got.Body)-9:])
	}
	if got := problem.Decode([]byte(`{"title":"`+strings.Repeat("x", 1<<10-3)+`secret"}`), clean); strings.Contains(got.Title, "sec") {
		t.Errorf("the title ends with %q", got.Title[len(got.Title)-9:])
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"title":"t","extraDetails":[{"name":"ErrorCode","reason":"6080"}]}`))
	f.Add([]byte(`[{"errorMessage":"no"}]`))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := problem.Decode(body, same)
		if len(p.Body) > 4<<10 {
			t.Errorf("kept %d bytes", len(p.Body))
		}
	})
}
