package examples_test

import (
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/audit"
	"github.com/vippsvending/vipps/examples/internal/process"
	"github.com/vippsvending/vipps/internal/postgrestest"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// soaked runs the soak and looks at its audit, which is the proof.
func soaked(t *testing.T, args ...string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be paused on Windows")
	}
	dir := process.Build(t, ".", "soak")
	p := process.Start(t, dir, "soak", []string{"TMPDIR=" + t.TempDir()}, args...) // even if it is killed
	code := p.Wait()
	stdout, stderr := p.Output()
	t.Logf("%s%s", stdout, stderr)
	if code != 0 || !strings.Contains(stdout, "\nno violations\n") {
		t.Errorf("exit code %d", code)
	}
}

// A box is killed at any moment, at each of its motor's and its payments'. No product leaves twice, and every payment comes
// to rest.
func TestSoakBox(t *testing.T) {
	t.Parallel()
	soaked(t, "-story", "box", "-kills", atMost("20", "10"))
}

// Three workers on PostgreSQL are killed, paused for longer than a claim lasts, and lied to.
func TestSoakFleet(t *testing.T) {
	t.Parallel()
	address := postgrestest.URL(t)
	t.Cleanup(postgrestest.Stop)
	soaked(t, "-story", "fleet", "-sessions", atMost("200", "60"), "-faults", "-db", address)
}

// TestAudit doctors the books of a run that went well: each lie is found, and nothing else.
func TestAudit(t *testing.T) {
	t.Parallel()
	sold := func() *audit.Books {
		return &audit.Books{
			Payments: []vippstest.Payment{{Reference: "a-1", State: "AUTHORIZED", Amount: 6000, Authorized: 6000, Captured: 6000}},
			Sessions: []vending.Session{{
				ID: "a-1", State: vending.Closed, Seen: vending.View{Exists: true}, Outcome: vending.Outcome{Result: vending.Sold, Captured: 6000},
				Items: []vending.Item{
					{Price: 2500, VendID: "a-1-v1", Concluded: true, Verdict: vending.Dropped},
					{Price: 3500, VendID: "a-1-v2", Concluded: true, Verdict: vending.Dropped},
				},
			}},
			Drops: map[string]int{"a-1-v1": 1, "a-1-v2": 1},
			Words: map[string]vending.Verdict{"a-1-v1": vending.Dropped, "a-1-v2": vending.Dropped},
		}
	}
	for name, test := range map[string]struct {
		doctor func(*audit.Books)
		want   []string
	}{
		"nothing": {func(*audit.Books) {}, nil},
		"a product twice": {
			func(b *audit.Books) { b.Drops["a-1-v1"] = 2 },
			[]string{"a-1-v1 left 2 times"},
		},
		"a capture without a drop": {
			func(b *audit.Books) { delete(b.Drops, "a-1-v2") },
			[]string{
				"session a-1: a-1-v2 is said to have dropped, and nothing left",
				"session a-1: 60.00 NOK captured for products worth 25.00 NOK that left: a capture without a drop",
			},
		},
		"an open session": {
			func(b *audit.Books) { b.Sessions[0].State, b.Sessions[0].Seat = vending.Settling, "a" },
			[]string{"session a-1 is still Settling", "session a-1 still holds the seat of a"},
		},
		"a drop that is denied": {
			func(b *audit.Books) { b.Drops["a-1-v3"] = 1 },
			[]string{"a-1-v3 left, and no session knows of it"},
		},
		"a verdict that is wrong": {
			func(b *audit.Books) {
				b.Sessions[0].Items[1].Verdict = vending.NotDropped
				b.Sessions[0].Outcome = vending.Outcome{Result: vending.PartlySold, Captured: 2500}
				b.Payments[0].Captured, b.Payments[0].Cancelled = 2500, 3500
			},
			[]string{"session a-1: a-1-v2 left, and is said not to have dropped"},
		},
		"a verdict that was not asked for": {
			func(b *audit.Books) {
				b.Sessions[0].Items[1].Verdict = vending.Unknown
				b.Sessions[0].Outcome = vending.Outcome{Result: vending.PartlySold, Captured: 2500, Unknown: 3500}
				b.Payments[0].Captured, b.Payments[0].Cancelled = 2500, 3500
			},
			[]string{"session a-1: a-1-v2 left, the machine says dropped, and the session does not know"},
		},
		"money that is left hanging": {
			func(b *audit.Books) { b.Payments[0].Authorized = 7000 },
			[]string{"payment a-1 is not at rest: AUTHORIZED, authorized 70.00 NOK, captured 60.00 NOK, released 0.00 NOK"},
		},
		"a sum that is wrong": {
			func(b *audit.Books) { b.Sessions[0].Outcome.Lost = 100 },
			[]string{"session a-1: captured − refunded + lost − over is 61.00 NOK, and what the machine said is worth 60.00 NOK"},
		},
		"an orphan": {
			func(b *audit.Books) {
				b.Payments = append(b.Payments, vippstest.Payment{Reference: "b-1", State: "EXPIRED"})
			},
			[]string{"payment b-1 belongs to no session"},
		},
		"a payment that is gone": {
			func(b *audit.Books) { b.Payments = nil },
			[]string{
				"session a-1 has seen a payment that is not there",
				"session a-1 says captured 60.00 NOK and refunded 0.00 NOK, Vipps MobilePay says 0.00 NOK and 0.00 NOK",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			books := sold()
			test.doctor(books)
			report := books.Audit()
			if !slices.Equal(report.Violations, test.want) {
				t.Errorf("found %q, want %q", report.Violations, test.want)
			}
			if (report.Err() == nil) != (len(test.want) == 0) {
				t.Errorf("error %v", report.Err())
			}
			var printed strings.Builder
			report.Print(&printed)
			for _, violation := range test.want {
				if !strings.Contains(printed.String(), "\nVIOLATION: "+violation+"\n") {
					t.Errorf("%q is not printed in:\n%s", violation, printed.String())
				}
			}
		})
	}
	if lines := maps.Collect(slices.All(sold().Audit().Lines)); len(lines) < 10 {
		t.Errorf("the table is %v", lines)
	}
}
