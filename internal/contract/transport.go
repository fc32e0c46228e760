package contract

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// A Transport checks what goes through it and changes nothing.
type Transport struct {
	Next    http.RoundTripper
	Checker *Checker
	// Report is given what is wrong.
	Report func(Finding)
}

var _ http.RoundTripper = (*Transport)(nil)

type wrongKey struct{}

// Wrong marks the requests of a context as wrong on purpose: only their answers are checked.
func Wrong(ctx context.Context) context.Context { return context.WithValue(ctx, wrongKey{}, true) }

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	e := Exchange{Request: r.Clone(context.WithoutCancel(r.Context())), Wrong: r.Context().Value(wrongKey{}) != nil}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
		e.Sent = body
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	e.Request.Body = nil
	answer, err := t.Next.RoundTrip(r)
	if err == nil {
		e.Header = answer.Header
		var broken error
		e.Answer, broken = io.ReadAll(answer.Body)
		if broken == nil {
			broken = answer.Body.Close()
		}
		if broken == nil {
			e.Status = answer.StatusCode // what broke off cannot be judged
		}
		answer.Body = io.NopCloser(io.MultiReader(bytes.NewReader(e.Answer), &failing{broken}))
	}
	for _, f := range t.Checker.Check(e) {
		t.Report(f)
	}
	return answer, err
}

// failing ends a body as it ended.
type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
