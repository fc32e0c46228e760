package qr

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/vippsvending/vipps"
)

// OneTimeRequest is a one-time code to be. URL is required. It does not print its URL.
type OneTimeRequest struct {
	// URL is the landing page of a payment, as the eCom or the Recurring API gave it.
	URL   vipps.Secret
	Image ImageOptions
	// WhiteBorder is as in [CreateRedirectRequest].
	WhiteBorder *int
}

// OneTimeCode is a code for one payment. Whoever sees it can pay, so it does not print.
type OneTimeCode struct {
	// ImageURL is the address of the image, which anybody may fetch until it expires; then it is a 404. It is empty if
	// TargetURL was asked for.
	ImageURL vipps.Secret
	// Content is the text in the code, if TargetURL was asked for.
	Content vipps.Secret
	// ExpiresIn is how long the code is good.
	ExpiresIn time.Duration
}

// CreateOneTime makes a code of a payment of the eCom or the Recurring API, to be shown on a screen. The ePayment API needs no
// such call: there, UserFlow QR gives the code, and what this one makes of the address of an ePayment payment is not known.
//
// The code is good for 10 minutes since the payment began, ExpiresIn says how many are left; older descriptions have two
// periods of 5 minutes. It is not repeated after a lost answer, though another code for the same payment does no harm: if the
// error matches [vipps.ErrOutcomeUnknown], call again.
//
// See https://developer.vippsmobilepay.com/docs/APIs/qr-api/.
func (c *Client) CreateOneTime(ctx context.Context, request OneTimeRequest) (*OneTimeCode, error) {
	const op = "qr.CreateOneTime"
	var f findings
	u, err := url.Parse(string(request.URL))
	f.require(err == nil && u.Scheme != "", "URL: must be an address with a scheme")
	f.image(request.Image)
	f.whiteBorder(request.WhiteBorder, request.Image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	body := struct {
		URL string `json:"url"`
		imageBody
	}{string(request.URL), newImageBody(request.WhiteBorder, request.Image)}
	var answer struct {
		URL       vipps.Secret `json:"url"`
		ExpiresIn int64        `json:"expiresIn"`
	}
	redact := []vipps.Secret{request.URL}
	for _, values := range u.Query() {
		for _, value := range values {
			redact = append(redact, vipps.Secret(value))
		}
	}
	err = c.client.Do(ctx, vipps.Request{
		Op: op, Method: http.MethodPost, Path: path(), Header: request.Image.header(), Body: body, Redact: redact,
		Accept: func() error {
			if answer.URL == "" {
				return errors.New("the answer has no url")
			}
			return nil
		},
	}, &answer)
	if err != nil {
		return nil, err
	}
	code := &OneTimeCode{ImageURL: answer.URL, ExpiresIn: seconds(answer.ExpiresIn)}
	if request.Image.Format == TargetURL {
		code.ImageURL, code.Content = "", answer.URL
	}
	return code, nil
}
