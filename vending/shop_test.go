package vending_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

// shop is an operator with one machine, in front of an emulated Vipps MobilePay.
type shop struct {
	vipps     *vippstest.Server
	client    *vipps.Client
	operator  *vending.Operator
	machine   *vendingtest.Machine
	store     *countingStore
	shelf     *shelf
	transport http.RoundTripper
}

// countingStore counts the saves of sessions.
type countingStore struct {
	vending.Store
	writes atomic.Int64
}

func (s *countingStore) Create(ctx context.Context, session vending.Session) error {
	s.writes.Add(1)
	return s.Store.Create(ctx, session)
}

func (s *countingStore) Save(ctx context.Context, session vending.Session) error {
	s.writes.Add(1)
	return s.Store.Save(ctx, session)
}

func newShop(t *testing.T, options vippstest.Options, change func(*vending.Config)) *shop {
	t.Helper()
	s := &shop{
		vipps: vippstest.Start(t, options), machine: new(vendingtest.Machine),
		store: &countingStore{Store: vending.NewMemoryStore()}, shelf: newShelf(),
	}
	s.transport = s.vipps.Transport()
	s.client = s.connect(t, s.transport)
	s.operator = s.operate(t, s.client, s.store, s.machine, change)
	return s
}

// connect makes a client of the emulator.
func (s *shop) connect(t *testing.T, transport http.RoundTripper) *vipps.Client {
	t.Helper()
	keys := s.vipps.Credentials()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{
			ClientID: keys.ClientID, ClientSecret: keys.ClientSecret,
			SubscriptionKey: keys.SubscriptionKey, MerchantSerialNumber: keys.MerchantSerialNumber,
		},
		System:     vipps.System{Name: "vending-test", Version: "1"},
		BaseURL:    s.vipps.URL(),
		HTTPClient: &http.Client{Transport: transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (s *shop) operate(t *testing.T, client *vipps.Client, store vending.Store, machine vending.Machine, change func(*vending.Config)) *vending.Operator {
	t.Helper()
	config := vending.Config{
		Client: client, Machine: machine, Store: store, Currency: vipps.NOK,
		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"},
	}
	if change != nil {
		change(&config)
	}
	operator, err := vending.NewOperator(config)
	if err != nil {
		t.Fatal(err)
	}
	return operator
}

// hook delivers payment events and check-ins to the operator, in process.
func (s *shop) hook(t *testing.T) {
	t.Helper()
	const address = "https://shop.example/hooks/vipps"
	registration, err := webhooks.New(s.client).Register(t.Context(), webhooks.RegisterRequest{URL: address, Events: append(webhooks.PaymentEvents(), webhooks.UserCheckedIn)})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: address, Secrets: []vipps.Secret{registration.Secret}})
	if err != nil {
		t.Fatal(err)
	}
	s.vipps.HandleWebhooks(address, &webhooks.Handler{Verifier: verifier, Handle: s.operator.HandleEvent})
}

// run keeps an operator going in the background, until stop is called.
func run(operator *vending.Operator) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = operator.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
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

// drops is how many products have left the machine.
func (s *shop) drops() int { return s.machine.Dropped("A1") + s.machine.Dropped("B2") }

// finish waits, in virtual time, until every session is finished, and a little longer for what still arrives late.
func (s *shop) finish(t *testing.T) {
	t.Helper()
	for range 1000 {
		time.Sleep(10 * time.Second) //nolint:forbidigo // virtual time
		open := 0
		for range s.store.Open(t.Context()) {
			open++
		}
		if open == 0 {
			break
		}
	}
	time.Sleep(3 * time.Minute) //nolint:forbidigo // virtual time
}

// audit checks that everything is finished: the emulator's books against the sessions, and both against what the machine
// said.
func (s *shop) audit(t *testing.T) {
	t.Helper()
	for open, err := range s.store.Open(t.Context()) {
		t.Errorf("session %s is still %s, %v: %v", open.ID, open.State, err, open.History)
	}
	for _, payment := range s.vipps.Payments() {
		session, err := s.store.Load(t.Context(), payment.Reference)
		if err != nil {
			t.Errorf("payment %s: %v", payment.Reference, err)
			continue
		}
		s.settled(t, &session)
	}
}

// settled checks the emulator's books against one session, and both against what the machine said.
func (s *shop) settled(t *testing.T, session *vending.Session) {
	t.Helper()
	payment, ok := s.vipps.Payment(session.ID)
	if ok && !payment.AtRest() {
		t.Errorf("the payment is not at rest: %s, authorized %d, captured %d, cancelled %d; %v",
			payment.State, payment.Authorized, payment.Captured, payment.Cancelled, session.History)
	}
	if session.State == vending.Closed && (len(session.Body.Open()) > 0 || len(session.RedirectURL.Open()) > 0) {
		t.Errorf("session %s is over and still keeps what nobody may see", session.ID)
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
		t.Errorf("captured − refunded + lost − over = %d, the machine said %d; %v", got, said, session.History)
	}
}
