package examples_test

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/process"
)

// What differs from run to run: the ends of ids, and times. A held session's limit is on the next day.
var (
	random = regexp.MustCompile(`(oslo-\d)-[a-z2-7]{13}`)
	clocks = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:]+Z|\d{4}-\d\d-\d\d \d\d:\d\d|\d\d:\d\d:\d\d(\.\d+)?`)
)

// obeyed waits for the desk's end and compares what it printed, without ids and times.
func obeyed(t *testing.T, p *process.Process, code int, lines ...string) {
	t.Helper()
	got := p.Wait()
	stdout, stderr := p.Output()
	printed := "\n" + clocks.ReplaceAllString(random.ReplaceAllString(stdout+stderr, "$1"), "TIME")
	if got != code {
		t.Errorf("exit code %d, want %d:\n%s", got, code, printed)
	}
	for _, line := range lines {
		if !strings.Contains(printed, "\n"+line+"\n") {
			t.Errorf("no line %q in:%s", line, printed)
		}
	}
	checkLeaks(t, p)
}

func TestOps(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "ops")
	for name, test := range map[string]struct {
		script string
		code   int
		lines  []string
	}{
		"list": {"list", 0, []string{
			"oslo-5  Held\n    say what came out, until TIME: resolve oslo-5-v1 dropped|not-dropped",
			"oslo-4  NotSold, released 25.00 NOK, unknown 25.00 NOK\n" +
				"    look at the machine's counters: the product may have come out and was not charged",
			"oslo-6  Uncollected, released 25.00 NOK, lost 25.00 NOK\n" +
				"    count a loss, or ask the customer to pay: the product came out and was not collected",
			"oslo-8  OverCaptured, captured 25.00 NOK, over 25.00 NOK\n" +
				"    refund what was captured beyond what dropped, if nobody has meant it",
			"4 of the sessions need a person",
		}},
		"all": {"all", 0, []string{
			"TIME  oslo-1  Sold, captured 25.00 NOK", "TIME  oslo-2  Sold, captured 60.00 NOK", "TIME  oslo-3  NotSold, released 25.00 NOK",
			"TIME  oslo-4  NotSold, released 25.00 NOK, unknown 25.00 NOK", "TIME  oslo-5  Held",
			"TIME  oslo-6  Uncollected, released 25.00 NOK, lost 25.00 NOK", "TIME  oslo-7  Waiting",
			"TIME  oslo-8  OverCaptured, captured 25.00 NOK, over 25.00 NOK",
		}},
		"a sale": {"show oslo-2", 0, []string{
			"session oslo-2: Sold, captured 60.00 NOK", "machine oslo-2, by DynamicQR, opened TIME", "closed TIME",
			"asked for 60.00 NOK, reserved 60.00 NOK at TIME, captured 60.00 NOK, released 0.00 NOK, refunded 0.00 NOK",
			"item: Coffee, slot A1, 25.00 NOK: dropped, oslo-2-v1", "item: Bun, slot B2, 35.00 NOK: dropped, oslo-2-v2",
			"  TIME              → Opening      opened", "  TIME  Vending     → Settling     verdict: oslo-2-v2 dropped",
		}},
		"a jam": {"show oslo-3", 0, []string{
			"session oslo-3: NotSold, released 25.00 NOK", "item: Coffee, slot A1, 25.00 NOK: not dropped, oslo-3-v1",
		}},
		"a loss": {"show oslo-6", 0, []string{
			"to do: count a loss, or ask the customer to pay: the product came out and was not collected",
			"  TIME  Settling    → Settling     capture 2 refused: code 6200",
		}},
		"dropped": {"resolve oslo-5-v1 dropped; show oslo-5; list", 0, []string{
			"oslo-5  Sold, captured 25.00 NOK", "item: Coffee, slot A1, 25.00 NOK: dropped, oslo-5-v1",
			"  TIME  Held        → Settling     resolved: oslo-5-v1 dropped", "3 of the sessions need a person",
		}},
		"not dropped": {"resolve oslo-5-v1 not-dropped; list", 0, []string{
			"oslo-5  NotSold, released 25.00 NOK", "3 of the sessions need a person",
		}},
		"a refund": {"refund oslo-1 'tasted of soap'; show oslo-1", 0, []string{
			"oslo-1  Sold, captured 25.00 NOK, refunded 25.00 NOK", `refund 1: 25.00 NOK for Coffee, "tasted of soap": done`,
			"asked for 25.00 NOK, reserved 25.00 NOK at TIME, captured 25.00 NOK, released 0.00 NOK, refunded 25.00 NOK",
			"  TIME  Closed      → Closed       refund asked: 2500, tasted of soap",
		}},
		"an item, and the rest": {"refund-item oslo-2-v2 stale; refund oslo-2 both were; list", 0, []string{
			"oslo-2  Sold, captured 60.00 NOK, refunded 35.00 NOK", `refund 1: 35.00 NOK for Bun, "stale": done`,
			"oslo-2  Sold, captured 60.00 NOK, refunded 60.00 NOK", `refund 2: 25.00 NOK for Coffee, "both were": done`,
			"4 of the sessions need a person",
		}},
		"captured by hand": {"refund-over oslo-8 by mistake; list", 0, []string{
			"oslo-8  NotSold, captured 25.00 NOK, refunded 25.00 NOK",
			`refund 1: 25.00 NOK for what was captured beyond the items, "by mistake": done`, "3 of the sessions need a person",
		}},
		"withdrawn": {"withdraw oslo-7; show oslo-7", 0, []string{
			"oslo-7  NotSold (returned)", "ended by returned", "asked for 25.00 NOK, nothing reserved", "item: Coffee, slot A1, 25.00 NOK: the machine was not told",
		}},
		"dealt with": {"acknowledge oslo-6 written off; list; show oslo-6", 0, []string{
			"3 of the sessions need a person", "  TIME  Closed      → Closed       acknowledged: written off",
		}},
		"reconciled": {"reconcile", 0, []string{
			"kind,session,machine,opened,currency,dropped,unknown,journal,authorized,captured,cancelled,refunded,difference,action",
			`vended without a capture,oslo-6,oslo-6,TIME,NOK,2500,0,0,2500,0,2500,0,-2500,"count a loss, or ask the customer to pay: the product came out and was not collected"`,
		}},
		"quit": {"quit; nonsense", 0, nil},
		"help": {" help ;; ", 0, []string{"refund-item <vend-id> <reason>      give back one item"}},
		"errors": {"nonsense; show oslo-9; show oslo-; show; resolve oslo-5-v1; resolve oslo-5-v1 perhaps; resolve oslo-5 dropped; " +
			"resolve oslo-5-v2 dropped; resolve oslo-1-v1 not-dropped; refund oslo-1; refund oslo-3 sorry; refund oslo-5 sorry; " +
			"refund-item oslo-3-v1 sorry; withdraw oslo-1; refund-item oslo-2-v1 stale; refund-item oslo-2-v1 cold; list", 1, []string{
			"nonsense: there is no such command: help lists them", "show oslo-9: session oslo-9: vending: no such session",
			"show oslo-: session oslo-: there are several", "show: say show <id>", "resolve oslo-5-v1: say resolve <vend-id> dropped|not-dropped",
			"resolve oslo-5-v1 perhaps: say dropped or not-dropped", "resolve oslo-5 dropped: oslo-5 is no vend id: show tells them",
			"resolve oslo-5-v2 dropped: session oslo-5: invalid request: it has no item oslo-5-v2",
			"resolve oslo-1-v1 not-dropped: session oslo-1 is Closed: vending: the session has moved on",
			"refund oslo-1: say refund <id> <reason>",
			"refund oslo-3 sorry: vending.Refund: session oslo-3: invalid request: nothing was captured",
			"refund oslo-5 sorry: session oslo-5 is Held: vending: the session is not closed yet",
			"refund-item oslo-3-v1 sorry: vending.Refund: session oslo-3: invalid request: Items: oslo-3-v1 did not drop in this session",
			"withdraw oslo-1: session oslo-1 is Closed: vending: the session has moved on",
			"refund-item oslo-2-v1 cold: session oslo-2: item oslo-2-v1: vending: the item is refunded already",
			"4 of the sessions need a person", "ops: 15 of the commands failed",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obeyed(t, process.Start(t, dir, "ops", nil, "-c", test.script), test.code, test.lines...)
		})
	}
}

func TestOpsArguments(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "ops")
	obeyed(t, process.Start(t, dir, "ops", nil, "--", "refund", "oslo-1", "cold", "coffee"), 0,
		`refund 1: 25.00 NOK for Coffee, "cold coffee": done`)
	finish(t, process.Start(t, dir, "ops", nil, "-c", "list", "all"), 1,
		"ops: -c and a command behind the flags exclude each other")
	finish(t, process.Start(t, dir, "ops", append(keys, "VIPPS_BASE_URL=http://127.0.0.1:1")), 1,
		"ops: the history is made with the emulator in this process: leave all VIPPS_ variables out")
}

// Somebody types, with the ids that are printed, and mistakes end nothing.
func TestOpsTyped(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "ops")
	input, keyboard := io.Pipe()
	p := process.StartTyping(t, dir, "ops", nil, input)
	press := func(line string) {
		if _, err := io.WriteString(keyboard, line+"\n"); err != nil {
			t.Error(err)
		}
	}
	press("nonsense")
	press("list")
	p.Line("4 of the sessions")
	stdout, _ := p.Output()
	vend := regexp.MustCompile(`resolve (oslo-5-[a-z2-7]{13}-v1) dropped`).FindStringSubmatch(stdout)
	if vend == nil {
		t.Fatalf("no session is held:\n%s", stdout)
	}
	press("resolve " + vend[1] + " dropped")
	press("show " + strings.TrimSuffix(vend[1], "-v1"))
	press("quit")
	if err := keyboard.Close(); err != nil {
		t.Error(err)
	}
	obeyed(t, p, 0, "ready; help lists the commands", "error: there is no such command: help lists them",
		"oslo-5  Sold, captured 25.00 NOK", "session oslo-5: Sold, captured 25.00 NOK")
	obeyed(t, process.StartTyping(t, dir, "ops", nil, strings.NewReader("list")), 0, "4 of the sessions need a person")
}
