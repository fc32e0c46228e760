package vippstest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is a Vipps MobilePay of one's own: an http.Handler that speaks the access token, ePayment, QR, Order Management
// and Webhooks APIs, and methods for what happens outside of them: the customer's phone, the merchant portal, the passing
// of time, and failures. It is safe for concurrent use. Make one with [New] or [Start].
type Server struct {
	options     Options
	credentials Credentials
	routes      []route
	client      *http.Client

	ctx    context.Context // ends with Close: what deliveries run under
	cancel context.CancelFunc
	wg     sync.WaitGroup // deliveries on their way

	mu   sync.Mutex // guards everything below
	idle *sync.Cond // signalled when something that Settle waits for has ended
	schedule

	closed        bool
	tokens        map[string]time.Time // when each access token ends
	payments      map[paymentID]*payment
	order         []*payment // in order of creation
	redirects     map[string]*payment
	checkIns      map[string]presence // by customer token
	personal      map[string]presence // by what a customer's own code says
	codes         codes
	orders        map[orderID]*orderDetails
	categories    []Category
	images        map[imageID][]byte
	keys          map[keyID]kept
	calls         map[limitID][]time.Time
	registrations []*registration
	registered    int
	handlers      map[string]http.Handler
	deliveries    []Delivery
	requests      []*Request
	counts        map[countID]int
	panics        []string // of webhook handlers

	faults         []*requestFault
	deliveryFaults []*deliveryFault
}

// Credentials are what a merchant has to show, as the portal hands them out.
type Credentials struct {
	ClientID, ClientSecret, SubscriptionKey, MerchantSerialNumber string
}

// String hides the secrets.
func (c Credentials) String() string { return "vippstest.Credentials(" + c.MerchantSerialNumber + ")" }

// GoString hides the secrets.
func (c Credentials) GoString() string { return c.String() }

// New makes an emulator without any payments. Close it when done.
func New(o Options) *Server {
	if o.PublicURL == "" {
		o.PublicURL = "https://vipps.test"
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Market == "" && !o.AcceptAnyCredentials {
		o.Market = "NO"
	}
	s := &Server{
		options: o,
		credentials: Credentials{
			ClientID:             newID(),
			ClientSecret:         base64.StdEncoding.EncodeToString(random(16)),
			SubscriptionKey:      hex.EncodeToString(random(16)),
			MerchantSerialNumber: "123456",
		},
		tokens:    map[string]time.Time{},
		payments:  map[paymentID]*payment{},
		redirects: map[string]*payment{},
		checkIns:  map[string]presence{},
		personal:  map[string]presence{},
		codes:     newCodes(),
		orders:    map[orderID]*orderDetails{},
		images:    map[imageID][]byte{},
		keys:      map[keyID]kept{},
		calls:     map[limitID][]time.Time{},
		handlers:  map[string]http.Handler{},
		counts:    map[countID]int{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.idle = sync.NewCond(&s.mu)
	s.client = deliveryClient(o.WebhookClient)
	s.routes = append(s.routes, tokenRoutes()...)
	s.routes = append(s.routes, paymentRoutes()...)
	s.routes = append(s.routes, webhookRoutes()...)
	s.routes = append(s.routes, redirectCodeRoutes()...)
	s.routes = append(s.routes, callbackCodeRoutes()...)
	s.routes = append(s.routes, exchangeRoutes()...)
	if !o.NoOrderManagement {
		s.routes = append(s.routes, orderRoutes()...)
	}
	s.routes = append(s.routes, pageRoutes()...)
	s.routes = append(s.routes, codePageRoutes()...)
	return s
}

// TB is the part of testing.TB that [Start] uses.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// Start makes an emulator that is closed at the end of the test. A webhook handler that panics fails the test.
func Start(tb TB, o Options) *Server {
	tb.Helper()
	s := New(o)
	tb.Cleanup(func() {
		s.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, p := range s.panics {
			tb.Errorf("vippstest: %s", p)
		}
	})
	return s
}

// Close ends everything: answers that are held back become broken connections, deliveries on their way are given up and
// waited for, and new requests find nobody listening. What was recorded stays readable. It must not be called by a
// webhook handler.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.tasks = nil
	s.arm()
	s.cancel()
	s.idle.Broadcast()
	s.mu.Unlock()
	s.wg.Wait()
	if s.options.WebhookClient == nil {
		s.client.CloseIdleConnections()
	}
}

// URL is where the APIs are, without a slash at the end: the base URL for a client that uses [Server.Transport].
func (s *Server) URL() string { return s.options.PublicURL }

// Credentials are the ones the emulator accepts. They are made up anew for each emulator.
func (s *Server) Credentials() Credentials { return s.credentials }

// market is where a payment in this currency is made.
func (s *Server) market(currency string) string {
	if s.options.Market != "" {
		return s.options.Market
	}
	switch currency {
	case "DKK":
		return "DK"
	case "EUR":
		return "FI"
	default:
		return "NO"
	}
}

// currency says whether the sales unit takes money in it.
func (s *Server) takes(currency string) bool {
	switch s.options.Market {
	case "":
		return true
	case "DK":
		return currency == "DKK"
	case "FI":
		return currency == "EUR"
	default:
		return currency == "NOK"
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func newID() string {
	b := random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newTraceID() string {
	return fmt.Sprintf("00-%x-%x-01", random(16), random(8))
}
