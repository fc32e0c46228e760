package vipps_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
)

// always answers every GET of the thing.
func (s *service) always(step httpmock.Responder) {
	s.mock.RegisterResponder(http.MethodGet, thingURL, step)
}

func TestTokenIsFetchedOnceForManyCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.script(http.MethodPost, tokenURL, slowly(time.Second, token("token-1", `"3600"`)))
		service.always(answer(200, "{}"))
		client := newClient(t, config(service))
		var wait sync.WaitGroup
		for range 1000 {
			wait.Go(func() {
				if err := client.Do(t.Context(), get(), nil); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		service.done()
		for _, r := range service.sent(thingURL) {
			if got := r.header.Get("Authorization"); got != "Bearer token-1" {
				t.Fatalf("Authorization: %s", got)
			}
		}
	})
}

func TestTokenFetchOutlivesItsCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.script(http.MethodPost, tokenURL, slowly(10*time.Second, token("token-1", `"3600"`)))
		service.always(answer(200, "{}"))
		client := newClient(t, config(service))
		start := time.Now()
		var wait sync.WaitGroup
		for _, patience := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second} {
			wait.Go(func() {
				ctx, cancel := after(t.Context(), patience)
				defer cancel()
				err := client.Do(ctx, create(), nil)
				failed, ok := errors.AsType[*vipps.Error](err)
				if !ok || failed.During != "accesstoken.Get" || !errors.Is(err, context.Canceled) || endingOf(err) != refused {
					t.Errorf("got %v", err)
				}
				if time.Since(start) != patience {
					t.Errorf("left after %s, want %s", time.Since(start), patience)
				}
			})
			synctest.Wait() // the least patient begins the fetch
		}
		wait.Go(func() {
			if err := client.Do(t.Context(), get(), nil); err != nil {
				t.Error(err)
			}
		})
		wait.Wait()
		service.done()
	})
}

// TestTokenLife watches which token is used at which time.
func TestTokenLife(t *testing.T) {
	t.Parallel()
	type look struct {
		at   time.Duration
		want string // the token, or "" if the call cannot be made
	}
	second := token("token-2", `"1000"`)
	lost := []httpmock.Responder{fails(errLost), fails(errLost), fails(errLost)}
	for _, test := range []struct {
		name  string
		life  string
		fetch []httpmock.Responder // after the first
		looks []look
	}{
		{
			"nine tenths are used without a thought", `"1000"`, nil,
			[]look{{0, "token-1"}, {899 * time.Second, "token-1"}},
		},
		{
			"the last tenth is used while a new one is fetched", `"1000"`,
			[]httpmock.Responder{slowly(5*time.Second, second)},
			[]look{{901 * time.Second, "token-1"}, {903 * time.Second, "token-1"}, {907 * time.Second, "token-2"}},
		},
		{
			"after its end it is never used", `"1000"`,
			[]httpmock.Responder{slowly(5*time.Second, second)},
			[]look{{1001 * time.Second, "token-2"}},
		},
		{
			"a failed fetch is left alone for half a minute", `"1000"`, append(slices.Clone(lost), second),
			[]look{{901 * time.Second, "token-1"}, {910 * time.Second, "token-1"}, {925 * time.Second, "token-1"}, {940 * time.Second, "token-1"}, {941 * time.Second, "token-2"}},
		},
		{
			"the pause after a failed fetch does not prolong it", `"100"`, append(slices.Clone(lost), second),
			[]look{{95 * time.Second, "token-1"}, {101 * time.Second, "token-2"}},
		},
		{
			"an end without a new one is an error", `"1000"`, slices.Concat(lost, lost),
			[]look{{1001 * time.Second, ""}, {1020 * time.Second, ""}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newService(t)
				service.script(http.MethodPost, tokenURL, append([]httpmock.Responder{token("token-1", test.life)}, test.fetch...)...)
				service.always(answer(200, "{}"))
				client := newClient(t, config(service))
				if err := client.Do(t.Context(), get(), nil); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				for _, look := range test.looks {
					<-time.After(look.at - time.Since(start))
					before := len(service.sent(thingURL))
					err := client.Do(t.Context(), get(), nil)
					sent := service.sent(thingURL)
					if look.want == "" {
						if err == nil || len(sent) != before {
							t.Errorf("after %s: a call was made: %v", look.at, err)
						}
						continue
					}
					if err != nil {
						t.Fatalf("after %s: %v", look.at, err)
					}
					if got := sent[len(sent)-1].header.Get("Authorization"); got != "Bearer "+look.want {
						t.Errorf("after %s: %s, want %s", look.at, got, look.want)
					}
					synctest.Wait()
				}
				service.done()
			})
		})
	}
}

// TestTenRefusalsOneFetch: calls that are refused at the same time share the new token.
func TestTenRefusalsOneFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.script(http.MethodPost, tokenURL, token("token-1", `"3600"`), slowly(time.Second, token("token-2", `"3600"`)))
		var calls atomic.Int64
		service.always(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") != "Bearer token-2" {
				n := calls.Add(1)
				return slowly(time.Duration(n)*time.Second, answer(401, `{"statusCode":401}`))(r)
			}
			return answer(200, "{}")(r)
		})
		client := newClient(t, config(service))
		var wait sync.WaitGroup
		for range 10 {
			wait.Go(func() {
				if err := client.Do(t.Context(), get(), nil); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		service.done()
	})
}

func TestTokenForms(t *testing.T) {
	t.Parallel()
	hour := func() string { return fmt.Sprint(time.Now().Add(time.Hour).Unix()) }
	for _, test := range []struct {
		name string
		body func() string
		ok   bool
	}{
		{"text", func() string { return `{"access_token":"t","expires_in":"3600","expires_on":"1495271273"}` }, true},
		{"numbers", func() string { return `{"access_token":"t","expires_in":3600,"expires_on":1495271273}` }, true},
		{"only expires_on", func() string { return `{"access_token":"t","expires_on":"` + hour() + `"}` }, true},
		{"only expires_on as a number", func() string { return `{"access_token":"t","expires_on":` + hour() + `}` }, true},
		{"expires_in cannot be read", func() string { return `{"access_token":"t","expires_in":"soon","expires_on":` + hour() + `}` }, true},
		{"expires_in is null", func() string { return `{"access_token":"t","expires_in":null,"expires_on":` + hour() + `}` }, true},
		{"for ever", func() string { return `{"access_token":"t","expires_in":"9223372036854775807"}` }, true},
		{"everything", func() string {
			return `{"token_type":"Bearer","expires_in":"86398","ext_expires_in":"0","expires_on":"1495271273","not_before":"1495184574","resource":"00000002","access_token":"t"}`
		}, true},
		{"no life", func() string { return `{"access_token":"t"}` }, false},
		{"a life that is over", func() string { return `{"access_token":"t","expires_in":"0","expires_on":"946684000"}` }, false},
		{"a life before it began", func() string { return `{"access_token":"t","expires_in":"-9223372036854775808"}` }, false},
		{"no token", func() string { return `{"expires_in":"3600"}` }, false},
		{"empty token", func() string { return `{"access_token":"","expires_in":"3600"}` }, false},
		{"a token of two lines", func() string { return `{"access_token":"t\r\nX-Evil: 1","expires_in":"3600"}` }, false},
		{"a token that is no text", func() string { return `{"access_token":17,"expires_in":"3600"}` }, false},
		{"a page", func() string { return `<html>log in</html>` }, false},
		{"nothing", func() string { return `` }, false},
		{"half", func() string { return `{"access_token":"t","expi` }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newService(t)
				service.script(http.MethodPost, tokenURL, answer(200, test.body()))
				service.always(answer(200, "{}"))
				client := newClient(t, config(service))
				err := client.Do(t.Context(), get(), nil)
				if test.ok {
					if err == nil {
						<-time.After(53 * time.Minute)
						err = client.Do(t.Context(), get(), nil)
					}
					if err != nil {
						t.Error(err)
					}
				} else if failed, ok := errors.AsType[*vipps.Error](err); !ok || failed.During != "accesstoken.Get" || failed.Status != 200 || len(service.sent(thingURL)) != 0 {
					t.Errorf("got %v", err)
				}
				service.done()
			})
		})
	}
}

func TestTokenRefused(t *testing.T) {
	t.Parallel()
	const azure = `{"error":"unauthorized_client","error_description":"AADSTS700016: Application with identifier 'client-id' was not found","error_codes":[700016],` +
		`"timestamp":"2021-03-23 06:46:31Z","trace_id":"trace-1","correlation_id":"c","error_uri":"https://login.windows.net/error?code=700016"}`
	const noKey = `{"statusCode":401,"message":"Access denied due to invalid subscription key."}`
	for _, test := range []struct {
		name  string
		steps []httpmock.Responder
		want  string
		is    []error
		isNot []error
	}{
		{
			"azure",
			[]httpmock.Responder{answer(400, azure)},
			"things.Create thing-1: accesstoken.Get: 400 unauthorized_client (trace trace-1)",
			[]error{vipps.ErrUnauthorized},
			nil,
		},
		{
			"azure, wrong secret",
			[]httpmock.Responder{answer(401, azure)},
			"things.Create thing-1: accesstoken.Get: 401 unauthorized_client (trace trace-1)",
			[]error{vipps.ErrUnauthorized},
			nil,
		},
		{
			"gateway",
			[]httpmock.Responder{answer(401, noKey)},
			"things.Create thing-1: accesstoken.Get: 401 Access denied due to invalid subscription key.",
			[]error{vipps.ErrUnauthorized},
			nil,
		},
		{
			"page",
			[]httpmock.Responder{answer(502, "<html>"), answer(502, "<html>"), answer(502, "<html>")},
			"things.Create thing-1: accesstoken.Get: 502 Bad Gateway", nil,
			[]error{vipps.ErrUnauthorized},
		},
		{
			"too many",
			[]httpmock.Responder{answer(429, "", "Retry-After", "60")},
			"things.Create thing-1: accesstoken.Get: 429 Too Many Requests",
			[]error{vipps.ErrRateLimited},
			nil,
		},
		{
			// A payment that does not exist is a fact that money depends on; a token address that does not exist is not that fact.
			"not found",
			[]httpmock.Responder{answer(404, `{"statusCode":404,"message":"Resource not found"}`)},
			"things.Create thing-1: accesstoken.Get: 404 Resource not found", nil,
			[]error{vipps.ErrNotFound, vipps.ErrUnauthorized},
		},
		{
			"conflict",
			[]httpmock.Responder{refusal(409, "4150")},
			"things.Create thing-1: accesstoken.Get: 409 4150 No (trace 00-abc)",
			nil,
			[]error{vipps.ErrConflict, vipps.Code("4150")},
		},
		{
			"redirect",
			[]httpmock.Responder{answer(302, "", "Location", "https://elsewhere.example")},
			"things.Create thing-1: accesstoken.Get: 302 Found",
			nil,
			[]error{vipps.ErrUnauthorized},
		},
		{
			"lost",
			[]httpmock.Responder{fails(errLost), fails(errLost), fails(errLost)},
			"things.Create thing-1: accesstoken.Get: read tcp: connection reset by peer",
			[]error{errLost},
			nil,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				service := newService(t)
				service.script(http.MethodPost, tokenURL, test.steps...)
				err := newClient(t, config(service)).SingleAttempt().Do(t.Context(), create(), nil)
				if err == nil || err.Error() != test.want {
					t.Errorf("%v, want %s", err, test.want)
				}
				for _, is := range test.is {
					if !errors.Is(err, is) {
						t.Errorf("is not %v", is)
					}
				}
				for _, isNot := range append(test.isNot, vipps.ErrOutcomeUnknown) {
					if errors.Is(err, isNot) {
						t.Errorf("is %v", isNot)
					}
				}
				service.done()
			})
		})
	}
}

func TestTokenForEachMerchant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		perMerchant := func(r *http.Request) (*http.Response, error) {
			return token("token-of-"+r.Header.Get("Merchant-Serial-Number"), `"3600"`)(r)
		}
		service.script(http.MethodPost, tokenURL, perMerchant, perMerchant)
		service.always(answer(200, "{}"))
		client := newClient(t, config(service))
		other := client.ForMerchant("7654321")
		for _, c := range []*vipps.Client{client, other, client, other.SingleAttempt(), client.ForMerchant("7654321")} {
			if err := c.Do(t.Context(), get(), nil); err != nil {
				t.Fatal(err)
			}
		}
		if client.MerchantSerialNumber() != "123456" || other.MerchantSerialNumber() != "7654321" {
			t.Errorf("serial numbers %s and %s", client.MerchantSerialNumber(), other.MerchantSerialNumber())
		}
		var got []string
		for _, r := range service.sent(thingURL) {
			got = append(got, r.header.Get("Merchant-Serial-Number")+" "+r.header.Get("Authorization"))
		}
		mine, theirs := "123456 Bearer token-of-123456", "7654321 Bearer token-of-7654321"
		if diff := cmp.Diff([]string{mine, theirs, mine, theirs, theirs}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		service.done()
		if err := client.ForMerchant("12\r\n3").Do(t.Context(), get(), nil); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("a serial number with a line end: %v", err)
		}
	})
}

func TestTokenRequest(t *testing.T) {
	t.Parallel()
	service := newService(t)
	service.always(answer(200, "{}"))
	if err := newClient(t, config(service)).Do(t.Context(), get(), nil); err != nil {
		t.Fatal(err)
	}
	sent := service.sent(tokenURL)[0]
	if sent.body != "" || sent.method != http.MethodPost || sent.header.Get("client_id") != "client-id" ||
		sent.header.Get("client_secret") != "client-secret" || sent.header.Get("Authorization") != "" || sent.header.Get("Content-Type") != "" {
		t.Errorf("%+v", sent)
	}
	for name := range service.sent(thingURL)[0].header {
		if strings.HasPrefix(strings.ToLower(name), "client") {
			t.Errorf("%s went out with a call", name)
		}
	}
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, time.Hour, -7 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			service := newService(t)
			service.always(slowly(4*time.Second, func(r *http.Request) (*http.Response, error) {
				// The server looks at its clock in the middle of the four seconds.
				return answer(200, "{}", "Date", time.Now().Add(ahead-2*time.Second).UTC().Format(http.TimeFormat))(r)
			}))
			client := newClient(t, config(service))
			if _, ok := client.ClockSkew(); ok {
				t.Error("known before the first answer")
			}
			if err := client.Do(t.Context(), get(), nil); err != nil {
				t.Fatal(err)
			}
			got, ok := client.ForMerchant("7654321").SingleAttempt().ClockSkew()
			if diff := got - ahead; !ok || diff < -time.Second || diff > time.Second {
				t.Errorf("skew %s, want %s", got, ahead)
			}
			service.always(answer(200, "{}", "Date", "yesterday"))
			if err := client.Do(t.Context(), get(), nil); err != nil {
				t.Fatal(err)
			}
			if again, ok := client.ClockSkew(); !ok || again != got {
				t.Errorf("an unreadable date changed the skew to %s", again)
			}
		})
	}
}
