package vending_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// TestSelectLate presses a button hours after the customer has left, while nobody runs the store.
func TestSelectLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		stop := run(s.operator)
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12"})
		stop()
		later(3 * time.Hour)
		if err := s.operator.Select(t.Context(), id, 1, "A1"); !errors.Is(err, vending.ErrTooLate) {
			t.Errorf("error %v", err)
		}
		defer run(s.operator)()
		s.finish(t)
		s.audit(t)
		if s.drops() != 0 {
			t.Error("somebody got a product that the first customer paid")
		}
	})
}

// forbidden is a gateway's refusal that says nothing for good.
func forbidden(op string) vippstest.Fault {
	return vippstest.Fault{Op: op, Kind: vippstest.Refuse, Status: 403, Body: `{"title":"no access"}`, Count: -1}
}

// TestReceiptDoesNotBlockRefund has a sales unit that may not send receipts.
func TestReceiptDoesNotBlockRefund(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.vipps.Inject(forbidden("receipt"))
		defer run(s.operator)()
		id := s.sell(t, basket())
		later(time.Minute)
		if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: id, Reason: "stale"}); err != nil {
			t.Fatal(err)
		}
		later(10 * time.Minute)
		if payment, _ := s.vipps.Payment(id); payment.Refunded != payment.Captured {
			t.Errorf("refunded %d of %d", payment.Refunded, payment.Captured)
		}
	})
}

// TestRefundStuck has a refund that never gets through: somebody is told, and it is not tried without end.
func TestRefundStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{NoPartialCapture: true}, func(c *vending.Config) { c.InFull = vending.CaptureAndRefund })
		s.vipps.Inject(forbidden("refund"))
		s.machine.Script(vendingtest.Drop, vendingtest.Jam)
		defer run(s.operator)()
		id := s.sell(t, basket())
		later(24 * time.Hour)
		actions := 0
		for session := range s.operator.Attention(t.Context(), time.Now()) { // closed before that, and still there
			if session.ID == id && session.Action() != "" {
				actions++
			}
		}
		if calls := s.vipps.Count("refund", id); actions != 1 || calls > 30 {
			t.Errorf("in front of %d persons after a day and %d calls", actions, calls)
		}
	})
}

// edited changes the log of payments on its way.
type edited struct {
	http.RoundTripper
	edit func(string) string
}

func (e edited) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := e.RoundTripper.RoundTrip(request)
	if err != nil || !strings.HasSuffix(request.URL.Path, "/events") {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader([]byte(e.edit(string(body)))))
	response.ContentLength = -1
	return response, response.Body.Close()
}

// TestRefundLog has refunds whose answers are lost, and a log that does not name their keys, or does not have them yet.
func TestRefundLog(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(string) string{
		"without keys": func(log string) string { return strings.ReplaceAll(log, "idempotencyKey", "somethingElse") },
		"behind":       func(log string) string { return strings.ReplaceAll(log, "REFUNDED", "CANCELLED") },
	} {
		synctest.Test(t, func(t *testing.T) {
			s, session := soldBasket(t, vippstest.Options{})
			s.vipps.Inject(vippstest.Fault{Op: "refund", Kind: vippstest.HangUpAfter, Count: -1})
			far := s.operate(t, s.connect(t, edited{s.transport, edit}), s.store, s.machine, nil)
			defer run(far)()
			if err := far.Refund(t.Context(), vending.RefundRequest{Session: session.ID, Items: []string{session.Items[0].VendID}, Reason: "stale"}); err != nil {
				t.Fatal(err)
			}
			s.finish(t)
			s.audit(t)
			if payment, _ := s.vipps.Payment(session.ID); payment.Refunded != colaPrice {
				t.Errorf("a log %s: refunded %d", name, payment.Refunded)
			}
		})
	}
}

// hookStore does something once, before or after a session is loaded.
type hookStore struct {
	vending.Store
	before, after func() error
}

func (h *hookStore) Load(ctx context.Context, id string) (vending.Session, error) {
	if do := h.before; do != nil {
		h.before = nil
		if err := do(); err != nil {
			return vending.Session{}, err
		}
	}
	if ctx.Err() != nil { // as a database does
		return vending.Session{}, ctx.Err()
	}
	s, err := h.Store.Load(ctx, id)
	if do := h.after; do != nil {
		h.after = nil
		return s, do()
	}
	return s, err
}

// overCaptured is a basket of which the chips jammed and which somebody has captured as a whole.
func overCaptured(t *testing.T, s *shop) string {
	t.Helper()
	s.machine.Script(vendingSlow, vendingtest.Jam)
	id := s.sell(t, basket())
	later(3 * time.Second)
	if err := s.vipps.PortalCapture(id, colaPrice+chipsPrice); err != nil {
		t.Fatal(err)
	}
	s.finish(t)
	return id
}

// TestRefundOverTwice has two desks refund what was captured too much at the same moment.
func TestRefundOverTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		id := overCaptured(t, s)
		request := vending.RefundRequest{Session: id, Over: true, Reason: "the chips jammed"}
		h := &hookStore{Store: s.store, after: func() error { return s.operator.Refund(t.Context(), request) }}
		if err := s.operate(t, s.client, h, s.machine, nil).Refund(t.Context(), request); err != nil {
			t.Error(err)
		}
		s.finish(t)
		s.audit(t)
		if payment, _ := s.vipps.Payment(id); payment.Refunded != chipsPrice {
			t.Errorf("refunded %d, captured too much %d", payment.Refunded, chipsPrice)
		}
	})
}

// TestRefundAfterPortal refunds what somebody has refunded in the portal, all of it or in part, before or meanwhile.
func TestRefundAfterPortal(t *testing.T) {
	t.Parallel()
	const all = colaPrice + chipsPrice
	for _, test := range []struct {
		name      string
		portal    int64
		meanwhile bool
		refused   bool
		want      int64
	}{
		{name: "all before", portal: all, refused: true, want: all},
		{name: "a part before", portal: 1000, want: all},
		{name: "all meanwhile", portal: all, meanwhile: true, want: all},
		{name: "a part meanwhile", portal: 1000, meanwhile: true, want: 1000},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, session := soldBasket(t, vippstest.Options{})
				portal := func() {
					if err := s.vipps.PortalRefund(session.ID, test.portal); err != nil {
						t.Error(err)
					}
				}
				if !test.meanwhile {
					portal()
				}
				s.vipps.Inject(vippstest.Fault{Op: "refund", Kind: vippstest.HangUpBefore, Count: 2})
				defer run(s.operator)()
				err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: session.ID, Reason: "stale"})
				if (err != nil) != test.refused {
					t.Errorf("error %v", err)
				}
				if test.meanwhile {
					later(5 * time.Second)
					portal()
				}
				s.finish(t)
				s.audit(t)
				payment, _ := s.vipps.Payment(session.ID)
				if payment.Refunded != test.want {
					t.Errorf("refunded %d, want %d: %v", payment.Refunded, test.want, s.session(t, session.ID).History)
				}
				if got := s.session(t, session.ID).Outcome; test.want < all && got.NotRefunded == 0 {
					t.Errorf("nobody is told of what was not refunded: %+v", got)
				}
			})
		})
	}
}

// TestRefundRefusedTwice asks for the same refund again after it was refused for good: it is missing once.
func TestRefundRefusedTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, session := soldBasket(t, vippstest.Options{})
		s.vipps.Inject(vippstest.Fault{Op: "refund", Kind: vippstest.RefuseSticky, Code: "6170", Count: 2})
		defer run(s.operator)()
		for range 2 {
			if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: session.ID, Items: []string{session.Items[0].VendID}, Reason: "stale"}); err != nil {
				t.Fatal(err)
			}
			later(time.Minute)
		}
		if got := s.session(t, session.ID).Outcome; got.NotRefunded != colaPrice {
			t.Errorf("outcome %+v", got)
		}
		s.audit(t)
	})
}

// lostCreate stores a session and does not say so.
type lostCreate struct {
	vending.Store
	lost bool
}

func (l *lostCreate) Create(ctx context.Context, s vending.Session) error {
	if err := l.Store.Create(ctx, s); err != nil || l.lost {
		return err
	}
	l.lost = true
	return errors.New("connection reset")
}

// TestOpenFails has a till told that there is no session: then no product must leave, whatever the customer does.
func TestOpenFails(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T, s *shop) error{
		"the session could not be loaded": func(t *testing.T, s *shop) error {
			t.Helper()
			h := &hookStore{Store: s.store, before: func() error { return errors.New("deadlock, try again") }}
			return openTill(t.Context(), s.operate(t, s.client, h, s.machine, nil))
		},
		"the browser is closed": func(t *testing.T, s *shop) error {
			t.Helper()
			ctx, cancel := context.WithCancel(t.Context())
			h := &hookStore{Store: s.store, before: func() error { cancel(); return nil }}
			return openTill(ctx, s.operate(t, s.client, h, s.machine, nil))
		},
		"the browser is closed while the payment is made": func(t *testing.T, s *shop) error {
			t.Helper()
			ctx, cancel := context.WithCancel(t.Context())
			s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.Slow, Delay: 2 * time.Second})
			time.AfterFunc(time.Second, cancel)
			return openTill(ctx, s.operator)
		},
		"the store's answer is lost": func(t *testing.T, s *shop) error {
			t.Helper()
			return openTill(t.Context(), s.operate(t, s.client, &lostCreate{Store: s.store}, s.machine, nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, vippstest.Options{}, nil)
				defer run(s.operator)()
				if err := open(t, s); err == nil || !strings.Contains(err.Error(), "session oslo12-") {
					t.Errorf("error %v", err)
				}
				for range 60 {
					for _, payment := range s.vipps.Payments() {
						_ = s.vipps.Approve(payment.Reference) // the phone rings, and the customer presses yes
					}
					later(time.Second)
				}
				s.finish(t)
				s.audit(t)
				if s.drops() != 0 {
					t.Error("a product left")
				}
			})
		})
	}
}

func openTill(ctx context.Context, o *vending.Operator) error {
	_, err := o.OpenTill(ctx, vending.TillOrder{Machine: "oslo12", Products: products(1), PhoneNumber: "4791234567"})
	return err
}

// TestAgeOfASelection has something chosen on the machine before a sticker with an age check is scanned.
func TestAgeOfASelection(t *testing.T) {
	t.Parallel()
	s := staticShop(t, vippstest.Options{}, func(c *vending.Config) { c.MinimumUserAge = 16 })
	if err := s.operator.ReportSelection("oslo12", products(1)...); err != nil {
		t.Fatal(err)
	}
	redirect, err := s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12", MinimumUserAge: 18})
	if err != nil {
		t.Fatal(err)
	}
	if payment, _ := s.vipps.Payment(redirect.Session); !strings.Contains(string(payment.Body), `"minimumUserAge":18`) {
		t.Errorf("%s", payment.Body)
	}
}

// TestCorrection has a machine say, after a second product was chosen, that the first one dropped after all: together they cost
// more than was reserved. What is reserved is captured.
func TestCorrection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		s.machine.Script(vendingtest.Jam, vendingSlow)
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12"})
		for n := range 2 {
			if err := s.operator.Select(t.Context(), id, n+1, "B2"); err != nil {
				t.Fatal(err)
			}
			later(2 * time.Second)
		}
		if err := s.operator.Report(t.Context(), id+"-v1", vending.Dropped); err != nil {
			t.Fatal(err)
		}
		s.finish(t)
		s.audit(t)
		if got := s.session(t, id).Outcome; got.Captured != chipsPrice || got.Lost != chipsPrice {
			t.Errorf("outcome %+v", got)
		}
	})
}

// TestSeenAges has a store that takes long to answer: what was read then is older than it would seem.
func TestSeenAges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		redirect, err := s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12"})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.vipps.Approve(redirect.Session); err != nil {
			t.Fatal(err)
		}
		h := &hookStore{Store: s.store, before: func() error { later(12 * time.Second); return nil }}
		stop := run(s.operate(t, s.client, h, s.machine, nil))
		later(14 * time.Second)
		stop()
		var read time.Time
		for _, request := range s.vipps.Requests() {
			if request.Op == "get" {
				read = request.At
			}
		}
		if seen := s.session(t, redirect.Session).Seen.At; seen.After(read) {
			t.Errorf("read at %s, stamped %s", read, seen)
		}
	})
}

// TestSelectionIsForOneCustomer has a machine report each button: what one customer chose is not the next one's.
func TestSelectionIsForOneCustomer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12"})
		if err := s.operator.ReportSelection("oslo12", products(1)...); err != nil {
			t.Fatal(err)
		}
		if err := s.operator.Select(t.Context(), id, 1, "A1"); err != nil {
			t.Fatal(err)
		}
		later(5 * time.Second)
		if got, ok := s.operator.Selection("oslo12"); ok {
			t.Errorf("the next customer would pay for %v", got)
		}
		s.finish(t)
		s.audit(t)
	})
}

// TestBasketInFullOnly has a sales unit that captures all or nothing: one product that jams would give the others away.
func TestBasketInFullOnly(t *testing.T) {
	t.Parallel()
	for _, policy := range []vending.InFullPolicy{vending.ReleaseAll, vending.CaptureAndRefund} {
		s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.NoPartialCapture, c.InFull = true, policy })
		_, err := s.operator.OpenDynamicQR(t.Context(), basket())
		if errors.Is(err, vending.ErrPartialCapture) != (policy == vending.ReleaseAll) {
			t.Errorf("policy %d: %v", policy, err)
		}
	}
}

// TestRefundNeverCharged asks for the price of a product that came out unpaid.
func TestRefundNeverCharged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingtest.Jam)
		defer run(s.operator)()
		id := s.sell(t, basket())
		s.finish(t)
		if err := s.operator.Report(t.Context(), id+"-v1", vending.Dropped); err != nil {
			t.Fatal(err)
		}
		err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: id, Items: []string{id + "-v1"}, Reason: "stale"})
		if !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("error %v", err)
		}
		s.finish(t)
		s.audit(t)
	})
}

// TestRepricedWithoutVersion raises a price after the approval, in a list that has no version.
func TestRepricedWithoutVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		s.shelf.planogram.Version = ""
		defer run(s.operator)()
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12"})
		s.shelf.change("A1", func(p *vending.Product) { p.Price += 500 })
		if err := s.operator.Select(t.Context(), id, 1, "A1"); !errors.Is(err, vending.ErrRepriced) {
			t.Errorf("error %v", err)
		}
		s.finish(t)
		s.audit(t)
	})
}

// TestWithdrawTwice presses the return button again while the rest is being released.
func TestWithdrawTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		s.vipps.Inject(vippstest.Fault{Op: "cancel", Kind: vippstest.Slow, Delay: 5 * time.Second})
		defer run(s.operator)()
		id := choosing(t, s, vending.StaticQROrder{Machine: "oslo12"})
		for i := range 3 {
			if err := s.operator.Withdraw(t.Context(), id); err != nil {
				t.Errorf("%d: %v", i, err)
			}
			later(time.Second)
		}
		s.finish(t)
		s.audit(t)
	})
}

// TestAbsurdPrices has planograms that nobody should reserve for.
func TestAbsurdPrices(t *testing.T) {
	t.Parallel()
	for _, price := range []int64{1<<62 + 625, 1 << 40, -5, 0} {
		s := staticShop(t, vippstest.Options{}, nil)
		s.shelf.change("B2", func(p *vending.Product) { p.Price = price })
		redirect, err := s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12", Items: 4})
		if err != nil || redirect.Amount.Value != 4*colaPrice {
			t.Errorf("price %d: %v, %v", price, redirect, err)
		}
		if _, err := s.operator.OpenSiteSelection(t.Context(), vending.SiteOrder{Machine: "oslo13", Products: []vending.Shown{{Slot: "B2", Price: price}}}); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("price %d: %v", price, err)
		}
	}
	s := staticShop(t, vippstest.Options{}, nil)
	for _, order := range []vending.SiteOrder{
		{Machine: "OSLO12", Products: shown(1)},
		{Machine: "oslo12", Products: []vending.Shown{{Slot: strings.Repeat("x", 65), Price: 1}}},
		{Machine: "oslo12", Products: shown(1), Planogram: strings.Repeat("x", 65)},
		{Machine: "oslo12", Products: make([]vending.Shown, 51)},
	} {
		if _, err := s.operator.OpenSiteSelection(t.Context(), order); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("%s: %v", fmt.Sprint(order)[:20], err)
		}
	}
}
