package transport

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	// waitMax is the longest wait before another attempt; a server that asks for more is asked by the caller, later.
	waitMax  = 8 * time.Second
	waitMin  = 250 * time.Millisecond
	waitStep = time.Second
	// afterMax keeps nonsense in Retry-After from overflowing.
	afterMax = 365 * 24 * time.Hour
)

// check says whether to try again. It never returns an error, so that whatever answer there is comes back.
func (t *tries) check(ctx context.Context, _ *http.Response, err error) (bool, error) {
	t.count++
	status := 0
	if t.answer != nil {
		status = t.answer.Status
	}
	t.log(ctx, status, err)
	unanswered := status < 200 || status >= 300 && status < 400 || status == http.StatusRequestTimeout || status >= 500
	t.doubt = t.doubt || unanswered && !t.unsent
	t.stale = status == http.StatusUnauthorized && t.used[0] != "" && !t.renewed
	switch {
	case ctx.Err() != nil:
		return false, nil //nolint:nilerr // an answer that came in just before the end is kept
	case t.stale:
		t.renewed, t.wait = true, 0
	case t.exhausted() || !t.repeatable(status):
		return false, nil
	default:
		t.wait = t.delay()
		if deadline, ok := ctx.Deadline(); t.wait < 0 || ok && time.Until(deadline) < t.wait {
			return false, nil // no point in waiting: hand back what there is
		}
	}
	t.sender.config.Logger.LogAttrs(ctx, slog.LevelWarn, "request is repeated", slog.String("op", t.call.Op),
		slog.String("subject", t.call.Subject), slog.Int("attempt", t.count), slog.Int("status", status), slog.Duration("wait", t.wait))
	return true, nil
}

// exhausted says that no attempt is left. The one that found the token stale does not count.
func (t *tries) exhausted() bool {
	count := t.count
	if t.renewed {
		count--
	}
	return count >= t.sender.attempts
}

// repeatable says whether an attempt that ended with status, or with no answer at all (0), may be followed by another.
func (t *tries) repeatable(status int) bool {
	switch {
	case status == http.StatusTooManyRequests:
		return true
	case status == 0:
		return t.call.Repeat || t.unsent
	case status >= 500 && status != http.StatusNotImplemented:
		return t.call.Repeat
	default:
		return false
	}
}

func (t *tries) log(ctx context.Context, status int, err error) {
	if !t.sender.config.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("op", t.call.Op), slog.String("subject", t.call.Subject), slog.Int("attempt", t.count),
		slog.Int("status", status), slog.Duration("duration", time.Since(t.start)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", t.sender.Scrub(withoutURL(err).Error(), t.call.Redact...)))
	}
	t.sender.config.Logger.LogAttrs(ctx, slog.LevelDebug, "request", attrs...)
}

// prepare comes before every attempt but the first. It sets a new token after a 401; nothing else about the request changes.
func (t *tries) prepare(request *http.Request) error {
	if t.stale {
		tokens := t.sender.tokens
		tokens.drop(t.call.MSN, t.used[0])
		fresh, err := tokens.get(request.Context(), t.call.MSN)
		if err != nil {
			t.tokenErr = err
			return err
		}
		t.used[1] = fresh.value
		request.Header = maps.Clone(request.Header) // the attempt before may still be writing the old one
		request.Header["Authorization"] = []string{fresh.bearer}
	}
	t.start, t.unsent = time.Now(), true
	return nil
}

func (t *tries) backoff(_, _ time.Duration, _ int, _ *http.Response) time.Duration { return t.wait }

// delay is what the server asks for and a little more, else a random time under a doubling limit. It is negative if the
// server asks for more than this call waits.
func (t *tries) delay() time.Duration {
	if t.answer != nil && t.answer.Asked {
		if t.answer.RetryAfter > waitMax {
			return -1
		}
		return t.answer.RetryAfter + rand.N(waitMin) //nolint:gosec // spreading load is not cryptography
	}
	return waitMin + rand.N(waitStep<<(t.count-1)) //nolint:gosec // as above
}

// retryAfter reads the header in both of its forms.
func retryAfter(header http.Header) (after time.Duration, ok bool) {
	value := header.Get("Retry-After")
	if value == "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(max(seconds, 0), int64(afterMax/time.Second))) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), 0), afterMax), true
	}
	return 0, false
}
