package vippstest

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

const checkedIn = "user.checked-in.v1"

// knownEvents are the events that can be subscribed to. Only those of payments and check-ins ever happen here.
var knownEvents = []string{
	"epayments.payment.created.v1", "epayments.payment.aborted.v1", "epayments.payment.expired.v1",
	"epayments.payment.cancelled.v1", "epayments.payment.captured.v1", "epayments.payment.refunded.v1",
	"epayments.payment.authorized.v1", "epayments.payment.terminated.v1",
	checkedIn,
	"recurring.agreement-activated.v1", "recurring.agreement-rejected.v1", "recurring.agreement-stopped.v1",
	"recurring.agreement-expired.v1", "recurring.charge-reserved.v1", "recurring.charge-captured.v1",
	"recurring.charge-canceled.v1", "recurring.charge-refunded.v1", "recurring.charge-failed.v1",
	"recurring.charge-creation-failed.v1", "login.merchant-initiated.ping.v1",
}

// A registration is a webhook.
type registration struct {
	id, msn, url, secret string // without msn it is for all serial numbers
	events               []string
	queues               map[string]*queue
	failing              time.Time // since when every attempt has failed; zero if the last one was accepted
	gone                 bool
}

func webhookRoutes() []route {
	const root = "/webhooks/v1/webhooks"
	return []route{
		{op: "register", method: http.MethodPost, pattern: root, body: requiredBody, refuse: refuseWebhook, handle: (*Server).register},
		{op: "list", method: http.MethodGet, pattern: root, refuse: refuseWebhook, handle: (*Server).list},
		{op: "delete", method: http.MethodDelete, pattern: root + "/{id}", refuse: refuseWebhook, handle: (*Server).unregister},
	}
}

const notEmpty = "The property is required and cannot be null or empty."

var registerSchema = object(
	field{name: "url", null: true, rule: anyText},
	field{name: "events", null: true, rule: array(0, anyText)},
)

func (s *Server) register(c *call) reply {
	check := &check{lenient: s.options.LenientFields}
	registerSchema(check, "", c.parsed)
	address, events := c.parsed.get("url").text, []string{}
	for _, e := range c.parsed.get("events").items {
		if !slices.Contains(events, e.text) {
			events = append(events, e.text)
		}
	}
	if len(check.details) == 0 {
		s.checkRegistration(check, c.msn, address, events)
	}
	if r, ok := check.verdict(); !ok {
		return c.route.refuse(c, r)
	}
	r := &registration{
		id: newID(), msn: c.msn, url: address, events: events, secret: s.newSecret(), queues: map[string]*queue{},
	}
	s.registrations = append(s.registrations, r)
	return answer(http.StatusCreated, typeJSON, struct {
		ID     string `json:"id"`
		Secret string `json:"secret"`
	}{r.id, r.secret})
}

func (s *Server) checkRegistration(c *check, msn, address string, events []string) {
	switch {
	case address == "":
		c.wrong("url", notEmpty)
	case !s.goodWebURL(address):
		c.wrong("url", "The address must be a public one and use https.")
	}
	if len(events) == 0 {
		c.wrong("events", notEmpty)
	}
	for _, e := range events {
		if !slices.Contains(knownEvents, e) {
			c.wrong("events", "The event %s is not known.", e)
			continue
		}
		most := 25
		if e == checkedIn {
			most = 1
		}
		count := 0
		for _, r := range s.registrations {
			if r.msn == msn && slices.Contains(r.events, e) {
				count++
			}
		}
		if count >= most {
			c.wrong("events", "At most %d webhooks can be registered for %s.", most, e)
		}
	}
}

// newSecret is of one of the two looks that secrets have, in turn: a client must not read anything into them.
func (s *Server) newSecret() string {
	s.registered++
	if s.registered%2 == 1 {
		return newID()
	}
	return base64.StdEncoding.EncodeToString(random(64))
}

type listedWebhook struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events"`
}

func (s *Server) list(c *call) reply {
	list := []listedWebhook{}
	for _, r := range s.registrations {
		if r.msn == c.msn {
			list = append(list, listedWebhook{r.id, r.url, r.events})
		}
	}
	return answer(http.StatusOK, typeJSON, struct {
		Webhooks []listedWebhook `json:"webhooks"`
	}{list})
}

var idPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (s *Server) unregister(c *call) reply {
	if !idPattern.MatchString(c.id) {
		return c.route.refuse(c, refusal{details: []detail{{"id", "The value must be a UUID."}}})
	}
	for _, r := range s.registrations {
		if strings.EqualFold(r.id, c.id) && r.msn == c.msn {
			s.remove(r)
			return reply{status: http.StatusNoContent, header: http.Header{}}
		}
	}
	return c.route.refuse(c, refusal{status: http.StatusNotFound, detail: "The webhook does not exist."})
}

// remove ends a registration and forgets what was still to be delivered to it.
func (s *Server) remove(r *registration) {
	r.gone = true
	for _, q := range r.queues {
		s.drop(q.wake)
	}
	clear(r.queues)
	s.registrations = slices.DeleteFunc(s.registrations, func(other *registration) bool { return other == r })
}

// wants says whether a registration is for an event of a serial number.
func (r *registration) wants(msn, event string) bool {
	return (r.msn == "" || r.msn == msn) && slices.Contains(r.events, event)
}

// subscribers are the registrations that get an event. For check-ins the one of the sales unit replaces the one for all.
func (s *Server) subscribers(msn, event string) []*registration {
	var list []*registration
	for _, r := range s.registrations {
		if r.wants(msn, event) {
			list = append(list, r)
		}
	}
	if event == checkedIn && slices.ContainsFunc(list, func(r *registration) bool { return r.msn != "" }) {
		list = slices.DeleteFunc(list, func(r *registration) bool { return r.msn == "" })
	}
	return list
}
