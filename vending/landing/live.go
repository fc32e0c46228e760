package landing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vippsvending/vipps/vending"
)

const (
	// liveTime is how long one connection keeps a page up to date. Browsers then connect anew.
	liveTime = 5 * time.Minute
	// heartbeat is how often something is sent, so that proxies and the server notice who has left.
	heartbeat = 15 * time.Second
	// writeTime is how long a browser may take for what is sent, whatever the server's WriteTimeout.
	writeTime = 10 * time.Second
	// selectionPace is how often a machine's selection, which is in memory, is looked at.
	selectionPace = 500 * time.Millisecond
)

// followStatus tells a status page when its session changes.
func (s *Site) followStatus(w http.ResponseWriter, r *http.Request) {
	session, ok := s.session(w, r)
	if !ok {
		return
	}
	if session.Finished() {
		w.WriteHeader(http.StatusNoContent) // which tells the browser not to connect again
		return
	}
	s.follow(w, r, func(ctx context.Context, last string) (string, bool, error) {
		now, err := s.config.Operator.WaitFor(ctx, session.ID, func(s *vending.Session) bool { return statusVersion(s) != last })
		if err != nil {
			return "", false, err
		}
		return statusVersion(now), now.Finished(), nil
	})
}

// followMachine tells a page when something else is chosen on the machine.
func (s *Site) followMachine(w http.ResponseWriter, r *http.Request) {
	machine, name, ok := s.machine(w, r)
	if !ok {
		return
	}
	if machine.Door != vending.SitePayment && machine.Door != vending.StaticQR {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.follow(w, r, func(ctx context.Context, last string) (string, bool, error) {
		ticker := time.NewTicker(selectionPace)
		defer ticker.Stop()
		for {
			products, _ := s.config.Operator.Selection(name)
			if version := selectionVersion(products); version != last {
				return version, false, nil
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return "", false, ctx.Err()
			}
		}
	})
}

// follow sends each version of what a page shows. The page then fetches itself again, so that there is one way to draw it.
// change waits for a version other than the last, and says whether it is the final one.
func (s *Site) follow(w http.ResponseWriter, r *http.Request, change func(ctx context.Context, last string) (version string, final bool, err error)) {
	leave, ok := s.viewers.enter(s.config.ClientAddress(r))
	if !ok {
		w.Header().Set("Retry-After", "60")
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), liveTime)
	defer cancel()
	go func() {
		select {
		case <-s.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	connection := http.NewResponseController(w)
	defer connection.SetWriteDeadline(time.Time{})      //nolint:errcheck // not every server has one
	w.Header().Set("Content-Type", "text/event-stream") // and no-store, as all pages
	w.Header().Set("X-Accel-Buffering", "no")
	send := func(format string, args ...any) bool {
		_ = connection.SetWriteDeadline(time.Now().Add(writeTime)) // as above
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && connection.Flush() == nil
	}
	for last, sending := "", send("retry: 2000\n\n"); sending; {
		waiting, done := context.WithTimeout(ctx, heartbeat)
		version, final, err := change(waiting, last)
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			last, sending = version, send("data: %s\n\n", version) && !final
		case errors.Is(err, context.DeadlineExceeded):
			sending = send(": \n\n")
		default:
			return // the store does not answer; the browser connects again
		}
	}
}
