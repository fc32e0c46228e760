package qr

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
)

// Never is the ExpiresIn of a code that does not expire.
const Never = -time.Second

// RedirectCode is a code that opens a page of the merchant's, in the app or in a phone's camera. It works without a payment and
// without the app, and its page can be changed after it was printed.
type RedirectCode struct {
	ID string
	// RedirectURL is the page that a scan opens, exactly as it was given: the API adds nothing to it, so it should say which
	// machine it is about.
	RedirectURL string
	// ImageURL is the address of the image, which anybody may fetch; empty if TargetURL was asked for. The documentation says
	// that it is good for ever, integrators have seen it end after an hour: fetch the image at once ([FetchImage]) and keep
	// that, or read the code again.
	ImageURL string
	// Content is the text in the code, if TargetURL was asked for.
	Content string
	// ExpiresIn is negative ([Never]) for a code that does not expire, and 0 if the answer did not say.
	ExpiresIn time.Duration
}

// redirectAnswer is a RedirectCode as it comes.
type redirectAnswer struct {
	ID          string `json:"id"`
	URL         string `json:"url"`
	TargetURL   string `json:"targetUrl"` // documented nowhere, but the name of what url holds then
	RedirectURL string `json:"redirectUrl"`
	ExpiresIn   *int64 `json:"expiresIn"`
}

func (a redirectAnswer) whole(id string) error {
	if a.URL == "" && a.TargetURL == "" {
		return errors.New("the answer has no url")
	}
	return about(a.ID, id)
}

func (a redirectAnswer) code(id string, image ImageOptions) RedirectCode {
	code := RedirectCode{ID: cmp.Or(a.ID, id), RedirectURL: a.RedirectURL}
	if image.Format == TargetURL {
		code.Content = cmp.Or(a.URL, a.TargetURL)
	} else {
		code.ImageURL = a.URL
	}
	if a.ExpiresIn != nil {
		code.ExpiresIn = seconds(*a.ExpiresIn)
	}
	return code
}

// seconds is a number of seconds, negative for never, as a duration.
func seconds(n int64) time.Duration {
	if n < 0 {
		return Never
	}
	return time.Duration(min(n, math.MaxInt64/int64(time.Second))) * time.Second
}

// CreateRedirectRequest is a redirect code to be. ID and RedirectURL are required.
type CreateRedirectRequest struct {
	// ID is your name for the code: 1 to 128 letters a-z and æøå, digits, blanks and -_+%, unique in the sales unit.
	ID string
	// RedirectURL is the page that a scan opens: https, and of letters, digits and #!:.?+=&%@-/_ only.
	RedirectURL string
	// TTL is after what time the code is deleted for good: whole seconds, from 5 minutes to 2147483647 seconds. 0 is never,
	// which is right for what is printed.
	TTL   time.Duration
	Image ImageOptions
	// WhiteBorder is the quiet zone of the image in pixels, 0 to 100. Nil is 8. Never print a code without one. It is not known
	// whether every version of the API takes it; if not, it is ignored or the request is refused.
	WhiteBorder *int
}

func (r *CreateRedirectRequest) validate(op string) error {
	var f findings
	f.redirectID(r.ID)
	f.redirectURL(r.RedirectURL)
	f.require(r.TTL == 0 || r.TTL >= 300*time.Second && r.TTL <= math.MaxInt32*time.Second && r.TTL%time.Second == 0,
		"TTL: must be 0, or whole seconds from 300 to 2147483647")
	f.image(r.Image)
	f.whiteBorder(r.WhiteBorder, r.Image)
	return f.err(op)
}

// CreateRedirect makes a redirect code. For what is printed, [Client.EnsureRedirect] does more.
//
// An error matches [vipps.ErrConflict] if the id is taken; the answer then says nothing but the id, which is in the error's
// Details: get the code and compare. It is not repeated after a lost answer; if the error matches [vipps.ErrOutcomeUnknown],
// call again, and take a conflict for the code whose answer was lost if its RedirectURL is the same.
//
// See https://developer.vippsmobilepay.com/docs/APIs/qr-api/.
func (c *Client) CreateRedirect(ctx context.Context, request CreateRedirectRequest) (*RedirectCode, error) {
	const op = "qr.CreateRedirect"
	if err := request.validate(op); err != nil {
		return nil, err
	}
	body := struct {
		ID          string `json:"id"`
		RedirectURL string `json:"redirectUrl"`
		TTL         int64  `json:"ttl,omitzero"`
		imageBody
	}{request.ID, request.RedirectURL, int64(request.TTL / time.Second), newImageBody(request.WhiteBorder, request.Image)}
	return c.redirect(ctx, vipps.Request{Op: op, Subject: request.ID, Method: http.MethodPost, Path: redirectPath(), Body: body}, request.Image)
}

// GetRedirect reads a redirect code, in any format: it need not be the one that it was made with. An error matches
// [vipps.ErrNotFound] if there is no such code, or none any more.
func (c *Client) GetRedirect(ctx context.Context, id string, image ImageOptions) (*RedirectCode, error) {
	const op = "qr.GetRedirect"
	var f findings
	f.redirectID(id)
	f.image(image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	return c.redirect(ctx, vipps.Request{Op: op, Subject: id, Method: http.MethodGet, Path: redirectPath(id)}, image)
}

// ListRedirects reads all redirect codes of the sales unit. The API has no pages for them, and an answer of more than
// 1 MiB, some thousand codes, cannot be read.
func (c *Client) ListRedirects(ctx context.Context, image ImageOptions) ([]RedirectCode, error) {
	const op = "qr.ListRedirects"
	var f findings
	f.image(image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	var answers []redirectAnswer
	err := c.client.Do(ctx, vipps.Request{Op: op, Method: http.MethodGet, Path: redirectPath(), Header: image.header()}, &answers)
	if err != nil {
		return nil, err
	}
	codes := make([]RedirectCode, len(answers))
	for i, answer := range answers {
		codes[i] = answer.code("", image)
	}
	return codes, nil
}

// UpdateRedirectRequest is what [Client.UpdateRedirect] changes. RedirectURL is required.
type UpdateRedirectRequest struct {
	RedirectURL string // as in CreateRedirectRequest
	Image       ImageOptions
}

// UpdateRedirect changes the page that a code opens, at once, printed codes included; the image stays the same. How long the
// code lives cannot be changed. It may be repeated: the same call twice is the same as once. An error matches
// [vipps.ErrNotFound] if there is no such code.
func (c *Client) UpdateRedirect(ctx context.Context, id string, request UpdateRedirectRequest) (*RedirectCode, error) {
	const op = "qr.UpdateRedirect"
	var f findings
	f.redirectID(id)
	f.redirectURL(request.RedirectURL)
	f.image(request.Image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	body := struct {
		RedirectURL string `json:"redirectUrl"`
	}{request.RedirectURL}
	return c.redirect(ctx, vipps.Request{Op: op, Subject: id, Method: http.MethodPut, Path: redirectPath(id), Body: body}, request.Image)
}

// DeleteRedirect ends a redirect code. What is printed never works again, not even if a code with the same id is made. One
// that does not exist is deleted already: that is no error. If the error matches [vipps.ErrOutcomeUnknown], call again.
func (c *Client) DeleteRedirect(ctx context.Context, id string) error {
	const op = "qr.DeleteRedirect"
	var f findings
	f.redirectID(id)
	if err := f.err(op); err != nil {
		return err
	}
	return unlessGone(c.client.Do(ctx, vipps.Request{Op: op, Subject: id, Method: http.MethodDelete, Path: redirectPath(id)}, nil))
}

// redirect makes a call about one code, whose id is the subject.
func (c *Client) redirect(ctx context.Context, request vipps.Request, image ImageOptions) (*RedirectCode, error) {
	var answer redirectAnswer
	request.Header = image.header()
	request.Accept = func() error { return answer.whole(request.Subject) }
	if err := c.client.Do(ctx, request, &answer); err != nil {
		return nil, err
	}
	code := answer.code(request.Subject, image)
	return &code, nil
}

func redirectPath(rest ...string) []string {
	return path(append([]string{"merchant-redirect"}, rest...)...)
}
