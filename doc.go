// Package vipps holds what the clients of the Vipps MobilePay APIs share: the configuration, the credentials, money, and
// errors that say whether something happened.
//
// Vipps MobilePay is the wallet of Norway, Denmark and Finland. The packages of this module take payments with it, above all at
// machines that sell without a cashier:
//
//   - epayment makes, reads, captures, cancels and refunds payments.
//   - qr makes the codes on machines and reads the customers' own.
//   - ordermanagement adds receipts, links and images to payments.
//   - webhooks registers addresses, checks signatures and reads events.
//   - vending carries a sale at an unattended machine from reservation to product to capture or release.
//   - vending/vippstest is a Vipps MobilePay in process, for tests and for trying things without credentials.
//
// A [Client] is made once and given to each of them:
//
//	client, err := vipps.NewClient(vipps.Config{
//		Environment: vipps.Test,
//		Credentials: vipps.Credentials{ClientID: id, ClientSecret: secret, SubscriptionKey: key, MerchantSerialNumber: msn},
//		System:      vipps.System{Name: "acme-vend", Version: "1.4.0"},
//	})
//	payments := epayment.New(client)
//
// # Three endings
//
// Every call that changes something ends in one of three ways: done (the error is nil), not done (an [*Error], or
// [ErrInvalidRequest]: nothing was sent), or [ErrOutcomeUnknown], which means that the change may have been made and nobody can
// say. An *Error may be a refusal, or say that no connection could be made. The ending is judged over all attempts of a call,
// not by the last answer. A caller that takes an unknown outcome for a failure charges twice or gives goods away; the remedy is
// to call again with the same idempotency key, or to read the payment.
//
// # What is repeated
//
// A call makes at most three attempts, and one more with a new token after the first 401. It waits as long as Retry-After
// says, up to 8 seconds, else between a quarter of a second and a limit that doubles, of 1.25 seconds the first time; never
// past the context's deadline. Vipps MobilePay allows five changing calls a minute for one payment, so attempts are scarce.
//
//	what happened                              GET, PUT, DELETE    POST with a key    POST without
//	no connection could be made                again               again              again
//	429, wait of at most 8 s                   again               again              again
//	connection lost, timeout, 5xx but 501      again               again              not again
//	401, the first time                        again, new token    again, new token   again, new token
//	every other answer                         not again           not again          not again
//
// A change whose outcome cannot be known is one with an attempt that was sent and not answered (a lost connection, a timeout,
// 408, 3xx and 5xx are no answers) and no conclusive answer after it, or with a 2xx answer that cannot be read.
//
// # Money
//
// An [Amount] is int64 minor units: 4900 is 49.00 NOK. There are no floats.
//
// # Secrets
//
// Keys, tokens, phone numbers and addresses that can be paid with do not appear in errors or logs. [Secret] and
// [Credentials] print redacted in every verb.
//
// # Compatibility
//
// The module is at v0: names may still change between minor versions. Answers may gain fields and words at any time; what
// this version does not know is kept and never an error.
package vipps
