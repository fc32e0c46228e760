package vending_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// eavesdropper is a transport that remembers the secrets that pass it.
type eavesdropper struct {
	http.RoundTripper
	mu    sync.Mutex
	heard []string
}

func (e *eavesdropper) RoundTrip(request *http.Request) (*http.Response, error) {
	e.mu.Lock()
	if token := request.Header.Get("Authorization"); token != "" {
		e.heard = append(e.heard, strings.TrimPrefix(token, "Bearer "))
	}
	e.mu.Unlock()
	return e.RoundTripper.RoundTrip(request)
}

// TestCanary runs sales that go well and badly, prints everything that can be printed in every way, and looks for secrets.
func TestCanary(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var printed syncBuffer
		show := func(values ...any) {
			for _, value := range values {
				for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
					fmt.Fprintf(&printed, verb+"\n", value)
					fmt.Fprintf(&printed, verb+"\n", []any{&value, value}) // one level down fmt takes other paths
				}
				if encoded, err := json.Marshal(value); err == nil {
					printed.Write(encoded)
				}
				slog.New(slog.NewJSONHandler(&printed, nil)).Info("value", slog.Any("value", value))
				slog.New(slog.NewTextHandler(&printed, nil)).Info("value", slog.Any("value", value))
			}
		}
		s := newShop(t, vippstest.Options{}, nil)
		logger := slog.New(slog.NewJSONHandler(&printed, &slog.HandlerOptions{Level: slog.LevelDebug}))
		ear := &eavesdropper{RoundTripper: s.transport}
		keys := s.vipps.Credentials()
		client, err := vipps.NewClient(vipps.Config{
			Environment: vipps.Test, Credentials: vipps.Credentials(keys), System: vipps.System{Name: "canary", Version: "1"},
			BaseURL: s.vipps.URL(), HTTPClient: &http.Client{Transport: ear}, Logger: logger,
		})
		if err != nil {
			t.Fatal(err)
		}
		config := vending.Config{
			Client: client, Machine: s.machine, Store: s.store, Currency: vipps.NOK, Logger: logger,
			LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy"},
			Observe:    func(transition vending.Transition) { show(transition, &transition, transition.Session) },
		}
		operator, err := vending.NewOperator(config)
		if err != nil {
			t.Fatal(err)
		}
		show(config, operator)
		var secrets []string
		s.machine.Script(vendingtest.Drop, vendingtest.Jam)
		s.vipps.Inject(
			vippstest.Fault{Op: "create", Kind: vippstest.HalfBody},
			vippstest.Fault{Op: "get", Kind: vippstest.Refuse, Status: 502, Skip: 1},
			vippstest.Fault{Op: "capture", Kind: vippstest.RefuseSticky, Code: "6280"},
			vippstest.Fault{Op: "cancel", Kind: vippstest.HangUpAfter},
		)
		for range 3 {
			session, err := operator.SellDynamicQR(t.Context(), cola(), func(code vending.Code) {
				secrets = append(secrets, string(code.Content))
				show(code, &code)
				s.approveAfter(t, time.Second)(code)
			})
			show(session, err)
			if session != nil {
				show(*session, session.History, session.Outcome, session.Items)
			}
		}
		s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.RefuseSticky, Code: "5080"})
		_, err = operator.OpenDynamicQR(t.Context(), cola())
		show(err)
		for session := range s.store.Closed(t.Context(), time.Time{}, time.Now().Add(time.Hour)) {
			show(session)
			if !session.Body.IsZero() {
				t.Errorf("session %s still has the body of its create request", session.ID)
			}
		}
		secrets = append(secrets, keys.ClientID, keys.ClientSecret, keys.SubscriptionKey)
		secrets = append(secrets, ear.heard...)
		if len(secrets) < 10 || printed.Len() < 100_000 {
			t.Fatalf("the canary heard too little: %d secrets, %d bytes printed", len(secrets), printed.Len())
		}
		for _, secret := range secrets {
			for _, form := range []string{secret, fmt.Sprintf("%x", secret)} {
				if i := strings.Index(printed.String(), form); i >= 0 {
					t.Fatalf("a secret was printed: …%s", printed.String()[max(0, i-200):i])
				}
			}
		}
	})
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *syncBuffer) Len() int { return len(s.String()) }
