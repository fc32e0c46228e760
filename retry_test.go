package vipps_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptrace"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
)

// TestRepetition is the table of the package comment.
func TestRepetition(t *testing.T) {
	t.Parallel()
	requests := []vipps.Request{get(), with(http.MethodHead), with(http.MethodPut), with(http.MethodDelete), create(), createWithoutKey(), with(http.MethodPatch)}
	const (
		never     = 1
		always    = 3
		repeating = 0 // where repeating is safe
	)
	for _, test := range []struct {
		name  string
		step  httpmock.Responder
		times int
	}{
		{"no connection", fails(errDial), always},
		{"429", answer(429, ""), always},
		{"429 for 8 s", answer(429, "", "Retry-After", "8"), always},
		{"429 for 9 s", answer(429, "", "Retry-After", "9"), never},
		{"lost", fails(errLost), repeating},
		{"half a body", half(200), repeating},
		{"500", answer(500, ""), repeating},
		{"502", answer(502, "<html>"), repeating},
		{"503 for 8 s", answer(503, "", "Retry-After", "8"), repeating},
		{"503 for 9 s", answer(503, "", "Retry-After", "9"), never},
		{"504", answer(504, ""), repeating},
		{"501", answer(501, ""), never},
		{"302", answer(302, "", "Location", "/"), never},
		{"400", answer(400, ""), never},
		{"403", answer(403, ""), never},
		{"404", answer(404, ""), never},
		{"408", answer(408, ""), never},
		{"409", answer(409, ""), never},
		{"423", refusal(423, "6160"), never},
		{"200", answer(200, "{}"), never},
		{"200 that cannot be read", answer(200, "<html>"), never},
	} {
		for _, request := range requests {
			times := test.times
			if times == repeating {
				times = 3
				if request.IdempotencyKey == "" && (request.Method == http.MethodPost || request.Method == http.MethodPatch) {
					times = 1
				}
			}
			t.Run(test.name+" "+request.Method+request.IdempotencyKey, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					service := newService(t)
					service.script(request.Method, thingURL, slices.Repeat([]httpmock.Responder{test.step}, times)...)
					_ = newClient(t, config(service)).Do(t.Context(), request, nil)
					service.done()
				})
			})
		}
	}
}

// TestAttemptsAreTheSame: the key is one per operation and not per attempt, and a key goes with the same bytes.
func TestAttemptsAreTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.script(http.MethodPost, tokenURL, token("token-1", `3600`), token("token-2", `3600`))
		service.script(http.MethodPost, thingURL, fails(errLost), answer(401, ""), answer(503, ""), answer(201, ""))
		if err := newClient(t, config(service)).Do(t.Context(), create(), nil); err != nil {
			t.Fatal(err)
		}
		service.done()
		sent := service.sent(thingURL)
		for i, got := range sent {
			want := sent[0].header.Clone()
			if i > 1 {
				want.Set("Authorization", "Bearer token-2")
			}
			if diff := cmp.Diff(want, got.header); diff != "" {
				t.Errorf("attempt %d (-want +got)\n%s", i+1, diff)
			}
			if got.body != `{"name":"æ<&>","value":4900}` || got.header.Get("Idempotency-Key") != "key-1" {
				t.Errorf("attempt %d: key %q, body %s", i+1, got.header.Get("Idempotency-Key"), got.body)
			}
		}
	})
}

// TestEarlierAttemptIsLeftAlone: net/http may still be writing a request that has been answered.
func TestEarlierAttemptIsLeftAlone(t *testing.T) {
	t.Parallel()
	service := newService(t)
	service.script(http.MethodPost, tokenURL, token("token-1", `3600`), token("token-2", `3600`))
	service.script(http.MethodPost, thingURL, answer(401, ""), answer(201, ""))
	var kept []http.Header
	keeping := roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.String() == thingURL {
			kept = append(kept, r.Header)
		}
		return service.RoundTrip(r)
	})
	if err := newClient(t, config(keeping)).Do(t.Context(), create(), nil); err != nil {
		t.Fatal(err)
	}
	for i, header := range kept {
		if got, want := header.Get("Authorization"), []string{"Bearer token-1", "Bearer token-2"}[i]; got != want {
			t.Errorf("attempt %d: %s, want %s", i+1, got, want)
		}
	}
}

func TestAttemptsAreFew(t *testing.T) {
	t.Parallel()
	lost, stale := fails(errLost), answer(401, "")
	for _, test := range []struct {
		name  string
		once  bool
		steps []httpmock.Responder
	}{
		{"three", false, []httpmock.Responder{lost, lost, lost}},
		{"401 and three", false, []httpmock.Responder{stale, lost, lost, lost}},
		{"401 in the middle", false, []httpmock.Responder{lost, stale, lost, lost}},
		{"401 at the end", false, []httpmock.Responder{lost, lost, stale, lost}},
		{"401 twice", false, []httpmock.Responder{stale, stale}},
		{"401 twice, not in a row", false, []httpmock.Responder{stale, lost, stale}},
		{"single", true, []httpmock.Responder{lost}},
		{"single 429", true, []httpmock.Responder{answer(429, "")}},
		{"single, never sent", true, []httpmock.Responder{fails(errDial)}},
		{"single and 401", true, []httpmock.Responder{stale, lost}},
		{"single and 401 twice", true, []httpmock.Responder{stale, stale}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newService(t)
				service.script(http.MethodPost, thingURL, test.steps...)
				client := newClient(t, config(service))
				if test.once {
					client = client.SingleAttempt()
				}
				if err := client.Do(t.Context(), create(), nil); err == nil {
					t.Error("no error")
				}
				service.done()
			})
		})
	}
}

// TestWaits measures the pauses between attempts on a clock that does not really run.
func TestWaits(t *testing.T) {
	t.Parallel()
	const little = 250 * time.Millisecond
	for _, test := range []struct {
		name  string
		first httpmock.Responder
		least time.Duration
		most  time.Duration
	}{
		{"without a wish", answer(503, ""), little, little + time.Second},
		{"lost", fails(errLost), little, little + time.Second},
		{"seconds", answer(429, "", "Retry-After", "2"), 2 * time.Second, 2*time.Second + little},
		{"as long as it goes", answer(429, "", "Retry-After", "8"), 8 * time.Second, 8*time.Second + little},
		{"none", answer(429, "", "Retry-After", "0"), 0, little},
		{"negative", answer(429, "", "Retry-After", "-5"), 0, little},
		{"nonsense", answer(429, "", "Retry-After", "soon"), little, little + time.Second},
		{"a date", dated(429, 3*time.Second), 2 * time.Second, 3*time.Second + little},
		{"a date that has passed", dated(429, -time.Hour), 0, little},
		{"on 503", answer(503, "", "Retry-After", "4"), 4 * time.Second, 4*time.Second + little},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			seen := map[time.Duration]bool{}
			for range 50 {
				synctest.Test(t, func(t *testing.T) {
					service := newService(t)
					service.script(http.MethodPost, thingURL, test.first, answer(201, ""))
					if err := newClient(t, config(service)).Do(t.Context(), create(), nil); err != nil {
						t.Fatal(err)
					}
					service.done()
					sent := service.sent(thingURL)
					wait := sent[1].at.Sub(sent[0].at)
					if wait < test.least || wait >= test.most {
						t.Errorf("waited %s, want %s to %s", wait, test.least, test.most)
					}
					seen[wait] = true
				})
			}
			if len(seen) < 10 {
				t.Errorf("only %d different waits: there is no jitter", len(seen))
			}
		})
	}
}

func dated(status int, in time.Duration) httpmock.Responder {
	return func(r *http.Request) (*http.Response, error) {
		return answer(status, "", "Retry-After", time.Now().Add(in).UTC().Format(http.TimeFormat))(r)
	}
}

func TestWaitsDouble(t *testing.T) {
	t.Parallel()
	longest := time.Duration(0)
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			service := newService(t)
			service.script(http.MethodGet, thingURL, answer(503, ""), answer(503, ""), answer(200, ""))
			if err := newClient(t, config(service)).Do(t.Context(), get(), nil); err != nil {
				t.Fatal(err)
			}
			sent := service.sent(thingURL)
			longest = max(longest, sent[2].at.Sub(sent[1].at))
		})
	}
	if longest < 1250*time.Millisecond || longest > 2250*time.Millisecond {
		t.Errorf("the longest second wait was %s", longest)
	}
}

// TestLongWaitsAreForTheCaller: the answer comes back at once, with what it asked for.
func TestLongWaitsAreForTheCaller(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		step  httpmock.Responder
		after time.Duration
	}{
		{"an hour", answer(429, "", "Retry-After", "3600"), time.Hour},
		{"a date", dated(429, time.Hour), time.Hour},
		{"more than fits", answer(429, "", "Retry-After", "99999999999999999999"), 365 * 24 * time.Hour},
		{"more than fits as nanoseconds", answer(429, "", "Retry-After", "99999999999"), 365 * 24 * time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newService(t)
				service.script(http.MethodPost, thingURL, test.step)
				start := time.Now()
				err := newClient(t, config(service)).Do(t.Context(), create(), nil)
				failed, ok := errors.AsType[*vipps.Error](err)
				if !ok || !errors.Is(err, vipps.ErrRateLimited) || failed.RetryAfter > test.after || failed.RetryAfter < test.after-time.Second {
					t.Errorf("%v, %+v", err, failed)
				}
				if time.Since(start) != 0 {
					t.Errorf("waited %s", time.Since(start))
				}
				service.done()
			})
		})
	}
}

// TestDeadline: a wait that would end after the deadline is not begun, and the last answer is the answer.
func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.script(http.MethodPost, thingURL, answer(429, "", "Retry-After", "5"))
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		start := time.Now()
		err := newClient(t, config(service)).Do(ctx, create(), nil)
		if !errors.Is(err, vipps.ErrRateLimited) || errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		service.done()
	})
}

// TestCancelledWait: nobody is kept waiting by a call that has been given up.
func TestCancelledWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.script(http.MethodGet, thingURL, answer(503, "", "Retry-After", "8"))
		ctx, cancel := after(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := newClient(t, config(service)).Do(ctx, get(), nil)
		if !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		service.done()
	})
}

// TestTimeoutOfAnAttempt: the limit is for one attempt, its body included, and another may follow.
func TestTimeoutOfAnAttempt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ limit, want time.Duration }{{0, 30 * time.Second}, {5 * time.Second, 5 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			service := newService(t)
			silent := slowly(time.Hour, answer(201, ""))
			service.script(http.MethodPost, thingURL, silent, silent, silent)
			c := config(service)
			c.HTTPClient.Timeout = test.limit
			start := time.Now()
			err := newClient(t, c).Do(t.Context(), create(), nil)
			if !errors.Is(err, vipps.ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if want := "things.Create thing-1: outcome unknown: no answer within " + test.want.String() + ": context deadline exceeded"; err.Error() != want {
				t.Errorf("%q, want %q", err, want)
			}
			if took := time.Since(start); took < 3*test.want || took > 3*test.want+4*time.Second {
				t.Errorf("took %s", took)
			}
			service.done()
		})
	}
}

// TestConnectionOfAnEarlierAttempt: that one attempt had a connection says nothing about the next.
func TestConnectionOfAnEarlierAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		busy := func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
			return answer(429, "")(r)
		}
		service.script(http.MethodPost, thingURL, busy, fails(errDial), fails(errDial))
		err := newClient(t, config(service)).Do(t.Context(), createWithoutKey(), nil)
		if endingOf(err) != refused || !errors.Is(err, errDial) {
			t.Errorf("nothing can have happened, but: %v", err)
		}
		service.done()
	})
}

// TestTransportWithoutManners: a transport of the caller's may leave out what net/http always gives.
func TestTransportWithoutManners(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		response *http.Response
		want     ending
	}{
		{"neither answer nor error", nil, unknown},
		{"no body", &http.Response{StatusCode: 204}, done},
		{"no body and no header", &http.Response{StatusCode: 400}, refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := newService(t)
			rude := roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.URL.String() == tokenURL {
					return service.RoundTrip(r)
				}
				return test.response, nil
			})
			err := newClient(t, config(rude)).SingleAttempt().Do(t.Context(), create(), nil)
			if got := endingOf(err); got != test.want {
				t.Errorf("%s, want %s: %v", got, test.want, err)
			}
		})
	}
}
