package landing

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// showStatus shows how a session is going, in whatever browser the customer has come back.
func (s *Site) showStatus(w http.ResponseWriter, r *http.Request) {
	session, ok := s.session(w, r)
	if !ok {
		return
	}
	// What the machine is called is nice to know; the status is shown without it too.
	machine, err := s.config.Machine(r.Context(), session.Machine)
	if err != nil {
		s.logTrouble(r.Context(), "machine is not known", session.Machine, err)
	}
	page := s.newPage(r, machine, session.Machine)
	if err != nil || !hasPage(session.Door) {
		page.Address = ""
	}
	page.Format = formatOf(page.Language, session.Currency)
	page.Status = page.tell(session)
	page.Title = page.Status.title
	page.Status.Address = s.statusAddress(r.PathValue("token"))
	page.Version = statusVersion(session)
	page.Status.Again = page.Address
	if !session.Finished() { // a refund may be under way
		page.Live, page.Refresh = page.Status.Address+"/live", refreshTime
	}
	if session.State != vending.Closed {
		page.Status.Again = ""
		if page.Address != "" && page.Status.Contact && session.Seat == "" { // the machine is free, and this may take days
			page.Status.Again = page.Address + "?again=1"
		}
	}
	s.write(w, r, http.StatusOK, "status.html", page)
}

// statusVersion changes with what a session's page says. The time that is left to choose is said in tens of seconds.
func statusVersion(s *vending.Session) string {
	return strconv.FormatInt(s.Version, 10) + "." + strconv.Itoa(timeLeft(s))
}

// session finds the session of a page, or answers that there is none.
func (s *Site) session(w http.ResponseWriter, r *http.Request) (*vending.Session, bool) {
	session, err := s.config.Operator.Page(r.Context(), r.PathValue("token"))
	switch {
	case errors.Is(err, vending.ErrNotFound):
		s.refuse(w, r, Machine{}, "", noSession)
	case err != nil:
		s.logTrouble(r.Context(), "session cannot be loaded", "", err)
		if r.Method == http.MethodPost {
			s.refuse(w, r, Machine{}, "", unheard)
			break
		}
		s.refuse(w, r, Machine{}, "", unavailable)
	}
	return session, err == nil
}

// pressed finds the session whose button was pressed.
func (s *Site) pressed(w http.ResponseWriter, r *http.Request) (*vending.Session, bool) {
	if err := readForm(w, r); err != nil {
		s.refuse(w, r, Machine{}, "", badForm)
		return nil, false
	}
	return s.session(w, r)
}

// continuePaying sends a customer who has come back to the app once more.
func (s *Site) continuePaying(w http.ResponseWriter, r *http.Request) {
	session, ok := s.pressed(w, r)
	if !ok {
		return
	}
	to := s.statusAddress(r.PathValue("token"))
	redirect, err := s.config.Operator.Redirect(r.Context(), r.PathValue("token"))
	switch {
	case err != nil:
		s.logTrouble(r.Context(), "session cannot be continued", session.Machine, err)
	case redirect.URL != "":
		to = string(redirect.URL)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// giveUp takes the session back, as far as that is still possible.
func (s *Site) giveUp(w http.ResponseWriter, r *http.Request) {
	s.act(w, r, s.config.Operator.Withdraw)
}

// complete is the customer who wants nothing more.
func (s *Site) complete(w http.ResponseWriter, r *http.Request) {
	s.act(w, r, s.config.Operator.Complete)
}

// actTime bounds how long a customer who has pressed a button waits.
const actTime = 15 * time.Second

// act does something with a session and shows what became of it: too late is an answer too.
func (s *Site) act(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, session string) error) {
	session, ok := s.pressed(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), actTime)
	defer cancel()
	if err := do(ctx, session.ID); err != nil && !errors.Is(err, vending.ErrTooLate) {
		s.logTrouble(ctx, "session does not take it", session.Machine, err)
		s.refuse(w, r, Machine{}, "", unheard)
		return
	}
	s.toStatus(w, r, r.PathValue("token"))
}

// showButton leads back from what a button has answered, which is no page of its own.
func (s *Site) showButton(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.session(w, r); ok {
		s.toStatus(w, r, r.PathValue("token"))
	}
}

// toStatus leads to a session's page.
func (s *Site) toStatus(w http.ResponseWriter, r *http.Request, token string) {
	http.Redirect(w, r, inLanguage(r, s.statusAddress(token)), http.StatusSeeOther)
}
