package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// lane is a machine with its customers, one after another.
type lane struct {
	w       *world
	machine string
	dice    *rand.Rand
	known   map[string]bool // sessions that were somebody's
}

// customer is what somebody will do.
type customer struct {
	door          vending.Door
	items         int
	thinks        time.Duration // before deciding
	decides       string        // approve, abort, return, nothing
	chooses       int           // with a maximum
	completes     bool
	regrets       bool // wants the money back
	before, after []vippstest.Fault
}

// next draws a customer.
func (l *lane) next() customer {
	d := l.dice
	c := customer{
		door:  []vending.Door{vending.DynamicQR, vending.StaticQR, vending.SiteSelection, vending.Till}[d.IntN(4)],
		items: 1 + d.IntN(2), thinks: between(d, 20*time.Millisecond, 600*time.Millisecond), decides: "approve",
		completes: d.IntN(5) > 0, regrets: d.IntN(20) == 0,
	}
	c.chooses = d.IntN(c.items + 1)
	switch n := d.IntN(100); {
	case n < 76:
	case n < 82:
		c.decides = "abort"
	case n < 86:
		c.decides = "nothing"
	case n < 91: // when the time is just over, or nearly
		c.thinks = timeouts.Approve + between(d, -500*time.Millisecond, 1500*time.Millisecond)
	case n < 95:
		c.decides = "return"
	default: // changes their mind
		c.decides = "approve and return"
	}
	if c.before, c.after = draw(d); !l.w.faults {
		c.before, c.after = nil, nil
	}
	return c
}

// serve plays customers until there are no more.
func (l *lane) serve(ctx context.Context, more func() bool) {
	for more() {
		l.w.customers.Add(1)
		l.visit(ctx, l.next())
		if ctx.Err() != nil {
			return
		}
	}
}

func (l *lane) visit(ctx context.Context, c customer) {
	l.w.vipps.Inject(c.before...)
	id := l.open(ctx, c)
	if id == "" {
		return
	}
	for i := range c.after {
		c.after[i].Reference = id
	}
	l.w.vipps.Inject(c.after...)
	s, ok := l.until(ctx, id, func(s brief) bool { return s.State != vending.Opening })
	if !ok || !pause(ctx, c.thinks) {
		return
	}
	switch c.decides {
	case "approve", "approve and return":
		_ = l.w.vipps.Approve(id) // it may be too late
	case "abort":
		_ = l.w.vipps.Abort(id) // as above
	}
	if c.decides == "return" || c.decides == "approve and return" {
		l.insist(ctx, "/withdraw", wish{Session: id})
	}
	if s.Maximum && c.decides == "approve" {
		l.choose(ctx, c, id)
	}
	s, ok = l.until(ctx, id, func(s brief) bool {
		return s.State == vending.Closed || s.State == vending.Settling || s.State == vending.Held
	})
	if ok && c.regrets && s.Sold {
		l.insist(ctx, "/refund", wish{Session: id})
	}
}

// choose presses the machine's buttons.
func (l *lane) choose(ctx context.Context, c customer, id string) {
	for ordinal := 1; ordinal <= c.chooses; ordinal++ {
		s, ok := l.until(ctx, id, func(s brief) bool {
			return s.State == vending.Choosing && s.Items == ordinal-1 || s.State == vending.Settling || s.State == vending.Closed || s.State == vending.Held
		})
		if !ok || s.State != vending.Choosing || !pause(ctx, c.thinks/2) {
			return
		}
		if !l.insist(ctx, "/select", wish{Session: id, Ordinal: ordinal, Slot: []string{chips.Slot, cola.Slot}[ordinal%2]}) {
			return
		}
	}
	if c.completes {
		l.insist(ctx, "/complete", wish{Session: id})
	}
}

// open gets a session. A worker that dies meanwhile leaves one behind, maybe: then the machine still has it.
func (l *lane) open(ctx context.Context, c customer) string {
	for ctx.Err() == nil {
		s, status := l.ask(ctx, "/open", wish{Machine: l.machine, Door: c.door, Items: c.items})
		if status == http.StatusOK {
			l.known[s.ID] = true
			return s.ID
		}
		if s, status := l.ask(ctx, "/seat", wish{Machine: l.machine}); status == http.StatusOK && !l.known[s.ID] {
			l.known[s.ID] = true
			return s.ID
		}
		pause(ctx, 200*time.Millisecond)
	}
	return ""
}

// until looks at a session until it is as wanted.
func (l *lane) until(ctx context.Context, id string, is func(brief) bool) (brief, bool) {
	for {
		s, status := l.ask(ctx, "/session", wish{Session: id})
		if status == http.StatusOK && is(s) {
			return s, true
		}
		if status == http.StatusNotFound || !pause(ctx, 150*time.Millisecond) {
			return s, false
		}
	}
}

// insist asks until it is done, or refused for good.
func (l *lane) insist(ctx context.Context, path string, w wish) bool {
	for range 50 {
		switch _, status := l.ask(ctx, path, w); status {
		case http.StatusOK:
			return true
		case http.StatusConflict, http.StatusNotFound:
			return false
		}
		if !pause(ctx, 200*time.Millisecond) {
			return false
		}
	}
	return false
}

// ask asks any worker. The status is 0 if nobody answers.
func (l *lane) ask(ctx context.Context, path string, w wish) (brief, int) {
	address := l.w.alive(rand.IntN(len(l.w.workers))) //nolint:gosec // any will do
	if address == "" {
		return brief{}, 0
	}
	var s brief
	status, err := post(ctx, l.w.client, "http://"+address+path, w, &s)
	if err != nil {
		return brief{}, status
	}
	return s, status
}

// post sends JSON and reads the answer, if it is 200.
func post(ctx context.Context, client *http.Client, address string, send, receive any) (int, error) {
	body, err := json.Marshal(send)
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	if answer.StatusCode != http.StatusOK {
		return answer.StatusCode, fmt.Errorf("status %d: %w", answer.StatusCode, errRefused)
	}
	if err := json.NewDecoder(answer.Body).Decode(receive); err != nil {
		return 0, err
	}
	return answer.StatusCode, nil
}

var errRefused = errors.New("refused")
