package vending_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

// shop is an operator with one machine, in front of an emulated Vipps MobilePay.
type shop struct {
	vipps    *vippstest.Server
	client   *vipps.Client
	operator *vending.Operator
	machine  *vendingtest.Machine
	store    vending.Store
}

func newShop(t *testing.T, options vippstest.Options, change func(*vending.Config)) *shop {
	t.Helper()
	s := &shop{vipps: vippstest.Start(t, options), machine: new(vendingtest.Machine), store: vending.NewMemoryStore()}
	keys := s.vipps.Credentials()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{
			ClientID: keys.ClientID, ClientSecret: keys.ClientSecret,
			SubscriptionKey: keys.SubscriptionKey, MerchantSerialNumber: keys.MerchantSerialNumber,
		},
		System:     vipps.System{Name: "vending-test", Version: "1"},
		BaseURL:    s.vipps.URL(),
		HTTPClient: &http.Client{Transport: s.vipps.Transport()},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.client = client
	config := vending.Config{
		Client: client, Machine: s.machine, Store: s.store, Currency: vipps.NOK,
		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"},
	}
	if change != nil {
		change(&config)
	}
	s.operator, err = vending.NewOperator(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hook delivers payment events to the operator, in process.
func (s *shop) hook(t *testing.T) {
	t.Helper()
	const address = "https://shop.example/hooks/vipps"
	registration, err := webhooks.New(s.client).Register(t.Context(), webhooks.RegisterRequest{
		URL: address, Events: []webhooks.EventType{webhooks.PaymentAuthorized, webhooks.PaymentAborted, webhooks.PaymentExpired, webhooks.PaymentTerminated},
	})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: address, Secrets: []vipps.Secret{registration.Secret}})
	if err != nil {
		t.Fatal(err)
	}
	s.vipps.HandleWebhooks(address, &webhooks.Handler{Verifier: verifier, Handle: s.operator.HandleEvent})
}

func cola() vending.DynamicQROrder {
	return vending.DynamicQROrder{
		Machine:  "oslo12",
		Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}},
	}
}

func basket() vending.DynamicQROrder {
	order := cola()
	order.Products = append(order.Products, vending.Product{Name: "Chips", Slot: "B2", Price: 3500, TaxRate: 1500})
	return order
}

// approveAfter is a customer who takes a while.
func (s *shop) approveAfter(t *testing.T, d time.Duration) func(vending.Code) {
	return func(code vending.Code) {
		time.AfterFunc(d, func() {
			if err := s.vipps.Approve(code.Session); err != nil {
				t.Errorf("approve: %v", err)
			}
		})
	}
}

// settled checks the emulator's books against the session, and what left the machine.
func (s *shop) settled(t *testing.T, session *vending.Session) {
	t.Helper()
	payment, ok := s.vipps.Payment(session.ID)
	if ok && !payment.AtRest() {
		t.Errorf("the payment is not at rest: %+v", payment)
	}
	o := session.Outcome
	if ok && (o.Captured != payment.Captured || o.Refunded != payment.Refunded) {
		t.Errorf("outcome %+v, the books say captured %d, refunded %d", o, payment.Captured, payment.Refunded)
	}
	var said int64
	for _, item := range session.Items {
		if item.Concluded && item.Verdict == vending.Dropped {
			said += item.Price
		}
	}
	if got := o.Captured - o.Refunded + o.Lost - o.Over; got != said {
		t.Errorf("captured − refunded + lost − over = %d, the machine said %d", got, said)
	}
}

func TestDynamicQR(t *testing.T) {
	for _, test := range []struct {
		name   string
		order  vending.DynamicQROrder
		script []vendingtest.Behaviour
		// approve, abort: when; 0 is never.
		approve, abort, withdraw time.Duration
		policy                   vending.UnknownPolicy
		want                     vending.Outcome
		reason                   vending.Reason
		drops                    int
		held                     bool
	}{
		{name: "sold", order: cola(), approve: 12 * time.Second, want: vending.Outcome{Result: vending.Sold, Captured: 2500}, drops: 1},
		{name: "jam", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Jam}, want: vending.Outcome{Result: vending.NotSold, Released: 2500}},
		{name: "basket", order: basket(), approve: 3 * time.Second, want: vending.Outcome{Result: vending.Sold, Captured: 6000}, drops: 2},
		{
			name: "half a basket", order: basket(), approve: 3 * time.Second,
			script: []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Jam},
			want:   vending.Outcome{Result: vending.PartlySold, Captured: 2500, Released: 3500}, drops: 1,
		},
		{
			name: "the other half", order: basket(), approve: 3 * time.Second,
			script: []vendingtest.Behaviour{vendingtest.Jam},
			want:   vending.Outcome{Result: vending.PartlySold, Captured: 3500, Released: 2500}, drops: 1,
		},
		{name: "abort", order: cola(), abort: 4 * time.Second, want: vending.Outcome{Result: vending.NotSold}, reason: vending.ReasonAborted},
		{name: "nobody comes", order: cola(), want: vending.Outcome{Result: vending.NotSold}, reason: vending.ReasonClock},
		{name: "return button", order: cola(), withdraw: 5 * time.Second, want: vending.Outcome{Result: vending.NotSold}, reason: vending.ReasonReturned},
		{
			name: "approved as the clock runs out", order: cola(), approve: 90*time.Second - time.Millisecond,
			want: vending.Outcome{Result: vending.Sold, Captured: 2500}, reason: "?", drops: 1,
		},
		{
			name: "the answer is lost", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.LostAnswer},
			want: vending.Outcome{Result: vending.Sold, Captured: 2500}, drops: 1,
		},
		{
			name: "the command is lost", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.LostOrder},
			want: vending.Outcome{Result: vending.NotSold, Released: 2500},
		},
		{
			name: "slow", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Slow(40 * time.Second)},
			want: vending.Outcome{Result: vending.Sold, Captured: 2500}, drops: 1,
		},
		{
			name: "silent, dropped", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Silent},
			want: vending.Outcome{Result: vending.NotSold, Released: 2500, Unknown: 2500}, drops: 1,
		},
		{
			name: "silent, not dropped", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.SilentEmpty},
			want: vending.Outcome{Result: vending.NotSold, Released: 2500, Unknown: 2500},
		},
		{
			name: "forgetful", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Forgetful},
			want: vending.Outcome{Result: vending.NotSold, Released: 2500, Unknown: 2500}, drops: 1,
		},
		{
			name: "silent in the middle of a basket", order: basket(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Drop, vendingtest.Silent},
			want: vending.Outcome{Result: vending.PartlySold, Captured: 2500, Released: 3500, Unknown: 3500}, drops: 2,
		},
		{
			name: "forgetful, held", order: cola(), approve: 3 * time.Second, script: []vendingtest.Behaviour{vendingtest.Forgetful},
			policy: vending.HoldUnknown, held: true, drops: 1,
		},
	} {
		for _, hooked := range []bool{false, true} {
			name := test.name
			if hooked {
				name += ", with webhooks"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newShop(t, vippstest.Options{}, func(c *vending.Config) { c.UnknownVerdict = test.policy })
					if hooked {
						s.hook(t)
					}
					s.machine.Script(test.script...)
					session, err := s.operator.SellDynamicQR(t.Context(), test.order, func(code vending.Code) {
						if test.approve > 0 {
							s.approveAfter(t, test.approve)(code)
						}
						if test.abort > 0 {
							time.AfterFunc(test.abort, func() { _ = s.vipps.Abort(code.Session) })
						}
						if test.withdraw > 0 {
							time.AfterFunc(test.withdraw, func() { _ = s.operator.Withdraw(context.Background(), code.Session) })
						}
					})
					if err != nil {
						t.Fatal(err)
					}
					if test.held != (session.State == vending.Held) {
						t.Errorf("state %s", session.State)
					}
					if !test.held {
						s.settled(t, session)
						if diff := cmp.Diff(test.want, session.Outcome); diff != "" {
							t.Errorf("outcome (-want +got)\n%s\n%v", diff, session.History)
						}
						if session.Reason != test.reason && test.reason != "?" { // whichever comes first, poll or clock
							t.Errorf("reason %q, want %q", session.Reason, test.reason)
						}
					}
					if got := s.machine.Dropped("A1") + s.machine.Dropped("B2"); got != test.drops {
						t.Errorf("%d products left the machine, want %d", got, test.drops)
					}
				})
			})
		}
	}
}

func TestSellLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, vippstest.Options{}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var id string
		_, err := s.operator.SellDynamicQR(ctx, cola(), func(code vending.Code) { id = code.Session })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's", err)
		}
		if payment, _ := s.vipps.Payment(id); payment.State != "TERMINATED" {
			t.Errorf("payment is %s, want TERMINATED", payment.State)
		}
	})
}
