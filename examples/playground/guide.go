package main

import (
	"strings"

	"github.com/vippsvending/vipps/vending"
)

// guideView leads somebody who has never seen the page: the steps of the door, and what to press now.
type guideView struct {
	Steps  []string `json:"steps"`
	Now    int      `json:"now"` // the step; their number when all are done
	Hint   string   `json:"hint"`
	Target string   `json:"target"` // the id of what lights up
}

// The steps. What a door calls a step is its own.
var guides = map[string][]string{
	"dynamic":   {"Choose a product", "Scan the screen", "Approve", "Take it"},
	"selection": {"Scan the sticker", "Choose and pay on the page", "Approve", "Take it"},
	"payment":   {"Choose a product", "Scan the sticker", "Pay on the page", "Approve", "Take it"},
	"maximum":   {"Scan the sticker", "Pay on the page", "Approve the maximum", "Choose a product", "Take it"},
	"callback":  {"Scan the sticker", "Approve the maximum", "Choose a product", "Take it"},
	"till":      {"Choose a product", "Show the phone’s code", "Approve", "Take it"},
}

// guide says what to do next. The lock is held.
func (p *playground) guide(s *sale, tray []trayView) guideView {
	g := guideView{Steps: guides[p.door.ID]}
	at := func(step, hint, target string) guideView {
		for i, name := range g.Steps {
			if name == step {
				g.Now = i
			}
		}
		g.Hint, g.Target = hint, target
		return g
	}
	if p.emulator == nil && p.door.Sticker && p.code[p.door.ID] == "" {
		g.Hint, g.Now = "This door needs an address that phones reach: see the phone.", -1
		return g
	}
	scan, own := "scan", "hold"
	if p.phone.view != "home" && p.phone.view != "" {
		scan, own = "tab-home", "tab-home"
	}
	last := g.Steps[len(g.Steps)-1]
	switch {
	case p.power == "off":
		g.Hint, g.Target, g.Now = "The machine has no power. Restore it: the sale is on the disk.", "power", -1
		return g
	case p.power == "starting":
		g.Hint, g.Now = "The controller starts and reads what it was doing.", -1
		return g
	case s != nil && s.State != vending.Closed:
		return p.during(s, at)
	case len(tray) > 0:
		return at(last, "It is yours: take it out of the flap.", "flap")
	case p.closed && (p.door.Door == vending.StaticQR || p.door.Door == vending.CheckIn):
		g.Hint, g.Target, g.Now = "This door is closed: cut and restore the power.", "power", -1
		return g
	case p.door.Door == vending.SitePayment && p.chosen == "":
		return at("Choose a product", "Press any product on the machine.", "slots")
	case p.phone.view == "browser" && !strings.HasPrefix(p.phone.page, pagesPath+"/s/"): // not how an earlier purchase went
		return p.paying(at)
	case p.phone.waiting:
		return at("Scan the sticker", "The app has checked in, and the machine asks for the payment.", "")
	case p.chosen != "" && p.door.Door == vending.Till:
		return at("Show the phone’s code", "Hold the phone’s own code to the reader.", own)
	case p.chosen != "", p.door.Sticker && p.door.Door != vending.SitePayment:
		return at("Scan the sticker", "Scan the sticker on the machine with the phone.", scan)
	default:
		return at("Choose a product", "Press any product on the machine.", "slots")
	}
}

// paying is the guide to the page behind the sticker.
func (p *playground) paying(at func(step, hint, target string) guideView) guideView {
	switch p.door.Door { //nolint:exhaustive // the others have no page
	case vending.SitePayment:
		return at("Pay on the page", "Press pay on the phone’s page.", "frame")
	case vending.StaticQR:
		return at("Pay on the page", "Press the button on the phone’s page.", "frame")
	default:
		return at("Choose and pay on the page", "Choose on the phone’s page, and pay.", "frame")
	}
}

// during is the guide while a sale goes on.
func (p *playground) during(s *sale, at func(step, hint, target string) guideView) guideView {
	approve := "Approve"
	if s.Maximum {
		approve = "Approve the maximum"
	}
	if p.emulator == nil && s.State == vending.Waiting {
		return at(approve, "Scan and approve with the test app.", "")
	}
	switch s.State { //nolint:exhaustive // in the others there is nothing to press
	case vending.Waiting:
		if p.phone.view == "request" && p.phone.payment == s.ID {
			return at(approve, "Approve on the phone.", "approve")
		}
		switch {
		case !p.asks(s.ID):
			return at(approve, "The machine hears of it.", "")
		case s.Code != "" && (p.phone.view == "home" || p.phone.view == ""):
			return at("Scan the screen", "Scan the code on the screen with the phone.", "scan")
		case s.Code != "":
			return at("Scan the screen", "Scan the code on the screen with the phone.", "tab-home")
		default:
			return at(approve, "Go to the payment in the app.", "tab-home")
		}
	case vending.Choosing:
		return at("Choose a product", "Press a product on the machine.", "slots")
	case vending.Held:
		return at("Take it", "Nobody knows whether it came out. Look into the flap, and say so at the desk.", "desk")
	case vending.Vending:
		return at("Take it", "The motor turns. Only what drops will be captured.", "")
	case vending.Settling:
		return at("Take it", "The payment is being settled.", "")
	default:
		g := at("", "The machine is at it.", "")
		g.Now = -1
		return g
	}
}
