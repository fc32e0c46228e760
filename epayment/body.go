package epayment

import (
	"slices"

	"github.com/vippsvending/vipps"
)

type plainCreateRequest CreateRequest

// createBody is a CreateRequest as it goes over the wire: fields that hold secrets are covered by fields of the same JSON
// name, since a vipps.Secret encodes as [redacted].
type createBody struct {
	*plainCreateRequest
	Customer     customerBody     `json:"customer,omitzero"`
	ReturnURL    string           `json:"returnUrl,omitzero"`
	ReceiptURL   string           `json:"receiptUrl,omitzero"`
	Shipping     shippingBody     `json:"shipping,omitzero"`
	IndustryData industryDataBody `json:"industryData,omitzero"`
}

type customerBody struct {
	PhoneNumber   string `json:"phoneNumber,omitzero"`
	PersonalQR    string `json:"personalQr,omitzero"`
	CustomerToken string `json:"customerToken,omitzero"`
}

type shippingBody struct {
	FixedOptions     []ShippingGroup    `json:"fixedOptions,omitzero"`
	DynamicOptions   dynamicOptionsBody `json:"dynamicOptions,omitzero"`
	AllowedCountries []string           `json:"allowedCountries,omitzero"`
}

type dynamicOptionsBody struct {
	CallbackURL                string `json:"callbackUrl"`
	CallbackAuthorizationToken string `json:"callbackAuthorizationToken,omitzero"`
}

type industryDataBody struct {
	AirlineData airlineDataBody `json:"airlineData,omitzero"`
}

type airlineDataBody struct {
	AgencyInvoiceNumber   string `json:"agencyInvoiceNumber"`
	AirlineCode           string `json:"airlineCode"`
	AirlineDesignatorCode string `json:"airlineDesignatorCode"`
	PassengerName         string `json:"passengerName"`
	TicketNumber          string `json:"ticketNumber,omitzero"`
}

func (r *CreateRequest) body() createBody {
	options, airline := r.Shipping.DynamicOptions, r.IndustryData.AirlineData
	return createBody{
		plainCreateRequest: (*plainCreateRequest)(r),
		Customer:           r.Customer.body(),
		ReturnURL:          string(r.ReturnURL),
		ReceiptURL:         string(r.ReceiptURL),
		Shipping: shippingBody{
			FixedOptions:     r.Shipping.FixedOptions,
			DynamicOptions:   dynamicOptionsBody{options.CallbackURL, string(options.CallbackAuthorizationToken)},
			AllowedCountries: r.Shipping.AllowedCountries,
		},
		IndustryData: industryDataBody{airlineDataBody{
			airline.AgencyInvoiceNumber, airline.AirlineCode, airline.AirlineDesignatorCode, string(airline.PassengerName), airline.TicketNumber,
		}},
	}
}

func (c Customer) body() customerBody {
	return customerBody{string(c.PhoneNumber), string(c.PersonalQR), string(c.CustomerToken)}
}

func (c Customer) secrets() []vipps.Secret {
	return []vipps.Secret{c.PhoneNumber, c.PersonalQR, c.CustomerToken}
}

func (r *CreateRequest) secrets() []vipps.Secret {
	return storedBody{
		Customer: r.Customer, ReturnURL: r.ReturnURL, ReceiptURL: r.ReceiptURL, Shipping: r.Shipping, IndustryData: r.IndustryData,
	}.secrets()
}

// storedBody is what has to be known of a body that was made earlier, perhaps by another version.
type storedBody struct {
	Reference    string       `json:"reference"`
	Customer     Customer     `json:"customer"`
	ReturnURL    vipps.Secret `json:"returnUrl"`
	ReceiptURL   vipps.Secret `json:"receiptUrl"`
	Shipping     Shipping     `json:"shipping"`
	IndustryData IndustryData `json:"industryData"`
}

func (b storedBody) secrets() []vipps.Secret {
	return slices.Concat(b.Customer.secrets(), []vipps.Secret{
		b.ReturnURL, b.ReceiptURL, b.Shipping.DynamicOptions.CallbackAuthorizationToken, b.IndustryData.AirlineData.PassengerName,
	})
}
