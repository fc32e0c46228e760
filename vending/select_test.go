package vending_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

type ctx = context.Context

var errStatus500 = errors.New("an answer of 500")

var vendingSlow = vendingtest.Slow(slow)

// choosing opens a session with a maximum that waits for a choice.
func choosing(t *testing.T, s *shop, order vending.StaticQROrder) string {
	t.Helper()
	redirect, err := s.operator.OpenStaticQR(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.vipps.Approve(redirect.Session); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		later(time.Second)
		if s.session(t, redirect.Session).State == vending.Choosing {
			return redirect.Session
		}
	}
	t.Fatal("the session does not let the customer choose")
	return ""
}

func staticShop(t *testing.T, options vippstest.Options, change func(*vending.Config)) *shop {
	t.Helper()
	return visit(t, doorNamed(t, "static QR"), 2, options, &visitor{nothing: true}, change)
}

// TestCompleteBesideSelect has the customer want nothing more while the read for a choice hangs: what was settled meanwhile is
// not put to sleep by the choice that failed.
func TestCompleteBesideSelect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, func(c *vending.Config) { c.Timeouts.Select = 15 * time.Minute })
		defer run(s.operator)()
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12"})
		later(30 * time.Second)
		s.vipps.Inject(vippstest.Fault{Op: "get", Kind: vippstest.Hang, Count: 1})
		s.vipps.Inject(vippstest.Fault{Op: "cancel", Kind: vippstest.HangUpBefore, Count: 6})
		time.AfterFunc(9*time.Second, func() {
			if err := s.operator.Complete(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
		if err := s.operator.Select(t.Context(), id, 1, "A1"); err == nil {
			t.Error("a product was chosen that nobody has checked")
		}
		if took := soldIn(t, s, id); took > 90*time.Second {
			t.Errorf("closed after %s", took)
		}
		s.audit(t)
	})
}

// TestReplaceBesideApproval has a customer approve between the look at who holds the machine and the word that takes it away.
func TestReplaceBesideApproval(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		first, err := s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12"})
		if err != nil {
			t.Fatal(err)
		}
		later(25 * time.Second)
		store := &hookStore{Store: s.store, before: func() error {
			err := s.vipps.Approve(first.Session)
			later(3 * time.Second)
			return err
		}}
		second := s.operate(t, s.client, store, s.machine, func(c *vending.Config) {
			c.Busy, c.ReturnURL, c.Planogram = vending.ReplaceUnpaid, "https://shop.example/machines", s.shelf.get
		})
		if _, err := second.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12"}); !errors.As(err, new(*vending.BusyError)) {
			t.Errorf("the second customer got %v", err)
		}
		if x := s.session(t, first.Session); x.State != vending.Choosing {
			t.Errorf("%s: %v", x.Summary(), x.History)
		}
	})
}

func TestSelectRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		ordinal int
		slot    string
		before  func(s *shop, id string)
		want    error
		// over says that the session ends with it.
		over bool
	}{
		{name: "no such slot", ordinal: 1, slot: "Z9", want: vending.ErrNoProduct},
		{name: "sold out", ordinal: 1, slot: "D4", want: vending.ErrSoldOut},
		{name: "age limit", ordinal: 1, slot: "C3", want: vending.ErrAgeLimit},
		{name: "too dear", ordinal: 1, slot: "D4", want: vending.ErrAboveReservation, before: func(s *shop, _ string) {
			s.shelf.change("D4", func(p *vending.Product) { p.SoldOut = false })
		}},
		{name: "another price list", ordinal: 1, slot: "A1", want: vending.ErrRepriced, before: func(s *shop, _ string) {
			s.shelf.mu.Lock()
			defer s.shelf.mu.Unlock()
			s.shelf.planogram.Version = "week 48"
		}},
		{name: "not in turn", ordinal: 2, slot: "A1", want: vending.ErrTooLate},
		{name: "never in turn", ordinal: 0, slot: "A1", want: vending.ErrTooLate},
		{name: "the machine cannot", ordinal: 1, slot: "A1", want: vending.ErrTooLate, over: true, before: func(s *shop, _ string) {
			s.machine.SetReady(errors.New("door open"))
		}},
		{name: "the machine is reached by another worker", ordinal: 1, slot: "A1", want: vending.ErrElsewhere, before: func(s *shop, _ string) {
			s.machine.SetReady(vending.ErrElsewhere)
		}},
		{name: "the read is not answered", ordinal: 1, slot: "A1", want: errStatus500, before: func(s *shop, _ string) {
			later(16 * time.Second)
			s.vipps.Inject(vippstest.Fault{Op: "get", Kind: vippstest.ErrorBefore})
		}},
		{name: "the reservation is gone", ordinal: 1, slot: "A1", want: vending.ErrTooLate, over: true, before: func(s *shop, id string) {
			later(16 * time.Second)
			_ = s.vipps.PortalCancel(id)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := staticShop(t, vippstest.Options{}, nil)
				defer run(s.operator)()
				id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12", Items: 2})
				if test.before != nil {
					test.before(s, id)
				}
				err := s.operator.Select(t.Context(), id, test.ordinal, test.slot)
				if failed, ok := errors.AsType[*vipps.Error](err); ok && failed.Status == http.StatusInternalServerError {
					err = errStatus500
				}
				if !errors.Is(err, test.want) {
					t.Errorf("error %v, want %v", err, test.want)
				}
				if n := len(s.machine.Commands()); n != 0 {
					t.Errorf("the machine was told %d times", n)
				}
				s.machine.SetReady(nil)
				s.shelf.planogram.Version = "week 47"
				if test.over {
					s.finish(t)
					s.audit(t)
					return
				}
				if err := s.operator.Select(t.Context(), id, 1, "A1"); err != nil { // and now a proper choice
					t.Errorf("afterwards: %v", err)
				}
				later(time.Second)
				if err := s.operator.Complete(t.Context(), id); err != nil {
					t.Error(err)
				}
				s.finish(t)
				s.audit(t)
				if diff := cmp.Diff(sold(colaPrice)(2*chipsPrice), s.session(t, id).Outcome); diff != "" {
					t.Errorf("outcome (-want +got)\n%s", diff)
				}
			})
		})
	}
}

// TestSelectTwice presses buttons at the same moment: one choice wins, and is let out once.
func TestSelectTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12", Items: 2})
		var refused atomic.Int64
		for i := range 10 {
			go func() {
				if err := s.operator.Select(t.Context(), id, 1, wanted[i%2]); errors.Is(err, vending.ErrTooLate) {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			}()
		}
		later(5 * time.Second)
		if got := refused.Load(); got != 5 {
			t.Errorf("%d presses were refused, want those for the other product", got)
		}
		if s.drops() != 1 {
			t.Errorf("%d products came out", s.drops())
		}
		s.finish(t)
		s.audit(t)
	})
}

// TestComplete ends sessions early: while choosing, while an item is let out, and twice.
func TestComplete(t *testing.T) {
	t.Parallel()
	for _, slowly := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := staticShop(t, vippstest.Options{}, nil)
			defer run(s.operator)()
			if slowly {
				s.machine.Script(vendingSlow)
			}
			id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12", Items: 2})
			if err := s.operator.Select(t.Context(), id, 1, "A1"); err != nil {
				t.Fatal(err)
			}
			later(time.Second)
			for range 2 {
				if err := s.operator.Complete(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
			later(10 * time.Second)
			if got := s.session(t, id); got.State != vending.Closed || got.Outcome.Captured != colaPrice || got.Outcome.Released != 2*chipsPrice-colaPrice {
				t.Errorf("%s, %+v", got.State, got.Outcome)
			}
			s.audit(t)
		})
	}
}

// TestMaximumCalls counts what a sale with a maximum costs.
func TestMaximumCalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		approval     time.Duration
		choice, vend time.Duration
		slot         string
		want         map[string]int
		writes       int64
	}{
		{"plain", time.Second / 2, 2 * time.Second, 0, "A1", map[string]int{"create": 1, "get": 1, "capture": 1, "cancel": 1, "receipt": 1}, 7},
		{"the dearest", time.Second / 2, 2 * time.Second, 0, "B2", map[string]int{"create": 1, "get": 1, "capture": 1, "receipt": 1}, 7},
		{"a choice that takes long", time.Second / 2, 20 * time.Second, 0, "A1", map[string]int{"create": 1, "get": 2, "capture": 1, "cancel": 1, "receipt": 1}, 7},
		{"an approval that takes twelve seconds, with polls", 12 * time.Second, 2 * time.Second, 0, "A1", map[string]int{"create": 1, "get": 3, "capture": 1, "cancel": 1, "receipt": 1}, 7},
		{"a vend that takes long", time.Second / 2, 2 * time.Second, 18 * time.Second, "A1", map[string]int{"create": 1, "get": 2, "capture": 1, "cancel": 1, "receipt": 1}, 7},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := staticShop(t, vippstest.Options{}, nil)
				s.hook(t)
				s.machine.Script(vendingtest.Slow(test.vend))
				stop := run(s.operator)
				redirect, err := s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12", Shown: chipsPrice})
				if err != nil {
					t.Fatal(err)
				}
				later(test.approval)
				if err := s.vipps.Approve(redirect.Session); err != nil {
					t.Fatal(err)
				}
				later(test.choice)
				if err := s.operator.Select(t.Context(), redirect.Session, 1, test.slot); err != nil {
					t.Fatal(err)
				}
				s.finish(t)
				stop()
				s.audit(t)
				got := map[string]int{}
				for _, op := range []string{"create", "get", "events", "capture", "cancel", "refund", "receipt", "order"} {
					if n := s.vipps.Count(op, redirect.Session); n > 0 {
						got[op] = n
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("calls (-want +got)\n%s", diff)
				}
				if writes := s.store.writes.Load(); writes != test.writes {
					t.Errorf("%d writes, want %d: %v", writes, test.writes, s.session(t, redirect.Session).History)
				}
			})
		})
	}
}

func TestStaticQRRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		order  vending.StaticQROrder
		change func(*vending.Config)
		want   error
	}{
		{"no planogram", vending.StaticQROrder{Machine: "oslo12"}, func(c *vending.Config) { c.Planogram = nil }, vipps.ErrInvalidRequest},
		{"no partial capture", vending.StaticQROrder{Machine: "oslo12"}, func(c *vending.Config) { c.NoPartialCapture = true }, vending.ErrPartialCapture},
		{"no page", vending.StaticQROrder{Machine: "oslo12"}, func(c *vending.Config) { c.ReturnURL = "" }, vipps.ErrInvalidRequest},
		{"another amount", vending.StaticQROrder{Machine: "oslo12", Shown: 1}, nil, vending.ErrRepriced},
		{"no machine", vending.StaticQROrder{}, nil, vipps.ErrInvalidRequest},
		{"too many", vending.StaticQROrder{Machine: "oslo12", Items: 51}, nil, vipps.ErrInvalidRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := staticShop(t, vippstest.Options{}, test.change)
			if _, err := s.operator.OpenStaticQR(t.Context(), test.order); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
			if n := len(s.vipps.Payments()); n != 0 {
				t.Errorf("%d payments", n)
			}
		})
	}
}

// TestAge reserves for what an age allows, has the app check it, and lets it be chosen.
func TestAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12", MinimumUserAge: 18})
		payment, _ := s.vipps.Payment(id)
		if payment.Amount != 15000 || !strings.Contains(string(payment.Body), `"minimumUserAge":18`) {
			t.Errorf("%d reserved, %s", payment.Amount, payment.Body)
		}
		if err := s.operator.Select(t.Context(), id, 1, "C3"); err != nil {
			t.Error(err)
		}
		s.finish(t)
		s.audit(t)
	})
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		redirect, err := s.operator.OpenSiteSelection(t.Context(), vending.SiteOrder{Machine: "oslo12", Products: []vending.Shown{{Slot: "C3", Price: 15000}}})
		if err != nil {
			t.Fatal(err)
		}
		if payment, _ := s.vipps.Payment(redirect.Session); !strings.Contains(string(payment.Body), `"minimumUserAge":18`) {
			t.Errorf("the product's age is not checked: %s", payment.Body)
		}
	})
}

// TestTillRefused has customers who cannot pay this way. They are never told that a number is wrong.
func TestTillRefused(t *testing.T) {
	t.Parallel()
	for _, customer := range []vippstest.Customer{{PhoneNumber: "4791234567", Unknown: true}, {PhoneNumber: "4791234567", Age: 15}} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t, vippstest.Options{Customers: []vippstest.Customer{customer}}, func(c *vending.Config) { c.MinimumUserAge = 18 })
			defer run(s.operator)()
			_, err := s.operator.OpenTill(t.Context(), vending.TillOrder{Machine: "till1", Products: products(1), PhoneNumber: "4791234567"})
			if !errors.Is(err, vending.ErrCustomer) || !errors.Is(err, epayment.CodeCustomerNotFound) {
				t.Errorf("error %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "4791234567") {
				t.Errorf("the number is in the error: %v", err)
			}
			s.finish(t)
			s.audit(t)
		})
	}
	s := newShop(t, vippstest.Options{}, nil)
	for _, order := range []vending.TillOrder{
		{Machine: "till1", Products: products(1)},
		{Machine: "till1", Products: products(1), PhoneNumber: "4791234567", PersonalQR: "x"},
	} {
		if _, err := s.operator.OpenTill(t.Context(), order); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("error %v", err)
		}
	}
}

// TestInFullOnlyClosesDoors has a part refused: no maximum is reserved any more, here, and somebody is told.
func TestInFullOnlyClosesDoors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &notices{}
		s := staticShop(t, vippstest.Options{NoPartialCapture: true}, func(c *vending.Config) { c.Notify = seen.add })
		defer run(s.operator)()
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12"})
		if err := s.operator.Select(t.Context(), id, 1, "A1"); err != nil {
			t.Fatal(err)
		}
		s.finish(t)
		s.audit(t)
		if got := seen.of(vending.NoticePartialCapture); len(got) != 1 || got[0].Session != id {
			t.Errorf("notices %v", got)
		}
		if _, err := s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12"}); !errors.Is(err, vending.ErrPartialCapture) {
			t.Errorf("the door is open: %v", err)
		}
		if err := s.operator.ReportSelection("oslo12", products(1)...); err != nil {
			t.Fatal(err)
		}
		if _, err := s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12"}); err != nil {
			t.Errorf("an exact price can still be paid: %v", err)
		}
	})
}

// TestSelectionExpires has what was chosen on the machine forgotten after a minute.
func TestSelectionExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		if err := s.operator.ReportSelection("oslo12", products(1)...); err != nil {
			t.Fatal(err)
		}
		later(59 * time.Second)
		if got, ok := s.operator.Selection("oslo12"); !ok || len(got) != 1 {
			t.Errorf("after 59 seconds: %v", got)
		}
		if _, err := s.operator.OpenSitePayment(t.Context(), vending.SiteOrder{Machine: "oslo12", Products: shown(1)}); err != nil {
			t.Error(err)
		}
		if got, ok := s.operator.Selection("oslo12"); ok {
			t.Errorf("it has its session, and the next customer would get %v", got)
		}
		if err := s.operator.ReportSelection("oslo12", products(1)...); err != nil {
			t.Fatal(err)
		}
		later(59 * time.Second)
		if _, err := s.operator.OpenSitePayment(t.Context(), vending.SiteOrder{Machine: "oslo12", Products: []vending.Shown{{Slot: "A1", Price: 1}}}); !errors.Is(err, vending.ErrRepriced) {
			t.Errorf("another price: %v", err)
		}
		later(2 * time.Second)
		if _, err := s.operator.OpenSitePayment(t.Context(), vending.SiteOrder{Machine: "oslo12", Products: shown(1)}); !errors.Is(err, vending.ErrNoSelection) {
			t.Errorf("after 61 seconds: %v", err)
		}
		if err := s.operator.ReportSelection("oslo12", vending.Product{Name: "x"}); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("a product without price: %v", err)
		}
	})
}

// TestOpenedElsewhere opens at a worker that does not reach the machine: the one that does lets the product out.
func TestOpenedElsewhere(t *testing.T) {
	t.Parallel()
	for _, d := range doors() {
		if d.maximum {
			continue // the choice is made where the machine is
		}
		synctest.Test(t, func(t *testing.T) {
			s := visit(t, d, 1, vippstest.Options{}, &visitor{}, nil)
			far := new(vendingtest.Machine)
			far.SetReady(vending.ErrElsewhere)
			near := s.operator
			s.operator = s.operate(t, s.client, s.store, far, func(c *vending.Config) {
				c.ReturnURL, c.Planogram = "https://shop.example/machines", s.shelf.get
				if d.configure != nil {
					d.configure(c, 1)
				}
			})
			s.hook(t)
			defer run(s.operator)()
			defer run(near)()
			id, err := d.open(t, s, 1)
			if err != nil {
				t.Fatalf("%s: %v", d.name, err)
			}
			if err := s.vipps.Approve(id); err != nil {
				t.Fatal(err)
			}
			s.finish(t)
			s.audit(t)
			if s.drops() != 1 || len(far.Commands()) != 0 {
				t.Errorf("%s: %d products, %d commands to nobody", d.name, s.drops(), len(far.Commands()))
			}
		})
	}
}

// slowReady is a machine that takes its time to say whether it can sell.
type slowReady struct {
	vending.Machine
	takes time.Duration
}

func (m slowReady) Ready(ctx context.Context, machine string) error {
	later(m.takes)
	return m.Machine.Ready(ctx, machine)
}

// TestSelectAges has what was seen of the reservation grow old while the machine is asked: it is read again.
func TestSelectAges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, func(c *vending.Config) { c.Machine = slowReady{c.Machine, 4 * time.Second} })
		stop := run(s.operator)
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12"})
		stop()
		later(12 * time.Second)
		reads := s.vipps.Count("get", id)
		if err := s.vipps.PortalCancel(id); err != nil {
			t.Fatal(err)
		}
		if err := s.operator.Select(t.Context(), id, 1, "A1"); !errors.Is(err, vending.ErrTooLate) {
			t.Errorf("error %v", err)
		}
		if n := s.vipps.Count("get", id) - reads; n != 1 || s.drops() != 0 {
			t.Errorf("%d reads, %d products", n, s.drops())
		}
		defer run(s.operator)()
		s.finish(t)
		s.audit(t)
	})
}

// TestPage finds sessions by their tokens, and only by them.
func TestPage(t *testing.T) {
	t.Parallel()
	s := staticShop(t, vippstest.Options{}, nil)
	redirect, err := s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12"})
	if err != nil {
		t.Fatal(err)
	}
	token := string(redirect.Page)
	if session, err := s.operator.Page(t.Context(), token); err != nil || session.ID != redirect.Session {
		t.Errorf("%v, %v", session, err)
	}
	if payment, _ := s.vipps.Payment(redirect.Session); payment.ReturnURL != "https://shop.example/machines/"+token {
		t.Errorf("return URL %s", payment.ReturnURL)
	}
	for _, forged := range []string{"", redirect.Session, redirect.Session + ".", token + "a", "x" + token, token[:len(token)-1] + "!", strings.Replace(token, "oslo12", "oslo13", 1)} {
		if session, err := s.operator.Page(t.Context(), forged); !errors.Is(err, vending.ErrNotFound) {
			t.Errorf("token %q opens %v, %v", forged, session, err)
		}
	}
	other := staticShop(t, vippstest.Options{}, nil)
	if got := other.operator.PageToken(redirect.Session); got == redirect.Page {
		t.Error("another operator makes the same token")
	}
}

// TestMachineTimeouts has one machine wait less than the others.
func TestMachineTimeouts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, func(c *vending.Config) {
			c.Timeouts.Select = 30 * time.Second
			c.MachineTimeouts = map[string]vending.Timeouts{"oslo12": {Approve: 20 * time.Second}}
		})
		defer run(s.operator)()
		session, err := s.operator.SellDynamicQR(t.Context(), cola(), func(vending.Code) {})
		if err != nil {
			t.Fatal(err)
		}
		if waited := session.Ended.Sub(session.Opened); waited > 25*time.Second || session.Timeouts.Select != 30*time.Second || session.Timeouts.Verdict != time.Minute {
			t.Errorf("waited %s, timeouts %+v", waited, session.Timeouts)
		}
	})
}
