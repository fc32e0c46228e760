package landing_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

func TestSelection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		s.machine.Script(vendingtest.Slow(5*time.Second), vendingtest.Jam)
		b := s.browser()
		first := b.get(t, "/m/oslo12")
		first.wants(t, 200, "Platform 3", "Cola & ice", "25.00 NOK", "Sold out", "Age 18+", "terms of sale", "Acme <Vending>")
		form := first.form()
		if got := strings.Join(form["slot"], " "); got != "A1 B2 C3" {
			t.Errorf("slots %q can be chosen, want those that are not sold out", got)
		}
		to := b.post(t, "/m/oslo12", choose(form, "6500", map[string]string{"A1": "1", "B2": "1"})).to(t)
		payment := s.payment(t)
		if to != payment.RedirectURL || payment.Amount != 6500 {
			t.Errorf("sent to %s to pay %d, want %s and 6500", to, payment.Amount, payment.RedirectURL)
		}
		status := s.status(t)
		other := s.browser() // the app may open another one
		other.get(t, status).wants(t, 200, "Approve in Vipps", "65.00 NOK", "Continue in Vipps", "Cancel the purchase", payment.Reference)
		if got := other.post(t, status+"/continue", nil).to(t); got != payment.RedirectURL {
			t.Errorf("continued at %s, want %s", got, payment.RedirectURL)
		}
		if err := s.vipps.Approve(payment.Reference); err != nil {
			t.Fatal(err)
		}
		later(3 * time.Second)
		if got := other.post(t, status+"/cancel", nil).to(t); got != status { // the machine has been told
			t.Errorf("given up too late: sent to %s", got)
		}
		coming := other.get(t, status)
		coming.wants(t, 200, "Your product is coming")
		coming.without(t, "Cancel the purchase", "Continue")
		later(time.Minute)
		over := other.get(t, status)
		over.wants(t, 200, "Not everything came out", "Charged 25.00 NOK", "Released 40.00 NOK", "Came out", "Did not come out")
		if strings.Contains(over.body, "http-equiv") || strings.Contains(over.body, "/live") {
			t.Error("a page that is final is fetched again")
		}
	})
}

func TestSelectionWithoutScript(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		b := s.browser()
		form := b.get(t, "/m/oslo12").form()
		press := func(button string) page {
			form.Set("step", button)
			return b.post(t, "/m/oslo12", form)
		}
		for _, button := range []string{"more A1", "more A1", "less A1", "more C3"} {
			p := press(button)
			p.wants(t, 200)
			if limited := !strings.Contains(p.body, "data-age-check hidden"); limited != (button == "more C3") {
				t.Errorf("%s: the age limit is told: %v", button, limited)
			}
			// The browser comes back to the product whose button it was.
			if !strings.Contains(p.body, `id="line-2" data-price="5000" data-age="18"`) || !strings.Contains(p.body, `value="more C3" formaction="/m/oslo12#line-2"`) {
				t.Errorf("%s: %s", button, p.body)
			}
			form = p.form()
		}
		if got := strings.Join(form["quantity"], " "); got != "1 0 1" {
			t.Fatalf("quantities %s, want 1 0 1", got)
		}
		visit := form.Get("visit")
		form["quantity"][1] = "2" // typed: the page cannot know the sum
		form.Del("step")
		review := b.post(t, "/m/oslo12", form)
		review.wants(t, 200, "Check your order", "155.00 NOK", "Vipps checks your age", "Pay with Vipps")
		if s.payments() != 0 {
			t.Fatal("a total that was not shown was to be paid")
		}
		form = review.form()
		changed := press("change")
		changed.wants(t, 200, "Sold out", "155.00 NOK")
		form = changed.form()
		form.Del("step")
		b.post(t, "/m/oslo12", form).to(t)
		if p := s.payment(t); p.Amount != 15500 || form.Get("visit") != visit {
			t.Errorf("amount %d of visit %s, want 15500 of %s", p.Amount, form.Get("visit"), visit)
		}
	})
}

func TestPayment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		b := s.browser()
		empty := b.get(t, "/m/pay1")
		empty.wants(t, 200, "Choose on the machine")
		empty.without(t, "Pay with")
		if !strings.Contains(empty.body, `<noscript><meta http-equiv="refresh"`) {
			t.Error("without a script nothing would ever be seen")
		}
		b.post(t, "/m/pay1", url.Values{"visit": {"v"}}).wants(t, 409, "Nothing is chosen on the machine any more", "This attempt did not reserve or charge anything")
		cola := vending.Product{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}
		if err := s.operator.ReportSelection("pay1", cola); err != nil {
			t.Fatal(err)
		}
		shown := b.get(t, "/m/pay1")
		shown.wants(t, 200, "Pay for what you chose", "Cola", "25.00 NOK", "Pay with Vipps", "terms of sale")
		cola.Price = 2700
		if err := s.operator.ReportSelection("pay1", cola); err != nil {
			t.Fatal(err)
		}
		again := b.post(t, "/m/pay1", shown.form())
		again.wants(t, 409, "The choice or the amount has changed", "27.00 NOK")
		if s.payments() != 0 {
			t.Fatal("a price was paid that the page did not show")
		}
		b.post(t, "/m/pay1", again.form()).to(t)
		payment := s.payment(t)
		if err := s.vipps.Approve(payment.Reference); err != nil {
			t.Fatal(err)
		}
		later(time.Minute)
		b.get(t, s.status(t)).wants(t, 200, "Thank you!", "Charged 27.00 NOK")
	})
}

// TestPaymentOfTwo is a customer who has chosen the same product twice, with another one between.
func TestPaymentOfTwo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, machine := range []string{"pay1", "max1"} {
			s := newShop(t, change{})
			cola := vending.Product{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}
			chips := vending.Product{Name: "Chips", Slot: "B2", Price: 4000, TaxRate: 1500}
			if err := s.operator.ReportSelection(machine, cola, chips, cola); err != nil {
				t.Fatal(err)
			}
			b := s.browser()
			shown := b.get(t, "/m/"+machine)
			shown.wants(t, 200, "Cola", "Chips", "Total 90.00 NOK")
			b.post(t, "/m/"+machine, shown.form()).to(t)
			if p := s.payment(t); p.Amount != 9000 {
				t.Errorf("%s: %d is to be paid, want 9000", machine, p.Amount)
			}
		}
	})
}

// TestReservationCompares presses pay when the machine has something else for the same amount by then.
func TestReservationCompares(t *testing.T) {
	t.Parallel()
	chips := vending.Product{Name: "Chips", Slot: "B2", Price: 4000, TaxRate: 1500}
	juice := vending.Product{Name: "Prune juice", Slot: "F6", Price: 4000, TaxRate: 1500}
	for name, test := range map[string]struct {
		before, after []vending.Product
		says          string
	}{
		"another product":             {[]vending.Product{chips}, []vending.Product{juice}, "Prune juice"},
		"a maximum, by then a choice": {nil, []vending.Product{chips}, "Chips"},
		"a choice, by then a maximum": {[]vending.Product{chips}, nil, "at most 40.00 NOK"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, change{})
				report := func(products []vending.Product) {
					if err := s.operator.ReportSelection("max1", products...); err != nil {
						t.Fatal(err)
					}
				}
				report(test.before)
				form := s.browser().get(t, "/m/max1").form()
				report(test.after)
				again := s.browser().post(t, "/m/max1", form)
				again.wants(t, 409, "has changed", test.says)
				if s.payments() != 0 {
					t.Error("something is to be paid that the page did not show")
				}
				s.browser().post(t, "/m/max1", again.form()).to(t)
			})
		})
	}
}

func TestReservation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		b := s.browser()
		shown := b.get(t, "/m/max1")
		shown.wants(t, 200, "Approve first, then choose", "at most 40.00 NOK", "You pay only for what you take", "terms of sale")
		s.reprice("B2", func(p *vending.Product) { p.Price = 4500 })
		again := b.post(t, "/m/max1", shown.form())
		again.wants(t, 409, "The choice or the amount has changed", "at most 45.00 NOK", "This attempt did not reserve or charge anything")
		b.post(t, "/m/max1", again.form()).to(t)
		payment := s.payment(t)
		status := s.status(t)
		b.get(t, status).wants(t, 200, "approve that at most 45.00 NOK is reserved")
		if err := s.vipps.Approve(payment.Reference); err != nil {
			t.Fatal(err)
		}
		later(3 * time.Second)
		b.get(t, status).wants(t, 200, "Choose on the machine", "one product for at most 45.00 NOK", "I am done")
		if err := s.operator.Select(t.Context(), payment.Reference, 1, "A1"); err != nil {
			t.Fatal(err)
		}
		later(time.Minute)
		b.get(t, status).wants(t, 200, "Thank you!", "Charged 25.00 NOK", "Released 20.00 NOK")
	})
}

// TestReservationOtherwise is a customer who wants nothing after all, and one who has chosen on the machine before the scan.
func TestReservationOtherwise(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		b := s.browser()
		b.post(t, "/m/max1", b.get(t, "/m/max1").form()).to(t)
		status := s.status(t)
		if err := s.vipps.Approve(s.payment(t).Reference); err != nil {
			t.Fatal(err)
		}
		later(3 * time.Second)
		if got := b.post(t, status+"/done", nil).to(t); got != status {
			t.Errorf("sent to %s, want %s", got, status)
		}
		later(time.Minute)
		b.get(t, status).wants(t, 200, "You took nothing", "Nothing was charged", "Released 40.00 NOK")

		if err := s.operator.ReportSelection("max1", vending.Product{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}); err != nil {
			t.Fatal(err)
		}
		exact := b.get(t, "/m/max1")
		exact.wants(t, 200, "Pay for what you chose", "Cola", "25.00 NOK")
		exact.without(t, "at most", "reserved")
		b.post(t, "/m/max1", exact.form()).to(t)
		if all := s.vipps.Payments(); len(all) != 2 || all[1].Amount != 2500 {
			t.Errorf("%d payments, want the second to be of 2500", len(all))
		}
	})
}

func TestGiveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		b := s.browser()
		status := s.buy(t, b)
		if got := b.get(t, "/m/oslo12").to(t); got != status {
			t.Errorf("the back button leads to %s, want the payment that is under way, %s", got, status)
		}
		s.browser().get(t, "/m/oslo12").wants(t, 200, "Cola") // somebody else sees the price list
		b.post(t, status+"/cancel", nil).to(t)
		later(10 * time.Second)
		b.get(t, status).wants(t, 200, "The purchase was cancelled", "Nothing was charged")
		if got := b.post(t, status+"/continue", nil).to(t); got != status {
			t.Errorf("a payment that was taken back is continued at %s", got)
		}
		b.post(t, status+"/cancel", nil).to(t) // as often as one likes
		b.get(t, "/m/oslo12").wants(t, 200, "Cola")
		if p := s.payment(t); !p.AtRest() {
			t.Errorf("the payment is %s", p.State)
		}
	})
}

// TestPressedTwice presses pay again while the first answer is under way, after it, and in many places at once.
func TestPressedTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.Slow, Delay: 3 * time.Second})
		form := choose(s.browser().get(t, "/m/oslo12").form(), "2500", map[string]string{"A1": "1"})
		answers := make([]page, 5)
		var pressing sync.WaitGroup
		for i := range answers {
			pressing.Go(func() { answers[i] = s.browser().post(t, "/m/oslo12", form) })
		}
		pressing.Wait()
		for _, answer := range append(answers, s.browser().post(t, "/m/oslo12", form)) {
			if got := answer.to(t); got != s.payment(t).RedirectURL {
				t.Errorf("sent to %s, want %s", got, s.payment(t).RedirectURL)
			}
		}
		if err := s.vipps.Approve(s.payment(t).Reference); err != nil {
			t.Fatal(err)
		}
		later(time.Minute)
		if got := s.browser().post(t, "/m/oslo12", form).to(t); got != s.status(t) {
			t.Errorf("pressed once more after the sale: sent to %s, want its status page", got)
		}
		if s.machine.Dropped("A1") != 1 {
			t.Errorf("%d products came out, want 1", s.machine.Dropped("A1"))
		}
	})
}

// TestBackAndChanged goes back and pays for something else while the first payment is under way.
func TestBackAndChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		b := s.browser()
		form := b.get(t, "/m/oslo12").form()
		b.post(t, "/m/oslo12", choose(form, "2500", map[string]string{"A1": "1"})).to(t)
		if got := b.post(t, "/m/oslo12", choose(form, "6500", map[string]string{"B2": "1"})).to(t); got != s.status(t) {
			t.Errorf("sent to %s, want the payment that is under way", got)
		}
		s.machine.SetReady(errors.New("busy with the motor"))
		if got := b.post(t, "/m/oslo12", form).to(t); got != s.status(t) {
			t.Errorf("sent to %s, want the payment that is under way", got)
		}
	})
}

// TestLeft is a browser that leaves while the payment is being made: what it opened is there for the next press.
func TestLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		defer s.run()()
		s.vipps.Inject(vippstest.Fault{Op: "create", Kind: vippstest.Slow, Delay: 3 * time.Second})
		b := s.browser()
		form := choose(b.get(t, "/m/oslo12").form(), "2500", map[string]string{"A1": "1"})
		r := b.request(t, http.MethodPost, "/m/oslo12", form.Encode())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		time.AfterFunc(time.Second, leave)
		b.do(t, r.WithContext(ctx))
		if got := s.browser().post(t, "/m/oslo12", form).to(t); got != s.payment(t).RedirectURL {
			t.Errorf("sent to %s, want %s", got, s.payment(t).RedirectURL)
		}
	})
}

// TestMaximumInTheApp looks at what the app shows with a maximum: the words are those of the page's language.
func TestMaximumInTheApp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for language, want := range map[string]string{
			"nb": "Inntil 40,00\u00a0kr reserveres. Du betaler bare for det du tar.",
			"fi": "Enintään 40,00\u00a0NOK varataan. Maksat vain siitä, mitä otat.",
		} {
			s := newShop(t, change{})
			b := s.browser()
			b.header.Set("Accept-Language", language)
			b.post(t, "/m/max1", b.get(t, "/m/max1").form()).to(t)
			var sent struct {
				PaymentDescription string `json:"paymentDescription"`
			}
			if err := json.Unmarshal(s.payment(t).Body, &sent); err != nil || sent.PaymentDescription != want {
				t.Errorf("%s: %q, %v, want %q", language, sent.PaymentDescription, err, want)
			}
		}
	})
}
