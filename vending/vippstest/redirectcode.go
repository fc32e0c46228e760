package vippstest

import (
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

func redirectCodeRoutes() []route {
	const root = "/qr/v1/merchant-redirect"
	one := root + "/{reference}"
	routes := []route{
		{
			op: "qr-redirect-create", method: http.MethodPost, pattern: root, slash: true, subject: "id", body: requiredBody,
			handle: (*Server).createRedirect,
		},
		{op: "qr-redirect-list", method: http.MethodGet, pattern: root, slash: true, handle: (*Server).listRedirects},
		{op: "qr-redirect-get", method: http.MethodGet, pattern: one, handle: (*Server).getRedirect},
		{op: "qr-redirect-update", method: http.MethodPut, pattern: one, body: requiredBody, handle: (*Server).updateRedirect},
		{op: "qr-redirect-delete", method: http.MethodDelete, pattern: one, handle: (*Server).deleteRedirect},
		{
			op: "qr-one-time", method: http.MethodPost, pattern: "/qr/v1", slash: true, body: requiredBody,
			handle: (*Server).createOneTime,
		},
	}
	for i := range routes {
		routes[i].msn, routes[i].bare, routes[i].refuse = msnOptional, true, refuseCode
	}
	return routes
}

var (
	codeIDPattern      = regexp.MustCompile(`^[-_+%æøåÆØÅ\w\s]*$`)
	redirectURLPattern = regexp.MustCompile(`^https://[\w\.]+([\w#!:.?+=&%@\-/]+)?$`)
)

var createRedirectSchema = object(slices.Concat([]field{
	required("id", redirectIDRule),
	required("redirectUrl", anyText),
	nullable("ttl", integer(300, math.MaxInt32)),
}, pictureFields)...)

// The id is in the path. An old guide has it in the body as well.
var updateRedirectSchema = object(slices.Concat([]field{nullable("id", anyText), required("redirectUrl", anyText)}, pictureFields)...)

func redirectIDRule(c *check, path string, v value) {
	text(1, 128)(c, path, v)
	if v.kind == isString {
		pattern(codeIDPattern)(c, path, v)
	}
}

// checkRedirectURL knows what addresses a code may lead to.
func (s *Server) checkRedirectURL(c *check, v value) {
	address := v.text
	if s.options.AllowLoopbackHTTP && s.goodWebURL(address) {
		address = "https" + strings.TrimPrefix(strings.TrimPrefix(address, "https"), "http")
	}
	if v.kind == isString && !redirectURLPattern.MatchString(address) {
		c.wrong("redirectUrl", "The field RedirectUrl must match the regular expression '%s'.", redirectURLPattern)
	}
}

// redirectView is a redirect code as the API shows it.
type redirectView struct {
	ID          string `json:"id"`
	URL         string `json:"url"`
	RedirectURL string `json:"redirectUrl"`
	ExpiresIn   int64  `json:"expiresIn"`
}

func (s *Server) viewRedirect(c *call, k *code, p picture) redirectView {
	return redirectView{k.id, s.imageURL(k, p), k.redirectURL, k.expiresIn(c.at)}
}

func (s *Server) createRedirect(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	createRedirectSchema(check, "", c.parsed)
	s.checkRedirectURL(check, c.parsed.get("redirectUrl"))
	p := c.pictureOfHeaders(check)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	id := codeID{redirectCode, c.msn, c.reference}
	if s.codes.named[id] != nil {
		return c.route.refuse(c, refusal{status: http.StatusConflict})
	}
	k := &code{codeID: id, merchant: c.msn, redirectURL: c.parsed.get("redirectUrl").text}
	s.addCode(k, c.at, time.Duration(c.parsed.get("ttl").whole())*time.Second)
	return answer(http.StatusOK, typeJSON, s.viewRedirect(c, k, p))
}

func (s *Server) listRedirects(c *call) reply {
	check := &check{}
	p := c.pictureOfHeaders(check)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	list := []redirectView{}
	for _, k := range s.codesOf(redirectCode, c.msn) {
		list = append(list, s.viewRedirect(c, k, p))
	}
	return answer(http.StatusOK, typeJSON, list)
}

func (s *Server) getRedirect(c *call) reply {
	check := &check{}
	p := c.pictureOfHeaders(check)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	k, r := s.codeOf(redirectCode, c)
	if k == nil {
		return r
	}
	return answer(http.StatusOK, typeJSON, s.viewRedirect(c, k, p))
}

func (s *Server) updateRedirect(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	updateRedirectSchema(check, "", c.parsed)
	s.checkRedirectURL(check, c.parsed.get("redirectUrl"))
	p := c.pictureOfHeaders(check)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	k, r := s.codeOf(redirectCode, c)
	if k == nil {
		return r
	}
	k.redirectURL = c.parsed.get("redirectUrl").text
	return answer(http.StatusOK, typeJSON, s.viewRedirect(c, k, p))
}

func (s *Server) deleteRedirect(c *call) reply {
	k, r := s.codeOf(redirectCode, c)
	if k == nil {
		return r
	}
	s.removeCode(k)
	return empty(http.StatusOK)
}

// codeOf finds the code a call is about, or refuses.
func (s *Server) codeOf(kind codeKind, c *call) (*code, reply) {
	k := s.codes.named[codeID{kind, c.msn, c.reference}]
	if k == nil {
		return nil, c.route.refuse(c, refusal{status: http.StatusNotFound, detail: "The QR code does not exist."})
	}
	return k, reply{}
}

var oneTimeSchema = object(slices.Concat([]field{required("url", anyText)}, pictureFields)...)

// oneTimeLife is how long a one-time code can be scanned, however long its payment lives.
const oneTimeLife = 10 * time.Minute

// createOneTime makes a code of a landing page. There are no other landing pages here than those of the ePayment API.
func (s *Server) createOneTime(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	oneTimeSchema(check, "", c.parsed)
	picture := c.pictureOfHeaders(check)
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	p := s.behind(c.parsed.get("url").text)
	refusal := refusal{title: "Validation error", detail: "Supplied landing page token is not valid"}
	if p != nil {
		refusal.title, refusal.detail = "Order timeout", "Payment has already timed out"
	}
	if p == nil || p.State != stateCreated {
		c.traceID = newID()
		return c.route.refuse(c, refusal)
	}
	k := &code{codeID: codeID{kind: oneTimeCode, msn: p.MSN}, merchant: p.MSN, content: s.landingURL(p), payment: p}
	s.addCode(k, c.at, min(oneTimeLife, p.Expires.Sub(c.at)))
	return answer(http.StatusOK, typeJSON, struct {
		URL       string `json:"url"`
		ExpiresIn int64  `json:"expiresIn"`
	}{s.imageURL(k, picture), k.expiresIn(c.at)})
}

// behind finds the payment behind a redirect URL.
func (s *Server) behind(address string) *payment {
	_, token, _ := strings.Cut(strings.TrimSpace(address), "token=")
	return s.redirects[token]
}
