package vending

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vippsvending/vipps"
)

// TaxFree is the tax rate of goods without tax, in a [Product] and an [Item]: there 0 sends no receipt. In an epayment.Item it
// is 0.
const TaxFree = -1

const (
	// maxAmount is the largest payment the platform takes.
	maxAmount = 65_000_000
	// maxProducts is how many products one session can have.
	maxProducts = 50
	// maxText bounds what a browser sends.
	maxText = 64
)

// Errors that say why a product cannot be sold. No payment was made, or the one there is has not changed.
var (
	// ErrNoMachine means that there is no such machine. A Config.Planogram gives it for names that it does not know: they
	// come from codes and pages, and anybody can make one up.
	ErrNoMachine = errors.New("vending: no such machine")
	// ErrNoProduct means that the planogram has nothing in that slot.
	ErrNoProduct = errors.New("vending: the machine does not sell that")
	// ErrSoldOut means that the slot is empty.
	ErrSoldOut = errors.New("vending: the product is sold out")
	// ErrRepriced means that the price, or the price list, is not the one that the customer has seen. Show the new one.
	ErrRepriced = errors.New("vending: the price has changed")
	// ErrAboveReservation means that the product costs more than what is left of the reservation.
	ErrAboveReservation = errors.New("vending: the price is above what is left of the reservation")
	// ErrAgeLimit means that the product needs an age that the app was not asked to check.
	ErrAgeLimit = errors.New("vending: the product needs an age check that this payment does not have")
	// ErrNoSelection means that the machine has not reported a selection in the last minute.
	ErrNoSelection = errors.New("vending: nothing is chosen on the machine")
)

// Product is something that a machine sells.
type Product struct {
	// Name is shown on the receipt. Required.
	Name string
	// Slot is where it is, in the machine's own terms. Required, and in a planogram no two products have the same.
	Slot string
	// Price includes tax, in minor units: 2500 is 25.00.
	Price int64
	// TaxRate is in hundredths of a percent: 2500 is 25 %, [TaxFree] is none. 0 sends no receipt.
	TaxRate int
	// MinimumAge is who may buy it, in years; 0 is everybody. The app checks it before the payment.
	MinimumAge int
	// SoldOut says that there is none left.
	SoldOut bool
}

// Planogram is what a machine sells, and for how much.
type Planogram struct {
	// Version names this price list: at most 64 bytes. It is kept with the sale, and a customer who has approved under one does
	// not choose from another. Defaults to one that changes with the prices.
	Version  string
	Products []Product
}

// product finds what is in a slot.
func (p *Planogram) product(slot string) (Product, error) {
	i := slices.IndexFunc(p.Products, func(product Product) bool { return product.Slot == slot })
	switch {
	case i < 0:
		return Product{}, fmt.Errorf("slot %q: %w", slot, ErrNoProduct)
	case p.Products[i].SoldOut:
		return Product{}, fmt.Errorf("slot %q: %w", slot, ErrSoldOut)
	default:
		return p.Products[i], nil
	}
}

// dearest is the highest price of what a customer of an age may buy.
func (p *Planogram) dearest(age int) int64 {
	var price int64
	for _, product := range p.Products {
		if !product.SoldOut && product.MinimumAge <= age && product.Price <= maxAmount {
			price = max(price, product.Price)
		}
	}
	return price
}

// Shown is a product as a page showed it.
type Shown struct {
	Slot string
	// Price is what the customer saw, in minor units. A product that has another by now is not sold ([ErrRepriced]).
	Price int64
}

func checkShown(require func(bool, string, ...any), all []Shown) {
	require(len(all) <= maxProducts, "Products: must be at most %d of them", maxProducts)
	for i, shown := range all {
		require(len(shown.Slot) <= maxText, "Products[%d].Slot: must be at most %d bytes", i, maxText)
	}
}

// same checks that products are the ones a page showed, for the prices it showed.
func same(products []Product, shown []Shown) error {
	for i, product := range products {
		if product.Slot != shown[i].Slot || product.Price != shown[i].Price {
			return fmt.Errorf("slot %q: %w", shown[i].Slot, ErrRepriced)
		}
	}
	return nil
}

// item is the product as a session keeps it.
func (p Product) item() Item {
	return Item{Name: p.Name, Slot: p.Slot, Price: p.Price, TaxRate: p.TaxRate}
}

// checkProducts finds what would be wrong with a sale of products.
func checkProducts(require func(bool, string, ...any), products []Product, currency vipps.Currency) {
	require(len(products) > 0 && len(products) <= maxProducts, "Products: must be 1 to %d of them", maxProducts)
	var sum int64
	receipts := 0
	for i, product := range products {
		require(product.Price > 0 && product.Price <= maxAmount, "Products[%d].Price: must be 1 to %d", i, maxAmount)
		require(product.Name != "", "Products[%d].Name: must be set", i)
		require(product.Slot != "", "Products[%d].Slot: must be set", i)
		require(product.TaxRate == TaxFree || product.TaxRate == 0 || product.TaxRate >= 100 && product.TaxRate <= 10000,
			"Products[%d].TaxRate: must be TaxFree, 0 or 100 to 10000: it is in hundredths of a percent", i)
		require(product.MinimumAge >= 0 && product.MinimumAge <= 100, "Products[%d].MinimumAge: must be 0 to 100", i)
		sum += min(max(product.Price, 0), maxAmount)
		if product.TaxRate != 0 {
			receipts++
		}
	}
	require(sum >= currency.Minimum(), "Products: must cost at least %s together", vipps.Amount{Value: currency.Minimum(), Currency: currency})
	require(sum <= maxAmount, "Products: must cost at most %s together", vipps.Amount{Value: maxAmount, Currency: currency})
	require(receipts == 0 || receipts == len(products), "Products.TaxRate: must be set for all or for none")
}

// findings collects what is wrong with a request.
type findings []error

func (f *findings) require(ok bool, format string, args ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, args...))
	}
}

func (f findings) err(op string) error {
	if len(f) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", op, vipps.ErrInvalidRequest, errors.Join(f...))
}

// Planogram asks Config.Planogram for a machine's price list, and gives it with its Version. Its errors are passed on:
// [ErrNoMachine] for a machine that there is not.
func (o *Operator) Planogram(ctx context.Context, machine string) (*Planogram, error) {
	return o.planogram(ctx, "vending.Planogram", machine)
}

// planogram does it for the method that was called.
func (o *Operator) planogram(ctx context.Context, op, machine string) (*Planogram, error) {
	var f findings
	f.require(isMachine(machine), machineRule)
	f.require(o.config.Planogram != nil, "Config.Planogram: must be set for this door")
	if f != nil {
		return nil, f.err(op)
	}
	ctx, cancel := context.WithTimeout(ctx, planogramTimeout)
	defer cancel()
	p, err := o.config.Planogram(ctx, machine)
	if err != nil {
		return nil, fmt.Errorf("planogram of machine %s: %w", machine, err)
	}
	if p.Version == "" {
		p.Version = p.fingerprint()
	}
	f.require(len(p.Version) <= maxText, "Version: must be at most %d bytes", maxText)
	return &p, f.err("planogram of machine " + machine)
}

// fingerprint is a version for a price list that has none: what is sold out makes no difference.
func (p *Planogram) fingerprint() string {
	var prices []byte
	for _, product := range p.Products {
		prices = fmt.Appendf(prices, "%q %d\n", product.Slot, product.Price)
	}
	sum := sha256.Sum256(prices)
	return letters.EncodeToString(sum[:10])
}

// planogramTimeout bounds the question for a price list: a customer waits.
const planogramTimeout = 5 * time.Second
