package vippstest

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A route is one operation of one API and what it asks of every request.
type route struct {
	op      string // as faults and the books call it
	method  string
	pattern string // {reference}, {id} and {paymentType} match one part that is not empty
	slash   bool   // a slash at the end makes no difference

	open    bool // no gateway in front: the token endpoint and the pages
	msn     msnRule
	pathRef bool   // the path carries a payment reference
	subject string // the field of the body that becomes the reference, as no path carries it
	body    bodyRule
	most    int  // the longest body, if it is not maxBody
	bare    bool // 401 is the API's own and has no body

	key      keyRule
	conflict string // the code for a key that came with something else before

	perMinute int  // 0 is unlimited
	perKey    bool // counted for each subscription key rather than each serial number

	refuse func(*call, refusal) reply // the API's dialect of errors
	handle func(*Server, *call) reply // runs with the lock held
}

// msnRule says what a request without Merchant-Serial-Number is.
type msnRule int

const (
	msnUnlessPartner msnRule = iota // with partner keys one for all sales units; otherwise malformed
	msnRequired
	msnOptional // one for the only sales unit of the keys
)

type bodyRule int

const (
	noBody bodyRule = iota
	optionalBody
	requiredBody
)

type keyRule int

const (
	noKey keyRule = iota
	optionalKey
	requiredKey
)

// A call is one request on its way through the emulator.
type call struct {
	route   *route // nil if there is no such operation
	method  string
	path    string
	query   string
	header  http.Header
	body    []byte
	tooLong bool

	msn         string
	key         string
	reference   string // from the path, or from the body of what makes something
	id          string // of what the API itself named
	paymentType string
	parsed      value  // the body, once it is known to be JSON
	malformed   string // why it is not
	fault       *Fault
	traceID     string
	at          time.Time
}

// match finds the operation of a request. Like the gateway, it answers a wrong method as an unknown path.
func (s *Server) match(c *call, escapedPath string) {
	parts := strings.Split(escapedPath, "/")
	for i, p := range parts {
		if plain, err := url.PathUnescape(p); err == nil {
			parts[i] = plain // an id may hold a slash
		}
	}
	for i := range s.routes {
		r := &s.routes[i]
		if r.method == c.method && c.follows(r, parts) {
			c.route = r
			return
		}
	}
}

// follows says whether a path is that of a route, and takes from it what it names.
func (c *call) follows(r *route, parts []string) bool {
	pattern := strings.Split(r.pattern, "/")
	if last := len(parts) - 1; r.slash && last == len(pattern) && parts[last] == "" {
		parts = parts[:last]
	}
	if len(pattern) != len(parts) {
		return false
	}
	var reference, id, paymentType string
	for i, p := range pattern {
		switch {
		case p == "{reference}":
			reference = parts[i]
		case p == "{id}":
			id = parts[i]
		case p == "{paymentType}":
			paymentType = parts[i]
		case !strings.EqualFold(p, parts[i]):
			return false
		}
		if parts[i] == "" && p != "" {
			return false
		}
	}
	c.reference, c.id, c.paymentType = reference, id, paymentType
	return true
}

func (c *call) op() string {
	if c.route == nil {
		return ""
	}
	return c.route.op
}

// instance is the path as problem documents show it: without the API's own name in front.
func (c *call) instance() string {
	if i := strings.Index(c.path, "/v1/"); i >= 0 {
		return c.path[i:]
	}
	return c.path
}

// run executes a call that has arrived: the gateway, then what was answered to its key before, then the operation.
func (s *Server) run(c *call) reply {
	s.runDue()
	c.at = s.now()
	if c.route == nil {
		return gatewayError(http.StatusNotFound, "Resource not found")
	}
	if c.route.open {
		return c.route.handle(s, c)
	}
	if r, ok := s.admit(c); !ok {
		return r
	}
	if c.key == "" {
		return s.perform(c)
	}
	if r, ok := s.remembered(c); ok {
		return r
	}
	r := s.perform(c)
	s.remember(c, r)
	return r
}

func (s *Server) perform(c *call) reply {
	if f := c.fault; f != nil && f.Kind == RefuseSticky {
		return f.refusal(c)
	}
	if c.malformed != "" {
		return c.route.refuse(c, refusal{details: []detail{{"body", c.malformed}}})
	}
	return c.route.handle(s, c)
}
