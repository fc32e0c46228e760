package epayment_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending/vippstest"
)

func emulated(t *testing.T, options vippstest.Options) (*vippstest.Server, *epayment.Client) {
	t.Helper()
	emulator := vippstest.Start(t, options)
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials(emulator.Credentials()),
		System:      vipps.System{Name: "acme-vend", Version: "1.4.0"},
		HTTPClient:  &http.Client{Transport: emulator.Transport()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return emulator, epayment.New(client)
}

func created(t *testing.T, c *epayment.Client) {
	t.Helper()
	if _, err := c.Create(t.Context(), minimal()); err != nil {
		t.Fatal(err)
	}
}

// TestEmulatorReadsEverything sends requests with all their fields to a server that refuses what it does not know.
func TestEmulatorReadsEverything(t *testing.T) {
	t.Parallel()
	request := full()
	request.ExpiresAt = time.Now().Add(time.Hour)
	request.PaymentMethod.BlockedSources = nil
	request.Amount.Currency, request.Receipt.BottomLine.Currency = vipps.NOK, vipps.NOK
	request.Customer = epayment.Customer{PhoneNumber: "4791234567"}
	request.UserFlow, request.QRFormat = epayment.PushMessage, epayment.QRFormat{}
	_, client := emulated(t, vippstest.Options{LongLiving: true})
	if _, err := client.Create(t.Context(), request); err != nil {
		t.Errorf("%v", err)
	}
}

func TestRefundAgainstEmulator(t *testing.T) {
	t.Parallel()
	emulator, client := emulated(t, vippstest.Options{})
	ctx := t.Context()
	created(t, client)
	if err := emulator.Approve(reference); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"k1", "k1", "k2"} { // the second is a repetition
		if _, err := client.Capture(ctx, reference, epayment.CaptureRequest{IdempotencyKey: key, Amount: nok(1000)}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.Capture(ctx, reference, epayment.CaptureRequest{IdempotencyKey: "k1", Amount: nok(1001)})
	if !errors.Is(err, epayment.CodeCaptureIdempotency) || !errors.Is(err, vipps.ErrConflict) {
		t.Errorf("another amount: %v", err)
	}
	_, err = client.Capture(ctx, reference, epayment.CaptureRequest{IdempotencyKey: "k3", Amount: nok(5000)})
	if !errors.Is(err, epayment.CodeCaptureTooHigh) {
		t.Errorf("too much: %v", err)
	}
	refunded, err := client.Refund(ctx, reference, epayment.RefundRequest{IdempotencyKey: "r1", Amount: nok(500)})
	if err != nil || refunded.Aggregate.Captured != nok(2000) || refunded.Aggregate.Refunded != nok(500) {
		t.Errorf("%+v, %v", refunded, err)
	}
	_, err = client.Refund(ctx, reference, epayment.RefundRequest{IdempotencyKey: "r2", Amount: nok(1501)})
	if !errors.Is(err, epayment.CodeRefundTooHigh) {
		t.Errorf("too much: %v", err)
	}
	events, err := client.Events(ctx, reference)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, event := range events {
		names = append(names, string(event.Name)+" "+event.IdempotencyKey)
	}
	if got, want := strings.Join(names, ", "), "CAPTURED k1, CAPTURED k2, REFUNDED r1"; !strings.HasSuffix(got, want) {
		t.Errorf("events %s", got)
	}
}

func TestWaitFinalAgainstEmulator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emulator, client := emulated(t, vippstest.Options{})
		created(t, client)
		time.AfterFunc(time.Minute, func() {
			if err := emulator.Approve(reference); err != nil {
				t.Error(err)
			}
		})
		emulator.Inject(vippstest.Fault{Op: "get", Kind: vippstest.HalfBody, Skip: 3, Count: 5})
		start := time.Now()
		got, err := client.WaitFinal(t.Context(), reference)
		if err != nil || got.State != epayment.StateAuthorized || time.Since(start) > 70*time.Second {
			t.Errorf("%v, %v after %v", got, err, time.Since(start))
		}
	})
}

func TestForceApproveAgainstEmulator(t *testing.T) {
	t.Parallel()
	_, client := emulated(t, vippstest.Options{})
	created(t, client)
	err := client.ForceApprove(t.Context(), reference, epayment.ForceApproveRequest{Customer: epayment.Customer{PhoneNumber: "4791234567"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := client.Get(t.Context(), reference); err != nil || got.State != epayment.StateAuthorized {
		t.Errorf("%v, %v", got, err)
	}
}

// TestConcurrentUse captures with one key from many sides: the money is taken once.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	emulator, client := emulated(t, vippstest.Options{NoRateLimits: true})
	created(t, client)
	if err := emulator.Approve(reference); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			m, err := client.Capture(t.Context(), reference, epayment.CaptureRequest{IdempotencyKey: "k1", Amount: nok(1000)})
			if err != nil || m.Aggregate.Captured != nok(1000) {
				t.Errorf("%v, %v", m, err)
			}
		})
	}
	group.Wait()
}
