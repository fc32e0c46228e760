package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/vippsvending/vipps"
)

// What [Client.Ensure] cannot settle alone.
var (
	// ErrSecretUnknown means that a registration with the wanted URL and events exists, but the caller has no secret for it,
	// and nobody can read it again. If it is the caller's own, from a lost answer or a lost store, call again with its id in
	// Known and no secret: it will be replaced.
	ErrSecretUnknown = errors.New("a registration whose secret is not known is in the way")
	// ErrCheckInTaken means that another registration has [UserCheckedIn], of which a sales unit may have one. If it is the
	// caller's own, call again with its id in Known: it will be replaced. If not, two programs want the same check-ins, and
	// the operator must say which one gets them.
	ErrCheckInTaken = errors.New("the sales unit's one registration for user.checked-in.v1 is taken")
)

// EnsureRequest is what [Client.Ensure] brings about. URL and Events are required.
type EnsureRequest struct {
	URL    string // as in RegisterRequest
	Events []EventType
	// Known are the caller's own registrations for this URL and these events, now or before: Own of the last result. One that
	// is not what is wanted now, because its URL or its events differ or its secret is missing, is replaced if it shares an
	// event with the wanted ones. Registrations that are not in Known are never touched. Do not put in what belongs to
	// another program, or to another URL that is to go on.
	Known []Registration
}

func (r *EnsureRequest) validate() error {
	_, err := parseAddress(r.URL)
	findings := []error{err, validateEvents(r.Events)}
	for i, known := range r.Known {
		if known.ID == "" || !printable(known.ID) {
			findings = append(findings, fmt.Errorf("Known[%d].ID: must be the id of a registration", i))
		}
		if known.Secret == redacted {
			findings = append(findings, fmt.Errorf("Known[%d].Secret: was stored redacted; store string(Secret); to recover pass this registration with an empty Secret: it is replaced", i))
		}
	}
	return errors.Join(findings...)
}

// EnsureResult says what [Client.Ensure] found and did.
type EnsureResult struct {
	// Own are the caller's registrations that exist now, with their secrets: what to store, and to pass as Known next time.
	Own        []Registration
	Found      []string // ids of those of Own that were as wanted before
	Registered []string // ids of those of Own that are new
	Deleted    []string // ids of those of Known that were replaced
	// Strangers have the same URL and events as one of Own but are not known. Their deliveries will be refused, for lack of the
	// secret. If they are the caller's, delete them.
	Strangers []Registration
}

// Secrets are what a [Verifier] for the URL needs now.
func (r *EnsureResult) Secrets() []vipps.Secret {
	var secrets []vipps.Secret
	for _, own := range r.Own {
		if own.Secret != "" {
			secrets = append(secrets, own.Secret)
		}
	}
	return secrets
}

// Ensure brings about that the URL is registered for the events, and does nothing if it is already. It lists, compares URL
// and events, registers what is missing, and then deletes what that replaces, among Known only. Call it when a program
// starts, in one process at a time: two at once may both register.
//
// [UserCheckedIn] gets a registration of its own, so that its limit of one for a sales unit cannot take the payment events
// down: a request with both gives two registrations, and the error of one does not stop the other. A registration in Known
// that mixes them is taken apart. To move check-ins the old registration must be deleted before the new one is made; if that
// fails in between, there is none until the next call.
//
// Store Own of the result in any case, error or not, before anything else: secrets cannot be read again. The result is never
// nil; if nothing was done, Own is Known.
//
// The error may match [ErrSecretUnknown], [ErrCheckInTaken], [vipps.ErrInvalidRequest] or, if a registration may have been
// made whose secret nobody has, [vipps.ErrOutcomeUnknown]. Then call again: the next call sees it in the list.
func (c *Client) Ensure(ctx context.Context, request EnsureRequest) (*EnsureResult, error) {
	const op = "webhooks.Ensure"
	result := &EnsureResult{Own: slices.Clone(request.Known)}
	if err := request.validate(); err != nil {
		return result, fmt.Errorf("%s: %w: %w", op, vipps.ErrInvalidRequest, err)
	}
	listed, err := c.List(ctx)
	if err != nil {
		return result, fmt.Errorf("%s: %w", op, err)
	}
	e := &ensuring{client: c, url: request.URL, result: result}
	result.Own = nil
	for _, registration := range listed {
		own := slices.IndexFunc(request.Known, func(known Registration) bool { return known.ID == registration.ID })
		if own < 0 {
			e.foreign = append(e.foreign, registration)
			continue
		}
		registration.Secret = request.Known[own].Secret
		result.Own = append(result.Own, registration)
	}
	var payments, checkIns []EventType
	for _, event := range request.Events {
		if event == UserCheckedIn {
			checkIns = append(checkIns, event)
		} else {
			payments = append(payments, event)
		}
	}
	mixed := slices.ContainsFunc(result.Own, mixes)
	if mixed && (len(payments) == 0 || len(checkIns) == 0) {
		return result, fmt.Errorf("%s: %w: Events: a registration in Known has %s among other events, so ask for all of them, to have it taken apart",
			op, vipps.ErrInvalidRequest, UserCheckedIn)
	}
	err = e.ensure(ctx, payments)
	if err == nil || !mixed { // else the registration to take apart is all that the payments have
		err = errors.Join(err, e.ensure(ctx, checkIns))
	}
	if err != nil {
		return result, fmt.Errorf("%s: %w", op, err)
	}
	return result, nil
}

// ensuring is one call of Ensure.
type ensuring struct {
	client  *Client
	url     string
	foreign []Registration // listed, but not known
	result  *EnsureResult
}

func (e *ensuring) ensure(ctx context.Context, events []EventType) error {
	if len(events) == 0 {
		return nil
	}
	var found bool
	var replaced, strangers []Registration
	for _, own := range e.result.Own {
		switch {
		case e.wanted(own, events) && own.Secret != "":
			found = true
			e.result.Found = append(e.result.Found, own.ID)
		case slices.ContainsFunc(own.Events, func(event EventType) bool { return slices.Contains(events, event) }):
			replaced = append(replaced, own)
		}
	}
	for _, other := range e.foreign {
		if e.wanted(other, events) {
			strangers = append(strangers, other)
		}
	}
	e.result.Strangers = append(e.result.Strangers, strangers...)
	if found {
		return e.delete(ctx, replaced)
	}
	if len(strangers) > 0 {
		return fmt.Errorf("%w: %s: pass it in Known if it is yours, to have it replaced", ErrSecretUnknown, ids(strangers))
	}
	if slices.Contains(events, UserCheckedIn) {
		return e.replaceCheckIn(ctx, events, replaced)
	}
	if err := e.register(ctx, events); err != nil {
		return err
	}
	return e.delete(ctx, replaced)
}

// replaceCheckIn deletes before it registers, because there can only be one.
func (e *ensuring) replaceCheckIn(ctx context.Context, events []EventType, replaced []Registration) error {
	for _, other := range e.foreign {
		if slices.Contains(other.Events, UserCheckedIn) {
			return fmt.Errorf("%w: %s: pass it in Known if it is yours, to have it replaced", ErrCheckInTaken, other.ID)
		}
	}
	if err := e.delete(ctx, replaced); err != nil {
		return err
	}
	err := e.register(ctx, events)
	if refusal, ok := errors.AsType[*vipps.Error](err); ok && (refusal.Status == http.StatusBadRequest || refusal.Status == http.StatusConflict) {
		return fmt.Errorf("%w, most likely: %w", ErrCheckInTaken, err)
	}
	return err
}

func (e *ensuring) register(ctx context.Context, events []EventType) error {
	made, err := e.client.Register(ctx, RegisterRequest{URL: e.url, Events: events})
	if err != nil {
		return err
	}
	e.result.Own = append(e.result.Own, *made)
	e.result.Registered = append(e.result.Registered, made.ID)
	return nil
}

func (e *ensuring) delete(ctx context.Context, registrations []Registration) error {
	for _, registration := range registrations {
		if err := e.client.Delete(ctx, registration.ID); err != nil {
			return err
		}
		e.result.Deleted = append(e.result.Deleted, registration.ID)
		e.result.Own = slices.DeleteFunc(e.result.Own, func(own Registration) bool { return own.ID == registration.ID })
	}
	return nil
}

// wanted says whether a registration has the wanted URL and exactly the events.
func (e *ensuring) wanted(registration Registration, events []EventType) bool {
	have, err := parseAddress(registration.URL)
	want, _ := parseAddress(e.url) // checked by validate
	return err == nil && have == want && slices.Equal(set(registration.Events), set(events))
}

// mixes says whether a registration has check-ins and something else.
func mixes(registration Registration) bool {
	events := set(registration.Events)
	return len(events) > 1 && slices.Contains(events, UserCheckedIn)
}

func set(events []EventType) []EventType { return slices.Compact(slices.Sorted(slices.Values(events))) }

func ids(registrations []Registration) string {
	var all []string
	for _, registration := range registrations {
		all = append(all, registration.ID)
	}
	return strings.Join(all, ", ")
}
