package epayment

import "github.com/vippsvending/vipps"

// Shipping makes a payment an Express payment: the customer chooses an address and one of these options in the app, and its
// cost is added to what is authorized. Capture Aggregate.Authorized then, not the amount of the create. Set FixedOptions or
// DynamicOptions, PaymentMethod Wallet, and a Profile.Scope with address in it. It needs the approval of Vipps MobilePay
// ([CodeExpressNotAllowed]).
//
// See https://developer.vippsmobilepay.com/docs/APIs/epayment-api/features/express/.
type Shipping struct {
	FixedOptions   []ShippingGroup `json:"fixedOptions,omitzero"`
	DynamicOptions DynamicOptions  `json:"dynamicOptions,omitzero"`
	// AllowedCountries are ISO 3166-1 alpha-2 codes in capitals. Empty means that every country is allowed.
	AllowedCountries []string `json:"allowedCountries,omitzero"`
}

// DynamicOptions has Vipps MobilePay ask your server for options once the address is known.
type DynamicOptions struct {
	// CallbackURL is https on a common port.
	CallbackURL string `json:"callbackUrl"`
	// CallbackAuthorizationToken comes back as the Authorization header of the question. It does not print.
	CallbackAuthorizationToken vipps.Secret `json:"callbackAuthorizationToken,omitzero"`
}

// ShippingGroup is what one carrier offers in one way. Each pair of Type and Brand is to have one group.
type ShippingGroup struct {
	Type      ShippingType     `json:"type"`
	Brand     ShippingBrand    `json:"brand"`
	Options   []ShippingOption `json:"options"`
	IsDefault bool             `json:"isDefault,omitzero"`
	// Priority orders the groups, the lowest first. 0 leaves the order to the app.
	Priority int `json:"priority,omitzero"`
}

// ShippingOption is one thing to choose.
type ShippingOption struct {
	ID     string       `json:"id"`
	Amount vipps.Amount `json:"amount"` // may be 0; the payment's currency
	// Name is of the option or of the store.
	Name      string `json:"name"`
	IsDefault bool   `json:"isDefault,omitzero"`
	// Priority orders the options, the lowest first. 0 leaves the order to the app.
	Priority int `json:"priority,omitzero"`
	// Meta is more text, such as the address of the store.
	Meta string `json:"meta,omitzero"`
	// EstimatedDelivery is text: "1-2 days", or when the store is open.
	EstimatedDelivery string `json:"estimatedDelivery,omitzero"`
}

// ShippingType is a way of delivery.
type ShippingType string

// The ways of delivery.
const (
	HomeDelivery  ShippingType = "HOME_DELIVERY"
	PickupPoint   ShippingType = "PICKUP_POINT"
	Mailbox       ShippingType = "MAILBOX"
	InStore       ShippingType = "IN_STORE"
	OtherShipping ShippingType = "OTHER"
)

// ShippingBrand is a carrier.
type ShippingBrand string

// The carriers.
const (
	Posten      ShippingBrand = "POSTEN"
	Bring       ShippingBrand = "BRING"
	PostNord    ShippingBrand = "POSTNORD"
	HeltHjem    ShippingBrand = "HELTHJEM"
	PorterBuddy ShippingBrand = "PORTERBUDDY"
	DHL         ShippingBrand = "DHL"
	Instabox    ShippingBrand = "INSTABOX"
	FedEx       ShippingBrand = "FEDEX"
	Matkahuolto ShippingBrand = "MATKAHUOLTO"
	GLS         ShippingBrand = "GLS"
	Posti       ShippingBrand = "POSTI"
	Gordon      ShippingBrand = "GORDON"
	OtherBrand  ShippingBrand = "OTHER"
)

// ShippingDetails is what the customer chose.
type ShippingDetails struct {
	Address Address `json:"address"`
	// ShippingCost is in minor units of the payment's currency: 9900 is 99.00.
	ShippingCost       int64  `json:"shippingCost"`
	ShippingOptionID   string `json:"shippingOptionId"`
	ShippingOptionName string `json:"shippingOptionName"`
}

// Address is where a customer lives or wants the goods. Only the city and the country print.
type Address struct {
	AddressLine1 vipps.Secret `json:"addressLine1,omitzero"`
	AddressLine2 vipps.Secret `json:"addressLine2,omitzero"`
	City         string       `json:"city,omitzero"`
	Country      string       `json:"country,omitzero"` // ISO 3166-1 alpha-2
	PostCode     vipps.Secret `json:"postCode,omitzero"`
}
