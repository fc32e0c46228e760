package problem_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/internal/problem"
)

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
		{"html", "<html>502</html>", problem.Problem{Body: "<html>502</html>"}},
		{"empty", "", problem.Problem{}},
		{"a number", "17", problem.Problem{Body: "17"}},
		{"objects where text belongs", `{"title":{},"detail":[1]}`, problem.Problem{Body: `{"title":{},"detail":[1]}`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, problem.Decode([]byte(test.body))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDecodeKeepsLittle(t *testing.T) {
	t.Parallel()
	got := problem.Decode([]byte(strings.Repeat("x", 1<<20)))
	if len(got.Body) != 4<<10 {
		t.Errorf("kept %d bytes of an unreadable body, want 4096", len(got.Body))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"title":"t","extraDetails":[{"name":"ErrorCode","reason":"6080"}]}`))
	f.Add([]byte(`[{"errorMessage":"no"}]`))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p := problem.Decode(body)
		if len(p.Body) > 4<<10 {
			t.Errorf("kept %d bytes", len(p.Body))
		}
	})
}
