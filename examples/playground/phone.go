package main

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// number is the customer's.
const number = "4712345678"

// phone is the customer's: an app, and a browser for the pages behind stickers.
type phone struct {
	view    string // home, browser, request, payment, mine or empty for home
	payment string // that the app shows
	page    string // that the browser shows, a path of this server
	turn    int    // counts the pages, so that the same one is opened again
	says    string // what the app answers to a scan
	waiting bool   // checked in, and no request yet
}

// browse opens a page. The lock is held.
func (f *phone) browse(page string) {
	f.view, f.page, f.says, f.waiting = "browser", page, "", false
	f.turn++
}

// show opens a payment in the app. The lock is held.
func (f *phone) show(view, payment string) {
	f.view, f.payment, f.says, f.waiting = view, payment, "", false
}

// follow is the phone hearing of a session without being scanned: requests that are sent to it. The lock is held.
func (f *phone) follow(p *playground, s *vending.Session) {
	pushed := s.Door == vending.Till || s.Door == vending.CheckIn
	if p.emulator != nil && pushed && s.State == vending.Waiting && s.Machine == p.door.Machine && f.payment != s.ID {
		f.show("request", s.ID)
	}
}

// scan points the camera at the machine: at its screen, or at the sticker.
func (p *playground) scan() error {
	p.mu.Lock()
	d, code := p.door, p.code[p.door.ID]
	if current := p.current(); !d.Sticker && current != nil {
		code = current.Code
	}
	p.mu.Unlock()
	if !d.Sticker && code == "" {
		return errors.New("there is no code on the screen: choose a product first")
	}
	if code == "" {
		return errors.New("there is no code to scan at this door")
	}
	if d.Door == vending.CheckIn {
		p.mu.Lock()
		p.phone = phone{view: "home", waiting: true, turn: p.phone.turn}
		p.touch()
		p.mu.Unlock()
	}
	found, err := p.emulator.Scan(code)
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.touch()
	switch {
	case errors.Is(err, vippstest.ErrCannotConnect):
		p.phone = phone{view: "home", turn: p.phone.turn, says: "Can’t connect to store. Try scanning again or pay in another way."}
	case err != nil:
		p.phone = phone{view: "home", turn: p.phone.turn, says: "This code is not valid any more."}
	case found.Opens != "":
		p.phone.browse(local(found.Opens))
	case found.Reference != "":
		p.phone.show("request", found.Reference)
	}
	return nil
}

// unheard is a check-in that the operator never heard of. Vipps MobilePay has been told that it was.
func (p *playground) unheard() {
	p.faults.happened("unheard", "")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.phone.waiting, p.phone.says = false, "The machine never heard of this check-in. Nothing was reserved: scan again."
	p.touch()
}

// decide is the customer's yes or no in the app. Who came from a page goes back to it.
func (p *playground) decide(yes bool) error {
	p.mu.Lock()
	payment := p.phone.payment
	p.mu.Unlock()
	decide := p.emulator.Abort
	if yes && p.asks(payment) && p.faults.strikes(faultLate, payment) {
		decide = p.approveLate
	} else if yes {
		decide = p.emulator.Approve
	}
	err := decide(payment)
	if err == nil && !yes {
		p.faults.happened("aborted", payment)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.touch()
	if err != nil {
		p.phone.says = "This payment can no longer be approved. Nothing was reserved."
		return nil
	}
	found, _ := p.emulator.Payment(payment)
	if found.ReturnURL != "" && found.UserFlow == "WEB_REDIRECT" {
		p.phone.browse(local(found.ReturnURL))
		return nil
	}
	p.phone.show("payment", payment)
	return nil
}

// approveLate is the customer approving when the machine's time is over: in the moment in which the payment is taken back.
func (p *playground) approveLate(payment string) error {
	p.gate.approveAt(payment)
	return p.pass()
}

// hold is the customer showing the phone's own code, or saying its number, at the till.
func (p *playground) hold(phoneNumber string) error {
	p.mu.Lock()
	slot, machine := p.chosen, p.door.Machine
	p.mu.Unlock()
	if slot == "" {
		return errors.New("choose a product first")
	}
	asked := order{Do: "open", Door: vending.Till, Machine: machine, Slot: slot}
	if phoneNumber != "" {
		asked.Phone = phoneNumber
	} else {
		asked.PersonalQR = p.emulator.PersonalQR(number)
	}
	return p.tell(asked)
}

// asks says that a payment waits for the customer to decide.
func (p *playground) asks(payment string) bool {
	if p.emulator == nil || payment == "" {
		return false
	}
	found, ok := p.emulator.Payment(payment)
	return ok && found.State == "CREATED" && !p.gate.approvesLate(payment)
}

// opened is the browser being sent to the app with a payment.
func (p *playground) opened(token string) error {
	for _, payment := range p.emulator.Payments() {
		u, err := url.Parse(payment.RedirectURL)
		if err != nil || token == "" || u.Query().Get("token") != token {
			continue
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.asks(payment.Reference) { // a page may be behind the app
			p.phone.show("request", payment.Reference)
			p.touch()
		}
		return nil
	}
	return fmt.Errorf("there is no such payment")
}

// local is the path of an address of this server.
func local(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "/"
	}
	return "/" + strings.TrimPrefix(u.RequestURI(), "/")
}
