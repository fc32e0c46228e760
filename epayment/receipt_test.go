package epayment_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
)

func TestNewOrderLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		total int64
		rate  int
		net   int64
	}{
		{42_924, 2500, 34_339},
		{2500, 1500, 2174},
		{2500, 0, 2500},
		{0, 2500, 0},
		{1, 2500, 1},
		{3, 10_000, 2},
		{10_000, 2550, 7968},
		{math.MaxInt64, 10_000, math.MaxInt64/2 + 1},
		{-5, 2500, -5},
		{5, -10_000, 5},
	} {
		line := epayment.NewOrderLine("1", "Cola", test.total, test.rate)
		if line.TotalAmountExcludingTax != test.net || line.TotalTaxAmount != test.total-test.net || line.TotalAmount != test.total || *line.TaxRate != test.rate {
			t.Errorf("%d at %d: net %d, tax %d", test.total, test.rate, line.TotalAmountExcludingTax, line.TotalTaxAmount)
		}
	}
}

func TestBalance(t *testing.T) {
	t.Parallel()
	cola, chips := epayment.NewOrderLine("1", "Cola", 2500, 1500), epayment.NewOrderLine("2", "Chips", 3000, 1500)
	returned := cola
	returned.IsReturn = true
	crooked := cola
	crooked.TotalTaxAmount++
	huge := epayment.NewOrderLine("3", "Gold", math.MaxInt64, 0)
	bottom := epayment.BottomLine{Currency: vipps.NOK}
	tipped := epayment.BottomLine{Currency: vipps.NOK, TipAmount: 100}
	for name, test := range map[string]struct {
		receipt epayment.Receipt
		amount  vipps.Amount
		want    string
	}{
		"good":           {epayment.Receipt{OrderLines: []epayment.OrderLine{cola, chips}, BottomLine: bottom}, nok(5500), ""},
		"returned":       {epayment.Receipt{OrderLines: []epayment.OrderLine{chips, returned}, BottomLine: bottom}, nok(500), ""},
		"tip":            {epayment.Receipt{OrderLines: []epayment.OrderLine{cola}, BottomLine: tipped}, nok(2600), ""},
		"short":          {epayment.Receipt{OrderLines: []epayment.OrderLine{cola}, BottomLine: bottom}, nok(5500), "Receipt.OrderLines: add up to 25.00 NOK instead of 55.00 NOK"},
		"crooked":        {epayment.Receipt{OrderLines: []epayment.OrderLine{crooked}, BottomLine: bottom}, nok(2500), "Receipt.OrderLines[0].TotalAmount"},
		"other currency": {epayment.Receipt{OrderLines: []epayment.OrderLine{cola}, BottomLine: bottom}, vipps.Amount{Value: 2500, Currency: vipps.DKK}, "Receipt.BottomLine.Currency"},
		"overflow":       {epayment.Receipt{OrderLines: []epayment.OrderLine{huge, huge}, BottomLine: bottom}, nok(2500), "Receipt.OrderLines[1].TotalAmount"},
	} {
		err := test.receipt.Balance(test.amount)
		if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
