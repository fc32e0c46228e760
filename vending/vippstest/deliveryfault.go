package vippstest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A DeliveryFault makes deliveries go wrong. It waits for deliveries of its event and reference, lets Skip of them pass,
// and strikes the next Count.
type DeliveryFault struct {
	Event     string // such as "epayments.payment.authorized.v1", or short "AUTHORIZED"; empty is any
	Reference string // of the payment; empty is any
	Skip      int    // how many pass first
	Count     int    // how many are struck: 0 is one, less than 0 is all that follow
	Kind      DeliveryFaultKind
	Delay     time.Duration // how late Delay is, and how old StaleDate
}

type deliveryFault struct {
	DeliveryFault
	injected
}

// DeliveryFaultKind is a way in which a delivery goes wrong.
type DeliveryFaultKind string

// The ways in which an event as a whole goes wrong. Events are counted once for each webhook that gets them.
const (
	// Duplicate delivers the event twice.
	Duplicate DeliveryFaultKind = "duplicate"
	// Delay makes the first attempt after DeliveryFault.Delay. Later events of the same payment wait behind it.
	Delay DeliveryFaultKind = "delay"
	// Drop never delivers the event.
	Drop DeliveryFaultKind = "drop"
	// ExtraFields adds fields that nobody knows yet, an object among them.
	ExtraFields DeliveryFaultKind = "extra-fields"
	// NoIdempotencyKey leaves out the idempotencyKey.
	NoIdempotencyKey DeliveryFaultKind = "no-idempotency-key"
	// NotSuccessful says that the operation failed: success is false.
	NotSuccessful DeliveryFaultKind = "not-successful"
	// OldSpelling calls the serial number of a check-in merchantSerialNumber.
	OldSpelling DeliveryFaultKind = "old-spelling"
)

// The ways in which a single attempt goes wrong. Attempts are counted.
const (
	// BadSignature signs with another secret.
	BadSignature DeliveryFaultKind = "bad-signature"
	// StaleDate signs properly with a date that is DeliveryFault.Delay old, at least an hour.
	StaleDate DeliveryFaultKind = "stale-date"
	// ForgedBody changes the body after it was signed.
	ForgedBody DeliveryFaultKind = "forged-body"
	// NoAuthorization sends the signature in X-Vipps-Authorization only, as after a proxy that strips Authorization.
	NoAuthorization DeliveryFaultKind = "no-authorization"
	// LostAnswer loses the answer, so that an accepted delivery is repeated.
	LostAnswer DeliveryFaultKind = "lost-answer"
)

var (
	parcelFaults  = []DeliveryFaultKind{Duplicate, Delay, Drop, ExtraFields, NoIdempotencyKey, NotSuccessful, OldSpelling}
	attemptFaults = []DeliveryFaultKind{BadSignature, StaleDate, ForgedBody, NoAuthorization, LostAnswer}
)

// InjectDelivery adds faults of deliveries. Of several that fit, each strikes an event, but only the first one injected
// an attempt. It panics if a Kind is not one of the constants.
func (s *Server) InjectDelivery(f ...DeliveryFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range f {
		if !slices.Contains(parcelFaults, fault.Kind) && !slices.Contains(attemptFaults, fault.Kind) {
			panic(fmt.Sprintf("vippstest: unknown delivery fault kind %q", fault.Kind))
		}
		s.deliveryFaults = append(s.deliveryFaults, &deliveryFault{fault, injected{skip: fault.Skip, count: fault.Count}})
	}
}

// strikeParcel finds the faults of an event, and changes what it says where that is their doing.
func (s *Server) strikeParcel(o *occurrence) []*deliveryFault {
	var found []*deliveryFault
	for _, f := range s.deliveryFaults {
		if slices.Contains(parcelFaults, f.Kind) && f.fits(*o) && f.strikes() {
			found = append(found, f)
			o.body = f.rewrite(o.body)
		}
	}
	return found
}

// strikeAttempt finds the fault of an attempt.
func (s *Server) strikeAttempt(o occurrence) *deliveryFault {
	for _, f := range s.deliveryFaults {
		if slices.Contains(attemptFaults, f.Kind) && f.fits(o) && f.strikes() {
			return f
		}
	}
	return nil
}

func (f *deliveryFault) fits(o occurrence) bool {
	short := "epayments.payment." + strings.ToLower(f.Event) + ".v1"
	return (f.Event == "" || f.Event == o.event || short == o.event) &&
		(f.Reference == "" || f.Reference == o.reference) && !f.over()
}

func (f *deliveryFault) rewrite(body []byte) []byte {
	switch {
	case f.Kind == ExtraFields:
		return append(bytes.TrimSuffix(bytes.Clone(body), []byte("}")), `,"addedLater":{"list":[1,null,"x"]},"alsoNew":"y"}`...)
	case f.Kind == NotSuccessful:
		return bytes.Replace(body, []byte(`"success":true`), []byte(`"success":false`), 1)
	case f.Kind == OldSpelling:
		return bytes.Replace(body, []byte(`"msn":`), []byte(`"merchantSerialNumber":`), 1)
	case f.Kind == NoIdempotencyKey:
		before, rest, ok := bytes.Cut(body, []byte(`"idempotencyKey":`))
		if _, after, found := bytes.Cut(rest, []byte(`,`)); ok && found {
			return slices.Concat(before, after)
		}
	}
	return body
}
