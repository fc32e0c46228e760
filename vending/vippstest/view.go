package vippstest

import (
	"net/http"
	"strings"
)

// A view is a payment as GET shows it.
type view struct {
	Reference              string            `json:"reference"`
	PSPReference           string            `json:"pspReference"`
	State                  string            `json:"state"`
	Amount                 amount            `json:"amount"`
	Aggregate              aggregate         `json:"aggregate"`
	PaymentMethod          methodView        `json:"paymentMethod"`
	Profile                profileView       `json:"profile"`
	RedirectURL            string            `json:"redirectUrl,omitempty"`
	Metadata               map[string]string `json:"metadata,omitempty"`
	ShippingDetails        *shippingDetails  `json:"shippingDetails,omitempty"`
	UserDetails            *userDetails      `json:"userDetails,omitempty"`
	CaptureGuaranteedUntil string            `json:"captureGuaranteedUntil,omitempty"`
}

type methodView struct {
	Type    string `json:"type"`
	CardBIN string `json:"cardBin,omitempty"`
}

type profileView struct {
	Sub string `json:"sub,omitempty"`
}

type shippingDetails struct {
	Address            address `json:"address"`
	ShippingCost       int64   `json:"shippingCost"`
	ShippingOptionID   string  `json:"shippingOptionId"`
	ShippingOptionName string  `json:"shippingOptionName"`
}

type address struct {
	AddressLine1 string `json:"addressLine1"`
	City         string `json:"city"`
	Country      string `json:"country"`
	PostCode     string `json:"postCode"`
}

// userDetails has only what the customer was asked for.
type userDetails struct {
	Email        string    `json:"email,omitempty"`
	FirstName    string    `json:"firstName,omitempty"`
	LastName     string    `json:"lastName,omitempty"`
	MobileNumber string    `json:"mobileNumber,omitempty"`
	DateOfBirth  string    `json:"dateOfBirth,omitempty"`
	Addresses    []address `json:"addresses,omitempty"`
}

func (s *Server) getPayment(_ *call, p *payment) reply {
	v := p.view()
	if s.options.Switches.GetLags {
		before := *p.shown
		p.shown, v = new(v), before
	}
	return answer(http.StatusOK, typeJSON, v)
}

func (p *payment) view() view {
	v := view{
		Reference:     p.Reference,
		PSPReference:  p.psp,
		State:         p.State,
		Amount:        p.money(p.Amount),
		Aggregate:     p.aggregate(),
		PaymentMethod: methodView{Type: p.PaymentMethod},
		Metadata:      p.Metadata,
	}
	switch p.State {
	case stateCreated:
		v.RedirectURL = p.RedirectURL
	case stateAuthorized:
		v.PaymentMethod.CardBIN = "540185"
		v.CaptureGuaranteedUntil = p.CaptureGuaranteedUntil.Format("2006-01-02T15:04:05.000-07:00")
		v.ShippingDetails = p.order.shippingDetails()
		v.UserDetails = p.order.userDetails()
		if v.UserDetails != nil {
			v.Profile.Sub = subOf(p.PhoneNumber)
		}
	}
	return v
}

// everybody is the customer about whom the request said nothing.
var everybody = userDetails{
	Email: "ada@example.com", FirstName: "Ada", LastName: "Lovelace", MobileNumber: "4712345678",
	DateOfBirth: "1988-12-3", Addresses: []address{home},
}

var home = address{AddressLine1: "Storgata 1", City: "Oslo", Country: "NO", PostCode: "0155"}

// userDetails are what the scope asked for, or nil.
func (o order) userDetails() *userDetails {
	scope := strings.Fields(o.scope)
	if len(scope) == 0 {
		return nil
	}
	d := &userDetails{}
	for _, word := range scope {
		switch word {
		case "name":
			d.FirstName, d.LastName = everybody.FirstName, everybody.LastName
		case "email":
			d.Email = everybody.Email
		case "phoneNumber":
			d.MobileNumber = everybody.MobileNumber
			if o.phone != "" {
				d.MobileNumber = o.phone
			}
		case "birthDate":
			d.DateOfBirth = everybody.DateOfBirth
		case "address":
			d.Addresses = everybody.Addresses
		}
	}
	return d
}
