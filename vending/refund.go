package vending

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// refundWindow is how long after it was captured money can be refunded.
const refundWindow = 365 * 24 * time.Hour

var (
	// ErrRefunded means that an item has a refund already, done or under way.
	ErrRefunded = errors.New("vending: the item is refunded already")
	// ErrNotClosed means that a session is not settled, so that there is nothing to refund yet.
	ErrNotClosed = errors.New("vending: the session is not closed yet")
)

// RefundRequest says what a person wants to give back.
type RefundRequest struct {
	Session string
	// Items are the vend ids ([Item.VendID]) of products that dropped. Empty is everything that dropped and has no refund
	// yet, and what was captured beyond it.
	Items []string
	// Over refunds only what was captured beyond what dropped ([Outcome.Over]). Items is empty then.
	Over bool
	// Reason is kept with the session: 1 to 200 characters. It is not sent. Required.
	Reason string
}

// Refund gives back what was captured: of single products or of the whole session, within 365 days. It is stored as a task
// with a key of its own and made by whoever runs the store; [Session.Refunds] tells how far it is. The customer's bank may
// take days. The same request again is the same refund.
//
// The payment is read first, since somebody may have refunded in the portal; an error of that read means that nothing was
// asked. A session that is not closed gives [ErrNotClosed]: what is not captured yet is released, not refunded. An item that has a
// refund gives [ErrRefunded], more than was captured and not given back matches [vipps.ErrInvalidRequest], and after 365 days
// it is [ErrTooLate].
func (o *Operator) Refund(ctx context.Context, request RefundRequest) error {
	for try := 0; ; try++ {
		m := &mover{o: o, id: request.Session, done: ctx.Done()}
		if err := m.load(ctx); err != nil {
			return err
		}
		if m.foreign() {
			return errForeign
		}
		if m.s.State == Closed {
			if _, err := m.read(ctx); err != nil || m.view == nil {
				return fmt.Errorf("session %s: the payment could not be read, nothing was refunded: %w", m.id, errors.Join(err, m.last))
			}
			if _, err := m.take(ctx, fact{kind: factRead, view: *m.view}); err != nil {
				return err
			}
		}
		refund, err := m.s.refundFor(request)
		if err != nil || refund == nil {
			return err
		}
		err = o.tell(ctx, m.id, fact{kind: factRefundAsked, refund: *refund})
		if !errors.Is(err, ErrTooLate) || try > 0 {
			return err
		}
		// Somebody else has asked meanwhile: perhaps for the same.
	}
}

// refundFor is the refund that a request asks for; nil if it has been asked for before.
func (s *Session) refundFor(request RefundRequest) (*Refund, error) {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("vending.Refund: session %s: %w: %s", s.ID, vipps.ErrInvalidRequest, fmt.Sprintf(format, args...))
	}
	if length := utf8.RuneCountInString(request.Reason); length == 0 || length > 200 {
		return nil, wrong("Reason: must be 1 to 200 characters")
	}
	if s.State != Closed {
		return nil, fmt.Errorf("session %s is %s: %w", s.ID, s.State, ErrNotClosed)
	}
	if s.Now.After(s.Ended.Add(refundWindow)) {
		return nil, fmt.Errorf("session %s was closed more than 365 days ago: %w", s.ID, ErrTooLate)
	}
	refund := Refund{Reason: request.Reason}
	if request.Over && len(request.Items) > 0 {
		return nil, wrong("Items: must be empty with Over")
	}
	if len(request.Items) == 0 && !request.Over {
		for _, item := range s.Items {
			if inTime(item) && !s.given(item.VendID) {
				refund.Items = append(refund.Items, item.VendID)
			}
		}
	}
	repeated := len(request.Items) > 0
	for _, id := range request.Items {
		i := s.index(id)
		if i < 0 || !dropped(s.Items[i]) {
			return nil, wrong("Items: %s did not drop in this session", id)
		}
		if !inTime(s.Items[i]) {
			return nil, wrong("Items: %s was never charged", id)
		}
		repeated = repeated && s.given(id)
		if slices.Contains(refund.Items, id) {
			return nil, wrong("Items: %s is there twice", id)
		}
		refund.Items = append(refund.Items, id)
	}
	if (repeated || request.Over && s.Outcome.Over == 0) && s.sameRefund(request) {
		return nil, nil //nolint:nilnil // there is nothing to do, and nothing wrong
	}
	for _, id := range refund.Items {
		refund.Amount += s.Items[s.index(id)].Price
		if s.given(id) {
			return nil, fmt.Errorf("session %s: item %s: %w", s.ID, id, ErrRefunded)
		}
	}
	if s.Seen.Captured == 0 {
		return nil, wrong("nothing was captured")
	}
	rest := s.Seen.Captured - s.Seen.Refunded - s.refunded(asked)
	switch {
	case request.Over:
		refund.Amount = min(rest, s.Outcome.Over)
	case len(request.Items) == 0:
		refund.Amount = rest
		if rest == 0 && len(s.Refunds) > 0 {
			return nil, nil //nolint:nilnil // the same
		}
	}
	if refund.Amount <= 0 || refund.Amount > rest {
		return nil, wrong("only %s of what was captured is left", vipps.Amount{Value: rest, Currency: s.Currency})
	}
	return &refund, nil
}

func (s *Session) sameRefund(request RefundRequest) bool {
	return slices.ContainsFunc(s.Refunds, func(r Refund) bool {
		return r.State != RefundRefused && r.Reason == request.Reason &&
			slices.Equal(slices.Sorted(slices.Values(r.Items)), slices.Sorted(slices.Values(request.Items)))
	})
}

// refund sends the stored attempt. A refusal for good ends it; anything that was not answered is sent again with its key.
func (m *mover) refund(ctx context.Context) (bool, error) {
	i, _ := m.s.task()
	attempt := *m.s.refund(m.s.Tasks[i].N)
	if !m.o.rules.maySend(attempt.SendUntil, m.s.Now) {
		m.view = nil
		return false, nil
	}
	calling, cancel := m.until(ctx, attempt.SendUntil)
	defer cancel()
	at := m.at()
	after, err := m.o.payments.Refund(calling, m.id, epayment.RefundRequest{
		IdempotencyKey: attempt.key(m.id),
		Amount:         vipps.Amount{Value: attempt.Amount, Currency: m.s.Currency},
	})
	m.view = nil
	if err == nil {
		view := viewOf(at, after.State, after.Aggregate, m.s.Seen.GuaranteedUntil)
		return m.take(ctx, fact{kind: factRefunded, n: attempt.N, view: view})
	}
	refused, ok := m.conclusive(err)
	if !ok {
		return m.failed(ctx, err), nil
	}
	m.last = err
	if _, err := m.read(ctx); err != nil || m.view == nil { // it may be refused because it is done
		return false, err
	}
	if taken, err := m.take(ctx, fact{kind: factRead, view: *m.view}); err != nil || taken && m.s.refund(attempt.N).State != RefundAsked {
		return true, err
	}
	return m.take(ctx, fact{kind: factRefundRefused, n: attempt.N, code: refused.Code})
}

// findRefund looks for an attempt that was never answered in the payment's log.
func (m *mover) findRefund(ctx context.Context) (bool, error) {
	i, _ := m.s.task()
	attempt := *m.s.refund(m.s.Tasks[i].N)
	calling, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	events, err := m.o.payments.Events(calling, m.id)
	if err != nil {
		return m.failed(ctx, err), nil
	}
	f := fact{kind: factRefundMissing, n: attempt.N, view: *m.view}
	for _, event := range events {
		if event.Name == epayment.EventRefunded && event.Success && event.IdempotencyKey == attempt.key(m.id) {
			f.kind = factRefunded
		}
	}
	m.view = nil
	return m.take(ctx, f)
}
