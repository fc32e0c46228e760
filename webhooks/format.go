package webhooks

import (
	"fmt"
	"io"
)

// A vipps.Secret prints redacted, but fmt asks it only where the verb fits: "%s" of a slice with a pointer to a struct prints
// the struct raw. So every type here with a secret in it has a Format, which prints as "%+v" does, whatever the verb.

// Format prints the window and nothing else, whatever the verb.
func (v Verifier) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "{MaxAge:"+v.maxAge.String()+" secrets:"+redacted+"}") // fmt.State keeps no error
}

// Format prints the fields, secrets redacted, whatever the verb.
func (r Registration) Format(f fmt.State, _ rune) {
	type plain Registration
	format(f, plain(r))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (r EnsureRequest) Format(f fmt.State, _ rune) {
	type plain EnsureRequest
	format(f, plain(r))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (r EnsureResult) Format(f fmt.State, _ rune) {
	type plain EnsureResult
	format(f, plain(r))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (c VerifierConfig) Format(f fmt.State, _ rune) {
	type plain VerifierConfig
	format(f, plain(c))
}

// Format prints the fields, personal data and body redacted, whatever the verb.
func (e PaymentEvent) Format(f fmt.State, _ rune) {
	type plain PaymentEvent
	format(f, plain(e))
}

// Format prints the fields, token and body redacted, whatever the verb.
func (e CheckInEvent) Format(f fmt.State, _ rune) {
	type plain CheckInEvent
	format(f, plain(e))
}

// Format prints the fields, the body redacted, whatever the verb.
func (e UnknownEvent) Format(f fmt.State, _ rune) {
	type plain UnknownEvent
	format(f, plain(e))
}

// Format prints the fields redacted, whatever the verb.
func (d UserDetails) Format(f fmt.State, _ rune) {
	type plain UserDetails
	format(f, plain(d))
}

// Format prints the fields, the address redacted, whatever the verb.
func (d ShippingDetails) Format(f fmt.State, _ rune) {
	type plain ShippingDetails
	format(f, plain(d))
}

// Format prints the country and the rest redacted, whatever the verb.
func (a Address) Format(f fmt.State, _ rune) {
	type plain Address
	format(f, plain(a))
}

func format(f fmt.State, value any) {
	_, _ = fmt.Fprintf(f, "%+v", value) // fmt.State keeps no error
}
