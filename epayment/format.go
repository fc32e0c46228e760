package epayment

import (
	"fmt"

	"github.com/vippsvending/vipps/internal/redact"
)

// Format prints the fields, secrets redacted, whatever the verb.
func (r CreateRequest) Format(f fmt.State, _ rune) {
	type plain CreateRequest
	redact.Format(f, plain(r))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (c Customer) Format(f fmt.State, _ rune) {
	type plain Customer
	redact.Format(f, plain(c))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (c Created) Format(f fmt.State, _ rune) {
	type plain Created
	redact.Format(f, plain(c))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (r ForceApproveRequest) Format(f fmt.State, _ rune) {
	type plain ForceApproveRequest
	redact.Format(f, plain(r))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (p Payment) Format(f fmt.State, _ rune) {
	type plain Payment
	redact.Format(f, plain(p))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (d UserDetails) Format(f fmt.State, _ rune) {
	type plain UserDetails
	redact.Format(f, plain(d))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (d ShippingDetails) Format(f fmt.State, _ rune) {
	type plain ShippingDetails
	redact.Format(f, plain(d))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (a Address) Format(f fmt.State, _ rune) {
	type plain Address
	redact.Format(f, plain(a))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (s Shipping) Format(f fmt.State, _ rune) {
	type plain Shipping
	redact.Format(f, plain(s))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (o DynamicOptions) Format(f fmt.State, _ rune) {
	type plain DynamicOptions
	redact.Format(f, plain(o))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (d IndustryData) Format(f fmt.State, _ rune) {
	type plain IndustryData
	redact.Format(f, plain(d))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (a AirlineData) Format(f fmt.State, _ rune) {
	type plain AirlineData
	redact.Format(f, plain(a))
}
