package vending_test

import (
	"fmt"
	"slices"
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
		{"basket", basket(), nil, true, 500 * time.Millisecond, map[string]int{"create": 1, "get": 1, "capture": 1}, 1, 7},
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
				for _, op := range []string{"create", "get", "events", "capture", "cancel", "refund"} {
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
