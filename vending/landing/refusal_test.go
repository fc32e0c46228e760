package landing_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// TestRefused has a payment refused in every way, and what the page says about the money.
func TestRefused(t *testing.T) {
	t.Parallel()
	const none = "This attempt did not reserve or charge anything"
	cola := map[string]string{"A1": "1"}
	for _, test := range []struct {
		name    string
		machine string // defaults to oslo12
		with    change
		before  func(t *testing.T, s *shop, form url.Values) url.Values
		status  int
		words   []string
	}{
		{name: "busy with somebody else", before: func(t *testing.T, s *shop, form url.Values) url.Values {
			s.buy(t, s.browser())
			return choose(form, "2500", cola)
		}, status: 409, words: []string{"in use", "or you are in another window", none, "Try again"}},
		{name: "sold out since", before: func(_ *testing.T, s *shop, form url.Values) url.Values {
			s.reprice("A1", func(p *vending.Product) { p.SoldOut = true })
			return choose(form, "6500", map[string]string{"A1": "1", "B2": "1"})
		}, status: 409, words: []string{"just sold out", none, "Total 40.00 NOK"}},
		{name: "removed since", before: func(_ *testing.T, s *shop, form url.Values) url.Values {
			s.list.Version = "same"
			s.list.Products = s.list.Products[1:]
			form.Set("planogram", "same")
			return choose(form, "2500", cola)
		}, status: 409, words: []string{none, "Chips"}},
		{name: "repriced since", before: func(_ *testing.T, s *shop, form url.Values) url.Values {
			s.reprice("A1", func(p *vending.Product) { p.Price = 2700 })
			return choose(form, "2500", cola)
		}, status: 409, words: []string{"A price has changed", none, "Total 27.00 NOK"}},
		{name: "forged price", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			form["price"][0] = "100"
			form.Del("planogram")
			return choose(form, "100", cola)
		}, status: 409, words: []string{"A price has changed", none, "Total 25.00 NOK"}},
		{name: "forged total", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			return choose(form, "100", cola)
		}, status: 200, words: []string{"Check your order", "25.00 NOK"}},
		{name: "unknown slot", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			form["slot"][0] = "Z9"
			return choose(form, "2500", map[string]string{"Z9": "1"})
		}, status: 409, words: []string{none}},
		{name: "nothing chosen", before: func(_ *testing.T, _ *shop, form url.Values) url.Values { return form }, status: 400, words: []string{"Choose at least one product"}},
		{name: "too many", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			return choose(form, "0", map[string]string{"A1": "40", "B2": "40"})
		}, status: 400, words: []string{"That many products"}},
		{name: "negative quantity", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			return choose(form, "2500", map[string]string{"A1": "2", "B2": "-1"})
		}, status: 400, words: []string{"Something went wrong", none}},
		{name: "no visit", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			form.Del("visit")
			return choose(form, "2500", cola)
		}, status: 400, words: []string{none}},
		{name: "a slot twice", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			form["slot"][1] = "A1"
			return choose(form, "2500", cola)
		}, status: 400, words: []string{none}},
		{name: "huge form", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			form.Set("x", strings.Repeat("x", 70_000))
			return choose(form, "2500", cola)
		}, status: 400, words: []string{none}},
		{name: "many lines", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			for i := range 400 {
				form.Add("slot", strconv.Itoa(i))
				form.Add("price", "1")
				form.Add("quantity", "0")
			}
			return choose(form, "2500", cola)
		}, status: 400, words: []string{none}},
		{name: "out of service", before: func(_ *testing.T, s *shop, form url.Values) url.Values {
			s.machine.SetReady(errors.New("door open"))
			return choose(form, "2500", cola)
		}, status: 503, words: []string{"out of service", none}},
		{
			name: "no partial capture", machine: "max1", with: change{operator: func(c *vending.Config) { c.NoPartialCapture = true }},
			before: func(_ *testing.T, _ *shop, _ url.Values) url.Values {
				return url.Values{"visit": {"v"}, "total": {"4000"}}
			}, status: 409, words: []string{"choose it before you pay", none},
		},
		{
			name: "one by one", with: change{operator: func(c *vending.Config) { c.NoPartialCapture = true }},
			before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
				return choose(form, "6500", map[string]string{"A1": "1", "B2": "1"})
			}, status: 409, words: []string{"one product at a time", none},
		},
		{name: "reservation without an amount", machine: "max1", before: func(_ *testing.T, _ *shop, _ url.Values) url.Values {
			return url.Values{"visit": {"v"}}
		}, status: 409, words: []string{"The choice or the amount has changed", none}},
		{name: "customer refused", before: func(_ *testing.T, s *shop, form url.Values) url.Values {
			s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.RefuseSticky, Code: string(epayment.CodeCustomerNotFound), Count: -1})
			return choose(form, "2500", cola)
		}, status: 403, words: []string{"Pay another way", none}},
		{name: "vipps does not answer", before: func(_ *testing.T, s *shop, form url.Values) url.Values {
			s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.HangUpBefore, Count: -1})
			return choose(form, "2500", cola)
		}, status: 502, words: []string{"Vipps does not answer", "will be released automatically", "Try again"}},
		{name: "refused", before: func(_ *testing.T, s *shop, form url.Values) url.Values {
			s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.RefuseSticky, Code: "5080", Count: -1})
			return choose(form, "2500", cola)
		}, status: 502, words: []string{"could not be made", "Pay another way, or contact us", none}},
		{name: "the store does not answer", with: change{operator: func(c *vending.Config) { c.Store = deaf{c.Store} }}, before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			return choose(form, "2500", cola)
		}, status: 502, words: []string{"That did not work", "will be released automatically", "Try again"}},
		{name: "no page for the door", machine: "screen1", before: func(_ *testing.T, _ *shop, _ url.Values) url.Values {
			return url.Values{"visit": {"v"}}
		}, status: 503, words: []string{none}},
		{name: "no such machine", machine: "bergen", before: func(_ *testing.T, _ *shop, form url.Values) url.Values {
			return choose(form, "2500", cola)
		}, status: 404, words: []string{"No such machine", none}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, test.with)
				machine := "oslo12"
				if test.machine != "" {
					machine = test.machine
				}
				form := test.before(t, s, s.browser().get(t, "/m/oslo12").form())
				before := s.payments()
				answer := s.browser().post(t, "/m/"+machine, form)
				answer.wants(t, test.status, test.words...)
				if s.payments() != before {
					t.Error("a payment was made")
				}
				if strings.Contains(s.log.String(), "https://") {
					t.Errorf("an address was logged: %s", s.log)
				}
			})
		})
	}
}

// deaf is a store that keeps nothing.
type deaf struct{ vending.Store }

func (deaf) Create(context.Context, vending.Session) error { return errors.New("disk is full") }

// TestUnsure does not say that nothing is reserved where a lost answer may have made a payment.
func TestUnsure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.HangUpAfter, Count: -1})
		form := choose(s.browser().get(t, "/m/oslo12").form(), "2500", map[string]string{"A1": "1"})
		answer := s.browser().post(t, "/m/oslo12", form)
		answer.wants(t, 502, "will be released automatically")
		answer.without(t, "Nothing was reserved")
		later(10 * time.Minute)
		if p := s.payment(t); !p.AtRest() {
			t.Errorf("the payment is %s", p.State)
		}
	})
}

// TestLooking looks at every page in the ways that previews, prefetches and crawlers do.
func TestLooking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		b := s.browser()
		b.header.Set("Sec-Purpose", "prefetch")
		for _, machine := range []string{"oslo12", "s", "pay1", "max1"} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				if got := b.do(t, b.request(t, method, "/m/"+machine, "")); got.status != 200 {
					t.Errorf("%s %s: %d", method, machine, got.status)
				}
			}
			if _, err := s.operator.Seat(t.Context(), machine); !errors.Is(err, vending.ErrNotFound) {
				t.Errorf("%s is taken by a look: %v", machine, err)
			}
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
			if got := b.do(t, b.request(t, method, "/m/oslo12", "")); got.status != http.StatusMethodNotAllowed {
				t.Errorf("%s: %d", method, got.status)
			}
		}
		if len(b.cookies) != 0 || s.payments() != 0 {
			t.Errorf("%d cookies and %d payments for looking", len(b.cookies), s.payments())
		}
	})
}

func TestMachineFails(t *testing.T) {
	t.Parallel()
	failing := errors.New("database is down")
	for name, test := range map[string]struct {
		target string
		change change
		status int
		logged bool
	}{
		"not a name":     {"/m/Oslo12", change{}, 404, false},
		"too long":       {"/m/" + strings.Repeat("a", 26), change{}, 404, false},
		"unknown":        {"/m/bergen", change{}, 404, false},
		"no door's page": {"/m/screen1", change{}, 503, true},
		"no machine": {"/m/oslo12", change{site: func(c *landing.Config) {
			c.Machine = func(context.Context, string) (landing.Machine, error) { return landing.Machine{}, failing }
		}}, 503, true},
		"not asked for what is no name": {"/m/Oslo12", change{site: func(c *landing.Config) {
			c.Machine = func(context.Context, string) (landing.Machine, error) { return landing.Machine{}, failing }
		}}, 404, false},
		"no price list": {"/m/oslo12", change{operator: func(c *vending.Config) {
			c.Planogram = func(context.Context, string) (vending.Planogram, error) { return vending.Planogram{}, failing }
		}}, 503, true},
		"no price list for a maximum": {"/m/max1", change{operator: func(c *vending.Config) {
			c.Planogram = func(context.Context, string) (vending.Planogram, error) { return vending.Planogram{}, failing }
		}}, 503, true},
		"no partial capture": {"/m/max1", change{operator: func(c *vending.Config) { c.NoPartialCapture = true }}, 409, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, test.change)
			p := s.browser().get(t, test.target)
			p.wants(t, test.status, "If you see a reservation for something you did not get, it will be released automatically.", "Questions?")
			p.without(t, "reserved", "reserve or", "charged") // whoever looks may have a purchase under way elsewhere
			if logged := s.log.Len() > 0; logged != test.logged {
				t.Errorf("logged %q", s.log)
			}
		})
	}
	t.Run("not ready", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, change{})
		s.machine.SetReady(errors.New("door open"))
		s.browser().get(t, "/m/oslo12").wants(t, 503, "out of service")
	})
}

func TestMadeUpToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		b := s.browser()
		status := s.buy(t, b)
		session := s.payment(t).Reference
		forged := status[:len(status)-1] + map[bool]string{true: "y", false: "x"}[status[len(status)-1] == 'x']
		for _, token := range []string{forged, "/m/s/" + session, "/m/s/" + session + ".", "/m/s/x.y"} {
			b.get(t, token).wants(t, 404, "No such purchase", "it will be released automatically")
			b.get(t, token+"/live").wants(t, 404)
			for _, button := range []string{"/cancel", "/done", "/continue"} {
				b.post(t, token+button, nil).wants(t, 404)
			}
		}
		// A cookie that somebody has made up or taken from another machine finds nothing.
		for _, cookie := range b.cookies {
			cookie.Name = "__Host-vending-s"
			b.cookies["other"] = cookie
		}
		b.get(t, "/m/s").wants(t, 200, "Cola")
		if s.payment(t).State != "CREATED" {
			t.Error("the payment was touched")
		}
	})
}
