package vending

import (
	"errors"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
)

// webhooksAlive is how long after a webhook polling stays slow.
const webhooksAlive = 10 * time.Minute

// delay is when to look at a session again if nothing else says: never later than its next limit.
func (o *Operator) delay(s *Session, last error) time.Duration {
	d := o.pace(s, last)
	if left := s.limit().Sub(s.Now); left > 0 {
		d = min(d, left)
	}
	return d
}

// limit is when a state's time runs out; zero if it has none.
func (s *Session) limit() time.Time {
	switch s.State {
	case Opening:
		return s.OpenUntil
	case Waiting:
		return s.ApproveUntil
	case Withdrawing:
		if s.Seat != "" {
			return s.SeatUntil
		}
	case Choosing:
		return s.SelectUntil
	case Vending:
		return s.VerdictUntil
	case Held:
		return s.HoldUntil
	case Settling, Closed:
	}
	return time.Time{}
}

func (o *Operator) pace(s *Session, last error) time.Duration {
	age := s.Now.Sub(s.Since)
	between := func(low, high time.Duration) time.Duration { return min(max(age, low), high) }
	if refused, ok := errors.AsType[*vipps.Error](last); ok {
		if refused.RetryAfter > 0 {
			return min(refused.RetryAfter, 10*time.Minute)
		}
		if refused.Status == http.StatusTooManyRequests || refused.Status == http.StatusLocked {
			return between(5*time.Second, time.Minute)
		}
	}
	switch s.State {
	case Opening:
		return time.Second << min(s.Creates, 4)
	case Waiting:
		switch {
		case o.nudged.since(s.ID) < nudgeCounts:
			return 2 * time.Second
		case last != nil && (s.Woken || o.budget.most == 0): // nothing was learnt of what it was woken for, beside the budget
			return between(5*time.Second, 30*time.Second)
		case o.budget.most == 0:
			return time.Hour // until the end of its time
		case time.Since(time.Unix(0, o.heard.Load())) < webhooksAlive:
			return 6 * time.Second
		case age < time.Minute:
			return time.Second
		default:
			return 2 * time.Second
		}
	case Withdrawing:
		return between(3*time.Second, time.Minute)
	case Choosing:
		return time.Second
	case Vending:
		return between(time.Second, 10*time.Second)
	case Held:
		return 10 * time.Minute
	case Settling:
		return between(2*time.Second, 5*time.Minute)
	case Closed:
		return time.Minute
	default:
		return time.Hour
	}
}
