package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// view is all that the page shows, as it is sent to it.
type view struct {
	Power    string     `json:"power"`
	Network  bool       `json:"network"`
	Door     string     `json:"door"`
	Line     string     `json:"line"`
	Screen   screenView `json:"screen"`
	Sticker  string     `json:"sticker"` // a mark of what it says; empty for none
	Slots    []slotView `json:"slots"`
	Tray     []trayView `json:"tray"`
	Phone    phoneView  `json:"phone"`
	Sale     *saleView  `json:"sale"`
	Armed    []string   `json:"armed"`
	Settings settings   `json:"settings"`
	Books    booksView  `json:"books"`
	Guide    guideView  `json:"guide"`
	Night    nightView  `json:"night"`
}

// afterwards is how long the screen is about a sale that has ended.
const afterwards = 8 * time.Second

type screenView struct {
	Title  string `json:"title"`
	Text   string `json:"text"`
	Code   string `json:"code"` // a mark of what it says; empty for none
	Until  int64  `json:"until"`
	Tone   string `json:"tone"`
	Return bool   `json:"return"`
	Hold   bool   `json:"hold"`
}

type slotView struct {
	Slot    string `json:"slot"`
	Left    int    `json:"left"`
	Chosen  bool   `json:"chosen"`
	Turning bool   `json:"turning"`
}

type trayView struct {
	N    int    `json:"n"`
	Slot string `json:"slot"`
}

type saleView struct {
	ID       string     `json:"id"`
	Door     string     `json:"door"`
	State    string     `json:"state"`
	Path     []string   `json:"path"` // the states it has been in
	Words    string     `json:"words"`
	Tone     string     `json:"tone"`
	Action   string     `json:"action"`
	Steps    []stepView `json:"steps"`
	Calls    []callView `json:"calls"`
	Money    moneyView  `json:"money"`
	Resolved []doneView `json:"resolved"`
	Rest     string     `json:"rest"`
	RestTone string     `json:"restTone"`
	Held     string     `json:"held"` // the product
	Refund   bool       `json:"refund"`
	Portal   bool       `json:"portal"`
}

type stepView struct {
	At   string `json:"at"`
	From string `json:"from"`
	To   string `json:"to"`
	Why  string `json:"why"`
}

type callView struct {
	At   string `json:"at"`
	Op   string `json:"op"`
	Says string `json:"says"`
	Tone string `json:"tone"`
	N    int    `json:"n"`
}

type doneView struct {
	Fault string `json:"fault"`
	Label string `json:"label"`
	Says  string `json:"says"`
}

type moneyView struct {
	Currency string `json:"currency"`
	Total    int64  `json:"total"` // what was approved
	Reserved int64  `json:"reserved"`
	Captured int64  `json:"captured"`
	Released int64  `json:"released"`
	Refunded int64  `json:"refunded"`
}

// view looks at everything.
func (p *playground) view() view {
	p.mu.Lock()
	defer p.mu.Unlock()
	current := p.current()
	v := view{
		Power: p.power, Network: !p.gate.isDown(), Door: p.door.ID, Line: p.door.Line, Settings: p.settings,
		Screen: p.screen(current), Slots: p.slots(current), Tray: p.tray(), Phone: p.phoneView(), Books: p.books(),
		Night: p.night.view(), Armed: []string{},
	}
	if p.door.Sticker && p.code[p.door.ID] != "" {
		v.Sticker = mark(p.code[p.door.ID])
	}
	for _, f := range faultList {
		if p.faults.isArmed(f.ID) {
			v.Armed = append(v.Armed, f.ID)
		}
	}
	if current != nil {
		v.Sale = p.saleView(current)
	}
	v.Guide = p.guide(current, v.Tray)
	return v
}

func (p *playground) screen(s *sale) screenView {
	switch {
	case p.power == "starting":
		return screenView{Title: "Starting", Text: "Reading the journal…", Tone: "dim"}
	case p.power == "off":
		return screenView{Tone: "off"}
	}
	v := screenView{Title: "Welcome", Text: "Choose a product.", Tone: "idle"}
	if p.door.Sticker && p.door.Door != vending.SitePayment {
		v.Text = "Scan the sticker."
	}
	if chosen, ok := product(p.chosen); ok {
		v = screenView{Title: chosen.Name, Text: "Scan the sticker to pay.", Tone: "idle", Return: true}
		if p.door.Door == vending.Till {
			v.Text, v.Hold = "Show the phone’s code to the reader.", true
		}
	}
	if s != nil && p.chosen == "" && (s.Seat != "" || s.State == vending.Held || p.now().Sub(s.Since) < afterwards) {
		v = p.selling(s)
	}
	if p.message != "" {
		v.Title, v.Text, v.Tone = "Please note", p.message, "note"
		v.Code = ""
	}
	return v
}

// selling is the screen during a sale, and for a moment after it.
func (p *playground) selling(s *sale) screenView {
	v := screenView{Title: s.item(), Tone: "busy", Return: true}
	if len(s.Items) == 0 {
		v.Title = "Welcome"
	}
	switch s.State {
	case vending.Opening:
		v.Text = "One moment…"
	case vending.Waiting:
		v.Text, v.Until = "Approve on the phone.", p.real(s.ApproveUntil)
		if s.Code != "" {
			v.Text, v.Code = "Scan to pay "+s.money(s.Reserved), mark(s.Code)
		}
	case vending.Withdrawing:
		v.Text, v.Return = "Taking the payment back…", false
	case vending.Choosing:
		v.Title, v.Text, v.Until = "Choose a product", "Up to "+s.money(s.Reserved), p.real(s.SelectUntil)
		v.Tone = "go"
		if s.Maximum && s.concluded(vending.NotDropped) {
			v.Text = "Nothing came out. Choose again."
		}
	case vending.Vending:
		v.Text, v.Return, v.Tone = "Here it comes…", false, "go"
	case vending.Held:
		v.Title, v.Text, v.Return = "Sorry", "We are looking into what happened.", false
	case vending.Settling, vending.Closed:
		v = farewell(s, p.money(s).Captured)
	}
	return v
}

// farewell is the screen when the sale is over. What was charged and not refunded is in minor units.
func farewell(s *sale, charged int64) screenView {
	for _, item := range s.Items {
		if item.Concluded && item.Verdict == vending.Dropped {
			return screenView{Title: "Thank you", Text: "Enjoy your " + strings.ToLower(item.Name) + ".", Tone: "go"}
		}
	}
	if charged > 0 {
		return screenView{Title: "Sorry", Text: "We are looking into the charge.", Tone: "note"}
	}
	if s.Seen.Authorized > 0 {
		return screenView{Title: "Sorry", Text: "You are not charged.", Tone: "note"}
	}
	return screenView{Title: "Goodbye", Text: "Nothing was charged.", Tone: "idle"}
}

func (p *playground) slots(s *sale) []slotView {
	p.motor.mu.Lock()
	defer p.motor.mu.Unlock()
	list := make([]slotView, len(catalog))
	for i, product := range catalog {
		chosen := p.chosen == product.Slot
		if s != nil && s.Seat != "" && len(s.Items) > 0 {
			chosen = s.Items[min(s.Item, len(s.Items)-1)].Slot == product.Slot
		}
		list[i] = slotView{product.Slot, p.motor.left[product.Slot], chosen, p.motor.turning == product.Slot}
	}
	return list
}

func (p *playground) tray() []trayView {
	p.motor.mu.Lock()
	defer p.motor.mu.Unlock()
	list := []trayView{}
	for _, d := range p.motor.drops[p.motor.flap:] {
		list = append(list, trayView{d.N, d.Slot})
	}
	return list[max(0, len(list)-4):]
}

// known is a sale with what Vipps MobilePay knows of its payment: until it is over it does not always read it.
func (p *playground) known(s *sale) *sale {
	if p.emulator == nil || s.State == vending.Closed {
		return s
	}
	k := *s
	if f, ok := p.emulator.Payment(s.ID); ok && f.Authorized > 0 {
		k.Seen.Authorized, k.Seen.Captured, k.Seen.Cancelled = f.Authorized, f.Captured, f.Cancelled
	}
	return &k
}

func (p *playground) saleView(s *sale) *saleView {
	known := p.known(s)
	v := &saleView{
		ID: s.ID, Door: string(s.Door), State: string(s.State), Words: known.words(), Tone: tone(s), Action: s.Action(),
		Money: p.money(s), Path: []string{string(vending.Opening)}, Steps: []stepView{}, Calls: []callView{}, Resolved: []doneView{},
		Refund: s.State == vending.Closed && s.Outcome.Captured > s.Outcome.Refunded+s.Outcome.Refunding,
	}
	v.Portal = v.Money.Reserved > 0
	for _, step := range s.History {
		v.Steps = append(v.Steps, stepView{step.At.Local().Format("15:04:05"), string(step.From), string(step.To), because(step)})
		if !slices.Contains(v.Path, string(step.To)) {
			v.Path = append(v.Path, string(step.To))
		}
	}
	v.Calls = p.calls(s.ID)
	for _, id := range p.faults.of(s.ID) {
		label := doings[id]
		if f, ok := faultNamed(id); ok {
			label = f.Group + ", " + f.Label
		}
		v.Resolved = append(v.Resolved, doneView{id, label, known.resolution(id)})
	}
	if s.State == vending.Held {
		v.Held, v.Action = strings.ToLower(s.item()), "" // its buttons say it
	}
	v.Rest, v.RestTone = p.rest(s)
	return v
}

// doings are labels of what is no fault that is armed.
var doings = map[string]string{
	"power": "Power cut", "network": "No network", "skip": "Two minutes later", "aborted": "Customer aborts",
	"unheard": "Check-in lost", twiceCheckedIn: "Webhook, twice",
	"portal-cancel": "Portal: cancel", "portal-capture": "Portal: capture", "resolved": "Desk", "refund": "Desk: refund",
}

// because is the reason of a step for people: without ids, and with amounts as they are written.
func because(step vending.Step) string {
	fact := vendIDs.ReplaceAllString(nothing.ReplaceAllString(step.Fact, ""), "")
	fact = amounts.ReplaceAllStringFunc(fact, func(number string) string {
		if strings.HasPrefix(number, "code ") {
			return number
		}
		value, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return number
		}
		return fmt.Sprintf("%d.%02d", value/100, value%100)
	})
	if step.Why == "" {
		return fact
	}
	return fact + ": " + step.Why
}

var (
	nothing = regexp.MustCompile(`, (captured|cancelled|refunded) 0\b`)
	vendIDs = regexp.MustCompile(`[a-z]+-[a-z0-9]+-v[0-9]+ `)
	amounts = regexp.MustCompile(`(code )?\b[0-9]{3,7}\b`) // but for the code of an error
)

func tone(s *sale) string {
	switch {
	case s.State == vending.Held || s.State == vending.Closed && s.Outcome.NeedsPerson():
		return "warn"
	case s.State != vending.Closed:
		return "busy"
	case s.Outcome.Captured > 0:
		return "good"
	default:
		return "none"
	}
}

// money is how the payment stands: what Vipps MobilePay says of it, or, of another server, what the sale has seen.
func (p *playground) money(s *sale) moneyView {
	m := moneyView{Currency: string(s.Currency), Total: s.Seen.Authorized, Captured: s.Seen.Captured, Released: s.Seen.Cancelled, Refunded: s.Seen.Refunded}
	if p.emulator != nil {
		payment, _ := p.emulator.Payment(s.ID)
		m.Total, m.Captured, m.Released, m.Refunded = payment.Authorized, payment.Captured, payment.Cancelled, payment.Refunded
	}
	if m.Total == 0 { // what was never reserved is not released either
		m.Released = 0
	}
	m.Captured -= m.Refunded
	m.Reserved = m.Total - m.Captured - m.Released - m.Refunded
	return m
}

// calls are the requests of a session and the webhooks about it, in the order of time, those that repeat in one line.
func (p *playground) calls(session string) []callView {
	type line struct {
		at   time.Time
		view callView
	}
	var lines []line
	for _, c := range p.gate.of(session) {
		v := callView{Op: c.Op, Says: strconv.Itoa(c.Status), Tone: "good", N: 1}
		if c.Status >= 400 {
			v.Says, v.Tone = strings.TrimSpace(v.Says+" "+c.Code), "warn"
		}
		switch {
		case c.Lost != "" && c.Status == 0:
			v.Says, v.Tone = c.Lost+", not executed", "bad"
		case c.Lost != "" && c.Status >= 400:
			v.Says, v.Tone = strings.TrimSpace(c.Lost+", but refused "+c.Code), "bad"
		case c.Lost != "":
			v.Says, v.Tone = c.Lost+", but executed", "bad"
		}
		lines = append(lines, line{c.At, v})
	}
	for _, d := range p.hook.of(session) {
		v := callView{Op: "webhook " + strings.ToLower(d.Event), Says: strconv.Itoa(d.Status), Tone: "hook", N: 1}
		switch {
		case d.Lost:
			v.Says, v.Tone = "lost on its way", "bad"
		case d.Status == 0 || d.Status >= 500:
			v.Says, v.Tone = "nobody there, comes again", "warn"
		case d.Twice:
			v.Says = "twice"
		}
		lines = append(lines, line{d.At, v})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	list := []callView{}
	for _, l := range lines {
		if n := len(list); n > 0 && list[n-1].Op == l.view.Op && list[n-1].Says == l.view.Says {
			list[n-1].N++
			continue
		}
		l.view.At = l.at.Format("15:04:05")
		list = append(list, l.view)
	}
	return list
}

// now is the time by the clock of the sale.
func (p *playground) now() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }

// real is a moment by the computer's own clock.
func (p *playground) real(at time.Time) int64 {
	return at.Add(-time.Duration(p.ahead.Load())).UnixMilli()
}

// rest is the audit of one sale: what dropped by the motor's own counter, against what was captured.
func (p *playground) rest(s *sale) (words, tone string) {
	money := p.money(s)
	dropped := int64(0)
	for _, d := range p.motor.dropped(s.ID) {
		dropped += d.Price
	}
	kept := money.Captured
	switch {
	case s.State != vending.Closed || money.Reserved != 0:
		return "", "busy"
	case kept == dropped && dropped == 0:
		return "At rest: nothing dropped, nothing captured.", "good"
	case kept == dropped:
		return fmt.Sprintf("At rest: %s dropped, %s captured.", s.money(dropped), s.money(kept)), "good"
	case s.Outcome.NeedsPerson():
		return fmt.Sprintf("At rest: %s dropped, %s captured, and the difference is on the desk.", s.money(dropped), s.money(kept)), "warn"
	case p.explained(s):
		return fmt.Sprintf("At rest: %s dropped, %s kept, as the desk has said.", s.money(dropped), s.money(kept)), "good"
	default:
		return fmt.Sprintf("WRONG: %s dropped, %s captured, and nobody was told.", s.money(dropped), s.money(kept)), "bad"
	}
}
