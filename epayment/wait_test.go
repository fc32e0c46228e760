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

func inState(t *testing.T, state epayment.State) httpmock.Responder {
	t.Helper()
	return apitest.Answer(200, strings.Replace(apitest.Testdata(t, "payment.json"), `"AUTHORIZED"`, `"`+string(state)+`"`, 1))
}

func TestWaitFinal(t *testing.T) {
	t.Parallel()
	created := inState(t, epayment.StateCreated)
	limited := func(seconds string) httpmock.Responder {
		return func(r *http.Request) (*http.Response, error) {
			response, err := refusal(http.StatusTooManyRequests, "")(r)
			response.Header.Set("Retry-After", seconds)
			return response, err
		}
	}
	for _, test := range []struct {
		name    string
		answers []httpmock.Responder // the last one comes again and again
		want    epayment.State       // empty is an error
		err     error
		looks   []time.Duration // nil is not looked at
	}{
		{
			"looks after 5, 7 and 9 seconds",
			[]httpmock.Responder{created, created, inState(t, epayment.StateAuthorized)},
			epayment.StateAuthorized, nil,
			[]time.Duration{5 * time.Second, 7 * time.Second, 9 * time.Second},
		},
		{"aborted", []httpmock.Responder{inState(t, epayment.StateAborted)}, epayment.StateAborted, nil, []time.Duration{5 * time.Second}},
		{"expired", []httpmock.Responder{inState(t, epayment.StateExpired)}, epayment.StateExpired, nil, nil},
		{"terminated", []httpmock.Responder{inState(t, epayment.StateTerminated)}, epayment.StateTerminated, nil, nil},
		{"a state of the future", []httpmock.Responder{inState(t, "POSTPONED"), inState(t, epayment.StateAborted)}, epayment.StateAborted, nil, nil},
		{"lost answers", []httpmock.Responder{apitest.HangUp, apitest.HangUp, apitest.HangUp, apitest.HangUp, inState(t, epayment.StateAuthorized)}, epayment.StateAuthorized, nil, nil},
		{"locked, unavailable, a page", []httpmock.Responder{
			refusal(423, ""), apitest.Answer(502, "<html>"), apitest.Answer(502, ""), apitest.Answer(502, ""), apitest.Answer(200, "<html>log in"), inState(t, epayment.StateAuthorized),
		}, epayment.StateAuthorized, nil, nil},
		{"too often", []httpmock.Responder{created, limited("60"), inState(t, epayment.StateAuthorized)}, epayment.StateAuthorized, nil, []time.Duration{
			5 * time.Second, 7 * time.Second, 67 * time.Second,
		}},
		{"not there yet", []httpmock.Responder{refusal(404, "5090"), inState(t, epayment.StateAuthorized)}, epayment.StateAuthorized, nil, nil},
		{"never there", []httpmock.Responder{refusal(404, "5090")}, "", vipps.ErrNotFound, nil},
		{"gone", []httpmock.Responder{created, refusal(404, "5090")}, "", epayment.CodeReferenceNotFound, []time.Duration{5 * time.Second, 7 * time.Second}},
		{"not allowed", []httpmock.Responder{refusal(403, "")}, "", vipps.ErrUnauthorized, []time.Duration{5 * time.Second}},
		{"wrong keys", []httpmock.Responder{refusal(401, "")}, "", vipps.ErrUnauthorized, []time.Duration{5 * time.Second, 5 * time.Second}},
		{"bad request", []httpmock.Responder{refusal(400, "")}, "", nil, []time.Duration{5 * time.Second}},
		{"undecided", []httpmock.Responder{created}, "", context.DeadlineExceeded, nil},
		{"network away", []httpmock.Responder{apitest.HangUp}, "", context.DeadlineExceeded, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var looks []time.Duration
				a := newAPI(t)
				a.RegisterResponder("GET", payment, func(r *http.Request) (*http.Response, error) {
					responder := test.answers[min(len(looks), len(test.answers)-1)]
					looks = append(looks, time.Since(start))
					return responder(r)
				})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				got, err := a.client(t).WaitFinal(ctx, reference)
				synctest.Wait()
				if test.want == "" {
					if got != nil || err == nil || test.err != nil && !errors.Is(err, test.err) {
						t.Errorf("%v, %v", got, err)
					}
				} else if err != nil || got.State != test.want {
					t.Errorf("%v, %v", got, err)
				}
				if diff := cmp.Diff(test.looks, looks); test.looks != nil && diff != "" {
					t.Errorf("looks (-want +got):\n%s", diff)
				}
				if test.err == context.DeadlineExceeded && time.Since(start) != 10*time.Minute { //nolint:errorlint // a column of the table
					t.Errorf("ended after %v", time.Since(start))
				}
			})
		})
	}
}

func TestWaitFinalCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		got, err := a.client(t).WaitFinal(ctx, reference)
		if got != nil || !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("%v, %v after %v", got, err, time.Since(start))
		}
	})
}
