package landing

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/vippsvending/vipps/vending"
)

// Problem is why something cannot be done.
type Problem struct {
	// Status is that of the answer.
	Status int
	Text   string
	// Money says what happened to the customer's money: by pressing, or, of a page that is only looked at, what becomes of
	// what may be reserved for a purchase that the page knows nothing of.
	Money string
	// Retry is the address of a page where it may be tried again; empty if that does not help.
	Retry string
}

// problem is one kind of Problem: the keys of its texts are key.title and key.text.
type problem struct {
	status int
	key    string
	money  string // key of what is said to who has pressed
	retry  bool
}

var (
	noMachine    = problem{http.StatusNotFound, "nomachine", "money.try", false}
	noSession    = problem{http.StatusNotFound, "nosession", "money.unsure", false}
	outOfService = problem{http.StatusServiceUnavailable, "service", "money.try", true}
	inUse        = problem{http.StatusConflict, "busy", "money.try", true}
	notInPart    = problem{http.StatusConflict, "part", "money.try", true}
	notForYou    = problem{http.StatusForbidden, "customer", "money.try", false}
	refused      = problem{http.StatusBadGateway, "refused", "money.try", false}
	unanswered   = problem{http.StatusBadGateway, "unanswered", "money.unsure", true}
	failed       = problem{http.StatusBadGateway, "failed", "money.unsure", true}
	tooOften     = problem{http.StatusTooManyRequests, "often", "money.try", true}
	unpaid       = problem{http.StatusTooManyRequests, "unpaid", "money.try", true}
	badForm      = problem{http.StatusBadRequest, "form", "money.try", true}
	foreign      = problem{http.StatusForbidden, "foreign", "money.try", true}
	unavailable  = problem{http.StatusServiceUnavailable, "unavailable", "money.unsure", true}
	unheard      = problem{http.StatusServiceUnavailable, "unheard", "money.unsure", true}
)

// refuse answers with a problem's page.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, machine Machine, name string, p problem) {
	page := s.newPage(r, machine, name)
	page.Title = page.Text(p.key+".title", page.Brand)
	page.Problem = &Problem{Status: p.status, Text: page.Text(p.key+".text", page.Brand)}
	page.Problem.Money = page.Text("money.unsure")
	if r.Method == http.MethodPost {
		page.Problem.Money = page.Text(p.money)
	}
	if p.retry {
		page.Problem.Retry = page.Address
	}
	if token := r.PathValue("token"); p.retry && token != "" {
		page.Problem.Retry = s.statusAddress(token)
	}
	s.write(w, r, p.status, "problem.html", page)
}

// fail answers for an error before which nothing was made.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, machine Machine, name string, err error) {
	switch {
	case errors.Is(err, vending.ErrNoMachine):
		s.refuse(w, r, machine, "", noMachine)
	case errors.Is(err, vending.ErrPartialCapture):
		s.refuse(w, r, machine, name, notInPart)
	default:
		s.logTrouble(r.Context(), "the machine does not sell", name, err)
		s.refuse(w, r, machine, name, outOfService)
	}
}

// logTrouble tells the operator what a customer was told nothing exact about.
func (s *Site) logTrouble(ctx context.Context, what, machine string, err error) {
	s.config.Logger.LogAttrs(ctx, slog.LevelWarn, "customer is not served",
		slog.String("what", what), slog.String("machine", machine), slog.String("error", err.Error()))
}
