package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/webhooks"
)

const (
	secretHeader = "X-Playground"
	hookPath     = "/hook"
	controlPath  = "/do"
)

// order is what the machine's buttons, its scanner and the operator's desk ask the controller for.
type order struct {
	Do         string        `json:"do"`
	Door       vending.Door  `json:"door,omitzero"`
	Machine    string        `json:"machine,omitzero"`
	Slot       string        `json:"slot,omitzero"`
	Session    string        `json:"session,omitzero"`
	Vend       string        `json:"vend,omitzero"`
	Dropped    bool          `json:"dropped,omitzero"`
	PersonalQR string        `json:"personalQR,omitzero"`
	Phone      string        `json:"phone,omitzero"`
	Ahead      time.Duration `json:"ahead,omitzero"`
}

// reply is what the controller says to it. Problem is for the screen.
type reply struct {
	Problem string `json:"problem,omitzero"`
}

// control is how the rest of the playground reaches the controller.
func (w *worker) control(store vending.Store) (http.Handler, error) {
	site, err := w.newSite()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(pagesPath+"/", site)
	mux.HandleFunc("POST "+controlPath, func(rw http.ResponseWriter, r *http.Request) {
		if !same(r.Header.Get(secretHeader), w.Secret) {
			http.Error(rw, "not for you", http.StatusForbidden)
			return
		}
		var asked order
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		err := w.obey(r.Context(), store, asked)
		if err != nil {
			slog.New(slog.NewTextHandler(os.Stderr, nil)).Warn("refused", slog.String("order", asked.Do), slog.Any("error", err))
		}
		said := reply{problem(asked, err)}
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(said) // who has gone does not read it
	})
	if w.Hook != "" {
		secrets := make([]vipps.Secret, len(w.HookSecrets))
		for i, secret := range w.HookSecrets {
			secrets[i] = vipps.Secret(secret)
		}
		verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: w.Hook, Secrets: secrets, Now: w.now})
		if err != nil {
			return nil, err
		}
		mux.Handle("POST "+hookPath, &webhooks.Handler{
			Verifier: verifier, Handle: w.operator.HandleEvent, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		})
	}
	return mux, nil
}

func (w *worker) obey(ctx context.Context, store vending.Store, asked order) error {
	switch asked.Do {
	case "open":
		return w.open(ctx, asked)
	case "choose":
		chosen, _ := product(asked.Slot)
		return w.operator.ReportSelection(asked.Machine, chosen)
	case "forget":
		return w.operator.ReportSelection(asked.Machine)
	case "select":
		s, err := w.operator.Session(ctx, asked.Session)
		if err != nil {
			return err
		}
		return w.operator.Select(ctx, s.ID, len(s.Items)+1, asked.Slot)
	case "withdraw":
		return w.operator.Withdraw(ctx, asked.Session)
	case "complete":
		return w.operator.Complete(ctx, asked.Session)
	case "resolve":
		verdict := vending.NotDropped
		if asked.Dropped {
			verdict = vending.Dropped
		}
		return w.operator.Resolve(ctx, asked.Vend, verdict)
	case "refund":
		return w.operator.Refund(ctx, vending.RefundRequest{Session: asked.Session, Reason: "the customer complained"})
	case "clock":
		w.ahead.Store(int64(asked.Ahead))
		return w.wake(ctx, store)
	default:
		return fmt.Errorf("the controller cannot %q", asked.Do)
	}
}

// open opens a session. Customers who scan a sticker come by the pages, unless nobody looks at them.
func (w *worker) open(ctx context.Context, asked order) error {
	chosen, _ := product(asked.Slot)
	shown := []vending.Shown{{Slot: chosen.Slot, Price: chosen.Price}}
	var err error
	switch asked.Door {
	case vending.DynamicQR:
		_, err = w.operator.OpenDynamicQR(ctx, vending.DynamicQROrder{Machine: asked.Machine, Products: []vending.Product{chosen}})
	case vending.Till:
		_, err = w.operator.OpenTill(ctx, vending.TillOrder{
			Machine: asked.Machine, Products: []vending.Product{chosen},
			PersonalQR: vipps.Secret(asked.PersonalQR), PhoneNumber: vipps.Secret(asked.Phone),
		})
	case vending.SiteSelection:
		_, err = w.operator.OpenSiteSelection(ctx, vending.SiteOrder{Machine: asked.Machine, Products: shown})
	case vending.SitePayment:
		_, err = w.operator.OpenSitePayment(ctx, vending.SiteOrder{Machine: asked.Machine, Products: shown})
	case vending.StaticQR:
		_, err = w.operator.OpenStaticQR(ctx, vending.StaticQROrder{Machine: asked.Machine})
	case vending.CheckIn:
		return errors.New("a check-in comes as a webhook")
	default:
		return errors.New("there is no such door")
	}
	return err
}

// problem is the error of an order in the words of the machine's screen.
func problem(asked order, err error) string {
	_, busy := errors.AsType[*vending.BusyError](err)
	switch {
	case err == nil:
		return ""
	case busy:
		return "Another customer has the machine. Wait, or press return."
	case errors.Is(err, vending.ErrSoldOut):
		return "Sold out. Choose another product."
	case errors.Is(err, vending.ErrAboveReservation):
		return "That costs more than what is left of the reservation. Choose another product."
	case errors.Is(err, vending.ErrTooLate):
		return "Too late: the sale has moved on."
	case errors.Is(err, vending.ErrCustomer):
		return "This customer cannot pay this way."
	case errors.Is(err, vending.ErrPartialCapture):
		return closedDoor
	case errors.Is(err, vending.ErrNotFound):
		return "There is no such sale."
	case errors.Is(err, vipps.ErrOutcomeUnknown), errors.Is(err, context.DeadlineExceeded):
		return "Vipps does not answer. What was begun is taken back by itself."
	case errors.Is(err, vipps.ErrInvalidRequest) && asked.Phone != "":
		return "That cannot be used here. A phone number has its country code in front, and digits only."
	default:
		return "That did not work. Please try again."
	}
}
