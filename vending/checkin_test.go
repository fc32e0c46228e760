package vending_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

// notices collects what an operator notices.
type notices struct {
	mu   sync.Mutex
	list []vending.Notice
}

func (n *notices) add(notice vending.Notice) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, notice)
}

func (n *notices) of(kind vending.NoticeKind) []vending.Notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []vending.Notice
	for _, notice := range n.list {
		if notice.Kind == kind {
			list = append(list, notice)
		}
	}
	return list
}

func doorNamed(t *testing.T, name string) door {
	t.Helper()
	for _, d := range doors() {
		if d.name == name {
			return d
		}
	}
	t.Fatalf("no door %q", name)
	return door{}
}

// checkInShop serves check-ins at oslo12.
func checkInShop(t *testing.T, change func(*vending.Config)) (*shop, *notices) {
	t.Helper()
	seen := &notices{}
	s := visit(t, doorNamed(t, "check-in"), 1, vippstest.Options{}, &visitor{products: 1}, func(c *vending.Config) {
		c.Notify = seen.add
		if change != nil {
			change(c)
		}
	})
	s.hook(t)
	return s, seen
}

// TestCheckInAgain delivers a check-in many times: it is one session and one payment.
func TestCheckInAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, seen := checkInShop(t, nil)
		defer run(s.operator)()
		s.vipps.InjectDelivery(
			vippstest.DeliveryFault{Kind: vippstest.Duplicate, Event: string(webhooks.UserCheckedIn)},
			vippstest.DeliveryFault{Kind: vippstest.LostAnswer, Event: string(webhooks.UserCheckedIn), Count: 2},
		)
		id, err := s.scan(t, "oslo12")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.vipps.Approve(id); err != nil {
			t.Fatal(err)
		}
		s.finish(t)
		s.audit(t)
		deliveries := 0
		for _, d := range s.vipps.Deliveries() {
			if d.Event == string(webhooks.UserCheckedIn) {
				deliveries++
			}
		}
		if deliveries < 3 || len(s.vipps.Payments()) != 1 || s.drops() != 1 || len(seen.list) != 0 {
			t.Errorf("%d deliveries made %d payments and %d products; notices %v", deliveries, len(s.vipps.Payments()), s.drops(), seen.list)
		}
		if got := vending.MachineOf(id); got != "oslo12" {
			t.Errorf("MachineOf(%s) = %q", id, got)
		}
	})
}

// TestCheckInRefused has check-ins that must not become a payment.
func TestCheckInRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*vending.Config)
		before func(t *testing.T, s *shop)
		event  webhooks.CheckInEvent
		notice bool
		busy   bool
		// ageless is a check-in that does not say when it was.
		ageless bool
	}{
		{name: "of unknown age", event: webhooks.CheckInEvent{InitiatedAt: time.Now()}, ageless: true, notice: true},
		{name: "of a machine that was scrapped", change: func(c *vending.Config) {
			c.Planogram = func(context.Context, string) (vending.Planogram, error) {
				return vending.Planogram{}, vending.ErrNoMachine
			}
		}, notice: true},
		{name: "two minutes old", event: webhooks.CheckInEvent{InitiatedAt: time.Now().Add(-121 * time.Second), SentAt: time.Now()}, notice: true},
		{name: "another sales unit's", event: webhooks.CheckInEvent{MSN: "999999"}},
		{name: "no such machine", event: webhooks.CheckInEvent{MerchantQRID: "../oslo"}, notice: true},
		{
			name: "of a code that nobody knows", notice: true,
			change: func(c *vending.Config) {
				c.CheckIns.Machine = func(string) (string, bool) { return "", false }
			},
		},
		{name: "the machine is out of service", before: func(_ *testing.T, s *shop) { s.machine.SetReady(errors.New("door open")) }, notice: true},
		{name: "nothing left", before: func(_ *testing.T, s *shop) {
			for _, slot := range []string{"A1", "B2", "C3"} {
				s.shelf.change(slot, func(p *vending.Product) { p.SoldOut = true })
			}
		}, notice: true},
		{name: "no partial capture", change: func(c *vending.Config) { c.NoPartialCapture = true }, notice: true},
		{name: "busy", before: func(t *testing.T, s *shop) {
			t.Helper()
			if _, err := s.operator.OpenDynamicQR(t.Context(), cola()); err != nil {
				t.Fatal(err)
			}
		}, notice: true, busy: true},
		{name: "no check-ins wanted", change: func(c *vending.Config) { c.CheckIns = nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, seen := checkInShop(t, test.change)
				if test.before != nil {
					test.before(t, s)
				}
				payments, writes := s.vipps.Count("create", ""), s.store.writes.Load()
				event := test.event
				if event.MSN == "" {
					event.MSN = s.client.MerchantSerialNumber()
				}
				if event.MerchantQRID == "" {
					event.MerchantQRID = "oslo12"
				}
				if event.SentAt.IsZero() && !test.ageless {
					event.InitiatedAt, event.SentAt = time.Now(), time.Now()
				}
				event.CustomerToken = "token-1"
				if err := s.operator.HandleEvent(t.Context(), &event); err != nil {
					t.Errorf("error %v: it would be delivered again", err)
				}
				stop := run(s.operator)
				later(5 * time.Second)
				stop()
				if n := s.vipps.Count("create", "") - payments; n != 0 {
					t.Errorf("%d payments were tried", n)
				}
				if writes := s.store.writes.Load() - writes; writes > 1 { // a busy machine is known by trying
					t.Errorf("%d writes", writes)
				}
				got := seen.of(vending.NoticeCheckIn)
				if (len(got) == 1) != test.notice {
					t.Fatalf("notices %v, want one: %t", got, test.notice)
				}
				if test.busy {
					if _, ok := errors.AsType[*vending.BusyError](got[0].Err); !ok {
						t.Errorf("notice %v, want busy", got[0].Err)
					}
				}
			})
		})
	}
}

// TestCheckInStoreAway has the store, or the planogram, not answer: the delivery is to be repeated.
func TestCheckInStoreAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("the planogram is away")
		s, _ := checkInShop(t, func(c *vending.Config) {
			planogram := c.Planogram
			c.Planogram = func(ctx ctx, machine string) (vending.Planogram, error) {
				if away != nil {
					return vending.Planogram{}, away
				}
				return planogram(ctx, machine)
			}
		})
		event := &webhooks.CheckInEvent{MSN: s.client.MerchantSerialNumber(), MerchantQRID: "oslo12", CustomerToken: vipps.Secret(s.vipps.CheckIn("", "oslo12")), InitiatedAt: time.Now(), SentAt: time.Now()}
		if err := s.operator.HandleEvent(t.Context(), event); !errors.Is(err, away) {
			t.Errorf("error %v, want one that has it delivered again", err)
		}
		away = nil
		if err := s.operator.HandleEvent(t.Context(), event); err != nil {
			t.Error(err)
		}
		defer run(s.operator)()
		later(time.Second)
		if n := len(s.vipps.Payments()); n != 1 {
			t.Errorf("%d payments", n)
		}
	})
}

// TestReplace has a second customer come while the first has not paid.
func TestReplace(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		first  func(t *testing.T, s *shop, id string)
		faults []vippstest.Fault
		busy   bool
	}{
		{name: "who has not approved", first: func(*testing.T, *shop, string) {}},
		{name: "who has just approved", busy: true, first: func(t *testing.T, s *shop, id string) {
			t.Helper()
			if err := s.vipps.Approve(id); err != nil {
				t.Error(err)
			}
		}},
		{name: "who is approving", busy: true, first: func(t *testing.T, s *shop, id string) {
			t.Helper()
			if err := s.vipps.BeginApproval(id); err != nil {
				t.Error(err)
			}
			time.AfterFunc(10*time.Second, func() { _ = s.vipps.Approve(id) })
		}},
		{name: "and Vipps MobilePay does not answer", busy: true, first: func(*testing.T, *shop, string) {}, faults: []vippstest.Fault{{Op: "cancel", Kind: vippstest.Hang, Count: -1}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.Busy = vending.ReplaceUnpaid })
				s.machine.Script(vendingSlow)
				defer run(s.operator)()
				first, err := s.operator.OpenDynamicQR(t.Context(), cola())
				if err != nil {
					t.Fatal(err)
				}
				later(21 * time.Second)
				s.vipps.Inject(test.faults...)
				test.first(t, s, first.Session)
				second, err := s.operator.OpenDynamicQR(t.Context(), cola())
				if _, busy := errors.AsType[*vending.BusyError](err); busy != test.busy || !busy && err != nil {
					t.Errorf("the second customer: %v, want busy: %t", err, test.busy)
				}
				if second != nil {
					if payment, _ := s.vipps.Payment(first.Session); payment.State != "TERMINATED" {
						t.Errorf("the second customer has the machine, and the first payment is %s", payment.State)
					}
					if got := s.session(t, first.Session).Reason; got != vending.ReasonReplaced {
						t.Errorf("reason %q", got)
					}
				}
				s.finish(t)
				s.audit(t)
				if test.busy == (second == nil) {
					return
				}
				t.Errorf("second %v", second)
			})
		})
	}
}

// TestCheckInFlow checks what the payment of a check-in is made of.
func TestCheckInFlow(t *testing.T) {
	t.Parallel()
	for _, flow := range []epayment.UserFlow{epayment.WebRedirect, epayment.PushMessage} {
		t.Run(string(flow), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, _ := checkInShop(t, func(c *vending.Config) { c.CheckIns.UserFlow = flow })
				defer run(s.operator)()
				id, err := s.scan(t, "oslo12")
				if err != nil {
					t.Fatal(err)
				}
				payment, _ := s.vipps.Payment(id)
				if payment.UserFlow != string(flow) || payment.Amount != chipsPrice {
					t.Errorf("%s for %d, want %s for the dearest price", payment.UserFlow, payment.Amount, flow)
				}
				if session := s.session(t, id); session.Body.Open() != nil {
					t.Error("the customer's token is still stored")
				}
			})
		})
	}
	t.Run("refused, and nothing else tried", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			seen := &notices{}
			s := visit(t, doorNamed(t, "check-in, push"), 1, vippstest.Options{NoPush: true}, &visitor{products: 1}, func(c *vending.Config) { c.Notify = seen.add })
			s.hook(t)
			defer run(s.operator)()
			if id, err := s.scan(t, "oslo12"); err == nil {
				t.Errorf("session %s has a payment", id)
			}
			s.finish(t)
			for _, request := range s.vipps.Requests() {
				if request.Op == "create" && request.Code != "5080" {
					t.Errorf("create was answered %d %s", request.Status, request.Code)
				}
			}
			if _, err := s.store.Seat(t.Context(), "oslo12"); !errors.Is(err, vending.ErrNotFound) {
				t.Errorf("the machine is still taken: %v", err)
			}
		})
	})
}
