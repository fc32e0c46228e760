package vipps

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vippsvending/vipps/internal/transport"
)

// Version is the version of this module, sent as part of the User-Agent.
const Version = "0.1.0"

// Client holds what the API clients share: credentials, the access token, connections. Make one with [NewClient] and give
// it to epayment.New, webhooks.New and the others. It is safe for concurrent use and needs no closing.
type Client struct {
	sender          *transport.Sender
	environment     Environment
	base            string
	orderManagement string
	msn             string
}

// NewClient checks the configuration and makes a Client. Nothing is sent. The error names every field that is wrong and
// matches [ErrInvalidRequest].
func NewClient(config Config) (*Client, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(cmp.Or(config.BaseURL, config.Environment.baseURL()), "/")
	orderManagement := strings.TrimSuffix(cmp.Or(config.OrderManagementBaseURL, config.BaseURL), "/")
	if orderManagement == "" && config.Environment == Production {
		orderManagement = base
	}
	return &Client{
		environment:     config.Environment,
		base:            base,
		orderManagement: orderManagement,
		msn:             config.Credentials.MerchantSerialNumber,
		sender: transport.NewSender(transport.Config{
			HTTP:            withTransport(cmp.Or(config.HTTPClient, ownClient())),
			TokenURL:        base + "/accesstoken/get",
			ClientID:        config.Credentials.ClientID,
			ClientSecret:    config.Credentials.ClientSecret,
			SubscriptionKey: config.Credentials.SubscriptionKey,
			Header:          config.System.header(),
			Logger:          cmp.Or(config.Logger, slog.New(slog.DiscardHandler)),
		}),
	}, nil
}

func withTransport(client *http.Client) *http.Client {
	if client.Transport != nil {
		return client
	}
	copied := *client
	copied.Transport = ownClient().Transport
	return &copied
}

// ForMerchant returns a Client for another sales unit that shares credentials and connections with this one: partners
// serve many sales units with one set of keys. A token is kept for each serial number.
func (c *Client) ForMerchant(merchantSerialNumber string) *Client {
	other := *c
	other.msn = merchantSerialNumber
	return &other
}

// SingleAttempt returns a Client that shares everything with this one but sends each request once, for callers that
// repeat on their own, as the vending engine does. A 401 is still followed by one attempt with a new token.
func (c *Client) SingleAttempt() *Client {
	other := *c
	other.sender = c.sender.Once()
	return &other
}

// Environment is the one the client was made for.
func (c *Client) Environment() Environment { return c.environment }

// MerchantSerialNumber is the sales unit that requests are made for.
func (c *Client) MerchantSerialNumber() string { return c.msn }

// ClockSkew is how far Vipps MobilePay's clock was ahead of this machine's in the newest answer, to about a second; false
// before the first answer. More than a few seconds is worth an alarm: webhook signatures are only good for five minutes.
func (c *Client) ClockSkew() (time.Duration, bool) { return c.sender.Skew() }

// Request is one call of an API, for [Client.Do].
type Request struct {
	// Op names the call in errors and logs: "epayment.Capture".
	Op string
	// Subject is what the call is about, such as a payment's reference. It is printed in errors and logs: never a secret.
	Subject string
	Method  string
	// Path is the path in parts: {"epayment", "v1", "payments", reference}. Each part is escaped; an empty part is an error.
	Path  []string
	Query url.Values
	// Header is for what an API wants beyond the token, the keys, the system headers and the content type.
	Header http.Header
	// IdempotencyKey makes a POST safe to repeat. Without one a POST is sent again only if it certainly never left.
	IdempotencyKey string
	// Body is encoded as JSON; []byte and json.RawMessage go out as they are. Nil is no body.
	Body any
	// Redact are values that the answer may repeat and that no error must show.
	Redact []Secret
	// Accept looks at the decoded result. An error from it makes this an answer that cannot be read. Nil accepts everything.
	Accept func() error
}

// Do makes a call that this module has no method for, with everything the methods have: the token, repetition where it is
// safe (the package comment has the table), errors, redaction. The answer is decoded into result, a pointer; nil ignores it.
//
// The error is an [*Error], or matches [ErrInvalidRequest] if nothing was sent. For a call that changes something (any
// method but GET and HEAD) it matches [ErrOutcomeUnknown] if the change may have been made, judged over all attempts: a
// refusal after an attempt that was never answered is unknown as well, unless it is conclusive.
func (c *Client) Do(ctx context.Context, request Request, result any) error {
	call, err := c.prepare(request)
	if err != nil {
		return err
	}
	return c.judge(request, c.sender.Send(ctx, call), result)
}

func (c *Client) prepare(r Request) (transport.Call, error) {
	invalid := func(format string, args ...any) (transport.Call, error) {
		return transport.Call{}, fmt.Errorf("%s: %w: %w", r.Op, ErrInvalidRequest, fmt.Errorf(format, args...))
	}
	if !serialNumber.MatchString(c.msn) {
		return invalid("MerchantSerialNumber: must be 4 to 10 digits")
	}
	if len(r.IdempotencyKey) > 50 || !printable(r.IdempotencyKey) {
		return invalid("IdempotencyKey: must be at most 50 printable characters")
	}
	base := c.base
	if len(r.Path) > 0 && r.Path[0] == "order-management" {
		base = c.orderManagement
	}
	if base == "" {
		return transport.Call{}, fmt.Errorf("%s: %w: set Config.OrderManagementBaseURL", r.Op, ErrNotAvailable)
	}
	address := strings.Builder{}
	address.WriteString(base)
	for _, part := range r.Path {
		if part == "" || part == "." || part == ".." {
			return invalid("Path: %q cannot be part of an address", part)
		}
		address.WriteString("/" + url.PathEscape(part))
	}
	if len(r.Query) > 0 {
		address.WriteString("?" + r.Query.Encode())
	}
	body, err := encode(r.Body)
	if err != nil {
		return invalid("Body: %w", err)
	}
	return transport.Call{
		Op: r.Op, Subject: r.Subject, Method: r.Method, URL: address.String(), MSN: c.msn, Header: r.Header,
		IdempotencyKey: r.IdempotencyKey, Body: body, Repeat: r.Method != http.MethodPost || r.IdempotencyKey != "",
	}, nil
}

func encode(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return b, nil
	case json.RawMessage:
		return b, nil
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

var (
	errPage  = errors.New("a page of HTML came instead of an answer")
	errEmpty = errors.New("the answer is empty")
)

// judge says which of the three endings a call had: done, refused, or not known.
func (c *Client) judge(r Request, sent transport.Result, result any) error {
	changing := r.Method != http.MethodGet && r.Method != http.MethodHead
	failed := &Error{Op: r.Op, Subject: r.Subject, OutcomeUnknown: changing && sent.Doubt}
	if sent.Token {
		failed.During = "accesstoken.Get"
	}
	if sent.Answer == nil {
		failed.cause = sent.Err
		return failed
	}
	if answer := sent.Answer; answer.Status < 200 || answer.Status > 299 || sent.Token {
		c.readProblem(failed, r, answer)
		// A numbered refusal says that the key, and so every attempt under it, was looked at and turned down.
		failed.OutcomeUnknown = failed.OutcomeUnknown && (sent.Token || !failed.Conclusive())
		return failed
	}
	if err := read(sent.Answer.Body, result); err != nil {
		failed.cause, failed.Status, failed.OutcomeUnknown = err, sent.Answer.Status, changing
		return failed
	}
	if r.Accept != nil {
		if err := r.Accept(); err != nil {
			failed.cause, failed.Status, failed.OutcomeUnknown = err, sent.Answer.Status, changing
			return failed
		}
	}
	return nil
}

func read(body []byte, result any) error {
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		return errPage // a proxy or a captive portal: nobody of Vipps MobilePay has seen the request
	case result == nil:
		return nil
	case len(bytes.TrimSpace(body)) == 0:
		return errEmpty
	}
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), result); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", withoutValue(err))
	}
	return nil
}

// withoutValue keeps the value out of a decoding error: it may be a secret.
func withoutValue(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("field %s is not of type %s", mismatch.Field, mismatch.Type)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("bad JSON after %d bytes", syntax.Offset)
	}
	return errors.New("a field has an unexpected form")
}
