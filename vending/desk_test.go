package vending_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// sell opens a session whose customer approves after a second.
func (s *shop) sell(t *testing.T, order vending.DynamicQROrder) string {
	t.Helper()
	code, err := s.operator.OpenDynamicQR(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	s.approveAfter(t, time.Second)(*code)
	return code.Session
}

func (s *shop) session(t *testing.T, id string) *vending.Session {
	t.Helper()
	session, err := s.operator.Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func TestHeld(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		verdict vending.Verdict
		report  bool
		want    vending.Outcome
	}{
		{"resolved: dropped", vending.Dropped, false, vending.Outcome{Result: vending.Sold, Captured: 2500}},
		{"resolved: not dropped", vending.NotDropped, false, vending.Outcome{Result: vending.NotSold, Released: 2500}},
		{"the machine remembers", vending.Dropped, true, vending.Outcome{Result: vending.Sold, Captured: 2500}},
		{"nobody says anything", vending.Unknown, false, vending.Outcome{Result: vending.NotSold, Released: 2500, Unknown: 2500}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.UnknownVerdict = vending.HoldUnknown })
				s.machine.Script(vendingtest.Forgetful)
				defer run(s.operator)()
				id := s.sell(t, cola())
				held, err := s.operator.Wait(t.Context(), id)
				if err != nil || held.State != vending.Held {
					t.Fatalf("%v, %v", held, err)
				}
				if _, err := s.store.Seat(t.Context(), "oslo12"); !errors.Is(err, vending.ErrNotFound) {
					t.Errorf("the held session keeps the machine: %v", err)
				}
				vend := held.Items[0].VendID
				if got := vending.MachineOf(vend); got != "oslo12" {
					t.Errorf("MachineOf(%s) = %q", vend, got)
				}
				tell := s.operator.Resolve
				if test.report {
					tell = s.operator.Report
				}
				if test.verdict != vending.Unknown {
					for range 2 { // the second is the same request again
						if err := tell(t.Context(), vend, test.verdict); err != nil {
							t.Error(err)
						}
					}
				}
				if err := s.operator.Resolve(t.Context(), vend, vending.Unknown); !errors.Is(err, vipps.ErrInvalidRequest) {
					t.Errorf("resolving as unknown: %v", err)
				}
				later(25 * time.Hour)
				s.audit(t)
				if diff := cmp.Diff(test.want, s.session(t, id).Outcome); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

func TestLateWord(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		verdict vending.Verdict
		want    vending.Outcome
	}{
		{vending.Dropped, vending.Outcome{Result: vending.DeliveredUnpaid, Released: 2500, Lost: 2500}},
		{vending.NotDropped, vending.Outcome{Result: vending.NotSold, Released: 2500}},
	} {
		t.Run(test.verdict.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, vippstest.Options{}, nil)
				s.machine.Script(vendingtest.Forgetful)
				session, err := s.operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, time.Second))
				if err != nil {
					t.Fatal(err)
				}
				if err := s.operator.Report(t.Context(), session.Items[0].VendID, test.verdict); err != nil {
					t.Fatal(err)
				}
				s.audit(t)
				if diff := cmp.Diff(test.want, s.session(t, session.ID).Outcome); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

// TestPortal lets somebody at the merchant portal act while the machine turns.
func TestPortal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		order  vending.DynamicQROrder
		script []vendingtest.Behaviour
		act    func(s *vippstest.Server, id string) error
		want   vending.Outcome
	}{
		{
			"cancels, dropped", cola(),
			[]vendingtest.Behaviour{vendingtest.Slow(10 * time.Second)},
			(*vippstest.Server).PortalCancel,
			vending.Outcome{Result: vending.Uncollected, Released: 2500, Lost: 2500},
		},
		{
			"cancels, jam", cola(),
			[]vendingtest.Behaviour{{Hears: true, Answers: true, Takes: 10 * time.Second}},
			(*vippstest.Server).PortalCancel,
			vending.Outcome{Result: vending.NotSold, Released: 2500},
		},
		{
			"captures, dropped", cola(),
			[]vendingtest.Behaviour{vendingtest.Slow(10 * time.Second)},
			func(s *vippstest.Server, id string) error { return s.PortalCapture(id, 2500) },
			vending.Outcome{Result: vending.Sold, Captured: 2500},
		},
		{
			"captures, jam", cola(),
			[]vendingtest.Behaviour{{Hears: true, Answers: true, Takes: 10 * time.Second}},
			func(s *vippstest.Server, id string) error { return s.PortalCapture(id, 2500) },
			vending.Outcome{Result: vending.OverCaptured, Captured: 2500, Over: 2500},
		},
		{
			"captures a part", cola(),
			[]vendingtest.Behaviour{vendingtest.Slow(10 * time.Second)},
			func(s *vippstest.Server, id string) error { return s.PortalCapture(id, 1000) },
			vending.Outcome{Result: vending.Sold, Captured: 2500},
		},
		{
			"captures all of half a basket", basket(),
			[]vendingtest.Behaviour{vendingtest.Drop, {Hears: true, Answers: true, Takes: 10 * time.Second}},
			func(s *vippstest.Server, id string) error { return s.PortalCapture(id, 6000) },
			vending.Outcome{Result: vending.OverCaptured, Captured: 6000, Over: 3500},
		},
		{
			"captures and refunds, dropped", cola(),
			[]vendingtest.Behaviour{vendingtest.Slow(10 * time.Second)},
			func(s *vippstest.Server, id string) error {
				return errors.Join(s.PortalCapture(id, 2500), s.PortalRefund(id, 2500))
			},
			vending.Outcome{Result: vending.Uncollected, Captured: 2500, Refunded: 2500, Lost: 2500},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, vippstest.Options{}, nil)
				s.machine.Script(test.script...)
				defer run(s.operator)()
				id := s.sell(t, test.order)
				time.Sleep(6 * time.Second) //nolint:forbidigo // virtual time
				if err := test.act(s.vipps, id); err != nil {
					t.Fatal(err)
				}
				s.finish(t)
				s.audit(t)
				if diff := cmp.Diff(test.want, s.session(t, id).Outcome); diff != "" {
					t.Errorf("(-want +got)\n%s\n%v", diff, s.session(t, id).History)
				}
			})
		})
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		defer run(s.operator)()
		first, err := s.operator.OpenDynamicQR(t.Context(), cola())
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.operator.OpenDynamicQR(t.Context(), cola())
		busy, ok := errors.AsType[*vending.BusyError](err)
		if !ok || busy.Session != first.Session || busy.Machine != "oslo12" {
			t.Errorf("second customer: %v", err)
		}
		other := cola()
		other.Machine = "oslo13"
		if _, err := s.operator.OpenDynamicQR(t.Context(), other); err != nil {
			t.Errorf("another machine: %v", err)
		}
		if err := s.operator.Withdraw(t.Context(), first.Session); err != nil {
			t.Fatal(err)
		}
		if _, err := s.operator.OpenDynamicQR(t.Context(), cola()); err != nil {
			t.Errorf("after the return button: %v", err)
		}
		s.finish(t)
		s.audit(t)
	})
}

// TestLateCreate lets the request that makes a payment arrive when its session has been closed for want of one.
func TestLateCreate(t *testing.T) {
	t.Parallel()
	for _, hooked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.Timeouts.Open = 2 * time.Second })
			if hooked {
				s.hook(t)
			}
			s.vipps.Inject(
				vippstest.Fault{Op: "create", Kind: vippstest.Late, Delay: 8 * time.Minute},
				vippstest.Fault{Op: "create", Kind: vippstest.HangUpBefore, Count: -1},
			)
			defer run(s.operator)()
			if _, err := s.operator.OpenDynamicQR(t.Context(), cola()); err == nil {
				t.Fatal("a payment was made")
			}
			time.Sleep(9 * time.Minute) //nolint:forbidigo // virtual time
			payments := s.vipps.Payments()
			if len(payments) != 1 || hooked && payments[0].State != "TERMINATED" {
				t.Errorf("the late payment: %v", payments)
			}
			s.finish(t)
			s.audit(t)
		})
	}
}

// TestNotOurs finds a payment under its reference that somebody else has made: it is left alone.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		thief := &thief{Store: s.store.Store}
		operator := s.operate(t, s.client, thief, s.machine, func(c *vending.Config) { c.Timeouts.Open = 2 * time.Second })
		defer run(operator)()
		code, err := operator.OpenDynamicQR(t.Context(), cola())
		if err != nil {
			t.Fatal(err)
		}
		s.approveAfter(t, time.Second)(*code)
		time.Sleep(time.Hour) //nolint:forbidigo // virtual time
		payment, _ := s.vipps.Payment(code.Session)
		if s.drops() != 0 || payment.Captured != 0 || payment.Cancelled != 0 {
			t.Errorf("somebody else's payment was used: %d drops, %+v", s.drops(), payment)
		}
	})
}

// thief changes the nonce of a session once its payment is made, as if the payment were another session's.
type thief struct{ vending.Store }

func (s *thief) Save(ctx context.Context, session vending.Session) error {
	if session.State == vending.Waiting {
		session.Nonce = "another"
	}
	return s.Store.Save(ctx, session)
}

func TestBadOrder(t *testing.T) {
	t.Parallel()
	s := newShop(t, vippstest.Options{}, nil)
	for field, change := range map[string]func(*vending.DynamicQROrder){
		"Machine":             func(o *vending.DynamicQROrder) { o.Machine = "oslo 12" },
		"Products":            func(o *vending.DynamicQROrder) { o.Products = nil },
		"Products[0].Price":   func(o *vending.DynamicQROrder) { o.Products[0].Price = -1 },
		"Products[0].Name":    func(o *vending.DynamicQROrder) { o.Products[0].Name = "" },
		"Products[0].Slot":    func(o *vending.DynamicQROrder) { o.Products[0].Slot = "" },
		"Products[0].TaxRate": func(o *vending.DynamicQROrder) { o.Products[0].TaxRate = 15 },
		"Description":         func(o *vending.DynamicQROrder) { o.Description = "x" },
		"1.00 NOK":            func(o *vending.DynamicQROrder) { o.Products[0].Price = 99 },
	} {
		order := cola()
		change(&order)
		_, err := s.operator.OpenDynamicQR(t.Context(), order)
		if !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if n := len(s.vipps.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	_, err := vending.NewOperator(vending.Config{ReturnURL: "http://x", Workers: -1, MinimumUserAge: 200, Timeouts: vending.Timeouts{Open: -1, Start: time.Hour, Approve: time.Hour}})
	for _, field := range []string{"Client", "Machine", "Currency", "LegalLinks", "ReturnURL", "MinimumUserAge", "Workers", "Timeouts.Open", "Timeouts.Start", "Timeouts.Approve"} {
		if err == nil || !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), field+":") {
			t.Errorf("no word of %s: %v", field, err)
		}
	}
}

// TestNoDriver finds before the first customer that a machine has nothing to turn its motors with.
func TestNoDriver(t *testing.T) {
	t.Parallel()
	s := newShop(t, vippstest.Options{}, nil)
	_, err := vending.NewOperator(vending.Config{
		Client: s.client, Machine: vending.NewMemoryMachine(nil), Currency: vipps.NOK, TermsAcceptedElsewhere: true,
	})
	if !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), "Machine: ") {
		t.Error(err)
	}
}

// TestWhoAsked names the method that was called and its fields, not what it is made of.
func TestWhoAsked(t *testing.T) {
	t.Parallel()
	s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.ReturnURL = "https://shop.example/thanks" })
	site := vending.SiteOrder{Machine: "oslo12", Products: shown(1)}
	static := vending.StaticQROrder{Machine: "oslo12"}
	for want, call := range map[string]func() error{
		"vending.OpenTill: invalid request: PhoneNumber: ": func() error {
			_, err := s.operator.OpenTill(t.Context(), vending.TillOrder{Machine: "till1", Products: products(1), PhoneNumber: "+47 912 34 567"})
			return err
		},
		"vending.OpenTill: invalid request: PersonalQR: ": func() error {
			_, err := s.operator.OpenTill(t.Context(), vending.TillOrder{Machine: "till1", Products: products(1), PersonalQR: "x"})
			return err
		},
		"vending.OpenSiteSelection: invalid request: Config.Planogram: ": func() error { return second(s.operator.OpenSiteSelection(t.Context(), site)) },
		"vending.OpenStaticQR: invalid request: Config.Planogram: ":      func() error { return second(s.operator.OpenStaticQR(t.Context(), static)) },
		"vending.QuoteStaticQR: invalid request: Config.Planogram: ": func() error {
			_, err := s.operator.QuoteStaticQR(t.Context(), static)
			return err
		},
		"vending.Planogram: invalid request: Config.Planogram: ": func() error {
			_, err := s.operator.Planogram(t.Context(), "oslo12")
			return err
		},
	} {
		if err := call(); !errors.Is(err, vipps.ErrInvalidRequest) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s…", err, want)
		}
	}
	for method, tell := range map[string]func(context.Context, string, vending.Verdict) error{"Report": s.operator.Report, "Resolve": s.operator.Resolve} {
		err := tell(t.Context(), "nope", vending.Dropped)
		if want := "vending." + method + `: vend "nope": not a vend id: `; !errors.Is(err, vending.ErrNotFound) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s…", err, want)
		}
	}
}

// TestNothingSold says why nothing was sold, and that there is nothing to give back.
func TestNothingSold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		session, err := s.operator.SellDynamicQR(t.Context(), cola(), func(code vending.Code) {
			if err := s.vipps.Abort(code.Session); err != nil {
				t.Error(err)
			}
		})
		if err != nil || session.Summary() != "NotSold (aborted)" {
			t.Fatalf("%s, %v", session.Summary(), err)
		}
		err = s.operator.Refund(t.Context(), vending.RefundRequest{Session: session.ID, Reason: "sorry"})
		if !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), "nothing was captured") {
			t.Error(err)
		}
	})
}

// TestAcknowledge has a person deal with a session of which nobody knows whether the product came out.
func TestAcknowledge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingtest.Forgetful)
		session, err := s.operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, time.Second))
		if err != nil {
			t.Fatal(err)
		}
		attention := func() (actions []string) {
			for session := range s.operator.Attention(t.Context(), time.Time{}) {
				actions = append(actions, session.Action())
			}
			return actions
		}
		if got := attention(); len(got) != 1 || got[0] == "" {
			t.Errorf("before: %q", got)
		}
		if err := s.operator.Acknowledge(t.Context(), session.ID, ""); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("without a note: %v", err)
		}
		for range 2 {
			if err := s.operator.Acknowledge(t.Context(), session.ID, "the counter says it came out, written off"); err != nil {
				t.Error(err)
			}
		}
		if got := attention(); len(got) != 0 {
			t.Errorf("acknowledged, and still there: %q", got)
		}
		// What a person says later about a released item is a loss that somebody has to know.
		if err := s.operator.Resolve(t.Context(), session.Items[0].VendID, vending.Dropped); err != nil {
			t.Error(err)
		}
		if got := attention(); len(got) != 1 {
			t.Errorf("the outcome has changed: %q", got)
		}
		if got := s.session(t, session.ID); got.Outcome.Lost != 2500 || got.Outcome.Unknown != 0 {
			t.Errorf("outcome %+v", got.Outcome)
		}
		if err := s.operator.Resolve(t.Context(), session.ID+"-v7", vending.Dropped); !errors.Is(err, vipps.ErrInvalidRequest) {
			t.Errorf("an item that there is not: %v", err)
		}
		s.audit(t)
	})
}

// TestHeldAction tells the person in front of a held session what to do.
func TestHeldAction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.UnknownVerdict = vending.HoldUnknown })
		s.machine.Script(vendingtest.Forgetful)
		session, err := s.operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, time.Second))
		if err != nil || !strings.Contains(session.Action(), "Resolve") {
			t.Errorf("%v: action %q", err, session.Action())
		}
	})
}

// TestSellWithReceipt runs a door to its end with no loop but its own: the receipt of a basket is sent all the same.
func TestSellWithReceipt(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t, vippstest.Options{}, nil)
			session, err := s.operator.SellDynamicQR(t.Context(), basket(), s.approveAfter(t, time.Second))
			if err != nil || !session.Finished() {
				t.Fatalf("%v, %v", session, err)
			}
			if _, sent := s.vipps.Receipt(session.ID); !sent {
				t.Error("no receipt")
			}
		})
	}
}

// TestQuote names what would be reserved.
func TestQuote(t *testing.T) {
	t.Parallel()
	s := staticShop(t, vippstest.Options{}, nil)
	order := vending.StaticQROrder{Machine: "oslo12", Items: 2}
	quote, err := s.operator.QuoteStaticQR(t.Context(), order)
	if err != nil || !cmp.Equal(quote, &vending.Quote{Amount: vipps.Amount{Value: 2 * chipsPrice, Currency: vipps.NOK}, Maximum: true}) {
		t.Errorf("%+v, %v", quote, err)
	}
	if err := s.operator.ReportSelection("oslo12", products(1)...); err != nil {
		t.Fatal(err)
	}
	quote, err = s.operator.QuoteStaticQR(t.Context(), order)
	if err != nil || !cmp.Equal(quote, &vending.Quote{Amount: vipps.Amount{Value: colaPrice, Currency: vipps.NOK}, Products: products(1)}) {
		t.Errorf("after a choice: %+v, %v", quote, err)
	}
	for name, order := range map[string]vending.StaticQROrder{
		"another amount":   {Machine: "oslo12", Shown: chipsPrice, Products: shown(1)},
		"a maximum":        {Machine: "oslo12", Shown: colaPrice},
		"another product":  {Machine: "oslo12", Shown: colaPrice, Products: []vending.Shown{{Slot: "D4", Price: colaPrice}}},
		"one product more": {Machine: "oslo12", Shown: colaPrice, Products: append(shown(1), vending.Shown{Slot: "A2"})},
	} {
		if _, err := s.operator.OpenStaticQR(t.Context(), order); !errors.Is(err, vending.ErrRepriced) {
			t.Errorf("shown %s: %v", name, err)
		}
	}
	if n := len(s.vipps.Payments()); n != 0 {
		t.Errorf("%d payments", n)
	}
}
