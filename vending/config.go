package vending

import (
	"context"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// Config is what an [Operator] is made of. Client, Machine and Currency are required, and one of LegalLinks and
// TermsAcceptedElsewhere.
type Config struct {
	Client *vipps.Client
	// Machine reaches the machines. One Machine serves all of them; [Command] names the one that is meant.
	Machine Machine
	// Store keeps the sessions. Defaults to [NewMemoryStore], which is for trying things only.
	Store Store
	// Currency of the sales unit.
	Currency vipps.Currency

	// LegalLinks makes the app ask the customer to accept the terms before paying, as the rules demand. Set both.
	LegalLinks epayment.MerchantLegalLinks
	// TermsAcceptedElsewhere says that the customer accepts the terms before the payment is made, on a page of yours.
	TermsAcceptedElsewhere bool
	// Planogram gives what a machine sells. The doors where the customer chooses on a page or after the approval need it. It
	// is asked for each order, and may be asked at any time by many goroutines.
	Planogram func(ctx context.Context, machine string) (Planogram, error)
	// ReturnURL is where the customer's phone goes after a payment: the operator's site. "{token}" in it, in small letters,
	// becomes the session's [Operator.PageToken]; without it the page is the same for everybody and cannot tell what became of
	// a sale, such as one that says to look at the machine. The doors with a page need it; empty leaves it out. It is https, or,
	// for the emulator, http of this machine.
	ReturnURL string
	// PageKey makes page tokens: 32 bytes or more, the same in every process. Defaults to a random one, whose pages end with
	// the process.
	PageKey vipps.Secret
	// CheckIns serves customers who scan callback codes; nil ignores them.
	CheckIns *CheckIns
	// MinimumUserAge is checked by the app, in years; 0 is none. A product may ask for more.
	MinimumUserAge int

	Timeouts Timeouts
	// MachineTimeouts are for machines that differ: each of their zero fields is that of Timeouts.
	MachineTimeouts map[string]Timeouts
	// UnknownVerdict says what happens when nobody knows whether a product came out. Defaults to ReleaseUnknown.
	UnknownVerdict UnknownPolicy
	// Busy says what happens to a customer who comes while another has the machine. Defaults to RefuseBusy.
	Busy BusyPolicy
	// NoPartialCapture says that the sales unit captures all of a reservation or nothing, as those in Denmark and Finland do
	// unless partial capture was enabled for them. The doors that reserve a maximum are then closed: [ErrPartialCapture].
	NoPartialCapture bool
	// InFull says what happens when that turns out only at the capture. Defaults to ReleaseAll.
	InFull InFullPolicy

	// Workers is how many sessions are worked on at the same time, not counting those that wait for what became of a
	// product: a line that hangs keeps nobody else from working. Defaults to 32.
	Workers int
	// Polls is how many payments a second this process reads while their customers have not approved yet. When more are
	// waited for, the newest come first and the others wait longer, up to the end of Timeouts.Approve; after a 429 it is less
	// for a while. Webhooks do not wait for it, nor does anything that has to be done with money. Defaults to 200; less than 0
	// is none, so that only webhooks tell of approvals before that end.
	Polls int
	// Observe is handed every transition after it is stored, at most once; the history is the record. It must not block.
	Observe func(Transition)
	// Notify is handed what is no session's transition and somebody should know. It must not block.
	Notify func(Notice)
	// Logger hears of trouble that passes by itself at level warn. Defaults to silence.
	Logger *slog.Logger
}

func (c *Config) validate() error {
	var f findings
	require := f.require
	require(c.Client != nil, "Client: must be set")
	require(c.Machine != nil, "Machine: must be set")
	if machine, ok := c.Machine.(*memoryMachine); ok {
		require(machine.driver != nil, "Machine: NewMemoryMachine was given no driver")
	}
	require(c.Currency.Minimum() > 0, "Currency: must be NOK, DKK or EUR")
	links := c.LegalLinks
	require(isHTTPS(links.TermsOfSaleURL) && isHTTPS(links.PrivacyPolicyURL) || c.TermsAcceptedElsewhere && links == epayment.MerchantLegalLinks{},
		"LegalLinks: both must be https addresses, or TermsAcceptedElsewhere must be set: the customer has to accept the terms")
	require(c.ReturnURL == "" || isHTTPS(c.ReturnURL) || isLoopback(c.ReturnURL) && c.Client != nil && c.Client.Environment() != vipps.Production,
		"ReturnURL: must be an https address")
	require(!strings.ContainsAny(strings.ReplaceAll(c.ReturnURL, pageToken, ""), "{}"), "ReturnURL: may have %s in it, and no other braces", pageToken)
	require(c.PageKey == "" || len(c.PageKey) >= 32, "PageKey: must be 32 bytes or more")
	require(c.PageKey != "" || c.Store == nil || !strings.Contains(c.ReturnURL, pageToken), "PageKey: must be set with a Store of your own: its pages outlive the process")
	require(c.MinimumUserAge >= 0 && c.MinimumUserAge <= 100, "MinimumUserAge: must be 0 to 100")
	require(c.Workers >= 0, "Workers: must not be negative")
	c.Timeouts.validate(require, "Timeouts")
	for machine, timeouts := range c.MachineTimeouts {
		require(isMachine(machine), "MachineTimeouts: %q is no machine's name", machine)
		timeouts.validate(require, "MachineTimeouts["+machine+"]")
	}
	require(c.UnknownVerdict == ReleaseUnknown || c.UnknownVerdict == HoldUnknown, "UnknownVerdict: must be ReleaseUnknown or HoldUnknown")
	require(c.Busy == RefuseBusy || c.Busy == ReplaceUnpaid, "Busy: must be RefuseBusy or ReplaceUnpaid")
	require(c.InFull == ReleaseAll || c.InFull == CaptureAndRefund, "InFull: must be ReleaseAll or CaptureAndRefund")
	if in := c.CheckIns; in != nil {
		redirects := in.UserFlow == "" || in.UserFlow == epayment.WebRedirect
		require(redirects || in.UserFlow == epayment.PushMessage, "CheckIns.UserFlow: must be WebRedirect or PushMessage")
		require(!redirects || c.ReturnURL != "", "ReturnURL: must be set for CheckIns with WebRedirect")
		require(c.Planogram != nil || c.NoPartialCapture, "Planogram: must be set for CheckIns: a maximum is never guessed")
		order := StaticQROrder{Machine: "m", Items: in.Items, MinimumUserAge: in.MinimumUserAge, Description: in.Description}
		if err := order.check("CheckIns"); err != nil {
			f = append(f, err)
		}
	}
	return f.err("vending.NewOperator")
}

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

func isLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// BusyPolicy says what happens to a customer who comes while another has the machine.
type BusyPolicy int

// The policies.
const (
	// RefuseBusy gives the second customer a *[BusyError]. It is the default.
	RefuseBusy BusyPolicy = iota
	// ReplaceUnpaid takes back the payment of a customer who has not approved it for 20 seconds. Only when Vipps MobilePay has
	// confirmed that, which takes a second or two, does the second customer get the machine; else it is as RefuseBusy. The first
	// has lost it either way, unless they approve in that moment. A page has to limit how often it asks.
	ReplaceUnpaid
)

// UnknownPolicy says what happens when nobody knows whether a product came out.
type UnknownPolicy int

// The policies.
const (
	// ReleaseUnknown charges nothing for the item and tells a person. It is the default.
	ReleaseUnknown UnknownPolicy = iota
	// HoldUnknown keeps the reservation until a person says what happened, at most Timeouts.Hold.
	HoldUnknown
)

// InFullPolicy says what happens when Vipps MobilePay refuses to capture a part of a reservation (6140), although a product
// came out.
type InFullPolicy int

// The policies.
const (
	// ReleaseAll charges nothing: the product is lost, and a person is told. It is the default.
	ReleaseAll InFullPolicy = iota
	// CaptureAndRefund captures all of the reservation and refunds what is too much. The customer's bank may take days. It is
	// for the sessions that are under way: with either policy the doors that reserve a maximum are closed in this process.
	CaptureAndRefund
)
