package audit

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// Report is what came of an audit.
type Report struct {
	Lines []Line
	// Violations are what must not be, a sentence each. None is a proof that was passed.
	Violations []string
}

// Line is a row of the table.
type Line struct{ Name, Value string }

// Add puts a further row into the table.
func (r *Report) Add(name, format string, args ...any) {
	r.Lines = append(r.Lines, Line{name, fmt.Sprintf(format, args...)})
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
