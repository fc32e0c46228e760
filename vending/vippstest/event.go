package vippstest

import (
	"net/http"
	"strings"
	"time"
)

// An event is an entry of a payment's log.
type event struct {
	name    string
	psp     string
	amount  int64
	at      time.Time
	key     string // of the request that caused it; empty if none did
	success bool
}

// loggedEvent is an event as the event log shows it.
type loggedEvent struct {
	Reference      string `json:"reference"`
	PSPReference   string `json:"pspReference"`
	Name           string `json:"name"`
	Amount         amount `json:"amount"`
	Timestamp      string `json:"timestamp"`
	IdempotencyKey string `json:"idempotencyKey,omitempty"`
	Success        bool   `json:"success"`
}

// log enters an event and tells the webhooks.
func (s *Server) log(p *payment, e event) {
	e.at = s.now()
	e.psp = newID()
	if e.name == "CREATED" {
		e.psp = p.psp
	}
	p.events = append(p.events, e)
	if e.success || s.options.Switches.FailedAuthorizedEvents {
		s.announce(p, e)
	}
}

func (s *Server) getEvents(_ *call, p *payment) reply {
	list := make([]loggedEvent, len(p.events))
	for i, e := range p.events {
		list[i] = loggedEvent{
			Reference: p.Reference, PSPReference: e.psp, Name: e.name, Amount: p.money(e.amount),
			Timestamp: e.at.Format("2006-01-02T15:04:05.0000000Z"), IdempotencyKey: e.key, Success: e.success,
		}
	}
	return answer(http.StatusOK, typeJSON, list)
}

// notice is a payment event as webhooks get it. Vipps sends the keys in this order.
type notice struct {
	MSN                    string           `json:"msn"`
	Reference              string           `json:"reference"`
	PSPReference           string           `json:"pspReference"`
	Name                   string           `json:"name"`
	Amount                 amount           `json:"amount"`
	Timestamp              string           `json:"timestamp"`
	IdempotencyKey         string           `json:"idempotencyKey,omitempty"`
	Success                bool             `json:"success"`
	ShippingDetails        *shippingDetails `json:"shippingDetails,omitempty"`
	UserDetails            *userDetails     `json:"userDetails,omitempty"`
	Sub                    string           `json:"sub,omitempty"`
	CaptureGuaranteedUntil string           `json:"captureGuaranteedUntil,omitempty"`
}

// announce sends an event to the webhooks that want it.
func (s *Server) announce(p *payment, e event) {
	n := notice{
		MSN: p.MSN, Reference: p.Reference, PSPReference: e.psp, Name: e.name, Amount: p.money(e.amount),
		Timestamp: e.at.Format("2006-01-02T15:04:05.000Z"), IdempotencyKey: e.key, Success: e.success,
	}
	if e.name == "AUTHORIZED" && e.success {
		v := p.view()
		n.ShippingDetails, n.UserDetails, n.Sub = v.ShippingDetails, v.UserDetails, v.Profile.Sub
		n.CaptureGuaranteedUntil = v.CaptureGuaranteedUntil
	}
	s.publish(occurrence{
		msn: p.MSN, event: "epayments.payment." + strings.ToLower(e.name) + ".v1",
		reference: p.Reference, queue: p.MSN + "/" + p.Reference, body: encode(n),
	})
}
