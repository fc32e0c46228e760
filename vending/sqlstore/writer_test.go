package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/vippsvending/vipps/vending"
)

// TestSharedTransaction has many writes wait and share a transaction. One of them fails, one gives up while it waits, and
// one is stale: each gets its own answer, and the others are stored.
func TestSharedTransaction(t *testing.T) {
	t.Parallel()
	for _, failure := range []string{"ABORT", "FAIL", "ROLLBACK"} {
		synctest.Test(t, func(t *testing.T) {
			const sessions = 40
			store, db := virtual(t, 1)
			ids := make([]string, sessions)
			for i := range ids {
				ids[i] = fmt.Sprintf("shop-%02d", i)
			}
			create(t, store, ids...)
			resave(t, store, "shop-20") // what is loaded below is the version before
			if _, err := db.ExecContext(t.Context(), "CREATE TRIGGER bad BEFORE UPDATE ON vending_sessions WHEN NEW.id = 'shop-10' BEGIN SELECT raise("+failure+", 'a bad one'); END"); err != nil {
				t.Fatal(err)
			}
			conn, err := db.Conn(t.Context()) // the only one: everybody waits
			if err != nil {
				t.Fatal(err)
			}
			impatient, cancel := context.WithCancel(t.Context())
			errs := make([]error, sessions)
			var saving sync.WaitGroup
			for i, id := range ids {
				saving.Go(func() {
					ctx, s := t.Context(), session(id)
					if i == 30 {
						ctx = impatient
					}
					s.Version, s.Planogram = 1, "saved"
					errs[i] = store.Save(ctx, s)
				})
			}
			synctest.Wait()
			cancel()
			synctest.Wait()
			conn.Close()
			saving.Wait()
			for i, err := range errs {
				s, loading := store.Load(t.Context(), ids[i])
				if loading != nil {
					t.Fatal(loading)
				}
				saved := s.Planogram == "saved"
				var ok bool
				switch i {
				case 10:
					ok = err != nil && strings.Contains(err.Error(), "a bad one") && strings.Contains(err.Error(), "shop-10") && !saved
				case 20:
					ok = errors.Is(err, vending.ErrStale) && !saved
				case 30:
					ok = errors.Is(err, context.Canceled) && !saved
				default:
					ok = err == nil && saved
				}
				if !ok {
					t.Errorf("%s: session %s: %v, saved %t", failure, ids[i], err, saved)
				}
			}
		})
	}
}

// TestGivingUpTooLate ends the context of a write that somebody else has begun: its caller has to learn what became of it.
func TestGivingUpTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, db := virtual(t, 1)
		conn, err := db.Conn(t.Context()) // the only one: everybody waits
		if err != nil {
			t.Fatal(err)
		}
		impatient, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		var errs [2]error
		var done [2]bool
		var writing sync.WaitGroup
		for i, do := range []func(){func() { <-release }, func() { done[1] = true }} {
			writing.Go(func() { errs[i] = store.Write(impatient, do) })
			synctest.Wait() // the first will write for both
		}
		conn.Close()
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(release)
		writing.Wait()
		if !done[1] || errs != [2]error{} {
			t.Errorf("two writes that were done say %v", errs)
		}
	})
}
