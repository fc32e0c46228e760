package ordermanagement_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

// TestNewReceipt has the arithmetic of single items.
func TestNewReceipt(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		item            epayment.Item
		total, net, tax int64
		unit            epayment.UnitInfo
	}{
		"published sample": {epayment.Item{Price: 42_924, TaxRate: 2500}, 42_924, 34_339, 8585, epayment.UnitInfo{}},
		"untaxed":          {epayment.Item{Price: 2500}, 2500, 2500, 0, epayment.UnitInfo{}},
		"free":             {epayment.Item{Price: 0, TaxRate: 2500}, 0, 0, 0, epayment.UnitInfo{}},
		"several":          {epayment.Item{Price: 2500, Quantity: "3", TaxRate: 1500}, 7500, 6522, 978, epayment.UnitInfo{UnitPrice: 2500, Quantity: "3"}},
		"by weight": {
			epayment.Item{Price: 15_000, Quantity: "0.822", Unit: epayment.Kilograms, TaxRate: 2500},
			12_330, 9864, 2466,
			epayment.UnitInfo{UnitPrice: 15_000, Quantity: "0.822", QuantityUnit: epayment.Kilograms},
		},
		"half upwards":     {epayment.Item{Price: 1, Quantity: "0.5"}, 1, 1, 0, epayment.UnitInfo{UnitPrice: 1, Quantity: "0.5"}},
		"less than half":   {epayment.Item{Price: 1, Quantity: "0.49999999"}, 0, 0, 0, epayment.UnitInfo{UnitPrice: 1, Quantity: "0.49999999"}},
		"third of a third": {epayment.Item{Price: 100, Quantity: "0.333333"}, 33, 33, 0, epayment.UnitInfo{UnitPrice: 100, Quantity: "0.333333"}},
		"discount":         {epayment.Item{Price: 2500, Quantity: "3", Discount: 2500, TaxRate: 2500}, 5000, 4000, 1000, epayment.UnitInfo{UnitPrice: 2500, Quantity: "3"}},
		"all off":          {epayment.Item{Price: 2500, Discount: 2500, TaxRate: 2500}, 0, 0, 0, epayment.UnitInfo{UnitPrice: 2500, Quantity: "1"}},
		"by time":          {epayment.Item{Price: 2500, Unit: epayment.Minutes}, 2500, 2500, 0, epayment.UnitInfo{UnitPrice: 2500, Quantity: "1", QuantityUnit: epayment.Minutes}},
		"largest":          {epayment.Item{Price: math.MaxInt64, TaxRate: 10_000}, math.MaxInt64, math.MaxInt64/2 + 1, math.MaxInt64 / 2, epayment.UnitInfo{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.item.Name, test.item.ID = "socks", "1"
			receipt, err := epayment.NewReceipt(nok(test.total), epayment.BottomLine{}, test.item)
			if err != nil {
				t.Fatal(err)
			}
			want := epayment.Receipt{
				OrderLines: []epayment.OrderLine{{
					Name: "socks", ID: "1", TotalAmount: test.total, TotalAmountExcludingTax: test.net, TotalTaxAmount: test.tax,
					TaxRate: &test.item.TaxRate, UnitInfo: test.unit, Discount: test.item.Discount,
				}},
				BottomLine: epayment.BottomLine{Currency: vipps.NOK},
			}
			if diff := cmp.Diff(want, receipt); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewReceiptInvalid(t *testing.T) {
	t.Parallel()
	good := epayment.Item{Name: "socks", ID: "1", Price: 2500, TaxRate: 2500}
	with := func(change func(*epayment.Item)) []epayment.Item {
		item := good
		change(&item)
		return []epayment.Item{good, item}
	}
	const sum = 5000
	for name, test := range map[string]struct {
		items  []epayment.Item
		bottom epayment.BottomLine
		amount vipps.Amount
		fields []string
	}{
		"nothing":          {nil, epayment.BottomLine{}, nok(sum), []string{"Items: must have at least one"}},
		"negative price":   {with(func(i *epayment.Item) { i.Price = -1 }), epayment.BottomLine{}, nok(sum), []string{"Items[1].Price: "}},
		"quantity":         {with(func(i *epayment.Item) { i.Quantity = "1,5" }), epayment.BottomLine{}, nok(sum), []string{"Items[1].Quantity: "}},
		"negative":         {with(func(i *epayment.Item) { i.Quantity = "-1" }), epayment.BottomLine{}, nok(sum), []string{"Items[1].Quantity: "}},
		"long quantity":    {with(func(i *epayment.Item) { i.Quantity = "12345678901" }), epayment.BottomLine{}, nok(sum), []string{"Items[1].Quantity: "}},
		"overflow":         {with(func(i *epayment.Item) { i.Price, i.Quantity = math.MaxInt64, "2" }), epayment.BottomLine{}, nok(sum), []string{"Items[1].Price: "}},
		"large overflow":   {with(func(i *epayment.Item) { i.Price, i.Quantity = math.MaxInt64, "9999999999" }), epayment.BottomLine{}, nok(sum), []string{"Items[1].Price: "}},
		"overflow of sum":  {with(func(i *epayment.Item) { i.Price = math.MaxInt64 }), epayment.BottomLine{}, nok(sum), []string{"Receipt.OrderLines[1].TotalAmount: "}},
		"discount":         {with(func(i *epayment.Item) { i.Discount = 2501 }), epayment.BottomLine{}, nok(sum), []string{"Items[1].Discount: "}},
		"extra":            {with(func(i *epayment.Item) { i.Discount = -1 }), epayment.BottomLine{}, nok(sum), []string{"Items[1].Discount: "}},
		"tax":              {with(func(i *epayment.Item) { i.TaxRate = 10_001 }), epayment.BottomLine{}, nok(sum), []string{"Items[1].TaxRate: "}},
		"negative tax":     {with(func(i *epayment.Item) { i.TaxRate = -1 }), epayment.BottomLine{}, nok(sum), []string{"Items[1].TaxRate: "}},
		"no name, no id":   {with(func(i *epayment.Item) { i.Name, i.ID = "", "" }), epayment.BottomLine{}, nok(sum), []string{"Receipt.OrderLines[1].Name: ", "Receipt.OrderLines[1].ID: "}},
		"several":          {append(with(func(i *epayment.Item) { i.Price = -1 }), epayment.Item{Quantity: "x"}), epayment.BottomLine{}, nok(sum), []string{"Items[1].Price: ", "Items[2].Quantity: "}},
		"not enough":       {with(func(*epayment.Item) {}), epayment.BottomLine{}, nok(sum + 1), []string{"add up to 50.00 NOK instead of 50.01 NOK"}},
		"returned":         {with(func(i *epayment.Item) { i.IsReturn = true }), epayment.BottomLine{}, nok(sum), []string{"add up to 0.00 NOK instead of"}},
		"tip":              {with(func(*epayment.Item) {}), epayment.BottomLine{TipAmount: 1}, nok(sum), []string{"add up to 50.01 NOK"}},
		"negative tip":     {with(func(*epayment.Item) {}), epayment.BottomLine{TipAmount: -1}, nok(sum - 1), []string{"Receipt.BottomLine.TipAmount: "}},
		"another currency": {with(func(*epayment.Item) {}), epayment.BottomLine{Currency: vipps.DKK}, nok(sum), []string{"Receipt.BottomLine.Currency: "}},
		"no currency":      {with(func(*epayment.Item) {}), epayment.BottomLine{}, vipps.Amount{Value: sum}, []string{"Receipt.BottomLine.Currency: "}},
		"barcode":          {with(func(*epayment.Item) {}), epayment.BottomLine{Barcode: epayment.Barcode{Data: "1"}}, nok(sum), []string{"Receipt.BottomLine.Barcode: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receipt, err := epayment.NewReceipt(test.amount, test.bottom, test.items...)
			if !errors.Is(err, vipps.ErrInvalidRequest) || receipt.OrderLines != nil {
				t.Fatalf("%v, %v", receipt, err)
			}
			for _, field := range test.fields {
				if !strings.Contains(err.Error(), field) {
					t.Errorf("%v does not name %q", err, field)
				}
			}
		})
	}
}

// FuzzNewReceipt compares the arithmetic with that of numbers of any size.
func FuzzNewReceipt(f *testing.F) {
	f.Add(int64(42_924), "", 2500, int64(0), false)
	f.Add(int64(15_000), "0.822", 1500, int64(7), true)
	f.Add(int64(math.MaxInt64), "1.00000001", 0, int64(0), false)
	f.Add(int64(math.MaxInt64), "9999999999", 10_000, int64(1), false)
	f.Add(int64(1), "0.5", 1, int64(1), false)
	f.Fuzz(func(t *testing.T, price int64, quantity string, rate int, discount int64, returned bool) {
		item := epayment.Item{Name: "n", ID: "i", Price: price, Quantity: quantity, TaxRate: rate, Discount: discount, IsReturn: returned}
		want, wanted := expected(price, quantity, discount)
		amount := nok(want)
		if returned {
			amount.Value = -want
		}
		receipt, err := epayment.NewReceipt(amount, epayment.BottomLine{}, item)
		if wanted && rate >= 0 && rate <= 10_000 {
			if err != nil {
				t.Fatalf("%v", err)
			}
		} else if err == nil {
			t.Fatalf("taken: %+v", receipt)
		} else {
			return
		}
		line := receipt.OrderLines[0]
		if line.TotalAmount != want || line.TotalAmountExcludingTax+line.TotalTaxAmount != want || line.TotalTaxAmount < 0 || line.TotalAmountExcludingTax < 0 {
			t.Errorf("%+v, want %d", line, want)
		}
		// The net amount is at most half a unit from total / (1 + rate).
		off := new(big.Int).Mul(big.NewInt(line.TotalAmountExcludingTax), big.NewInt(int64(10_000+rate)))
		off.Sub(off, new(big.Int).Mul(big.NewInt(want), big.NewInt(10_000))).Abs(off).Lsh(off, 1)
		if off.Cmp(big.NewInt(int64(10_000+rate))) > 0 {
			t.Errorf("%d at %d: net %d", want, rate, line.TotalAmountExcludingTax)
		}
		if err := receipt.Validate(); err != nil {
			t.Error(err)
		}
		amount.Value++
		if receipt.Balance(amount) == nil {
			t.Error("balances with one more")
		}
	})
}

// expected is price times quantity less discount, with big numbers, and whether there is such an item.
func expected(price int64, quantity string, discount int64) (int64, bool) {
	if quantity == "" {
		quantity = "1"
	}
	whole, fraction, point := strings.Cut(quantity, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	if price < 0 || discount < 0 || len(quantity) > 10 || !digits(whole) || point && (!digits(fraction) || len(fraction) > 8) {
		return 0, false
	}
	number, _ := new(big.Rat).SetString(quantity)
	product := number.Mul(number, new(big.Rat).SetInt64(price))
	product.Add(product, big.NewRat(1, 2))
	rounded := new(big.Int).Quo(product.Num(), product.Denom())
	if !rounded.IsInt64() || rounded.Int64() < discount {
		return 0, false
	}
	return rounded.Int64() - discount, true
}
