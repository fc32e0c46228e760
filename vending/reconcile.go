package vending

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// FindingKind says in what way the sessions and Vipps MobilePay disagree, or what neither can settle.
type FindingKind string

// The kinds, in the order in which they are looked for: a payment is reported for the first that fits.
const (
	// FindingOrphan is a payment with our metadata, or under our session's reference, that no session made.
	FindingOrphan FindingKind = "orphan"
	// FindingMissing is a payment that a session has seen and Vipps MobilePay does not.
	FindingMissing FindingKind = "missing"
	// FindingUnsettled is a session that has money and has not come to an end for more than an hour.
	FindingUnsettled FindingKind = "unsettled"
	// FindingReserved is a closed session whose customer's money is still reserved.
	FindingReserved FindingKind = "reserved and forgotten"
	// FindingCaptured is more money kept than the price of what the machine said it let go.
	FindingCaptured FindingKind = "captured without a vend"
	// FindingVended is less money kept than that, refunds that a person wanted left out.
	FindingVended FindingKind = "vended without a capture"
	// FindingDiffers is a payment that somebody has captured, released or refunded since the session was closed.
	FindingDiffers FindingKind = "amounts differ"
	// FindingUnknown is an item of which nobody knows whether it came out. It was not charged.
	FindingUnknown FindingKind = "nobody knows"
)

// Finding is one row of a reconciliation. Amounts are in minor units.
type Finding struct {
	Kind FindingKind
	// Session is the reference of the payment as well. Machine is empty for an orphan that does not name one.
	Session string
	Machine string
	// Opened is when the session was; zero for orphans.
	Opened   time.Time
	Currency vipps.Currency
	// Dropped is the price of what the machine said it let go, and Unknown of what nobody can say.
	Dropped, Unknown int64
	// Journal is what the session says was captured; it has nothing to do with the file of a [JournaledMachine]. Captured and the
	// others are what Vipps MobilePay says.
	Journal                                   int64
	Authorized, Captured, Cancelled, Refunded int64
	// Difference is what the kind is about: kept too much, or too little as a negative amount, or still reserved.
	Difference int64
	// Action says what a person should do.
	Action string
}

// ReconcileRequest says what to compare.
type ReconcileRequest struct {
	// From is included, To is not. Sessions count when they were closed, and unsettled ones when they were opened.
	From, To time.Time
	// References are payments from somewhere else, such as a settlement report: the API has no list of payments. Those with
	// our metadata that no session made are orphans.
	References []string
}

// Reconcile holds the sessions of a period against Vipps MobilePay and gives what does not agree; nothing is changed. It
// reads each payment once, one after another, waiting when it is told to (429). A payment that cannot be read is an error of
// its own, with its reference, and the next one follows.
func (o *Operator) Reconcile(ctx context.Context, request ReconcileRequest) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		report := func(s *Session) bool {
			finding, err := o.compare(ctx, s)
			if err != nil {
				return yield(Finding{Session: s.ID, Machine: s.Machine}, fmt.Errorf("payment %s: %w", s.ID, err)) && ctx.Err() == nil
			}
			return finding == nil || yield(*finding, nil)
		}
		for s, err := range o.config.Store.Closed(ctx, request.From, request.To) {
			if err != nil && !yield(Finding{Session: s.ID}, err) || err == nil && !report(&s) {
				return
			}
		}
		for s, err := range o.config.Store.Open(ctx) {
			inPeriod := err == nil && s.State != Closed && !s.Opened.Before(request.From) && s.Opened.Before(request.To)
			if err != nil && !yield(Finding{Session: s.ID}, err) || inPeriod && !report(&s) {
				return
			}
		}
		for _, reference := range request.References {
			finding, err := o.orphan(ctx, reference)
			if err != nil && !yield(Finding{Session: reference}, fmt.Errorf("payment %s: %w", reference, err)) || finding != nil && !yield(*finding, nil) {
				return
			}
			if ctx.Err() != nil {
				return
			}
		}
	}
}

// lookup reads a payment, and waits as long as it is told to. There is none if it is nil.
func (o *Operator) lookup(ctx context.Context, reference string) (*epayment.Payment, error) {
	for {
		payment, err := o.payments.Get(ctx, reference)
		if isAbsent(err) {
			return nil, nil //nolint:nilnil // no payment is an answer
		}
		refused, ok := errors.AsType[*vipps.Error](err)
		if !ok || !errors.Is(err, vipps.ErrRateLimited) {
			return payment, err
		}
		if !sleepFor(ctx, max(refused.RetryAfter, time.Second)) {
			return nil, ctx.Err()
		}
	}
}

func (o *Operator) compare(ctx context.Context, s *Session) (*Finding, error) {
	if s.State != Closed && s.Now.Sub(s.Since) <= time.Hour {
		return nil, nil //nolint:nilnil // it is being settled
	}
	payment, err := o.lookup(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	f := &Finding{
		Session: s.ID, Machine: s.Machine, Opened: s.Opened, Currency: s.Currency,
		Dropped: s.price(dropped), Unknown: s.price(unknown), Journal: s.Outcome.Captured,
	}
	if payment == nil {
		if !s.Seen.Exists {
			return nil, nil //nolint:nilnil // none was made
		}
		f.Kind, f.Action = FindingMissing, "ask Vipps MobilePay: a payment that was there is gone"
		return f, nil
	}
	f.Authorized, f.Captured = payment.Aggregate.Authorized.Value, payment.Aggregate.Captured.Value
	f.Cancelled, f.Refunded = payment.Aggregate.Cancelled.Value, payment.Aggregate.Refunded.Value
	if payment.Metadata[metadataNonce] != s.Nonce {
		f.Kind, f.Action = FindingOrphan, "look the payment up in the portal: it is under our reference and not ours"
		return f, nil
	}
	view := viewOf(s.Now, payment.State, payment.Aggregate, payment.CaptureGuaranteedUntil)
	if !f.judge(s, view) {
		return nil, nil //nolint:nilnil // they agree
	}
	return f, nil
}

// judge says whether there is something to report, and what.
func (f *Finding) judge(s *Session, v View) bool {
	o := s.outcome(v)
	switch {
	case s.State != Closed && (v.free() > 0 || v.created()):
		f.Kind, f.Difference, f.Action = FindingUnsettled, max(0, v.free()), "see that Operator.Run runs, and what the session's history says"
	case !v.atRest():
		f.Kind, f.Difference, f.Action = FindingReserved, v.free(), "cancel the payment in the portal"
	case o.Over > 0:
		f.Kind, f.Difference, f.Action = FindingCaptured, o.Over, o.Action()
	case o.Lost > o.Returned:
		f.Kind, f.Difference, f.Action = FindingVended, o.Returned-o.Lost, o.Action()
	case s.State == Closed && (v.Captured != s.Seen.Captured || v.Refunded != s.Seen.Refunded):
		f.Kind, f.Difference, f.Action = FindingDiffers, (v.Captured-v.Refunded)-(s.Seen.Captured-s.Seen.Refunded), "somebody acted in the portal: see that it was meant"
	case o.Unknown > 0:
		f.Kind, f.Action = FindingUnknown, o.Action()
	default:
		return false
	}
	return true
}

// orphan looks at a payment that may be nobody's.
func (o *Operator) orphan(ctx context.Context, reference string) (*Finding, error) {
	if _, err := o.config.Store.Load(ctx, reference); !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	payment, err := o.lookup(ctx, reference)
	if err != nil || payment == nil || payment.Metadata[metadataMachine] == "" {
		return nil, err
	}
	a := payment.Aggregate
	return &Finding{
		Kind: FindingOrphan, Session: reference, Machine: payment.Metadata[metadataMachine], Currency: payment.Amount.Currency,
		Authorized: a.Authorized.Value, Captured: a.Captured.Value, Cancelled: a.Cancelled.Value, Refunded: a.Refunded.Value,
		Difference: a.Authorized.Value - a.Captured.Value - a.Cancelled.Value,
		Action:     "no session made this payment: find out which database lost it, and cancel or refund it in the portal",
	}, nil
}

// WriteCSV writes findings as CSV with a line of headers, amounts in minor units. Payments that could not be read are lines
// of the kind "error".
func WriteCSV(w io.Writer, findings iter.Seq2[Finding, error]) error {
	out := csv.NewWriter(w)
	rows := [][]string{{
		"kind", "session", "machine", "opened", "currency", "dropped", "unknown", "journal", "authorized", "captured", "cancelled", "refunded", "difference", "action",
	}}
	for f, err := range findings {
		if err != nil {
			f.Kind, f.Action = "error", err.Error()
		}
		opened := ""
		if !f.Opened.IsZero() {
			opened = f.Opened.UTC().Format(time.RFC3339)
		}
		row := []string{string(f.Kind), cell(f.Session), cell(f.Machine), opened, string(f.Currency)}
		for _, amount := range []int64{f.Dropped, f.Unknown, f.Journal, f.Authorized, f.Captured, f.Cancelled, f.Refunded, f.Difference} {
			row = append(row, strconv.FormatInt(amount, 10))
		}
		rows = append(rows, append(row, cell(f.Action)))
		if err := out.WriteAll(rows); err != nil {
			return err
		}
		rows = rows[:0]
	}
	return out.WriteAll(rows)
}

// cell keeps a spreadsheet from taking text for a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
