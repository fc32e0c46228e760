package vending_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// switches are the readings of what is not known about Vipps MobilePay, each on its own.
var switches = map[string]vippstest.Switches{
	"plain":                    {},
	"refusals not sticky":      {RefusalsNotSticky: true},
	"remainder at once":        {RemainderReleased: vippstest.RemainderReleasedAtOnce},
	"remainder after a second": {RemainderReleased: vippstest.RemainderReleasedAfterASecond},
	"terminated cancels 0":     {TerminatedCancelsNothing: true},
	"repeated cancel 6190":     {RepeatedCancel: vippstest.RepeatedCancel6190},
	"repeated cancel ok":       {RepeatedCancel: vippstest.RepeatedCancelOK},
	"keys forgotten":           {KeysForgottenAfter: time.Hour},
	"reads lag":                {GetLags: true},
	"failed events":            {FailedAuthorizedEvents: true},
	"receipts apart":           {ReceiptSlotSeparate: true},
}

// faults are what can happen to one request.
func faults() []vippstest.Fault {
	list := []vippstest.Fault{
		{Kind: vippstest.ErrorBefore},
		{Kind: vippstest.ErrorAfter},
		{Kind: vippstest.HangUpBefore},
		{Kind: vippstest.HangUpAfter},
		{Kind: vippstest.HalfBody},
		{Kind: vippstest.Unreachable},
		{Kind: vippstest.Slow, Delay: 45 * time.Second},
		{Kind: vippstest.Late, Delay: 5 * time.Second},
		{Kind: vippstest.Late, Delay: 110 * time.Second},
		{Kind: vippstest.Hang},
		{Kind: vippstest.ErrorBefore, Count: 3},
		{Kind: vippstest.HangUpAfter, Count: 3},
	}
	for _, status := range []int{401, 403, 423, 429, 502} {
		list = append(list, vippstest.Fault{Kind: vippstest.Refuse, Status: status}, vippstest.Fault{Kind: vippstest.Refuse, Status: status, Count: 3})
	}
	list = append(list, vippstest.Fault{Kind: vippstest.Refuse, Status: 429, RetryAfter: 20 * time.Second})
	return list
}

// refusals are numbered errors, by operation.
var refusals = map[string][]string{
	"create":  {"4020", "4150", "5080", "6160", "3010"},
	"get":     {"3010"},
	"capture": {"4010", "6100", "6140", "6160", "6200", "6260", "6280", "3010"},
	"cancel":  {"6030", "6160", "6190", "6250", "3010"},
}

func faultsOf(op string) []vippstest.Fault {
	list := faults()
	for _, code := range refusals[op] {
		for _, kind := range []vippstest.FaultKind{vippstest.Refuse, vippstest.RefuseSticky} {
			list = append(list, vippstest.Fault{Kind: kind, Code: code}, vippstest.Fault{Kind: kind, Code: code, Count: 2})
		}
	}
	for i := range list {
		list[i].Op = op
	}
	return list
}

// sample is enough of the faults for the readings that differ in one point, and for the race detector, which is slow.
func sample(t *testing.T, list []vippstest.Fault, reading string) []vippstest.Fault {
	t.Helper()
	if reading == "plain" && !vending.RaceEnabled {
		return list
	}
	return slices.DeleteFunc(list, func(f vippstest.Fault) bool {
		telling := f.Kind == vippstest.HangUpAfter || f.Kind == vippstest.Late || f.Kind == vippstest.RefuseSticky
		return !telling || f.Count > 1
	})
}

// TestFaults lets one thing go wrong with each kind of request, in a sale, a jam, half a basket and a customer who leaves,
// and again under each switch. Whatever happens, in the end the payment is at rest and the books agree with the machine.
func TestFaults(t *testing.T) {
	t.Parallel()
	stories := []struct {
		name    string
		order   vending.DynamicQROrder
		script  []vendingtest.Behaviour
		approve bool
	}{
		{"sale", cola(), nil, true},
		{"jam", cola(), []vendingtest.Behaviour{vendingtest.Jam}, true},
		{"half a basket", basket(), []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Jam}, true},
		{"nobody comes", cola(), nil, false},
	}
	for name, reading := range switches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, story := range stories {
				for _, op := range []string{"create", "get", "capture", "cancel"} {
					for i, fault := range sample(t, faultsOf(op), name) {
						skips := []int{0}
						if op == "get" {
							skips = []int{0, 3}
						}
						for _, fault.Skip = range skips {
							label := fmt.Sprintf("%s, %s %d %s %d %s skip %d count %d", story.name, op, i, fault.Kind, fault.Status, fault.Code, fault.Skip, fault.Count)
							synctest.Test(t, func(t *testing.T) {
								s := newShop(t, vippstest.Options{Switches: reading}, nil)
								s.machine.Script(story.script...)
								s.vipps.Inject(fault)
								defer run(s.operator)()
								if story.approve {
									go approveWhenMade(t, s)
								}
								_, _ = s.operator.OpenDynamicQR(t.Context(), story.order) // a payment that cannot be made is one of the endings
								s.finish(t)
								s.audit(t)
								if t.Failed() {
									t.Fatal(label)
								}
							})
							if t.Failed() {
								return
							}
						}
					}
				}
			}
		})
	}
}

// approveWhenMade is a customer who approves three seconds after a payment appears, if it can be approved then.
func approveWhenMade(t *testing.T, s *shop) {
	for range 600 {
		if payments := s.vipps.Payments(); len(payments) > 0 {
			time.Sleep(3 * time.Second) //nolint:forbidigo // virtual time
			_ = s.vipps.Approve(payments[0].Reference)
			return
		}
		time.Sleep(time.Second) //nolint:forbidigo // virtual time
	}
}

// TestTravellingCommand delivers webhooks twice while the command is on its way to the machine: nobody may ask about it yet.
func TestTravellingCommand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.hook(t)
		s.machine.Script(vendingtest.Behaviour{Drops: true, Hears: true, Answers: true, Travels: 4 * time.Second})
		s.vipps.InjectDelivery(
			vippstest.DeliveryFault{Event: "AUTHORIZED", Kind: vippstest.Duplicate},
			vippstest.DeliveryFault{Event: "AUTHORIZED", Kind: vippstest.Delay, Delay: 2 * time.Second, Skip: 1},
		)
		session, err := s.operator.SellDynamicQR(t.Context(), cola(), func(code vending.Code) {
			s.approveAfter(t, 500*time.Millisecond)(code)
			for _, after := range []time.Duration{700 * time.Millisecond, 2 * time.Second, 3 * time.Second} {
				time.AfterFunc(after, func() { _ = s.store.Wake(context.Background(), 0, code.Session) })
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if session.Outcome.Result != vending.Sold || s.drops() != 1 {
			t.Errorf("%s, %d products out: %v", session.Summary(), s.drops(), session.History)
		}
	})
}

// TestOutageBetweenItems loses Vipps MobilePay for an hour after the first item of a basket: nobody stands in front of the
// machine any more when it is back.
func TestOutageBetweenItems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		s.machine.Script(vendingtest.Slow(20 * time.Second)) // so that the payment has to be read again
		defer run(s.operator)()
		code, err := s.operator.OpenDynamicQR(t.Context(), basket())
		if err != nil {
			t.Fatal(err)
		}
		s.approveAfter(t, 3*time.Second)(*code)
		time.Sleep(10 * time.Second) //nolint:forbidigo // virtual time
		s.vipps.Inject(vippstest.Fault{Kind: vippstest.Unreachable, Count: -1})
		time.Sleep(time.Hour) //nolint:forbidigo // virtual time
		if _, err := s.store.Seat(t.Context(), "oslo12"); err == nil {
			t.Error("the machine is still busy after an hour")
		}
		s.vipps.ClearFaults()
		s.finish(t)
		s.audit(t)
		if s.machine.Dropped("A1") != 1 || s.machine.Dropped("B2") != 0 {
			t.Errorf("%d and %d products out, want the first only", s.machine.Dropped("A1"), s.machine.Dropped("B2"))
		}
	})
}

// sluggish is a machine that takes its time to say that it is ready, from the second time on.
type sluggish struct {
	vending.Machine
	asked atomic.Int64
	then  func()
}

func (m *sluggish) Ready(ctx context.Context, machine string) error {
	if m.asked.Add(1) == 2 {
		m.then()
		time.Sleep(9 * time.Second) //nolint:forbidigo // virtual time
	}
	return m.Machine.Ready(ctx, machine)
}

// TestReadAgesWhileAsking cancels the reservation in the portal while the machine is asked whether it is ready, by a read
// that was not the newest any more: no product may leave on it.
func TestReadAgesWhileAsking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		slow := &sluggish{Machine: s.machine}
		operator := s.operate(t, s.client, s.store, slow, func(c *vending.Config) { c.Workers = 1 }) // nobody else looks meanwhile
		s.vipps.Inject(vippstest.Fault{Op: "get", Kind: vippstest.Slow, Delay: 8 * time.Second, Count: -1})
		slow.then = func() {
			s.vipps.ClearFaults()
			if err := s.vipps.PortalCancel(s.vipps.Payments()[0].Reference); err != nil {
				t.Error(err)
			}
		}
		session, err := operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, 500*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		if s.drops() != 0 {
			t.Errorf("%d products left on a read that was too old: %v", s.drops(), session.History)
		}
		s.audit(t)
	})
}

// TestCalls counts what a normal sale costs.
func TestCalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		order  vending.DynamicQROrder
		script []vendingtest.Behaviour
		hooked bool
		after  time.Duration
		want   map[string]int
		polls  int // at most
		writes int64
	}{
		{"by webhook", cola(), nil, true, 500 * time.Millisecond, map[string]int{"create": 1, "get": 1, "capture": 1}, 1, 5},
		{"twelve seconds, with webhooks", cola(), nil, true, 12 * time.Second, map[string]int{"create": 1, "capture": 1}, 4, 5},
		{"by polling", cola(), nil, false, 2500 * time.Millisecond, map[string]int{"create": 1, "get": 3, "capture": 1}, 3, 5},
		{"basket, and its receipt afterwards", basket(), nil, true, 500 * time.Millisecond, map[string]int{"create": 1, "get": 1, "capture": 1, "receipt": 1}, 1, 8},
		{"jam", cola(), []vendingtest.Behaviour{vendingtest.Jam}, true, 500 * time.Millisecond, map[string]int{"create": 1, "get": 1, "cancel": 1}, 1, 5},
		{"a slow vend is one read more", cola(), []vendingtest.Behaviour{vendingtest.Slow(18 * time.Second)}, true, 500 * time.Millisecond, map[string]int{"create": 1, "get": 2, "capture": 1}, 2, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, vippstest.Options{}, nil)
				if test.hooked {
					s.hook(t)
				}
				s.machine.Script(test.script...)
				session, err := s.operator.SellDynamicQR(t.Context(), test.order, s.approveAfter(t, test.after))
				if err != nil {
					t.Fatal(err)
				}
				s.settled(t, session)
				got := map[string]int{}
				for _, op := range []string{"create", "get", "events", "capture", "cancel", "refund", "receipt"} {
					if n := s.vipps.Count(op, session.ID); n > 0 {
						got[op] = n
					}
				}
				if got["get"] > test.polls {
					t.Errorf("%d reads, want at most %d", got["get"], test.polls)
				}
				if _, exact := test.want["get"]; !exact {
					delete(got, "get")
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("calls (-want +got)\n%s", diff)
				}
				if writes := s.store.writes.Load(); writes != test.writes {
					t.Errorf("%d writes, want %d: %v", writes, test.writes, session.History)
				}
			})
		})
	}
}
