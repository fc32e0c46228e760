package vending

import (
	"sync"
	"time"
)

// keptLately bounds what is remembered of sessions in memory. What is forgotten is looked at as if for the first time.
const keptLately = 10_000

// lately remembers when something was last said of a session, for as long as it matters.
type lately struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (l *lately) note(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil || len(l.at) >= keptLately {
		l.at = map[string]time.Time{}
	}
	l.at[session] = time.Now()
}

// since is how long ago that was; very long if it is not remembered.
func (l *lately) since(session string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.at[session])
}

// leftAlone remembers which sessions wait for the worker that reaches their machine.
type leftAlone struct {
	mu sync.Mutex
	at map[string]leaving
}

// leaving is since when a session is left alone, and until when.
type leaving struct{ since, until time.Time }

const (
	leftFor  = 3 * time.Second  // at first
	leftLong = 30 * time.Second // when nobody has come for it
)

// leave leaves a session alone: the longer it has been, the longer.
func (l *leftAlone) leave(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil || len(l.at) >= keptLately {
		l.at = map[string]leaving{}
	}
	now, entry := time.Now(), l.at[session]
	if now.Sub(entry.until) > time.Minute { // another time
		entry.since = now
	}
	entry.until = now.Add(min(max(leftFor, now.Sub(entry.since)), leftLong))
	l.at[session] = entry
}

// handBack says whether a session is left alone now, and in how long somebody is to be asked for it again: at once as long as
// the other worker may be there, which asks less often than all that are not it.
func (l *leftAlone) handBack(session string) (in time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry, now := l.at[session], time.Now()
	if !now.Before(entry.until) {
		return 0, false
	}
	if age := now.Sub(entry.since); age > leftFor {
		in = min(age/8, time.Second).Truncate(100 * time.Millisecond)
	}
	return in, true
}
