package audit

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/vippsvending/vipps/vending"
)

// Report is what came of an audit.
type Report struct {
	Lines []Line
	// Violations are what must not be, a sentence each. None is a proof that was passed.
	Violations []string
	// Accused are the sessions that the violations are about.
	Accused []*vending.Session
}

// Line is a row of the table.
type Line struct{ Name, Value string }

// Add puts a further row into the table.
func (r *Report) Add(name, format string, args ...any) {
	r.Lines = append(r.Lines, Line{name, fmt.Sprintf(format, args...)})
}

func (r *Report) accuse(s *vending.Session) {
	if s != nil && !slices.Contains(r.Accused, s) {
		r.Accused = append(r.Accused, s)
	}
}

// Err says whether the audit failed.
func (r *Report) Err() error {
	if len(r.Violations) == 0 {
		return nil
	}
	return fmt.Errorf("the audit found %d violations", len(r.Violations))
}

// Print writes the table, and the violations behind it.
func (r *Report) Print(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range r.Lines {
		_, _ = fmt.Fprintf(table, "  %s\t%s\n", line.Name, line.Value) // a failure is that of w, and said below
	}
	_ = table.Flush() // as above
	if len(r.Violations) == 0 {
		_, _ = fmt.Fprintln(w, "no violations") // nobody is left to be told
		return
	}
	for _, violation := range r.Violations {
		_, _ = fmt.Fprintln(w, "VIOLATION:", violation) // as above
	}
	for _, s := range r.Accused[:min(len(r.Accused), 10)] {
		_, _ = fmt.Fprintf(w, "history of %s, by %s: %s\n", s.ID, s.Door, s.Summary())
		for _, step := range s.History {
			_, _ = fmt.Fprintf(w, "  %s  %-11s → %-11s  %s; %s\n", step.At.Format("15:04:05.000"), step.From, step.To, step.Fact, step.Why)
		}
	}
}

// count makes the table.
func (a *auditor) count() {
	r := &a.report
	r.Add("sessions", "%d", len(a.books.Sessions))
	for _, words := range slices.Sorted(maps.Keys(a.outcomes)) {
		r.Add("  "+words, "%d", a.outcomes[words])
	}
	r.Add("sessions left open", "%d", a.open)
	r.Add("seats left", "%d", a.seats)
	r.Add("closed with a receipt or a look left to do", "%d", a.tasks)
	r.Add("payments", "%d", len(a.books.Payments))
	r.Add("  at rest", "%d", a.atRest)
	r.Add("  without a session", "%d", a.orphans)
	r.Add("  reserved", "%d", a.reserved)
	r.Add("  reserved, and all of it released", "%d", a.released)
	r.Add("lost sales: chosen, reserved, and nothing came out", "%d", a.missed)
	r.Add("products out", "%d, worth %s", a.out, kroner(a.worth))
	r.Add("  charged", "%d", a.charged)
	r.Add("  reported as lost", "%d, worth %s", a.lost, kroner(a.lostSum))
	r.Add("  reported as unknown: the machine cannot say", "%d", a.unknown)
	r.Add("captured", "%s", kroner(a.captured))
	r.Add("refunded on purpose", "%s", kroner(a.refunded))
	r.Add("captured beyond what left", "%s", kroner(a.overed))
}
