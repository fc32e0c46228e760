// Package vippstest is a Vipps MobilePay in process, for tests and demonstrations of programs that take payments.
//
// It emulates the access token, ePayment, QR, Order Management and Webhooks APIs as a merchant's program sees them:
// credentials and headers, validation, states and amounts, numeric error codes, idempotency keys, rate limits, expiry, codes
// that can be scanned, and webhooks that are signed, in order and repeated. What happens outside of the APIs are methods:
// the customer's phone ([Server.Approve], [Server.Abort], [Server.Scan], [Server.PersonalQR]), the merchant portal
// ([Server.PortalCancel] and others), the passing of time ([Server.Advance]), and everything that goes wrong on the way
// ([Server.Inject], [Server.InjectDelivery]).
//
//	srv := vippstest.Start(t, vippstest.Options{})
//	srv.HandleWebhooks("https://shop.example/vipps", webhookHandler)
//	client, err := vipps.NewClient(vipps.Config{
//		Environment: vipps.Test,
//		Credentials: vipps.Credentials(srv.Credentials()),
//		System:      vipps.System{Name: "acme-vend", Version: "1.0.0"},
//		BaseURL:     srv.URL(),
//		HTTPClient:  &http.Client{Transport: srv.Transport()},
//	})
//
//	// … the program under test creates the payment "order-0017" …
//	srv.Inject(vippstest.Fault{Op: "capture", Kind: vippstest.HangUpAfter})
//	srv.Approve("order-0017")
//	// … it captures, gets no answer, and has to find out …
//	payment, _ := srv.Payment("order-0017")
//	if !payment.AtRest() {
//		t.Error("money is left hanging")
//	}
//
// The same [Server] is an [http.Handler], so that it can be served on a port for programs in any language; set
// PublicURL, AcceptAnyCredentials and AllowLoopbackHTTP of [Options] then.
//
// # Time
//
// Everything happens by one clock: Options.Clock, moved forward by [Server.Advance]. Without Advance, real timers run, one
// at most and only while something is pending, and so an emulator made inside a [testing/synctest] bubble keeps virtual
// time. With Advance, a test gets through days without waiting: whatever falls due on the way has happened when it returns.
// Deliveries run on goroutines of their own; [Server.Settle] waits for them.
//
// # What is not known
//
// The documentation leaves some questions open. Where the answer matters to money, [Switches] choose it. A program that is
// to be trusted should pass its tests under each of them.
//
// # Where it differs from Vipps
//
//   - Everything is as fast as a method call and happens in one order. Nothing is eventually consistent unless a switch or
//     a fault makes it so, and a payment is never locked by another request: 423 comes from [Fault] only. So do 6160, 6260,
//     6280, 5060, 5070 and the failures of the gateway.
//   - CARD works as WALLET does. Vipps offers it in production only, and the customer would enter the card on a page.
//   - In what order a request that is wrong in several ways is told so is the emulator's own: the gateway first, then the
//     idempotency key, then what is malformed, then the first numeric code. Titles and details are close to the real ones
//     and may change; only status and code are meant.
//   - Of malformed requests all broken rules are listed, missing fields included. 4140 is for what is required only
//     together with something else. The words of these lists are the emulator's.
//   - A personal QR code that is neither from [Server.PersonalQR] nor of the old kind, with the number in clear, is
//     anybody's in create, and refused by the exchange. Customer tokens must come from [Server.Scan] or [Server.CheckIn].
//   - The capture guarantee is always seven days, and what is not captured within 180 days in Norway or 14 in Denmark and
//     Finland is released at that moment. The approval to capture later does not exist.
//   - The amount 201, in the test environment a result that is unknown for an hour, leaves the payment in processing until
//     it expires.
//   - Dynamic shipping options are accepted, but nobody asks the merchant for them: the customer takes one that costs
//     nothing.
//   - The landing page has no buttons and does not notice a customer going back; redirect URLs are the emulator's own.
//   - Webhook addresses are not looked up and certificates not examined before they are registered. All registrations are
//     told at once rather than after a while.
//   - Credentials are those of one sales unit, or of a partner with Options.Merchants. The specialized token endpoint is
//     not there.
//   - The QR API: what codes say and where their images are begins with Options.PublicURL instead of https://qr.vipps.no. One-time
//     codes are of payments of the ePayment API, as there are no others. The image of a code is gone with the code. Size may be
//     in the header or, like whiteBorder, in the body, where it counts if both differ; whiteBorder changes PNGs only, and
//     without it there are at least four modules of border. An id is refused, not shortened; a location must have 1 to 36
//     characters. Writing a callback code without a category makes it IN_STORE. MobilePay beacons are not among the
//     callback codes that are read, listed and deleted, and there is no way to give one up.
//   - A check-in that is not accepted is repeated like any other delivery, though the customer has been told that the store
//     cannot be reached.
//   - Order Management: the links of version 2 and 3 know nothing of each other, and neither asks whether an image exists.
//     Receipts, posted or in create, are checked field by field, not added up, and given back as they were sent. 2 MB are
//     2,097,152 bytes. Deprecated endpoints, those by transaction id, are not there. Vipps-System headers may have 30 characters,
//     not 100.
package vippstest
