package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// skipped is how long the customer dawdles at the press of a button: longer than any limit of the sale.
const skipped = 2 * time.Minute

// outage is how long the network is away.
const outage = 12 * time.Second

// action is what a button of the page sends.
type action struct {
	Do   string `json:"do"`
	What string `json:"what"`
	On   bool   `json:"on"`
	N    int    `json:"n"`
}

// needsEmulator are the actions of Vipps MobilePay's own world, which is not ours to play with real credentials.
var needsEmulator = map[string]bool{
	"scan": true, "approve": true, "abort": true, "hold": true, "portal": true, "skip": true, "night": true,
}

// act does what a button says. The error is for whoever pressed it.
func (p *playground) act(a action) error {
	if needsEmulator[a.Do] && p.emulator == nil {
		return errors.New("that is the emulator's: use the test app")
	}
	switch a.Do {
	case "door":
		return p.enter(a.What)
	case "press":
		return p.press(a.What)
	case "return":
		return p.giveBack()
	case "take":
		p.motor.take()
		p.mu.Lock()
		defer p.mu.Unlock()
		if s := p.current(); s == nil || s.State == vending.Closed { // the customer leaves
			p.phone = phone{turn: p.phone.turn}
		}
		p.touch()
		return nil
	case "refill":
		p.motor.refill()
		p.changed()
		return nil
	case "scan":
		return p.scan()
	case "approve", "abort":
		return p.decide(a.Do == "approve")
	case "hold":
		return p.hold("")
	case "phone":
		if a.What == "" {
			return errors.New("say a number, with country code and digits only")
		}
		return p.hold(a.What)
	case "home", "mine":
		p.mu.Lock()
		defer p.mu.Unlock()
		view, payment := a.Do, p.phone.payment
		if s := p.current(); s != nil && s.Code == "" && !p.asks(payment) { // the phone was put away, or has scanned again
			payment = s.ID
		}
		if a.Do == "home" && p.phone.view != "request" && p.asks(payment) {
			view = "request"
		}
		p.phone.show(view, payment)
		p.touch()
		return nil
	default:
		return p.disturb(a)
	}
}

// disturb does what the fault buttons and the desk say.
func (p *playground) disturb(a action) error {
	switch a.Do {
	case "fault":
		f, ok := faultNamed(a.What)
		if !ok || f.Emulator && p.emulator == nil {
			return errors.New("there is no such fault here")
		}
		p.faults.toggle(f.ID)
		p.changed()
		return nil
	case "power":
		return p.switchPower(a.On)
	case "network":
		p.gate.lose(outage)
		time.AfterFunc(outage+100*time.Millisecond, p.changed)
		p.changed()
		return nil
	case "skip":
		return p.skip()
	case "portal":
		return p.portal(a.What)
	case "resolve":
		return p.resolve(a.On)
	case "refund":
		p.mu.Lock()
		s := p.current()
		p.mu.Unlock()
		if s == nil || s.State != vending.Closed || s.Outcome.Captured == 0 {
			return errors.New("there is nothing to refund")
		}
		p.faults.happened("refund", s.ID)
		return p.ask(order{Do: "refund", Session: s.ID})
	case "setting":
		return p.set(a.What, a.On)
	case "night":
		return p.begin(a.N)
	default:
		return fmt.Errorf("there is no button %q", a.Do)
	}
}

// enter chooses a door. The phone is put away: it belongs to who stood at the other.
func (p *playground) enter(id string) error {
	d, ok := doorNamed(id)
	if !ok {
		return errors.New("there is no such door")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if d == p.door {
		return nil
	}
	p.door, p.chosen, p.message = d, "", ""
	p.phone = phone{turn: p.phone.turn}
	if s := p.current(); s != nil {
		p.phone.follow(p, &s.Session)
	}
	p.touch()
	return nil
}

// press is a button of the machine.
func (p *playground) press(slot string) error {
	chosen, ok := product(slot)
	if !ok {
		return errors.New("there is no such slot")
	}
	p.mu.Lock()
	d, seated := p.door, p.seated()
	p.mu.Unlock()
	p.motor.mu.Lock()
	left := p.motor.left[slot]
	p.motor.mu.Unlock()
	choosing := seated != nil && seated.State == vending.Choosing && seated.Maximum
	switch {
	case p.child.address() == "":
		return errNoPower
	case choosing:
		return p.tell(order{Do: "select", Session: seated.ID, Slot: slot})
	case left == 0:
		return p.say(chosen.Name + " is sold out. Choose another product.")
	case seated != nil:
		return p.say("One sale at a time: finish this one, or press return.")
	case d.Door == vending.DynamicQR:
		return p.tell(order{Do: "open", Door: d.Door, Machine: d.Machine, Slot: slot})
	case d.Door == vending.SitePayment:
		p.choose(slot)
		return p.tell(order{Do: "choose", Machine: d.Machine, Slot: slot})
	case d.Door == vending.Till:
		p.choose(slot)
		return nil
	case d.Door == vending.SiteSelection:
		return p.say(fmt.Sprintf("Scan the sticker, and choose %s on the page.", chosen.Name))
	default:
		return p.say("Scan the sticker first, approve the maximum, and then choose.")
	}
}

func (p *playground) choose(slot string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chosen, p.message = slot, ""
	p.touch()
}

// say puts something on the screen.
func (p *playground) say(words string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.message = words
	p.touch()
	return nil
}

// tell asks the controller for something, whose refusal the screen shows.
func (p *playground) tell(asked order) error {
	err := p.ask(asked)
	switch {
	case err == nil, errors.Is(err, errWent): // everybody sees that it is dark
		return p.say("")
	case errors.Is(err, errNoPower):
		return err
	default:
		return p.say(err.Error())
	}
}

// giveBack is the return button.
func (p *playground) giveBack() error {
	p.mu.Lock()
	seated, machine := p.seated(), p.door.Machine
	p.chosen, p.message = "", ""
	p.touch()
	p.mu.Unlock()
	if seated == nil {
		return p.tell(order{Do: "forget", Machine: machine})
	}
	return p.tell(order{Do: "withdraw", Session: seated.ID})
}

func (p *playground) switchPower(on bool) error {
	if on {
		return p.restore()
	}
	p.mu.Lock()
	seated := p.seated()
	p.mu.Unlock()
	if seated != nil {
		p.faults.happened("power", seated.ID)
	}
	p.cut()
	return nil
}

// skip moves every clock but the computer's own forward.
func (p *playground) skip() error {
	p.mu.Lock()
	seated := p.seated()
	p.mu.Unlock()
	if seated != nil {
		p.faults.happened("skip", seated.ID)
	}
	return p.pass()
}

// pass lets the time that is skipped pass, for the controller and for Vipps MobilePay.
func (p *playground) pass() error {
	ahead := time.Duration(p.ahead.Add(int64(skipped)))
	if err := p.ask(order{Do: "clock", Ahead: ahead}); err != nil && !errors.Is(err, errNoPower) && !errors.Is(err, errWent) {
		return err
	}
	p.emulator.Advance(skipped)
	p.changed()
	return nil
}

// portal is somebody acting by hand in the merchant portal.
func (p *playground) portal(what string) error {
	p.mu.Lock()
	s := p.current()
	p.mu.Unlock()
	if s == nil {
		return errors.New("there is no payment yet")
	}
	var err error
	switch what {
	case "cancel":
		err = p.emulator.PortalCancel(s.ID)
	case "capture":
		err = p.emulator.PortalCapture(s.ID, s.Reserved)
	default:
		err = fmt.Errorf("the portal cannot %q", what)
	}
	if err != nil {
		return errors.New("the portal refuses: there is no reservation to " + what + " now")
	}
	p.faults.happened("portal-"+what, s.ID)
	p.changed()
	return nil
}

// resolve is the word of a person who has looked.
func (p *playground) resolve(dropped bool) error {
	p.mu.Lock()
	s := p.current()
	p.mu.Unlock()
	if s == nil || s.State != vending.Held {
		return errors.New("nothing is held")
	}
	for _, item := range s.Items {
		if item.VendID != "" && item.Verdict == vending.Unknown {
			p.faults.happened("resolved", s.ID)
			return p.ask(order{Do: "resolve", Session: s.ID, Vend: item.VendID, Dropped: dropped})
		}
	}
	return errors.New("everything is known")
}

// set changes a policy of the operator, which takes a controller that is started again.
func (p *playground) set(name string, on bool) error {
	p.mu.Lock()
	switch name {
	case "hold":
		p.settings.Hold = on
	case "refund":
		p.settings.Refund = on
	case "push":
		p.settings.Push = on
	default:
		p.mu.Unlock()
		return errors.New("there is no such setting")
	}
	on = p.power == "on"
	p.touch()
	p.mu.Unlock()
	if !on {
		return nil
	}
	p.cut()
	return p.restore()
}
