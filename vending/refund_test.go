package vending_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// soldBasket is a shop in which a basket of two was sold.
func soldBasket(t *testing.T, options vippstest.Options) (*shop, *vending.Session) {
	t.Helper()
	s := newShop(t, options, nil)
	stop := run(s.operator)
	defer stop()
	id := s.sell(t, basket())
	session, err := s.operator.Wait(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	later(time.Minute)
	return s, session
}

func TestRefund(t *testing.T) {
	t.Parallel()
	const all = colaPrice + chipsPrice
	for _, test := range []struct {
		name  string
		items func(*vending.Session) []string
		want  vending.Outcome
	}{
		{"all", func(*vending.Session) []string { return nil }, vending.Outcome{Result: vending.Sold, Captured: all, Refunded: all, Lost: all, Returned: all}},
		{
			"one item", func(s *vending.Session) []string { return []string{s.Items[1].VendID} },
			vending.Outcome{Result: vending.Sold, Captured: all, Refunded: chipsPrice, Lost: chipsPrice, Returned: chipsPrice},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, session := soldBasket(t, vippstest.Options{})
				defer run(s.operator)()
				request := vending.RefundRequest{Session: session.ID, Items: test.items(session), Reason: "it was stale"}
				for range 3 { // the same request again is the same refund
					if err := s.operator.Refund(t.Context(), request); err != nil {
						t.Error(err)
					}
					later(time.Second)
				}
				s.finish(t)
				s.audit(t)
				got := s.session(t, session.ID)
				if diff := cmp.Diff(test.want, got.Outcome); diff != "" {
					t.Errorf("outcome (-want +got)\n%s\n%v", diff, got.History)
				}
				if got.Outcome.NeedsPerson() {
					t.Error("a refund that a person wanted is in front of a person again")
				}
				if len(got.Refunds) != 1 || got.Refunds[0].State != vending.RefundDone || got.Refunds[0].Reason != "it was stale" {
					t.Errorf("refunds %+v", got.Refunds)
				}
			})
		})
	}
}

func TestRefundRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, session := soldBasket(t, vippstest.Options{})
		defer run(s.operator)()
		first := session.Items[0].VendID
		for _, test := range []struct {
			name    string
			request vending.RefundRequest
			want    error
		}{
			{"no reason", vending.RefundRequest{Session: session.ID}, vipps.ErrInvalidRequest},
			{"no session", vending.RefundRequest{Session: "oslo12-x", Reason: "r"}, vending.ErrNotFound},
			{"another session's item", vending.RefundRequest{Session: session.ID, Items: []string{"oslo13-y-v1"}, Reason: "r"}, vipps.ErrInvalidRequest},
			{"twice the same", vending.RefundRequest{Session: session.ID, Items: []string{first, first}, Reason: "r"}, vipps.ErrInvalidRequest},
		} {
			if err := s.operator.Refund(t.Context(), test.request); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
		}
		if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: session.ID, Items: []string{first}, Reason: "stale"}); err != nil {
			t.Fatal(err)
		}
		if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: session.ID, Items: []string{first}, Reason: "another reason"}); !errors.Is(err, vending.ErrRefunded) {
			t.Errorf("a second refund of an item: %v", err)
		}
		later(time.Minute)
		// The rest of the session is what has no refund yet.
		if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: session.ID, Reason: "and the rest"}); err != nil {
			t.Error(err)
		}
		s.finish(t)
		s.audit(t)
		if payment, _ := s.vipps.Payment(session.ID); payment.Refunded != payment.Captured {
			t.Errorf("refunded %d of %d", payment.Refunded, payment.Captured)
		}

		open, err := s.operator.OpenDynamicQR(t.Context(), cola())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: open.Session, Reason: "r"}); !errors.Is(err, vending.ErrNotClosed) {
			t.Errorf("a session that is open: %v", err)
		}
	})
}

// TestRefundQueue asks for two refunds of the same amount while neither is answered: the first one done must not pass for the
// second.
func TestRefundQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		order := cola()
		order.Products = append(order.Products, order.Products[0])
		stop := run(s.operator)
		id := s.sell(t, order)
		later(time.Minute)
		stop()
		s.vipps.Inject(vippstest.Fault{Op: "refund", Kind: vippstest.HangUpBefore, Count: 2})
		for _, vend := range []string{id + "-v1", id + "-v2"} {
			if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: id, Items: []string{vend}, Reason: "stale"}); err != nil {
				t.Fatal(err)
			}
		}
		defer run(s.operator)()
		s.finish(t)
		s.audit(t)
		if payment, _ := s.vipps.Payment(id); payment.Refunded != 2*colaPrice {
			t.Errorf("refunded %d of two: %+v", payment.Refunded, s.session(t, id).Refunds)
		}
	})
}

// TestRefundOnItsWay has the first of two refunds arrive a minute late, and somebody refund a little in the portal meanwhile: it
// must not be called refused while it may still arrive.
func TestRefundOnItsWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		order := cola()
		order.Products = append(order.Products, order.Products[0], order.Products[0], order.Products[0])
		defer run(s.operator)()
		id := s.sell(t, order)
		later(time.Minute)
		refund := func(vend string) {
			t.Helper()
			if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: id, Items: []string{id + vend}, Reason: "stale"}); err != nil {
				t.Error(err)
			}
		}
		s.vipps.Inject(vippstest.Fault{Op: "refund", Kind: vippstest.Late, Delay: time.Minute})
		refund("-v1")
		later(5 * time.Second)
		refund("-v2")
		if err := s.vipps.PortalRefund(id, 100); err != nil {
			t.Error(err)
		}
		later(30 * time.Minute)
		if s.session(t, id).Outcome.NotRefunded > 0 { // a person does what they are told
			refund("-v1")
			later(30 * time.Minute)
		}
		if payment, _ := s.vipps.Payment(id); payment.Refunded != 2*colaPrice+100 {
			t.Errorf("refunded %d: %+v", payment.Refunded, s.session(t, id).Refunds)
		}
	})
}

// TestRefundTwice has two people refund the same item at the same moment, for different reasons.
func TestRefundTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, session := soldBasket(t, vippstest.Options{})
		defer run(s.operator)()
		var refused atomic.Int64
		for i := range 8 {
			go func() {
				err := s.operator.Refund(t.Context(), vending.RefundRequest{
					Session: session.ID, Items: []string{session.Items[0].VendID}, Reason: fmt.Sprint("reason ", i),
				})
				if err != nil {
					refused.Add(1)
				}
			}()
		}
		s.finish(t)
		s.audit(t)
		if payment, _ := s.vipps.Payment(session.ID); payment.Refunded != colaPrice || refused.Load() != 7 {
			t.Errorf("refunded %d, %d were refused", payment.Refunded, refused.Load())
		}
	})
}

// TestRefundOver gives back what somebody captured too much in the portal, and that only.
func TestRefundOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingSlow, vendingtest.Jam)
		defer run(s.operator)()
		id := s.sell(t, basket())
		later(3 * time.Second)
		if err := s.vipps.PortalCapture(id, colaPrice+chipsPrice); err != nil {
			t.Fatal(err)
		}
		s.finish(t)
		if got := s.session(t, id).Outcome; got.Over != chipsPrice || !got.NeedsPerson() {
			t.Errorf("outcome %+v", got)
		}
		for range 2 {
			if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: id, Over: true, Reason: "the chips jammed"}); err != nil {
				t.Error(err)
			}
			s.finish(t)
		}
		s.audit(t)
		want := vending.Outcome{Result: vending.PartlySold, Captured: colaPrice + chipsPrice, Refunded: chipsPrice}
		if diff := cmp.Diff(want, s.session(t, id).Outcome); diff != "" {
			t.Errorf("outcome (-want +got)\n%s", diff)
		}
	})
}

// TestRefundTooLate asks after the 365 days in which Vipps MobilePay refunds.
func TestRefundTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, session := soldBasket(t, vippstest.Options{})
		later(366 * 24 * time.Hour)
		if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: session.ID, Reason: "r"}); !errors.Is(err, vending.ErrTooLate) {
			t.Errorf("error %v", err)
		}
	})
}

// TestRefundFaults lets one thing go wrong with a refund. What was asked for is refunded once, or was refused and says so.
func TestRefundFaults(t *testing.T) {
	t.Parallel()
	list := faultsOf("refund")
	for _, code := range []string{"6170", "6210", "6280", "4010"} {
		list = append(list, vippstest.Fault{Op: "refund", Kind: vippstest.RefuseSticky, Code: code}, vippstest.Fault{Op: "refund", Kind: vippstest.Refuse, Code: code})
	}
	// Never answered for longer than an attempt may be sent, done or not.
	for _, kind := range []vippstest.FaultKind{vippstest.HangUpAfter, vippstest.HangUpBefore, vippstest.ErrorAfter} {
		list = append(list, vippstest.Fault{Op: "refund", Kind: kind, Count: 7})
	}
	list = append(list, vippstest.Fault{Op: "refund", Kind: vippstest.Late, Delay: 110 * time.Second, Count: 7})
	for name, reading := range switches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, fault := range sample(t, slices.Clone(list), name) {
				synctest.Test(t, func(t *testing.T) {
					s, session := soldBasket(t, vippstest.Options{Switches: reading})
					s.vipps.Inject(fault)
					defer run(s.operator)()
					if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: session.ID, Items: []string{session.Items[0].VendID}, Reason: "stale"}); err != nil {
						t.Fatal(err)
					}
					s.finish(t)
					s.audit(t)
					got := s.session(t, session.ID)
					payment, _ := s.vipps.Payment(session.ID)
					want := int64(colaPrice)
					if got.Refunds[0].State == vending.RefundRefused {
						want = 0
					}
					if got.Outcome.NeedsPerson() != (want == 0) || got.Outcome.NotRefunded != colaPrice-want {
						t.Errorf("outcome %+v", got.Outcome)
					}
					if payment.Refunded != want || want == 0 && got.Refunds[0].Code == "" {
						t.Errorf("refunded %d, want %d: %+v\n%v", payment.Refunded, want, got.Refunds, got.History)
					}
				})
				if t.Failed() {
					t.Fatal(fmt.Sprint(i, fault))
				}
			}
		})
	}
}

// TestReceiptFaults lets one thing go wrong with a receipt: it is sent once, or the history says why not.
func TestReceiptFaults(t *testing.T) {
	t.Parallel()
	list := faultsOf("receipt")
	for i, fault := range sample(t, slices.Clone(list), "plain") {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t, vippstest.Options{}, nil)
			s.vipps.Inject(fault)
			defer run(s.operator)()
			id := s.sell(t, basket())
			s.finish(t)
			s.audit(t)
			if _, sent := s.vipps.Receipt(id); !sent {
				t.Errorf("no receipt: %v", s.session(t, id).History)
			}
		})
		if t.Failed() {
			t.Fatal(fmt.Sprint(i, fault))
		}
	}
}

func TestReceiptNotSent(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options vippstest.Options
		fault   vippstest.Fault
		want    string
	}{
		{"no Order Management", vippstest.Options{NoOrderManagement: true}, vippstest.Fault{}, "receipt: refused"},
		{"malformed, they say", vippstest.Options{}, vippstest.Fault{Op: "receipt", Kind: vippstest.Refuse, Status: 400, Body: `{"title":"no"}`, Count: -1}, "receipt: refused"},
		{"never answered", vippstest.Options{}, vippstest.Fault{Op: "receipt", Kind: vippstest.HangUpBefore, Count: -1}, "receipt: given up"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, test.options, nil)
				if test.fault.Op != "" {
					s.vipps.Inject(test.fault)
				}
				stop := run(s.operator)
				id := s.sell(t, basket())
				later(2 * time.Hour)
				stop()
				later(8 * 24 * time.Hour)
				defer run(s.operator)()
				later(2 * time.Hour)
				s.audit(t)
				history := s.session(t, id).History
				if last := history[len(history)-1].Fact; len(last) < len(test.want) || last[:len(test.want)] != test.want {
					t.Errorf("the history ends with %q, want %q", last, test.want)
				}
			})
		})
	}
}

// TestReceiptThere has another receipt, or the same, posted before.
func TestReceiptThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.vipps.Inject(vippstest.Fault{Op: "receipt", Kind: vippstest.HangUpAfter}, vippstest.Fault{Op: "order", Kind: vippstest.ErrorBefore})
		defer run(s.operator)()
		id := s.sell(t, basket())
		s.finish(t)
		s.audit(t)
		history := s.session(t, id).History
		if last := history[len(history)-1].Fact; last != "receipt: sent before" {
			t.Errorf("the history ends with %q", last)
		}
	})
}

// TestOrphan has a payment under our reference that is not ours: it is left alone, and somebody is told.
func TestOrphan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &notices{}
		s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.Notify = seen.add })
		code, err := s.operator.OpenDynamicQR(t.Context(), cola())
		if err != nil {
			t.Fatal(err)
		}
		session := s.session(t, code.Session)
		session.Nonce = "another"
		if err := s.store.Save(t.Context(), *session); err != nil {
			t.Fatal(err)
		}
		if err := s.vipps.Approve(code.Session); err != nil {
			t.Fatal(err)
		}
		stop := run(s.operator)
		later(time.Hour)
		stop()
		if payment, _ := s.vipps.Payment(code.Session); payment.Captured+payment.Cancelled != 0 || s.drops() != 0 {
			t.Errorf("somebody else's payment was touched: %+v", payment)
		}
		if got := seen.of(vending.NoticeOrphan); len(got) == 0 || got[0].Session != code.Session {
			t.Errorf("notices %v", got)
		}
	})
}
