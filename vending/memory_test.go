package vending_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		store := vending.NewMemoryStore()
		now := time.Now()
		s := vending.Session{ID: "a", Machine: "m", Seat: "m", State: vending.Opening, Opened: now, Now: now, WakeAt: now.Add(time.Minute)}
		if err := store.Create(ctx, s); err != nil {
			t.Fatal(err)
		}
		if err := store.Create(ctx, s); !errors.Is(err, vending.ErrExists) {
			t.Errorf("an id that is taken: %v, want ErrExists before busy", err)
		}
		other := s
		other.ID = "b"
		busy, ok := errors.AsType[*vending.BusyError](store.Create(ctx, other))
		if !ok || busy.Session != "a" {
			t.Errorf("a seat that is taken: %v", busy)
		}
		if _, err := store.Load(ctx, "c"); !errors.Is(err, vending.ErrNotFound) {
			t.Errorf("an unknown id: %v", err)
		}
		// Of many who save the same version, one succeeds.
		loaded, err := store.Load(ctx, "a")
		if err != nil || loaded.Version != 1 {
			t.Fatalf("version %d, %v", loaded.Version, err)
		}
		var saving sync.WaitGroup
		var saved, stale atomic.Int64
		for range 50 {
			saving.Go(func() {
				switch err := store.Save(ctx, loaded); {
				case err == nil:
					saved.Add(1)
				case errors.Is(err, vending.ErrStale):
					stale.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		saving.Wait()
		if saved.Load() != 1 || stale.Load() != 49 {
			t.Errorf("%d saved and %d stale, want 1 and 49", saved.Load(), stale.Load())
		}
		// A seat is free when its session gives it up.
		loaded, _ = store.Load(ctx, "a")
		loaded.Seat, loaded.State = "", vending.Settling
		if err := store.Save(ctx, loaded); err != nil {
			t.Fatal(err)
		}
		if err := store.Create(ctx, other); err != nil {
			t.Errorf("a seat that was given up: %v", err)
		}
		loaded, _ = store.Load(ctx, "a")
		loaded.Seat = "m"
		if _, ok := errors.AsType[*vending.BusyError](store.Save(ctx, loaded)); !ok {
			t.Error("a seat was taken back from the session that has it")
		}
		// What is due is handed out once.
		later(2 * time.Minute)
		due := func() (ids []string) {
			for s, err := range store.Due(ctx, 10, time.Minute) {
				if err != nil {
					t.Error(err)
				}
				ids = append(ids, s.ID)
			}
			return ids
		}
		if got := due(); len(got) != 2 || len(due()) != 0 {
			t.Errorf("due %v, and then %v", got, due())
		}
		if err := store.Wake(ctx, 0, "a", "unknown"); err != nil {
			t.Error(err)
		}
		if got := due(); len(got) != 1 || got[0] != "a" {
			t.Errorf("due %v after a wake", got)
		}
		// Finished sessions are not woken, unless their payment may still appear.
		loaded, _ = store.Load(ctx, "a")
		loaded.State, loaded.Ended, loaded.WakeAt = vending.Closed, time.Now(), time.Time{}
		if err := store.Save(ctx, loaded); err != nil {
			t.Fatal(err)
		}
		_ = store.Wake(ctx, 0, "a")
		if got := due(); len(got) != 0 {
			t.Errorf("due %v: it is finished", got)
		}
		loaded, _ = store.Load(ctx, "a")
		loaded.Absent = true
		if err := store.Save(ctx, loaded); err != nil {
			t.Fatal(err)
		}
		_ = store.Wake(ctx, 0, "a")
		if got := due(); len(got) != 1 {
			t.Errorf("due %v: its payment may appear", got)
		}
		open := 0
		for s := range store.Open(ctx) {
			open++
			if s.ID != "b" {
				t.Errorf("%s is open", s.ID)
			}
		}
		closed := 0
		for range store.Closed(ctx, now, time.Now().Add(time.Second)) {
			closed++
		}
		if open != 1 || closed != 1 {
			t.Errorf("%d open and %d closed, want one each", open, closed)
		}
		if n, err := store.Prune(ctx, time.Now().Add(time.Second)); n != 1 || err != nil {
			t.Errorf("pruned %d, %v", n, err)
		}
		if _, err := store.Load(ctx, "a"); !errors.Is(err, vending.ErrNotFound) {
			t.Errorf("a pruned session: %v", err)
		}
	})
}
