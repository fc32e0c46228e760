package qr

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	pathpkg "path"
	"time"

	"github.com/vippsvending/vipps"
)

// Customer is who showed a code or checked in. It does not print the number.
type Customer struct {
	// MSISDN is the phone number with the country code, digits only.
	MSISDN vipps.Secret
	// GeneratedAt is when the code or the token was made. It is zero where the answer has no time, as for version 1.0.
	GeneratedAt time.Time
	// Version is that of a personal code's format: 2.0, or 1.0, which is old and has the number in the clear. It is empty for
	// customer tokens.
	Version string
}

// ExchangePersonalQR gives the phone number of a customer who shows the code in the app. The text must be complete and
// unchanged, as the scanner read it. To be paid it is not needed: the ePayment API takes the text itself. Asking for a payer's
// number is a matter of privacy.
//
// Nothing is changed by it, so an error that matches [vipps.ErrOutcomeUnknown] says no more than that no answer came. An
// error with status 400 names what is wrong in its Details.
//
// See https://developer.vippsmobilepay.com/docs/APIs/qr-api/.
func (c *Client) ExchangePersonalQR(ctx context.Context, personalQR vipps.Secret) (*Customer, error) {
	const op = "qr.ExchangePersonalQR"
	var f findings
	f.require(personalQR != "", "personalQR: must be set")
	if err := f.err(op); err != nil {
		return nil, err
	}
	body := struct {
		QRCode        string   `json:"qrCode"`
		RequestedData []string `json:"requestedData"`
	}{string(personalQR), msisdn()}
	return c.exchange(ctx, vipps.Request{Op: op, Path: exchangePath(), Body: body, Redact: append(parts(personalQR), personalQR)})
}

// ExchangeCustomerToken gives the phone number of a customer who checked in. The token comes with user.checked-in.v1 and is
// good for 15 minutes. To be paid it is not needed: the ePayment API takes the token itself. Asking for a payer's number is a
// matter of privacy.
//
// What is said of errors at [Client.ExchangePersonalQR] holds here as well.
func (c *Client) ExchangeCustomerToken(ctx context.Context, token vipps.Secret) (*Customer, error) {
	const op = "qr.ExchangeCustomerToken"
	var f findings
	f.require(token != "", "token: must be set")
	if err := f.err(op); err != nil {
		return nil, err
	}
	type customer struct {
		CustomerToken string `json:"customerToken"`
	}
	body := struct {
		Customer      customer `json:"customer"`
		RequestedData []string `json:"requestedData"` // the specification requires it, samples leave it out
	}{customer{string(token)}, msisdn()}
	return c.exchange(ctx, vipps.Request{Op: op, Path: exchangePath("customer"), Body: body, Redact: []vipps.Secret{token}})
}

func (c *Client) exchange(ctx context.Context, request vipps.Request) (*Customer, error) {
	var answer struct {
		MSISDN    vipps.Secret `json:"msisdn"`
		Timestamp int64        `json:"timestamp"`
		Version   string       `json:"version"`
	}
	request.Method = http.MethodPost
	request.Accept = func() error {
		if answer.MSISDN == "" {
			return errors.New("the answer has no msisdn")
		}
		return nil
	}
	if err := c.client.Do(ctx, request, &answer); err != nil {
		return nil, err
	}
	customer := &Customer{MSISDN: answer.MSISDN, Version: answer.Version}
	if answer.Timestamp > 0 {
		customer.GeneratedAt = time.Unix(answer.Timestamp, 0).UTC()
	}
	return customer, nil
}

func exchangePath(rest ...string) []string { return path(append([]string{"exchange"}, rest...)...) }

// msisdn is all that can be asked for.
func msisdn() []string { return []string{"MSISDN"} }

// parts are what an error could say of a personal code without saying all of it: the last part of its path is a phone number
// in the old format and the customer's token in the new one.
func parts(personalQR vipps.Secret) []vipps.Secret {
	u, err := url.Parse(string(personalQR))
	if err != nil {
		return nil
	}
	return []vipps.Secret{vipps.Secret(pathpkg.Base(u.Path))}
}
