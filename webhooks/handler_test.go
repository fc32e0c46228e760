package webhooks_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/webhooks"
)

// deliver gives a delivery to a handler and returns the answer and what was logged.
func deliver(handler *webhooks.Handler, method string, header http.Header, body io.Reader) (*httptest.ResponseRecorder, string) {
	var log bytes.Buffer
	handler.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	request := httptest.NewRequest(method, "http://10.0.0.7/behind/a/proxy", body) // neither host nor path are the registered ones
	request.Header = header
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder, log.String()
}

func TestHandler(t *testing.T) {
	t.Parallel()
	good := vectors["payment"]
	forged := good
	forged.signature = official.signature
	sent := parseDate(t, sentDate)
	for name, test := range map[string]struct {
		delivery vector
		late     time.Duration
		method   string
		body     io.Reader // instead of the delivery's
		fail     error
		status   int
		handled  string // the type of event that reached Handle
		logged   string
	}{
		"payment":                   {delivery: good, status: 200, handled: "payment"},
		"check-in":                  {delivery: signed(someSecret, sentDate, checkInBody), status: 200, handled: "check-in"},
		"an event of another API":   {delivery: signed(someSecret, sentDate, `{"agreementId":"agr_1"}`), status: 200, handled: "unknown"},
		"not an object":             {delivery: signed(someSecret, sentDate, `[1]`), status: 200, handled: "unknown", logged: "cannot be read"},
		"not JSON":                  {delivery: signed(someSecret, sentDate, "\xff\x00"), status: 200, handled: "unknown", logged: "cannot be read"},
		"nothing":                   {delivery: signed(someSecret, sentDate, ""), status: 200, handled: "unknown", logged: "cannot be read"},
		"forged":                    {delivery: forged, status: 401, logged: "does not match"},
		"another secret":            {delivery: signed("s", sentDate, authorizedBody), status: 401, logged: "does not match"},
		"changed on the way":        {delivery: good, body: strings.NewReader(authorizedBody + "\n"), status: 401, logged: "bytes=283"},
		"read by something before":  {delivery: good, body: strings.NewReader(""), status: 401, logged: "bytes=0"},
		"no body at all":            {delivery: good, body: http.NoBody, status: 401, logged: "bytes=0"},
		"stale":                     {delivery: good, late: 6 * time.Minute, status: 401, logged: "outside the window"},
		"from the future":           {delivery: good, late: -6 * time.Minute, status: 401, logged: "outside the window"},
		"again, inside the window":  {delivery: good, late: 4 * time.Minute, status: 200, handled: "payment"},
		"forged and stale":          {delivery: forged, late: time.Hour, status: 401, logged: "does not match"},
		"GET":                       {delivery: good, method: http.MethodGet, status: 405},
		"PUT":                       {delivery: good, method: http.MethodPut, status: 405},
		"HEAD":                      {delivery: good, method: http.MethodHead, status: 405},
		"as large as may be":        {delivery: signed(someSecret, sentDate, strings.Repeat(" ", 1<<20)), status: 200, handled: "unknown", logged: "cannot be read"},
		"a byte too large":          {delivery: signed(someSecret, sentDate, strings.Repeat(" ", 1<<20+1)), status: 413, logged: "too large"},
		"broken off":                {delivery: good, body: io.MultiReader(strings.NewReader("{"), brokenReader{}), status: 400},
		"the store is down":         {delivery: good, fail: errors.New("store is down"), status: 503, handled: "payment", logged: "store is down"},
		"the store is down, unread": {delivery: signed(someSecret, sentDate, `{}`), fail: errors.New("store is down"), status: 503, handled: "unknown", logged: "store is down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var handled string
			handler := &webhooks.Handler{
				Verifier: newVerifier(t, hookURL, sent.Add(test.late), someSecret),
				Handle: func(ctx context.Context, event webhooks.Event) error {
					if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 10*time.Second {
						t.Error("the context does not end after 10 seconds")
					}
					switch e := event.(type) {
					case *webhooks.PaymentEvent:
						handled += "payment"
						if !e.SentAt.Equal(sent) {
							t.Errorf("sent at %v", e.SentAt)
						}
					case *webhooks.CheckInEvent:
						handled += "check-in"
						if age, known := e.Age(); !known || age != sent.Sub(e.InitiatedAt) {
							t.Errorf("age %v, %v", age, known)
						}
					case *webhooks.UnknownEvent:
						handled += "unknown"
						if string(e.Raw) != test.delivery.body || !e.SentAt.Equal(sent) {
							t.Errorf("raw %.20q, sent at %v", string(e.Raw), e.SentAt)
						}
					}
					return test.fail
				},
			}
			body, method := test.body, test.method
			if body == nil {
				body = strings.NewReader(test.delivery.body)
			}
			if method == "" {
				method = http.MethodPost
			}
			answer, log := deliver(handler, method, test.delivery.header(), body)
			if answer.Code != test.status || handled != test.handled {
				t.Errorf("answered %d after %q, want %d after %q", answer.Code, handled, test.status, test.handled)
			}
			if answer.Body.Len() > 0 {
				t.Errorf("the answer says %q", answer.Body)
			}
			if !strings.Contains(log, test.logged) || test.logged == "" && log != "" {
				t.Errorf("logged %q, want %q", log, test.logged)
			}
			if test.status == http.StatusMethodNotAllowed && answer.Header().Get("Allow") != http.MethodPost {
				t.Errorf("Allow: %q", answer.Header().Get("Allow"))
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken off") }

// limited is a connection whose time to read is limited.
type limited struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (l *limited) SetReadDeadline(at time.Time) error {
	l.until = at
	return nil
}

// TestSlowDeliveries has every request end in time, also those whose body the handler does not read itself.
func TestSlowDeliveries(t *testing.T) {
	t.Parallel()
	ready := &webhooks.Handler{
		Verifier: newVerifier(t, hookURL, time.Now(), someSecret),
		Handle:   func(context.Context, webhooks.Event) error { return nil },
	}
	for name, handler := range map[string]*webhooks.Handler{"ready": ready, "not set up": {}} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			w := &limited{ResponseRecorder: httptest.NewRecorder()}
			handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/hook", strings.NewReader("{")))
			if left := time.Until(w.until); left <= 0 || left > 10*time.Second {
				t.Errorf("%s, %s: it may be read for %v", name, method, left)
			}
		}
	}
}

func TestHandlerThatIsNotSetUp(t *testing.T) {
	t.Parallel()
	v := signed("", sentDate, authorizedBody)
	handle := func(context.Context, webhooks.Event) error { t.Error("an unverified event was handled"); return nil }
	for name, test := range map[string]struct {
		handler webhooks.Handler
		status  int
	}{
		"no verifier":   {webhooks.Handler{Handle: handle}, 500},
		"zero verifier": {webhooks.Handler{Verifier: new(webhooks.Verifier), Handle: handle}, 401},
		"no handle":     {webhooks.Handler{Verifier: v.verifierOf(t, someSecret)}, 500},
	} {
		answer, log := deliver(&test.handler, http.MethodPost, v.header(), strings.NewReader(v.body))
		if answer.Code != test.status || log == "" {
			t.Errorf("%s: answered %d, logged %q", name, answer.Code, log)
		}
	}
}

func (v vector) verifierOf(t *testing.T, secret string) *webhooks.Verifier {
	t.Helper()
	return newVerifier(t, v.url, parseDate(t, v.date), secret)
}

// A panic must not acknowledge anything: net/http closes the connection, and the delivery comes again.
func TestHandlerPanics(t *testing.T) {
	t.Parallel()
	v := vectors["payment"]
	server := httptest.NewUnstartedServer(&webhooks.Handler{
		Verifier: v.verifier(t), Handle: func(context.Context, webhooks.Event) error { panic(http.ErrAbortHandler) },
	})
	server.Start()
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(v.body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = v.header()
	if response, err := server.Client().Do(request); err == nil {
		response.Body.Close()
		t.Errorf("answered %d", response.StatusCode)
	}
}

// Over a real connection, without a logger, from many at once, through one handler for two registrations: every delivery is
// handled, repeats included.
func TestHandlerUnderLoad(t *testing.T) {
	t.Parallel()
	var handled atomic.Int64
	server := httptest.NewServer(http.StripPrefix("/behind", &webhooks.Handler{
		Verifier: newVerifier(t, hookURL, parseDate(t, sentDate), "payments", "check-ins"),
		Handle:   func(context.Context, webhooks.Event) error { handled.Add(1); return nil },
	}))
	defer server.Close()
	var group sync.WaitGroup
	for i := range 40 {
		v := signed([]string{"payments", "check-ins"}[i%2], sentDate, []string{authorizedBody, checkInBody}[i%2])
		group.Go(func() {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/behind/a/proxy", strings.NewReader(v.body))
			if err != nil {
				t.Error(err)
				return
			}
			request.Header = v.header()
			response, err := server.Client().Do(request)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusOK {
				t.Errorf("answered %d", response.StatusCode)
			}
		})
	}
	group.Wait()
	if diff := cmp.Diff(int64(40), handled.Load()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
