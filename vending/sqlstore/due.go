package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// Due implements [vending.Store]. It claims in one statement, at most some hundred at a time, by the database's clock. What
// a loop that is left has not come to is due again at once. A session that cannot be read is claimed too: it comes as an
// error, with its id, and again when the lease has passed.
func (s *Store) Due(ctx context.Context, limit int, lease time.Duration) iter.Seq2[vending.Session, error] {
	return func(yield func(vending.Session, error) bool) {
		for left := limit; left > 0; left -= pageSize {
			rows, err := s.claim(ctx, min(left, pageSize), lease)
			if err != nil {
				yield(vending.Session{}, explain("claim what is due", "", err))
				return
			}
			for i := range rows {
				if !yield(s.session(&rows[i])) {
					s.release(ctx, rows[i+1:])
					return
				}
			}
			if len(rows) < min(left, pageSize) {
				return
			}
		}
	}
}

func (s *Store) claim(ctx context.Context, limit int, lease time.Duration) (rows []row, err error) {
	err = s.write(ctx, func(ctx context.Context, on place) (err error) {
		rows, err = on.query(ctx, s.due, limit, lease.Microseconds())
		return err
	})
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(a.key.at.Compare(b.key.at), cmp.Compare(a.id, b.id)) })
	return rows, err
}

// release gives back what was claimed and is not looked at. If it fails the lease does it.
func (s *Store) release(ctx context.Context, rows []row) {
	var rest []vending.Session
	for _, r := range rows {
		rest = append(rest, vending.Session{ID: r.id, WakeAt: r.wakeAt.at, Woken: r.woken})
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = s.Rest(ctx, 0, rest...)
}

// Rest implements [vending.Store]. However many there are, it is one statement for those that were woken and one for the others.
func (s *Store) Rest(ctx context.Context, in time.Duration, sessions ...vending.Session) error {
	claims := map[bool][][2]any{}
	for _, session := range sessions {
		if storable(session.ID) && !session.WakeAt.IsZero() {
			claims[session.Woken] = append(claims[session.Woken], [2]any{session.ID, session.WakeAt.UnixMicro()})
		}
	}
	for woken, claimed := range claims {
		list, err := json.Marshal(claimed)
		if err != nil {
			return explain("rest", "", err)
		}
		if err := s.write(ctx, func(ctx context.Context, on place) error {
			_, err := on.exec(ctx, s.rest, string(list), in.Microseconds(), woken)
			return err
		}); err != nil {
			return explain("rest", "", err)
		}
	}
	return nil
}

// Wake implements [vending.Store]. However many there are, it is one statement.
func (s *Store) Wake(ctx context.Context, in time.Duration, ids ...string) error {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !storable(id) })
	statement, name, whom := s.wake, any(""), "wake"
	switch len(ids) {
	case 0:
		return nil
	case 1:
		name, whom = ids[0], "wake session "+ids[0]
	default:
		list, err := json.Marshal(ids)
		if err != nil {
			return explain(whom, "", err)
		}
		statement, name = s.wakeMany, string(list)
	}
	return explain(whom, "", s.write(ctx, func(ctx context.Context, on place) error {
		_, err := on.exec(ctx, statement, name, in.Microseconds())
		return err
	}))
}
