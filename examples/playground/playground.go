package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// playground is everything but the controller: the machine's mechanics, the customer's phone, the network, Vipps MobilePay
// if it is emulated, and what the page shows of all of them.
type playground struct {
	ctx      context.Context //nolint:containedctx // what a press of a button begins outlives its request
	where    string
	public   string            // the host under which phones reach the pages; empty for none
	emulator *vippstest.Server // nil if another server is used
	told     assignment
	client   *http.Client

	child  *child
	motor  *motor
	gate   *gate
	hook   *hook
	faults faults

	starting sync.Mutex   // one at a time
	ahead    atomic.Int64 // how far the clock of the sale is ahead, as time was skipped

	mu       sync.Mutex
	change   chan struct{} // closed when something has changed
	power    string        // on, off or starting
	door     door
	chosen   string // the slot that was pressed last, while it means something
	message  string // on the screen, until the next press
	closed   bool   // the doors with a maximum, since a part could not be captured
	settings settings
	sales    map[string]*sale
	order    []string          // of sales, oldest first
	code     map[string]string // what the stickers say, by door
	phone    phone
	night    night
}

// sale is a session as the controller has told of it.
type sale struct {
	vending.Session
	Code string // on the screen
}

// refusedCheckIn stands for the session of a check-in that was refused.
const refusedCheckIn = "none"

// changed has the page look again.
func (p *playground) changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.touch()
}

// touch is changed for who has the lock.
func (p *playground) touch() {
	close(p.change)
	p.change = make(chan struct{})
}

// moved is a channel that is closed at the next change.
func (p *playground) moved() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.change
}

// await waits until something is so.
func (p *playground) await(ctx context.Context, is func() bool) bool {
	for {
		next := p.moved()
		if is() {
			return true
		}
		select {
		case <-next:
		case <-ctx.Done():
			return false
		}
	}
}

// heard takes what the controller tells.
func (p *playground) heard(said report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.touch()
	p.closed = p.closed || said.Closed
	if said.Notice != "" {
		p.message = said.Notice
	}
	if said.CheckIn { // and no sale will come of it
		p.phone.waiting = false
		p.faults.adopt(refusedCheckIn)
		p.hook.adopt(refusedCheckIn)
	}
	s := said.Session
	if s == nil {
		return
	}
	known, ok := p.sales[s.ID]
	switch {
	case !ok:
		p.sales[s.ID] = &sale{*s, said.Code}
		p.order = append(p.order, s.ID)
		if s.Door == vending.CheckIn {
			p.faults.adopt(s.ID)
			p.hook.adopt(s.ID)
		}
		p.chosen, p.message = "", ""
		if p.phone.view == "payment" || p.phone.view == "mine" { // of the customer before
			p.phone = phone{turn: p.phone.turn}
		}
	case s.Version >= known.Version: // workers of one controller may be heard in another order
		*known = sale{*s, said.Code}
	default:
		return
	}
	p.phone.follow(p, s)
}

// restore gives the controller power.
func (p *playground) restore() error {
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.child.address() != "" {
		return nil
	}
	p.mu.Lock()
	p.power, p.closed = "starting", false
	told := p.told
	told.Settings, told.Ahead = p.settings, time.Duration(p.ahead.Load())
	p.touch()
	p.mu.Unlock()
	err := p.child.start(p.ctx, told)
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.touch()
	p.power = "on"
	if err != nil {
		p.power, p.message = "off", err.Error()
	}
	return err
}

// cut takes it away, in the middle of whatever it does.
func (p *playground) cut() {
	p.child.kill()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.power = "off"
	p.message = ""
	p.chosen = ""
	p.touch()
}

// died is the controller ending by itself, which it does not.
func (p *playground) died(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.power, p.message = "off", err.Error()
	p.touch()
}

// ask asks the controller for something.
func (p *playground) ask(asked order) error {
	address := p.child.address()
	if address == "" {
		return errNoPower
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(p.ctx, http.MethodPost, "http://"+address+controlPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set(secretHeader, p.told.Secret)
	answer, err := p.client.Do(request)
	if err != nil {
		return errWent
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	var said reply
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return errWent
	}
	if said.Problem != "" {
		return errors.New(said.Problem)
	}
	return nil
}

var (
	errNoPower = errors.New("the machine has no power")
	errWent    = errors.New("the power went")
)

// current is the sale that the chosen door is about: its newest. The lock is held.
func (p *playground) current() *sale {
	for i := len(p.order) - 1; i >= 0; i-- {
		if s := p.sales[p.order[i]]; s.Machine == p.door.Machine {
			return s
		}
	}
	return nil
}

// seated is the current sale while it has the machine to itself. The lock is held.
func (p *playground) seated() *sale {
	if s := p.current(); s != nil && s.Seat != "" {
		return s
	}
	return nil
}
