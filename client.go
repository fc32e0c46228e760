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
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps/internal/redact"
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
	base := strings.TrimRight(cmp.Or(config.BaseURL, config.Environment.baseURL()), "/")
	orderManagement := strings.TrimRight(cmp.Or(config.OrderManagementBaseURL, config.BaseURL), "/")
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
	// Header is for what an API wants beyond the token, the keys, the system headers and the content type. It wins over them.
	Header http.Header
	// IdempotencyKey makes a POST or PATCH safe to repeat. Without one it is sent again only if it certainly did nothing.
	IdempotencyKey string
	// Body is encoded as JSON; []byte and json.RawMessage go out as they are. Nil is no body.
	Body any
	// Redact are values that the answer may repeat and that no error must show.
	Redact []Secret
	// Accept looks at the decoded result. An error from it makes this an answer that cannot be read. Nil accepts everything.
	Accept func() error
}

// Format prints the request without what is to be redacted and without its body, whatever the verb.
func (r Request) Format(f fmt.State, _ rune) {
	type plain Request
	r.Body, r.Header, r.Query = nil, nil, nil
	redact.Format(f, plain(r))
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
	if !isSerialNumber(c.msn) {
		return invalid("MerchantSerialNumber: must be 4 to 10 digits")
	}
	repeat := r.IdempotencyKey != ""
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		repeat = true
	case http.MethodPost, http.MethodPatch:
	default:
		return invalid("Method: %q is none of GET, HEAD, POST, PUT, PATCH, DELETE", r.Method)
	}
	if len(r.IdempotencyKey) > 50 || !printable(r.IdempotencyKey) {
		return invalid("IdempotencyKey: must be at most 50 printable characters")
	}
	for name, values := range r.Header {
		if http.CanonicalHeaderKey(name) == "Idempotency-Key" {
			return invalid("Header: the idempotency key belongs into IdempotencyKey")
		}
		if name == "" || !printable(name) || strings.ContainsAny(name, `()<>@,;:\"/[]?={}`) || slices.ContainsFunc(values, unprintable) {
			return invalid("Header: %q is not a header", name)
		}
	}
	if len(r.Path) == 0 {
		return invalid("Path: must be set")
	}
	base := c.base
	if r.Path[0] == "order-management" {
		base = c.orderManagement
	}
	if base == "" {
		return transport.Call{}, fmt.Errorf("%s: %w: set Config.OrderManagementBaseURL", r.Op, ErrNotAvailable)
	}
	var address strings.Builder
	address.Grow(len(base) + 96)
	address.WriteString(base)
	for _, part := range r.Path {
		if part == "" || part == "." || part == ".." {
			return invalid("Path: %q cannot be part of an address", part)
		}
		address.WriteByte('/')
		address.WriteString(url.PathEscape(part))
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
		IdempotencyKey: r.IdempotencyKey, Body: body, Repeat: repeat, Redact: r.redact(),
	}, nil
}

func (r Request) redact() []string {
	values := make([]string, len(r.Redact))
	for i, value := range r.Redact {
		values[i] = string(value)
	}
	return values
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
	errLarge = errors.New("the answer is larger than 1 MiB")
)

// judge says which of the three endings a call had: done, refused, or not known.
func (c *Client) judge(r Request, sent transport.Result, result any) error {
	changing := r.Method != http.MethodGet && r.Method != http.MethodHead
	answer, cause := sent.Answer, sent.Err
	done := answer != nil && cause == nil && !sent.Token && answer.Status >= 200 && answer.Status <= 299
	if done {
		if cause = read(answer, result); cause == nil && r.Accept != nil {
			cause = r.Accept()
		}
		if cause == nil {
			return nil
		}
	}
	failed := &Error{Op: r.Op, Subject: r.Subject}
	clean := func(text string) string { return c.sender.Scrub(text, append(r.redact(), sent.Used[:]...)...) }
	if sent.Token {
		failed.During = "accesstoken.Get"
	}
	if cause != nil {
		failed.cause = scrubbed(cause, clean)
	}
	switch {
	case done: // but not to be read
		failed.Status = answer.Status
	case answer != nil:
		failed.read(answer, clean)
	}
	// A numbered refusal says that the key, and so every attempt under it, was looked at and turned down.
	failed.OutcomeUnknown = changing && (done || sent.Doubt && !failed.Conclusive())
	return failed
}

var bom = []byte("\xef\xbb\xbf")

func read(answer *transport.Answer, result any) error {
	body := bytes.TrimSpace(bytes.TrimPrefix(answer.Body, bom))
	switch {
	case bytes.HasPrefix(body, []byte("<")):
		return errPage // a proxy or a captive portal: nobody of Vipps MobilePay has seen the request
	case answer.Cut:
		return errLarge
	case result == nil:
		return nil
	case len(body) == 0 || string(body) == "null":
		return errEmpty
	}
	if err := json.Unmarshal(body, result); err != nil {
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
