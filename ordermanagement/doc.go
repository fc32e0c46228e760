// Package ordermanagement adds receipts, links and images to payments and reads them: a complete client of the Vipps MobilePay
// Order Management API, but for its deprecated version 1 of receipts and links.
//
// A machine that reserves a maximum knows only after the capture what was sold:
//
//	orders := ordermanagement.New(client) // a *vipps.Client
//	receipt, err := epayment.NewReceipt(captured, epayment.BottomLine{POSID: "machine-17", ReceiptNumber: reference},
//		epayment.Item{Name: "Cola", ID: "0017", Price: 4900, TaxRate: 1500}) // 49.00 with 15 %
//	...
//	_, err = orders.AddReceipt(ctx, ordermanagement.Ecom, reference, ordermanagement.AddReceiptRequest{Receipt: receipt, Amount: captured})
//
// Where the goods are known before, put the same receipt into the create of the payment instead.
//
// # Payments
//
// A payment is named by its type, [Ecom] for those of the ePayment API, and its orderID, which is the ePayment reference. The API
// does not check that there is such a payment: what is added to an orderID with a mistake in it succeeds and is never
// seen. Payments that a PSP passes through have no receipts.
//
// A merchant without a lasting public page of what is sold must send the receipt of every payment.
//
// # Environments
//
// The guide says that the API is in production only, the specification has a test server as well. With a client for the test
// environment every call is [vipps.ErrNotAvailable] and nothing is sent, unless the configuration has an
// OrderManagementBaseURL, such as that of an emulator. The receipt of a create works in the test environment.
//
// # What is repeated
//
// Reading, PutCategory and DeleteCategory are repeated as the table in package vipps says. AddReceipt, AddCategory and AddImage
// are not: the API takes no idempotency keys. After [vipps.ErrOutcomeUnknown] AddReceipt and AddImage may be called again,
// which does nothing twice; before AddCategory is, the links have to be read.
//
// # What comes back
//
// An answer may have fields and words that this version does not know; they are never an error, and a word is kept as it came.
// Null is nothing. An answer without its id, or about another link, is not believed.
//
// The API is described at https://developer.vippsmobilepay.com/docs/APIs/order-management-api/.
package ordermanagement
