package vipps

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is text that must not be printed: a phone number, a customer token, an address that whoever holds it can pay with.
// It prints as [redacted] in fmt, in JSON and in slog; an empty one prints as nothing. string(s) is the text. Three things
// print it all the same, since Go asks no method there: an unexported field of a struct of yours that has no Format of its own,
// the verb %p, and a %w without its error (go vet reports both), and a key of a JSON map. Decoding JSON fills it as it would
// a string.
type Secret string

// Format prints [redacted], whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) {
	if s != "" {
		_, _ = io.WriteString(f, redacted) // fmt.State keeps no error
	}
}

// MarshalText gives [redacted] to JSON and to other encoders of text.
func (s Secret) MarshalText() ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	return []byte(redacted), nil
}

// LogValue gives [redacted] to slog.
func (s Secret) LogValue() slog.Value {
	if s == "" {
		return slog.StringValue("")
	}
	return slog.StringValue(redacted)
}
