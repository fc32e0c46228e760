package vippstest

import (
	"errors"
	"fmt"
	"strings"
)

// What the app says instead of going on with a code.
var (
	// ErrCodeNotFound is a code that nothing is known about: not one of Vipps, deleted, or past its time to live.
	ErrCodeNotFound = errors.New("vippstest: the code is not found")
	// ErrCannotConnect is "Can't connect to store. Try scanning again or pay in another way": no webhook accepted the
	// check-in.
	ErrCannotConnect = errors.New("vippstest: can't connect to store")
)

// Scanned is what a customer gets to by scanning a code.
type Scanned struct {
	Reference string // of the payment behind a one-time code or a redirect URL
	Opens     string // the address that a redirect code leads to

	// Of a callback code: its id, where the app says the customer is, the wording it waits with (IN_STORE or VENDING), and
	// what stands for the customer in create.
	MerchantQRID  string
	Location      string
	Category      string
	CustomerToken string
}

// Scan is the customer reading a code with the app, or following a link.
//
// The code of a payment, whether in the image of userFlow QR, from the QR API or as redirect URL, leads to the payment,
// as long as it waits for its customer. A redirect code leads to its address. A callback code checks the customer in:
// webhooks for user.checked-in.v1 are told at once, and the customer waits for the answer. If there is none that accepts, the
// error is [ErrCannotConnect]. The delivery is then repeated like any other, too late for this customer. Because Scan
// waits for the handler, the handler must not call it.
//
// What a code says is in [RedirectCode] and [CallbackCode], and is what the APIs answer for text/targetUrl and qrContent.
func (s *Server) Scan(code string) (Scanned, error) {
	return s.ScanAs(everybody.MobileNumber, code)
}

// ScanAs is [Server.Scan] by the customer with that phone number, whom Options.Customers may say something about.
func (s *Server) ScanAs(phoneNumber, code string) (Scanned, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	code = strings.TrimSpace(code)
	if k := s.printed(code); k != nil {
		if k.kind == redirectCode {
			return Scanned{Opens: k.redirectURL}, nil
		}
		return s.scanCallback(phoneNumber, k)
	}
	p := s.behind(code)
	switch {
	case p == nil:
		return Scanned{}, ErrCodeNotFound
	case p.State != stateCreated:
		return Scanned{Reference: p.Reference}, p.errNot("is " + p.State)
	}
	return Scanned{Reference: p.Reference}, nil
}

// scanCallback checks a customer in and waits for the store.
func (s *Server) scanCallback(phone string, k *code) (Scanned, error) {
	o, token := s.arrival(k.merchant, k.id, phone)
	found := Scanned{MerchantQRID: k.id, Location: k.location, Category: k.category, CustomerToken: token}
	accepted, answers, why := false, 0, "no webhook was told"
	o.answered = func(d Delivery) {
		answers++
		switch {
		case d.Err != "":
			why = d.Err
		case d.Status < 200 || d.Status >= 300:
			why = fmt.Sprintf("the webhook answered %d", d.Status)
		default:
			accepted = true
		}
	}
	for told := s.publish(o); answers < told && !accepted; {
		s.idle.Wait()
	}
	if !accepted {
		return found, fmt.Errorf("%w: %s", ErrCannotConnect, why)
	}
	return found, nil
}
