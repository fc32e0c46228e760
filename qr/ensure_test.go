package qr_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/qr"
)

// shelf is an API that keeps codes, and a record of what was asked.
type shelf struct {
	mu        sync.Mutex
	redirects map[string]redirect
	callbacks map[string]callback
	steps     []string
	// fail has a step, such as "POST a", and what becomes of it.
	fail         map[string]fault
	noCategories bool // categories are kept and not shown
	page         string
}

type redirect struct {
	ID          string `json:"id"`
	RedirectURL string `json:"redirectUrl"`
	URL         string `json:"url"`
	ExpiresIn   int    `json:"expiresIn"`
}

type callback struct {
	ID       string `json:"merchantQrId"`
	Location string `json:"locationDescription"`
	Category string `json:"category,omitempty"`
	Image    string `json:"qrImageUrl"`
}

type fault struct {
	status int
	after  bool         // the work was done, or somebody else does it now
	do     func(*shelf) // something that happens meanwhile
}

func (s *shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := httptest.NewRecorder()
	if strings.HasSuffix(r.URL.Path, "/accesstoken/get") {
		_, _ = io.WriteString(answer, `{"access_token":"the-token","expires_in":"3600"}`)
		return answer.Result(), nil
	}
	body := map[string]string{}
	if r.Body != nil {
		content, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(content, &body)
	}
	rest := strings.TrimPrefix(r.URL.Path, "/qr/v1/merchant-")
	kind, id, _ := strings.Cut(rest, "/")
	step := strings.TrimSpace(r.Method + " " + id + body["id"])
	s.steps = append(s.steps, step)
	failure, failing := s.fail[step]
	delete(s.fail, step)
	if failing && failure.do != nil {
		failure.do(s)
	}
	if !failing || failure.after || failure.status == 0 {
		s.serve(answer, r.Method, kind, id, body)
	}
	if failing && failure.status != 0 {
		answer = httptest.NewRecorder()
		answer.WriteHeader(failure.status)
	}
	return answer.Result(), nil
}

func (s *shelf) serve(w http.ResponseWriter, method, kind, id string, body map[string]string) {
	show := func(status int, value any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(value)
	}
	r, isRedirect := s.redirects[id]
	c, isCallback := s.callbacks[id]
	hide := func(c callback) callback {
		if s.noCategories {
			c.Category = ""
		}
		return c
	}
	switch {
	case method == "GET" && id == "" && s.page != "":
		_, _ = io.WriteString(w, s.page)
	case method == "GET" && id == "" && kind == "redirect":
		all := []redirect{}
		for _, r := range s.redirects {
			all = append(all, r)
		}
		show(200, all)
	case method == "GET" && id == "":
		all := []callback{}
		for _, c := range s.callbacks {
			all = append(all, hide(c))
		}
		show(200, all)
	case method == "POST":
		if _, taken := s.redirects[body["id"]]; taken {
			show(409, map[string]string{"id": body["id"]})
			return
		}
		r := redirect{body["id"], body["redirectUrl"], "https://image/" + body["id"], -1}
		s.redirects[r.ID] = r
		show(200, r)
	case method == "PUT" && kind == "callback":
		s.callbacks[id] = callback{id, body["locationDescription"], body["category"], "https://image/" + id}
	case kind == "redirect" && !isRedirect || kind == "callback" && !isCallback:
		w.WriteHeader(404)
	case method == "PUT":
		r.RedirectURL = body["redirectUrl"]
		s.redirects[id] = r
		show(200, r)
	case kind == "redirect":
		show(200, r)
	default:
		show(200, hide(c))
	}
}

func newShelf() *shelf {
	return &shelf{redirects: map[string]redirect{}, callbacks: map[string]callback{}, fail: map[string]fault{}}
}

const (
	page  = "https://example.com/machine/a"
	other = "https://example.com/other"
)

func aRedirect(address string) map[string]redirect {
	return map[string]redirect{"a": {"a", address, "https://image/a", -1}}
}

func TestEnsureRedirect(t *testing.T) {
	t.Parallel()
	sticker := qr.RedirectSticker{ID: "a", RedirectURL: page}
	put := func(address string) func(*shelf) {
		return func(s *shelf) { s.redirects = aRedirect(address) }
	}
	for name, test := range map[string]struct {
		kept    map[string]redirect
		fail    map[string]fault
		steps   []string
		outcome qr.Outcome
		err     error
	}{
		"nothing there":           {nil, nil, []string{"GET a", "POST a"}, qr.Created, nil},
		"as wanted":               {aRedirect(page), nil, []string{"GET a"}, qr.Unchanged, nil},
		"as wanted, spelt anew":   {aRedirect("https://EXAMPLE.com:443/machine/a"), nil, []string{"GET a"}, qr.Unchanged, nil},
		"another page":            {aRedirect(other), nil, []string{"GET a", "PUT a"}, qr.Updated, nil},
		"a page that is not told": {aRedirect(""), nil, []string{"GET a", "PUT a"}, qr.Updated, nil},
		"expires":                 {map[string]redirect{"a": {"a", page, "u", 600}}, nil, []string{"GET a"}, "", qr.ErrExpires},
		"cannot be read":          {nil, map[string]fault{"GET a": {status: 403}}, []string{"GET a"}, "", vipps.ErrUnauthorized},
		"somebody was faster": {
			nil, map[string]fault{"POST a": {do: put(page)}}, []string{"GET a", "POST a", "GET a"}, qr.Unchanged, nil,
		},
		"somebody was faster, with another page": {
			nil, map[string]fault{"POST a": {do: put(other)}}, []string{"GET a", "POST a", "GET a", "PUT a"}, qr.Updated, nil,
		},
		"taken, and not to be read": {
			nil, map[string]fault{"POST a": {status: 409}}, []string{"GET a", "POST a", "GET a"}, "", vipps.ErrConflict,
		},
		"the answer is lost":                 {nil, map[string]fault{"POST a": {status: 500, after: true}}, []string{"GET a", "POST a", "GET a"}, qr.Created, nil},
		"the call is lost":                   {nil, map[string]fault{"POST a": {status: 500}}, []string{"GET a", "POST a", "GET a"}, "", vipps.ErrOutcomeUnknown},
		"the call is lost, and another came": {nil, map[string]fault{"POST a": {status: 500, do: put(other)}}, []string{"GET a", "POST a", "GET a"}, "", vipps.ErrOutcomeUnknown},
		"refused":                            {nil, map[string]fault{"POST a": {status: 400}}, []string{"GET a", "POST a"}, "", &vipps.Error{}},
		"the change is lost":                 {aRedirect(other), map[string]fault{"PUT a": {status: 500}}, []string{"GET a", "PUT a"}, "", vipps.ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf()
			maps.Copy(s.redirects, test.kept)
			s.fail = test.fail
			client := newClient(t, s)
			got, err := client.EnsureRedirect(t.Context(), sticker, qr.ImageOptions{})
			check(t, err, test.err, "qr.EnsureRedirect: ")
			if diff := cmp.Diff(test.steps, s.steps); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err != nil {
				if got != nil {
					t.Errorf("%v and %v", got, err)
				}
			} else if got.Outcome != test.outcome || got.Code.ID != "a" || got.Code.ImageURL == "" {
				t.Errorf("%+v", got)
			}
			if errors.Is(test.err, qr.ErrExpires) {
				return
			}
			s.fail, s.steps = nil, nil // whatever happened, the second call brings it about, and the third changes nothing
			if _, err := client.EnsureRedirect(t.Context(), sticker, qr.ImageOptions{}); err != nil {
				t.Error(err)
			}
			s.steps = nil
			got, err = client.EnsureRedirect(t.Context(), sticker, qr.ImageOptions{})
			if err != nil || got.Outcome != qr.Unchanged || len(s.steps) != 1 || s.redirects["a"].ExpiresIn != -1 {
				t.Errorf("in the end %+v, %v, %v", got, err, s.steps)
			}
		})
	}
}

// check compares an error with what is wanted: nothing, a sentinel, or any answer.
func check(t *testing.T, err, want error, prefix string) {
	t.Helper()
	if _, ok := errors.AsType[*vipps.Error](want); ok {
		if _, ok := errors.AsType[*vipps.Error](err); !ok {
			t.Errorf("got %v", err)
		}
	} else if !cmp.Equal(want, err, cmpopts.EquateErrors()) {
		t.Errorf("got %v, want %v", err, want)
	}
	if err != nil && !strings.HasPrefix(err.Error(), prefix) {
		t.Errorf("%v does not begin with %s", err, prefix)
	}
}

func TestEnsureCallback(t *testing.T) {
	t.Parallel()
	kept := func(location, category string) map[string]callback {
		return map[string]callback{"a": {"a", location, category, "https://image/a"}}
	}
	for name, test := range map[string]struct {
		kept     map[string]callback
		fail     map[string]fault
		location string
		category qr.Category
		hidden   bool
		steps    []string
		outcome  qr.Outcome
		err      error
		shown    qr.Category
	}{
		"nothing there":            {nil, nil, "Hall", qr.Vending, false, []string{"GET a", "PUT a", "GET a"}, qr.Created, nil, qr.Vending},
		"as wanted":                {kept("Hall", "VENDING"), nil, "Hall", qr.Vending, false, []string{"GET a"}, qr.Unchanged, nil, qr.Vending},
		"as wanted, with blanks":   {kept("Hall ", "VENDING"), nil, " Hall", qr.Vending, false, []string{"GET a"}, qr.Unchanged, nil, qr.Vending},
		"elsewhere":                {kept("Yard", "VENDING"), nil, "Hall", qr.Vending, false, []string{"GET a", "PUT a"}, qr.Updated, nil, qr.Vending},
		"another category":         {kept("Hall", "IN_STORE"), nil, "Hall", qr.Vending, false, []string{"GET a", "PUT a"}, qr.Updated, nil, qr.Vending},
		"any category":             {kept("Hall", "VENDING"), nil, "Hall", "", false, []string{"GET a"}, qr.Unchanged, nil, qr.Vending},
		"elsewhere, any category":  {kept("Yard", "VENDING"), nil, "Hall", "", false, []string{"GET a", "PUT a"}, qr.Updated, nil, qr.Vending},
		"category not shown":       {kept("Hall", "IN_STORE"), nil, "Hall", qr.Vending, true, []string{"GET a", "PUT a"}, qr.Unchanged, nil, qr.Vending},
		"neither shown nor wanted": {kept("Hall", "IN_STORE"), nil, "Hall", "", true, []string{"GET a"}, qr.Unchanged, nil, ""},
		"elsewhere, not shown":     {kept("Yard", ""), nil, "Hall", qr.Vending, true, []string{"GET a", "PUT a"}, qr.Updated, nil, qr.Vending},
		"cannot be read":           {nil, map[string]fault{"GET a": {status: 403}}, "Hall", "", false, []string{"GET a"}, "", vipps.ErrUnauthorized, ""},
		"the answer is lost":       {nil, map[string]fault{"PUT a": {status: 500, after: true}}, "Hall", "", false, []string{"GET a", "PUT a"}, "", vipps.ErrOutcomeUnknown, ""},
		"the call is lost":         {kept("Yard", ""), map[string]fault{"PUT a": {status: 500}}, "Hall", "", false, []string{"GET a", "PUT a"}, "", vipps.ErrOutcomeUnknown, ""},
		"refused":                  {nil, map[string]fault{"PUT a": {status: 400}}, "Hall", "", false, []string{"GET a", "PUT a"}, "", &vipps.Error{}, ""},
		"made, but not to be read": {nil, map[string]fault{"PUT a": {do: func(s *shelf) { s.fail = map[string]fault{"GET a": {status: 404}} }}}, "Hall", "", false, []string{"GET a", "PUT a", "GET a"}, qr.Created, vipps.ErrNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf()
			maps.Copy(s.callbacks, test.kept)
			s.fail, s.noCategories = test.fail, test.hidden
			sticker := qr.CallbackSticker{ID: "a", LocationDescription: test.location, Category: test.category}
			client := newClient(t, s)
			got, err := client.EnsureCallback(t.Context(), sticker, qr.ImageOptions{})
			check(t, err, test.err, "qr.EnsureCallback: ")
			if diff := cmp.Diff(test.steps, s.steps); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (got == nil) != (test.outcome == "") {
				t.Fatalf("%+v, %v", got, err)
			}
			if got != nil && (got.Outcome != test.outcome || got.Code.ID != "a" || strings.TrimSpace(got.Code.LocationDescription) != "Hall" || got.Code.Category != test.shown) {
				t.Errorf("%+v", got)
			}
			s.fail = nil // whatever happened, the second call brings it about, and the third changes nothing
			if _, err := client.EnsureCallback(t.Context(), sticker, qr.ImageOptions{}); err != nil {
				t.Error(err)
			}
			before := s.callbacks["a"]
			got, err = client.EnsureCallback(t.Context(), sticker, qr.ImageOptions{})
			if err != nil || got.Outcome != qr.Unchanged || s.callbacks["a"] != before || got.Code.ImageURL == "" {
				t.Errorf("in the end %+v, %v, %v", got, err, s.steps)
			}
			if test.category != "" && before.Category != string(test.category) {
				t.Errorf("in the end %+v", before)
			}
		})
	}
}

func TestEnsureRedirects(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.redirects["same"] = redirect{"same", page, "https://image/same", -1}
	s.redirects["old"] = redirect{"old", other, "https://image/old", -1}
	s.redirects["dying"] = redirect{"dying", page, "https://image/dying", 5}
	s.redirects["not ours"] = redirect{"not ours", other, "https://image/x", 5}
	s.fail["POST fails"] = fault{status: 403}
	client := newClient(t, s)
	stickers := []qr.RedirectSticker{
		{"same", page},
		{"old", page},
		{"bad/id", page},
		{"new", page},
		{"bad-address", "http://example.com"},
		{"dying", page},
		{"fails", page},
		{"same", other},
		{"last", page},
	}
	results, err := client.EnsureRedirects(t.Context(), stickers, qr.ImageOptions{})
	failed, ok := errors.AsType[*qr.BatchError](err)
	if !ok {
		t.Fatal(err)
	}
	var outcomes []string
	for _, result := range results {
		outcomes = append(outcomes, string(result.Outcome)+" "+result.Code.ID)
	}
	if diff := cmp.Diff([]string{"unchanged same", "updated old", " ", "created new", " ", " ", " ", " ", "created last"}, outcomes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var rows []string
	for _, row := range failed.Rows {
		rows = append(rows, fmt.Sprintf("%d %s", row.Index, row.ID))
	}
	if diff := cmp.Diff([]string{"2 bad/id", "4 bad-address", "5 dying", "6 fails", "7 same"}, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, text := range []string{
		"qr.EnsureRedirects: 5 failed\n", `stickers[2] "bad/id": `, "ID: must be", "RedirectURL: must be", `stickers[7] "same": `, "ID: is that of stickers[0] as well",
	} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%v does not say %q", err, text)
		}
	}
	for _, want := range []error{vipps.ErrInvalidRequest, vipps.ErrUnauthorized, qr.ErrExpires} {
		if !errors.Is(err, want) {
			t.Errorf("%v is not %v", err, want)
		}
	}
	if !errors.Is(failed.Rows[3], vipps.ErrUnauthorized) || errors.Is(failed.Rows[0], vipps.ErrUnauthorized) {
		t.Errorf("%v", failed.Rows)
	}
	if diff := cmp.Diff([]string{"GET", "PUT old", "POST new", "POST fails", "POST last"}, s.steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.steps = nil
	good := []qr.RedirectSticker{stickers[0], stickers[1], stickers[3], stickers[8]}
	results, err = client.EnsureRedirects(t.Context(), good, qr.ImageOptions{})
	if err != nil || !slices.Equal(s.steps, []string{"GET"}) {
		t.Errorf("%v, %v", err, s.steps)
	}
	for _, result := range results {
		if result.Outcome != qr.Unchanged || result.Code.ImageURL == "" {
			t.Errorf("%+v", result)
		}
	}
}

func TestEnsureCallbacks(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.callbacks["same"] = callback{"same", "Hall", "VENDING", "https://image/same"}
	s.callbacks["moved"] = callback{"moved", "Yard", "VENDING", "https://image/moved"}
	s.fail["PUT fails"] = fault{status: 500}
	client := newClient(t, s)
	stickers := []qr.CallbackSticker{
		{"same", "Hall", qr.Vending}, {"moved", "Hall", qr.Vending}, {"fails", "Hall", qr.Vending}, {"new", "Hall", qr.Vending}, {"far", strings.Repeat("x", 37), qr.Vending},
	}
	results, err := client.EnsureCallbacks(t.Context(), stickers, qr.ImageOptions{Format: qr.PNG, Size: 300})
	if !errors.Is(err, vipps.ErrOutcomeUnknown) || !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), `stickers[4] "far": `) {
		t.Error(err)
	}
	var outcomes []qr.Outcome
	for _, result := range results {
		outcomes = append(outcomes, result.Outcome)
	}
	if diff := cmp.Diff([]qr.Outcome{qr.Unchanged, qr.Updated, "", qr.Created, ""}, outcomes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"GET", "PUT moved", "PUT fails", "PUT new", "GET new"}, s.steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.steps = nil
	results, err = client.EnsureCallbacks(t.Context(), stickers[:4], qr.ImageOptions{})
	if err != nil || results[0].Outcome != qr.Unchanged || results[2].Outcome != qr.Created {
		t.Errorf("%v, %+v", err, results)
	}
	s.steps = nil
	if _, err = client.EnsureCallbacks(t.Context(), stickers[:4], qr.ImageOptions{}); err != nil || !slices.Equal(s.steps, []string{"GET"}) {
		t.Errorf("%v, %v", err, s.steps)
	}
}

// TestEnsureManyStickers has a list that does not fit, lists that fail, and batches in which nothing is to be done.
func TestEnsureManyStickers(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.page = "[" + strings.Repeat(" ", 1<<20) + "]"
	s.callbacks["a"] = callback{"a", "Hall", "", "https://image/a"}
	client := newClient(t, s)
	stickers := []qr.CallbackSticker{{ID: "a", LocationDescription: "Hall"}, {ID: "b", LocationDescription: "Hall"}}
	results, err := client.EnsureCallbacks(t.Context(), stickers, qr.ImageOptions{})
	if err != nil || results[0].Outcome != qr.Unchanged || results[1].Outcome != qr.Created {
		t.Errorf("%+v, %v", results, err)
	}
	if diff := cmp.Diff([]string{"GET", "GET a", "GET b", "PUT b", "GET b"}, s.steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.fail = map[string]fault{"GET": {status: 403}}
	results, err = client.EnsureCallbacks(t.Context(), stickers, qr.ImageOptions{})
	failed, ok := errors.AsType[*qr.BatchError](err)
	if !errors.Is(err, vipps.ErrUnauthorized) || !ok || len(failed.Rows) != 2 || len(results) != 2 || results[0].Outcome != "" {
		t.Errorf("%+v, %v", results, err)
	}
	s.steps = nil
	if results, err := client.EnsureRedirects(t.Context(), nil, qr.ImageOptions{}); err != nil || len(results) != 0 || s.steps != nil {
		t.Errorf("%v, %v, %v", results, err, s.steps)
	}
	many := make([]qr.RedirectSticker, 30)
	_, err = client.EnsureRedirects(t.Context(), many, qr.ImageOptions{})
	if err == nil || !strings.Contains(err.Error(), "30 failed") || !strings.HasSuffix(err.Error(), "and 10 more") || s.steps != nil {
		t.Errorf("%v, %v", err, s.steps)
	}
}

// TestEnsureCancelled stops in the middle and says which stickers were not looked at.
func TestEnsureCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newShelf()
	s.fail["POST b"] = fault{do: func(*shelf) { cancel() }}
	client := newClient(t, s)
	results, err := client.EnsureRedirects(ctx, []qr.RedirectSticker{{"a", page}, {"b", page}, {"c", page}}, qr.ImageOptions{})
	failed, ok := errors.AsType[*qr.BatchError](err)
	if !ok || !errors.Is(err, context.Canceled) || results[0].Outcome != qr.Created || failed.Rows[len(failed.Rows)-1].ID != "c" {
		t.Errorf("%+v, %v", results, err)
	}
	if errors.Is(failed.Rows[len(failed.Rows)-1], vipps.ErrOutcomeUnknown) || slices.Contains(s.steps, "POST c") {
		t.Errorf("%v, %v", err, s.steps)
	}
}

// TestEnsureTogether has many processes start at once.
func TestEnsureTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				client := newClient(t, s)
				_, err := client.EnsureRedirects(t.Context(), []qr.RedirectSticker{{"a", page}, {"b", page}}, qr.ImageOptions{})
				_, again := client.EnsureCallbacks(t.Context(), []qr.CallbackSticker{{ID: "a", LocationDescription: "Hall"}}, qr.ImageOptions{})
				if err := errors.Join(err, again); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(s.redirects) != 2 || len(s.callbacks) != 1 {
			t.Errorf("%v, %v", s.redirects, s.callbacks)
		}
	})
}
