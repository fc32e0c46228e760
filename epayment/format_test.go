package epayment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/epayment"
)

// TestFormat prints pointers one level down under verbs that do not fit, where fmt does not ask a field how it prints.
func TestFormat(t *testing.T) {
	t.Parallel()
	const mark = "s3cr3t"
	address := epayment.Address{AddressLine1: mark, AddressLine2: mark, PostCode: mark}
	airline := epayment.AirlineData{PassengerName: mark}
	dynamic := epayment.DynamicOptions{CallbackAuthorizationToken: mark}
	for _, value := range []any{
		&epayment.CreateRequest{ReturnURL: mark, ReceiptURL: mark, Customer: epayment.Customer{PhoneNumber: mark}},
		&epayment.Customer{PhoneNumber: mark, PersonalQR: mark, CustomerToken: mark},
		&epayment.Created{RedirectURL: mark},
		&epayment.ForceApproveRequest{Token: mark},
		&epayment.Payment{RedirectURL: mark, UserDetails: epayment.UserDetails{MobileNumber: mark}},
		&epayment.UserDetails{Email: mark, FirstName: mark, LastName: mark, MobileNumber: mark, DateOfBirth: mark},
		&epayment.ShippingDetails{Address: address},
		&address,
		&epayment.Shipping{DynamicOptions: dynamic},
		&dynamic,
		&epayment.IndustryData{AirlineData: airline},
		&airline,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x", "%t"} {
			for _, shape := range []any{value, []any{value}, map[string]any{"v": value}} {
				if got := fmt.Sprintf(verb, shape); strings.Contains(got, mark) || strings.Contains(got, fmt.Sprintf("%x", mark)) {
					t.Errorf("%s of %T prints a secret: %s", verb, value, got)
				}
			}
		}
	}
}
