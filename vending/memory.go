package vending

import (
	"cmp"
	"container/heap"
	"context"
	"iter"
	"slices"
	"sync"
	"time"
)

// NewMemoryStore makes a Store that forgets everything when the process ends. It is for tests and for trying things: a
// machine in front of customers needs one that is durable, or a power cut leaves their reservations standing.
func NewMemoryStore() Store {
	return &memoryStore{sessions: map[string]Session{}, seats: map[string]string{}}
}

type memoryStore struct {
	mu       sync.Mutex
	sessions map[string]Session
	seats    map[string]string // machine to session
	wakes    wakes
}

// wakes is a heap of moments at which sessions were to be looked at. Entries that have been overtaken are skipped.
type wakes []wakeEntry

type wakeEntry struct {
	at time.Time
	id string
}

func (w wakes) Len() int           { return len(w) }
func (w wakes) Less(i, j int) bool { return w[i].at.Before(w[j].at) }
func (w wakes) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *wakes) Push(x any)        { *w = append(*w, x.(wakeEntry)) } //nolint:errcheck,forcetypeassert // heap gives back what it was given
func (w *wakes) Pop() any {
	last := len(*w) - 1
	x := (*w)[last]
	*w = (*w)[:last]
	return x
}

func copied(s Session) Session {
	s = s.clone()
	s.History = slices.Clone(s.History)
	s.Now = time.Now()
	return s
}

// put stores a session and remembers when to wake it. The lock is held.
func (m *memoryStore) put(s Session) {
	old := m.sessions[s.ID]
	if old.Seat != "" && old.Seat != s.Seat {
		delete(m.seats, old.Seat)
	}
	if s.Seat != "" {
		m.seats[s.Seat] = s.ID
	}
	m.sessions[s.ID] = s
	if !s.WakeAt.IsZero() && !s.WakeAt.Equal(old.WakeAt) {
		heap.Push(&m.wakes, wakeEntry{s.WakeAt, s.ID})
	}
}

func (m *memoryStore) Create(_ context.Context, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.sessions[s.ID]; taken {
		return ErrExists
	}
	if holder, taken := m.seats[s.Seat]; taken && s.Seat != "" {
		return &BusyError{Machine: s.Machine, Session: holder}
	}
	s = copied(s.InTime(time.Now()))
	s.Version, s.Woken = 1, false
	m.put(s)
	return nil
}

func (m *memoryStore) Load(_ context.Context, id string) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[id]
	if !ok {
		return Session{}, ErrNotFound
	}
	return copied(s), nil
}

func (m *memoryStore) Save(_ context.Context, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, ok := m.sessions[s.ID]
	switch holder := m.seats[s.Seat]; {
	case !ok:
		return ErrNotFound
	case old.Version != s.Version:
		return ErrStale
	case s.Seat != "" && holder != "" && holder != s.ID:
		return &BusyError{Machine: s.Machine, Session: holder}
	}
	s = copied(s)
	s.Version++
	s.Woken = old.Woken
	m.put(s)
	return nil
}

func (m *memoryStore) Seat(_ context.Context, machine string) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[m.seats[machine]]
	if !ok {
		return Session{}, ErrNotFound
	}
	return copied(s), nil
}

func (m *memoryStore) Due(_ context.Context, limit int, lease time.Duration) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		for range limit {
			s, ok := m.claim(lease)
			if !ok || !yield(s, nil) {
				return
			}
		}
	}
}

func (m *memoryStore) claim(lease time.Duration) (Session, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for len(m.wakes) > 0 && !m.wakes[0].at.After(now) {
		entry, _ := heap.Pop(&m.wakes).(wakeEntry)
		s := m.sessions[entry.id]
		if !s.WakeAt.Equal(entry.at) || !s.Watched() {
			continue
		}
		s.WakeAt = now.Add(lease)
		m.put(s)
		return copied(s), true
	}
	return Session{}, false
}

func (m *memoryStore) Wake(_ context.Context, in time.Duration, ids ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if s, ok := m.sessions[id]; ok && s.Watched() {
			s.WakeAt, s.Woken = time.Now().Add(in), true
			m.put(s)
		}
	}
	return nil
}

func (m *memoryStore) Rest(_ context.Context, in time.Duration, sessions ...Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, given := range sessions {
		if s, ok := m.sessions[given.ID]; ok && s.Watched() && s.WakeAt.Equal(given.WakeAt) {
			s.WakeAt, s.Woken = time.Now().Add(in), s.Woken && given.Woken
			m.put(s)
		}
	}
	return nil
}

// all copies what a predicate picks, so that no lock is held while somebody ranges over it.
func (m *memoryStore) all(pick func(*Session) bool, by func(Session) time.Time) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		m.mu.Lock()
		var found []Session
		for _, s := range m.sessions {
			if pick(&s) {
				found = append(found, copied(s))
			}
		}
		m.mu.Unlock()
		slices.SortFunc(found, func(a, b Session) int { return cmp.Or(by(a).Compare(by(b)), cmp.Compare(a.ID, b.ID)) })
		for _, s := range found {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (m *memoryStore) Open(context.Context) iter.Seq2[Session, error] {
	return m.all(func(s *Session) bool { return !s.Finished() }, func(s Session) time.Time { return s.Opened })
}

func (m *memoryStore) Closed(_ context.Context, from, to time.Time) iter.Seq2[Session, error] {
	return m.all(func(s *Session) bool {
		return s.State == Closed && !s.Ended.Before(from) && s.Ended.Before(to)
	}, func(s Session) time.Time { return s.Ended })
}

func (m *memoryStore) Prune(_ context.Context, before time.Time) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count := 0
	for id, s := range m.sessions {
		if s.Finished() && s.Ended.Before(before) {
			delete(m.sessions, id)
			count++
		}
	}
	return count, nil
}
