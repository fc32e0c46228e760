package epayment

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/vippsvending/vipps"
)

// Receipt is what the app shows of a purchase. All amounts are in minor units of BottomLine.Currency: 2500 is 25.00. The API
// does not check the sums, but the app shows no lines that do not add up: see [Receipt.Balance]. Fields that the API has
// deprecated are left out, but for OrderLine.TaxPercentage.
type Receipt struct {
	OrderLines []OrderLine `json:"orderLines"` // at least one
	BottomLine BottomLine  `json:"bottomLine"`
}

// OrderLine is one product. [NewOrderLine] makes one from a price and a tax rate.
type OrderLine struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	// TotalAmount includes tax, after the discount.
	TotalAmount             int64 `json:"totalAmount"`
	TotalAmountExcludingTax int64 `json:"totalAmountExcludingTax"`
	TotalTaxAmount          int64 `json:"totalTaxAmount"`
	// TaxRate is in hundredths of a percent, 0 to 10000: new(2500) is 25 %, new(0) is no tax. Nil is only right where
	// TaxPercentage is set.
	TaxRate *int `json:"taxRate,omitzero"`
	// TaxPercentage is what older receipts have instead of TaxRate. Use TaxRate.
	TaxPercentage *int `json:"taxPercentage,omitzero"`
	// UnitInfo is zero for one piece.
	UnitInfo UnitInfo `json:"unitInfo,omitzero"`
	Discount int64    `json:"discount,omitzero"`
	// ProductURL is the product's page.
	ProductURL string `json:"productUrl,omitzero"`
	// IsReturn makes the line count negative; its amounts stay positive.
	IsReturn   bool `json:"isReturn,omitzero"`
	IsShipping bool `json:"isShipping,omitzero"`
}

// UnitInfo is how much of a product a line is about. It is shown and not calculated with.
type UnitInfo struct {
	// UnitPrice includes tax, before the discount.
	UnitPrice int64 `json:"unitPrice"`
	// Quantity is a decimal number as text, at most 10 characters: "2", "0.822".
	Quantity string `json:"quantity"`
	// QuantityUnit is empty for pieces.
	QuantityUnit QuantityUnit `json:"quantityUnit,omitzero"`
}

// QuantityUnit is what a quantity counts.
type QuantityUnit string

// The units.
const (
	Pieces     QuantityUnit = "PCS"
	Kilograms  QuantityUnit = "KG"
	Kilometres QuantityUnit = "KM"
	Minutes    QuantityUnit = "MINUTE"
	Litres     QuantityUnit = "LITRE"
	KWh        QuantityUnit = "KWH"
)

// BottomLine is what stands under the lines. Its sums are calculated by the app.
type BottomLine struct {
	Currency vipps.Currency `json:"currency"`
	// TipAmount is in minor units.
	TipAmount int64 `json:"tipAmount,omitzero"`
	// POSID is the number of the till or machine: "vending_machine_12345".
	POSID         string `json:"posId,omitzero"`
	ReceiptNumber string `json:"receiptNumber,omitzero"`
	// PaymentSources is what was paid by other means.
	PaymentSources PaymentSources `json:"paymentSources,omitzero"`
	Barcode        Barcode        `json:"barcode,omitzero"`
}

// PaymentSources are parts of the sum, in minor units, by where they came from.
type PaymentSources struct {
	GiftCard int64 `json:"giftCard,omitzero"`
	Card     int64 `json:"card,omitzero"`
	Voucher  int64 `json:"voucher,omitzero"`
	Cash     int64 `json:"cash,omitzero"`
}

// Barcode is drawn on the receipt.
type Barcode struct {
	Format BarcodeFormat `json:"format"`
	Data   string        `json:"data"`
}

// BarcodeFormat is a kind of barcode.
type BarcodeFormat string

// The kinds of barcodes.
const (
	EAN13   BarcodeFormat = "EAN-13"
	Code39  BarcodeFormat = "CODE 39"
	Code128 BarcodeFormat = "CODE 128"
)

// NewOrderLine makes the line of one piece. The total includes tax and is in minor units, the tax rate in hundredths of a
// percent: 2500 is 25 %. The tax is the difference that remains when the net amount is rounded to the nearest minor unit.
func NewOrderLine(id, name string, total int64, taxRate int) OrderLine {
	net := total
	if gross := int64(10_000 + taxRate); taxRate > 0 && total >= 0 {
		// In two parts, so that nothing overflows.
		net = total/gross*10_000 + (total%gross*10_000+gross/2)/gross
	}
	return OrderLine{
		Name: name, ID: id, TotalAmount: total, TotalAmountExcludingTax: net, TotalTaxAmount: total - net, TaxRate: new(taxRate),
	}
}

// Balance checks what the app wants of a receipt for amount: lines, less returned ones, and the tip add up to it, in its
// currency, and each line's total is its net amount and its tax. The error matches [vipps.ErrInvalidRequest].
func (r Receipt) Balance(amount vipps.Amount) error {
	var f findings
	if r.BottomLine.Currency != amount.Currency {
		f.add("Receipt.BottomLine.Currency: must be %s", amount.Currency)
	}
	sum := vipps.Amount{Value: r.BottomLine.TipAmount, Currency: amount.Currency}
	var err error
	for i, line := range r.OrderLines {
		if line.TotalAmount-line.TotalTaxAmount != line.TotalAmountExcludingTax {
			f.add("Receipt.OrderLines[%d].TotalAmount: must be TotalAmountExcludingTax and TotalTaxAmount together", i)
		}
		total := vipps.Amount{Value: line.TotalAmount, Currency: amount.Currency}
		if line.IsReturn {
			sum, err = sum.Sub(total)
		} else {
			sum, err = sum.Add(total)
		}
		if err != nil {
			f.add("Receipt.OrderLines[%d].TotalAmount: %w", i, err)
			return f.err("epayment.Receipt")
		}
	}
	if sum != amount {
		f.add("Receipt.OrderLines: add up to %s instead of %s", sum, amount)
	}
	return f.err("epayment.Receipt")
}

func (r Receipt) isZero() bool { return r.OrderLines == nil && r.BottomLine == BottomLine{} }

// Item is what was sold, as [NewReceipt] wants to know it. Name, ID and Price are what an item has at least.
type Item struct {
	Name string
	ID   string
	// Price of one unit includes tax and is in minor units: 2500 is 25.00.
	Price int64
	// Quantity is a decimal number as text, of at most 10 characters: "2", "0.822". Empty is one.
	Quantity string
	Unit     QuantityUnit // empty is pieces
	// TaxRate is in hundredths of a percent: 2500 is 25 %. 0 is no tax, other than in a vending.Product, where 0 is no receipt
	// and vending.TaxFree no tax.
	TaxRate int
	// Discount is taken off price times quantity. It includes tax.
	Discount   int64
	ProductURL string
	// IsReturn makes the item count negative; its price stays positive.
	IsReturn   bool
	IsShipping bool
}

// NewReceipt makes the receipt of a purchase from gross prices, quantities and tax rates. Its use is the same in
// [CreateRequest] and in package ordermanagement. The arithmetic is in whole minor units: price times quantity is rounded to
// the nearest one, half of one upwards, the discount is taken off, and the tax is what [NewOrderLine] makes of the rest:
// 429.24 with 25 % is 343.39 and 85.85 of tax.
//
// The items, less returned ones, and bottom.TipAmount must add up to amount, which is what the customer pays; if only a part
// of a reservation was captured, that part. The currency of bottom may be empty; it is that of amount. An error matches
// [vipps.ErrInvalidRequest] and names every field that is wrong.
func NewReceipt(amount vipps.Amount, bottom BottomLine, items ...Item) (Receipt, error) {
	var f findings
	if bottom.Currency == "" {
		bottom.Currency = amount.Currency
	}
	receipt := Receipt{BottomLine: bottom}
	for i, item := range items {
		line, err := item.line()
		if err != nil {
			f.add("Items[%d].%w", i, err)
		}
		receipt.OrderLines = append(receipt.OrderLines, line)
	}
	f.require(len(items) > 0, "Items: must have at least one")
	if err := f.err("epayment.NewReceipt"); err != nil {
		return Receipt{}, err
	}
	if err := receipt.Validate(); err != nil {
		return Receipt{}, err
	}
	if err := receipt.Balance(amount); err != nil {
		return Receipt{}, err
	}
	return receipt, nil
}

// line gives an order line, or an error that begins with the field.
func (i Item) line() (OrderLine, error) {
	quantity := cmp.Or(i.Quantity, "1")
	total, ok := times(i.Price, quantity)
	switch {
	case i.Price < 0:
		return OrderLine{}, errors.New("Price: must not be negative")
	case !isQuantity(quantity):
		return OrderLine{}, errors.New("Quantity: must be a decimal number of at most 10 characters")
	case !ok:
		return OrderLine{}, fmt.Errorf("Price: %w", vipps.ErrAmountOverflow)
	case i.Discount < 0 || i.Discount > total:
		return OrderLine{}, errors.New("Discount: must be 0 to price times quantity")
	case i.TaxRate < 0 || i.TaxRate > 10_000:
		return OrderLine{}, errors.New("TaxRate: must be 0 to 10000 hundredths of a percent")
	}
	line := NewOrderLine(i.ID, i.Name, total-i.Discount, i.TaxRate)
	if i.Quantity != "" || i.Unit != "" || i.Discount != 0 {
		line.UnitInfo = UnitInfo{UnitPrice: i.Price, Quantity: quantity, QuantityUnit: i.Unit}
	}
	line.Discount, line.ProductURL, line.IsReturn, line.IsShipping = i.Discount, i.ProductURL, i.IsReturn, i.IsShipping
	return line, nil
}

func isQuantity(text string) bool { return len(text) <= 10 && quantity.MatchString(text) }

// times multiplies a price by a quantity and rounds to the nearest minor unit. It is false if the product does not fit.
func times(price int64, quantity string) (int64, bool) {
	if price < 0 || !isQuantity(quantity) {
		return 0, false
	}
	whole, fraction, _ := strings.Cut(quantity, ".")
	number, err := strconv.ParseUint(whole+fraction, 10, 64) // at most 10 digits
	if err != nil {
		return 0, false
	}
	divisor := uint64(1)
	for range fraction {
		divisor *= 10
	}
	high, low := bits.Mul64(uint64(price), number)
	low, carry := bits.Add64(low, divisor/2, 0)
	high += carry
	if high >= divisor {
		return 0, false
	}
	product, _ := bits.Div64(high, low, divisor)
	if product > math.MaxInt64 {
		return 0, false
	}
	return int64(product), true
}

// Validate checks what the API wants of a receipt, but for the sums: see [Receipt.Balance]. Create does it by itself. The error
// matches [vipps.ErrInvalidRequest] and names every field that is wrong.
func (r Receipt) Validate() error {
	var f findings
	r.validate(&f)
	return f.err("epayment.Receipt")
}
