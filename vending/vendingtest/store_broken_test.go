package vendingtest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// sessions is what Due, Open and Closed give.
type sessions = iter.Seq2[vending.Session, error]

// bent is a memory store, some of whose methods do something else.
type bent struct {
	vending.Store
	create func(context.Context, vending.Session) error
	load   func(context.Context, string) (vending.Session, error)
	save   func(context.Context, vending.Session) error
	seat   func(context.Context, string) (vending.Session, error)
	due    func(context.Context, int, time.Duration) sessions
	wake   func(context.Context, time.Duration, ...string) error
	rest   func(context.Context, time.Duration, ...vending.Session) error
	open   func(context.Context) sessions
	closed func(context.Context, time.Time, time.Time) sessions
	prune  func(context.Context, time.Time) (int, error)
}

func (b *bent) Create(ctx context.Context, s vending.Session) error {
	if b.create != nil {
		return b.create(ctx, s)
	}
	return b.Store.Create(ctx, s)
}

func (b *bent) Load(ctx context.Context, id string) (vending.Session, error) {
	if b.load != nil {
		return b.load(ctx, id)
	}
	return b.Store.Load(ctx, id)
}

func (b *bent) Save(ctx context.Context, s vending.Session) error {
	if b.save != nil {
		return b.save(ctx, s)
	}
	return b.Store.Save(ctx, s)
}

func (b *bent) Seat(ctx context.Context, machine string) (vending.Session, error) {
	if b.seat != nil {
		return b.seat(ctx, machine)
	}
	return b.Store.Seat(ctx, machine)
}

func (b *bent) Due(ctx context.Context, limit int, lease time.Duration) sessions {
	if b.due != nil {
		return b.due(ctx, limit, lease)
	}
	return b.Store.Due(ctx, limit, lease)
}

func (b *bent) Wake(ctx context.Context, in time.Duration, ids ...string) error {
	if b.wake != nil {
		return b.wake(ctx, in, ids...)
	}
	return b.Store.Wake(ctx, in, ids...)
}

func (b *bent) Rest(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
	if b.rest != nil {
		return b.rest(ctx, in, sessions...)
	}
	return b.Store.Rest(ctx, in, sessions...)
}

func (b *bent) Open(ctx context.Context) sessions {
	if b.open != nil {
		return b.open(ctx)
	}
	return b.Store.Open(ctx)
}

func (b *bent) Closed(ctx context.Context, from, to time.Time) sessions {
	if b.closed != nil {
		return b.closed(ctx, from, to)
	}
	return b.Store.Closed(ctx, from, to)
}

func (b *bent) Prune(ctx context.Context, before time.Time) (int, error) {
	if b.prune != nil {
		return b.prune(ctx, before)
	}
	return b.Store.Prune(ctx, before)
}

// mapped gives sessions changed.
func mapped(all sessions, change func(*vending.Session)) sessions {
	return func(yield func(vending.Session, error) bool) {
		for s, err := range all {
			change(&s)
			if !yield(s, err) {
				return
			}
		}
	}
}

// rearranged collects sessions first and gives what is made of them.
func rearranged(all sessions, arrange func([]vending.Session) []vending.Session) sessions {
	return func(yield func(vending.Session, error) bool) {
		var list []vending.Session
		for s := range all {
			list = append(list, s)
		}
		for _, s := range arrange(list) {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func backwards(list []vending.Session) []vending.Session {
	slices.Reverse(list)
	return list
}

func none(sessions) sessions { return func(func(vending.Session, error) bool) {} }

// locking holds a lock as long as somebody ranges over it.
func locking(mu *sync.Mutex, all sessions) sessions {
	return func(yield func(vending.Session, error) bool) {
		mu.Lock()
		defer mu.Unlock()
		all(yield)
	}
}

// rewrite is a careless change of a stored session: it is read, and written back later.
func (b *bent) rewrite(ctx context.Context, id string, change func(*vending.Session)) error {
	s, err := b.Store.Load(ctx, id)
	if err != nil {
		return nil //nolint:nilerr // unknown ids are ignored
	}
	change(&s)
	return b.Store.Save(ctx, s)
}

// brokenStore is a store that breaks a promise, the check that has to notice, and a part of what it has to say.
type brokenStore struct {
	name, check, says string
	bend              func(b *bent)
	place             func() StorePlace
}

func brokenStores() []brokenStore {
	all := slices.Concat(brokenCreates(), brokenSaves(), brokenClaims(), brokenRests(), brokenLists())
	for i, broken := range all {
		if broken.place != nil {
			continue
		}
		all[i].place = func() StorePlace {
			b := &bent{Store: vending.NewMemoryStore()}
			broken.bend(b)
			return StorePlace{Connect: func(testing.TB) vending.Store { return b }}
		}
	}
	return all
}

// fresh is a place that forgets everything when it is connected to again.
func fresh() StorePlace {
	return StorePlace{Durable: true, Connect: func(testing.TB) vending.Store { return vending.NewMemoryStore() }}
}

func brokenCreates() []brokenStore {
	return []brokenStore{
		{name: "version 0", check: "a new session has version 1", says: "stored version 0", bend: func(b *bent) {
			b.load = func(ctx context.Context, id string) (vending.Session, error) {
				s, err := b.Store.Load(ctx, id)
				s.Version--
				return s, err
			}
		}},
		{name: "the caller's clock", check: "a new session moves to the store's clock", says: "Session.InTime", bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				s.Now = time.Now() // so that nothing is moved
				return b.Store.Create(ctx, s)
			}
		}},
		{name: "part of the caller's clock", check: "a new session moves to the store's clock", says: "OpenUntil", bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				s.OpenUntil = s.OpenUntil.Add(-time.Since(s.Now))
				return b.Store.Create(ctx, s)
			}
		}},
		{name: "an empty session for an unknown one", check: "an unknown session is not found", says: "want ErrNotFound", bend: func(b *bent) {
			b.load = func(ctx context.Context, id string) (vending.Session, error) {
				s, _ := b.Store.Load(ctx, id)
				return s, nil
			}
		}},
		{name: "busy before exists", check: "a taken id comes before a taken seat", says: "comes before *BusyError", bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				if holder, err := b.Store.Seat(ctx, s.Seat); err == nil {
					return &vending.BusyError{Machine: s.Machine, Session: holder.ID}
				}
				return b.Store.Create(ctx, s)
			}
		}},
		{name: "create replaces", check: "a taken id comes before a taken seat", says: "want ErrExists", bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				if err := b.Store.Create(ctx, s); !errors.Is(err, vending.ErrExists) {
					return err
				}
				old, _ := b.Store.Load(ctx, s.ID)
				s.Version = old.Version
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "busy without a name", check: "a taken seat names machine and holder", says: `names machine ""`, bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				err := b.Store.Create(ctx, s)
				if isBusy(err) {
					return &vending.BusyError{}
				}
				return err
			}
		}},
		{name: "busy with the wrong holder", check: "a taken seat names machine and holder", says: `names session "shop-b"`, bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				err := b.Store.Create(ctx, s)
				if isBusy(err) {
					return &vending.BusyError{Machine: s.Machine, Session: s.ID}
				}
				return err
			}
		}},
		{name: "seats are looked at first and taken later", check: "a seat goes to one of many", says: "got the seat", bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				if _, err := b.Store.Seat(ctx, s.Seat); err == nil {
					return &vending.BusyError{Machine: s.Machine}
				}
				time.Sleep(20 * time.Millisecond) //nolint:forbidigo // the others look meanwhile
				s.Seat = ""
				return b.Store.Create(ctx, s)
			}
		}},
		{name: "ids are looked at first and taken later", check: "an id goes to one of many", says: "times that one session was created", bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				if _, err := b.Store.Load(ctx, s.ID); err == nil {
					return vending.ErrExists
				}
				time.Sleep(20 * time.Millisecond) //nolint:forbidigo // the others look meanwhile
				_ = b.Store.Create(ctx, s)
				return nil
			}
		}},
		{name: "seats are never found", check: "a seat is found by its machine", says: "Seat of a machine that a session holds", bend: func(b *bent) {
			b.seat = func(context.Context, string) (vending.Session, error) { return vending.Session{}, vending.ErrNotFound }
		}},
		{name: "no seat is a seat", check: "no seat is not a seat", says: "without a seat", bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				if s.Seat == "" {
					s.Seat = "-"
				}
				return b.Store.Create(ctx, s)
			}
		}},
		{name: "slices are shared", check: "what is stored is a copy", says: "after the caller of Load", bend: func(b *bent) {
			kept := map[string]vending.Session{}
			b.load = func(ctx context.Context, id string) (vending.Session, error) {
				s, err := b.Store.Load(ctx, id)
				if old, ok := kept[id]; ok {
					s.Items, s.History = old.Items, old.History
				}
				kept[id] = s
				return s, err
			}
		}},
		{name: "forgetful", check: "sessions survive a restart", says: "Load of session", place: fresh},
		{name: "fields are lost", check: "every field survives", says: "Planogram", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				s.Planogram = ""
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "fields are lost in Create", check: "every field survives", says: "after Create", bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				s.Seen = vending.View{}
				return b.Store.Create(ctx, s)
			}
		}},
		{name: "numbers lose their end", check: "every field survives", says: "Reserved", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				s.Reserved = int64(float32(s.Reserved))
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "times are in milliseconds", check: "every field survives", says: "ApproveUntil", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				s.ApproveUntil = s.ApproveUntil.Truncate(time.Millisecond)
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "never is the year 1970", check: "empty fields stay empty", says: "Ended", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				if s.Ended.IsZero() {
					s.Ended = time.Unix(0, 0)
				}
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "sealed values are redacted", check: "sealed values come back", says: "comes back changed", bend: func(b *bent) {
			b.create = func(ctx context.Context, s vending.Session) error {
				s.Body = vending.Seal([]byte(s.Body.String()))
				return b.Store.Create(ctx, s)
			}
		}},
		{name: "sealed values are not erased", check: "sealed values come back", says: "want it erased", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				if old, err := b.Store.Load(ctx, s.ID); err == nil && s.Body.IsZero() {
					s.Body = old.Body
				}
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "lists give a part", check: "every way to a session gives all of it", says: "Open, against Load", bend: func(b *bent) {
			b.open = func(ctx context.Context) sessions {
				return mapped(b.Store.Open(ctx), func(s *vending.Session) { s.History = nil })
			}
		}},
		{name: "claims give no secrets", check: "every way to a session gives all of it", says: "Due, against Load", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return mapped(b.Store.Due(ctx, limit, lease), func(s *vending.Session) { s.RedirectURL = vending.Sealed{} })
			}
		}},
	}
}
