package vipps_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
)

// Every secret of these tests has this in it, and nothing else has.
const mark = "canary"

const (
	markedID     = "canary-client-id"
	markedSecret = "canary+secret/=="
	markedKey    = "canary0123456789"
	markedToken  = "canary.token.1"
	markedFresh  = "canary.token.2"
	markedPhone  = "canary4791234567"
)

// marks finds secrets in what was printed, in hexadecimal as well. Verbs like %x write that way.
func marks(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, mark) || strings.Contains(text, markedPhone[len("canary4"):]) || strings.Contains(text, hex.EncodeToString([]byte(mark))) ||
		strings.Contains(text, strings.Trim(fmt.Sprint([]byte(mark)), "[]"))
}

// printed is a value in every way of printing there is.
func printed(value any) string {
	var out buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb+"\n", value)
	}
	encoded, err := json.Marshal(value)
	fmt.Fprintln(&out, string(encoded), err)
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("printed", slog.Any("value", value), slog.Group("group", slog.Any("value", value)))
	}
	return out.String()
}

func markedConfig(transport http.RoundTripper) vipps.Config {
	c := config(transport)
	c.Credentials = vipps.Credentials{ClientID: markedID, ClientSecret: markedSecret, SubscriptionKey: markedKey, MerchantSerialNumber: "123456"}
	return c
}

func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	service := newService(t)
	service.mock.RegisterResponder(http.MethodPost, tokenURL, token(markedToken, `3600`))
	service.always(answer(200, "{}"))
	c := markedConfig(service)
	client := newClient(t, c)
	if err := client.Do(t.Context(), get(), nil); err != nil {
		t.Fatal(err)
	}
	secret := vipps.Secret(markedPhone)
	type holder struct {
		Phone vipps.Secret
		Keys  vipps.Credentials
	}
	for name, value := range map[string]any{
		"Config": c, "*Config": &c, "Credentials": c.Credentials, "*Credentials": &c.Credentials,
		"*Client": client, "Client": *client, "ForMerchant": client.ForMerchant("7654321"), "SingleAttempt": client.SingleAttempt(),
		"held": struct{ pointer *vipps.Client }{client}, "held as a value": struct{ value vipps.Client }{*client},
		"Secret": secret, "*Secret": &secret, "struct": holder{secret, c.Credentials}, "slice": []vipps.Secret{secret},
		"map": map[string]vipps.Secret{"phone": secret}, "request": vipps.Request{Redact: []vipps.Secret{secret}},
	} {
		if text := printed(value); marks(text) {
			t.Errorf("%s shows a secret:\n%s", name, text)
		}
	}
}

// TestCallsKeepSecrets lets servers and transports repeat every secret in every place they can.
func TestCallsKeepSecrets(t *testing.T) {
	t.Parallel()
	keys := strings.Join([]string{markedID, markedSecret, markedKey, url.QueryEscape(markedSecret)}, " ") // all there is before the first token
	all := strings.Join([]string{keys, markedToken, markedPhone, url.QueryEscape(markedPhone)}, " ")
	say := func(shape, text string) string {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(shape, "%", string(quoted))
	}
	const problem = `{"type":%,"title":%,"detail":%,"instance":%,"traceId":%,"extraDetails":[{"name":%,"reason":%},{"name":"ErrorCode","reason":%}]}`
	everywhere := say(problem, all)
	fresh := say(problem, all+" "+markedFresh) // what can only be said once the second token is out
	early := say(problem, keys)
	escaped := strings.ReplaceAll(strings.ReplaceAll(say(`{"title":%}`, all), "+", `\u002b`), "c", `\u0063`)
	dump := fmt.Errorf("while sending Authorization: %s: %w", all, &url.Error{Op: "Post", URL: thingURL + "?phone=" + markedPhone, Err: errors.New(all)})
	earlyDump := errors.New("while sending client_secret: " + keys)
	retried := []httpmock.Responder{answer(500, everywhere), answer(401, everywhere), answer(500, fresh), answer(500, fresh)}
	good := []httpmock.Responder{token(markedToken, `3600`), token(markedFresh, `3600`)}
	for _, test := range []struct {
		name   string
		tokens []httpmock.Responder
		steps  []httpmock.Responder
	}{
		{"done", good, []httpmock.Responder{answer(401, everywhere), answer(201, `{"id":"1"}`)}},
		{"refused", good, []httpmock.Responder{answer(400, everywhere)}},
		{"refused with escapes", good, []httpmock.Responder{answer(400, escaped)}},
		{"refused by a list", good, []httpmock.Responder{answer(400, say(`[{"errorMessage":%,"errorCode":%}]`, all))}},
		{"refused by a page", good, []httpmock.Responder{answer(403, "<html>"+all)}},
		{"refused by a long page", good, []httpmock.Responder{answer(403, strings.Repeat("x", 4<<10-5)+all)}},
		{"refused by a long title", good, []httpmock.Responder{answer(403, `{"title":"`+strings.Repeat("x", 1<<10-3)+markedToken+`"}`)}},
		{"failed", good, retried},
		{"unauthorized", good, []httpmock.Responder{answer(401, everywhere), answer(401, fresh)}},
		{"cannot be read", good, []httpmock.Responder{answer(200, say(`{"id":[%]}`, all))}},
		{"not JSON", good, []httpmock.Responder{answer(200, all)}},
		{"not accepted", good, []httpmock.Responder{answer(200, say(`{"id":%}`, all))}},
		{"redirect", good, []httpmock.Responder{answer(302, all, "Location", "http://[::1"+markedPhone)}},
		{"transport", good, []httpmock.Responder{fails(dump), fails(dump), fails(dump)}},
		{"token refused", []httpmock.Responder{answer(401, early)}, nil},
		{"token refused by azure", []httpmock.Responder{answer(400, say(`{"error":%,"error_description":%,"trace_id":%}`, keys))}, nil},
		{"token page", []httpmock.Responder{answer(403, "<html>"+keys)}, nil},
		{"token cannot be read", []httpmock.Responder{answer(200, `{"access_token":"`+markedToken+`"}`)}, nil},
		{"token of another type", []httpmock.Responder{answer(200, `{"access_token":["`+markedToken+`"],"expires_in":"x"}`)}, nil},
		{"token lost", []httpmock.Responder{fails(earlyDump), fails(earlyDump), fails(earlyDump)}, nil},
		{"new token refused", []httpmock.Responder{token(markedToken, `3600`), answer(400, everywhere)}, []httpmock.Responder{answer(401, everywhere)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log buffer
				for _, handler := range []slog.Handler{
					slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}), slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}),
				} {
					service := newService(t)
					service.script(http.MethodPost, tokenURL, test.tokens...)
					service.script(http.MethodPost, thingURL+"?phone="+markedPhone, test.steps...)
					c := markedConfig(service)
					c.Logger = slog.New(handler)
					request := create()
					request.Query = url.Values{"phone": {markedPhone}}
					request.Body = map[string]string{"phone": markedPhone}
					request.Redact = []vipps.Secret{"canary4", markedPhone, ""} // one is the beginning of another
					var result thing
					request.Accept = func() error {
						if strings.Contains(result.ID, mark) {
							return errors.New("unexpected " + result.ID)
						}
						return nil
					}
					err := newClient(t, c).Do(t.Context(), request, &result)
					if (err == nil) != (test.name == "done") {
						t.Errorf("got %v", err)
					}
					for link := err; link != nil; link = errors.Unwrap(link) {
						if text := printed(link); marks(text) {
							t.Errorf("the error shows a secret:\n%s", text)
						}
					}
					if failed, ok := errors.AsType[*vipps.Error](err); ok && marks(failed.Body) {
						t.Errorf("Body: %s", failed.Body)
					}
				}
				if text := log.String(); marks(text) || !strings.Contains(text, "accesstoken.Get") || strings.Contains(text, "https://") {
					t.Errorf("the log shows a secret, an address, or nothing:\n%s", text)
				}
			})
		})
	}
}

// TestReplacedTokenIsKept: by the time an answer repeats the tokens of a call, both may have been replaced.
func TestReplacedTokenIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.script(http.MethodPost, tokenURL, token(markedToken, `3600`), token(markedFresh, `3600`), token("third", `3600`))
		client := newClient(t, markedConfig(service))
		service.script(http.MethodGet, thingURL, answer(401, ""), answer(200, "{}"))
		service.script(http.MethodPost, thingURL, answer(401, ""), func(r *http.Request) (*http.Response, error) {
			if err := client.Do(context.WithoutCancel(r.Context()), get(), nil); err != nil {
				t.Error(err)
			}
			return answer(400, "<p>"+markedToken+" "+markedFresh)(r)
		})
		err := client.Do(t.Context(), create(), nil)
		if failed, ok := errors.AsType[*vipps.Error](err); !ok || marks(failed.Body) {
			t.Errorf("%v: %+v", err, failed)
		}
		service.done()
	})
}

// TestHiddenCause: a text that was cleaned is still the error it was.
func TestHiddenCause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		step := fails(fmt.Errorf("with %s: %w", markedKey, errLost))
		service.script(http.MethodPost, thingURL, step, step, step)
		err := newClient(t, markedConfig(service)).Do(t.Context(), create(), nil)
		if want := "things.Create thing-1: outcome unknown: with [redacted]: read tcp: connection reset by peer"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
		if network, ok := errors.AsType[*net.OpError](err); !ok || network != errLost || !errors.Is(err, errLost) {
			t.Error("the cause is lost")
		}
	})
}

func TestCredentialsInALog(t *testing.T) {
	t.Parallel()
	var log buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("keys", markedConfig(nil).Credentials))
	if want := "keys.merchant_serial_number=123456 keys.keys=[redacted]\n"; !strings.HasSuffix(log.String(), want) {
		t.Errorf("%s, want %s", log.String(), want)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := newService(t)
		service.script(http.MethodPost, thingURL, slowly(2e9, answer(401, "")), answer(429, "", "Retry-After", "3"), fails(errLost), slowly(1e9, answer(201, "")))
		var log buffer
		c := config(service)
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "wait" && a.Value.Duration() != 0 {
				return slog.Attr{}
			}
			return a
		}}))
		if err := newClient(t, c).Do(t.Context(), create(), nil); err != nil {
			t.Fatal(err)
		}
		const want = `level=DEBUG msg=request op=accesstoken.Get subject="" attempt=1 status=200 duration=0s
level=DEBUG msg=request op=things.Create subject=thing-1 attempt=1 status=401 duration=2s
level=WARN msg="request is repeated" op=things.Create subject=thing-1 attempt=1 status=401 wait=0s
level=DEBUG msg=request op=accesstoken.Get subject="" attempt=1 status=200 duration=0s
level=DEBUG msg=request op=things.Create subject=thing-1 attempt=2 status=429 duration=0s
level=WARN msg="request is repeated" op=things.Create subject=thing-1 attempt=2 status=429
level=DEBUG msg=request op=things.Create subject=thing-1 attempt=3 status=0 duration=0s error="read tcp: connection reset by peer"
level=WARN msg="request is repeated" op=things.Create subject=thing-1 attempt=3 status=0
level=DEBUG msg=request op=things.Create subject=thing-1 attempt=4 status=201 duration=1s
`
		if got := log.String(); got != want {
			t.Errorf("logged\n%s\nwant\n%s", got, want)
		}
	})
}
