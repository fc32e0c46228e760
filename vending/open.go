package vending

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	metadataMachine = "vending-machine" // makes a payment one of ours
	metadataNonce   = "vending-nonce"   // makes it this session's
)

// idLetters of five random bits each follow the machine in a session's id.
const idLetters = 13

// lease is how long a worker has a session to itself before others look at it. It saves calls; no promise rests on it.
const lease = 15 * time.Second

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// random is n characters of five random bits each.
func random(n int) string {
	bytes := make([]byte, n)
	_, _ = rand.Read(bytes) // never fails
	return letters.EncodeToString(bytes)[:n]
}

func (o *Operator) newSession(machine string, door Door, planogram string) Session {
	return Session{
		// 65 random bits: an id from a counter would find the payments of another time when a backup is restored.
		ID:                   machine + "-" + random(idLetters),
		Schema:               schema,
		Machine:              machine,
		Seat:                 machine,
		Environment:          o.config.Client.Environment(),
		MerchantSerialNumber: o.config.Client.MerchantSerialNumber(),
		Door:                 door,
		Planogram:            planogram,
		State:                Opening,
		Currency:             o.config.Currency,
		Nonce:                random(26),
		Due:                  -1,
	}
}

// open stores a session and makes its payment. On success s is the session that waits for the customer.
func (o *Operator) open(ctx context.Context, s *Session) error {
	now := time.Now()
	s.Now, s.Opened, s.Since = now, now, now
	s.OpenUntil = now.Add(o.config.Timeouts.Open)
	s.WakeAt = now.Add(lease)
	s.History = []Step{{At: now, Fact: "opened", To: Opening}}
	if err := o.config.Store.Create(ctx, *s); err != nil {
		return err
	}
	o.stored(*s, s.History[0])
	made, failure := o.advance(ctx, s.ID, true)
	for made.State == Opening {
		if err := o.pause(ctx, s.ID, o.delay(&made, failure)); err != nil {
			return o.leave(ctx, s.ID, err)
		}
		now, err := o.Session(ctx, s.ID)
		if err != nil {
			return err
		}
		if made = *now; made.State != Opening {
			break
		}
		next, err := o.advance(ctx, s.ID, false)
		if err != nil {
			failure = err
		}
		if next.ID != "" {
			made = next
		}
	}
	switch {
	case made.ID == "":
		return failure
	case made.State != Waiting:
		return fmt.Errorf("session %s: the payment could not be made (%s): %w", s.ID, made.Reason, cmp.Or(failure, errNotOpened))
	default:
		*s = made
		return nil
	}
}

var errNotOpened = errors.New("no answer in time")

// leaveTime is how long a session that nobody waits for any more is followed to its end.
const leaveTime = 15 * time.Second

// leave withdraws a session that nobody waits for any more, and follows it for a while.
func (o *Operator) leave(ctx context.Context, id string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime+o.config.Timeouts.Verdict)
	defer cancel()
	following := leaveTime
	if err := o.Withdraw(ctx, id); errors.Is(err, ErrTooLate) { // the machine has been told: its word is waited for
		following += o.config.Timeouts.Verdict
	} else if err != nil {
		return fmt.Errorf("session %s is left to whoever runs the store next: %w: %w", id, cause, err)
	}
	ctx, cancel = context.WithTimeout(ctx, following)
	defer cancel()
	s, err := o.Wait(ctx, id)
	if err != nil {
		return fmt.Errorf("session %s is left to whoever runs the store next: %w", id, cause)
	}
	return fmt.Errorf("session %s was left and ended as %s: %w", id, s.Summary(), cause)
}

// MachineOf is the machine that a vend id, or a session's id, belongs to: they begin with its name. A [Machine] that serves
// a fleet finds by it whom to ask in Conclude. It is empty for an id that is neither.
func MachineOf(id string) string {
	session := sessionOf(id)
	if session == "" {
		session = id
	}
	if i := strings.LastIndex(session, "-"); i > 0 && len(session)-i-1 == idLetters {
		return session[:i]
	}
	return ""
}

// sessionOf is the session that a vend id belongs to.
func sessionOf(vend string) string {
	if i := strings.LastIndex(vend, "-v"); i > 0 {
		return vend[:i]
	}
	return ""
}
