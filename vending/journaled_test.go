package vending_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

func journaled(t *testing.T, dir string, driver func(ctx context.Context, slot string) error) *vending.JournaledMachine {
	t.Helper()
	machine, err := vending.Journaled(dir, driver)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = machine.Close() })
	return machine
}

// stopped is a driver that must not be called.
func stopped(t *testing.T) func(context.Context, string) error {
	return func(_ context.Context, slot string) error {
		t.Errorf("the motor of %s turned", slot)
		return nil
	}
}

func vend(id, slot string) vending.Command {
	return vending.Command{ID: id, Slot: slot, Within: 20 * time.Second}
}

// said gives a check of what a machine says.
func said(t *testing.T, want vending.Verdict) func(vending.Verdict, error) {
	t.Helper()
	return func(got vending.Verdict, err error) {
		t.Helper()
		if got != want || err != nil {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
}

var errBlind = errors.New("the sensor is blind")

// slots is a driver whose slots do what they are called.
func slots(_ context.Context, slot string) error {
	return map[string]error{"drops": nil, "jams": fmt.Errorf("coil 3: %w", vending.ErrJammed), "blind": errBlind}[slot]
}

func TestJournaledRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx := t.Context()
	machine := journaled(t, dir, slots)
	ids := map[string]vending.Verdict{"drops": vending.Dropped, "jams": vending.NotDropped, "blind": vending.Unknown}
	for slot, want := range ids {
		said(t, want)(machine.Vend(ctx, vend(slot, slot)))
	}
	said(t, vending.NotDropped)(machine.Conclude(ctx, "fenced"))
	said(t, vending.NotDropped)(machine.Vend(ctx, vending.Command{ID: "late", Slot: "drops"}))
	ids["fenced"], ids["late"] = vending.NotDropped, vending.NotDropped
	for range 2 {
		if err := machine.Ready(ctx, "oslo12"); err != nil {
			t.Error(err)
		}
		for id, want := range ids {
			said(t, want)(machine.Conclude(ctx, id))
			said(t, want)(machine.Vend(ctx, vend(id, "drops")))
		}
		if err := machine.Close(); err != nil {
			t.Fatal(err)
		}
		machine = journaled(t, dir, stopped(t))
	}
}

func TestJournaledClosed(t *testing.T) {
	t.Parallel()
	machine := journaled(t, t.TempDir(), stopped(t))
	said(t, vending.NotDropped)(machine.Conclude(t.Context(), "known"))
	for range 2 {
		if err := machine.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, id := range []string{"known", "new"} {
		_, vendErr := machine.Vend(t.Context(), vend(id, "drops"))
		_, concludeErr := machine.Conclude(t.Context(), id)
		for _, err := range []error{vendErr, concludeErr, machine.Ready(t.Context(), "oslo12")} {
			if !errors.Is(err, fs.ErrClosed) || strings.Contains(err.Error(), "full") {
				t.Errorf("%s after Close: %v", id, err)
			}
		}
	}
}

func TestJournaledRefuses(t *testing.T) {
	t.Parallel()
	if _, err := vending.Journaled("", slots); !errors.Is(err, vipps.ErrInvalidRequest) {
		t.Errorf("without a directory: %v", err)
	}
	if _, err := vending.Journaled(t.TempDir(), nil); !errors.Is(err, vipps.ErrInvalidRequest) {
		t.Errorf("without a driver: %v", err)
	}
	if _, err := vending.Journaled(filepath.Join(t.TempDir(), "data"), slots); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "not mounted") {
		t.Errorf("without the directory: %v", err)
	}
	machine := journaled(t, t.TempDir(), stopped(t))
	for _, id := range []string{"", "a b", "a\nstarted b", strings.Repeat("x", 101), "å"} {
		if _, err := machine.Vend(t.Context(), vend(id, "drops")); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("Vend(%q): %v", id, err)
		}
		if _, err := machine.Conclude(t.Context(), id); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("Conclude(%q): %v", id, err)
		}
	}
}

func TestJournaledAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	machine := journaled(t, dir, slots)
	said(t, vending.Dropped)(machine.Vend(t.Context(), vend("a", "drops")))
	if _, err := vending.Journaled(dir, stopped(t)); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second one: %v", err)
	}
	if err := machine.Close(); err != nil {
		t.Fatal(err)
	}
	said(t, vending.Dropped)(journaled(t, dir, stopped(t)).Conclude(t.Context(), "a"))
}

// TestJournaledLengths cuts the file of a run to every length, and knows how long it was when each motor turned.
func TestJournaledLengths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "vending.journal")
	size := func() int {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return len(content)
	}
	turned, recorded := map[string]int{}, map[string]int{}
	machine := journaled(t, dir, func(ctx context.Context, slot string) error {
		turned[slot] = size()
		return slots(ctx, slot)
	})
	want := map[string]vending.Verdict{"drops": vending.Dropped, "jams": vending.NotDropped, "blind": vending.Unknown}
	for slot, verdict := range want {
		said(t, verdict)(machine.Vend(t.Context(), vend(slot, slot)))
		recorded[slot] = size()
	}
	if err := machine.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for length := range len(whole) + 1 {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "vending.journal"), whole[:length], 0o600); err != nil {
			t.Fatal(err)
		}
		machine := journaled(t, dir, stopped(t))
		for id, verdict := range want {
			switch {
			case length < turned[id]:
				verdict = vending.NotDropped
				said(t, verdict)(machine.Conclude(t.Context(), id))
			case length < recorded[id]:
				verdict = vending.Unknown
			}
			said(t, verdict)(machine.Vend(t.Context(), vend(id, id)))
			said(t, verdict)(machine.Conclude(t.Context(), id))
		}
		if err := machine.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestJournaledOnce lets many ask for the same few ids, while others conclude them.
func TestJournaledOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var runs [8]atomic.Int32
	var atOnce, concluded atomic.Int32
	machine := journaled(t, dir, func(_ context.Context, slot string) error {
		if atOnce.Add(1) > 1 {
			t.Error("two motors turn")
		}
		defer atOnce.Add(-1)
		runs[slot[0]-'0'].Add(1)
		runtime.Gosched()
		return nil
	})
	var working sync.WaitGroup
	var verdicts sync.Map
	for n := range 64 {
		id := fmt.Sprint(n % len(runs))
		for _, ask := range []func() (vending.Verdict, error){
			func() (vending.Verdict, error) { return machine.Vend(context.Background(), vend(id, id)) },
			func() (vending.Verdict, error) { return machine.Conclude(context.Background(), id) },
		} {
			working.Go(func() {
				verdict, err := ask()
				if err != nil {
					t.Error(err)
				}
				if verdict == vending.Pending {
					return
				}
				concluded.Add(1)
				if before, found := verdicts.LoadOrStore(id, verdict); found && before != verdict {
					t.Errorf("%s is %s and %s", id, before, verdict)
				}
			})
		}
		working.Go(func() {
			if err := machine.Ready(context.Background(), "oslo12"); err != nil {
				t.Error(err)
			}
		})
	}
	working.Wait()
	if concluded.Load() == 0 {
		t.Error("nobody got a verdict")
	}
	if err := machine.Close(); err != nil {
		t.Fatal(err)
	}
	machine = journaled(t, dir, stopped(t))
	for n := range runs {
		id := fmt.Sprint(n)
		verdict, _ := verdicts.Load(id)
		if dropped := verdict == vending.Dropped; runs[n].Load() > 1 || dropped != (runs[n].Load() == 1) {
			t.Errorf("%s is %v after %d runs", id, verdict, runs[n].Load())
		}
		said(t, verdict.(vending.Verdict))(machine.Vend(t.Context(), vend(id, id)))
	}
}

// TestJournaledOneMotor has three commands and a motor that turns for ten seconds.
func TestJournaledOneMotor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs []string
		machine := journaled(t, t.TempDir(), func(_ context.Context, slot string) error {
			runs = append(runs, slot)
			time.Sleep(10 * time.Second) //nolint:forbidigo // virtual time
			return nil
		})
		begun := time.Now()
		var working sync.WaitGroup
		order := func(id string, within, takes time.Duration, want vending.Verdict) {
			working.Go(func() {
				said(t, want)(machine.Vend(t.Context(), vending.Command{ID: id, Slot: id, Within: within}))
				if took := time.Since(begun); took != takes {
					t.Errorf("%s took %s, not %s", id, took, takes)
				}
			})
			synctest.Wait()
		}
		order("at-once-or-never", 0, 0, vending.NotDropped)
		order("first", time.Second, 10*time.Second, vending.Dropped)
		order("impatient", 9*time.Second, 9*time.Second, vending.NotDropped)
		order("too-late-by-nothing", 10*time.Second, 10*time.Second, vending.NotDropped)
		order("patient", 11*time.Second, 20*time.Second, vending.Dropped)
		for _, id := range []string{"first", "impatient", "patient"} {
			said(t, vending.Pending)(machine.Conclude(t.Context(), id))
			said(t, vending.Pending)(machine.Vend(t.Context(), vend(id, id)))
		}
		if err := machine.Ready(t.Context(), "oslo12"); err != nil {
			t.Errorf("Ready while the motor turns: %v", err)
		}
		working.Wait()
		if got := strings.Join(runs, " "); got != "first patient" {
			t.Errorf("turned: %s", got)
		}
		said(t, vending.NotDropped)(machine.Conclude(t.Context(), "impatient"))
	})
}

// TestJournaledLeaves ends the callers' contexts before and while the motor turns, and closes the machine meanwhile.
func TestJournaledLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		type key struct{}
		machine := journaled(t, dir, func(ctx context.Context, slot string) error {
			time.Sleep(10 * time.Second) //nolint:forbidigo // virtual time
			if slot != "A1" || ctx.Err() != nil || ctx.Value(key{}) != "trace" {
				t.Errorf("driver of %s: %v, %v", slot, ctx.Err(), ctx.Value(key{}))
			}
			return nil
		})
		leave := func(verdict vending.Verdict, err error) { // who leaves may still hear that nothing moved
			if verdict != vending.Pending && verdict != vending.NotDropped || err != nil {
				t.Errorf("%s, %v", verdict, err)
			}
		}
		ended, end := context.WithCancel(t.Context())
		end()
		leave(machine.Vend(ended, vend("never-begun", "A2")))
		synctest.Wait()
		said(t, vending.NotDropped)(machine.Conclude(t.Context(), "never-begun"))

		short, end := context.WithTimeout(context.WithValue(t.Context(), key{}, "trace"), time.Second)
		defer end()
		said(t, vending.Pending)(machine.Vend(short, vend("left", "A1")))
		said(t, vending.Pending)(machine.Conclude(t.Context(), "left"))
		waiting, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		leave(machine.Vend(waiting, vend("left-while-waiting", "A3")))
		synctest.Wait()
		said(t, vending.NotDropped)(machine.Conclude(t.Context(), "left-while-waiting"))

		var working sync.WaitGroup
		working.Go(func() { said(t, vending.NotDropped)(machine.Vend(t.Context(), vend("in-the-queue", "A4"))) })
		synctest.Wait()
		before := time.Now()
		if err := machine.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(before); took != 8*time.Second {
			t.Errorf("Close took %s: it has to wait for the motor, and for nothing else", took)
		}
		working.Wait()
		again := journaled(t, dir, stopped(t))
		said(t, vending.Dropped)(again.Conclude(t.Context(), "left"))
		for _, id := range []string{"never-begun", "left-while-waiting", "in-the-queue"} {
			said(t, vending.NotDropped)(again.Vend(t.Context(), vend(id, "A1")))
		}
	})
}

// TestJournaledExits has a driver that ends its goroutine: nobody knows, and the next motor turns.
func TestJournaledExits(t *testing.T) {
	t.Parallel()
	machine := journaled(t, t.TempDir(), func(_ context.Context, slot string) error {
		if slot == "exits" {
			runtime.Goexit()
		}
		return nil
	})
	said(t, vending.Unknown)(machine.Vend(t.Context(), vend("a", "exits")))
	said(t, vending.Dropped)(machine.Vend(t.Context(), vend("b", "drops")))
	said(t, vending.Unknown)(machine.Conclude(t.Context(), "a"))
}
