package epayment

import "github.com/vippsvending/vipps"

// IndustryData is what the rules of a trade ask for.
type IndustryData struct {
	AirlineData AirlineData `json:"airlineData,omitzero"`
}

// AirlineData is about a ticket. All fields but TicketNumber are required if one is set.
type AirlineData struct {
	AgencyInvoiceNumber   string       `json:"agencyInvoiceNumber"`   // 1 to 6 characters
	AirlineCode           string       `json:"airlineCode"`           // the carrier's three digits: "074"
	AirlineDesignatorCode string       `json:"airlineDesignatorCode"` // the carrier's two letters: "KL"
	PassengerName         vipps.Secret `json:"passengerName"`         // 1 to 49 characters: "FLYER / MARY MS."
	TicketNumber          string       `json:"ticketNumber,omitzero"` // at most 150 characters
}
