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
	page.Version = strconv.FormatInt(session.Version, 10)
	if session.State != vending.Closed {
		page.Live, page.Refresh = page.Status.Address+"/live", refreshTime
	}
	s.write(w, r, http.StatusOK, "status.html", page)
}

// session finds the session of a page, or answers that there is none.
func (s *Site) session(w http.ResponseWriter, r *http.Request) (*vending.Session, bool) {
	session, err := s.config.Operator.Page(r.Context(), r.PathValue("token"))
	switch {
	case errors.Is(err, vending.ErrNotFound):
		s.refuse(w, r, Machine{}, "", noSession)
	case err != nil:
		s.logTrouble(r.Context(), "session cannot be loaded", "", err)
		s.refuse(w, r, Machine{}, "", unavailable)
	}
	return session, err == nil
}

// continuePaying sends a customer who has come back to the app once more.
func (s *Site) continuePaying(w http.ResponseWriter, r *http.Request) {
	session, ok := s.session(w, r)
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
	session, ok := s.session(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), actTime)
	defer cancel()
	if err := do(ctx, session.ID); err != nil && !errors.Is(err, vending.ErrTooLate) {
		s.logTrouble(ctx, "session does not take it", session.Machine, err)
		s.refuse(w, r, Machine{}, "", unavailable)
		return
	}
	http.Redirect(w, r, s.statusAddress(r.PathValue("token")), http.StatusSeeOther)
}
