package audit

import (
	"context"
	"iter"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// Sessions gives all sessions of a store, each once, as it was read last: one may be closed in between.
func Sessions(ctx context.Context, store vending.Store) ([]vending.Session, error) {
	var all []vending.Session
	at := map[string]int{}
	for _, sessions := range []iter.Seq2[vending.Session, error]{
		store.Open(ctx), store.Closed(ctx, time.Time{}.AddDate(1, 0, 0), time.Now().AddDate(1, 0, 0)),
	} {
		for s, err := range sessions {
			if err != nil {
				return nil, err
			}
			if i, found := at[s.ID]; found {
				all[i] = s
				continue
			}
			at[s.ID] = len(all)
			all = append(all, s)
		}
	}
	return all, nil
}
