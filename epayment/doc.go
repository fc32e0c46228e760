// Package epayment makes, reads, captures, cancels and refunds payments: a complete client of the Vipps MobilePay ePayment
// API, version 1.
//
//	payments := epayment.New(client) // a *vipps.Client
//	created, err := payments.Create(ctx, epayment.CreateRequest{
//		IdempotencyKey: order.ID + "-c", // stored with the order, before this call
//		Reference:      order.ID,
//		Amount:         vipps.Amount{Value: 4900, Currency: vipps.NOK}, // 49.00 NOK
//		PaymentMethod:  epayment.PaymentMethod{Type: epayment.Wallet},
//		UserFlow:       epayment.WebRedirect,
//		ReturnURL:      vipps.Secret("https://shop.example/orders/" + order.ID),
//	})
//
// # The life of a payment
//
// A payment is made with [Client.Create] and approved or refused by the customer in the app; [Client.WaitFinal] waits for
// that, and a webhook tells of it. An approved payment is a reservation: after the goods are delivered [Client.Capture]
// takes the money or a part of it, and [Client.Cancel] releases what was not taken. [Client.Refund] gives captured money
// back. A payment that nobody has approved is ended with [Client.CancelIfNotAuthorized], which does not touch it if the
// customer was faster.
//
// State says how the customer's decision ended and nothing else: an AUTHORIZED payment stays AUTHORIZED whatever is
// captured, cancelled and refunded. [Aggregate] says where the money is, and [Payment.AtRest] whether anything is still owed.
//
// # Unknown outcomes
//
// A call that changes something and whose answer was lost, or lacks what decisions are made by, gives
// [vipps.ErrOutcomeUnknown]. Create, Capture and Refund are then called again with the same idempotency key and the same
// arguments, which cannot do it twice; this is why the key is a required field and has to be stored before the call. Where
// the arguments could change with a new version of the program, store what [CreateRequest.Encode] returns and use
// [Client.CreateEncoded].
//
// A key is of one operation, not of a payment or an attempt: two partial captures have two keys, and the second attempt at
// one capture has the key of the first. A refusal sticks to its key as well.
//
// # What is repeated
//
// Each call makes up to three attempts as the table in package vipps says: reads always, Create, Capture, Refund and Cancel
// under their key, ForceApprove only if the request certainly never left. Vipps MobilePay allows five calls a minute of each
// kind that changes a payment, and 120 reads.
//
// # What comes back
//
// An answer may have fields and words that this version does not know; they are never an error, and a word is kept as it
// came. An answer about another payment, or without its state or amounts, is not believed.
//
// The API is described at https://developer.vippsmobilepay.com/docs/APIs/epayment-api/.
package epayment
