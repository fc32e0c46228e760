package landing

import (
	"slices"
	"strconv"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// Status is how a session is going, in words for the customer.
type Status struct {
	// Address is the page's; the forms post to Address + "/continue", "/cancel" and "/done".
	Address string
	// Reference is what the app and the operator know the purchase by. It opens nothing.
	Reference string
	// Step is 1 while the customer approves, 2 while the machine is at work, 3 while it is charged and 4 when all is done. It
	// is 0 for a purchase that has ended otherwise.
	Step int
	// Tone is "wait" while something is going on, "act" if the customer has to do something, "good", "off" for an end without a
	// purchase, and "bad" if the customer should get in touch.
	Tone string
	Text string
	// Sums say what happened to the money, and Notes what there is to know about it.
	Sums  []Sum
	Notes []string
	Items []Taken
	// Continue, GiveUp and Done say which buttons there are: back to the app, take it back, want nothing more.
	Continue, GiveUp, Done bool
	// Left is about how many seconds there are to choose on the machine; 0 says nothing about it.
	Left int
	// Again is the address of the machine's page for another purchase; empty while there is none to be made.
	Again string
	// Contact says that the customer should be told whom to ask.
	Contact bool

	title string
}

// Sum is one thing that happened to an amount.
type Sum struct {
	Text  string
	Value int64 // in minor units
}

// Taken is one product of a session, and what became of it.
type Taken struct {
	Name  string
	Price int64
	Said  string
}

// tell says how a session is going.
func (p *Page) tell(s *vending.Session) *Status {
	t := &story{page: p, session: s, status: Status{Reference: s.ID, Tone: "wait"}}
	switch s.State {
	case vending.Opening:
		t.say(1, "opening", "opening.text", p.Brand)
	case vending.Waiting:
		t.waiting()
	case vending.Withdrawing:
		t.say(1, "withdrawing", "withdrawing.text")
		t.charged()
		t.longer()
	case vending.Choosing:
		t.choosing()
	case vending.Vending:
		t.say(2, "vending", "vending.text")
		t.sum("charged", s.Seen.Captured)
	case vending.Held:
		t.say(2, "held", "held.text")
		t.sum("reserved", free(s.Seen))
		t.charged()
		t.ask()
	case vending.Settling:
		t.settling()
	case vending.Closed:
		t.closed()
	}
	t.items()
	return &t.status
}

// story is a Status being told.
type story struct {
	page    *Page
	session *vending.Session
	status  Status
}

// say sets the heading and the text; the heading's key is key.title.
func (t *story) say(step int, key, words string, args ...any) {
	t.status.Step, t.status.title, t.status.Text = step, t.page.Text(key+".title", t.page.Brand), t.page.Text(words, args...)
}

func (t *story) sum(key string, value int64) {
	if value > 0 {
		t.status.Sums = append(t.status.Sums, Sum{t.page.Text(key), value})
	}
}

func (t *story) note(key string, args ...any) {
	t.status.Notes = append(t.status.Notes, t.page.Text(key, args...))
}

// ask sends the customer to a person.
func (t *story) ask() { t.status.Contact, t.status.Tone = true, "bad" }

// charged says what was charged so far, be it nothing: somebody may act in the portal at any time.
func (t *story) charged() {
	t.sum("charged", t.session.Seen.Captured)
	if t.session.Seen.Captured == 0 {
		t.note("nothing")
	}
}

// free is what is still reserved.
func free(v vending.View) int64 { return v.Authorized - v.Captured - v.Cancelled }

func (t *story) waiting() {
	t.status.Tone, t.status.Continue, t.status.GiveUp = "act", true, true
	if t.session.Maximum {
		t.say(1, "waiting", "waiting.maximum", t.page.Brand, t.page.Money(t.session.Reserved))
	} else {
		t.say(1, "waiting", "waiting.text", t.page.Brand, t.page.Money(t.session.Reserved))
		t.note("waiting.money")
	}
	t.note("waiting.moment")
}

// choosing is the customer's turn at the machine, or the machine's between two products that were paid for together.
func (t *story) choosing() {
	if !t.session.Maximum {
		t.say(2, "vending", "vending.text")
		return
	}
	s := t.session
	left, count := s.Reserved, s.MaxItems
	for _, item := range s.Items {
		if item.Concluded && item.Verdict != vending.NotDropped {
			left -= item.Price
			count--
		}
	}
	t.status.Tone, t.status.Done, t.status.Left = "act", true, timeLeft(s)
	t.sum("charged", t.session.Seen.Captured)
	if count == 1 {
		t.say(2, "choosing", "choosing.one", t.page.Money(left))
	} else {
		t.say(2, "choosing", "choosing.many", strconv.Itoa(count), t.page.Money(left))
	}
	t.note("reserve.last")
}

// timeLeft is about how many seconds there are to choose, in tens; 0 where nobody has to.
func timeLeft(s *vending.Session) int {
	if s.State != vending.Choosing || !s.Maximum {
		return 0
	}
	return max(0, int((s.SelectUntil.Sub(s.Now)+9*time.Second)/(10*time.Second))*10)
}

// settling is after the sum is fixed, and before it is charged.
func (t *story) settling() {
	s := t.session
	t.say(3, "settling", "settling.text")
	t.sum("charged", s.Seen.Captured)
	switch {
	case s.Lost:
		t.note("uncollected.text")
		t.ask()
	case s.Full:
		t.note("settling.full")
	case s.Due > s.Seen.Captured:
		t.sum("charging", s.Due-s.Seen.Captured)
	case s.Due == 0 && s.Seen.Captured == 0:
		t.say(3, "settling", "settling.release")
		t.note("nothing")
	}
	if s.Over {
		t.note("over.text")
		t.ask()
	}
	if s.Outcome.Result == vending.NotReleased {
		t.say(3, "unreleased", "unreleased.text")
		t.sum("reserved", free(s.Seen))
		t.ask()
		return
	}
	t.longer()
}

// longer is said of what does not go on by itself as it should.
func (t *story) longer() {
	if t.session.Action() != "" {
		t.note("longer")
		t.ask()
	}
}

// items lists the products, once the machine has been told about any of them.
func (t *story) items() {
	for _, item := range t.session.Items {
		taken := Taken{Name: item.Name, Price: item.Price}
		switch {
		case item.Concluded && item.Verdict == vending.Dropped:
			taken.Said = t.page.Text("item.dropped")
		case item.Concluded && item.Verdict == vending.NotDropped:
			taken.Said = t.page.Text("item.jammed")
		case item.Concluded:
			taken.Said = t.page.Text("item.unknown")
		case t.session.State == vending.Settling, t.session.State == vending.Closed: // it was never its turn
			taken.Said = t.page.Text("item.jammed")
		}
		t.status.Items = append(t.status.Items, taken)
	}
	if t.session.State == vending.Closed && !told(t.session) {
		t.status.Items = nil
	}
}

// told says that the machine has been told to let something out.
func told(s *vending.Session) bool {
	return slices.ContainsFunc(s.Items, func(i vending.Item) bool { return i.VendID != "" })
}
