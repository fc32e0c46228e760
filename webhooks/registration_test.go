package webhooks_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/internal/apitest"
	"github.com/vippsvending/vipps/webhooks"
)

const (
	someID     = "497f6eca-6276-4993-bfeb-53cbbbba6f08"
	someSecret = "090a478d-37ff-4e77-970e-d457aeb26a3a"
	badRequest = `{"type":"00-bb84-01","title":"Bad Request","status":400,"detail":"One or more validation errors occurred.",` +
		`"instance":"/v1/webhooks","traceId":"00-bb841c55-00","extraDetails":[{"name":"url","reason":"The property is required and cannot be null or empty."}]}`
)

func TestRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	m, client := newMock(t)
	m.RegisterResponder(http.MethodPost, webhooksURL, apitest.Answer(http.StatusCreated, `{"id":"`+someID+`","secret":"`+someSecret+`","new":1}`))
	m.RegisterResponder(http.MethodGet, webhooksURL, apitest.Answer(http.StatusOK,
		`{"webhooks":[{"id":"`+someID+`","url":"`+hookURL+`","events":["user.checked-in.v1","brand.new.v9"],"new":{}}],"new":null}`))
	m.RegisterResponder(http.MethodDelete, webhooksURL+"/"+someID, apitest.Answer(http.StatusNoContent, ""))
	hooks := webhooks.New(client)

	made, err := hooks.Register(t.Context(), webhooks.RegisterRequest{
		URL: hookURL + "?a=1&b=2", Events: []webhooks.EventType{webhooks.PaymentCaptured, "brand.new.v9"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []plain{{someID, hookURL + "?a=1&b=2", someSecret, []webhooks.EventType{webhooks.PaymentCaptured, "brand.new.v9"}}}
	if diff := cmp.Diff(want, reveal(*made)); diff != "" {
		t.Errorf("Register (-want +got)\n%s", diff)
	}
	listed, err := hooks.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want = []plain{{someID, hookURL, "", []webhooks.EventType{webhooks.UserCheckedIn, "brand.new.v9"}}}
	if diff := cmp.Diff(want, reveal(listed...)); diff != "" {
		t.Errorf("List (-want +got)\n%s", diff)
	}
	if err := hooks.Delete(t.Context(), someID); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"Register.request", "List.request", "Delete.request"} {
		apitest.Golden(t, *update, name, m.requests[i])
	}
	counts := map[string]int{"POST " + webhooksURL: 1, "GET " + webhooksURL: 1, "DELETE " + webhooksURL + "/" + someID: 1}
	if diff := cmp.Diff(counts, m.calls()); diff != "" {
		t.Errorf("calls (-want +got)\n%s", diff)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	register := func(t *testing.T, c *webhooks.Client) error {
		t.Helper()
		_, err := c.Register(t.Context(), webhooks.RegisterRequest{URL: hookURL, Events: webhooks.PaymentEvents()})
		return err
	}
	list := func(t *testing.T, c *webhooks.Client) error {
		t.Helper()
		_, err := c.List(t.Context())
		return err
	}
	remove := func(t *testing.T, c *webhooks.Client) error {
		t.Helper()
		return c.Delete(t.Context(), someID)
	}
	unreadable := errors.New("any error")
	for name, test := range map[string]struct {
		method string
		call   func(*testing.T, *webhooks.Client) error
		status int
		body   string
		want   error
		text   string
	}{
		"registered":               {http.MethodPost, register, 201, `{"id":"a","secret":"s"}`, nil, ""},
		"secret is missing":        {http.MethodPost, register, 201, `{"id":"a"}`, vipps.ErrOutcomeUnknown, "see List"},
		"id is missing":            {http.MethodPost, register, 201, `{"secret":"s"}`, vipps.ErrOutcomeUnknown, "see List"},
		"register, empty answer":   {http.MethodPost, register, 201, ``, vipps.ErrOutcomeUnknown, "may exist now"},
		"register, server failure": {http.MethodPost, register, 500, ``, vipps.ErrOutcomeUnknown, "may exist now"},
		"register, refused":        {http.MethodPost, register, 400, badRequest, unreadable, "url: The property is required"},
		"register, unauthorized":   {http.MethodPost, register, 403, `{}`, vipps.ErrUnauthorized, ""},
		"none listed":              {http.MethodGet, list, 200, `{"webhooks":[]}`, nil, ""},
		"list is missing":          {http.MethodGet, list, 200, `{}`, unreadable, "no list"},
		"list is bare":             {http.MethodGet, list, 200, `[]`, unreadable, ""},
		"list, rate limited":       {http.MethodGet, list, 429, `{"statusCode":429,"message":"Try again in 9 seconds."}`, vipps.ErrRateLimited, ""},
		"deleted":                  {http.MethodDelete, remove, 204, ``, nil, ""},
		"was deleted before":       {http.MethodDelete, remove, 404, `{"statusCode":404,"message":"Resource not found"}`, nil, ""},
		"delete, refused":          {http.MethodDelete, remove, 400, badRequest, unreadable, "Bad Request"},
		"delete, server failure":   {http.MethodDelete, remove, 500, ``, vipps.ErrOutcomeUnknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, client := newMock(t)
			address := webhooksURL
			if test.method == http.MethodDelete {
				address += "/" + someID
			}
			m.RegisterResponder(test.method, address, apitest.Answer(test.status, test.body))
			err := test.call(t, webhooks.New(client))
			switch {
			case errors.Is(test.want, unreadable):
				if err == nil || errors.Is(err, vipps.ErrOutcomeUnknown) {
					t.Errorf("got %v", err)
				}
			case !cmp.Equal(test.want, err, cmpopts.EquateErrors()):
				t.Errorf("got %v, want %v", err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.text) {
				t.Errorf("%q does not say %q", err, test.text)
			}
			if diff := cmp.Diff(map[string]int{test.method + " " + address: 1}, m.calls()); diff != "" {
				t.Errorf("calls (-want +got)\n%s", diff)
			}
		})
	}
}

// addresses are right and wrong registered URLs, for Register, Ensure and NewVerifier alike.
var addresses = map[string]bool{
	hookURL:                               true,
	"https://example.com":                 true,
	"https://example.com/":                true,
	"https://example.com/a/":              true,
	"https://example.com:8443/a":          true,
	"https://EXAMPLE.com/a":               true,
	"https://example.com/a?x=%C3%B8":      true,
	"https://example.com/~a/b-c_d.e":      true,
	"http://localhost:8080/a":             true,
	"http://127.0.0.1:8080/a":             true,
	"http://[::1]:8080/a":                 true,
	"":                                    false,
	"example.com/a":                       false,
	"/a":                                  false,
	"https:///a":                          false,
	"http://example.com/a":                false,
	"ftp://example.com/a":                 false,
	"https://example.com/a%20b":           false,
	"https://example.com/%C3%B8":          false,
	"https://example.com/%61":             false,
	"https://example.com/ø":               false,
	"https://example.com/a b":             false,
	"https://example.com/a?x=ø":           false,
	"https://bl\u00e5b\u00e6r.example/a":  false,
	"https://example.com/a|b":             false,
	"https://example.com/a#b":             false,
	"https://example.com/a#":              false,
	"https://user@example.com/a":          false,
	"https://user:canary-pw@example.com/": false,
	"https://@example.com/a":              false,
	"https://example.com:0/a":             false,
	"https://example.com:70000/a":         false,
	"https://example.com:x/a":             false,
	"https://example.com//":               false,
	"https://example.com/a//b":            false,
	"https://example.com/a/../b":          false,
	"https://example.com/./a":             false,
	"https://example.com/a?":              false,
	"https://example.com/a\n":             false,
	" https://example.com/a":              false,
	`https://example.com/a\b`:             false,
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, good := range addresses {
		m, client := newMock(t)
		m.RegisterResponder(http.MethodPost, webhooksURL, apitest.Answer(http.StatusCreated, `{"id":"a","secret":"s"}`))
		_, err := webhooks.New(client).Register(t.Context(), webhooks.RegisterRequest{URL: address, Events: webhooks.PaymentEvents()})
		_, verifierErr := webhooks.NewVerifier(webhooks.VerifierConfig{URL: address, Secrets: []vipps.Secret{"s"}})
		for _, err := range []error{err, verifierErr} {
			if good != (err == nil) || !good && (!errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), "URL: ")) {
				t.Errorf("%q: %v", address, err)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error has the address in it: %v", err)
			}
		}
		if !good && len(m.requests) > 0 {
			t.Errorf("%q was sent", address)
		}
	}
}

func TestRequestsThatAreWrong(t *testing.T) {
	t.Parallel()
	_, client := newMock(t)
	hooks := webhooks.New(client)
	for name, events := range map[string][]webhooks.EventType{
		"none": nil, "empty": {""}, "twice": {webhooks.PaymentCreated, webhooks.PaymentCreated}, "not a name": {"a b"},
	} {
		_, err := hooks.Register(t.Context(), webhooks.RegisterRequest{URL: "", Events: events})
		if !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), "URL: ") || !strings.Contains(err.Error(), "Events") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, id := range []string{"", "a b", "a\nb"} {
		if err := hooks.Delete(t.Context(), id); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("Delete %q: %v", id, err)
		}
	}
	for _, id := range []string{".", ".."} {
		if err := hooks.Delete(t.Context(), id); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("Delete %q: %v", id, err)
		}
	}
}
