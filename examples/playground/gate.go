package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// gate is the network between the controller and Vipps MobilePay. All of the controller's requests go through it, so that
// they can be shown and lost. It keeps no headers, no bodies and no queries.
type gate struct {
	playground *playground
	vipps      http.Handler      // the emulator, or a proxy to another server
	emulator   *vippstest.Server // nil for another server

	mu    sync.Mutex
	down  time.Time // until when there is no network
	late  string    // the payment that is approved in the moment in which it is taken back
	calls []call
}

// call is a request as the page shows it.
type call struct {
	At        time.Time
	Op        string
	Reference string
	Status    int    // as Vipps MobilePay answered; 0 if it never heard of the request
	Code      string // of a refusal
	Lost      string // why the controller has not heard the answer
}

// keepCalls is how many calls are remembered.
const keepCalls = 4000

// maxBody is how much of a request is read.
const maxBody = 1 << 20

// ServeHTTP passes a request on, and may lose it or its answer.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c := call{At: g.playground.now(), Op: operation(r), Reference: reference(r, body)}
	defer g.playground.changed()
	if g.isDown() {
		c.Lost = "no network"
		g.playground.faults.happened("network", c.Reference)
		g.abort(c)
	}
	faults := &g.playground.faults
	if faults.strikes("request-"+c.Op, c.Reference) {
		c.Lost = "request lost"
		g.abort(c)
	}
	if c.Op == "cancel" && g.approvesLate(c.Reference) {
		_ = g.emulator.Approve(c.Reference) // the second time it is approved already
	}
	g.refuse(c, body)
	answer := &recorder{header: http.Header{}}
	g.vipps.ServeHTTP(answer, r)
	c.Status, c.Code = answer.code(), refusal(answer.code(), answer.body.Bytes())
	switch {
	case faults.strikes("cut-"+c.Op, c.Reference):
		g.playground.cut()
		c.Lost = "power cut"
		g.abort(c)
	case faults.strikes("answer-"+c.Op, c.Reference):
		c.Lost = "answer lost"
		g.abort(c)
	}
	g.enter(c)
	answer.send(w)
}

// abort breaks the connection.
func (g *gate) abort(c call) {
	g.enter(c)
	panic(http.ErrAbortHandler)
}

// enter puts a call into the books.
func (g *gate) enter(c call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, c)
	if len(g.calls) > keepCalls {
		g.calls = append([]call(nil), g.calls[keepCalls/2:]...)
	}
}

// of gives the calls of a session.
func (g *gate) of(session string) []call {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []call
	for _, c := range g.calls {
		if c.Reference == session {
			found = append(found, c)
		}
	}
	return found
}

func (g *gate) isDown() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.down)
}

// lose takes the network away for a while; 0 brings it back.
func (g *gate) lose(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = time.Now().Add(d)
}

// approveAt has a payment approved when the controller takes it back.
func (g *gate) approveAt(payment string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.late = payment
}

// approvesLate says whether this is the payment that is approved when it is taken back.
func (g *gate) approvesLate(payment string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.late != "" && g.late == payment
}

// refuse has the emulator refuse the capture of a part, if that is armed and this is one.
func (g *gate) refuse(c call, body []byte) {
	if g.emulator == nil || c.Op != "capture" || !g.playground.faults.isArmed(faultInFull) {
		return
	}
	var asked struct {
		ModificationAmount struct {
			Value int64 `json:"value"`
		} `json:"modificationAmount"`
	}
	payment, ok := g.emulator.Payment(c.Reference)
	if err := json.Unmarshal(body, &asked); err != nil || !ok || asked.ModificationAmount.Value >= payment.Authorized {
		return
	}
	if g.playground.faults.strikes(faultInFull, c.Reference) {
		g.emulator.Inject(vippstest.Fault{Op: "capture", Reference: c.Reference, Kind: vippstest.RefuseSticky, Code: "6140"})
	}
}

// operation names what a request asks for, as the emulator does.
func operation(r *http.Request) string {
	path := strings.Trim(r.URL.Path, "/")
	parts := strings.Split(path, "/")
	switch {
	case strings.HasPrefix(path, "accesstoken"):
		return "token"
	case strings.HasPrefix(path, "epayment/v1/payments") && len(parts) == 3:
		return "create"
	case strings.HasPrefix(path, "epayment/v1/payments") && len(parts) == 4:
		return "get"
	case strings.HasPrefix(path, "epayment/v1/payments") && len(parts) == 5:
		return parts[4]
	case strings.HasPrefix(path, "order-management") && strings.Contains(path, "/receipts/"):
		return "receipt"
	default:
		return strings.ToLower(r.Method) + " " + parts[0]
	}
}

// reference is the payment that a request is about.
func reference(r *http.Request, body []byte) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch operation(r) {
	case "create":
		var asked struct {
			Reference string `json:"reference"`
		}
		_ = json.Unmarshal(body, &asked) // then it is about none, and is refused
		return asked.Reference
	case "receipt":
		return parts[len(parts)-1]
	case "token":
		return ""
	default:
		if len(parts) > 3 {
			return parts[3]
		}
		return ""
	}
}

// refusal is the numeric code of a refusal.
func refusal(status int, body []byte) string {
	var problem struct {
		ExtraDetails []struct {
			Name   string `json:"name"`
			Reason string `json:"reason"`
		} `json:"extraDetails"`
	}
	if status < http.StatusBadRequest || json.Unmarshal(body, &problem) != nil {
		return ""
	}
	for _, detail := range problem.ExtraDetails {
		if detail.Name == "ErrorCode" {
			return detail.Reason
		}
	}
	return ""
}

// recorder keeps an answer until it is known whether it arrives.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func (r *recorder) code() int {
	if r.status == 0 {
		return http.StatusOK
	}
	return r.status
}

func (r *recorder) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	w.Header().Set("Content-Length", fmt.Sprint(r.body.Len()))
	w.WriteHeader(r.code())
	_, _ = w.Write(r.body.Bytes()) // a controller that has gone does not read it
}
