package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

// wish is what a customer asks a worker for.
type wish struct {
	Machine string       `json:"machine,omitzero"`
	Door    vending.Door `json:"door,omitzero"`
	Items   int          `json:"items,omitzero"`
	Session string       `json:"session,omitzero"`
	Ordinal int          `json:"ordinal,omitzero"`
	Slot    string       `json:"slot,omitzero"`
}

// brief is what a customer can see of a session.
type brief struct {
	ID      string        `json:"id"`
	State   vending.State `json:"state"`
	Maximum bool          `json:"maximum"`
	Items   int           `json:"items"`
	Sold    bool          `json:"sold"` // something was captured
}

func briefly(s *vending.Session) brief {
	return brief{s.ID, s.State, s.Maximum, len(s.Items), s.Outcome.Captured > 0}
}

// control is how the customers, the machines' buttons and the webhooks reach a worker.
func (a assignment) control(operator *vending.Operator) (http.Handler, error) {
	mux := http.NewServeMux()
	// A customer who has not waited for the answer still stands there.
	asked := func(path string, do func(context.Context, wish) (*vending.Session, error)) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			var asked wish
			if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), timeouts.Open)
			defer cancel()
			s, err := do(ctx, asked)
			if err != nil {
				http.Error(w, err.Error(), status(err))
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(briefly(s)) // who has gone does not read it
		})
	}
	asked("/open", func(ctx context.Context, w wish) (*vending.Session, error) {
		id, err := open(ctx, operator, w)
		if err != nil {
			return nil, err
		}
		return operator.Session(ctx, id)
	})
	asked("/session", func(ctx context.Context, w wish) (*vending.Session, error) { return operator.Session(ctx, w.Session) })
	asked("/seat", func(ctx context.Context, w wish) (*vending.Session, error) { return operator.Seat(ctx, w.Machine) })
	done := func(path string, do func(context.Context, wish) error) {
		asked(path, func(ctx context.Context, w wish) (*vending.Session, error) {
			return &vending.Session{ID: w.Session}, do(ctx, w)
		})
	}
	done("/select", func(ctx context.Context, w wish) error { return operator.Select(ctx, w.Session, w.Ordinal, w.Slot) })
	done("/complete", func(ctx context.Context, w wish) error { return operator.Complete(ctx, w.Session) })
	done("/withdraw", func(ctx context.Context, w wish) error { return operator.Withdraw(ctx, w.Session) })
	done("/refund", func(ctx context.Context, w wish) error {
		return operator.Refund(ctx, vending.RefundRequest{Session: w.Session, Reason: "it was stale"})
	})
	hook, err := a.hook(operator)
	mux.Handle("POST /vipps", hook)
	return mux, err
}

// open opens a session at a door.
func open(ctx context.Context, operator *vending.Operator, w wish) (string, error) {
	products := []vending.Product{cola, chips}[:max(1, min(w.Items, 2))]
	switch w.Door {
	case vending.DynamicQR:
		code, err := operator.OpenDynamicQR(ctx, vending.DynamicQROrder{Machine: w.Machine, Products: products})
		if err != nil {
			return "", err
		}
		return code.Session, nil
	case vending.Till:
		s, err := operator.OpenTill(ctx, vending.TillOrder{Machine: w.Machine, Products: products, PhoneNumber: vipps.Secret("4712345678")})
		if err != nil {
			return "", err
		}
		return s.ID, nil
	case vending.StaticQR:
		redirect, err := operator.OpenStaticQR(ctx, vending.StaticQROrder{Machine: w.Machine, Items: w.Items})
		if err != nil {
			return "", err
		}
		return redirect.Session, nil
	case vending.SiteSelection, vending.SitePayment, vending.CheckIn:
		order := vending.SiteOrder{Machine: w.Machine}
		for _, product := range products {
			order.Products = append(order.Products, vending.Shown{Slot: product.Slot, Price: product.Price})
		}
		redirect, err := operator.OpenSiteSelection(ctx, order)
		if err != nil {
			return "", err
		}
		return redirect.Session, nil
	default:
		return "", errors.New("there is no such door")
	}
}

// status says what a customer can do about an error.
func status(err error) int {
	_, busy := errors.AsType[*vending.BusyError](err)
	switch {
	case busy:
		return http.StatusLocked // come again
	case errors.Is(err, vending.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, vending.ErrTooLate), errors.Is(err, vending.ErrAboveReservation), errors.Is(err, vending.ErrRefunded):
		return http.StatusConflict // for good
	default:
		return http.StatusBadGateway
	}
}

// asking is a client for the workers: one that is gone is noticed soon.
func asking() *http.Client {
	return &http.Client{
		Timeout:   4 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 100, IdleConnTimeout: time.Minute},
	}
}
