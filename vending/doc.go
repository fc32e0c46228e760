// Package vending carries a sale at an unattended machine from reservation to product to capture or release.
//
// A machine has no cashier. When a webhook is lost, an answer never arrives or the power goes, a customer has paid for
// nothing or goods have been given away. This package makes the sale a session that is stored before every step that
// cannot be taken back, and that any process can pick up where another left it.
//
// The smallest program sells one product by a code on the machine's screen:
//
//	operator, err := vending.NewOperator(vending.Config{
//		Client:     client, // from vipps.NewClient
//		Machine:    vending.NewMemoryMachine(turnMotor),
//		Currency:   vipps.NOK,
//		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: terms, PrivacyPolicyURL: privacy},
//	})
//	session, err := operator.SellDynamicQR(ctx, vending.DynamicQROrder{
//		Machine:  "oslo12",
//		Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}}, // 25.00 NOK
//	}, func(code vending.Code) { screen.Show(string(code.Content)) })
//
// # What is promised
//
//   - A machine is told to let a product out only on a read at most 15 seconds old that showed a reservation which covers
//     it, and may start its motor at most Timeouts.Start later.
//   - Nothing is captured that the machine has not said it dropped.
//   - Each item is let out at most once, across retries, crashes, pauses and several workers, if the [Machine] keeps its
//     promise.
//   - Every payment comes to rest, all of it captured or released, checked against Vipps MobilePay; or it is in front of a
//     person with a reason ([Outcome.NeedsPerson]).
//   - What cannot be known is said: a verdict is [Unknown], and nothing guesses about money.
//
// A test of this package runs the engine's own transition functions against every order of events that two workers, a
// customer, a machine, the merchant portal and a bad network can produce.
//
// # What a program has to do
//
// Give a durable [Store] and call [Operator.Run] in at least one process, always: a session that waits needs somebody who
// looks at it. Pass webhooks to [Operator.HandleEvent]; they make things quicker, and without them polling does. Look at
// what [Operator.Attention] gives. Implement [Machine] so that it keeps its promise over a power cut.
//
// # How a session moves
//
// The facts on the arrows come from Vipps MobilePay, the machine, the clock and people. Each is stored with what it is
// about before the next step is taken; a fact that no arrow takes changes nothing.
//
//	stateDiagram-v2
//		[*] --> Opening
//		Opening --> Waiting: created
//		Opening --> Withdrawing: refused
//		Opening --> Withdrawing: clock, OpenUntil passed
//		Opening --> Withdrawing: withdraw
//		Opening --> Opening: unanswered
//		Waiting --> Vending: read, covers
//		Waiting --> Choosing: read, covers a maximum
//		Waiting --> Closed: read, ended
//		Waiting --> Settling: read, approved, does not cover
//		Waiting --> Settling: not ready
//		Waiting --> Withdrawing: clock, ApproveUntil passed
//		Waiting --> Withdrawing: withdraw
//		Withdrawing --> Closed: read, ended
//		Withdrawing --> Closed: read, no payment, and none can come
//		Withdrawing --> Vending: read, covers, seat held, by the clock or replaced
//		Withdrawing --> Choosing: read, covers a maximum, seat held, by the clock or replaced
//		Withdrawing --> Settling: read, approved otherwise
//		Withdrawing --> Settling: not ready
//		Withdrawing --> Withdrawing: clock, SeatUntil passed
//		Withdrawing --> Withdrawing: created
//		Withdrawing --> Withdrawing: withdraw, by the return button, seat held
//		Choosing --> Vending: read, covers
//		Choosing --> Settling: read, does not cover
//		Choosing --> Vending: selected, covers
//		Choosing --> Settling: selected, does not cover
//		Choosing --> Settling: complete, of a maximum
//		Choosing --> Settling: not ready
//		Choosing --> Settling: withdraw
//		Choosing --> Settling: clock, SelectUntil passed
//		Vending --> Choosing: verdict, dropped or not, and more items
//		Vending --> Settling: verdict, dropped or not, the last item
//		Vending --> Held: verdict, unknown, hold
//		Vending --> Settling: verdict, unknown, release
//		Vending --> Held: clock, VerdictUntil passed, hold
//		Vending --> Settling: clock, VerdictUntil passed, release
//		Vending --> Vending: complete, of a maximum
//		Held --> Settling: verdict, dropped or not
//		Held --> Settling: resolved, dropped or not
//		Held --> Settling: clock, HoldUntil passed
//		Choosing --> Choosing: verdict, of an earlier item
//		Vending --> Vending: verdict, of an earlier item
//		Held --> Held: verdict, of an earlier item
//		Settling --> Closed: read, at rest
//		Settling --> Settling: read, captured too much
//		Settling --> Settling: read, cannot be captured any more
//		Settling --> Settling: read, the attempt is over
//		Settling --> Settling: capture refused, in full only, to be refunded
//		Settling --> Settling: capture refused, of this attempt
//		Settling --> Settling: cancel refused
//		Settling --> Settling: verdict, too late
//		Closed --> Closed: verdict, too late
//		Closed --> Withdrawing: read, appeared, not approved
//		Closed --> Settling: read, appeared, reserved
//		Closed --> Closed: read, answered
//		Closed --> Closed: receipt
//		Closed --> Closed: refund asked, within what was captured
//		Closed --> Closed: refunded, by this attempt
//		Closed --> Closed: refund refused, by this attempt
//		Closed --> Closed: refund missing, the attempt is over
//		Closed --> [*]
//
// # Money
//
// When a session enters Settling the sum that is due is fixed. Then the payment is read, and one thing is done at a time
// until it is at rest: what is missing is captured, what is free is released. A lost answer, a crash and somebody acting in
// the merchant portal are the same case: look again. A capture keeps its number and key until it is refused for good or its
// window of ten minutes has passed.
//
// # Limits
//
// A session is 2 to 4 KB and needs no goroutine or timer while it waits. An exact sale makes three calls (create, get,
// capture) and five writes; polls come on top: one a second for the first minute and then every two, every six while
// webhooks arrive.
//
// This version has the door for machines with a screen ([DynamicQR]).
//
// https://developer.vippsmobilepay.com/docs/recommended-flows/vending-machines/
package vending
