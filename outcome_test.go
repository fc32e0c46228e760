package vipps_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
)

type step struct {
	name  string
	steps []httpmock.Responder
}

var (
	unanswered = []step{
		{"connection lost", []httpmock.Responder{fails(errLost)}},
		{"500", []httpmock.Responder{answer(500, `{"title":"Internal error"}`)}},
		{"half a body", []httpmock.Responder{half(201)}},
	}
	inconclusive = []step{
		{"401", []httpmock.Responder{answer(401, ""), answer(401, "")}},
		{"403", []httpmock.Responder{answer(403, `{"statusCode":403,"message":"Forbidden"}`)}},
		{"423", []httpmock.Responder{refusal(423, "6160")}},
		{"429", []httpmock.Responder{answer(429, `{"statusCode":429,"message":"Rate limit is exceeded."}`, "Retry-After", "60")}},
		{"4020", []httpmock.Responder{refusal(409, "4020")}},
		{"4150", []httpmock.Responder{refusal(409, "4150")}},
		{"a page", []httpmock.Responder{answer(403, "<html>Forbidden</html>")}},
	}
	conclusive = []step{
		{"6080", []httpmock.Responder{refusal(400, "6080")}},
		{"5090", []httpmock.Responder{refusal(404, "5090")}},
		{"4040", []httpmock.Responder{refusal(400, "4040")}},
		{"5070", []httpmock.Responder{refusal(422, "5070")}},
	}
)

func join(parts ...step) step {
	var joined step
	for _, part := range parts {
		joined.name = strings.TrimPrefix(joined.name+", "+part.name, ", ")
		joined.steps = append(joined.steps, part.steps...)
	}
	return joined
}

// TestOutcome is the promise of Do: a change that may have been made is never called a failure, and one that certainly was
// not made is never called unknown.
func TestOutcome(t *testing.T) {
	t.Parallel()
	type test struct {
		step
		request vipps.Request
		want    ending
	}
	var tests []test
	for _, first := range unanswered {
		for _, second := range inconclusive {
			tests = append(tests, test{join(first, second), create(), unknown})
		}
		for _, second := range conclusive {
			tests = append(tests, test{join(first, second), create(), refused})
		}
		success := step{"201", []httpmock.Responder{answer(201, `{"id":"1"}`)}}
		tests = append(tests,
			test{join(first, success), create(), done},
			test{join(first, first, success), create(), done},
			test{join(first, first, first), create(), unknown},
			test{first, createWithoutKey(), unknown},
			test{first, with(http.MethodPatch), unknown},
			test{join(first, first, first), with(http.MethodPut), unknown},
			test{join(first, first, first), with(http.MethodDelete), unknown},
			test{join(first, first, first), get(), refused},
		)
	}
	for _, alone := range slices.Concat(inconclusive, conclusive) {
		tests = append(tests, test{alone, create(), refused}, test{alone, createWithoutKey(), refused})
	}
	one := func(name string, responder httpmock.Responder) step {
		return step{name, []httpmock.Responder{responder}}
	}
	for _, unreadable := range []step{
		one("302", answer(302, "", "Location", host+"/elsewhere")),
		one("307 to nowhere", answer(307, "", "Location", "http://[::1")),
		one("408", answer(408, "")),
		one("501", answer(501, "")),
		one("101", answer(101, "")),
		one("201 empty", answer(201, "")),
		one("204", answer(204, "")),
		one("201 null", answer(201, " null ")),
		one("201 page", answer(201, "\xef\xbb\xbf<!DOCTYPE html>")),
		one("201 cut", answer(201, `{"id":"thi`)),
		one("201 of another type", answer(201, `{"id":17}`)),
		one("201 list", answer(201, `[]`)),
		one("201 too large", answer(201, `{"id":"1"}`+strings.Repeat(" ", 1<<20))),
	} {
		tests = append(tests, test{unreadable, create(), unknown}, test{unreadable, with(http.MethodPut), unknown}, test{unreadable, get(), refused})
	}
	never := one("no connection", fails(errDial))
	tests = append(tests,
		test{join(never, never, never), create(), refused},
		test{join(never, never, never), createWithoutKey(), refused},
		test{join(never, never, unanswered[0]), create(), unknown},
		test{join(unanswered[0], never, never), create(), unknown},
		test{join(never, one("201", answer(201, `{"id":"1"}`))), createWithoutKey(), done},
		test{join(one("half a refusal", half(400))), create(), refused},
		test{join(unanswered[0], one("half a refusal", half(400))), create(), unknown},
		test{one("a large refusal", answer(403, strings.Repeat("x", 2<<20))), create(), refused},
		test{join(unanswered[0], one("404 without a code", answer(404, ""))), create(), unknown},
		test{join(unanswered[0], one("400 without a code", answer(400, `{"title":"No"}`))), create(), unknown},
		test{join(unanswered[0], one("code on 500", refusal(500, "3010")), one("code on 500", refusal(500, "3010"))), create(), unknown},
		test{join(one("429", answer(429, "")), one("429", answer(429, "")), one("429", answer(429, ""))), create(), refused},
	)
	for _, test := range tests {
		t.Run(test.request.Method+" "+test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newService(t)
				service.script(test.request.Method, thingURL, test.steps...)
				var result thing
				err := newClient(t, config(service)).Do(t.Context(), test.request, &result)
				if got := endingOf(err); got != test.want {
					t.Errorf("%s, want %s: %v", got, test.want, err)
				}
				var failed *vipps.Error
				if err != nil && (!errors.As(err, &failed) || failed.OutcomeUnknown != (test.want == unknown)) {
					t.Errorf("OutcomeUnknown disagrees: %#v", err)
				}
				service.done()
			})
		})
	}
}

func TestOutcomeWhenTheNewTokenIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		steps   []httpmock.Responder
		renewal []httpmock.Responder
		want    ending
		status  int
	}{
		{"alone", []httpmock.Responder{answer(401, "")}, []httpmock.Responder{answer(401, "")}, refused, 401},
		{"after a lost attempt", []httpmock.Responder{fails(errLost), answer(401, "")}, []httpmock.Responder{answer(401, "")}, unknown, 401},
		// A code of the token endpoint is about the token, so it cannot settle what became of the call.
		{"with a code", []httpmock.Responder{fails(errLost), answer(401, "")}, []httpmock.Responder{refusal(400, "6080")}, unknown, 400},
		{
			"no connection",
			[]httpmock.Responder{fails(errLost), answer(401, "")},
			[]httpmock.Responder{fails(errDial), fails(errDial), fails(errDial)},
			unknown, 0,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newService(t)
				service.script(http.MethodPost, tokenURL, append([]httpmock.Responder{token("token-1", `3600`)}, test.renewal...)...)
				service.script(http.MethodPost, thingURL, test.steps...)
				err := newClient(t, config(service)).Do(t.Context(), create(), nil)
				failed, ok := errors.AsType[*vipps.Error](err)
				if !ok || endingOf(err) != test.want || failed.Status != test.status || failed.During != "accesstoken.Get" || failed.Conclusive() {
					t.Errorf("%v, want %s with status %d", err, test.want, test.status)
				}
				service.done()
			})
		})
	}
}

func TestOutcomeOfACancelledCall(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		steps []httpmock.Responder
		end   time.Duration // when the context is cancelled
		want  ending
	}{
		{"before it began", nil, 0, refused},
		{"in the wait after a 429", []httpmock.Responder{answer(429, "", "Retry-After", "5")}, time.Second, refused},
		{"in the wait after a 500", []httpmock.Responder{answer(500, "", "Retry-After", "5")}, time.Second, unknown},
		{"in the wait after a lost connection", []httpmock.Responder{fails(errLost)}, 100 * time.Millisecond, unknown},
		{"in the wait after no connection", []httpmock.Responder{fails(errDial)}, 100 * time.Millisecond, refused},
		{"during the attempt", []httpmock.Responder{slowly(time.Minute, answer(201, `{}`))}, time.Second, unknown},
		{"during the attempt after a 429", []httpmock.Responder{answer(429, "", "Retry-After", "1"), slowly(time.Minute, answer(201, `{}`))}, 3 * time.Second, unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newService(t)
				client := newClient(t, config(service))
				service.script(http.MethodGet, thingURL, answer(200, `{}`))
				if err := client.Do(t.Context(), get(), nil); err != nil { // so that there is a token
					t.Fatal(err)
				}
				service.script(http.MethodPost, thingURL, test.steps...)
				ctx, cancel := after(t.Context(), test.end)
				defer cancel()
				if test.end == 0 {
					cancel()
				}
				err := client.Do(ctx, create(), nil)
				if got := endingOf(err); got != test.want || !errors.Is(err, context.Canceled) {
					t.Errorf("%s, want %s because of the context: %v", got, test.want, err)
				}
				service.done()
			})
		})
	}
}

// TestStatusSurvivesTheContext: a call that ends while it waits still says what it was waiting for.
func TestStatusSurvivesTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.script(http.MethodPost, thingURL, answer(429, `{"message":"Rate limit is exceeded."}`, "Retry-After", "5"))
		ctx, cancel := after(t.Context(), time.Second)
		defer cancel()
		err := newClient(t, config(service)).Do(ctx, create(), nil)
		failed, ok := errors.AsType[*vipps.Error](err)
		if !ok || failed.Status != 429 || failed.RetryAfter != 5*time.Second || !errors.Is(err, vipps.ErrRateLimited) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestAnswerKept: the answer that arrives as the context ends is the answer.
func TestAnswerKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status int
		want   ending
	}{{201, done}, {400, refused}, {401, refused}, {429, refused}, {500, unknown}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			service := newService(t)
			service.script(http.MethodPost, thingURL, func(r *http.Request) (*http.Response, error) {
				return answer(test.status, `{"id":"1"}`)(r)
			})
			late := roundTrip(func(r *http.Request) (*http.Response, error) {
				response, err := service.RoundTrip(r)
				if r.URL.String() == thingURL {
					cancel()
				}
				return response, err
			})
			var result thing
			err := newClient(t, config(late)).Do(ctx, create(), &result)
			if got := endingOf(err); got != test.want || err != nil && errors.Is(err, context.Canceled) {
				t.Errorf("%d: %s, want %s: %v", test.status, got, test.want, err)
			}
			service.done()
		})
	}
}

// TestOutcomeOfAnAnswerNobodyReads: a page is no success even where the answer does not matter.
func TestOutcomeOfAnAnswerNobodyReads(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body   string
		result any
		want   ending
	}{
		{"", nil, done},
		{"OK", nil, done},
		{`{"id":1`, nil, done},
		{"<html>", nil, unknown},
		{" \n<html>", nil, unknown},
		{"\xef\xbb\xbf<html>", nil, unknown},
		{strings.Repeat("x", 1<<20+1), nil, unknown},
		{"\xef\xbb\xbf{}", &thing{}, done},
		{`{"id":"1","new":{"field":[1]}}`, &thing{}, done},
	} {
		service := newService(t)
		service.script(http.MethodPost, thingURL, answer(200, test.body))
		err := newClient(t, config(service)).Do(t.Context(), create(), test.result)
		if got := endingOf(err); got != test.want {
			t.Errorf("%.20q: %s, want %s: %v", test.body, got, test.want, err)
		}
	}
}

func TestOutcomeOfAnAnswerThatIsNotAccepted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		request vipps.Request
		want    ending
	}{{create(), unknown}, {get(), refused}} {
		service := newService(t)
		service.script(test.request.Method, thingURL, answer(200, `{"id":"2"}`))
		var result thing
		wrong := errors.New("another thing")
		test.request.Accept = func() error {
			if result.ID != "1" {
				return wrong
			}
			return nil
		}
		err := newClient(t, config(service)).Do(t.Context(), test.request, &result)
		if endingOf(err) != test.want || !errors.Is(err, wrong) {
			t.Errorf("%s: %v", test.request.Method, err)
		}
		service.done()
	}
}
