package qr

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/vippsvending/vipps"
)

// CallbackCode is a code on a machine or at a till that checks a customer in: a scan sends user.checked-in.v1 with the
// code's id and a token for the customer to the sales unit's webhook.
type CallbackCode struct {
	ID                   string `json:"merchantQrId"`
	MerchantSerialNumber string `json:"merchantSerialNumber,omitzero"`
	LocationDescription  string `json:"locationDescription"`
	// Category is empty where the API does not show it; older versions do not.
	Category Category `json:"category,omitzero"`
	// ImageURL is the address of the image, which anybody may fetch. It may change, while the code does not: fetch the image
	// ([FetchImage]) or read the code again, and do not keep the address.
	ImageURL string `json:"qrImageUrl,omitzero"`
	// Content is the text in the code, for designs of one's own, which Vipps MobilePay has to approve.
	Content string `json:"qrContent,omitzero"`
}

func (c *CallbackCode) whole(id string) error {
	if *c == (CallbackCode{}) {
		return errors.New("the answer has no code")
	}
	return about(c.ID, id)
}

// Category is what the app says while a customer who has scanned a code waits.
type Category string

// The categories.
const (
	InStore Category = "IN_STORE"
	Vending Category = "VENDING" // the customer is to choose at the machine
)

// PutCallbackRequest is what [Client.PutCallback] writes. LocationDescription is required.
type PutCallbackRequest struct {
	// LocationDescription is shown in the app: 1 to 36 characters, such as "Platform 3".
	LocationDescription string `json:"locationDescription"`
	// Category is for the words in the app only. Empty leaves it out: InStore for a new code.
	Category Category `json:"category,omitzero"`
}

// PutCallback makes a callback code, or changes its location and category; what is printed stays good. The id, in letters
// a-z, digits, hyphens and underscores, cannot be changed. It may be repeated: the same call twice is the same as once. The
// image comes with [Client.GetCallback].
//
// Before a code hangs anywhere, register a webhook for user.checked-in.v1: without one the app says that it cannot connect,
// and the sale is lost. For a whole fleet, and to know what happened, there is [Client.EnsureCallbacks].
//
// Category is newer than the API's specification. Should a sales unit's API not know it, leave it empty.
//
// See https://developer.vippsmobilepay.com/docs/APIs/qr-api/.
func (c *Client) PutCallback(ctx context.Context, id string, request PutCallbackRequest) error {
	const op = "qr.PutCallback"
	var f findings
	f.newCallbackID("ID", id)
	f.location(request.LocationDescription)
	if err := f.err(op); err != nil {
		return err
	}
	return c.client.Do(ctx, vipps.Request{Op: op, Subject: id, Method: http.MethodPut, Path: callbackPath(id), Body: request}, nil)
}

// GetCallback reads a callback code and the address of its image. Its text is in Content whatever the format; TargetURL asks
// for nothing else. An error matches [vipps.ErrNotFound] if there is no such code.
func (c *Client) GetCallback(ctx context.Context, id string, image ImageOptions) (*CallbackCode, error) {
	const op = "qr.GetCallback"
	var f findings
	f.callbackID(id)
	f.image(image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	code := new(CallbackCode)
	err := c.client.Do(ctx, vipps.Request{
		Op: op, Subject: id, Method: http.MethodGet, Path: callbackPath(id), Query: image.query(),
		Accept: func() error { return code.whole(id) },
	}, code)
	if err != nil {
		return nil, err
	}
	code.ID = cmp.Or(code.ID, id)
	return code, nil
}

// ListCallbacks reads all callback codes of the sales unit. The API has no pages for them, and an answer of more than 1 MiB,
// some thousand codes, cannot be read.
func (c *Client) ListCallbacks(ctx context.Context, image ImageOptions) ([]CallbackCode, error) {
	const op = "qr.ListCallbacks"
	var f findings
	f.image(image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	var codes []CallbackCode
	err := c.client.Do(ctx, vipps.Request{Op: op, Method: http.MethodGet, Path: callbackPath(), Query: image.query()}, &codes)
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// DeleteCallback ends a callback code; whoever scans it is told that it is not found. Delete codes that are out of service.
// One that does not exist is deleted already: that is no error. If the error matches [vipps.ErrOutcomeUnknown], call again.
func (c *Client) DeleteCallback(ctx context.Context, id string) error {
	const op = "qr.DeleteCallback"
	var f findings
	f.callbackID(id)
	if err := f.err(op); err != nil {
		return err
	}
	return unlessGone(c.client.Do(ctx, vipps.Request{Op: op, Subject: id, Method: http.MethodDelete, Path: callbackPath(id)}, nil))
}

// PutBeaconRequest is what [Client.PutBeacon] writes. LocationDescription is required.
type PutBeaconRequest struct {
	LocationDescription string `json:"locationDescription"` // as in PutCallbackRequest
}

// PutBeacon makes a code that was printed for MobilePay's earlier point of sale good for this sales unit. It makes no new code;
// check-ins have beaconID as the code's id. It may be repeated. An error matches [vipps.ErrConflict] if the beacon belongs to
// another sales unit; the answer then says nothing but the id.
func (c *Client) PutBeacon(ctx context.Context, beaconID string, request PutBeaconRequest) error {
	const op = "qr.PutBeacon"
	var f findings
	f.newCallbackID("beaconID", beaconID)
	f.location(request.LocationDescription)
	if err := f.err(op); err != nil {
		return err
	}
	return c.client.Do(ctx, vipps.Request{
		Op: op, Subject: beaconID, Method: http.MethodPut, Path: callbackPath("mobilepay", beaconID), Body: request,
	}, nil)
}

func callbackPath(rest ...string) []string {
	return path(append([]string{"merchant-callback"}, rest...)...)
}
