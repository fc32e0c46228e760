package vippstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// A Delivery is one attempt to deliver an event to a webhook.
type Delivery struct {
	WebhookID string // of the registration
	URL       string
	Event     string // such as "epayments.payment.authorized.v1"
	Reference string // of the payment; empty for check-ins
	Attempt   int    // 1 is the first
	Status    int    // of the answer; 0 if there was none
	Err       string // why there was none
	Fault     string // the kind of fault that struck the attempt
	At        time.Time
	Header    http.Header
	Body      []byte // as sent
}

// An occurrence is something that webhooks are told about.
type occurrence struct {
	msn, event, reference string
	queue                 string // occurrences of the same queue are delivered in order
	body                  []byte
	answered              func(Delivery) // is told the first attempt of each webhook; may be nil
}

// A queue is what one registration is still to be told about one payment. An event that is not accepted holds back those
// behind it.
type queue struct {
	registration *registration
	name         string
	items        []*parcel
	wake         *task // the next attempt, if it is not now
	sending      bool
}

// A parcel is an event on its way to one registration.
type parcel struct {
	occurrence
	since   time.Time // when it was first due
	attempt int
}

// HandleWebhooks has deliveries to an address, as it was registered, handled by h without a network. The handler's request
// context ends after the ten seconds that Vipps waits, and when the emulator is closed. A nil h takes the handler away.
func (s *Server) HandleWebhooks(url string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[url] = h
}

// Deliveries are the attempts made, in the order of their answers: the last 10,000.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.deliveries[max(0, len(s.deliveries)-keepLast):])
	for i, d := range list {
		list[i].Header = d.Header.Clone()
		list[i].Body = bytes.Clone(d.Body)
	}
	return list
}

// publish hands an occurrence to every registration that wants it. It says how many of them are being told.
func (s *Server) publish(o occurrence) (told int) {
	if s.closed {
		return 0
	}
	for _, r := range s.subscribers(o.msn, o.event) {
		if s.enqueue(r, o) {
			told++
		}
	}
	return told
}

// enqueue says whether the occurrence is on its way when it returns.
func (s *Server) enqueue(r *registration, o occurrence) bool {
	copies, wait := 1, time.Duration(0)
	for _, f := range s.strikeParcel(&o) {
		switch {
		case f.Kind == Drop:
			return false
		case f.Kind == Duplicate:
			copies++
		case f.Kind == Delay:
			wait = f.Delay
		}
	}
	q := r.queues[o.queue]
	if q == nil {
		q = &queue{registration: r, name: o.queue}
		r.queues[o.queue] = q
	}
	first := &parcel{occurrence: o, since: s.now().Add(wait)}
	q.items = append(q.items, first)
	for range copies - 1 {
		q.items = append(q.items, new(*first))
	}
	s.next(q)
	return first.attempt > 0
}

// next sends the first parcel of a queue, now or when it is due.
func (s *Server) next(q *queue) {
	if q.registration.gone || q.sending || q.wake != nil {
		return
	}
	if len(q.items) == 0 {
		delete(q.registration.queues, q.name)
		return
	}
	p := q.items[0]
	if wait := p.since.Sub(s.now()); p.attempt == 0 && wait > 0 {
		s.sendIn(q, wait)
		return
	}
	s.send(q, p)
}

func (s *Server) sendIn(q *queue, wait time.Duration) {
	q.wake = s.after(wait, func() {
		q.wake = nil
		s.send(q, q.items[0])
	})
}

// send makes one attempt, on a goroutine that ends with it.
func (s *Server) send(q *queue, p *parcel) {
	p.attempt++
	q.sending = true
	s.inFlight++
	r := q.registration
	m := s.newMessage(r, p)
	h := s.handlers[r.url]
	s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, answerWithin)
		defer cancel()
		d, panicked := s.post(ctx, h, m)
		s.mu.Lock()
		defer s.mu.Unlock()
		if panicked {
			s.panics = append(s.panics, "the handler of "+d.URL+": "+d.Err)
		}
		s.inFlight--
		q.sending = false
		if p.attempt == 1 && p.answered != nil {
			p.answered(d)
		}
		s.conclude(q, p, d)
		s.idle.Broadcast()
	})
}

// conclude enters an attempt in the books and decides how the queue goes on.
func (s *Server) conclude(q *queue, p *parcel, d Delivery) {
	if s.closed {
		return
	}
	if len(s.deliveries) >= 2*keepLast {
		s.deliveries = slices.Clone(s.deliveries[len(s.deliveries)-keepLast:])
	}
	s.deliveries = append(s.deliveries, d)
	now, r := s.now(), q.registration
	if r.gone {
		return
	}
	if d.Err == "" && d.Status >= 200 && d.Status < 300 {
		r.failing = time.Time{}
		q.items = q.items[1:]
		s.next(q)
		return
	}
	if r.failing.IsZero() {
		r.failing = now
	}
	if now.Sub(r.failing) >= registrationDies {
		s.remove(r)
		return
	}
	wait := retryAfter(p.attempt)
	if now.Add(wait).Sub(p.since) > retryFor {
		q.items = q.items[1:]
		s.next(q)
		return
	}
	s.sendIn(q, wait)
}

const (
	answerWithin     = 10 * time.Second
	retryFor         = 7 * 24 * time.Hour
	registrationDies = 14 * 24 * time.Hour
)

// retryAfter is how long after an attempt the next one is made.
func retryAfter(attempt int) time.Duration {
	switch {
	case attempt < 4:
		return 2 * time.Second
	case attempt == 4:
		return time.Minute
	case attempt == 5:
		return 2 * time.Minute
	case attempt < 29:
		return time.Hour
	default:
		return 24 * time.Hour
	}
}

// post makes the request, to the handler if there is one.
func (s *Server) post(ctx context.Context, h http.Handler, m message) (d Delivery, panicked bool) {
	d = m.Delivery
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		d.Err = err.Error()
		return d, false
	}
	request.Header = d.Header.Clone()
	if h != nil {
		d.Status, err = s.callHandler(h, request)
	} else {
		d.Status, err = s.postTo(request)
	}
	if err != nil {
		d.Status, d.Err = 0, err.Error()
	} else if m.loseAnswer {
		d.Err = "vippstest: the answer was lost"
	}
	return d, errors.Is(err, errPanicked)
}

func (s *Server) postTo(request *http.Request) (int, error) {
	response, err := s.client.Do(request) //nolint:gosec // posting to the registered address is what it is for
	if err != nil {
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, response.Body, maxBody) // so that the connection can be used again
	return response.StatusCode, response.Body.Close()
}

// callHandler runs a handler as a server would. It leaves it behind when the time is up.
func (s *Server) callHandler(h http.Handler, request *http.Request) (int, error) {
	request.RequestURI = request.URL.RequestURI()
	request.RemoteAddr = "192.0.2.1:443"
	w := &recorder{header: http.Header{}}
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			switch r := recover(); r {
			case nil:
			case http.ErrAbortHandler:
				err = io.EOF
			default:
				err = fmt.Errorf("%w: %v", errPanicked, r)
			}
			done <- err
		}()
		h.ServeHTTP(w, request)
	}()
	select {
	case err := <-done:
		return w.result(), err
	case <-request.Context().Done():
		return 0, request.Context().Err()
	}
}

var errPanicked = errors.New("the handler panicked")

// recorder is the ResponseWriter of a handler that is called in process; only the status matters.
type recorder struct {
	header http.Header
	status int
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return len(b), nil
}

func (w *recorder) result() int {
	w.WriteHeader(http.StatusOK)
	return w.status
}

// deliveryClient posts to real addresses. It follows no redirects: Vipps does not.
func deliveryClient(c *http.Client) *http.Client {
	own := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}}
	if c != nil {
		*own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return own
}
