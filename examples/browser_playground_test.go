package examples_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/examples/internal/process"
)

// openPlayground starts examples/playground, opens it on a desk and goes to one of its doors.
func openPlayground(t *testing.T, dir, door string) *browser.Page {
	t.Helper()
	return openPlaygroundOn(t, dir, door, browser.Options{Desktop: true})
}

func openPlaygroundOn(t *testing.T, dir, door string, o browser.Options) *browser.Page {
	t.Helper()
	p := process.Start(t, dir, "playground", nil, "-pace", "100ms")
	address := p.Line("open ")
	o.Servers = []string{address}
	page := browser.New(t, o)
	page.Open(address)
	page.Until("a machine with power", func() bool { return look(page).Lit != "" })
	page.ClickOn("#door-" + door)
	pressed(page, "#door-"+door)
	return page
}

// pressed waits until a button says that it is.
func pressed(p *browser.Page, button string) {
	p.Until(button+" is pressed", func() bool {
		return browser.Eval[bool](p, fmt.Sprintf(`document.querySelector(%q).getAttribute("aria-pressed") === "true"`, button))
	})
}

// looks is what a newcomer goes by: what lights up, and where the sale stands.
type looks struct {
	Lit, State, Rest, Words, Resolved, Trouble string
}

func look(p *browser.Page) looks {
	return browser.Eval[looks](p, `(() => {
		const text = id => document.getElementById(id).innerText;
		return {Lit: document.querySelector(".next")?.id ?? "", State: document.getElementById("ledger").dataset.state,
			Rest: text("rest"), Words: text("words"), Resolved: text("resolved"), Trouble: text("trouble")};
	})()`)
}

// follow presses whatever lights up until the sale is over and taken: it is all that a newcomer knows.
// Meanwhile sees what they see.
func follow(t *testing.T, p *browser.Page, meanwhile func(now looks)) looks {
	t.Helper()
	var last string
	var since time.Time
	var now looks
	p.Until("the end of the sale", func() bool {
		now = look(p)
		if now.State == "Closed" && strings.HasPrefix(now.Rest, "At rest") && now.Lit != "flap" {
			return true
		}
		if now.Lit == last && time.Since(since) < 5*time.Second { // it was pressed just now
			return false
		}
		last, since = now.Lit, time.Now()
		meanwhile(now)
		switch now.Lit {
		case "":
		case "slots":
			p.ClickOn("#slot-A1")
		case "desk":
			p.Click("button", "It dropped")
		case "frame":
			// By selectors: asked for its accessibility tree while the frame goes elsewhere, Chromium may stop answering.
			page := p.Frame("#frame")
			page.WaitText(pay)
			if strings.Contains(page.Text(), "Total 0.00 NOK") {
				page.ClickOn(`[value="more A1"]`)
				page.WaitText("Total 25.00 NOK")
			}
			page.ClickOn("button.pay")
		default:
			p.ClickOn("#" + now.Lit)
		}
		return false
	})
	return now
}

func TestBrowserPlaygroundDoors(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "playground")
	for _, door := range []struct{ id, words string }{
		{"dynamic", "Sold. 25.00 NOK charged."},
		{"selection", "Sold. 25.00 NOK charged."},
		{"payment", "Sold. 25.00 NOK charged."},
		{"maximum", "Sold. 25.00 NOK charged, 20.00 NOK released."},
		{"callback", "Sold. 25.00 NOK charged, 20.00 NOK released."},
		{"till", "Sold. 25.00 NOK charged."},
	} {
		t.Run(door.id, func(t *testing.T) {
			t.Parallel()
			p := openPlayground(t, dir, door.id)
			end := follow(t, p, func(looks) {})
			if end.Words != door.words || end.Rest != "At rest: 25.00 NOK dropped, 25.00 NOK captured." || end.Trouble != "" {
				t.Errorf("at the end: %+v", end)
			}
			p.Accessible("sold")
		})
	}
}

// On a laptop all of it is to be seen, and in a lower window at least what lights up.
func TestBrowserPlaygroundFits(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "playground")
	for _, height := range []int64{720, 650} {
		t.Run(fmt.Sprint(height), func(t *testing.T) {
			t.Parallel()
			p := openPlaygroundOn(t, dir, "maximum", browser.Options{Desktop: true, Height: height})
			if all := browser.Eval[int64](p, `document.documentElement.scrollHeight`); height == 720 && all > height {
				t.Errorf("the page is %d px high", all)
			}
			follow(t, p, func(now looks) {
				if now.Lit == "" || now.Lit == "slots" && height < 720 { // of which a part is enough
					return
				}
				p.Until(now.Lit+" in sight", func() bool {
					return browser.Eval[bool](p, `(() => { const b = document.querySelector(".next")?.getBoundingClientRect(); return !b || b.top >= 0 && b.bottom <= innerHeight + 1 })()`)
				})
			})
			for _, fault := range []string{"#fault-silent", "#fault-answer-cancel"} {
				p.ClickOn(fault)
				pressed(p, fault)
			}
			p.WaitText("It strikes at the next such moment.")
			if height == 720 && !browser.Eval[bool](p, `(() => { const box = id => document.getElementById(id).getBoundingClientRect(); const all = box("ledger");
				return ["words", "rest"].every(id => box(id).top >= all.top && box(id).bottom <= all.bottom) })()`) {
				t.Error("what is armed leaves no room for the sale")
			}
		})
	}
}

func TestBrowserPlaygroundFaults(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "playground")
	const late = "Approved too late, or the machine could not be reached in time. No sale."
	const sold, rested = "Sold. 25.00 NOK charged.", "Sold. 25.00 NOK charged, 20.00 NOK released."
	for _, test := range []struct{ fault, door, words, resolved string }{
		{"jam", "selection", "No sale. All of the 25.00 NOK released, nothing charged.", "So nothing was captured"},
		{"silent", "payment", "Nobody knows whether the product came out: it is reported.", "Nobody knows, so nothing was charged"},
		{"cut-create", "dynamic", sold, "the same one was sent again"},
		{"cut-create", "maximum", rested, "the same one was sent again"},
		{"cut-vend", "callback", "Nobody knows whether the product came out: it is reported.", "a start without an end"},
		{"cut-capture", "till", sold, "it was captured already"},
		{"answer-create", "selection", sold, "gave the same payment"},
		{"answer-capture", "payment", sold, "captured once"},
		{"answer-cancel", "maximum", rested, "Vipps said that it had been"},
		{"request-create", "callback", rested, "It was sent again"},
		{"request-capture", "dynamic", sold, "It was sent again"},
		{"request-cancel", "maximum", rested, "It was sent again"},
		{"hook-twice", "till", sold, "looking twice changes nothing"},
		{"hook-twice", "callback", rested, "Its token is known: one session"},
		{"hook-never", "selection", sold, "seen all the same"},
		{"hook-never", "callback", rested, "the customer scanned again"},
		{"in-full", "maximum", "could not be charged: a loss of 25.00 NOK", "The doors with a maximum are closed"},
		{"late", "dynamic", late, "the reservation was released at once"},
		{"late", "selection", late, "the reservation was released at once"},
		{"network", "payment", sold, "asked again when it came back"},
	} {
		id := test.fault
		t.Run(id+" at "+test.door, func(t *testing.T) {
			t.Parallel()
			p := openPlayground(t, dir, test.door)
			p.Allow("answered 502", "net::ERR_") // by the page behind the sticker, without power
			if id != "network" {
				p.ClickOn("#fault-" + id)
				pressed(p, "#fault-"+id)
				p.WaitText("It strikes at the next such moment.")
			}
			end := follow(t, p, func(now looks) {
				if id == "network" && now.Lit == "approve" {
					p.ClickOn("#fault-network")
				}
			})
			if !strings.Contains(end.Words, test.words) || !strings.Contains(end.Resolved, test.resolved) {
				t.Errorf("at the end: %+v", end)
			}
		})
	}
}
