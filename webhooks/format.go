package webhooks

import (
	"fmt"
	"io"

	"github.com/vippsvending/vipps/internal/redact"
)

// Format prints the window and nothing else, whatever the verb.
func (v Verifier) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "{MaxAge:"+v.maxAge.String()+" secrets:"+redacted+"}") // fmt.State keeps no error
}

// Format prints the fields, secrets redacted, whatever the verb.
func (r Registration) Format(f fmt.State, _ rune) {
	type plain Registration
	redact.Format(f, plain(r))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (r EnsureRequest) Format(f fmt.State, _ rune) {
	type plain EnsureRequest
	redact.Format(f, plain(r))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (r EnsureResult) Format(f fmt.State, _ rune) {
	type plain EnsureResult
	redact.Format(f, plain(r))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (c VerifierConfig) Format(f fmt.State, _ rune) {
	type plain VerifierConfig
	redact.Format(f, plain(c))
}

// Format prints the fields, personal data and body redacted, whatever the verb.
func (e PaymentEvent) Format(f fmt.State, _ rune) {
	type plain PaymentEvent
	redact.Format(f, plain(e))
}

// Format prints the fields, token and body redacted, whatever the verb.
func (e CheckInEvent) Format(f fmt.State, _ rune) {
	type plain CheckInEvent
	redact.Format(f, plain(e))
}

// Format prints the fields, the body redacted, whatever the verb.
func (e UnknownEvent) Format(f fmt.State, _ rune) {
	type plain UnknownEvent
	redact.Format(f, plain(e))
}

// Format prints the fields redacted, whatever the verb.
func (d UserDetails) Format(f fmt.State, _ rune) {
	type plain UserDetails
	redact.Format(f, plain(d))
}

// Format prints the fields, the address redacted, whatever the verb.
func (d ShippingDetails) Format(f fmt.State, _ rune) {
	type plain ShippingDetails
	redact.Format(f, plain(d))
}

// Format prints the country and the rest redacted, whatever the verb.
func (a Address) Format(f fmt.State, _ rune) {
	type plain Address
	redact.Format(f, plain(a))
}
