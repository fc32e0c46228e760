package vending

import (
	"cmp"
	"time"
)

// Timeouts are how long a session may stay where it is. Zero fields take the defaults.
type Timeouts struct {
	// Open is how long the payment may be tried to be made: at most 5 minutes. Defaults to 30 seconds.
	Open time.Duration
	// Approve is how long the customer has, from the moment the code is shown: at most 9 minutes, as the code is good for ten.
	// Defaults to 90 seconds.
	Approve time.Duration
	// Seat is how long a machine waits for a withdrawal to be confirmed before it takes the next customer: at most 5 minutes.
	// Defaults to 15 seconds.
	Seat time.Duration
	// Select is how long the next item may be waited for: the network may be away between two items, and the customer
	// leaves. At most 15 minutes. Defaults to 60 seconds.
	Select time.Duration
	// Start is how long after it was told a machine may start its motor: at most 3 minutes. Defaults to 20 seconds.
	Start time.Duration
	// Verdict is how long the machine has to say what came out. It is never shorter than Start, and at most 6
	// hours. Defaults to 60 seconds.
	Verdict time.Duration
	// Hold is how long a person has to resolve a held session; never longer than 12 hours before the capture deadline.
	// Defaults to 24 hours.
	Hold time.Duration
}

// defaultTimeouts are for an ordinary machine with a customer in front of it.
var defaultTimeouts = Timeouts{
	Open:    30 * time.Second,
	Approve: 90 * time.Second,
	Seat:    15 * time.Second,
	Select:  60 * time.Second,
	Start:   20 * time.Second,
	Verdict: 60 * time.Second,
	Hold:    24 * time.Hour,
}

// withDefaults takes what is zero from others.
func (t Timeouts) withDefaults(or Timeouts) Timeouts {
	t = Timeouts{
		Open:    cmp.Or(t.Open, or.Open),
		Approve: cmp.Or(t.Approve, or.Approve),
		Seat:    cmp.Or(t.Seat, or.Seat),
		Select:  cmp.Or(t.Select, or.Select),
		Start:   cmp.Or(t.Start, or.Start),
		Verdict: cmp.Or(t.Verdict, or.Verdict),
		Hold:    cmp.Or(t.Hold, or.Hold),
	}
	t.Verdict = max(t.Verdict, t.Start)
	return t
}

func (t Timeouts) validate(require func(bool, string, ...any), where string) {
	for _, field := range []struct {
		name  string
		value time.Duration
	}{
		{"Open", t.Open},
		{"Approve", t.Approve},
		{"Seat", t.Seat},
		{"Select", t.Select},
		{"Start", t.Start},
		{"Verdict", t.Verdict},
		{"Hold", t.Hold},
	} {
		require(field.value >= 0, "%s.%s: must not be negative", where, field.name)
	}
	for _, limit := range []struct {
		name       string
		value, max time.Duration
	}{
		{"Open", t.Open, 5 * time.Minute},
		{"Seat", t.Seat, 5 * time.Minute},
		{"Select", t.Select, 15 * time.Minute},
		{"Verdict", t.Verdict, 6 * time.Hour},
	} {
		require(limit.value <= limit.max, "%s.%s: must be at most %s", where, limit.name, limit.max)
	}
	require(t.Start <= 3*time.Minute, "%s.Start: must be at most 3 minutes: nobody stands in front of the machine any more", where)
	require(t.Approve <= 9*time.Minute, "%s.Approve: must be at most 9 minutes: the code is good for ten", where)
}

const (
	// fresh is how old a read may be when a product is let out on it.
	fresh = 15 * time.Second
	// arming is how much of that the save before the command may take. When it has taken more nothing is let out.
	arming = 2 * time.Second
	// lateCreate is how long after OpenUntil a request to make the payment may still arrive.
	lateCreate = 2 * time.Minute
	// lookAfter is when a session that closed without a payment looks once more.
	lookAfter = 20 * time.Minute
	// maxCreates is how often the payment is tried to be made; five changing calls a minute are allowed.
	maxCreates = 4
	// sendWindow is how long one attempt at a capture may be sent.
	sendWindow = 10 * time.Minute
	// lateCapture is how long after its window a capture may still arrive.
	lateCapture = 2 * time.Minute
	// guarantee is how long a reservation is good for if the payment does not say.
	guarantee = 6 * 24 * time.Hour
)

// backoff is when to try again what was refused: after 1, 10 and 60 minutes, then daily.
func backoff(refusals int) time.Duration {
	switch refusals {
	case 0, 1:
		return time.Minute
	case 2:
		return 10 * time.Minute
	case 3:
		return time.Hour
	default:
		return 24 * time.Hour
	}
}
