package contract_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/ordermanagement"
	"github.com/vippsvending/vipps/vending/vippstest"
)

var orderTour = []part{
	{name: "receipts", visit: visitReceipts},
	{name: "links", visit: visitLinks},
	{name: "images", visit: visitImages},
	{name: "orders with old tokens", visit: visitOrdersOldToken},
	{name: "refused orders", visit: visitRefusedOrders},
}

const ecom = ordermanagement.Ecom

func visitReceipts(s *stop) {
	ctx := s.t.Context()
	sold, err := epayment.NewReceipt(nok(42924), epayment.BottomLine{}, epayment.Item{ID: "1", Name: "Cola", Price: 42924, TaxRate: 2500})
	s.done(err)
	for _, kind := range []ordermanagement.PaymentType{ecom, ordermanagement.Recurring} {
		_, err = s.orders.AddReceipt(ctx, kind, "contract-sold", ordermanagement.AddReceiptRequest{Receipt: sold, Amount: nok(42924)})
		s.done(err)
		_, err = s.orders.AddReceipt(ctx, kind, "contract-sold", ordermanagement.AddReceiptRequest{Receipt: sold, Amount: nok(42924)})
		s.refused(err, http.StatusConflict, "")
		_, err = s.orders.Get(ctx, kind, "contract-sold")
		s.done(err)
	}
	line := epayment.NewOrderLine("1234567890", "Sjokolade <melk>", 2500, 1500)
	line.Discount, line.ProductURL, line.IsShipping, line.IsReturn = 200, "https://shop.example/p/1?a=b&c=d", true, true
	old := epayment.NewOrderLine("2", "Gammel", 2400, 0)
	old.TaxRate, old.TaxPercentage = nil, new(0)
	lines := []epayment.OrderLine{line, old}
	for _, unit := range []epayment.QuantityUnit{
		epayment.Pieces, epayment.Kilograms, epayment.Kilometres, epayment.Minutes, epayment.Litres, epayment.KWh,
	} {
		line := epayment.NewOrderLine("3", "Mer", 100, 10000)
		line.UnitInfo = epayment.UnitInfo{UnitPrice: 100, Quantity: "0.822", QuantityUnit: unit}
		lines = append(lines, line)
	}
	for i, barcode := range []epayment.Barcode{
		{Format: epayment.EAN13, Data: "5901234123457"}, {Format: epayment.Code39, Data: "0527"}, {Format: epayment.Code128, Data: "0527"},
	} {
		reference := []string{"contract.full_NOK", "contract.full_DKK", "contract.full_EUR"}[i]
		_, err := s.orders.AddReceipt(ctx, ecom, reference, ordermanagement.AddReceiptRequest{SkipBalance: true, Receipt: epayment.Receipt{
			OrderLines: lines,
			BottomLine: epayment.BottomLine{
				Currency: vipps.Currency(reference[len(reference)-3:]), TipAmount: 1, POSID: "vending_machine_12345", ReceiptNumber: "17",
				PaymentSources: epayment.PaymentSources{GiftCard: 1, Card: 2, Voucher: 3, Cash: 4}, Barcode: barcode,
			},
		}})
		s.done(err)
		_, err = s.orders.Get(ctx, ecom, reference)
		s.done(err)
	}
	s.create("contract-0001", func(r *epayment.CreateRequest) {
		r.Receipt = epayment.Receipt{
			OrderLines: []epayment.OrderLine{epayment.NewOrderLine("1", "Cola", 4900, 1500)},
			BottomLine: epayment.BottomLine{Currency: vipps.NOK},
		}
	})
	_, err = s.orders.Get(ctx, ecom, "contract-0001")
	s.done(err)
	_, err = s.orders.AddReceipt(ctx, ecom, "contract-0001", ordermanagement.AddReceiptRequest{Receipt: sold, Amount: nok(42924)})
	s.refused(err, http.StatusConflict, "")
}

func visitLinks(s *stop) {
	ctx := s.t.Context()
	for _, kind := range []ordermanagement.PaymentType{ecom, ordermanagement.Recurring} {
		for _, word := range []ordermanagement.CategoryType{
			ordermanagement.CategoryGeneral, ordermanagement.CategoryReceipt, ordermanagement.CategoryOrderConfirmation,
			ordermanagement.CategoryDelivery, ordermanagement.CategoryTicket, ordermanagement.CategoryBooking,
		} {
			link := ordermanagement.Category{Type: word, URL: "https://shop.example/orders/17?a=b&c=d", ImageID: "socks-orange_1.23"}
			_, err := s.orders.PutCategory(ctx, kind, "contract-0001", link)
			s.done(err)
			_, err = s.orders.Get(ctx, kind, "contract-0001")
			s.done(err)
			id, err := s.orders.AddCategory(ctx, kind, "contract-0001", link)
			s.done(err)
			_, err = s.orders.GetCategory(ctx, id)
			s.done(err)
		}
	}
	all, err := s.orders.ListCategories(ctx, "contract-0001")
	s.done(err)
	for _, link := range all {
		s.done(s.orders.DeleteCategory(ctx, link.ID))
		s.done(s.orders.DeleteCategory(ctx, link.ID)) // 404
		_, err := s.orders.GetCategory(ctx, link.ID)
		s.refused(err, http.StatusNotFound, "")
	}
	_, err = s.orders.ListCategories(ctx, "contract-0002") // none
	s.done(err)
	_, err = s.orders.Get(ctx, ecom, "contract-0002")
	s.refused(err, http.StatusNotFound, "")
}

func logo(height int) image.Image { return image.NewGray(image.Rect(0, 0, 167, height)) }

func encoded(height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, logo(height)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func visitImages(s *stop) {
	ctx := s.t.Context()
	var photo bytes.Buffer
	s.done(jpeg.Encode(&photo, logo(200), nil))
	for _, request := range []ordermanagement.AddImageRequest{
		{Content: encoded(167)}, {Reader: &photo}, {Content: encoded(168), ID: "socks-orange_1.23"}, {Content: encoded(167)}, // again
	} {
		_, err := s.orders.AddImage(ctx, request)
		s.done(err)
	}
	low := map[string]string{"imageId": "low", "src": base64.StdEncoding.EncodeToString(encoded(166)), "type": "base64"}
	s.refused(s.raw(http.MethodPost, low, "", "order-management", "v1", "images"), http.StatusBadRequest, "")
	s.refused(s.raw(http.MethodPost, map[string]string{}, "", "order-management", "v1", "images"), http.StatusBadRequest, "")
}

func visitOrdersOldToken(s *stop) {
	ctx := s.t.Context()
	receipt := epayment.Receipt{
		OrderLines: []epayment.OrderLine{epayment.NewOrderLine("1", "Cola", 4900, 1500)}, BottomLine: epayment.BottomLine{Currency: vipps.NOK},
	}
	link := ordermanagement.Category{Type: ordermanagement.CategoryTicket, URL: "https://shop.example/"}
	s.create("contract-0001", nil) // with the first token
	var id string
	for _, call := range []func() error{
		func() error {
			_, err := s.orders.AddReceipt(ctx, ecom, "contract-0001", ordermanagement.AddReceiptRequest{Receipt: receipt, Amount: nok(4900)})
			return err
		},
		func() error { _, err := s.orders.PutCategory(ctx, ecom, "contract-0001", link); return err },
		func() error { _, err := s.orders.Get(ctx, ecom, "contract-0001"); return err },
		func() error {
			_, err := s.orders.AddImage(ctx, ordermanagement.AddImageRequest{Content: encoded(167)})
			return err
		},
		func() (err error) { id, err = s.orders.AddCategory(ctx, ecom, "contract-0001", link); return err },
		func() error { _, err := s.orders.ListCategories(ctx, "contract-0001"); return err },
		func() error { _, err := s.orders.GetCategory(ctx, id); return err },
		func() error { return s.orders.DeleteCategory(ctx, id) },
	} {
		s.emulator.Advance(2 * time.Hour)
		s.done(call())
	}
}

func visitRefusedOrders(s *stop) {
	root := []string{"order-management"}
	receipt, category := append(root, "v2", "ecom", "receipts", "contract-0001"), append(root, "v2", "ecom", "categories", "contract-0001")
	links := append(root, "v3", "categories")
	for _, body := range []string{`{`, `[]`, `{}`, `{"colour":"red"}`} {
		s.refused(s.raw(http.MethodPost, []byte(body), "", receipt...), http.StatusBadRequest, "")
		s.refused(s.raw(http.MethodPut, []byte(body), "", category...), http.StatusBadRequest, "")
		s.refused(s.raw(http.MethodPost, []byte(body), "", links...), http.StatusBadRequest, "")
	}
	s.refused(s.raw(http.MethodGet, nil, "", links...), http.StatusBadRequest, "")
	s.refused(s.raw(http.MethodGet, nil, "", append(links, "no-uuid")...), http.StatusBadRequest, "")
	for number, status := range map[string]int{"17": http.StatusBadRequest, "999999": http.StatusForbidden} {
		s.refused(s.rawFor(number, http.MethodGet, append(root, "v2", "ecom", "contract-0001")...), status, "")
		s.refused(s.rawFor(number, http.MethodDelete, append(links, "880f5088-7708-4a5a-87d9-31e83aacc035")...), status, "")
	}
	for _, refusal := range []struct {
		op     string
		status int
		method string
		path   []string
	}{ // the emulator has no reason of its own for these
		{"receipt", http.StatusNotFound, http.MethodPost, receipt},
		{"category", http.StatusNotFound, http.MethodPut, category},
		{"category", http.StatusConflict, http.MethodPut, category},
	} {
		s.emulator.Inject(vippstest.Fault{Op: refusal.op, Kind: vippstest.Refuse, Status: refusal.status, Title: http.StatusText(refusal.status)})
		s.refused(s.raw(refusal.method, []byte(`{}`), "", refusal.path...), refusal.status, "")
	}
}
