package sqlstore_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// BenchmarkSave is one durable write, by so many goroutines at once.
func BenchmarkSave(b *testing.B) {
	for name, make := range map[string]func(testing.TB) database{"SQLite": sqlite, "PostgreSQL": postgres} {
		for _, workers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, workers), func(b *testing.B) {
				store, db := make(b).open(b)
				db.SetMaxOpenConns(16)
				db.SetMaxIdleConns(16)
				sessions := prepared(b, store, workers)
				share(b, workers, func(ctx context.Context, worker int) error {
					err := store.Save(ctx, sessions[worker])
					sessions[worker].Version++
					return err
				})
			})
		}
	}
}

// BenchmarkSale is about what the engine asks of a store for one sale: a session is created with its seat and claimed once, and
// for each of its states it is woken, loaded, saved and let rest.
func BenchmarkSale(b *testing.B) {
	for name, make := range map[string]func(testing.TB) database{"SQLite": sqlite, "PostgreSQL": postgres} {
		for _, workers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, workers), func(b *testing.B) {
				store, db := make(b).open(b)
				db.SetMaxOpenConns(16)
				db.SetMaxIdleConns(16)
				var n atomic.Int64
				share(b, workers, func(ctx context.Context, _ int) error {
					s := session(fmt.Sprint("shop-", n.Add(1)))
					s.Seat, s.WakeAt = s.Machine, s.Now
					if err := store.Create(ctx, s); err != nil {
						return err
					}
					for _, err := range store.Due(ctx, 1, time.Hour) { // this one, or a neighbour's
						if err != nil {
							return err
						}
					}
					for _, state := range []vending.State{vending.Waiting, vending.Vending, vending.Settling, vending.Closed} {
						if err := store.Wake(ctx, time.Hour, s.ID); err != nil {
							return err
						}
						s, err := store.Load(ctx, s.ID)
						if err != nil {
							return err
						}
						s.State, s.Body = state, vending.Sealed{}
						if state == vending.Closed {
							s.Seat = ""
						}
						if err := store.Save(ctx, s); err != nil {
							return err
						}
						if err := store.Rest(ctx, time.Hour, s); err != nil {
							return err
						}
					}
					return nil
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sales/s")
			})
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for name, make := range map[string]func(testing.TB) database{"SQLite": sqlite, "PostgreSQL": postgres} {
		b.Run(name, func(b *testing.B) {
			store, _ := make(b).open(b)
			prepared(b, store, 1)
			for b.Loop() {
				if _, err := store.Load(b.Context(), "shop-0"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func prepared(b *testing.B, store vending.Store, n int) []vending.Session {
	b.Helper()
	sessions := make([]vending.Session, n)
	for i := range sessions {
		sessions[i] = session(fmt.Sprint("shop-", i))
		if err := store.Create(b.Context(), sessions[i]); err != nil {
			b.Fatal(err)
		}
		sessions[i].Version = 1
	}
	return sessions
}

// share has workers do b.N things together.
func share(b *testing.B, workers int, do func(ctx context.Context, worker int) error) {
	b.Helper()
	next := make(chan struct{})
	done := make(chan error, workers)
	for worker := range workers {
		go func() {
			var err error
			for range next {
				if err == nil {
					err = do(b.Context(), worker)
				}
			}
			done <- err
		}()
	}
	b.ResetTimer()
	for range b.N {
		next <- struct{}{}
	}
	close(next)
	for range workers {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}
