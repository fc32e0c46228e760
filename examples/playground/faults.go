package main

import (
	"strings"
	"sync"
)

// Faults, by the ids that their buttons have.
const (
	faultJam         = "jam"
	faultSilent      = "silent"
	faultCutCreate   = "cut-create"
	faultCutVend     = "cut-vend"
	faultCutCapture  = "cut-capture"
	faultLostCreate  = "answer-create"
	faultLostCapture = "answer-capture"
	faultLostCancel  = "answer-cancel"
	faultNotCreate   = "request-create"
	faultNotCapture  = "request-capture"
	faultNotCancel   = "request-cancel"
	faultTwice       = "hook-twice"
	faultNoHook      = "hook-never"
	faultInFull      = "in-full"
	faultLate        = "late"
)

// twiceCheckedIn is faultTwice of a check-in.
const twiceCheckedIn = "checked-in-twice"

// fault is something that is armed and strikes once, when its moment comes.
type fault struct {
	ID, Group, Label, Line string
	// Emulator says that it is made by the emulator, and not by the playground around it.
	Emulator bool
}

// faultGroups say of each row of buttons what they do.
var faultGroups = map[string]string{
	"Motor":        "nothing drops; or it is not seen.",
	"Power cut":    "in the middle of it.",
	"Answer lost":  "Vipps did it, unheard.",
	"Request lost": "Vipps never heard of it.",
	"Webhook":      "comes twice, or never.",
	"Vipps":        "does not capture a part.",
	"Customer":     "takes too long.",
}

var faultList = []fault{
	{faultJam, "Motor", "jams", "The motor turns and nothing drops.", false},
	{faultSilent, "Motor", "sensor silent", "The product drops, and the sensor does not say so.", false},
	{faultCutCreate, "Power cut", "create", "The power goes when the payment has just been asked for.", false},
	{faultCutVend, "Power cut", "vend", "The power goes while the motor turns.", false},
	{faultCutCapture, "Power cut", "capture", "The power goes when the capture has just been sent.", false},
	{faultLostCreate, "Answer lost", "create", "Vipps makes the payment; the answer never arrives.", false},
	{faultLostCapture, "Answer lost", "capture", "Vipps captures; the answer never arrives.", false},
	{faultLostCancel, "Answer lost", "cancel", "Vipps releases; the answer never arrives.", false},
	{faultNotCreate, "Request lost", "create", "The connection breaks before Vipps hears of it.", false},
	{faultNotCapture, "Request lost", "capture", "The connection breaks before Vipps hears of it.", false},
	{faultNotCancel, "Request lost", "cancel", "The connection breaks before Vipps hears of it.", false},
	{faultTwice, "Webhook", "twice", "The next webhook is delivered two times.", true},
	{faultNoHook, "Webhook", "never", "The next webhook is lost on its way.", true},
	{faultInFull, "Vipps", "refuses a part (6140)", "The next capture of a part of a reservation is refused.", true},
	{faultLate, "Customer", "approves too late", "The customer’s next approval comes when the machine’s time is over.", true},
}

func faultNamed(id string) (fault, bool) {
	for _, f := range faultList {
		if f.ID == id {
			return f, true
		}
	}
	return fault{}, false
}

// incident is a fault that has struck, or something that a person did, in a session.
type incident struct {
	Fault   string
	Session string
}

// faults are those that wait for their moment, and those that have struck.
type faults struct {
	mu        sync.Mutex
	armed     map[string]bool
	incidents []incident
}

// toggle arms a fault, or takes it back.
func (f *faults) toggle(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.armed == nil {
		f.armed = map[string]bool{}
	}
	if f.armed[id] {
		delete(f.armed, id)
		return
	}
	f.armed[id] = true
}

func (f *faults) isArmed(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.armed[id]
}

// strikes says whether a fault strikes now. It does so once.
func (f *faults) strikes(id, session string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.armed[id] {
		return false
	}
	delete(f.armed, id)
	f.incidents = append(f.incidents, incident{id, session})
	return true
}

// happened notes what somebody did in a session.
func (f *faults) happened(id, session string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.incidents = append(f.incidents, incident{id, session})
}

// adopt gives a session that a check-in has opened what happened to check-ins before there was a session.
func (f *faults) adopt(session string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.incidents {
		if in := &f.incidents[i]; in.Session == "" && (in.Fault == faultTwice || in.Fault == "unheard") {
			in.Session = session
			if in.Fault == faultTwice {
				in.Fault = twiceCheckedIn
			}
		}
	}
}

// of gives what has happened in a session, each once.
func (f *faults) of(session string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	seen := map[string]bool{}
	for _, i := range f.incidents {
		if i.Session == session && !seen[i.Fault] {
			seen[i.Fault] = true
			found = append(found, i.Fault)
		}
	}
	return found
}

// disarm takes back all that has not struck.
func (f *faults) disarm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.armed)
}

// sessionOf is the session that a vend id belongs to.
func sessionOf(vend string) string {
	if i := strings.LastIndex(vend, "-v"); i > 0 {
		return vend[:i]
	}
	return vend
}
