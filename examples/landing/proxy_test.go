package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestForwarded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		listed []string
		want   string
	}{
		{[]string{"192.0.2.1"}, "192.0.2.1"},
		{[]string{"198.51.100.9, 192.0.2.1"}, "192.0.2.1"}, // the first has been made up
		{[]string{"198.51.100.9", "2001:db8::1"}, "2001:db8::1"},
		{[]string{"nobody"}, "invalid IP"},
		{nil, "invalid IP"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header["X-Forwarded-For"] = test.listed
		if got := clientAddress(true)(r).String(); got != test.want {
			t.Errorf("%q: %s, want %s", test.listed, got, test.want)
		}
	}
	if clientAddress(false) != nil {
		t.Error("without a proxy anybody could write the header")
	}
}

func TestOwnHost(t *testing.T) {
	t.Parallel()
	pages := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, test := range []struct {
		public, host string
		want         int
	}{
		{"http://127.0.0.1:8081", "127.0.0.1:8081", http.StatusNoContent},
		{"https://acme.example", "Acme.example", http.StatusNoContent},
		{"http://127.0.0.1:8081", "evil.example:8081", http.StatusMisdirectedRequest},
		{"https://acme.example", "127.0.0.1:8081", http.StatusMisdirectedRequest},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/m/oslo1", nil)
		r.Host = test.host
		w := httptest.NewRecorder()
		ownHost(test.public, pages).ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s at %s: %d, want %d", test.host, test.public, w.Code, test.want)
		}
	}
}
