// Package apitest is what the tests of the API clients share: a table of answers that remembers what it was asked, and
// golden files.
package apitest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jarcoal/httpmock"
)

// Mock is a table of answers that remembers what it was asked.
type Mock struct {
	*httpmock.MockTransport

	mu   sync.Mutex
	sent []string
}

// NewMock answers token requests at a base address. A request that has no answer fails the test, and so does an answer that
// nobody asked for.
func NewMock(t *testing.T, base string) *Mock {
	t.Helper()
	m := &Mock{MockTransport: httpmock.NewMockTransport()}
	m.RegisterResponder(http.MethodPost, base+"/accesstoken/get", Answer(http.StatusOK, `{"access_token":"the-token","expires_in":"3600"}`))
	m.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		t.Errorf("nobody expects %s %s", r.Method, r.URL)
		return httpmock.NewStringResponse(http.StatusNotImplemented, ""), nil
	})
	t.Cleanup(func() {
		for name, count := range m.GetCallCountInfo() {
			if count == 0 && !strings.Contains(name, "accesstoken") {
				t.Errorf("%s was not asked for", name)
			}
		}
	})
	return m
}

// RoundTrip implements http.RoundTripper.
func (m *Mock) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/accesstoken/get") {
		var body []byte
		if r.Body != nil {
			var err error
			if body, err = io.ReadAll(r.Body); err != nil {
				return nil, err
			}
			if err := r.Body.Close(); err != nil {
				return nil, err
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		m.mu.Lock()
		m.sent = append(m.sent, wire(r, body))
		m.mu.Unlock()
	}
	return m.MockTransport.RoundTrip(r)
}

// wire is a request as text: method and address, headers that are not the same for every call of everybody, body.
func wire(r *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL.RequestURI())
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Authorization" && name != "User-Agent" {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(r.Header[name], ", "))
		}
	}
	return b.String() + "\n" + string(body) + "\n"
}

// Requests are those that were sent, as text, but for those of tokens.
func (m *Mock) Requests() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sent)
}

// Answer is an answer in the type that servers send it in.
func Answer(status int, body string) httpmock.Responder {
	kind := "application/json"
	if status >= 400 {
		kind = "application/problem+json"
	}
	return httpmock.NewStringResponder(status, body).HeaderSet(http.Header{"Content-Type": {kind}})
}

// HangUp is a connection that is lost.
func HangUp(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// Testdata reads a file of the package's testdata.
func Testdata(tb testing.TB, name string) string {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name)) //nolint:gosec // a file of the test's own
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

// Golden compares with a file of testdata, or rewrites it.
func Golden(t *testing.T, update bool, name, got string) {
	t.Helper()
	if update {
		if err := os.WriteFile(filepath.Join("testdata", name), []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(Testdata(t, name), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
