package vendingtest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/vippsvending/vipps/vending"
)

func brokenLists() []brokenStore {
	const (
		oldest = "open is what is not finished, oldest first"
		period = "closed is a period, from included, to excluded"
		prune  = "prune removes what is finished and ended before"
		clock  = "the store's clock is in every session"
		many   = "thousands are gone through while they change"
	)
	return []brokenStore{
		{name: "open is newest first", check: oldest, says: "oldest first", bend: func(b *bent) {
			b.open = func(ctx context.Context) sessions { return rearranged(b.Store.Open(ctx), backwards) }
		}},
		{name: "what is closed is not open", check: oldest, says: "closed with a task included", bend: func(b *bent) {
			b.open = func(ctx context.Context) sessions {
				return rearranged(b.Store.Open(ctx), func(list []vending.Session) []vending.Session {
					return slices.DeleteFunc(list, func(s vending.Session) bool { return s.State == vending.Closed })
				})
			}
		}},
		{name: "to is included", check: period, says: "to excluded", bend: func(b *bent) {
			b.closed = func(ctx context.Context, from, to time.Time) sessions {
				return b.Store.Closed(ctx, from, to.Add(time.Nanosecond))
			}
		}},
		{name: "from is excluded", check: period, says: "from included", bend: func(b *bent) {
			b.closed = func(ctx context.Context, from, to time.Time) sessions {
				return b.Store.Closed(ctx, from.Add(time.Nanosecond), to)
			}
		}},
		{name: "closed is newest first", check: period, says: "oldest first", bend: func(b *bent) {
			b.closed = func(ctx context.Context, from, to time.Time) sessions {
				return rearranged(b.Store.Closed(ctx, from, to), backwards)
			}
		}},
		{name: "prune takes what ended then", check: prune, says: "not at, the moment", bend: func(b *bent) {
			b.prune = func(ctx context.Context, before time.Time) (int, error) {
				return b.Store.Prune(ctx, before.Add(time.Nanosecond))
			}
		}},
		{name: "prune miscounts", check: prune, says: "says that it removed 3", bend: func(b *bent) {
			b.prune = func(ctx context.Context, before time.Time) (int, error) {
				n, err := b.Store.Prune(ctx, before)
				return n + 1, err
			}
		}},
		{name: "prune takes tasks", check: prune, says: `session "tasks"`, bend: func(b *bent) {
			b.prune = func(ctx context.Context, before time.Time) (int, error) {
				for s := range b.Store.Closed(ctx, time.Time{}, before) {
					_ = b.rewrite(ctx, s.ID, func(s *vending.Session) { s.Tasks = nil })
				}
				return b.Store.Prune(ctx, before)
			}
		}},
		{name: "no clock", check: clock, says: "zero", bend: func(b *bent) {
			b.load = func(ctx context.Context, id string) (vending.Session, error) {
				s, err := b.Store.Load(ctx, id)
				s.Now = time.Time{}
				return s, err
			}
		}},
		{name: "the clock of a list is of the last save", check: clock, says: "Open says Now", bend: func(b *bent) {
			b.open = func(ctx context.Context) sessions {
				return mapped(b.Store.Open(ctx), func(s *vending.Session) { s.Now = s.Opened })
			}
		}},
		{name: "the clock stands still", check: clock, says: "later than that of the first", bend: stopped},
		{name: "open goes on where it was left", check: "a loop may be left and begun again", says: "ranging over Open again", bend: func(b *bent) {
			b.open = func(ctx context.Context) sessions {
				next, _ := iter.Pull2(b.Store.Open(ctx))
				return func(yield func(vending.Session, error) bool) {
					for s, err, ok := next(); ok; s, err, ok = next() {
						if !yield(s, err) {
							return
						}
					}
				}
			}
		}},
		{name: "a loop that was left keeps its lock", check: "a loop may be left and begun again", says: "left a lock or a connection behind", bend: func(b *bent) {
			left := false
			b.open = func(ctx context.Context) sessions {
				return func(yield func(vending.Session, error) bool) {
					for s, err := range b.Store.Open(ctx) {
						if left = !yield(s, err); left {
							return
						}
					}
				}
			}
			b.load = func(ctx context.Context, id string) (vending.Session, error) {
				if left {
					<-ctx.Done()
					return vending.Session{}, ctx.Err()
				}
				return b.Store.Load(ctx, id)
			}
		}},
		{name: "a loop holds a lock", check: "a loop may call the store", says: "Save inside a loop over Open does not return", bend: func(b *bent) {
			var mu sync.Mutex
			b.open = func(ctx context.Context) sessions { return locking(&mu, b.Store.Open(ctx)) }
			b.save = func(ctx context.Context, s vending.Session) error {
				mu.Lock()
				defer mu.Unlock()
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "a loop holds the only connection", check: "a loop may call the store", says: "Load inside a loop over Due", bend: func(b *bent) {
			busy := false
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return func(yield func(vending.Session, error) bool) {
					busy = true
					defer func() { busy = false }()
					b.Store.Due(ctx, limit, lease)(yield)
				}
			}
			b.load = func(ctx context.Context, id string) (vending.Session, error) {
				if busy {
					<-ctx.Done()
					return vending.Session{}, ctx.Err()
				}
				return b.Store.Load(ctx, id)
			}
		}},
		{name: "nothing is closed", check: "a loop may call the store", says: "Closed gives nothing", bend: func(b *bent) {
			b.closed = func(context.Context, time.Time, time.Time) sessions { return none(nil) }
		}},
		{name: "open ends after a thousand", check: many, says: "Open gave 1000 of", bend: func(b *bent) {
			b.open = func(ctx context.Context) sessions {
				return rearranged(b.Store.Open(ctx), func(list []vending.Session) []vending.Session { return list[:min(1000, len(list))] })
			}
		}},
		{name: "pages by offset", check: many, says: "while the loop saved them", bend: byOffset},
		{name: "a wake takes few", check: many, says: "Wake of 1500 sessions", bend: func(b *bent) {
			b.wake = func(ctx context.Context, in time.Duration, ids ...string) error {
				if len(ids) > 1000 {
					return errors.New("too many parameters")
				}
				return b.Store.Wake(ctx, in, ids...)
			}
		}},
	}
}

// stopped is a store with a clock that does not move.
func stopped(b *bent) {
	at := time.Now()
	still := func(s *vending.Session) { s.Now = at }
	b.load = func(ctx context.Context, id string) (vending.Session, error) {
		s, err := b.Store.Load(ctx, id)
		still(&s)
		return s, err
	}
	b.seat = func(ctx context.Context, machine string) (vending.Session, error) {
		s, err := b.Store.Seat(ctx, machine)
		still(&s)
		return s, err
	}
	b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
		return mapped(b.Store.Due(ctx, limit, lease), still)
	}
	b.open = func(ctx context.Context) sessions { return mapped(b.Store.Open(ctx), still) }
	b.closed = func(ctx context.Context, from, to time.Time) sessions {
		return mapped(b.Store.Closed(ctx, from, to), still)
	}
}

// byOffset pages by how many have been given: what is closed meanwhile makes it skip others.
func byOffset(b *bent) {
	b.open = func(ctx context.Context) sessions {
		return func(yield func(vending.Session, error) bool) {
			for given := 0; ; {
				page := 0
				skip := given
				for s, err := range b.Store.Open(ctx) {
					if skip > 0 {
						skip--
						continue
					}
					if page == 100 {
						break
					}
					page++
					given++
					if !yield(s, err) {
						return
					}
				}
				if page == 0 {
					return
				}
			}
		}
	}
}
