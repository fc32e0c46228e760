package vipps_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/vippsvending/vipps"
)

func TestAmountString(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		amount vipps.Amount
		want   string
	}{
		{vipps.Amount{}, "0.00"},
		{vipps.Amount{Value: 4900, Currency: vipps.NOK}, "49.00 NOK"},
		{vipps.Amount{Value: 1, Currency: vipps.EUR}, "0.01 EUR"},
		{vipps.Amount{Value: -1, Currency: vipps.DKK}, "-0.01 DKK"},
		{vipps.Amount{Value: -100, Currency: vipps.DKK}, "-1.00 DKK"},
		{vipps.Amount{Value: -12345, Currency: "SEK"}, "-123.45 SEK"},
		{vipps.Amount{Value: math.MaxInt64, Currency: vipps.NOK}, "92233720368547758.07 NOK"},
		{vipps.Amount{Value: math.MinInt64, Currency: vipps.NOK}, "-92233720368547758.08 NOK"},
	} {
		if got := test.amount.String(); got != test.want {
			t.Errorf("%d: %q, want %q", test.amount.Value, got, test.want)
		}
	}
}

func TestMinimum(t *testing.T) {
	t.Parallel()
	for currency, want := range map[vipps.Currency]int64{vipps.NOK: 100, vipps.DKK: 1, vipps.EUR: 1, "SEK": 0, "": 0} {
		if got := currency.Minimum(); got != want {
			t.Errorf("%s: %d, want %d", currency, got, want)
		}
	}
}

func TestAmountsOfTwoCurrencies(t *testing.T) {
	t.Parallel()
	crowns := vipps.Amount{Value: 1, Currency: vipps.NOK}
	for _, value := range []int64{1, math.MinInt64, math.MaxInt64} {
		euros := vipps.Amount{Value: value, Currency: vipps.EUR}
		if sum, err := crowns.Add(euros); !errors.Is(err, vipps.ErrCurrencyMismatch) || sum != (vipps.Amount{}) {
			t.Errorf("%s + %s = %s, %v", crowns, euros, sum, err)
		}
		if rest, err := crowns.Sub(euros); !errors.Is(err, vipps.ErrCurrencyMismatch) || rest != (vipps.Amount{}) {
			t.Errorf("%s - %s = %s, %v", crowns, euros, rest, err)
		}
	}
}

// FuzzAmount compares with arithmetic that cannot overflow.
func FuzzAmount(f *testing.F) {
	edges := []int64{0, 1, -1, 4900, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1}
	for _, a := range edges {
		for _, b := range edges {
			f.Add(a, b)
		}
	}
	f.Fuzz(func(t *testing.T, a, b int64) {
		x, y := vipps.Amount{Value: a, Currency: vipps.NOK}, vipps.Amount{Value: b, Currency: vipps.NOK}
		compare := func(name string, got vipps.Amount, err error, want *big.Int) {
			t.Helper()
			switch {
			case !want.IsInt64():
				if !errors.Is(err, vipps.ErrAmountOverflow) || got != (vipps.Amount{}) {
					t.Errorf("%d %s %d = %d, %v; want an overflow", a, name, b, got.Value, err)
				}
			case err != nil || got.Value != want.Int64() || got.Currency != vipps.NOK:
				t.Errorf("%d %s %d = %d, %v; want %s", a, name, b, got.Value, err, want)
			}
		}
		sum, err := x.Add(y)
		compare("+", sum, err, new(big.Int).Add(big.NewInt(a), big.NewInt(b)))
		rest, err := x.Sub(y)
		compare("-", rest, err, new(big.Int).Sub(big.NewInt(a), big.NewInt(b)))
		encoded, err := json.Marshal(x)
		var decoded vipps.Amount
		if err != nil || json.Unmarshal(encoded, &decoded) != nil || decoded != x {
			t.Errorf("%d came back from %s as %d, %v", a, encoded, decoded.Value, err)
		}
	})
}

func TestAmountJSON(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(vipps.Amount{Value: 4900, Currency: vipps.NOK})
	if err != nil || string(encoded) != `{"value":4900,"currency":"NOK"}` {
		t.Errorf("%s, %v", encoded, err)
	}
	for _, bad := range []string{`{"value":49.5}`, `{"value":"4900"}`, `{"value":9223372036854775808}`, `{"value":4.9e-1}`} {
		var amount vipps.Amount
		if err := json.Unmarshal([]byte(bad), &amount); err == nil {
			t.Errorf("%s was taken as %s", bad, amount)
		}
	}
}
