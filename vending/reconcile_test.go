package vending_test

import (
	"context"
	"encoding/csv"
	"errors"
	"strings"
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

// TestReconcile has sales that went well, which are no findings, and one of each kind that did not.
func TestReconcile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		from := time.Now()
		stop := run(s.operator)
		sale := func(behaviours ...vendingtest.Behaviour) string {
			t.Helper()
			s.machine.Script(behaviours...)
			session, err := s.operator.SellDynamicQR(t.Context(), basket(), s.approveAfter(t, time.Second))
			if err != nil {
				t.Fatal(err)
			}
			return session.ID
		}
		want := map[string]vending.FindingKind{}
		difference := map[string]int64{}
		sale()
		sale(vendingtest.Jam, vendingtest.Jam)
		sale(vendingtest.Drop, vendingtest.Jam)
		returned := sale()
		if err := s.operator.Refund(t.Context(), vending.RefundRequest{Session: returned, Reason: "stale"}); err != nil {
			t.Fatal(err)
		}
		want[sale(vendingtest.Silent)] = vending.FindingUnknown
		later(time.Minute)

		refunded := sale()
		if err := s.vipps.PortalRefund(refunded, 1000); err != nil {
			t.Fatal(err)
		}
		want[refunded], difference[refunded] = vending.FindingVended, -1000

		s.vipps.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6100", Count: 2})
		lost := sale()
		want[lost], difference[lost] = vending.FindingVended, -(colaPrice + chipsPrice)

		s.machine.Script(vendingSlow, vendingtest.Jam)
		over := s.sell(t, basket())
		later(4 * time.Second)
		if err := s.vipps.PortalCapture(over, colaPrice+chipsPrice); err != nil {
			t.Fatal(err)
		}
		if _, err := s.operator.Wait(t.Context(), over); err != nil {
			t.Fatal(err)
		}
		want[over], difference[over] = vending.FindingCaptured, chipsPrice

		s.vipps.Inject(vippstest.Fault{Op: "cancel", Kind: vippstest.Refuse, Status: 403, Count: -1})
		stuck := abandoned(t, s, vendingtest.Drop, vendingtest.Jam)
		want[stuck], difference[stuck] = vending.FindingUnsettled, chipsPrice

		orphan := adrift(t, s, "bergen1-aaaaaaaaaaaaa", map[string]string{"vending-machine": "bergen1", "vending-nonce": "x"})
		want[orphan], difference[orphan] = vending.FindingOrphan, colaPrice
		foreign := adrift(t, s, "webshop-000000001", nil)
		later(2 * time.Hour)
		stop()

		request := vending.ReconcileRequest{From: from, To: time.Now(), References: []string{orphan, foreign, over, "nothing-there"}}
		got, gotDifference := map[string]vending.FindingKind{}, map[string]int64{}
		for finding, err := range s.operator.Reconcile(t.Context(), request) {
			if err != nil {
				t.Error(err)
				continue
			}
			if _, twice := got[finding.Session]; twice {
				t.Errorf("%s is reported twice", finding.Session)
			}
			got[finding.Session] = finding.Kind
			if finding.Difference != 0 {
				gotDifference[finding.Session] = finding.Difference
			}
			if finding.Action == "" {
				t.Errorf("%s: nobody is told what to do about %s", finding.Session, finding.Kind)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("findings (-want +got)\n%s", diff)
		}
		if diff := cmp.Diff(difference, gotDifference); diff != "" {
			t.Errorf("differences (-want +got)\n%s", diff)
		}

		var text strings.Builder
		if err := vending.WriteCSV(&text, s.operator.Reconcile(t.Context(), request)); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(text.String())).ReadAll()
		if err != nil || len(rows) != 1+len(want) {
			t.Errorf("%d rows, %v:\n%s", len(rows), err, text.String())
		}

		// A payment that cannot be read is a line of its own.
		s.vipps.Inject(vippstest.Fault{Op: "get", Kind: vippstest.ErrorBefore}, vippstest.Fault{Op: "get", Kind: vippstest.Refuse, Status: 429, RetryAfter: 5 * time.Second, Skip: 1})
		failed, rest := 0, 0
		for finding, err := range s.operator.Reconcile(t.Context(), request) {
			if err == nil {
				rest++
				continue
			}
			failed++
			if finding.Session == "" || !strings.Contains(err.Error(), finding.Session) {
				t.Errorf("%+v: %v does not name the payment", finding, err)
			}
		}
		if failed != 1 || rest < len(want)-1 {
			t.Errorf("%d could not be read, %d findings", failed, rest)
		}
	})
}

// abandoned is a basket that is left to itself after the machine has spoken.
func abandoned(t *testing.T, s *shop, script ...vendingtest.Behaviour) string {
	t.Helper()
	s.machine.Script(script...)
	id := s.sell(t, basket())
	later(time.Minute)
	return id
}

// adrift makes a payment past the operator, and approves it.
func adrift(t *testing.T, s *shop, reference string, metadata map[string]string) string {
	t.Helper()
	_, err := epayment.New(s.client).Create(t.Context(), epayment.CreateRequest{
		IdempotencyKey: reference + "-c", Reference: reference, Amount: vipps.Amount{Value: colaPrice, Currency: vipps.NOK},
		PaymentMethod: epayment.PaymentMethod{Type: epayment.Wallet}, UserFlow: epayment.QR, PaymentDescription: "Cola",
		CustomerInteraction: epayment.CustomerPresent, Metadata: metadata,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.vipps.Approve(reference); err != nil {
		t.Fatal(err)
	}
	return reference
}

// TestReconcileEnds stops when nobody wants more.
func TestReconcileEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		for range 3 {
			s.machine.Script(vendingtest.Forgetful)
			if _, err := s.operator.SellDynamicQR(t.Context(), cola(), s.approveAfter(t, time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		request := vending.ReconcileRequest{To: time.Now().Add(time.Hour)}
		n := 0
		for range s.operator.Reconcile(t.Context(), request) {
			n++
			break
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, err := range s.operator.Reconcile(ctx, request) {
			n++
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v", err)
			}
		}
		if n != 2 {
			t.Errorf("%d rows", n)
		}
	})
}
