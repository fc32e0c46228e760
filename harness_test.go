package vipps_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"

	"github.com/vippsvending/vipps"
)

const (
	host     = "https://apitest.vipps.no"
	tokenURL = host + "/accesstoken/get"
	thingURL = host + "/things/v1/thing"
)

// The three ways an attempt can be left without an answer, and one that certainly never left.
var (
	errLost = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	errDial = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
)

// recorded is one request as it reached the transport.
type recorded struct {
	method string
	url    string
	header http.Header
	body   string
	at     time.Time
}

// service is a scripted Vipps MobilePay: each address answers its steps one after the other.
type service struct {
	t        *testing.T
	mock     *httpmock.MockTransport
	mu       sync.Mutex
	requests []recorded
	want     map[string]int
}

// newService has a token endpoint that always answers; script it to say something else.
func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, mock: httpmock.NewMockTransport(), want: map[string]int{}}
	s.mock.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		t.Errorf("unexpected request: %s %s", r.Method, r.URL)
		return httpmock.NewStringResponse(http.StatusNotImplemented, ""), nil
	})
	s.mock.RegisterResponder(http.MethodPost, tokenURL, token("token-1", `"3600"`))
	return s
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	request := recorded{method: r.Method, url: r.URL.String(), header: r.Header.Clone(), at: time.Now()}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err = errors.Join(err, r.Body.Close()); err != nil {
			return nil, err
		}
		request.body = string(body)
	}
	s.mu.Lock()
	s.requests = append(s.requests, request)
	s.mu.Unlock()
	return s.mock.RoundTrip(r)
}

// script makes an address answer these steps, and the test fail unless all of them and no more were asked for.
func (s *service) script(method, url string, steps ...httpmock.Responder) {
	s.t.Helper()
	var mu sync.Mutex
	next := 0
	s.mock.RegisterResponder(method, url, func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		i := next
		next++
		mu.Unlock()
		if i >= len(steps) {
			s.t.Errorf("request %d: %s %s, only %d expected", i+1, method, url, len(steps))
			return httpmock.NewStringResponse(http.StatusNotImplemented, ""), nil
		}
		return steps[i](r)
	})
	s.want[method+" "+url] = len(steps)
}

// done compares what was asked for with what was scripted. It belongs at the end of a test.
func (s *service) done() {
	s.t.Helper()
	got := map[string]int{}
	for address, count := range s.mock.GetCallCountInfo() {
		if _, ok := s.want[address]; ok {
			got[address] = count
		}
	}
	if diff := cmp.Diff(s.want, got); diff != "" {
		s.t.Errorf("requests (-want +got)\n%s", diff)
	}
}

// sent are the requests to one address, in order.
func (s *service) sent(url string) []recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sent []recorded
	for _, r := range s.requests {
		if r.url == url {
			sent = append(sent, r)
		}
	}
	return sent
}

func config(transport http.RoundTripper) vipps.Config {
	return vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{ClientID: "client-id", ClientSecret: "client-secret", SubscriptionKey: "subscription-key", MerchantSerialNumber: "123456"},
		System:      vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient:  &http.Client{Transport: transport},
	}
}

func newClient(t *testing.T, c vipps.Config) *vipps.Client {
	t.Helper()
	client, err := vipps.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// thing is what the calls of these tests are about.
type thing struct {
	ID string `json:"id"`
}

// create is a changing call with a key, the kind that money depends on.
func create() vipps.Request {
	return vipps.Request{
		Op: "things.Create", Subject: "thing-1", Method: http.MethodPost, Path: []string{"things", "v1", "thing"},
		IdempotencyKey: "key-1", Body: map[string]any{"name": "æ<&>", "value": 4900},
	}
}

func createWithoutKey() vipps.Request {
	r := create()
	r.IdempotencyKey = ""
	return r
}

func get() vipps.Request {
	return vipps.Request{Op: "things.Get", Subject: "thing-1", Method: http.MethodGet, Path: []string{"things", "v1", "thing"}}
}

func with(method string) vipps.Request {
	r := createWithoutKey()
	r.Method = method
	return r
}

// answer is a step. Headers come in pairs.
func answer(status int, body string, header ...string) httpmock.Responder {
	return func(r *http.Request) (*http.Response, error) {
		response := httpmock.NewStringResponse(status, body)
		response.Request = r
		response.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			response.Header.Set(header[i], header[i+1])
		}
		return response, nil
	}
}

func token(value, life string) httpmock.Responder {
	return answer(http.StatusOK, `{"token_type":"Bearer","access_token":"`+value+`","expires_in":`+life+`}`)
}

// refusal is a numbered error of the ePayment API.
func refusal(status int, code string) httpmock.Responder {
	return answer(status, `{"title":"No","traceId":"00-abc","extraDetails":[{"name":"ErrorCode","reason":"`+code+`"}]}`)
}

func fails(err error) httpmock.Responder {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// half is an answer whose connection breaks in the middle of the body.
func half(status int) httpmock.Responder {
	return func(*http.Request) (*http.Response, error) {
		body := io.MultiReader(strings.NewReader(`{"title":"No","id":"thi`), broken{})
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(body)}, nil
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// slowly is a step that takes its time, or ends with the request's context.
func slowly(d time.Duration, step httpmock.Responder) httpmock.Responder {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return step(r)
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
}

// ending is how a call may end.
type ending string

const (
	done    ending = "done"
	refused ending = "refused"
	unknown ending = "unknown"
)

func endingOf(err error) ending {
	switch {
	case err == nil:
		return done
	case errors.Is(err, vipps.ErrOutcomeUnknown):
		return unknown
	default:
		return refused
	}
}

// roundTrip makes a function a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// buffer is written by handlers of several goroutines.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func after(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(d, cancel)
	return ctx, cancel
}
