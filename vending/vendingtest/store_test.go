package vendingtest

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps/vending"
)

func memory(testing.TB) StorePlace {
	store := vending.NewMemoryStore()
	return StorePlace{Connect: func(testing.TB) vending.Store { return store }}
}

func TestStoreOnMemory(t *testing.T) {
	t.Parallel()
	TestStore(t, memory)
}

// witness is a testing.TB that remembers what went wrong instead of failing.
type witness struct {
	testing.TB
	mu     sync.Mutex
	failed []string
}

func (w *witness) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = append(w.failed, fmt.Sprintf(format, args...))
}

func (w *witness) Error(args ...any) { w.Errorf("%s", fmt.Sprint(args...)) }

func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	runtime.Goexit()
}

func (w *witness) Fatal(args ...any) { w.Fatalf("%s", fmt.Sprint(args...)) }

func (w *witness) Failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.failed) > 0
}

// failures are what one check finds wrong with a place.
func failures(t *testing.T, check storeCheck, place StorePlace) []string {
	t.Helper()
	w := &witness{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check.on(w, place, 300*time.Millisecond)
	}()
	<-done
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failed
}

// TestStoreCatches runs the suite on stores that each break one promise: the check of that promise has to fail, and has to
// say what is wrong.
func TestStoreCatches(t *testing.T) {
	t.Parallel()
	checks := map[string]storeCheck{}
	for _, check := range storeChecks() {
		checks[check.name] = check
	}
	caught := map[string]bool{}
	for _, broken := range brokenStores() {
		check, ok := checks[broken.check]
		if !ok {
			t.Fatalf("there is no check %q", broken.check)
		}
		caught[broken.check] = true
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			got := failures(t, check, broken.place())
			if len(got) == 0 {
				t.Fatalf("the check %q does not notice", broken.check)
			}
			if !strings.Contains(strings.Join(got, "\n"), broken.says) {
				t.Errorf("the check %q says %q, which does not say %q", broken.check, got, broken.says)
			}
		})
	}
	for name := range checks {
		if !caught[name] {
			t.Errorf("no broken store shows that the check %q can fail", name)
		}
	}
}

// TestFilled shows that the session with which fields are checked has something in each of them.
func TestFilled(t *testing.T) {
	t.Parallel()
	var empty func(v reflect.Value, name string)
	empty = func(v reflect.Value, name string) {
		switch {
		case v.IsZero():
			t.Errorf("%s is zero", name)
		case v.Type() == timeType || v.Type() == sealedType:
		case v.Kind() == reflect.Struct:
			for field, value := range v.Fields() {
				empty(value, name+"."+field.Name)
			}
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				empty(v.Index(i), fmt.Sprintf("%s[%d]", name, i))
			}
		}
	}
	s, other := filled(t, 1), filled(t, 2)
	empty(reflect.ValueOf(s), "Session")
	for i := range reflect.TypeFor[vending.Session]().NumField() {
		field := reflect.TypeFor[vending.Session]().Field(i)
		if field.Name == "Now" || field.Name == "Woken" {
			continue
		}
		changed := s
		reflect.ValueOf(&changed).Elem().Field(i).SetZero()
		if difference(s, changed) == "" {
			t.Errorf("a store that loses %s is not noticed", field.Name)
		}
	}
	if difference(s, other) == "" || difference(s, s) != "" {
		t.Error("sessions are not told apart")
	}
}
