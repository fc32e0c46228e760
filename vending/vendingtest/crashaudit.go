package vendingtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// freshness is how old the read may be on which a machine is told, counted to when the command is sent: 15 seconds until it
// is decided, and Timeouts.Start until the machine may no longer start.
const freshness = 15 * time.Second

// books are the audit's own: what it saw on the wire.
type books struct {
	sessions map[string]vending.Session // as last stored, by whichever process
	reads    map[string]time.Time       // when the newest read of a payment was sent
	commands []*command
}

// command is one that was sent to the machine.
type command struct {
	vending.Command
	out bool // a product has left for it
}

func newBooks() books {
	return books{sessions: map[string]vending.Session{}, reads: map[string]time.Time{}}
}

func (w *world) state(session string) vending.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.books.sessions[session].State
}

func (w *world) stored(s vending.Session) {
	if over := s.State == vending.Settling || s.State == vending.Held || s.State == vending.Closed; over && s.Seat != "" {
		w.violated("%s is %s and keeps its seat", s.ID, s.State)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.books.sessions[s.ID] = s
	w.news.Broadcast()
}

func (w *world) read(reference string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.books.reads[reference] = at
}

func (w *world) commanded(c vending.Command) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.books.commands = append(w.books.commands, &command{Command: c})
}

// checkArmed holds a command that is about to be sent against the newest read of its payment.
func (w *world) checkArmed(c vending.Command) {
	w.mu.Lock()
	at, ok := w.books.reads[c.Session]
	limit := freshness + w.books.sessions[c.Session].Timeouts.Start
	w.mu.Unlock()
	if !ok || time.Since(at) > limit {
		w.violated("%s is told to the machine on a read of %s ago", c.ID, time.Since(at))
	}
}

// checkCapture holds a capture that is being sent against the machine's word.
func (w *world) checkCapture(reference string, body []byte) {
	var request struct {
		ModificationAmount struct {
			Value int64 `json:"value"`
		} `json:"modificationAmount"`
	}
	_ = json.Unmarshal(body, &request) // what cannot be read captures nothing
	w.mu.Lock()
	s := w.books.sessions[reference]
	w.mu.Unlock()
	if said := price(s, droppedInTime); !s.Full && request.ModificationAmount.Value > said {
		w.violated("%d is captured when the machine has said %d: %s", request.ModificationAmount.Value, said, reference)
	}
}

// countGoods looks at the machine's counters and finds the command and the reservation of whatever has left it. It is asked
// before each request, since a request is what may take a reservation away.
func (w *world) countGoods() {
	w.mu.Lock()
	var uncovered []string
	for _, slot := range w.books.slots() {
		left := w.machine.Dropped(slot)
		for _, c := range w.books.commands {
			if c.Slot == slot && c.out {
				left--
			}
		}
		for _, c := range w.books.commands {
			if c.Slot != slot || c.out || left <= 0 || w.books.outFor(c.ID) {
				continue
			}
			left--
			c.out = true
			payment, _ := w.vipps.Payment(c.Session)
			if out := w.books.out(c.Session); payment.Authorized-payment.Cancelled < out {
				uncovered = append(uncovered, fmt.Sprintf("%s: products for %d are out, and %d is reserved", c.ID, out, payment.Authorized-payment.Cancelled))
			}
		}
		if left > 0 {
			uncovered = append(uncovered, fmt.Sprintf("more left slot %s than was ever asked for: %d", slot, left))
		}
	}
	w.mu.Unlock()
	for _, text := range uncovered {
		if !w.scenario.Losses || strings.HasPrefix(text, "more") {
			w.violated("%s", text)
		}
	}
}

func (b *books) slots() []string {
	var slots []string
	for _, c := range b.commands {
		if !slices.Contains(slots, c.Slot) {
			slots = append(slots, c.Slot)
		}
	}
	return slots
}

// outFor says that a product has left for an id, by another copy of the command.
func (b *books) outFor(id string) bool {
	return slices.ContainsFunc(b.commands, func(c *command) bool { return c.ID == id && c.out })
}

// out is the price of what has left for a session.
func (b *books) out(session string) (sum int64) {
	for _, c := range b.commands {
		if c.out && c.Session == session {
			sum += price(b.sessions[session], func(i vending.Item) bool { return i.VendID == c.ID })
		}
	}
	return sum
}

func price(s vending.Session, pick func(vending.Item) bool) (sum int64) {
	for _, item := range s.Items {
		if pick(item) {
			sum += item.Price
		}
	}
	return sum
}

func verdictIs(verdict vending.Verdict) func(vending.Item) bool {
	return func(i vending.Item) bool { return i.Concluded && i.Verdict == verdict }
}

func droppedInTime(i vending.Item) bool { return verdictIs(vending.Dropped)(i) && !i.Late }

// audit holds the books of the emulator, the sessions and the machine's counters against each other. The machine's come
// first: then it is sent everything once more.
func (w *world) audit() {
	ctx := w.t.Context()
	w.countGoods()
	var all []vending.Session
	for s, err := range w.desk.Open(ctx) {
		if err != nil || !s.Finished() {
			w.violated("a session is left open: %s is %s, %v\n%s", s.ID, s.State, err, history(s))
		}
	}
	for s, err := range w.desk.Closed(ctx, time.Time{}, time.Now().Add(time.Hour)) {
		if err != nil {
			w.violated("the store: %v", err)
		}
		all = append(all, s)
	}
	known := map[string]bool{}
	for _, s := range all {
		known[s.ID] = true
		if holder, err := w.desk.Seat(ctx, s.Machine); !errors.Is(err, vending.ErrNotFound) {
			w.violated("the seat of %s is taken by %s, %v", s.Machine, holder.ID, err)
		}
		payment, exists := w.vipps.Payment(s.ID)
		w.auditMoney(s, payment, exists)
		w.auditRefunds(s, payment)
		w.auditReceipt(s, payment)
	}
	for _, payment := range w.vipps.Payments() {
		if !known[payment.Reference] {
			w.violated("payment %s is of no session that is closed", payment.Reference)
		}
	}
	w.auditGoods(all)
	w.auditMachine(ctx, all)
}

func (w *world) auditMoney(s vending.Session, payment vippstest.Payment, exists bool) {
	o := s.Outcome
	broken := func(format string, args ...any) { w.violated("%s\n%s", fmt.Sprintf(format, args...), history(s)) }
	if exists && !payment.AtRest() {
		broken("payment %s is not at rest: %s, authorized %d, captured %d, cancelled %d", s.ID, payment.State, payment.Authorized, payment.Captured, payment.Cancelled)
	}
	if o.Captured != payment.Captured || o.Refunded != payment.Refunded || o.Refunding != 0 {
		broken("the outcome says captured %d, refunded %d, being refunded %d; the books say %d and %d", o.Captured, o.Refunded, o.Refunding, payment.Captured, payment.Refunded)
	}
	if payment.State == "AUTHORIZED" && o.Released != payment.Cancelled {
		broken("the outcome says released %d, the books say %d", o.Released, payment.Cancelled)
	}
	if net, word := o.Captured-o.Refunded+o.Lost-o.Over, price(s, verdictIs(vending.Dropped)); net != word {
		broken("captured − refunded + lost − over is %d, and the machine said %d", net, word)
	}
	if word := price(s, verdictIs(vending.Unknown)); o.Unknown != word {
		broken("unknown is %d, and nobody knows about %d", o.Unknown, word)
	}
	if !w.scenario.Losses && (o.Lost != o.Returned || o.Over != 0 || o.NotRefunded != 0 || o.Result == vending.NotReleased) {
		broken("nobody interfered, and the outcome is %+v", o)
	}
	for _, item := range s.Items {
		if item.VendID != "" && !item.Concluded {
			broken("the machine was told about %s, and nothing says what became of it", item.VendID)
		}
	}
}

func (w *world) auditRefunds(s vending.Session, payment vippstest.Payment) {
	var sum int64
	done := 0
	given := map[string]bool{}
	for _, refund := range s.Refunds {
		if refund.State != vending.RefundDone {
			continue
		}
		done++
		sum += refund.Amount
		for _, id := range refund.Items {
			if given[id] {
				w.violated("%s is refunded twice\n%s", id, history(s))
			}
			given[id] = true
		}
	}
	keys := map[string]bool{}
	for _, r := range w.vipps.Requests() {
		if r.Op == "refund" && r.Reference == s.ID && r.Status/100 == 2 {
			keys[r.Header.Get("Idempotency-Key")] = true
		}
	}
	if !w.scenario.Losses && (sum != payment.Refunded || done != len(keys)) {
		w.violated("%d refunds of %d were asked for and done; the books have %d of %d\n%s", done, sum, len(keys), payment.Refunded, history(s))
	}
}

func (w *world) auditReceipt(s vending.Session, payment vippstest.Payment) {
	body, sent := w.vipps.Receipt(s.ID)
	if !sent {
		return
	}
	var receipt struct {
		OrderLines []struct {
			TotalAmount int64 `json:"totalAmount"`
		} `json:"orderLines"`
	}
	if err := json.Unmarshal(body, &receipt); err != nil {
		w.violated("the receipt of %s: %v", s.ID, err)
	}
	var sum int64
	for _, line := range receipt.OrderLines {
		sum += line.TotalAmount
	}
	posted := 0
	for _, r := range w.vipps.Requests() {
		if r.Op == "receipt" && r.Reference == s.ID && r.Status/100 == 2 {
			posted++
		}
	}
	want := price(s, droppedInTime)
	if !s.Maximum && len(s.Items) == 1 { // it was part of the payment
		want = payment.Amount
	}
	if sum != want || posted > 1 {
		w.violated("%d receipts were posted for %s, over %d; want %d\n%s", posted, s.ID, sum, want, history(s))
	}
}

// auditGoods compares what left each slot with the outcomes: all that was said to have dropped, nothing that was not, and
// what nobody knows is in between.
func (w *world) auditGoods(all []vending.Session) {
	slots := w.books.slots()
	for _, s := range all {
		for _, item := range s.Items {
			if item.VendID != "" && !slices.Contains(slots, item.Slot) {
				slots = append(slots, item.Slot)
			}
		}
	}
	for _, slot := range slots {
		least, most := 0, 0
		var told strings.Builder
		for _, s := range all {
			for _, item := range s.Items {
				if item.Slot != slot || item.VendID == "" {
					continue
				}
				if verdictIs(vending.Dropped)(item) {
					least++
				}
				if verdictIs(vending.Dropped)(item) || verdictIs(vending.Unknown)(item) {
					most++
				}
				told.WriteString("\n" + history(s))
			}
		}
		if left := w.machine.Dropped(slot); left < least || left > most {
			w.violated("%d products left slot %s, and the outcomes say %d to %d%s", left, slot, least, most, told.String())
		}
	}
}

// auditMachine sends every command once more and asks about it again, as a copy that comes late would: nothing may move.
func (w *world) auditMachine(ctx context.Context, all []vending.Session) {
	for _, s := range all {
		for _, item := range s.Items {
			if item.VendID == "" {
				continue
			}
			before := w.machine.Dropped(item.Slot)
			calling, cancel := context.WithTimeout(ctx, time.Minute)
			word, err := w.machine.Vend(calling, vending.Command{ID: item.VendID, Session: s.ID, Machine: s.Machine, Slot: item.Slot, Within: time.Second})
			again, failed := w.machine.Conclude(calling, item.VendID)
			cancel()
			if after := w.machine.Dropped(item.Slot); after != before {
				w.violated("%s was sent again, and another product left it", item.VendID)
			}
			for _, say := range []struct {
				word vending.Verdict
				err  error
			}{{word, err}, {again, failed}} {
				settled := say.word == vending.Dropped || say.word == vending.NotDropped
				if say.err == nil && settled && item.Concluded && item.Verdict != vending.Unknown && say.word != item.Verdict {
					w.violated("the machine said %s of %s, and now says %s", item.Verdict, item.VendID, say.word)
				}
			}
		}
	}
}

// history is what a session's report of itself says.
func history(s vending.Session) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  session %s: %s", s.ID, s.Summary())
	for _, step := range s.History {
		fmt.Fprintf(&b, "\n    %s  %s → %s  %s", step.At.Format("15:04:05.000"), step.From, step.To, step.Fact)
	}
	return b.String()
}
