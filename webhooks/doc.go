// Package webhooks registers addresses for events of Vipps MobilePay, verifies and reads deliveries, and serves them over
// HTTP.
//
// The smallest program registers its address when it starts, keeps the secrets, and serves:
//
//	hooks := webhooks.New(client)
//	result, err := hooks.Ensure(ctx, webhooks.EnsureRequest{
//		URL:    "https://example.com/hooks/vipps",
//		Events: append(webhooks.PaymentEvents(), webhooks.UserCheckedIn),
//		Known:  stored, // result.Own of the last time
//	})
//	for _, r := range result.Own { // in any case: nobody can read the secrets again
//		save(r.ID, r.URL, r.Events, string(r.Secret)) // json.Marshal(r) would write [redacted]
//	}
//	...
//	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{
//		URL:     "https://example.com/hooks/vipps",
//		Secrets: result.Secrets(),
//	})
//	...
//	http.Handle("/hooks/vipps", &webhooks.Handler{
//		Verifier: verifier,
//		Handle: func(ctx context.Context, event webhooks.Event) error {
//			switch e := event.(type) {
//			case *webhooks.PaymentEvent:
//				return queue.Add(ctx, e.Reference) // somebody reads the payment, soon
//			case *webhooks.CheckInEvent:
//				return machines.CheckIn(ctx, e.MerchantQRID, e.CustomerToken)
//			}
//			return nil // what is not known is acknowledged
//		},
//	})
//
// The server around it needs limits of its own, ReadHeaderTimeout above all: an address that is public is asked by anybody.
//
// [Verifier] and [Parse] work without net/http as well: bytes in, event out.
//
// # Rules
//
//   - Store, return nil, work later. Vipps MobilePay waits 10 seconds, then counts a failure.
//   - An answer other than 2xx stops the queue: later events of the same payment wait behind the one that failed, for up to 7
//     days, and an address that fails for two weeks is deleted. So what is not known is acknowledged, and an error is only for
//     what should come again.
//   - An event is a nudge, not the truth. It may come twice, late, out of date or never. Read the payment before money or goods
//     move, and poll as well.
//   - Look at Success. An event may tell that an operation failed, which changes nothing.
//   - A delivery outside the window of 5 minutes is refused. One that comes again inside it is handled again, which must change
//     nothing: Vipps MobilePay repeats deliveries too, with a new date and a new signature. [Event] has a Key for tables.
//   - A check-in is for now: the customer waits at the machine. Look at [CheckInEvent.Age] and drop what is old.
//   - Signatures cover the registered URL, not what a proxy makes of it, and the body as it came. The URL belongs in the
//     configuration; a path with percent-encoding is refused, since it breaks the signatures.
//
// # Where the documentation is
//
// https://developer.vippsmobilepay.com/docs/APIs/webhooks-api/
package webhooks
