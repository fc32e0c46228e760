package setup

import (
	"context"
	"errors"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// Allows says whether the flags -approve and -abort have a meaning with the server that is used.
func (s *Setup) Allows(approve string, abort bool) error {
	switch {
	case approve != "" && s.Client.Environment() != vipps.Test:
		return errors.New("-approve exists in the test environment only")
	case abort && s.Emulator == nil:
		return errors.New("-abort plays the emulator's customer; say no on the phone instead")
	default:
		return nil
	}
}

// Decide is the customer with a payment in the app: approved on behalf of a test user's number, if there is one, and
// otherwise by the emulator's customer. It does nothing if that is up to a real one.
func (s *Setup) Decide(ctx context.Context, reference, approve string, abort bool) error {
	switch {
	case approve != "":
		return epayment.New(s.Client).ForceApprove(ctx, reference, epayment.ForceApproveRequest{
			Customer: epayment.Customer{PhoneNumber: vipps.Secret(approve)},
		})
	case s.Emulator == nil:
		return nil
	case abort:
		return s.Emulator.Abort(reference)
	default:
		return s.Emulator.Approve(reference)
	}
}
