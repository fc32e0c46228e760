package qr

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/vippsvending/vipps"
)

// Outcome is what an Ensure method found it had to do.
type Outcome string

// The outcomes.
const (
	Created   Outcome = "created"
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"
)

// ErrExpires means that a code under the wanted id exists but is going to expire, which cannot be changed. Print another id, or
// delete the code first if it has not been printed.
var ErrExpires = errors.New("the code that exists will expire")

// RedirectSticker is a printed redirect code as it should be. Both fields are required.
type RedirectSticker struct {
	ID          string // as in CreateRedirectRequest
	RedirectURL string // as in CreateRedirectRequest
}

func (s RedirectSticker) findings() (f findings) {
	f.redirectID(s.ID)
	f.redirectURL(s.RedirectURL)
	return f
}

// EnsuredRedirect is a redirect code that is as it should be, and what was done for that.
type EnsuredRedirect struct {
	Outcome Outcome
	Code    RedirectCode
}

// EnsureRedirect brings about that a redirect code exists that does not expire and opens the wanted page. It reads the code,
// makes it if there is none, and changes its page if that differs. It may be called at every start, by many processes at once,
// and again after any error: what is as wanted is left alone.
//
// An error may match [ErrExpires], or [vipps.ErrOutcomeUnknown]: then call again.
func (c *Client) EnsureRedirect(ctx context.Context, sticker RedirectSticker, image ImageOptions) (*EnsuredRedirect, error) {
	const op = "qr.EnsureRedirect"
	f := sticker.findings()
	f.image(image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	ensured, err := c.ensureRedirect(ctx, sticker, image)
	return ensured, in(op, err)
}

func (c *Client) ensureRedirect(ctx context.Context, sticker RedirectSticker, image ImageOptions) (*EnsuredRedirect, error) {
	code, err := c.GetRedirect(ctx, sticker.ID, image)
	if errors.Is(err, vipps.ErrNotFound) {
		return c.createRedirect(ctx, sticker, image)
	}
	if err != nil {
		return nil, err
	}
	return c.updateRedirect(ctx, sticker, image, *code)
}

func (c *Client) createRedirect(ctx context.Context, sticker RedirectSticker, image ImageOptions) (*EnsuredRedirect, error) {
	code, err := c.CreateRedirect(ctx, CreateRedirectRequest{ID: sticker.ID, RedirectURL: sticker.RedirectURL, Image: image})
	switch {
	case err == nil:
		return &EnsuredRedirect{Created, *code}, nil
	case errors.Is(err, vipps.ErrConflict): // somebody was faster
	case errors.Is(err, vipps.ErrOutcomeUnknown):
		code, reading := c.GetRedirect(ctx, sticker.ID, image)
		if reading != nil || !sticker.is(*code) {
			return nil, err
		}
		return &EnsuredRedirect{Created, *code}, nil
	default:
		return nil, err
	}
	code, reading := c.GetRedirect(ctx, sticker.ID, image)
	if reading != nil {
		return nil, errors.Join(err, reading)
	}
	return c.updateRedirect(ctx, sticker, image, *code)
}

func (c *Client) updateRedirect(ctx context.Context, sticker RedirectSticker, image ImageOptions, found RedirectCode) (*EnsuredRedirect, error) {
	if found.ExpiresIn > 0 {
		return nil, fmt.Errorf("%s: %w, in %s", sticker.ID, ErrExpires, found.ExpiresIn)
	}
	if sticker.is(found) {
		return &EnsuredRedirect{Unchanged, found}, nil
	}
	code, err := c.UpdateRedirect(ctx, sticker.ID, UpdateRedirectRequest{RedirectURL: sticker.RedirectURL, Image: image})
	if err != nil {
		return nil, err
	}
	return &EnsuredRedirect{Updated, *code}, nil
}

// is says whether a code that was read is as wanted.
func (s RedirectSticker) is(code RedirectCode) bool {
	return code.ExpiresIn <= 0 && sameAddress(s.RedirectURL, code.RedirectURL)
}

// sameAddress forgives what a server may do to an address when it stores it: the case of the host and the first slash.
func sameAddress(a, b string) bool { return plainAddress(a) == plainAddress(b) }

func plainAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	u.Host = strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

// CallbackSticker is a printed callback code as it should be. ID and LocationDescription are required.
type CallbackSticker struct {
	ID                  string   // letters a-z, digits, hyphens and underscores
	LocationDescription string   // as in PutCallbackRequest
	Category            Category // empty leaves it as it is
}

func (s CallbackSticker) findings() (f findings) {
	f.newCallbackID("ID", s.ID)
	f.location(s.LocationDescription)
	return f
}

// EnsuredCallback is a callback code that is as it should be, and what was done for that.
type EnsuredCallback struct {
	Outcome Outcome
	Code    CallbackCode
}

// EnsureCallback brings about that a callback code exists with the wanted location and category. It reads the code, makes it
// if there is none, and changes it if it differs. It may be called at every start, by many processes at once, and again after
// any error: what is as wanted is left alone.
//
// Where the API does not show the category of a code, a wanted one is written each time, which does no harm, and the outcome
// tells about the location alone.
//
// If a code was made but could not be read back, both results are there: the outcome without a code, and the error. If the
// error matches [vipps.ErrOutcomeUnknown], call again.
func (c *Client) EnsureCallback(ctx context.Context, sticker CallbackSticker, image ImageOptions) (*EnsuredCallback, error) {
	const op = "qr.EnsureCallback"
	f := sticker.findings()
	f.image(image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	ensured, err := c.ensureCallback(ctx, sticker, image)
	return ensured, in(op, err)
}

func (c *Client) ensureCallback(ctx context.Context, sticker CallbackSticker, image ImageOptions) (*EnsuredCallback, error) {
	code, err := c.GetCallback(ctx, sticker.ID, image)
	if errors.Is(err, vipps.ErrNotFound) {
		return c.createCallback(ctx, sticker, image)
	}
	if err != nil {
		return nil, err
	}
	return c.updateCallback(ctx, sticker, *code)
}

func (c *Client) createCallback(ctx context.Context, sticker CallbackSticker, image ImageOptions) (*EnsuredCallback, error) {
	err := c.PutCallback(ctx, sticker.ID, PutCallbackRequest{LocationDescription: sticker.LocationDescription, Category: sticker.Category})
	if err != nil {
		return nil, err
	}
	code, err := c.GetCallback(ctx, sticker.ID, image)
	if err != nil {
		made := CallbackCode{ID: sticker.ID, LocationDescription: sticker.LocationDescription, Category: sticker.Category}
		return &EnsuredCallback{Created, made}, fmt.Errorf("the code was made but cannot be read, call again: %w", err)
	}
	return &EnsuredCallback{Created, *code}, nil
}

func (c *Client) updateCallback(ctx context.Context, sticker CallbackSticker, found CallbackCode) (*EnsuredCallback, error) {
	ensured := &EnsuredCallback{Unchanged, found}
	category := sticker.Category
	if category == "" {
		category = found.Category // a write without it might reset it
	}
	moved := strings.TrimSpace(found.LocationDescription) != strings.TrimSpace(sticker.LocationDescription)
	if !moved && category == found.Category {
		return ensured, nil
	}
	err := c.PutCallback(ctx, sticker.ID, PutCallbackRequest{LocationDescription: sticker.LocationDescription, Category: category})
	if err != nil {
		return nil, err
	}
	if moved || found.Category != "" {
		ensured.Outcome = Updated
	}
	ensured.Code.LocationDescription, ensured.Code.Category = sticker.LocationDescription, category
	return ensured, nil
}

// in puts the operation in front of an error.
func in(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", op, err)
}
