package vipps

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/vippsvending/vipps/internal/problem"
	"github.com/vippsvending/vipps/internal/transport"
)

// What callers decide by, with [errors.Is].
var (
	// ErrInvalidRequest means that an argument is wrong for ever. Nothing was sent. The error names every field.
	ErrInvalidRequest = errors.New("invalid request")
	// ErrOutcomeUnknown means that a change may or may not have been made: an answer was lost, could not be read, or was a
	// server's failure. Call again with the same idempotency key and the same arguments, now or after a restart, or read
	// what there is. Never take it for a failure.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrUnauthorized is an answer of 401 or 403, or the refusal of a token with 400: wrong keys, keys of another environment
	// or sales unit, or a product that the sales unit does not have.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrNotFound is an answer of 404.
	ErrNotFound = errors.New("not found")
	// ErrConflict is an answer of 409: a reference, key or id is taken.
	ErrConflict = errors.New("conflict")
	// ErrRateLimited is an answer of 429. Nothing was done by the attempt that got it.
	ErrRateLimited = errors.New("rate limited")
	// ErrNotAvailable means that an operation does not exist in this environment. Nothing was sent.
	ErrNotAvailable = errors.New("not available in this environment")
)

// Code is a numeric error code of the ePayment API, such as "6090". Package epayment has them as constants. A Code is an
// error, so that errors.Is(err, epayment.CodeCaptureTooHigh) works. Branch on codes and statuses, never on titles.
type Code string

// Error says the code.
func (c Code) Error() string { return "code " + string(c) }

// Detail is one finding of an answer: the name of a field and what is wrong with it.
type Detail struct {
	Name   string
	Reason string
}

// Error is how a call failed: the answer of any of the APIs or of the gateway in front of them, or why there was none.
//
// errors.Is finds the sentinels of this package and, by [Code], the numeric codes; errors.AsType[*vipps.Error] gives the
// rest. Error prints as one line without addresses, bodies or secrets.
type Error struct {
	Op      string // "epayment.Capture"
	Subject string // what it was about: the payment's reference
	During  string // "accesstoken.Get" if the call itself could not be made because there was no token, else empty
	Status  int    // 0 if the last attempt got no answer
	Code    Code   // empty if the answer had none
	// OutcomeUnknown says the same as errors.Is(err, ErrOutcomeUnknown).
	OutcomeUnknown bool
	Type           string
	Title          string // may be reworded by Vipps MobilePay at any time
	Detail         string
	Instance       string
	TraceID        string // what support asks for
	Details        []Detail
	RetryAfter     time.Duration // what the answer asked for; 0 if nothing
	Body           string        `json:"-"` // the start of an answer in no known form, at most 4 KiB; not in its text
	cause          error
}

// inconclusive are numbered refusals that say nothing final: something of ours exists under the key or reference, or the
// payment is busy at the moment.
var inconclusive = map[Code]bool{"4010": true, "4020": true, "4150": true, "6160": true, "6250": true, "6280": true}

// Conclusive says that the request was looked at and refused for good: nothing was done, and the same request with the
// same key will be refused again. Only numbered errors of the API itself are; a 401, 429 or 423, a gateway's page, a refusal
// of the token and the codes that say "taken" or "busy" are not.
func (e *Error) Conclusive() bool {
	switch {
	case e.During != "" || e.Code == "" || inconclusive[e.Code] || e.Status < 400 || e.Status > 499:
		return false
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusRequestTimeout, e.Status == http.StatusLocked, e.Status == http.StatusTooManyRequests:
		return false
	default:
		return true
	}
}

// Error is one line: operation, subject, whether the outcome is unknown, status, code, title, trace id.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Subject != "" {
		b.WriteString(" " + e.Subject)
	}
	b.WriteString(": ")
	if e.OutcomeUnknown {
		b.WriteString("outcome unknown: ")
	}
	if e.During != "" {
		b.WriteString(e.During + ": ")
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	if e.Code != "" {
		b.WriteString(string(e.Code) + " ")
	}
	said := e.Title
	switch {
	case e.cause != nil:
		said = e.cause.Error()
	case said == "":
		said = http.StatusText(e.Status)
	}
	b.WriteString(said)
	for _, detail := range e.Details[:min(len(e.Details), 5)] {
		switch {
		case detail.Reason == string(e.Code) || detail.Reason == said: // has been said
		case detail.Name == "":
			b.WriteString("; " + detail.Reason)
		default:
			b.WriteString("; " + detail.Name + ": " + detail.Reason)
		}
	}
	if e.TraceID != "" {
		b.WriteString(" (trace " + e.TraceID + ")")
	}
	return strings.Join(strings.FieldsFunc(b.String(), func(r rune) bool { return r == ' ' || unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) }), " ")
}

// Format prints what Error says, whatever the verb, so that none prints the rest.
func (e Error) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, e.Error()) // fmt.State keeps no error
}

// Unwrap is why there was no answer, or why it could not be read.
func (e *Error) Unwrap() error { return e.cause }

// Is matches the sentinels of this package by status and outcome, and a [Code] by value. A refusal of the token is
// [ErrUnauthorized] or [ErrRateLimited] and nothing else: it says nothing about what the call was for.
func (e *Error) Is(target error) bool {
	call := e.During == ""
	switch target {
	case ErrOutcomeUnknown:
		return e.OutcomeUnknown
	case ErrUnauthorized:
		// The token endpoint answers 400 to a client id it does not know.
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || !call && e.Status == http.StatusBadRequest
	case ErrNotFound:
		return call && e.Status == http.StatusNotFound
	case ErrConflict:
		return call && e.Status == http.StatusConflict
	case ErrRateLimited:
		return e.Status == http.StatusTooManyRequests
	}
	code, ok := target.(Code)
	return ok && call && code != "" && code == e.Code
}

// read fills in what an answer says, without what must not be shown.
func (e *Error) read(answer *transport.Answer, clean func(string) string) {
	p := problem.Decode(answer.Body, clean)
	e.Status, e.Code, e.RetryAfter = answer.Status, Code(p.Code), answer.RetryAfter
	e.Type, e.Title, e.Detail, e.Instance, e.TraceID, e.Body = p.Type, p.Title, p.Detail, p.Instance, p.TraceID, p.Body
	for _, detail := range p.Details {
		e.Details = append(e.Details, Detail(detail))
	}
}

// hidden is an error whose text would have shown a secret. errors.Is and errors.As still see what it was.
type hidden struct {
	text string
	err  error
}

// scrubbed is err, or something that prints without the secrets in it.
func scrubbed(err error, clean func(string) string) error {
	if text := clean(err.Error()); text != err.Error() {
		return &hidden{text, err}
	}
	return err
}

func (h *hidden) Error() string        { return h.text }
func (h *hidden) GoString() string     { return h.text }
func (h *hidden) Is(target error) bool { return errors.Is(h.err, target) }
func (h *hidden) As(target any) bool   { return errors.As(h.err, target) }
