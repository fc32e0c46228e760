package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// hook is where webhooks arrive: the part of the operator's site that is always there. It brings them to the controller.
type hook struct {
	playground *playground
	client     *http.Client

	mu   sync.Mutex
	seen []*delivery
}

// checkedIn is what a check-in is called here, which has no name of its own.
const checkedIn = "CHECKED-IN"

// delivery is a webhook as the page shows it.
type delivery struct {
	At          time.Time
	Event       string
	Reference   string
	Status      int // of the controller's answer; 0 if it has none
	Lost, Twice bool
	over        bool // it was brought, or lost
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var event struct {
		Name      string `json:"name"`
		Reference string `json:"reference"`
	}
	_ = json.Unmarshal(body, &event) // the controller decides what it is
	if event.Name == "" {
		event.Name = checkedIn
	}
	d := &delivery{At: h.playground.now(), Event: event.Name, Reference: event.Reference}
	h.enter(d) // before the controller hears of it and tells of the session that a check-in has opened
	defer h.playground.changed()
	if h.playground.faults.strikes(faultNoHook, event.Reference) {
		h.conclude(d, delivery{Lost: true})
		if event.Name == checkedIn {
			h.playground.unheard()
		}
		w.WriteHeader(http.StatusAccepted) // and forgets it
		return
	}
	twice := h.playground.faults.strikes(faultTwice, event.Reference)
	status := h.bring(r, body)
	if twice {
		status = h.bring(r, body)
	}
	h.conclude(d, delivery{Status: status, Twice: twice})
	w.WriteHeader(status)
}

// bring hands a delivery to the controller, if it has power.
func (h *hook) bring(r *http.Request, body []byte) int {
	address := h.playground.child.address()
	if address == "" {
		return http.StatusServiceUnavailable
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+address+hookPath, bytes.NewReader(body))
	if err != nil {
		return http.StatusInternalServerError
	}
	request.Header = r.Header.Clone()
	answer, err := h.client.Do(request)
	if err != nil {
		return http.StatusBadGateway
	}
	defer func() { _ = answer.Body.Close() }() // it says nothing
	return answer.StatusCode
}

func (h *hook) enter(d *delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, d)
	if len(h.seen) > keepCalls {
		h.seen = append([]*delivery(nil), h.seen[keepCalls/2:]...)
	}
}

// conclude writes down what became of a delivery.
func (h *hook) conclude(d *delivery, became delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.Status, d.Lost, d.Twice, d.over = became.Status, became.Lost, became.Twice, true
}

// adopt gives the check-ins without a session to the one that they have opened, or to none.
func (h *hook) adopt(session string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, d := range h.seen {
		if d.Event == checkedIn && d.Reference == "" {
			d.Reference = session
		}
	}
}

// of gives the deliveries about a session.
func (h *hook) of(session string) []delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []delivery
	for _, d := range h.seen {
		if d.Reference == session && d.over {
			found = append(found, *d)
		}
	}
	return found
}
