package vending

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// callTimeout bounds one call of Vipps MobilePay.
const callTimeout = 30 * time.Second

// perform does one thing for the session and puts what came of it to the table. It says whether to go on at once.
func (m *mover) perform(ctx context.Context, do effect) (bool, error) {
	ctx = context.WithoutCancel(ctx) // a call that was begun is finished
	switch do {
	case doRead:
		return m.read(ctx)
	case doCreate:
		return m.create(ctx)
	case doGiveUp:
		return m.giveUp(ctx)
	case doCancel:
		return m.cancel(ctx)
	case doCapture:
		return m.capture(ctx)
	case doVend:
		return m.vend(ctx)
	case doConclude:
		return m.conclude(ctx)
	case doReceipt:
		return m.sendReceipt(ctx)
	case doRefund:
		return m.refund(ctx)
	case doFindRefund:
		return m.findRefund(ctx)
	case doNothing, doSleep, doClock:
		return false, nil
	default:
		return false, nil
	}
}

// failed keeps a failure for whoever waits, and forgets what was read before it. The session sleeps on it.
func (m *mover) failed(ctx context.Context, err error) bool {
	m.last = err
	m.view = nil
	if refused, ok := errors.AsType[*vipps.Error](err); ok && refused.Status == http.StatusTooManyRequests {
		m.o.budget.refused()
	}
	m.warn(ctx, "call failed", err)
	return false
}

// conclusive gives the refusal in an error, if it is one that says something for good.
func (m *mover) conclusive(err error) (*vipps.Error, bool) {
	refused, ok := errors.AsType[*vipps.Error](err)
	return refused, ok && m.o.rules.attemptOver(refused)
}

func (m *mover) look(at time.Time, v View) {
	m.view, m.seen = &v, at
}

func (m *mover) read(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	at, sent := m.at(), time.Now()
	payment, err := m.o.payments.Get(ctx, m.id)
	if isAbsent(err) {
		m.look(sent, View{At: at})
		return true, nil
	}
	if err != nil {
		return m.failed(ctx, err), nil
	}
	if payment.Metadata[metadataNonce] != m.s.Nonce {
		m.warn(ctx, "payment is not this session's", errOrphan)
		m.o.notifyOrphan(m.s.Machine, m.id)
		m.look(sent, View{At: at})
		return true, nil
	}
	if payment.Amount.Currency != m.s.Currency {
		return m.failed(ctx, fmt.Errorf("session %s: the payment is in %s, not in %s", m.id, payment.Amount.Currency, m.s.Currency)), nil
	}
	v := viewOf(at, payment.State, payment.Aggregate, payment.CaptureGuaranteedUntil)
	v.Twice = m.view != nil && !v.older(*m.view) && !m.view.older(v)
	m.look(sent, v)
	return true, nil
}

var errOrphan = errors.New("a payment under our reference has another nonce or none: it is left alone, look it up in the portal")

// isAbsent says that the API, not a gateway in front of it, has no such payment.
func isAbsent(err error) bool {
	refused, ok := errors.AsType[*vipps.Error](err)
	return ok && refused.Status == http.StatusNotFound && refused.During == "" &&
		(refused.Code == epayment.CodeReferenceNotFound || refused.TraceID != "")
}

func viewOf(at time.Time, state epayment.State, a epayment.Aggregate, guaranteed time.Time) View {
	return View{
		At: at, Exists: true, State: state, Authorized: a.Authorized.Value, Captured: a.Captured.Value,
		Cancelled: a.Cancelled.Value, Refunded: a.Refunded.Value, GuaranteedUntil: guaranteed,
	}
}

// until is a context that ends with a limit of the session's, and with the time that one call may take.
func (m *mover) until(ctx context.Context, limit time.Time) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(callTimeout, limit.Sub(m.s.Now)))
}

func (m *mover) create(ctx context.Context) (bool, error) {
	calling, cancel := m.until(ctx, m.s.OpenUntil)
	defer cancel()
	made, err := m.o.payments.CreateEncoded(calling, m.id, m.id+"-c", m.s.Body.Open())
	if err == nil { // nobody can have approved yet: the first look is a poll
		_, err := m.take(ctx, fact{kind: factCreated, redirect: Seal([]byte(made.RedirectURL))})
		return false, err
	}
	m.last = err
	if refused, ok := m.conclusive(err); ok {
		cause := err.Error()
		if refused.Code == epayment.CodeCustomerNotFound { // its words blame the customer, and a screen may show them
			cause = string(refused.Code)
		}
		return m.take(ctx, fact{kind: factRefused, code: refused.Code, cause: cause})
	}
	if errors.Is(err, vipps.ErrInvalidRequest) {
		return m.take(ctx, fact{kind: factRefused, cause: err.Error()})
	}
	m.warn(ctx, "payment could not be made", err)
	_, err = m.take(ctx, fact{kind: factUnanswered, cause: err.Error()})
	return false, err
}

func (m *mover) giveUp(ctx context.Context) (bool, error) {
	calling, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	at, sent := m.at(), time.Now()
	after, err := m.o.payments.CancelIfNotAuthorized(calling, m.id, epayment.CancelRequest{})
	if err == nil {
		m.look(sent, viewOf(at, after.State, after.Aggregate, m.s.Seen.GuaranteedUntil))
		return true, nil
	}
	if _, ok := m.conclusive(err); ok { // it was approved, or has ended: look
		m.view = nil
		return true, nil
	}
	return m.failed(ctx, err), nil
}

func (m *mover) cancel(ctx context.Context) (bool, error) {
	calling, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	at, sent := m.at(), time.Now()
	after, err := m.o.payments.Cancel(calling, m.id, epayment.CancelRequest{})
	if err == nil {
		m.look(sent, viewOf(at, after.State, after.Aggregate, m.s.Seen.GuaranteedUntil))
		if m.view.free() > 0 { // the answer shows no progress: only a read counts
			m.view = nil
			return false, nil
		}
		return true, nil
	}
	before := *m.view
	m.view = nil
	if refused, ok := m.conclusive(err); ok {
		m.last = err
		return m.take(ctx, fact{kind: factCancelRefused, code: refused.Code, view: before})
	}
	return m.failed(ctx, err), nil
}

func (m *mover) capture(ctx context.Context) (bool, error) {
	if !m.o.rules.maySend(m.s.Capture.SendUntil, m.s.Now) {
		m.view = nil
		return false, nil
	}
	calling, cancel := m.until(ctx, m.s.Capture.SendUntil)
	defer cancel()
	attempt := m.s.Capture
	at, sent := m.at(), time.Now()
	after, err := m.o.payments.Capture(calling, m.id, epayment.CaptureRequest{
		IdempotencyKey: fmt.Sprintf("%s-k%d", m.id, attempt.N),
		Amount:         vipps.Amount{Value: attempt.Amount, Currency: m.s.Currency},
	})
	if err == nil {
		before := m.view.Captured
		m.look(sent, viewOf(at, after.State, after.Aggregate, m.s.Seen.GuaranteedUntil))
		if m.view.Captured <= before { // the answer shows no progress: only a read counts
			m.view = nil
			return false, nil
		}
		return true, nil
	}
	m.view = nil
	if refused, ok := m.conclusive(err); ok {
		m.last = err
		if refused.Code == epayment.CodeMustCaptureFull {
			m.o.refusePartial(m.s.Machine, m.id, err)
		}
		return m.take(ctx, fact{kind: factCaptureRefused, n: attempt.N, code: refused.Code})
	}
	return m.failed(ctx, err), nil
}

// vend tells the machine, once, and only while the command may still start: what covers it was seen a moment ago, whatever the
// save in between has taken.
func (m *mover) vend(ctx context.Context) (again bool, err error) {
	m.how = told
	within := m.s.Timeouts.Start - since(m.armedAt)
	item, ok := m.s.current()
	if !ok || within <= 0 || since(m.seen) > fresh {
		return true, nil
	}
	calling, cancel := context.WithTimeout(ctx, m.s.Timeouts.Verdict)
	defer cancel()
	m.ask(func() {
		verdict, failure := m.o.config.Machine.Vend(calling, Command{
			ID: item.VendID, Session: m.id, Machine: m.s.Machine, Slot: item.Slot, Within: within,
		})
		switch {
		case failure != nil:
			m.unheard(ctx, failure)
			again = true // ask it
		case verdict == Dropped || verdict == NotDropped:
			again, err = m.take(ctx, fact{kind: factVerdict, vend: item.VendID, verdict: verdict})
		default:
			again = true // as above
		}
	})
	return again, err
}

const (
	// leftToOthers is how long after its time the end of a command is left to the worker that reaches the machine.
	leftToOthers = 2 * time.Minute
	// silence is for how much longer a machine is asked that does not answer when its time is over: as long again, and at most so
	// long.
	silence = 30 * time.Second
)

// conclude asks the machine what became of the item. An error says nothing, however often.
func (m *mover) conclude(ctx context.Context) (bool, error) {
	item, ok := m.s.current()
	if !ok {
		return false, nil
	}
	asking, cancel := context.WithTimeout(ctx, machineTimeout)
	defer cancel()
	var verdict Verdict
	var err error
	m.ask(func() { verdict, err = m.o.config.Machine.Conclude(asking, item.VendID) })
	m.tick()
	switch {
	case err == nil && (verdict == Dropped || verdict == NotDropped || verdict == Unknown):
		return m.take(ctx, fact{kind: factVerdict, vend: item.VendID, verdict: verdict})
	case errors.Is(err, ErrElsewhere):
		if m.s.Now.Before(m.s.VerdictUntil.Add(leftToOthers)) {
			return false, errElsewhere
		}
	case err != nil:
		m.unheard(ctx, err)
		if longer, err := m.take(ctx, fact{kind: factSilent, vend: item.VendID, cause: err.Error()}); longer || err != nil {
			return false, err
		}
	}
	return m.take(ctx, fact{kind: factClock})
}

// unheard keeps that the machine did not answer.
func (m *mover) unheard(ctx context.Context, err error) {
	m.last = err
	m.warn(ctx, "machine did not answer", err)
}
