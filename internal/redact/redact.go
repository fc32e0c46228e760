// Package redact prints structs that hold secrets.
//
// A vipps.Secret prints redacted, but fmt asks it only where the verb fits: "%s" of a slice with a pointer to a struct
// prints the struct raw. So every exported type with a secret in it has a Format method that calls this package.
package redact

import "fmt"

// Format prints a value as "%+v" does, whatever the verb was. The value must be of a type without a Format of its own.
func Format(f fmt.State, value any) {
	_, _ = fmt.Fprintf(f, "%+v", value) // fmt.State keeps no error
}
