package vippstest

import (
	"fmt"
	"math"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// admit is the gateway and what every operation asks of a request: credentials, headers, limits. It fills in the call.
func (s *Server) admit(c *call) (reply, bool) {
	key := c.header.Get("Ocp-Apim-Subscription-Key")
	if r, ok := s.checkSubscription(key); !ok {
		return r, false
	}
	token, ok := strings.CutPrefix(c.header.Get("Authorization"), "Bearer ")
	if end, known := s.tokens[token]; !ok || !known || !c.at.Before(end) {
		if c.route.bare {
			return empty(http.StatusUnauthorized), false
		}
		return gatewayError(http.StatusUnauthorized, "Something went wrong, please try again later"), false
	}
	if r, ok := s.checkMerchant(c); !ok {
		return r, false
	}
	if details := c.checkHeaders(); len(details) > 0 {
		return c.route.refuse(c, refusal{details: details}), false
	}
	if r, ok := c.readBody(); !ok {
		return r, false
	}
	return s.countCall(c, key)
}

func (s *Server) checkSubscription(key string) (reply, bool) {
	var message string
	switch {
	case key == "":
		message = "Access denied due to missing subscription key. " +
			"Make sure to include subscription key when making requests to an API."
	case key != s.credentials.SubscriptionKey && !s.options.AcceptAnyCredentials:
		message = "Access denied due to invalid subscription key. " +
			"Make sure to provide a valid key for an active subscription."
	default:
		return reply{}, true
	}
	r := gatewayError(http.StatusUnauthorized, message)
	r.header.Set("WWW-Authenticate",
		`AzureApiManagementKey realm="vipps.test",name="Ocp-Apim-Subscription-Key",type="header"`)
	return r, false
}

func (s *Server) checkMerchant(c *call) (reply, bool) {
	c.msn = c.header.Get("Merchant-Serial-Number")
	switch {
	case c.msn == "" && c.route.msn == msnUnlessPartner && s.partner():
		return reply{}, true
	case c.msn == "" && c.route.msn == msnOptional && len(s.options.Merchants) == 0:
		c.msn = s.credentials.MerchantSerialNumber
		return reply{}, true
	case c.msn == "":
		return c.route.refuse(c, refusal{details: []detail{{"Merchant-Serial-Number", "The header is required."}}}), false
	case !isSerialNumber(c.msn):
		return c.route.refuse(c, refusal{details: []detail{
			{"Merchant-Serial-Number", "The header must match the regular expression '^[0-9]{4,10}$'."},
		}}), false
	case !s.serves(c.msn):
		return c.route.refuse(c, refusal{status: http.StatusForbidden, detail: "Invalid MSN: " + c.msn + ". Check your API keys."}), false
	}
	return reply{}, true
}

// partner says whether the credentials stand for more than one sales unit.
func (s *Server) partner() bool {
	return s.options.AcceptAnyCredentials || len(s.options.Merchants) > 0
}

func (s *Server) serves(msn string) bool {
	if s.options.AcceptAnyCredentials || msn == s.credentials.MerchantSerialNumber {
		return true
	}
	return slices.Contains(s.options.Merchants, msn)
}

func isSerialNumber(msn string) bool {
	return len(msn) >= 4 && len(msn) <= 10 && isDigits(msn)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func (c *call) checkHeaders() []detail {
	var details []detail
	for _, name := range []string{
		"Vipps-System-Name", "Vipps-System-Version", "Vipps-System-Plugin-Name", "Vipps-System-Plugin-Version",
	} {
		if utf8.RuneCountInString(c.header.Get(name)) > 30 {
			details = append(details, detail{name, "The header must not be longer than 30 characters."})
		}
	}
	if c.route.key != noKey {
		c.key = c.header.Get("Idempotency-Key")
		switch {
		case c.key == "" && c.route.key == requiredKey:
			details = append(details, detail{"Idempotency-Key", "The header is required."})
		case utf8.RuneCountInString(c.key) > 50:
			details = append(details, detail{"Idempotency-Key", "The header must not be longer than 50 characters."})
		}
	}
	if c.route.pathRef && !isReference(c.reference) {
		details = append(details, detail{"reference", referenceRule})
	}
	return details
}

func (c *call) readBody() (reply, bool) {
	if c.route.body == noBody || c.route.body == optionalBody && len(c.body) == 0 {
		return reply{}, true
	}
	if c.tooLong {
		return c.route.refuse(c, refusal{status: http.StatusRequestEntityTooLarge, detail: "The request body is too large."}), false
	}
	if kind, _, err := mime.ParseMediaType(c.header.Get("Content-Type")); len(c.body) > 0 && (err != nil || kind != typeJSON) {
		return c.route.refuse(c, refusal{status: http.StatusUnsupportedMediaType, detail: "The body must be application/json."}), false
	}
	if c.route.subject == "" { // or else it has been read
		c.parsed, c.malformed = parse(c.body)
	}
	return reply{}, true
}

type limitID struct{ op, owner, reference string }

// countCall is the rate limit: so many calls in any minute for one operation and reference. Refused calls do not count.
func (s *Server) countCall(c *call, subscription string) (reply, bool) {
	if c.route.perMinute == 0 || s.options.NoRateLimits {
		return reply{}, true
	}
	id := limitID{c.route.op, c.msn, c.reference}
	if c.route.perKey {
		id.owner = subscription
	}
	recent := s.calls[id]
	for len(recent) > 0 && c.at.Sub(recent[0]) >= time.Minute {
		recent = recent[1:]
	}
	if len(recent) >= c.route.perMinute {
		s.calls[id] = recent
		return tooMany(time.Minute - c.at.Sub(recent[0])), false
	}
	if _, known := s.calls[id]; !known && len(s.calls)%4096 == 4095 {
		s.forgetCalls(c.at)
	}
	s.calls[id] = append(recent, c.at)
	return reply{}, true
}

// forgetCalls drops the counts of calls that no longer matter, so that a long run does not keep one for each payment.
func (s *Server) forgetCalls(now time.Time) {
	for id, at := range s.calls {
		if now.Sub(at[len(at)-1]) >= time.Minute {
			delete(s.calls, id)
		}
	}
}

func tooMany(wait time.Duration) reply {
	seconds := int(math.Ceil(wait.Seconds()))
	r := gatewayError(http.StatusTooManyRequests, fmt.Sprintf("Rate limit is exceeded. Try again in %d seconds.", seconds))
	r.header.Set("Retry-After", fmt.Sprint(seconds))
	return r
}
