package epayment_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/apitest"
)

func TestModification(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.RegisterResponder("POST", payment+"/capture", apitest.Answer(200, apitest.Testdata(t, "captured.json")))
	got, err := a.client(t).Capture(t.Context(), reference, epayment.CaptureRequest{IdempotencyKey: "key-k1", Amount: nok(250)})
	if err != nil {
		t.Fatal(err)
	}
	want := &epayment.Modification{
		Amount: nok(1000), State: epayment.StateAuthorized, PSPReference: "37c34d8c-2649-448e-864b-060d5d93e4c4", Reference: reference,
		Aggregate: epayment.Aggregate{Authorized: nok(1000), Cancelled: nok(0), Captured: nok(250), Refunded: nok(0)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// changing is every call that changes a payment under a key.
var changing = []struct {
	name, url, good string
	call            func(context.Context, *epayment.Client) error
}{
	{"Create", payments, "created.json", func(ctx context.Context, c *epayment.Client) error {
		_, err := c.Create(ctx, minimal())
		return err
	}},
	{"Capture", payment + "/capture", "captured.json", func(ctx context.Context, c *epayment.Client) error {
		_, err := c.Capture(ctx, reference, epayment.CaptureRequest{IdempotencyKey: "k", Amount: nok(250)})
		return err
	}},
	{"Refund", payment + "/refund", "captured.json", func(ctx context.Context, c *epayment.Client) error {
		_, err := c.Refund(ctx, reference, epayment.RefundRequest{IdempotencyKey: "k", Amount: nok(250)})
		return err
	}},
	{"Cancel", payment + "/cancel", "captured.json", func(ctx context.Context, c *epayment.Client) error {
		_, err := c.Cancel(ctx, reference, epayment.CancelRequest{})
		return err
	}},
	{"CancelIfNotAuthorized", payment + "/cancel", "captured.json", func(ctx context.Context, c *epayment.Client) error {
		_, err := c.CancelIfNotAuthorized(ctx, reference, epayment.CancelRequest{})
		return err
	}},
}

// TestOutcome has the three endings of a call that changes something.
func TestOutcome(t *testing.T) {
	t.Parallel()
	unavailable := apitest.Answer(http.StatusServiceUnavailable, "")
	for _, test := range []struct {
		name     string
		answers  []httpmock.Responder // nil is a good answer
		want     error                // nil is success
		unknown  bool
		requests int
	}{
		{"good", []httpmock.Responder{nil}, nil, false, 1},
		{"lost, then good", []httpmock.Responder{apitest.HangUp, nil}, nil, false, 2},
		{"lost three times", []httpmock.Responder{apitest.HangUp, apitest.HangUp, apitest.HangUp}, vipps.ErrOutcomeUnknown, true, 3},
		{"unavailable three times", []httpmock.Responder{unavailable, unavailable, unavailable}, vipps.ErrOutcomeUnknown, true, 3},
		{"refused", []httpmock.Responder{refusal(400, "6090")}, epayment.CodeCaptureTooHigh, false, 1},
		{"taken", []httpmock.Responder{refusal(409, "4150")}, epayment.CodeReferenceExists, false, 1},
		{"lost, then taken", []httpmock.Responder{apitest.HangUp, refusal(409, "4150")}, epayment.CodeReferenceExists, true, 2},
		{"lost, then key taken", []httpmock.Responder{apitest.HangUp, refusal(409, "4020")}, vipps.ErrConflict, true, 2},
		{"lost, then refused for good", []httpmock.Responder{apitest.HangUp, refusal(400, "6100")}, epayment.CodeCapturePeriodExpired, false, 2},
		{"unknown code", []httpmock.Responder{refusal(400, "6999")}, vipps.Code("6999"), false, 1},
		{"page instead of an error", []httpmock.Responder{apitest.Answer(403, "<html>no</html>")}, vipps.ErrUnauthorized, false, 1},
		{"page instead of an answer", []httpmock.Responder{apitest.Answer(200, "<html>log in</html>")}, vipps.ErrOutcomeUnknown, true, 1},
		{"empty answer", []httpmock.Responder{apitest.Answer(200, "")}, vipps.ErrOutcomeUnknown, true, 1},
		{"answer without anything", []httpmock.Responder{apitest.Answer(200, "{}")}, vipps.ErrOutcomeUnknown, true, 1},
		{"no captured value", []httpmock.Responder{apitest.Answer(200, strings.Replace(`{"redirectUrl":1,`+apitest.Testdata(t, "captured.json")[1:], `, "value": 250`, "", 1))}, vipps.ErrOutcomeUnknown, true, 1},
		{"another reference", []httpmock.Responder{apitest.Answer(200, strings.ReplaceAll(apitest.Testdata(t, "captured.json"), reference, "another-reference"))}, vipps.ErrOutcomeUnknown, true, 1},
		{"number for a string", []httpmock.Responder{apitest.Answer(200, strings.ReplaceAll(apitest.Testdata(t, "captured.json"), `"`+reference+`"`, "12345678"))}, vipps.ErrOutcomeUnknown, true, 1},
	} {
		for _, operation := range changing {
			t.Run(test.name+"/"+operation.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					a := newAPI(t)
					good := apitest.Answer(200, apitest.Testdata(t, operation.good))
					next := 0
					a.RegisterResponder("POST", operation.url, func(r *http.Request) (*http.Response, error) {
						responder := good
						if next < len(test.answers) && test.answers[next] != nil {
							responder = test.answers[next]
						}
						next++
						return responder(r)
					})
					err := operation.call(t.Context(), a.client(t))
					if !errors.Is(err, test.want) || errors.Is(err, vipps.ErrOutcomeUnknown) != test.unknown {
						t.Errorf("error %v", err)
					}
					requests := a.Requests()
					if len(requests) != test.requests {
						t.Errorf("%d requests", len(requests))
					}
					for _, request := range requests[1:] {
						if diff := cmp.Diff(requests[0], request); diff != "" {
							t.Errorf("a repetition is not the same (-first +repeated):\n%s", diff)
						}
					}
				})
			})
		}
	}
}

func TestForceApproveIsNotRepeated(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.RegisterResponder("POST", base+"/epayment/v1/test/payments/"+reference+"/approve", apitest.Answer(500, ""))
	err := a.client(t).ForceApprove(t.Context(), reference, epayment.ForceApproveRequest{Token: "the-landing-token"})
	if !errors.Is(err, vipps.ErrOutcomeUnknown) || len(a.Requests()) != 1 {
		t.Errorf("%v after %d requests", err, len(a.Requests()))
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.RegisterResponder("POST", payment+"/capture", func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := a.client(t).Capture(ctx, reference, epayment.CaptureRequest{IdempotencyKey: "k", Amount: nok(1)})
		if !errors.Is(err, vipps.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}
