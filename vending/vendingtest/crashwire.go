package vendingtest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// processStore is the store as a process sees it.
type processStore struct {
	vending.Store
	p *process
}

// write is a Create or Save, which nobody takes back by giving up on it.
func (s processStore) write(ctx context.Context, session vending.Session, name string, do func(context.Context, vending.Session) error) error {
	var err error
	ok := s.p.effect(session.ID, name, "answer to "+name, func() {
		if err = do(context.WithoutCancel(ctx), session); err == nil {
			s.p.world.stored(session)
		}
	})
	if !ok {
		return errCrashed
	}
	return err
}

func (s processStore) Create(ctx context.Context, session vending.Session) error {
	return s.write(ctx, session, "create session", s.Store.Create)
}

func (s processStore) Save(ctx context.Context, session vending.Session) error {
	return s.write(ctx, session, "save "+string(session.State), s.Store.Save)
}

// Wake moves a time only: no promise rests on it, so that it is not an effect.
func (s processStore) Wake(ctx context.Context, in time.Duration, ids ...string) error {
	if !s.p.gate() {
		return errCrashed
	}
	return s.answer(s.Store.Wake(ctx, in, ids...))
}

// Rest is as Wake.
func (s processStore) Rest(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
	if !s.p.gate() {
		return errCrashed
	}
	return s.answer(s.Store.Rest(ctx, in, sessions...))
}

func (s processStore) answer(err error) error {
	if !s.p.gate() {
		return errCrashed
	}
	return err
}

func (s processStore) one(load func() (vending.Session, error)) (vending.Session, error) {
	if !s.p.gate() {
		return vending.Session{}, errCrashed
	}
	session, err := load()
	if err := s.answer(err); err != nil {
		return vending.Session{}, err
	}
	return session, nil
}

func (s processStore) Load(ctx context.Context, id string) (vending.Session, error) {
	return s.one(func() (vending.Session, error) { return s.Store.Load(ctx, id) })
}

func (s processStore) Seat(ctx context.Context, machine string) (vending.Session, error) {
	return s.one(func() (vending.Session, error) { return s.Store.Seat(ctx, machine) })
}

func (s processStore) many(list func() iter.Seq2[vending.Session, error]) iter.Seq2[vending.Session, error] {
	return func(yield func(vending.Session, error) bool) {
		if !s.p.gate() {
			yield(vending.Session{}, errCrashed)
			return
		}
		for session, err := range list() {
			if !s.p.gate() {
				yield(vending.Session{}, errCrashed)
				return
			}
			if !yield(session, err) {
				return
			}
		}
	}
}

func (s processStore) Due(ctx context.Context, limit int, lease time.Duration) iter.Seq2[vending.Session, error] {
	return s.many(func() iter.Seq2[vending.Session, error] { return s.Store.Due(ctx, limit, lease) })
}

func (s processStore) Open(ctx context.Context) iter.Seq2[vending.Session, error] {
	return s.many(func() iter.Seq2[vending.Session, error] { return s.Store.Open(ctx) })
}

func (s processStore) Closed(ctx context.Context, from, to time.Time) iter.Seq2[vending.Session, error] {
	return s.many(func() iter.Seq2[vending.Session, error] { return s.Store.Closed(ctx, from, to) })
}

func (s processStore) Prune(ctx context.Context, before time.Time) (int, error) {
	if !s.p.gate() {
		return 0, errCrashed
	}
	n, err := s.Store.Prune(ctx, before)
	return n, s.answer(err)
}

// processMachine is the machine as a process reaches it.
type processMachine struct {
	vending.Machine
	p *process
}

func (m processMachine) Ready(ctx context.Context, machine string) error {
	if !m.p.gate() {
		return errCrashed
	}
	err := m.Machine.Ready(ctx, machine)
	if !m.p.gate() {
		return errCrashed
	}
	return err
}

func (m processMachine) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	w := m.p.world
	w.checkArmed(c)
	var verdict vending.Verdict
	var err error
	ok := m.p.effect(c.Session, "vend", "verdict", func() {
		w.commanded(c)
		calling, cancel := w.overdue(ctx)
		defer cancel()
		verdict, err = m.Machine.Vend(calling, c)
		w.countGoods()
	})
	if !ok {
		return vending.Unknown, errCrashed
	}
	return verdict, err
}

func (m processMachine) Conclude(ctx context.Context, id string) (vending.Verdict, error) {
	var verdict vending.Verdict
	var err error
	session, _, _ := strings.Cut(id, "-v")
	ok := m.p.effect(session, "conclude", "answer to conclude", func() {
		calling, cancel := m.p.world.overdue(ctx)
		defer cancel()
		verdict, err = m.Machine.Conclude(calling, id)
		m.p.world.countGoods()
	})
	if !ok {
		return vending.Unknown, errCrashed
	}
	return verdict, err
}

// processTransport is the network as a process sees it. Tokens are fetched, but are not effects.
type processTransport struct {
	http.RoundTripper
	p *process
}

func (t processTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/accesstoken/") {
		if !t.p.gate() {
			return nil, errCrashed
		}
		return t.RoundTripper.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	name, reference := operation(r, body)
	var response *http.Response
	var err error
	ok := t.p.effect(reference, name, "answer to "+name, func() {
		w := t.p.world
		w.countGoods()
		calling, cancel := w.overdue(r.Context())
		defer cancel()
		if name == "capture" {
			w.checkCapture(reference, body)
		}
		sent := r.Clone(calling)
		sent.Body = io.NopCloser(bytes.NewReader(body))
		at := time.Now()
		response, err = t.RoundTripper.RoundTrip(sent) //nolint:bodyclose // by whoever made the request, or held in memory by a dead one
		if name == "get" && err == nil && response.StatusCode == http.StatusOK {
			w.read(reference, at)
		}
		w.changed()
	})
	if !ok {
		return nil, errCrashed
	}
	return response, err
}

// operation names a request and the payment that it is about.
func operation(r *http.Request, body []byte) (name, reference string) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	last := parts[len(parts)-1]
	before := ""
	if len(parts) > 1 {
		before = parts[len(parts)-2]
	}
	switch post := r.Method == http.MethodPost; {
	case post && last == "payments":
		return "create", strings.TrimSuffix(r.Header.Get("Idempotency-Key"), "-c")
	case post && last == "cancel" && bytes.Contains(body, []byte(`"cancelTransactionOnly":true`)):
		return "give up", before
	case post && (last == "capture" || last == "cancel" || last == "refund"), !post && last == "events":
		return last, before
	case post && before == "receipts":
		return "receipt", last
	case !post && before == "payments":
		return "get", last
	case !post && strings.Contains(r.URL.Path, "/order-management/"):
		return "order", last
	default:
		return r.Method + " " + r.URL.Path, ""
	}
}
