package vending

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/redact"
)

// TaxFree is the tax rate of goods without tax.
const TaxFree = -1

// Product is something that a customer has chosen.
type Product struct {
	// Name is shown on the receipt. Required.
	Name string
	// Slot is where it is, in the machine's own terms. Required.
	Slot string
	// Price includes tax, in minor units: 2500 is 25.00.
	Price int64
	// TaxRate is in hundredths of a percent: 2500 is 25 %, [TaxFree] is none. 0 sends no receipt.
	TaxRate int
}

// DynamicQROrder is what a customer has chosen at a machine with a screen.
type DynamicQROrder struct {
	// Machine is 1 to 25 letters, digits and hyphens, the first not a 0. It begins the payment's reference, which the
	// customer sees.
	Machine string
	// Products are let out in this order: 1 to 50.
	Products []Product
	// Description is shown in the app: 3 to 100 characters. Defaults to the names of the products.
	Description string
	// Planogram is the version of the price list, kept with the session.
	Planogram string
	// QRFormat is what the code comes as. The zero value gives the address to encode yourself.
	QRFormat epayment.QRFormat
}

// Code is what a screen shows.
type Code struct {
	// Session is the id of the session and the reference of the payment.
	Session string
	Machine string
	// Content is what the code says, or the address of its picture, as the order's QRFormat asked. Whoever has it can pay:
	// show it and keep it nowhere.
	Content vipps.Secret
	Amount  vipps.Amount
}

// Format prints the code without its content, whatever the verb.
func (c Code) Format(f fmt.State, _ rune) {
	type plain Code
	redact.Format(f, plain(c))
}

// OpenDynamicQR starts a session for products that a customer has chosen on the machine: it takes the machine's seat,
// makes a payment of the exact price and returns the code for the screen. From there on the session runs by itself as long
// as [Operator.Run] does, here or in another process on the same store: [Operator.Wait] tells how it ends.
//
// A machine that another customer uses gives a *[BusyError], and one that cannot sell the error of its Ready. A payment
// that was refused gives the *[vipps.Error] of the refusal. An error after the session was stored names its id; what may
// have been made is taken back by itself.
//
// https://developer.vippsmobilepay.com/docs/recommended-flows/vending-machines/
func (o *Operator) OpenDynamicQR(ctx context.Context, order DynamicQROrder) (*Code, error) {
	if err := o.checkOrder(order); err != nil {
		return nil, err
	}
	if err := o.config.Machine.Ready(ctx, order.Machine); err != nil {
		return nil, fmt.Errorf("machine %s cannot sell: %w", order.Machine, err)
	}
	s := o.newSession(order.Machine, DynamicQR, order.Planogram)
	for _, product := range order.Products {
		s.Items = append(s.Items, Item{Name: product.Name, Slot: product.Slot, Price: product.Price})
		s.Reserved += product.Price
	}
	request := o.exactRequest(&s, order)
	request.UserFlow = epayment.QR
	request.QRFormat = order.QRFormat
	if request.QRFormat.Format == "" {
		request.QRFormat = epayment.QRFormat{Format: epayment.QRTargetURL}
	}
	body, err := request.Encode()
	if err != nil {
		return nil, err
	}
	s.Body = Seal(body)
	if err := o.open(ctx, &s); err != nil {
		return nil, err
	}
	return &Code{
		Session: s.ID, Machine: s.Machine, Content: vipps.Secret(s.RedirectURL.Open()),
		Amount: vipps.Amount{Value: s.Reserved, Currency: s.Currency},
	}, nil
}

// SellDynamicQR runs the door to its end: it opens a session, hands the code to show, and waits until the session is
// closed or a person is needed. It moves the session along itself if no [Operator.Run] does.
//
// If the context ends first the customer is taken to have left: the session is withdrawn, or finished if the machine has
// been told, and followed for 15 seconds more, which is nearly always enough to see it closed. What is left over then is
// finished by whoever runs the store next. The error wraps the context's and says how the session ended.
func (o *Operator) SellDynamicQR(ctx context.Context, order DynamicQROrder, show func(Code)) (*Session, error) {
	stop := o.ensureRunning(ctx)
	defer stop()
	code, err := o.OpenDynamicQR(ctx, order)
	if err != nil {
		return nil, err
	}
	show(*code)
	s, err := o.Wait(ctx, code.Session)
	if err != nil {
		return nil, o.leave(ctx, code.Session, err)
	}
	return s, nil
}

func (o *Operator) checkOrder(order DynamicQROrder) error {
	var findings []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			findings = append(findings, fmt.Errorf(format, args...))
		}
	}
	require(isMachine(order.Machine), "Machine: must be 1 to 25 letters, digits and hyphens, and not begin with 0")
	require(len(order.Products) > 0 && len(order.Products) <= 50, "Products: must be 1 to 50 of them")
	var sum int64
	receipts := 0
	for i, product := range order.Products {
		require(product.Price > 0 && product.Price <= maxAmount, "Products[%d].Price: must be 1 to %d", i, maxAmount)
		require(product.Name != "", "Products[%d].Name: must be set", i)
		require(product.Slot != "", "Products[%d].Slot: must be set", i)
		require(product.TaxRate == TaxFree || product.TaxRate == 0 || product.TaxRate >= 100 && product.TaxRate <= 10000,
			"Products[%d].TaxRate: must be TaxFree, 0 or 100 to 10000: it is in hundredths of a percent", i)
		sum += min(max(product.Price, 0), maxAmount)
		if product.TaxRate != 0 {
			receipts++
		}
	}
	require(sum >= o.config.Currency.Minimum(), "Products: must cost at least %s together", vipps.Amount{Value: o.config.Currency.Minimum(), Currency: o.config.Currency})
	require(sum <= maxAmount, "Products: must cost at most %s together", vipps.Amount{Value: maxAmount, Currency: o.config.Currency})
	require(receipts == 0 || receipts == len(order.Products), "Products.TaxRate: must be set for all or for none")
	description := len([]rune(order.Description))
	require(order.Description == "" || description >= 3 && description <= 100, "Description: must be 3 to 100 characters")
	if len(findings) == 0 {
		return nil
	}
	return fmt.Errorf("vending.OpenDynamicQR: %w: %w", vipps.ErrInvalidRequest, errors.Join(findings...))
}

// maxAmount is the largest payment the platform takes.
const maxAmount = 65_000_000

func isMachine(name string) bool {
	ok := len(name) > 0 && len(name) <= 25 && name[0] != '0'
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-')
	}
	return ok
}

// exactRequest is the payment for products that are known before.
func (o *Operator) exactRequest(s *Session, order DynamicQROrder) epayment.CreateRequest {
	request := epayment.CreateRequest{
		IdempotencyKey:      s.ID + "-c",
		Reference:           s.ID,
		Amount:              vipps.Amount{Value: s.Reserved, Currency: s.Currency},
		PaymentMethod:       epayment.PaymentMethod{Type: epayment.Wallet},
		CustomerInteraction: epayment.CustomerPresent,
		ReturnURL:           vipps.Secret(o.config.ReturnURL),
		PaymentDescription:  order.Description,
		Metadata:            map[string]string{metadataMachine: s.Machine, metadataNonce: s.Nonce},
		MerchantLegalLinks:  o.config.LegalLinks,
	}
	if request.PaymentDescription == "" {
		request.PaymentDescription = describe(order.Products)
	}
	if o.config.MinimumUserAge > 0 {
		request.MinimumUserAge = new(o.config.MinimumUserAge)
	}
	// The receipt of a basket depends on what drops, and cannot be changed once it is sent.
	if product := order.Products[0]; len(order.Products) == 1 && product.TaxRate != 0 {
		request.Receipt = epayment.Receipt{
			OrderLines: []epayment.OrderLine{epayment.NewOrderLine(strconv.Itoa(1), product.Name, product.Price, max(0, product.TaxRate))},
			BottomLine: epayment.BottomLine{Currency: s.Currency, POSID: s.Machine, ReceiptNumber: s.ID},
		}
	}
	return request
}

// describe names the products, as far as there is room.
func describe(products []Product) string {
	names := make([]string, len(products))
	for i, product := range products {
		names[i] = product.Name
	}
	text := []rune(strings.Join(names, ", "))
	if len(text) > 100 {
		text = append(text[:99], '…')
	}
	if len(text) < 3 {
		return "Vending: " + string(text)
	}
	return string(text)
}
