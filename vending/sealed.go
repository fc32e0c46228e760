package vending

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Sealed holds bytes that must be stored but never shown: the request that makes a payment holds a customer token or a
// phone number, and whoever holds the redirect URL can pay. It prints as [redacted] in fmt, in JSON and in
// slog. A store opens it with [Sealed.Open] and makes it again with [Seal]; a durable store encrypts what it writes.
// The zero Sealed is empty.
type Sealed struct{ content *[]byte }

// Seal makes a Sealed of bytes, which must not be changed afterwards. Nothing, sealed, is the zero Sealed.
func Seal(content []byte) Sealed {
	if len(content) == 0 {
		return Sealed{}
	}
	return Sealed{&content}
}

// Open gives the bytes. Only stores, and whoever shows a code to a customer, have a use for it.
func (s Sealed) Open() []byte {
	if s.content == nil {
		return nil
	}
	return *s.content
}

// IsZero says that there is nothing inside.
func (s Sealed) IsZero() bool { return s.content == nil }

// String is [redacted], or empty if there is nothing inside.
func (s Sealed) String() string {
	if s.IsZero() {
		return ""
	}
	return "[redacted]"
}

// Format prints [redacted], whatever the verb.
func (s Sealed) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String()) // fmt.State keeps no error
}

// LogValue gives [redacted] to slog.
func (s Sealed) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON gives "[redacted]". A store that keeps sessions as JSON writes sealed values beside it.
func (s Sealed) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

var errSealedJSON = errors.New("vending: a sealed value cannot be read from JSON: the store keeps it apart")

// UnmarshalJSON takes the empty value only: what was redacted is gone, and a session without it cannot go on.
func (s *Sealed) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil || text != "" {
		return errSealedJSON
	}
	*s = Sealed{}
	return nil
}
