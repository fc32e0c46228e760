package webhooks

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
)

const (
	maxBody  = 1 << 20          // 1 MiB: deliveries have a few hundred bytes
	patience = 10 * time.Second // after this Vipps MobilePay takes a delivery for failed
)

// Handler is an http.Handler for deliveries: it verifies, parses, hands over and acknowledges. Verifier and Handle are
// required; without them every delivery is refused. It is safe for concurrent use.
//
// Several registrations with one URL need one Handler, whose Verifier has all their secrets. Registrations with different
// URLs need a Handler each, since signatures cover the URL; they may share Handle.
//
// It answers
//
//	200  Handle returned nil
//	401  the delivery is not genuine, or its date is outside the window
//	405  the method is not POST
//	413  the body is larger than 1 MiB
//	400  the body could not be received within 10 seconds
//	503  Handle returned an error
//	500  Verifier or Handle is not set
//
// and never anything else, nor a body. A panic in Handle goes on to the server, which closes the connection: that is not an
// acknowledgement either.
type Handler struct {
	Verifier *Verifier
	// Handle is called once for each genuine delivery, in several goroutines at a time. Store the event, return nil, work later:
	// the context ends after 10 seconds, when Vipps MobilePay gives up waiting and counts a failure.
	//
	// An error makes the answer 503: the delivery comes again, and every later event of the same payment waits behind it; an
	// address that fails for two weeks is deleted. So return an error only if the same delivery should come again, such as
	// when a store is down. For events and references that are not known, return nil. What cannot be read as an event arrives
	// here as an [*UnknownEvent].
	//
	// The same event may be delivered several times, by repetition or by overlapping registrations, and the Handler does not
	// filter: a filter that outlives a crash would lose events. Handling an event twice must do no harm. [Event] has a Key for
	// those who keep a table.
	Handle func(context.Context, Event) error
	// Logger hears of deliveries that were refused or could not be read, at level warn, and of errors of Handle, at level
	// error. No secret, signature or body is logged. Defaults to silence.
	Logger *slog.Logger
}

// ServeHTTP takes one delivery.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(h.serve(w, r))
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) int {
	// Nobody has shown a signature yet: a sender that trickles must not hold a connection, whatever is answered. Where there is
	// no connection, as in tests, there is nothing to limit.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience))
	logger := cmp.Or(h.Logger, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if h.Verifier == nil || h.Handle == nil {
		logger.ErrorContext(ctx, "webhook handler has no Verifier or no Handle")
		return http.StatusInternalServerError
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			logger.WarnContext(ctx, "webhook delivery is too large")
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusBadRequest
	}
	if err := h.Verifier.Verify(r.Header, body); err != nil {
		logger.WarnContext(ctx, "webhook delivery is refused", slog.String("reason", err.Error()), slog.Int("bytes", len(body)))
		w.Header().Set("WWW-Authenticate", "HMAC-SHA256")
		return http.StatusUnauthorized
	}
	event, err := Parse(body)
	if err != nil {
		logger.WarnContext(ctx, "webhook delivery cannot be read", slog.Int("bytes", len(body)))
		event = &UnknownEvent{Raw: vipps.Secret(body)}
	}
	if at, err := http.ParseTime(r.Header.Get("X-Ms-Date")); err == nil {
		event.setSentAt(at)
	}
	if err := h.Handle(ctx, event); err != nil {
		logger.ErrorContext(ctx, "webhook event is not handled", slog.String("key", event.Key()), slog.Any("error", err))
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}
