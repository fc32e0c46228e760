package qr

import (
	"fmt"

	"github.com/vippsvending/vipps/internal/redact"
)

// Format prints the fields, secrets redacted, whatever the verb.
func (r OneTimeRequest) Format(f fmt.State, _ rune) {
	type plain OneTimeRequest
	redact.Format(f, plain(r))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (c OneTimeCode) Format(f fmt.State, _ rune) {
	type plain OneTimeCode
	redact.Format(f, plain(c))
}

// Format prints the fields, secrets redacted, whatever the verb.
func (c Customer) Format(f fmt.State, _ rune) {
	type plain Customer
	redact.Format(f, plain(c))
}
