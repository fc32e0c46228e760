package vending

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/webhooks"
)

// CheckIns says how customers are served who scan a callback code with the app. A scan is a webhook: give
// [Operator.HandleEvent] to the handler of user.checked-in.v1 before the codes are printed. An event without SentAt, which
// webhooks.Handler sets, is of unknown age and makes no payment.
type CheckIns struct {
	// Machine finds the machine of a code. Defaults to the code's id being the machine's name.
	Machine func(merchantQRID string) (machine string, ok bool)
	// UserFlow is epayment.WebRedirect, which is the default and needs Config.ReturnURL, or epayment.PushMessage, which needs
	// Vipps MobilePay's approval (5080). Their pages name both; nothing falls back from one to the other.
	UserFlow epayment.UserFlow
	// Items, MinimumUserAge and Description are as in [StaticQROrder].
	Items          int
	MinimumUserAge int
	Description    string
}

// checkInAge is how old a check-in may be, by Vipps MobilePay's own clocks: whoever scanned has left.
const checkInAge = 2 * time.Minute

// checkIn opens the session of a customer who has scanned a callback code. It does one write; the payment is made by
// whoever runs the store. The id is derived from the check-in, so that one that is delivered again finds its own session.
func (o *Operator) checkIn(ctx context.Context, event *webhooks.CheckInEvent) error {
	if event.MSN != o.config.Client.MerchantSerialNumber() {
		return nil // another sales unit's
	}
	machine, ok := event.MerchantQRID, true
	if find := o.config.CheckIns.Machine; find != nil {
		machine, ok = find(event.MerchantQRID)
	}
	refuse := func(err error) error {
		o.notify(Notice{Kind: NoticeCheckIn, Machine: machine, Err: err})
		return nil
	}
	if !ok || !isMachine(machine) {
		return refuse(fmt.Errorf("code %q: %w", event.MerchantQRID, ErrNoMachine))
	}
	if age, known := event.Age(); !known || age > checkInAge {
		return refuse(fmt.Errorf("%w: %s, known: %t", errOldCheckIn, age, known))
	}
	err := o.openCheckIn(ctx, machine, event)
	if _, busy := errors.AsType[*BusyError](err); busy {
		return refuse(err)
	}
	for _, final := range []error{ErrPartialCapture, ErrSoldOut, ErrNoMachine, ErrNotReady, vipps.ErrInvalidRequest} {
		if errors.Is(err, final) { // delivering it again, for days, would not help
			return refuse(err)
		}
	}
	return err
}

var errOldCheckIn = errors.New("the check-in is too old")

func (o *Operator) openCheckIn(ctx context.Context, machine string, event *webhooks.CheckInEvent) error {
	id := checkInID(machine, event)
	if _, err := o.config.Store.Load(ctx, id); err == nil {
		return nil // delivered before
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := o.Ready(ctx, machine); err != nil {
		return err
	}
	config := o.config.CheckIns
	s, _, err := o.static(ctx, "check-in", CheckIn, StaticQROrder{Machine: machine, Items: config.Items, MinimumUserAge: config.MinimumUserAge})
	if err != nil {
		return err
	}
	s.ID = id
	request := o.request(&s, s.only(config.Description))
	request.UserFlow = config.UserFlow
	if request.UserFlow == epayment.PushMessage {
		request.ReturnURL = ""
	}
	request.Customer = epayment.Customer{CustomerToken: event.CustomerToken}
	body, err := request.Encode()
	if err != nil {
		return err
	}
	s.Body = Seal(body)
	if err := o.store(ctx, &s, 0); err != nil && !errors.Is(err, ErrExists) {
		return err
	}
	o.wakeLoop()
	return nil
}

// checkInID is the session of one scan: a token never bills another customer, and never twice.
func checkInID(machine string, event *webhooks.CheckInEvent) string {
	var parts []byte
	for _, part := range []string{event.MSN, event.MerchantQRID, string(event.CustomerToken)} {
		parts = fmt.Appendf(parts, "%d:%s,", len(part), part)
	}
	sum := sha256.Sum256(parts)
	return derivedID(machine, sum[:])
}
