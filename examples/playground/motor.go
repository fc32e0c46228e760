package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// motor is the mechanical half of the machine: shelf, motor, drop sensor and flap. It is not the controller, so what has
// begun to turn turns on when the controller's power is cut, and what has dropped has dropped.
type motor struct {
	playground *playground
	pace       time.Duration

	mu      sync.Mutex
	left    map[string]int // by slot
	turning string         // the slot
	drops   []drop
	flap    int // how many of drops have been taken out
}

// drop is a product that has left.
type drop struct {
	N                int
	Vend, Slot, Name string
	Price            int64
}

func newMotor(p *playground, pace time.Duration) *motor {
	m := &motor{playground: p, pace: pace}
	m.refill()
	return m
}

func (m *motor) refill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = map[string]int{}
	for _, product := range catalog {
		m.left[product.Slot] = full
	}
}

// turn is what the controller asks for and waits for.
type turn struct {
	Vend string `json:"vend"`
	Slot string `json:"slot"`
}

// ServeHTTP turns the motor. The status is the sensor's word: 200 for dropped, 409 for certainly not, 504 for silence.
func (m *motor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var t turn
	if err := json.NewDecoder(r.Body).Decode(&t); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	faults := &m.playground.faults
	if faults.strikes(faultCutVend, sessionOf(t.Vend)) {
		go m.playground.cut()
	}
	dropped := m.run(t, faults.strikes(faultJam, sessionOf(t.Vend)))
	switch {
	case faults.strikes(faultSilent, sessionOf(t.Vend)):
		w.WriteHeader(http.StatusGatewayTimeout)
	case !dropped:
		w.WriteHeader(http.StatusConflict)
	default:
		w.WriteHeader(http.StatusOK)
	}
}

// run turns the motor to its end, whoever is still there to hear of it.
func (m *motor) run(t turn, jam bool) bool {
	m.mu.Lock()
	m.turning = t.Slot
	pace := m.pace
	m.mu.Unlock()
	m.playground.changed()
	<-time.After(pace)
	defer m.playground.changed()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turning = ""
	product, ok := product(t.Slot)
	if !ok || jam || m.left[t.Slot] == 0 {
		return false
	}
	m.left[t.Slot]--
	m.drops = append(m.drops, drop{len(m.drops) + 1, t.Vend, t.Slot, product.Name, product.Price})
	return true
}

// shelf says how many are left, by slot, for the price list.
func (m *motor) shelf(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(m.left) // a controller without power does not read it
}

// dropped are the products that have left in a session, in the machine's own count.
func (m *motor) dropped(session string) []drop {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []drop
	for _, d := range m.drops {
		if sessionOf(d.Vend) == session {
			found = append(found, d)
		}
	}
	return found
}

// take empties the flap.
func (m *motor) take() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flap = len(m.drops)
}

// hurry changes how long the motor turns, and gives what it was.
func (m *motor) hurry(pace time.Duration) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.pace
	m.pace = pace
	return before
}
