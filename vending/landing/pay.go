package landing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

// openTime bounds how long a customer waits for the app. It is longer than a payment is tried to be made by default.
const openTime = 40 * time.Second

// pay takes the press of the button, or of one that only changes what is chosen.
func (s *Site) pay(w http.ResponseWriter, r *http.Request) {
	unread := readForm(w, r)
	machine, name, ok := s.machine(w, r)
	if !ok {
		return
	}
	if unread != nil {
		s.refuse(w, r, machine, name, badForm)
		return
	}
	order, err := parseBasket(r.PostForm, machine.Door == vending.SiteSelection)
	count, sum := order.count()
	if err != nil || machine.Door != vending.SiteSelection && count > maxQuantity {
		s.refuse(w, r, machine, name, badForm)
		return
	}
	if machine.Door == vending.SiteSelection {
		switch {
		case order.step(r.PostForm.Get("step")):
			s.offer(w, r, http.StatusOK, machine, name, order, "")
			return
		case count == 0:
			s.offer(w, r, http.StatusBadRequest, machine, name, order, "notice.choose")
			return
		case count > maxQuantity:
			s.offer(w, r, http.StatusBadRequest, machine, name, order, "notice.many")
			return
		case sum != order.total: // without a script the customer has not seen the sum yet
			order.review = true
			s.offer(w, r, http.StatusOK, machine, name, order, "notice.review")
			return
		}
	}
	if wait, ok := s.mayPress(r); !ok {
		s.tooOften(w, r, machine, name, wait, tooOften)
		return
	}
	// A browser that presses twice leaves the first request. Its payment is the one that the second asks for.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), openTime)
	defer cancel()
	at := s.placeOf(r, name)
	if wait, ok := s.mayOpen(ctx, at); !ok {
		s.tooOften(w, r, machine, name, wait, unpaid)
		return
	}
	redirect, err := s.open(ctx, machine, name, order, s.language(r, machine))
	if err != nil {
		s.explain(w, r, machine, name, order, err)
		return
	}
	s.places.spend(at, redirect.Session)
	s.remember(w, name, redirect)
	to := string(redirect.URL)
	if to == "" {
		to = s.statusAddress(string(redirect.Page))
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// formTime is how long what is sent may take to arrive: a form is a few hundred bytes.
const formTime = 10 * time.Second

// readForm reads what was posted, to its end, although it may be no form: the server would read the rest without a time limit.
// What has not come to its end keeps the limit that ServeHTTP has set.
func readForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	err := r.ParseForm()
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err == nil {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // not every server has one
	}
	return err
}

func (s *Site) open(ctx context.Context, machine Machine, name string, order basket, language string) (*vending.Redirect, error) {
	site := vending.SiteOrder{Machine: name, Products: order.shown(), Planogram: order.planogram, Visit: order.visit}
	switch machine.Door {
	case vending.SiteSelection:
		return s.config.Operator.OpenSiteSelection(ctx, site)
	case vending.SitePayment:
		if len(site.Products) == 0 {
			return nil, vending.ErrNoSelection
		}
		return s.config.Operator.OpenSitePayment(ctx, site)
	case vending.StaticQR:
		if order.total == 0 {
			return nil, vending.ErrRepriced
		}
		currency := s.config.Operator.Currency()
		return s.config.Operator.OpenStaticQR(ctx, vending.StaticQROrder{
			Description: text(language, "app.maximum", formatOf(language, currency).Write(order.total)),
			Machine:     name, Items: machine.Items, MinimumUserAge: machine.MinimumUserAge, Shown: order.total, Products: order.shown(), Visit: order.visit,
		})
	case vending.DynamicQR, vending.CheckIn, vending.Till:
	}
	return nil, fmt.Errorf("Machine.Door: %q has no page: %w", machine.Door, vipps.ErrInvalidRequest)
}

// tooOften answers somebody who has no try left. They may have pressed for the purchase that they have.
func (s *Site) tooOften(w http.ResponseWriter, r *http.Request, machine Machine, name string, wait time.Duration, p problem) {
	if token := s.ownSession(r, name); token != "" {
		s.toStatus(w, r, token)
		return
	}
	w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	s.refuse(w, r, machine, name, p)
}

// explain answers for a payment that was not made.
func (s *Site) explain(w http.ResponseWriter, r *http.Request, machine Machine, name string, order basket, err error) {
	holder, busy := errors.AsType[*vending.BusyError](err)
	again := func(notice string) { s.offer(w, r, http.StatusConflict, machine, name, order, notice) }
	refuse := func(p problem) {
		s.logTrouble(r.Context(), "the payment was not made", name, err)
		s.refuse(w, r, machine, name, p)
	}
	switch {
	case busy, errors.Is(err, vending.ErrNotReady): // it may be at work for this customer
		if token := s.ownSession(r, name); token != "" && (!busy || holder.Session == "" || strings.HasPrefix(token, holder.Session+".")) {
			s.toStatus(w, r, token)
			return
		}
		if busy {
			s.refuse(w, r, machine, name, inUse)
			return
		}
		refuse(outOfService)
	case errors.Is(err, vending.ErrRepriced):
		if machine.Door == vending.SiteSelection {
			again("notice.repriced")
		} else {
			again("notice.selection")
		}
	case errors.Is(err, vending.ErrSoldOut), errors.Is(err, vending.ErrNoProduct):
		again("notice.soldout")
	case errors.Is(err, vending.ErrNoSelection):
		again("notice.unselected")
	case errors.Is(err, vending.ErrCustomer):
		s.refuse(w, r, machine, name, notForYou)
	case errors.Is(err, vending.ErrRefused):
		refuse(refused)
	case errors.Is(err, vending.ErrNoMachine), errors.Is(err, vending.ErrPartialCapture), errors.Is(err, vipps.ErrInvalidRequest):
		s.fail(w, r, machine, name, err)
	case silent(err): // the engine takes back what there may be
		refuse(unanswered)
	default:
		refuse(failed)
	}
}

// silent says that Vipps MobilePay did not answer, and not that something else went wrong.
func silent(err error) bool {
	failure, ok := errors.AsType[*vipps.Error](err)
	return ok && (failure.Status == 0 || failure.OutcomeUnknown)
}
