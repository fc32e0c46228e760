package vippstest

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// keepLast is how many requests and deliveries are remembered.
const keepLast = 10_000

// A Request is one that came in, as the emulator's books have it.
type Request struct {
	Op        string // as in [Fault]; empty if there is no such operation
	Method    string
	Path      string      // without the query
	Reference string      // of the payment, or what Fault.Reference stands for otherwise
	Header    http.Header // with the secrets' values removed
	Body      []byte      // as sent, at most 1 MiB; none where Op is empty
	Status    int         // of the answer; 0 while there is none, and if it was never executed
	Code      string      // the numeric code of the answer, if it has one
	Fault     string      // the kind of fault that struck it
	At        time.Time   // when it came in, by the emulator's clock
}

type countID struct{ op, reference string }

// secretHeaders lose their values before they are remembered.
var secretHeaders = []string{"Authorization", "Ocp-Apim-Subscription-Key", "Client_id", "Client_secret", "Cookie"}

// record enters a call in the books.
func (s *Server) record(c *call) *Request {
	header := c.header.Clone()
	for name := range header {
		for _, secret := range secretHeaders {
			if strings.EqualFold(name, secret) {
				header[name] = []string{"[removed]"}
			}
		}
	}
	body := c.body
	if len(body) > maxBody {
		body = bytes.Clone(body[:maxBody])
	}
	if c.op() == "" { // nobody asks for it, and anybody may send it
		body = nil
	}
	entry := &Request{
		Op: c.op(), Method: c.method, Path: c.path, Reference: c.reference,
		Header: header, Body: body, At: s.now(),
	}
	if c.fault != nil {
		entry.Fault = string(c.fault.Kind)
	}
	if len(s.requests) >= 2*keepLast {
		s.requests = append([]*Request(nil), s.requests[len(s.requests)-keepLast:]...)
	}
	s.requests = append(s.requests, entry)
	s.counts[countID{entry.Op, entry.Reference}]++
	if entry.Reference != "" {
		s.counts[countID{entry.Op, ""}]++
	}
	return entry
}

// finish enters the answer.
func (s *Server) finish(entry *Request, r reply) reply {
	entry.Status, entry.Code = r.status, r.code
	if s.options.Logf != nil {
		s.options.Logf("vippstest: op=%s reference=%q status=%d code=%s fault=%s",
			entry.Op, entry.Reference, entry.Status, entry.Code, entry.Fault)
	}
	return r
}

// Requests are the ones that came in, oldest first: the last 10,000.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	recent := s.requests[max(0, len(s.requests)-keepLast):]
	list := make([]Request, len(recent))
	for i, r := range recent {
		list[i] = *r
		list[i].Header = r.Header.Clone()
		list[i].Body = bytes.Clone(r.Body)
	}
	return list
}

// Count is how many requests of an operation came in for a reference, struck by faults or not; an empty reference counts
// them all.
func (s *Server) Count(op, reference string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[countID{op, reference}]
}
