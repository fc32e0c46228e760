package vendingtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vippsvending/vipps/vending"
)

func brokenSaves() []brokenStore {
	return []brokenStore{
		{name: "saves are not counted", check: "a save counts the version", says: "want one more", bend: func(b *bent) {
			b.load = func(ctx context.Context, id string) (vending.Session, error) {
				s, err := b.Store.Load(ctx, id)
				s.Version = 1
				return s, err
			}
		}},
		{name: "the last save wins", check: "a save of an old version is stale", says: "want ErrStale", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				old, err := b.Store.Load(ctx, s.ID)
				s.Version = old.Version
				return errors.Join(err, b.Store.Save(ctx, s))
			}
		}},
		{name: "a save creates", check: "a save of an unknown session is refused", says: "never created", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				if err := b.Store.Save(ctx, s); !errors.Is(err, vending.ErrNotFound) {
					return err
				}
				return b.Store.Create(ctx, s)
			}
		}},
		{name: "versions are looked at first and saved later", check: "a version is saved by one of many", says: "the others' saves are lost", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				if old, err := b.Store.Load(ctx, s.ID); err != nil || old.Version != s.Version {
					return errors.Join(err, vending.ErrStale)
				}
				time.Sleep(10 * time.Millisecond) //nolint:forbidigo // the others look meanwhile
				for {
					old, _ := b.Store.Load(ctx, s.ID)
					s.Version = old.Version
					if err := b.Store.Save(ctx, s); !errors.Is(err, vending.ErrStale) {
						return err
					}
				}
			}
		}},
		{name: "a seat is never given up", check: "a save gives its seat up", says: "given up", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				if old, err := b.Store.Load(ctx, s.ID); err == nil {
					s.Seat = old.Seat
				}
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "any save gives the seat up", check: "a save gives its seat up", says: "a save that keeps the seat has freed it", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				s.Seat = ""
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "a save takes any seat", check: "a save does not take the seat of another", says: "took a seat", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				if holder, err := b.Store.Seat(ctx, s.Seat); err == nil && holder.ID != s.ID {
					s.Seat = ""
				}
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "a stale save frees the seat", check: "a refused save leaves the seat", says: "given the seat up", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				err := b.Store.Save(ctx, s)
				if errors.Is(err, vending.ErrStale) {
					_ = b.rewrite(ctx, s.ID, func(now *vending.Session) { now.Seat = s.Seat })
				}
				return err
			}
		}},
		{name: "a wake is a save", check: "a wake moves WakeAt and nothing else", says: "not even the version", bend: func(b *bent) {
			b.wake = func(ctx context.Context, in time.Duration, ids ...string) error {
				for _, id := range ids {
					_ = b.rewrite(ctx, id, func(s *vending.Session) { s.WakeAt = s.Now.Add(in) })
				}
				return nil
			}
		}},
		{name: "a wake is always at once", check: "a wake moves WakeAt and nothing else", says: "WakeAt after Wake in 1m30s", bend: func(b *bent) {
			b.wake = func(ctx context.Context, _ time.Duration, ids ...string) error { return b.Store.Wake(ctx, 0, ids...) }
		}},
		{name: "a wake wants to know its sessions", check: "a wake ignores unknown sessions", says: "want them ignored", bend: func(b *bent) {
			b.wake = func(ctx context.Context, in time.Duration, ids ...string) error {
				for _, id := range ids {
					if _, err := b.Store.Load(ctx, id); err != nil {
						return err
					}
				}
				return b.Store.Wake(ctx, in, ids...)
			}
		}},
		{name: "a wake raises the dead", check: "a wake leaves finished sessions", says: "it is not watched", bend: func(b *bent) {
			b.wake = func(ctx context.Context, in time.Duration, ids ...string) error {
				for _, id := range ids {
					_ = b.rewrite(ctx, id, func(s *vending.Session) { s.WakeAt = s.Now.Add(in) })
				}
				return nil
			}
		}},
		{name: "a wake forgets what is closed", check: "a wake leaves finished sessions", says: "but watched", bend: func(b *bent) {
			b.wake = func(ctx context.Context, in time.Duration, ids ...string) error {
				for _, id := range ids {
					if s, err := b.Store.Load(ctx, id); err == nil && s.State != vending.Closed {
						_ = b.Store.Wake(ctx, in, id)
					}
				}
				return nil
			}
		}},
		{name: "a save keeps what a wake wrote", check: "a save writes its own WakeAt", says: "writes its own WakeAt", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				if old, err := b.Store.Load(ctx, s.ID); err == nil && old.WakeAt.Before(s.WakeAt) {
					s.WakeAt = old.WakeAt
				}
				return b.Store.Save(ctx, s)
			}
		}},
		{name: "a wake writes an old session back", check: "wakes and claims undo no save", says: "written an old session back", bend: writesBack},
	}
}

// writesBack is a wake that reads a session, and later writes it back with the version that it finds then.
func writesBack(b *bent) {
	var mu sync.Mutex
	versions := map[string]int64{} // as everybody sees them
	b.load = func(ctx context.Context, id string) (vending.Session, error) {
		mu.Lock()
		defer mu.Unlock()
		s, err := b.Store.Load(ctx, id)
		s.Version -= versions[id]
		return s, err
	}
	b.save = func(ctx context.Context, s vending.Session) error {
		mu.Lock()
		defer mu.Unlock()
		s.Version += versions[s.ID]
		return b.Store.Save(ctx, s)
	}
	b.wake = func(ctx context.Context, in time.Duration, ids ...string) error {
		for _, id := range ids {
			s, err := b.load(ctx, id)
			if err != nil {
				continue
			}
			time.Sleep(time.Millisecond) //nolint:forbidigo // others save meanwhile
			mu.Lock()
			newest, _ := b.Store.Load(ctx, id)
			s.Version, s.WakeAt = newest.Version, newest.Now.Add(in)
			_ = b.Store.Save(ctx, s)
			versions[id]++
			mu.Unlock()
		}
		return nil
	}
}

func brokenClaims() []brokenStore {
	const inOrder = "the longest waiting is due first"
	return []brokenStore{
		{name: "everything is due", check: "due is what is watched and has waited long enough", says: "later", bend: func(b *bent) {
			b.due = func(ctx context.Context, _ int, _ time.Duration) sessions { return b.Store.Open(ctx) }
		}},
		{name: "what is closed is never due", check: "due is what is watched and has waited long enough", says: "Due gives [due]", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return rearranged(b.Store.Due(ctx, limit, lease), func(list []vending.Session) (open []vending.Session) {
					for _, s := range list {
						if s.State != vending.Closed {
							open = append(open, s)
						}
					}
					return open
				})
			}
		}},
		{name: "the newest is due first", check: inOrder, says: "longest waiting first", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return rearranged(b.Store.Due(ctx, limit, lease), backwards)
			}
		}},
		{name: "one too many", check: "a claim respects its limit", says: "limit 3", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return b.Store.Due(ctx, limit+min(limit, 1), lease)
			}
		}},
		{name: "half the lease", check: "a claim moves WakeAt by the lease and nothing else", says: "WakeAt after a claim", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return b.Store.Due(ctx, limit, lease/2)
			}
		}},
		{name: "a claim is a save", check: "a claim moves WakeAt by the lease and nothing else", says: "Version", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return mapped(b.Store.Due(ctx, limit, lease), func(s *vending.Session) {
					_ = b.rewrite(ctx, s.ID, func(*vending.Session) {})
				})
			}
		}},
		{name: "due is looked at first and moved later", check: "a session is claimed by one of many", says: "times by workers that asked at once", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return rearranged(b.Store.Due(ctx, limit, 0), func(list []vending.Session) []vending.Session {
					time.Sleep(time.Millisecond) //nolint:forbidigo // the others look meanwhile
					for _, s := range list {
						_ = b.Store.Wake(ctx, lease, s.ID)
					}
					return list
				})
			}
		}},
		{name: "a claim is for ever", check: "a claim ends with its lease", says: "did not happen", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, _ time.Duration) sessions {
				return b.Store.Due(ctx, limit, 24*time.Hour)
			}
		}},
		{name: "nobody was woken", check: "a claim says who was woken", says: "want [true true]", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return mapped(b.Store.Due(ctx, limit, lease), func(s *vending.Session) { s.Woken = false })
			}
		}},
		{name: "a claim forgets who was woken", check: "a claim says who was woken", says: "whose worker may have died", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, lease time.Duration) sessions {
				return mapped(b.Store.Due(ctx, limit, lease), func(s *vending.Session) {
					if s.Woken {
						forgotten := *s
						forgotten.Woken = false
						_ = b.Store.Rest(ctx, lease, forgotten)
					}
				})
			}
		}},
		{name: "a rest forgets who was woken", check: "a claim says who was woken", says: "what Load has given", bend: func(b *bent) {
			b.rest = func(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
				for i := range sessions {
					sessions[i].Woken = false
				}
				return b.Store.Rest(ctx, in, sessions...)
			}
		}},
		{name: "a rest wakes", check: "a claim says who was woken", says: "after a rest without it", bend: func(b *bent) {
			b.rest = func(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
				for _, s := range sessions {
					_ = b.Store.Wake(ctx, in, s.ID)
				}
				return nil
			}
		}},
		{name: "what a loop does not come to is lost", check: "leaving a loop over Due loses nothing", says: "did not happen", bend: func(b *bent) {
			b.due = func(ctx context.Context, limit int, _ time.Duration) sessions {
				return rearranged(b.Store.Due(ctx, limit, 24*time.Hour), func(list []vending.Session) []vending.Session { return list })
			}
		}},
	}
}

func brokenRests() []brokenStore {
	woken := func(ctx context.Context, b *bent, in time.Duration, sessions []vending.Session) error {
		for _, s := range sessions {
			_ = b.Store.Wake(ctx, in, s.ID)
		}
		return nil
	}
	return []brokenStore{
		{name: "a rest is a wake", check: "a rest does not overrule a wake", says: "must not be overruled", bend: func(b *bent) {
			b.rest = func(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
				return woken(ctx, b, in, sessions)
			}
		}},
		{name: "a rest gives up at the first that was woken", check: "a rest does not overrule a wake", says: "which came between others", bend: func(b *bent) {
			b.rest = func(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
				for _, s := range sessions {
					if now, _ := b.Store.Load(ctx, s.ID); !now.WakeAt.Equal(s.WakeAt) {
						return nil
					}
				}
				return b.Store.Rest(ctx, in, sessions...)
			}
		}},
		{name: "a rest is for one", check: "a rest moves WakeAt and nothing else", says: "WakeAt after Rest", bend: func(b *bent) {
			b.rest = func(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
				return b.Store.Rest(ctx, in, sessions[:min(1, len(sessions))]...)
			}
		}},
		{name: "a rest is a save", check: "a rest moves WakeAt and nothing else", says: "not even the version", bend: func(b *bent) {
			b.rest = func(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
				for _, s := range sessions {
					_ = b.rewrite(ctx, s.ID, func(s *vending.Session) { s.WakeAt = s.Now.Add(in) })
				}
				return nil
			}
		}},
		{name: "a rest raises the dead", check: "a rest leaves finished and unknown sessions", says: "want none", bend: func(b *bent) {
			b.rest = func(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
				for _, s := range sessions {
					_ = b.rewrite(ctx, s.ID, func(s *vending.Session) { s.State, s.WakeAt = vending.Settling, s.Now.Add(in) })
				}
				return nil
			}
		}},
		{name: "a rest wants the time to the nanosecond", check: "a rest follows a claim and a save", says: "Rest of what was saved", bend: func(b *bent) {
			b.save = func(ctx context.Context, s vending.Session) error {
				s.WakeAt = s.WakeAt.Truncate(time.Microsecond)
				return b.Store.Save(ctx, s)
			}
		}},
	}
}
