package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// failing is a store whose database cannot be written to any more after some writes.
type failing struct {
	vending.Store
	db *sql.DB

	mu    sync.Mutex
	after int // how many writes still succeed
}

func (f *failing) Create(ctx context.Context, s vending.Session) error {
	return f.count(f.Store.Create(ctx, s))
}

func (f *failing) Save(ctx context.Context, s vending.Session) error {
	return f.count(f.Store.Save(ctx, s))
}

func (f *failing) count(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.after--; err == nil && f.after == 0 {
		err = f.readOnly(true)
	}
	return err
}

// readOnly sets or ends the trouble. The pool has one connection.
func (f *failing) readOnly(on bool) error {
	_, err := f.db.Exec(fmt.Sprintf("PRAGMA query_only = %t", on))
	return err
}

// virtual is a store in a file, in a bubble of virtual time, over so many connections.
func virtual(t *testing.T, connections int) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := openSQL(t, "sqlite", sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "sessions.db")))
	db.SetMaxOpenConns(connections)
	store, err := sqlstore.Open(t.Context(), db, sqlstore.Options{Dialect: sqlstore.SQLite, Keys: [][]byte{key(1)}, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return store, db
}

func operate(t *testing.T, world *vippstest.Server, store vending.Store, machine vending.Machine) *vending.Operator {
	t.Helper()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials(world.Credentials()),
		System:      vipps.System{Name: "sqlstore-test", Version: "1"},
		BaseURL:     world.URL(),
		HTTPClient:  &http.Client{Transport: world.Transport()},
	})
	if err != nil {
		t.Fatal(err)
	}
	operator, err := vending.NewOperator(vending.Config{
		Client: client, Machine: machine, Store: store, Currency: vipps.NOK,
		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return operator
}

// TestReadOnlyInTheMiddle takes the right to write away after each write of a sale in turn. Nothing is vended and nothing is
// captured on a write that did not happen; when the database can be written to again, the sale comes to its end.
func TestReadOnlyInTheMiddle(t *testing.T) {
	t.Parallel()
	vended, captured := 0, 0
	for after := 1; after <= 6; after++ {
		synctest.Test(t, func(t *testing.T) {
			store, db := virtual(t, 1)
			fragile := &failing{Store: store, db: db, after: after}
			world, machine := vippstest.Start(t, vippstest.Options{}), new(vendingtest.Machine)
			operator := operate(t, world, fragile, machine)
			ctx, cancel := context.WithCancel(t.Context())
			var working sync.WaitGroup
			defer working.Wait()
			defer cancel()
			working.Go(func() { _ = operator.Run(ctx) })
			working.Go(func() {
				order := vending.DynamicQROrder{Machine: "oslo12", Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}}}
				_, _ = operator.OpenDynamicQR(ctx, order) // it may end in any way
			})
			time.Sleep(time.Second) //nolint:forbidigo // virtual time
			if len(world.Payments()) == 0 {
				t.Fatal("no payment was made: its session was stored")
			}
			reference := world.Payments()[0].Reference
			time.Sleep(3 * time.Second)  //nolint:forbidigo // virtual time
			_ = world.Approve(reference) // the customer may be too late
			time.Sleep(2 * time.Minute)  //nolint:forbidigo // virtual time

			stored := entered(t, store, reference)
			payment, _ := world.Payment(reference)
			if n := len(machine.Commands()); n > 0 {
				vended++
				if !stored[vending.Vending] {
					t.Errorf("after %d writes: %d commands to the machine, and no session that says so: %v", after, n, stored)
				}
			}
			if payment.Captured > 0 {
				captured++
				if !stored[vending.Settling] {
					t.Errorf("after %d writes: %d is captured, and no session says what is due: %v", after, payment.Captured, stored)
				}
			}

			if err := fragile.readOnly(false); err != nil {
				t.Fatal(err)
			}
			var session vending.Session
			for range 400 {
				if session, _ = store.Load(ctx, reference); session.Finished() {
					break
				}
				time.Sleep(10 * time.Second) //nolint:forbidigo // virtual time
			}
			payment, _ = world.Payment(reference)
			if !session.Finished() || !payment.AtRest() {
				t.Fatalf("after %d writes the sale has not come to its end: %s, %+v, %v", after, session.State, payment, session.History)
			}
			if want := int64(machine.Dropped("A1")) * 2500; payment.Captured != want {
				t.Errorf("after %d writes: captured %d for %d products", after, payment.Captured, machine.Dropped("A1"))
			}
		})
	}
	if vended == 0 || captured == 0 {
		t.Errorf("the machine was told %d times and %d times something was captured: the test has not come so far", vended, captured)
	}
}

// entered is which states the stored session has ever been in.
func entered(t *testing.T, store vending.Store, id string) map[vending.State]bool {
	t.Helper()
	s, err := store.Load(t.Context(), id)
	if err != nil && !errors.Is(err, vending.ErrNotFound) {
		t.Fatal(err)
	}
	states := map[vending.State]bool{}
	for _, step := range s.History {
		states[step.To] = true
	}
	return states
}

// TestVirtualTime runs the store by a test's clock: an hour is over at once.
func TestVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, _ := virtual(t, 5)
		s := session("shop-a")
		if err := store.Create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		due := func() (n int) {
			for s, err := range store.Due(t.Context(), 10, time.Hour) {
				if err != nil || !s.Now.Equal(time.Now()) || !s.WakeAt.Equal(time.Now().Add(time.Hour)) {
					t.Errorf("Now %s and WakeAt %s at %s, %v", s.Now, s.WakeAt, time.Now(), err)
				}
				n++
			}
			return n
		}
		for hour := range 3 {
			time.Sleep(time.Hour - time.Microsecond) //nolint:forbidigo // virtual time
			if n := due(); n != 0 {
				t.Errorf("%d sessions are due a moment too soon", n)
			}
			time.Sleep(time.Microsecond) //nolint:forbidigo // virtual time
			if n := due(); n != 1 {
				t.Errorf("%d sessions are due after hour %d", n, hour+1)
			}
		}
		if err := store.Wake(t.Context(), time.Minute, "shop-a"); err != nil {
			t.Fatal(err)
		}
		crowd(t, store)
		got, err := store.Load(t.Context(), "shop-a")
		if err != nil || !got.WakeAt.Equal(time.Now().Add(time.Minute)) || !got.Opened.Equal(s.Opened) {
			t.Errorf("WakeAt %s, Opened %s, %v", got.WakeAt, got.Opened, err)
		}
	})
}

// crowd has many use a store at once.
func crowd(t *testing.T, store vending.Store) {
	t.Helper()
	var working sync.WaitGroup
	for i := range 30 {
		working.Go(func() {
			id := fmt.Sprint("crowd-", i)
			if err := store.Create(t.Context(), session(id)); err != nil {
				t.Error(err)
			}
			for range 5 {
				s, err := store.Load(t.Context(), id)
				if err == nil {
					err = store.Save(t.Context(), s)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
}
