package vipps

import (
	"errors"
	"fmt"
	"math"
)

// Currency is an ISO 4217 code in capitals.
type Currency string

// The currencies of the markets. A sales unit takes exactly one: Norway NOK, Denmark DKK, Finland EUR.
const (
	NOK Currency = "NOK"
	DKK Currency = "DKK"
	EUR Currency = "EUR"
)

// Minimum is the smallest payment the platform takes in a currency, in minor units: 100 (1.00) for NOK, 1 (0.01) for DKK
// and EUR. It is 0 for a currency this version does not know.
func (c Currency) Minimum() int64 {
	switch c {
	case NOK:
		return 100
	case DKK, EUR:
		return 1
	default:
		return 0
	}
}

// Amount is money in minor units: {4900, NOK} is 49.00 NOK. There are no floats anywhere in this module.
// The zero Amount is nothing in no currency.
type Amount struct {
	Value    int64    `json:"value"`
	Currency Currency `json:"currency"`
}

// Errors of Add and Sub.
var (
	ErrCurrencyMismatch = errors.New("vipps: amounts in different currencies")
	ErrAmountOverflow   = errors.New("vipps: amount out of range")
)

// Add returns a + b. Amounts in different currencies give [ErrCurrencyMismatch], a sum that does not fit [ErrAmountOverflow].
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrCurrencyMismatch, a.Currency, b.Currency)
	}
	if b.Value > 0 && a.Value > math.MaxInt64-b.Value || b.Value < 0 && a.Value < math.MinInt64-b.Value {
		return Amount{}, ErrAmountOverflow
	}
	return Amount{Value: a.Value + b.Value, Currency: a.Currency}, nil
}

// Sub returns a − b, with the errors of [Amount.Add].
func (a Amount) Sub(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrCurrencyMismatch, a.Currency, b.Currency)
	}
	if b.Value < 0 && a.Value > math.MaxInt64+b.Value || b.Value > 0 && a.Value < math.MinInt64+b.Value {
		return Amount{}, ErrAmountOverflow
	}
	return Amount{Value: a.Value - b.Value, Currency: a.Currency}, nil
}

// String prints the amount with two decimals and the currency: "49.00 NOK".
func (a Amount) String() string {
	sign, units := "", uint64(a.Value) //nolint:gosec // two's complement is wanted: the smallest int64 has no positive twin
	if a.Value < 0 {
		sign, units = "-", -units
	}
	text := fmt.Sprintf("%s%d.%02d", sign, units/100, units%100)
	if a.Currency != "" {
		text += " " + string(a.Currency)
	}
	return text
}
