package main

import (
	"net/http"
	"regexp"
	"sync"
)

// recorder keeps what was sent, and how it was answered, without anything that was in it.
type recorder struct {
	mu       sync.Mutex
	requests []request
}

type request struct {
	method, path string
	status       int // 0 if there was no answer
}

// around puts the recorder around connections: a tracer would go into the same place.
func (r *recorder) around(connections http.RoundTripper) http.RoundTripper {
	return roundTripper(func(sent *http.Request) (*http.Response, error) {
		answer, err := connections.RoundTrip(sent)
		entry := request{method: sent.Method, path: withoutIDs(sent.URL.Path)}
		if err == nil {
			entry.status = answer.StatusCode
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, entry)
		return answer, err
	})
}

// take gives what was recorded since it was asked last.
func (r *recorder) take() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.requests
	r.requests = nil
	return taken
}

// id is a path as far as an id, and the id.
var id = regexp.MustCompile(`(/(?:payments|webhooks/v1/webhooks|merchant-redirect|merchant-callback(?:/mobilepay)?|v2/ecom(?:/receipts|/categories)?|v3/categories))/([^/]+)`)

func withoutIDs(path string) string { return id.ReplaceAllString(path, "$1/{id}") }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
