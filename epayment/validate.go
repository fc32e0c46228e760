package epayment

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"unicode/utf8"

	"github.com/vippsvending/vipps"
)

// amountMax is 650 000.00, the largest payment in every currency.
const amountMax = 65_000_000

var (
	phoneNumber = regexp.MustCompile(`^\d{9,15}$`)
	quantity    = regexp.MustCompile(`^\d+(\.\d{1,8})?$`)
	country     = regexp.MustCompile(`^[A-Z]{2}$`)
)

// findings collects what is wrong with a request, each finding by the name of its field.
type findings []error

func (f *findings) add(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

// require is for findings without arguments, which would be allocated for good requests as well.
func (f *findings) require(ok bool, finding string) {
	if !ok {
		*f = append(*f, errors.New(finding))
	}
}

func (f findings) err(op string) error {
	if len(f) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", op, vipps.ErrInvalidRequest, errors.Join(f...))
}

func validReference(op, reference string) error {
	var f findings
	f.reference(reference)
	return f.err(op)
}

func (f *findings) reference(reference string) {
	ok := len(reference) >= 8 && len(reference) <= 64
	for i := 0; ok && i < len(reference); i++ {
		c := reference[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
	}
	f.require(ok, "Reference: must be 8 to 64 letters, digits and hyphens")
}

func (f *findings) key(key string) {
	ok := key != "" && len(key) <= 50
	for i := 0; ok && i < len(key); i++ {
		ok = key[i] > ' ' && key[i] <= '~'
	}
	f.require(ok, "IdempotencyKey: must be 1 to 50 printable characters")
}

func (f *findings) amount(name string, amount vipps.Amount) {
	if amount.Value <= 0 || amount.Value > amountMax {
		f.add("%s.Value: must be 1 to %d minor units", name, amountMax)
	}
	if amount.Currency == "" {
		f.add("%s.Currency: must be set", name)
	}
}

// length counts characters; least 0 lets the text be empty.
func (f *findings) length(name, text string, least, most int) {
	if n := utf8.RuneCountInString(text); n < least || n > most {
		f.add("%s: must be %d to %d characters", name, least, most)
	}
}

// address takes every scheme: apps have their own.
func (f *findings) address(name, address string) {
	if u, err := url.Parse(address); err != nil || u.Scheme == "" || len(address) > 2500 {
		f.add("%s: must be an address with a scheme, at most 2500 characters", name)
	}
}

func (f *findings) customer(customer Customer) {
	set := 0
	for _, value := range customer.secrets() {
		if value != "" {
			set++
		}
	}
	f.require(set <= 1, "Customer: must have only one of PhoneNumber, PersonalQR and CustomerToken")
	if customer.PhoneNumber != "" {
		f.require(phoneNumber.MatchString(string(customer.PhoneNumber)), "Customer.PhoneNumber: must be 9 to 15 digits, with the country code")
	}
	if customer.PersonalQR != "" {
		f.length("Customer.PersonalQR", string(customer.PersonalQR), 5, 255)
	}
}

func (r *CreateRequest) validate() error {
	var f findings
	f.reference(r.Reference)
	f.key(r.IdempotencyKey)
	f.amount("Amount", r.Amount)
	r.validateFlow(&f)
	f.customer(r.Customer)
	if r.ReturnURL != "" {
		f.address("ReturnURL", string(r.ReturnURL))
	}
	if r.ReceiptURL != "" {
		f.address("ReceiptURL", string(r.ReceiptURL))
	}
	if r.PaymentDescription != "" {
		f.length("PaymentDescription", r.PaymentDescription, 3, 100)
	}
	f.require(len(r.Metadata) <= 5, "Metadata: must have at most 5 pairs")
	for key, value := range r.Metadata {
		f.length("Metadata key", key, 1, 100)
		f.length("Metadata value", value, 0, 500)
	}
	if age := r.MinimumUserAge; age != nil {
		f.require(*age >= 0 && *age <= 100, "MinimumUserAge: must be 0 to 100")
	}
	f.require(r.ExpiresAt.IsZero() || !r.Receipt.isZero(), "Receipt: must be set with ExpiresAt")
	if !r.Receipt.isZero() {
		r.Receipt.validate(&f)
	}
	r.Shipping.validate(&f, r.PaymentMethod.Type)
	r.IndustryData.AirlineData.validate(&f)
	return f.err(opCreate)
}

// validateFlow checks what the flow, the method and the fields want of each other.
func (r *CreateRequest) validateFlow(f *findings) {
	method := r.PaymentMethod
	f.require(method.Type != "", "PaymentMethod.Type: must be set")
	f.require(r.UserFlow != "", "UserFlow: must be set")
	f.require(r.UserFlow != WebRedirect || r.ReturnURL != "", "ReturnURL: must be set for WebRedirect")
	f.require(r.UserFlow != PushMessage || r.Customer != (Customer{}), "Customer: must be set for PushMessage")
	f.require(method.Type != Card || r.UserFlow == "" || r.UserFlow == WebRedirect, "UserFlow: must be WebRedirect for Card")
	f.require(method.Type != Card || len(method.BlockedSources) == 0, "PaymentMethod.BlockedSources: must be empty for Card")
	if format := r.QRFormat; format != (QRFormat{}) {
		f.require(r.UserFlow == QR, "QRFormat: must be zero unless UserFlow is QR")
		f.require(format.Format != "", "QRFormat.Format: must be set")
		f.require(format.Size == 0 || format.Size >= 100 && format.Size <= 2000, "QRFormat.Size: must be 100 to 2000")
		f.require(format.Size == 0 || format.Format == "" || format.Format == QRPNG, "QRFormat.Size: must be 0 unless Format is QRPNG")
	}
}

func (r *Receipt) validate(f *findings) {
	f.require(len(r.OrderLines) > 0, "Receipt.OrderLines: must have at least one")
	f.require(r.BottomLine.Currency != "", "Receipt.BottomLine.Currency: must be set")
	f.require(r.BottomLine.TipAmount >= 0, "Receipt.BottomLine.TipAmount: must not be negative")
	if barcode := r.BottomLine.Barcode; barcode != (Barcode{}) {
		f.require(barcode.Format != "" && barcode.Data != "", "Receipt.BottomLine.Barcode: must have Format and Data")
	}
	for i, line := range r.OrderLines {
		at := func(ok bool, field, finding string) {
			if !ok {
				f.add("Receipt.OrderLines[%d].%s: %s", i, field, finding)
			}
		}
		at(line.Name != "", "Name", "must be set")
		at(line.ID != "", "ID", "must be set")
		at(line.TaxRate != nil || line.TaxPercentage != nil, "TaxRate", "must be set; new(0) is no tax")
		at(line.TaxRate == nil || *line.TaxRate >= 0 && *line.TaxRate <= 10_000, "TaxRate", "must be 0 to 10000 hundredths of a percent")
		at(line.TaxPercentage == nil || *line.TaxPercentage >= 0 && *line.TaxPercentage <= 100, "TaxPercentage", "must be 0 to 100")
		at(line.Discount >= 0, "Discount", "must not be negative")
		if unit := line.UnitInfo; unit != (UnitInfo{}) {
			at(unit.UnitPrice >= 0, "UnitInfo.UnitPrice", "must not be negative")
			at(len(unit.Quantity) <= 10 && quantity.MatchString(unit.Quantity), "UnitInfo.Quantity", "must be a decimal number of at most 10 characters")
		}
	}
}

func (s *Shipping) validate(f *findings, method MethodType) {
	fixed, dynamic := len(s.FixedOptions) > 0, s.DynamicOptions != (DynamicOptions{})
	if !fixed && !dynamic {
		f.require(len(s.AllowedCountries) == 0, "Shipping: must have FixedOptions or DynamicOptions")
		return
	}
	f.require(fixed != dynamic, "Shipping: must have only one of FixedOptions and DynamicOptions")
	f.require(method != Card, "PaymentMethod.Type: must be Wallet with Shipping")
	f.require(!dynamic || s.DynamicOptions.CallbackURL != "", "Shipping.DynamicOptions.CallbackURL: must be set")
	for i, group := range s.FixedOptions {
		if group.Type == "" || group.Brand == "" || len(group.Options) == 0 {
			f.add("Shipping.FixedOptions[%d]: must have Type, Brand and Options", i)
		}
		for j, option := range group.Options {
			if option.ID == "" || option.Name == "" || option.Amount.Currency == "" || option.Amount.Value < 0 {
				f.add("Shipping.FixedOptions[%d].Options[%d]: must have ID, Name and Amount", i, j)
			}
		}
	}
	for i, code := range s.AllowedCountries {
		if !country.MatchString(code) {
			f.add("Shipping.AllowedCountries[%d]: must be two capital letters", i)
		}
	}
}

func (a *AirlineData) validate(f *findings) {
	if *a == (AirlineData{}) {
		return
	}
	const name = "IndustryData.AirlineData."
	f.length(name+"AgencyInvoiceNumber", a.AgencyInvoiceNumber, 1, 6)
	f.length(name+"AirlineCode", a.AirlineCode, 3, 3)
	f.length(name+"AirlineDesignatorCode", a.AirlineDesignatorCode, 2, 2)
	f.length(name+"PassengerName", string(a.PassengerName), 1, 49)
	f.length(name+"TicketNumber", a.TicketNumber, 0, 150)
}
