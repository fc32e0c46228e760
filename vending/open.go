package vending

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

const (
	metadataMachine = "vending-machine" // makes a payment one of ours
	metadataNonce   = "vending-nonce"   // makes it this session's
)

// lease is how long a worker has a session to itself before others look at it. It saves calls; no promise rests on it.
const lease = 15 * time.Second

func (o *Operator) newSession(machine string, door Door, planogram string) Session {
	return Session{
		ID:                   newID(machine),
		Schema:               schema,
		Machine:              machine,
		Seat:                 machine,
		Environment:          o.config.Client.Environment(),
		MerchantSerialNumber: o.config.Client.MerchantSerialNumber(),
		Door:                 door,
		Planogram:            planogram,
		State:                Opening,
		Currency:             o.config.Currency,
		Nonce:                random(26),
		MinimumUserAge:       o.config.MinimumUserAge,
		Timeouts:             o.timeouts(machine),
		UnknownVerdict:       o.config.UnknownVerdict,
		InFull:               o.config.InFull,
		Due:                  -1,
	}
}

// oneByOne refuses a basket where one that jams would have the others given away.
func (o *Operator) oneByOne(machine string, products []Product) error {
	if len(products) > 1 && o.config.InFull == ReleaseAll && (o.config.NoPartialCapture || o.partialRefused.Load()) {
		return fmt.Errorf("machine %s: more than one product: %w", machine, ErrPartialCapture)
	}
	return nil
}

// exact makes a session for products that are known before.
func (o *Operator) exact(machine string, door Door, planogram string, products []Product) Session {
	s := o.newSession(machine, door, planogram)
	for _, product := range products {
		s.Items = append(s.Items, product.item())
		s.Reserved += product.Price
		s.MinimumUserAge = max(s.MinimumUserAge, product.MinimumAge)
	}
	return s
}

// request is the payment of a session. The door adds how the customer comes to it.
func (o *Operator) request(s *Session, description string) epayment.CreateRequest {
	request := epayment.CreateRequest{
		IdempotencyKey:      s.ID + "-c",
		Reference:           s.ID,
		Amount:              vipps.Amount{Value: s.Reserved, Currency: s.Currency},
		PaymentMethod:       epayment.PaymentMethod{Type: epayment.Wallet},
		CustomerInteraction: epayment.CustomerPresent,
		ReturnURL:           o.returnURL(s.ID),
		PaymentDescription:  cmp.Or(description, s.describe()),
		Metadata:            map[string]string{metadataMachine: s.Machine, metadataNonce: s.Nonce},
		MerchantLegalLinks:  o.config.LegalLinks,
	}
	if s.MinimumUserAge > 0 {
		request.MinimumUserAge = new(s.MinimumUserAge)
	}
	if s.receiptBefore() {
		if receipt, err := s.receiptOf(s.Reserved, func(Item) bool { return true }); err == nil {
			request.Receipt = receipt
		}
	}
	return request
}

func checkDescription(require func(bool, string, ...any), description string) {
	length := len([]rune(description))
	require(description == "" || length >= 3 && length <= 100, "Description: must be 3 to 100 characters")
}

// describe names the products, as far as there is room, or says that a maximum is only reserved.
func (s *Session) describe() string {
	if s.Maximum {
		return fmt.Sprintf("%s is only reserved: you pay for what you take", vipps.Amount{Value: s.Reserved, Currency: s.Currency})
	}
	names := make([]string, len(s.Items))
	for i, item := range s.Items {
		names[i] = item.Name
	}
	text := []rune(strings.Join(names, ", "))
	if len(text) > 100 {
		text = append(text[:99], '…')
	}
	if len(text) < 3 {
		return "Vending: " + string(text)
	}
	return string(text)
}

// Ready asks a machine whether it can sell, as every door does before anything is stored. It is nil for a machine that another
// worker reaches ([ErrElsewhere]): that one is asked before each vend, by its worker. The error matches [ErrNotReady] and the
// machine's own.
func (o *Operator) Ready(ctx context.Context, machine string) error {
	var f findings
	if f.require(isMachine(machine), machineRule); f != nil {
		return f.err("vending.Ready")
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := o.config.Machine.Ready(ctx, machine); err != nil && !errors.Is(err, ErrElsewhere) {
		return fmt.Errorf("machine %s: %w: %w", machine, ErrNotReady, err)
	}
	return nil
}

// ErrNotReady means that the machine cannot sell now, by its Ready. No payment was made.
var ErrNotReady = errors.New("vending: the machine cannot sell")

// readyTimeout bounds the question whether a machine can sell: a customer waits.
const readyTimeout = 5 * time.Second

// store stores a new session and takes the machine's seat, if need be from a customer who has not paid yet. Others may look
// at it after a while.
func (o *Operator) store(ctx context.Context, s *Session, wake time.Duration) error {
	s.begin(wake)
	err := o.config.Store.Create(ctx, *s)
	if _, busy := errors.AsType[*BusyError](err); busy && o.config.Busy == ReplaceUnpaid && o.replace(ctx, s.Machine) {
		s.begin(wake)
		err = o.config.Store.Create(ctx, *s)
	}
	if err != nil {
		return err
	}
	o.forgetSelection(s.Machine) // it is for this session or for nobody
	o.stored(*s, s.History[0])
	return nil
}

// begin starts a session's clocks.
func (s *Session) begin(wake time.Duration) {
	now := time.Now()
	s.Now, s.Opened, s.Since = now, now, now
	s.OpenUntil = now.Add(s.Timeouts.Open)
	s.WakeAt = now.Add(wake)
	s.History = []Step{{At: now, Fact: "opened", To: Opening}}
}

// replaceAfter is how long a customer has before another one may take their place: it takes that long to approve.
const replaceAfter = 20 * time.Second

// replaceTime is how long the next customer waits for an unpaid session to be taken back.
const replaceTime = 5 * time.Second

// replace takes an unpaid session back and says whether Vipps MobilePay has confirmed it. A customer who has just approved
// keeps the machine.
func (o *Operator) replace(ctx context.Context, machine string) bool {
	ctx, cancel := context.WithTimeout(ctx, replaceTime)
	defer cancel()
	holder, err := o.config.Store.Seat(ctx, machine)
	if err != nil {
		return errors.Is(err, ErrNotFound) // it has just gone
	}
	unpaid := holder.State == Opening || holder.State == Waiting || holder.State == Withdrawing
	if !unpaid || holder.Now.Sub(holder.Opened) < replaceAfter {
		return false
	}
	if err := o.tell(ctx, holder.ID, fact{kind: factWithdraw, reason: ReasonReplaced}); err != nil {
		return false
	}
	s, err := o.Wait(ctx, holder.ID)
	return err == nil && s.State == Closed && !s.Absent
}

// open stores a session and makes its payment. On success s is the session that waits for the customer.
func (o *Operator) open(ctx context.Context, s *Session, request epayment.CreateRequest) error {
	body, err := request.Encode()
	if err != nil {
		return err
	}
	s.Body = Seal(body)
	if err := o.store(ctx, s, lease); err != nil {
		return o.unstored(ctx, s.ID, err)
	}
	made, failure := o.advance(ctx, s.ID, true)
	for made.State == Opening {
		if err := o.pause(ctx, s.ID, o.delay(&made, failure)); err != nil {
			return o.leave(ctx, s.ID, err)
		}
		now, err := o.Session(ctx, s.ID)
		if err != nil {
			return o.leave(ctx, s.ID, err)
		}
		if made = *now; made.State != Opening {
			break
		}
		next, err := o.advance(ctx, s.ID, false)
		if err != nil {
			failure = err
		}
		if next.ID != "" {
			made = next
		}
	}
	switch {
	case made.ID == "":
		return o.leave(ctx, s.ID, failure)
	case ctx.Err() != nil: // nobody is there to be shown where to pay
		return o.leave(ctx, s.ID, ctx.Err())
	case made.Refusal == epayment.CodeCustomerNotFound:
		return fmt.Errorf("session %s: %w: %w", s.ID, ErrCustomer, cmp.Or(failure, errNotOpened))
	case !made.Approved.IsZero(): // quicker than the answer: it was opened, whatever has become of it
		*s = made
		return nil
	case made.Reason == ReasonRefused:
		return fmt.Errorf("session %s: %w: %w", s.ID, ErrRefused, cmp.Or(failure, errNotOpened))
	case !slices.Contains([]State{Waiting, Choosing, Vending}, made.State):
		return fmt.Errorf("session %s: the payment could not be made (%s): %w", s.ID, made.Reason, cmp.Or(failure, errNotOpened))
	default:
		*s = made
		return nil
	}
}

// ErrCustomer means that Vipps MobilePay does not make this payment with this customer: they may not use the app, be blocked
// or too young (7010). Do not say that a number is wrong; offer another way to pay.
var ErrCustomer = errors.New("vending: this customer cannot pay this way")

// ErrRefused means that Vipps MobilePay has refused the payment for good: it will not be made by trying again. What is wrong
// stands in the error.
var ErrRefused = errors.New("vending: the payment was refused")

var errNotOpened = errors.New("no answer in time")

// unstored is a session that could not be stored. If nobody knows whether it was, it is taken back: whoever asked is told
// that there is none.
func (o *Operator) unstored(ctx context.Context, id string, err error) error {
	if _, busy := errors.AsType[*BusyError](err); busy || errors.Is(err, ErrExists) {
		return err
	}
	return o.leave(ctx, id, err)
}

// leaveTime is how long a session that nobody waits for any more is followed to its end.
const leaveTime = 15 * time.Second

// leave withdraws a session that nobody waits for any more, and follows it for a while.
func (o *Operator) leave(ctx context.Context, id string, cause error) error {
	patience := o.timeouts(MachineOf(id)).Verdict
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime+patience)
	defer cancel()
	following := leaveTime
	switch err := o.takeBack(ctx, id); {
	case errors.Is(err, ErrNotFound): // it was never stored
		return fmt.Errorf("session %s: %w", id, cause)
	case errors.Is(err, ErrTooLate): // the machine has been told: its word is waited for
		following += patience
	case err != nil:
		return fmt.Errorf("session %s is left to whoever runs the store next: %w: %w", id, cause, err)
	}
	ctx, cancel = context.WithTimeout(ctx, following)
	defer cancel()
	s, err := o.Wait(ctx, id)
	if err != nil {
		return fmt.Errorf("session %s is left to whoever runs the store next: %w", id, cause)
	}
	return fmt.Errorf("session %s was left and ended as %s: %w", id, s.Summary(), cause)
}

// takeBack withdraws a session, and does not give up because the store has failed once.
func (o *Operator) takeBack(ctx context.Context, id string) error {
	for try := 0; ; try++ {
		err := o.Withdraw(ctx, id)
		if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrTooLate) || errors.Is(err, errForeign) || try > 6 {
			return err
		}
		if !sleepFor(ctx, 100*time.Millisecond<<try) {
			return err
		}
	}
}

// tasksTime is how long a sale that is settled is followed, for its receipt.
const tasksTime = 5 * time.Second

// sell waits for a session that was opened. If the context ends first the customer is taken to have left.
func (o *Operator) sell(ctx context.Context, id string) (*Session, error) {
	s, err := o.Wait(ctx, id)
	if err != nil {
		err = o.leave(ctx, id, err)
		last, _ := o.Session(context.WithoutCancel(ctx), id) // nil if the store does not answer
		return last, err
	}
	if s.State != Closed || s.Finished() || s.Absent {
		return s, nil
	}
	following, cancel := context.WithTimeout(ctx, tasksTime)
	defer cancel()
	if done, err := o.WaitFor(following, id, (*Session).Finished); err == nil {
		return done, nil
	}
	return s, nil
}
