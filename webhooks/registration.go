package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/vippsvending/vipps"
)

// Client registers addresses with the Webhooks API. It is safe for concurrent use and needs no closing.
type Client struct {
	client *vipps.Client
}

// New makes a Client. Registrations belong to the client's sales unit and environment.
func New(client *vipps.Client) *Client { return &Client{client: client} }

// Registration is an address that Vipps MobilePay sends events to.
type Registration struct {
	ID     string      `json:"id"`
	URL    string      `json:"url"`
	Events []EventType `json:"events"`
	// Secret is the key of the deliveries' signatures. Only Register and Ensure can give it, at the moment the registration
	// is made: a list has it empty. JSON has it redacted, without an error, so store string(Secret).
	Secret vipps.Secret `json:"secret,omitzero"`
}

// RegisterRequest is what [Client.Register] wants to know. Both fields are required.
type RegisterRequest struct {
	// URL is where deliveries go: https, reachable from the internet, on an ordinary port, without a redirect, and without
	// percent-encoding in the path, which breaks the signatures of Vipps MobilePay. Http is for loopback only, where an
	// emulator delivers.
	URL    string      `json:"url"`
	Events []EventType `json:"events"`
}

func (r *RegisterRequest) validate() error {
	_, err := parseAddress(r.URL)
	return errors.Join(err, validateEvents(r.Events))
}

func validateEvents(events []EventType) error {
	if len(events) == 0 {
		return errors.New("Events: must have at least one")
	}
	for i, event := range events {
		if event == "" || !printable(string(event)) {
			return fmt.Errorf("Events[%d]: must be the name of an event", i)
		}
		if slices.Contains(events[:i], event) {
			return fmt.Errorf("Events[%d]: %s is there twice", i, event)
		}
	}
	return nil
}

// Register makes a registration. Its secret is in the result and nowhere else, ever: store it before anything else.
// [Client.Ensure] does more and is what a program that starts should call.
//
// Register is never repeated after a lost answer, since a second one makes a second registration, with another secret.
// If the error matches [vipps.ErrOutcomeUnknown], a registration may exist whose secret nobody has: find it with
// [Client.List], delete it, register again. A sales unit may have 25 registrations for an event, and only one for
// [UserCheckedIn], which is best kept in a registration of its own.
func (c *Client) Register(ctx context.Context, request RegisterRequest) (*Registration, error) {
	const op = "webhooks.Register"
	if err := request.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", op, vipps.ErrInvalidRequest, err)
	}
	var answer struct {
		ID     string       `json:"id"`
		Secret vipps.Secret `json:"secret"`
	}
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Method: http.MethodPost, Path: []string{"webhooks", "v1", "webhooks"}, Body: request,
		Accept: func() error {
			if answer.ID == "" || answer.Secret == "" {
				return errors.New("the answer has no id or no secret")
			}
			return nil
		},
	}, &answer)
	switch {
	case errors.Is(err, vipps.ErrOutcomeUnknown):
		return nil, fmt.Errorf("%w; a registration without a known secret may exist now, see List", err)
	case err != nil:
		return nil, err
	}
	return &Registration{ID: answer.ID, URL: request.URL, Events: slices.Clone(request.Events), Secret: answer.Secret}, nil
}

// List gives all registrations of the sales unit, without their secrets. They may include those of other programs.
func (c *Client) List(ctx context.Context) ([]Registration, error) {
	var answer struct {
		Webhooks []Registration `json:"webhooks"`
	}
	err := c.client.Do(ctx, vipps.Request{
		Op: "webhooks.List", Method: http.MethodGet, Path: []string{"webhooks", "v1", "webhooks"},
		Accept: func() error {
			if answer.Webhooks == nil {
				return errors.New("the answer has no list") // an empty list would have Ensure register again
			}
			return nil
		},
	}, &answer)
	if err != nil {
		return nil, err
	}
	return answer.Webhooks, nil
}

// Delete ends a registration. One that does not exist is deleted already: that is no error. What waits to be delivered to
// it is lost. The error may match [vipps.ErrOutcomeUnknown]; calling again is safe.
func (c *Client) Delete(ctx context.Context, id string) error {
	const op = "webhooks.Delete"
	if id == "" || !printable(id) {
		return fmt.Errorf("%s: %w: id: must be the id of a registration", op, vipps.ErrInvalidRequest)
	}
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: id, Method: http.MethodDelete, Path: []string{"webhooks", "v1", "webhooks", id},
	}, nil)
	if errors.Is(err, vipps.ErrNotFound) {
		return nil
	}
	return err
}
