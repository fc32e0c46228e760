// Package qr makes the codes that stand on machines, tills and screens: a complete client of the Vipps MobilePay QR API,
// version 1.
//
// A vending machine needs a callback code on its front. This brings it about that each machine of a fleet has one, and changes
// nothing where it has:
//
//	codes := qr.New(client) // a *vipps.Client
//	ensured, err := codes.EnsureCallbacks(ctx, []qr.CallbackSticker{
//		{ID: "machine-17", LocationDescription: "Platform 3", Category: qr.Vending},
//		{ID: "machine-18", LocationDescription: "Main hall", Category: qr.Vending},
//	}, qr.ImageOptions{Format: qr.PNG, Size: 1000})
//	if failed, ok := errors.AsType[*qr.BatchError](err); ok {
//		// failed.Rows says which; the others are done
//	}
//	image, err := qr.FetchImage(ctx, ensured[0].Code.ImageURL, qr.FetchOptions{}) // to be printed
//
// # Which code
//
//   - A callback code is printed. A scan checks the customer in: a webhook gets a token, and a payment is made with it. It needs a
//     registration for user.checked-in.v1 before the first scan, or the sale is lost. It is the best one for a machine.
//   - A redirect code is printed. A scan opens a page of yours, with or without the app. The page says which machine it is.
//   - A one-time code is shown on a screen, for one payment of the eCom or the Recurring API. A payment of the ePayment API
//     brings its own: UserFlow QR.
//   - A personal code is what customers show in the app, to a scanner. The ePayment API takes its text; ExchangePersonalQR gives
//     the number behind it.
//
// # Images
//
// [ImageOptions] says the form in which a code is wanted, everywhere in the same way, though the API has headers for some kinds
// and a query for others. Answers have the address of an image, not the image: [FetchImage] fetches it, without credentials.
// Addresses may change or end, so print or keep the bytes. Use the images as they are: a design of one's own needs the approval
// of Vipps MobilePay, and codes without a white border do not scan.
//
// # What is repeated
//
// Reading, PutCallback, PutBeacon, UpdateRedirect and the deletions are repeated as the table in package vipps says. CreateRedirect,
// CreateOneTime and the exchanges are not: the API takes no idempotency keys. The Ensure methods may be called again after any
// error and from any number of processes.
//
// # What comes back
//
// An answer may have fields and words that this version does not know, and may lack fields; neither is an error. An answer
// about another code, or with nothing in it, is not believed. Phone numbers, tokens, personal codes and the addresses of one-time
// codes do not print.
//
// The API is described at https://developer.vippsmobilepay.com/docs/APIs/qr-api/.
package qr
