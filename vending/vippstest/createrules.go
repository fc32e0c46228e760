package vippstest

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// checkOrder is what cannot be said field by field. The first broken rule with a code is the one a client is told.
func (s *Server) checkOrder(c *check, o order, now time.Time) {
	s.checkFlow(c, o)
	s.checkMoney(c, o)
	s.checkCustomer(c, o)
	s.checkURLs(c, o)
	checkMetadata(c, o)
	checkScope(c, o)
	s.checkShipping(c, o)
	s.checkExpiry(c, o, now)
}

func (s *Server) checkFlow(c *check, o order) {
	if o.method == "CARD_PASSTHROUGH" {
		c.refuse("4160", "CARD_PASSTHROUGH is for payment service providers.")
	}
	if o.method == "CARD" && o.flow != "WEB_REDIRECT" {
		c.wrong("userFlow", "CARD can only be used with WEB_REDIRECT.")
	}
	if o.method == "CARD" && o.receipt.has() {
		c.wrong("receipt", "A receipt can only be used with WALLET.")
	}
	if o.qrFormat.has() && o.flow != "QR" {
		c.wrong("qrFormat", "The field can only be used with QR.")
	}
	if o.qrFormat.get("size").has() && o.qrFormat.get("format").text != "IMAGE/PNG" {
		c.wrong("qrFormat.size", "The field can only be used with IMAGE/PNG.")
	}
	if o.flow == "WEB_REDIRECT" && o.returnURL.text == "" {
		c.refuse("4140", "The parameter returnUrl is required.")
	}
	if o.flow == "PUSH_MESSAGE" && o.customers() == 0 {
		c.refuse("4140", "The parameter customer is required.")
	}
	if o.flow == "PUSH_MESSAGE" && s.options.NoPush {
		c.refuse("5080", "The sales unit is not allowed to use PUSH_MESSAGE.")
	}
}

func (s *Server) checkMoney(c *check, o order) {
	if !s.takes(o.currency) {
		c.refuse("5040", "The sales unit does not take %s.", o.currency)
	}
	least := int64(1)
	if o.currency == "NOK" {
		least = 100
	}
	if o.value < least {
		c.refuse("6010", "Amounts are in minor units, and at least %d %s.", least, o.currency)
	}
	if o.blocked && (s.market(o.currency) == "NO" || o.method != "WALLET") {
		c.refuse("5010", "Sources cannot be blocked for this payment.")
	}
}

func (s *Server) checkCustomer(c *check, o order) {
	if o.hasPhone && (len(o.phone) < 9 || len(o.phone) > 15 || !isDigits(o.phone)) {
		c.refuse("4070", "The phone number must be an MSISDN.")
	}
	if n := utf8.RuneCountInString(o.personalQR.text); o.personalQR.has() && (n < 5 || n > 255) {
		c.refuse("4060", "The personal QR must have 5 to 255 characters.")
	}
	if _, ok := s.checkedInAs(o.token.text); o.token.has() && !ok {
		c.refuse("4050", "The customer token is unknown or too old.")
	}
	if o.flow == "PUSH_MESSAGE" && o.who != "" {
		if who := s.options.customer(o.who); who.Unknown || who.tooYoungFor(o.minimumAge) {
			c.refuse("7010", "The customer cannot pay this.")
		}
	}
}

func (s *Server) checkURLs(c *check, o order) {
	for _, u := range []value{o.returnURL, o.receiptURL, o.terms, o.privacy, o.shipping.get("dynamicOptions").get("callbackUrl")} {
		if u.has() && u.text != "" && !s.goodURL(u.text) {
			c.refuse("4090", "The parameter %s is invalid.", u.text)
		}
	}
	if callback := o.shipping.get("dynamicOptions").get("callbackUrl"); callback.has() && !s.goodWebURL(callback.text) {
		c.refuse("4090", "The parameter %s is invalid.", callback.text)
	}
}

// goodURL says whether an address can be opened on a phone: https, or an app's own scheme.
func (s *Server) goodURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || strings.ContainsAny(raw, " \t\r\n") {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "http", "https":
		return s.goodWebURL(raw)
	case "javascript", "data", "file", "blob", "about":
		return false
	default:
		return true
	}
}

// goodWebURL says whether a server can be reached there: https, or with AllowLoopbackHTTP this machine.
func (s *Server) goodWebURL(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "https":
		return s.options.AllowLoopbackHTTP || !isLoopback(u.Hostname())
	case "http":
		return s.options.AllowLoopbackHTTP && isLoopback(u.Hostname())
	default:
		return false
	}
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

func checkMetadata(c *check, o order) {
	if len(o.metadata) > 5 {
		c.refuse("4100", "At most 5 pairs are allowed.")
	}
	seen := map[string]bool{}
	for _, m := range o.metadata {
		switch {
		case seen[m.name]:
			c.refuse("4110", "The key %s comes twice.", m.name)
		case utf8.RuneCountInString(m.name) > 100:
			c.refuse("4120", "Keys have at most 100 characters.")
		case utf8.RuneCountInString(m.value.text) > 500:
			c.refuse("4130", "Values have at most 500 characters.")
		}
		seen[m.name] = true
	}
}

func checkScope(c *check, o order) {
	for word := range strings.FieldsSeq(o.scope) {
		switch {
		case word == "nin":
			c.refuse("5030", "The sales unit is not allowed to ask for nin.")
		case !slices.Contains([]string{"name", "address", "email", "phoneNumber", "birthDate"}, word):
			c.refuse("4080", "The scope %s is not known.", word)
		}
	}
}

func (s *Server) checkShipping(c *check, o order) {
	if !o.shipping.has() {
		return
	}
	if o.method != "WALLET" {
		c.wrong("shipping", "The field can only be used with WALLET.")
	}
	if !slices.Contains(strings.Fields(o.scope), "address") {
		c.wrong("profile.scope", "Shipping needs the scope address.")
	}
	groups := map[string]bool{}
	for _, group := range o.shipping.get("fixedOptions").items {
		id := group.get("brand").text + " " + group.get("type").text
		if groups[id] {
			c.wrong("shipping.fixedOptions", "There must be one group for each brand and type.")
		}
		groups[id] = true
		for _, option := range group.get("options").items {
			if option.get("amount").get("currency").text != o.currency {
				c.wrong("shipping.fixedOptions", "The currency must be that of the payment.")
				return
			}
		}
	}
	if s.options.NoExpress {
		c.refuse("5020", "The sales unit is not allowed to use Express.")
	}
}

func (s *Server) checkExpiry(c *check, o order, now time.Time) {
	if !o.expiresAt.has() {
		return
	}
	at, err := time.Parse(time.RFC3339, strings.ToUpper(o.expiresAt.text))
	if err != nil {
		c.wrong("expiresAt", "The value is not a time.")
		return
	}
	switch ahead := at.Sub(now); {
	case !s.options.LongLiving:
		c.refuse("5050", "The sales unit is not allowed to use expiresAt.")
	case ahead <= 10*time.Minute:
		c.refuse("6120", "The payment must live longer than 10 minutes.")
	case ahead >= 60*24*time.Hour:
		c.refuse("6110", "The payment must live less than 60 days.")
	case !o.receipt.has():
		c.refuse("6130", "A payment with expiresAt needs a receipt.")
	}
}
