package vending

import (
	"slices"
	"time"

	"github.com/vippsvending/vipps"
)

// schema is the version of what is stored. A worker leaves sessions of another schema alone.
const schema = 1

// State is where a session stands. The package comment has the diagram.
type State string

// The states. Closed is the only one in which a session can stay for good.
const (
	Opening     State = "Opening"     // the payment is being made
	Waiting     State = "Waiting"     // the customer may approve
	Withdrawing State = "Withdrawing" // the payment is being taken back; the customer may still win
	Choosing    State = "Choosing"    // reserved; the next item is not yet let out
	Vending     State = "Vending"     // the machine has been told, or may be told at any moment
	Held        State = "Held"        // nobody knows whether an item came out; a person decides
	Settling    State = "Settling"    // what is due is fixed; captured, and the rest released
	Closed      State = "Closed"      // the payment is at rest
)

// Door is how the customer came in.
type Door string

// The doors.
const (
	// DynamicQR is a code on the machine's screen, for items already chosen and their exact price.
	DynamicQR Door = "DynamicQR"
	// SiteSelection is a sticker that leads to a page on which the customer chooses and pays the exact price.
	SiteSelection Door = "SiteSelection"
	// SitePayment is a sticker that leads to a page on which the customer pays for what was chosen on the machine.
	SitePayment Door = "SitePayment"
	// StaticQR is a sticker that leads to a page with one button: the customer approves a maximum and then chooses on the
	// machine, or pays the exact price of what was chosen before.
	StaticQR Door = "StaticQR"
	// CheckIn is the same from a sticker that checks the customer in, without a page.
	CheckIn Door = "CheckIn"
	// Till is a manned point: the customer shows a code or says a phone number, and pays the exact price.
	Till Door = "Till"
)

// Reason says why a session was withdrawn or ended without a sale.
type Reason string

// The reasons.
const (
	ReasonClock      Reason = "clock"      // the customer did not approve in time
	ReasonReturned   Reason = "returned"   // the return button, or whoever runs the door gave up
	ReasonReplaced   Reason = "replaced"   // another customer waits for the machine
	ReasonRefused    Reason = "refused"    // the payment was refused
	ReasonUnanswered Reason = "unanswered" // the payment could not be made in time
	ReasonMachine    Reason = "machine"    // the machine could not sell
	ReasonAborted    Reason = "aborted"    // the customer said no in the app
	ReasonExpired    Reason = "expired"    // the payment expired
)

// Session is one customer at one machine. It is stored whole; what is exported is for stores, screens and the desk.
// Every …Until is a time by the store's clock.
type Session struct {
	// ID is the payment's reference as well.
	ID string
	// Version counts the saves; the store compares it.
	Version int64
	Schema  int

	Machine string
	// Seat is the machine, as long as the session may still vend there; empty afterwards. No two sessions have the same.
	Seat        string
	Environment vipps.Environment
	// MerchantSerialNumber is the sales unit that took the payment.
	MerchantSerialNumber string
	Door                 Door
	// Planogram is the version of the price list that was used.
	Planogram string
	State     State
	Reason    Reason
	Currency  vipps.Currency
	// Reserved is the amount of the payment, in minor units, whether the customer approved it or not: what was truly
	// reserved is Seen.Authorized.
	Reserved int64
	// Maximum says that Reserved is more than the price: the customer chooses after the approval, and Items grows.
	Maximum bool
	// MaxItems is how many products may drop in a session with a maximum.
	MaxItems int
	// MinimumUserAge is what the app was asked to check, in years; 0 is nothing.
	MinimumUserAge int
	// Timeouts are the machine's when the session was opened.
	Timeouts Timeouts
	// UnknownVerdict and InFull are the operator's policies when the session was opened.
	UnknownVerdict UnknownPolicy
	InFull         InFullPolicy
	Items          []Item
	// Item is the index of the item being let out, or of the next one.
	Item int
	// Nonce is in the payment's metadata too: a payment without it is somebody else's.
	Nonce string
	// Body is the frozen request that makes the payment, until the payment is known to exist.
	Body Sealed
	// RedirectURL is what the code on the screen leads to. Whoever holds it can pay. Empty once the session is closed.
	RedirectURL Sealed
	// Creates counts the attempts to make the payment that went unanswered or were refused for the moment.
	Creates int
	// Refusal is the code with which the payment was refused for good; empty if it was not, or without a code. Of 7010 the
	// customer must not be told that a number is wrong: they may be too young, or not use the app.
	Refusal vipps.Code

	Opened time.Time
	// Since is when the session entered its state.
	Since        time.Time
	Ended        time.Time // when it was closed; zero before
	OpenUntil    time.Time
	ApproveUntil time.Time
	SeatUntil    time.Time
	SelectUntil  time.Time
	VerdictUntil time.Time
	HoldUntil    time.Time
	// Overdue says that the machine did not answer when VerdictUntil came, and that it has been given more, half a minute at most.
	Overdue bool

	// Seen is the most that any read of the payment has shown. A smaller view is old and is not acted on.
	Seen View
	// Approved is when the reservation was first seen.
	Approved time.Time

	// Due is the sum that is to be captured, fixed when the session enters Settling; −1 before.
	Due     int64
	Capture Attempt
	// Refusals counts the captures that were refused for good, but not for want of funds.
	Refusals int
	// Unfunded counts the captures that were refused because the funds were not there.
	Unfunded int
	// CancelRefusals counts the releases that were refused, and CancelAt is when the next one is due.
	CancelRefusals int
	CancelAt       time.Time
	// Full says that all of the reservation is captured and what is too much refunded, because Vipps MobilePay refused to
	// capture a part.
	Full bool
	// Lost and Over say that the outcome's loss or surplus has been stored: it is not tried again.
	Lost bool
	Over bool
	// Absent says that the session closed because no payment was found.
	Absent  bool
	Outcome Outcome
	// Tasks are left to do when the payment is at rest.
	Tasks []Task
	// Refunds are those that were asked for, done or not. RefundN is the last number that one of them used.
	Refunds []Refund
	RefundN int
	// Acknowledged is the outcome that a person has dealt with; see [Operator.Acknowledge].
	Acknowledged Outcome

	History []Step
	// WakeAt is when somebody has to look again; zero is never. It is lease, timer and poll schedule in one.
	WakeAt time.Time
	// Now is the store's clock when the session was loaded. It is not stored.
	Now time.Time `json:"-"`
	// Woken says that [Store] Wake has been called, and that nobody who has looked since has put the session to rest. Due and
	// Load set it, and Rest keeps it or takes it away; it is no part of the session.
	Woken bool `json:"-"`
}

// Item is one product of a session.
type Item struct {
	Name string
	// Slot is where the product is, in the machine's own terms.
	Slot string
	// Price includes tax, in minor units.
	Price int64
	// TaxRate is as in [Product].
	TaxRate int
	// VendID names this one try at this one item, for ever. It is set when the machine may be told.
	VendID string
	// Verdict is what became of it. The zero Verdict is Unknown, which says something only if Concluded is set.
	Verdict   Verdict
	Concluded bool
	// Late says that the verdict came when the sum was already fixed.
	Late bool
}

// Attempt is one capture: the same number, amount and key until it is over.
type Attempt struct {
	// N counts a session's attempts from 1, and is part of the key.
	N int
	// Amount is in minor units.
	Amount    int64
	SendUntil time.Time
	// Refused is the code of a conclusive refusal, else empty.
	Refused vipps.Code
	// RetryAt is when the next attempt may follow a refused one.
	RetryAt time.Time
}

// Step is one line of a session's history.
type Step struct {
	At   time.Time
	From State
	// Fact is what was learnt, and Why what it meant to the session; amounts are in minor units. They are for people and may
	// change their words.
	Fact string
	Why  string `json:",omitzero"`
	To   State
}

// clone shares nothing that an apply changes. The history is only ever added to.
func (s Session) clone() Session {
	s.Items, s.Tasks, s.Refunds = slices.Clone(s.Items), slices.Clone(s.Tasks), slices.Clone(s.Refunds)
	return s
}

// Finished says that the session is closed and has nothing left to do.
func (s *Session) Finished() bool { return s.State == Closed && len(s.Tasks) == 0 }

// Watched says that the session may still have something to do. Stores hand out no others for work. A session that closed
// because no payment was found is finished, but watched: the payment may yet appear.
func (s *Session) Watched() bool { return !s.Finished() || s.Absent }

// InTime moves a new session to a store's clock: s.Now is the moment by the clock of whoever made it, and now the same
// moment by the store's. Stores call it in Create.
func (s Session) InTime(now time.Time) Session {
	ahead := now.Sub(s.Now)
	for _, at := range []*time.Time{&s.Opened, &s.Since, &s.OpenUntil, &s.WakeAt} {
		*at = at.Add(ahead)
	}
	s.History = slices.Clone(s.History)
	for i := range s.History {
		s.History[i].At = s.History[i].At.Add(ahead)
	}
	s.Now = now
	return s
}

// price is the sum of the items that a predicate picks.
func (s *Session) price(pick func(Item) bool) int64 {
	var sum int64
	for _, item := range s.Items {
		if pick(item) {
			sum += item.Price
		}
	}
	return sum
}

func dropped(i Item) bool   { return i.Concluded && i.Verdict == Dropped }
func unknown(i Item) bool   { return i.Concluded && i.Verdict == Unknown }
func inTime(i Item) bool    { return dropped(i) && !i.Late }
func unsettled(i Item) bool { return inTime(i) || unknown(i) }

// rest is what of the reservation is neither spent nor possibly spent.
func (s *Session) rest() int64 { return s.Reserved - s.price(unsettled) }

// more says whether another item may follow the one being let out, once it is known whether that dropped.
func (s *Session) more(verdict Verdict) bool {
	if !s.Maximum {
		return s.Item+1 < len(s.Items)
	}
	after := *s
	after.Items = slices.Clone(s.Items)
	if s.Item < len(s.Items) {
		after.Items[s.Item].Verdict, after.Items[s.Item].Concluded = verdict, true
	}
	return after.mayTake()
}

// mayTake says that a customer with a maximum may take another product.
func (s *Session) mayTake() bool {
	count := 0
	for _, item := range s.Items {
		if unsettled(item) {
			count++
		}
	}
	return s.rest() > 0 && count < s.MaxItems && len(s.Items) < maxProducts
}

// current is the item being let out, or the next one; false if there is none.
func (s *Session) current() (Item, bool) {
	if s.Item < 0 || s.Item >= len(s.Items) {
		return Item{}, false
	}
	return s.Items[s.Item], true
}

// nextPrice is the price that a reservation has to cover now: of the next item, or, before anything was chosen, the smallest
// there is.
func (s *Session) nextPrice() int64 {
	if item, ok := s.current(); ok {
		return item.Price
	}
	return 1
}

// index finds the item of a try.
func (s *Session) index(vend string) int {
	for i, item := range s.Items {
		if item.VendID == vend && vend != "" {
			return i
		}
	}
	return -1
}
