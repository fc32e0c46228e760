package vippstest

import (
	"net/http"
	"time"
)

// Options say what kind of sales unit the emulator stands for and which readings of the documentation it follows. The zero
// value is a Norwegian sales unit in the test environment that may do everything except long-living payments.
type Options struct {
	// PublicURL begins every redirect URL and is what [Server.URL] returns. Defaults to "https://vipps.test". Set it to the
	// address the emulator is served on when browsers are to open its pages.
	PublicURL string

	// Clock is the time by which everything happens. Defaults to time.Now. [Server.Advance] shifts it forward.
	Clock func() time.Time

	// Production emulates the production environment: tokens live 24 hours instead of one, forced approval and the amounts
	// that mean a failure are not available, and deep links begin with vipps:// instead of vippsMT://.
	Production bool

	// AcceptAnyCredentials gives a token for any credentials that are not empty and any well-formed serial number. It is for
	// an emulator on a port; tests get more out of the real check with [Server.Credentials].
	AcceptAnyCredentials bool

	// Merchants are further serial numbers that the credentials may act for, as partner keys do. With any, webhooks can be
	// registered without a serial number, for all of them.
	Merchants []string

	// LenientFields ignores unknown fields in requests. By default they are refused.
	LenientFields bool

	// AllowLoopbackHTTP accepts addresses such as http://127.0.0.1:8080 and http://localhost, for webhooks and wherever else
	// an address is sent. Vipps accepts https only.
	AllowLoopbackHTTP bool

	// WebhookClient posts deliveries to addresses that have no handler (see [Server.HandleWebhooks]). Its redirects are not
	// followed, whatever it says. Defaults to a client of the emulator's own.
	WebhookClient *http.Client

	// Market is "NO", "DK" or "FI" and decides the currency (NOK, DKK, EUR) and the capture deadline. Defaults to "NO", and
	// to all three with AcceptAnyCredentials.
	Market string

	NoPartialCapture bool // a capture must take everything: 6140 otherwise
	NoPush           bool // PUSH_MESSAGE is refused: 5080
	NoExpress        bool // shipping is refused: 5020
	LongLiving       bool // expiresAt is allowed: 5050 otherwise
	NoRateLimits     bool // calls are not counted: no 429

	// NoOrderManagement leaves the Order Management API out, as Vipps' own test environment does: the gateway answers 404. By
	// default it is there, so that programs for production can be tried.
	NoOrderManagement bool

	// Customers are people the emulator knows something particular about. Any other number belongs to an adult who uses the
	// app and may pay anything. So does 4712345678, who scans codes unless [Server.ScanAs] says who.
	Customers []Customer

	// Switches choose between readings of what is not known about Vipps.
	Switches Switches

	// Logf gets a line for each request, and another when a late one is executed. It must not call the emulator. It never sees secrets, tokens, phone numbers, bodies or redirect URLs.
	Logf func(format string, args ...any)
}

// A Customer is a person with something particular about them. The zero value of each field is the ordinary case.
type Customer struct {
	PhoneNumber string // digits with country code, such as "4712345678"
	Age         int    // years; 0 is of age for everything

	Unknown       bool  // has no account: PUSH_MESSAGE is refused with 7010
	NeverApproved bool  // has not approved anything by hand: forced approval is refused with 10030
	InvalidSource bool  // pays from a source that is not accepted: forced approval is refused with 10040
	NoCards       bool  // has no card: forced approval is refused with 10050
	Limit         int64 // the most a forced approval may come to, in minor units, 10070 above it; 0 is no limit
}

// Switches choose between readings of what the documentation leaves open. Code that settles money should hold under each
// of them. The zero value is the reading the documentation suggests most.
type Switches struct {
	// RefusalsNotSticky makes 6250 (cancel while the payment is processed) and 6280 (capture failed, try later) go away when
	// the same key is tried again. Otherwise every refusal is repeated for its key.
	RefusalsNotSticky bool

	// RemainderReleased says what becomes of the rest of a reservation after a partial capture.
	RemainderReleased RemainderRelease

	// TerminatedCancelsNothing makes the cancelled amount of a TERMINATED payment 0 instead of the whole amount.
	TerminatedCancelsNothing bool

	// RepeatedCancel is the answer when there is nothing left to cancel.
	RepeatedCancel RepeatedCancel

	// KeysForgottenAfter is how long idempotency keys are remembered; 0 is for ever.
	KeysForgottenAfter time.Duration

	// GetLags makes reading a payment show it as it was at the read before.
	GetLags bool

	// FailedAuthorizedEvents sends failed authorizations to webhooks as AUTHORIZED with success false. The event log has
	// them in any case.
	FailedAuthorizedEvents bool

	// ReceiptSlotSeparate lets a receipt be posted once for a payment that was created with one. Otherwise that is refused
	// with 409.
	ReceiptSlotSeparate bool

	// CallbackCategoryShown gives the category of a callback code when it is read. Otherwise it can only be written.
	CallbackCategoryShown bool
}

// RemainderRelease says when the rest of a partly captured reservation is released without being asked to.
type RemainderRelease int

// The readings of what happens to the rest after a partial capture.
const (
	RemainderKept                 RemainderRelease = iota // until it is cancelled or the capture deadline passes
	RemainderReleasedAtOnce                               // by the capture itself
	RemainderReleasedAfterASecond                         // a second after the capture
)

// RepeatedCancel is an answer to cancelling what is cancelled.
type RepeatedCancel int

// The readings of a repeated cancel.
const (
	RepeatedCancel6050 RepeatedCancel = iota // refused: cannot cancel a non-reserved payment
	RepeatedCancel6190                       // refused: payment cannot be cancelled
	RepeatedCancelOK                         // 200 with the unchanged payment
)

func (o Options) customer(phone string) Customer {
	for _, c := range o.Customers {
		if c.PhoneNumber == phone {
			return c
		}
	}
	return Customer{PhoneNumber: phone}
}

func (c Customer) tooYoungFor(age int64) bool {
	return c.Age != 0 && int64(c.Age) < age
}
