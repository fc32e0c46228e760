package vending_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// TestPressedTwice presses pay twice on one page: one after the other, and both in the same moment.
func TestPressedTwice(t *testing.T) {
	t.Parallel()
	const dearest = 3500
	press := map[string]func(*testing.T, *shop) (*vending.Redirect, error){
		"site, product selection": func(t *testing.T, s *shop) (*vending.Redirect, error) {
			t.Helper()
			return s.operator.OpenSiteSelection(t.Context(), vending.SiteOrder{Machine: "oslo12", Products: shown(1), Visit: "v"})
		},
		"site, payment only": func(t *testing.T, s *shop) (*vending.Redirect, error) {
			t.Helper()
			return s.operator.OpenSitePayment(t.Context(), vending.SiteOrder{Machine: "oslo12", Products: shown(1), Visit: "v"})
		},
		"static QR": func(t *testing.T, s *shop) (*vending.Redirect, error) {
			t.Helper()
			return s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12", Shown: dearest, Visit: "v"})
		},
	}
	for name, press := range press {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := staticShop(t, vippstest.Options{}, nil)
				if name != "static QR" {
					if err := s.operator.ReportSelection("oslo12", products(1)...); err != nil {
						t.Fatal(err)
					}
				}
				s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.Slow, Delay: 3 * time.Second})
				var redirects [3]*vending.Redirect
				var pressed sync.WaitGroup
				for i := range redirects {
					pressed.Go(func() {
						var err error
						if redirects[i], err = press(t, s); err != nil {
							t.Error(err)
						}
					})
				}
				pressed.Wait()
				again, err := press(t, s)
				if err != nil {
					t.Fatal(err)
				}
				for _, redirect := range redirects {
					if redirect == nil || *redirect != *again || again.URL == "" {
						t.Errorf("%v is not %v", redirect, again)
					}
				}
				if n := len(s.vipps.Payments()); n != 1 {
					t.Errorf("%d payments", n)
				}
			})
		})
	}
}

func TestPressedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := staticShop(t, vippstest.Options{}, nil)
		press := func(visit string, n int) (*vending.Redirect, error) {
			return s.operator.OpenSiteSelection(t.Context(), vending.SiteOrder{Machine: "oslo12", Products: shown(n), Visit: visit})
		}
		first, err := press("v", 1)
		if err != nil {
			t.Fatal(err)
		}
		for name, press := range map[string]func() (*vending.Redirect, error){
			"another page":   func() (*vending.Redirect, error) { return press("w", 1) },
			"no visit":       func() (*vending.Redirect, error) { return press("", 1) },
			"something else": func() (*vending.Redirect, error) { return press("v", 2) },
			"the other sticker": func() (*vending.Redirect, error) {
				return s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12", Visit: "v"})
			},
		} {
			busy, ok := errors.AsType[*vending.BusyError](second(press()))
			if !ok || busy.Session != first.Session {
				t.Errorf("%s: %v", name, busy)
			}
		}
		resumed, err := s.operator.Redirect(t.Context(), string(first.Page))
		if err != nil || *resumed != *first {
			t.Errorf("%v, %v", resumed, err)
		}
		if _, err := s.operator.Redirect(t.Context(), first.Session+".aaaa"); !errors.Is(err, vending.ErrNotFound) {
			t.Errorf("a token that is made up: %v", err)
		}

		if err := s.vipps.Abort(first.Session); err != nil {
			t.Fatal(err)
		}
		defer run(s.operator)()
		if _, err := s.operator.Wait(t.Context(), first.Session); err != nil {
			t.Fatal(err)
		}
		ended, err := press("v", 1)
		if err != nil || ended.URL != "" || ended.Page != first.Page {
			t.Errorf("after it was aborted: %v, %v", ended, err)
		}
		if n := len(s.vipps.Payments()); n != 1 {
			t.Errorf("%d payments", n)
		}
	})
}

func second(_ *vending.Redirect, err error) error { return err }

// TestReturnURL lets a phone on the same machine come back without TLS, where nobody pays with money, and takes no
// place-holder that nobody would fill.
func TestReturnURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		url         string
		environment vipps.Environment
		ok          bool
	}{
		{"https://acme.example/s/{token}", vipps.Production, true},
		{"http://127.0.0.1:8080/s/{token}", vipps.Test, true},
		{"http://localhost:8080/s/{token}", vipps.Test, true},
		{"http://[::1]:8080/s/{token}", vipps.Test, true},
		{"http://localhost:8080/s/{token}", vipps.Production, false},
		{"http://acme.example/s/{token}", vipps.Test, false},
		{"http://localhost.acme.example/s/{token}", vipps.Test, false},
		{"javascript:alert(1)", vipps.Test, false},
		{"https://acme.example/thanks", vipps.Production, true},
		{"https://acme.example/s/{Token}", vipps.Test, false},
		{"https://acme.example/s/{token}/{session}", vipps.Test, false},
		{"https://acme.example/s/{token", vipps.Test, false},
	} {
		client, err := vipps.NewClient(vipps.Config{
			Environment: test.environment,
			Credentials: vipps.Credentials{ClientID: "i", ClientSecret: "s", SubscriptionKey: "k", MerchantSerialNumber: "123456"},
			System:      vipps.System{Name: "acme-vend", Version: "1"},
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = vending.NewOperator(vending.Config{
			Client: client, Machine: new(vendingtest.Machine), Currency: vipps.NOK, TermsAcceptedElsewhere: true, ReturnURL: test.url,
		})
		if (err == nil) != test.ok {
			t.Errorf("%s in %s: %v", test.url, test.environment, err)
		}
	}
}

// TestRefusedPayment tells a payment that was refused for good from one that was not answered.
func TestRefusedPayment(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault         vippstest.Fault
		refused, able bool
	}{
		"refused":           {vippstest.Fault{Op: "create", Kind: vippstest.RefuseSticky, Code: "5060"}, true, true},
		"not this customer": {vippstest.Fault{Op: "create", Kind: vippstest.RefuseSticky, Code: "7010"}, false, false},
		"never answered":    {vippstest.Fault{Op: "create", Kind: vippstest.HangUpBefore, Count: -1}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := staticShop(t, vippstest.Options{}, nil)
				s.vipps.Inject(test.fault)
				_, err := s.operator.OpenStaticQR(t.Context(), vending.StaticQROrder{Machine: "oslo12"})
				if err == nil || errors.Is(err, vending.ErrRefused) != test.refused || errors.Is(err, vending.ErrCustomer) == test.able {
					t.Errorf("%v", err)
				}
			})
		})
	}
}
