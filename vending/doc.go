// Package vending carries a sale at an unattended machine from reservation to product to capture or release.
//
// A machine has no cashier. When a webhook is lost, an answer never arrives or the power goes, a customer has paid for
// nothing or goods have been given away. This package makes the sale a session that is stored before every step that
// cannot be taken back, and that any process can pick up where another left it.
//
// One operator serves any number of machines through every door:
//
//	operator, err := vending.NewOperator(vending.Config{
//		Client:     client, // from vipps.NewClient
//		Machine:    vending.NewMemoryMachine(turnMotor),
//		Currency:   vipps.NOK,
//		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: terms, PrivacyPolicyURL: privacy},
//		// For the doors with a sticker:
//		Planogram: priceList,                              // func(ctx, machine) (vending.Planogram, error)
//		ReturnURL: "https://acme.example/machines/{token}", // the page that shows Operator.Page
//		CheckIns:  &vending.CheckIns{},                    // for callback codes
//	})
//	ctx, cancel := context.WithCancel(ctx)
//	done := make(chan struct{})
//	go func() {
//		defer close(done)
//		_ = operator.Run(ctx) // its error is the context's
//	}()
//	…
//	cancel() // at the end of the program
//	<-done   // Run has finished what was under way: now the machine and the store may be closed
//
// A whole program, with a store that lasts, webhooks and an end in order, is the example "production" of package sqlstore.
//
// # Doors
//
// A door is the way a customer comes to pay. The doors differ in what the machine has, a screen, a page or somebody who serves,
// and in whether the price is known before the approval. Everything behind them is the same.
//
// A machine with a screen shows a code for what was chosen on it ([DynamicQR]):
//
//	session, err := operator.SellDynamicQR(ctx, vending.DynamicQROrder{
//		Machine:  "oslo12",
//		Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500, TaxRate: 1500}}, // 25.00 NOK
//	}, func(code vending.Code) { screen.Show(string(code.Content)) })
//
// A sticker leads to a page on which the customer chooses and presses pay ([SiteSelection]). Package landing has this page and
// the two that follow; a page of your own does the same:
//
//	redirect, err := operator.OpenSiteSelection(ctx, vending.SiteOrder{
//		Machine: "oslo12", Products: []vending.Shown{{Slot: "A1", Price: 2500}}, // as the page showed it
//	})
//	http.Redirect(w, r, string(redirect.URL), http.StatusSeeOther)
//
// Or the customer chooses on the machine, and the page only takes the payment ([SitePayment]):
//
//	err := operator.ReportSelection("oslo12", cola) // the machine says what was chosen
//	products, ok := operator.Selection("oslo12")    // the page shows it
//	redirect, err := operator.OpenSitePayment(ctx, vending.SiteOrder{Machine: "oslo12", Products: shown})
//
// Or the page has one button, the customer approves the dearest price and then chooses on the machine ([StaticQR]):
//
//	redirect, err := operator.OpenStaticQR(ctx, vending.StaticQROrder{Machine: "oslo12"})
//	http.Redirect(w, r, string(redirect.URL), http.StatusSeeOther)
//	// A button of the machine is pressed:
//	session, err := operator.Seat(ctx, "oslo12")
//	err = operator.Select(ctx, session.ID, len(session.Items)+1, "A1")
//
// A sticker with a callback code does the same without a page ([CheckIn]). The scan comes as a webhook, the choice as above:
//
//	http.Handle("POST /vipps", &webhooks.Handler{Verifier: verifier, Handle: operator.HandleEvent})
//
// Somebody who serves reads the code on the customer's phone, or takes a number ([Till]):
//
//	session, err := operator.SellTill(ctx, vending.TillOrder{
//		Machine: "till1", Products: products, PersonalQR: vipps.Secret(scanned), // or PhoneNumber
//	})
//
// [Operator.Wait] tells how a session ends, and Config.Observe hears of each of its steps.
//
// # What is promised
//
//   - A machine is told to let a product out only on a read at most 15 seconds old that showed a reservation which covers
//     it, and may start its motor at most Timeouts.Start later.
//   - Nothing is captured that the machine has not said it dropped, unless the operator has chosen [CaptureAndRefund].
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
// looks at it. Pass webhooks to [Operator.HandleEvent]; they make things quicker, and without them the engine polls. Look at
// what [Operator.Attention] gives. Have a [Machine] that keeps its promise over a power cut: [Journaled] makes one of a plain
// driver on the same box. On a page of your own limit how often it may open sessions: each takes a machine for a while.
//
// A store keeps every session until it is told otherwise. Call its Prune once a day with what bookkeeping no longer needs; as
// refunds are possible for 365 days, that is 400 days and no less:
//
//	removed, err := store.Prune(ctx, time.Now().AddDate(0, 0, -400))
//
// To end, let the context of Run end and wait for Run to return, and for the doors that are being run to their end. Close the
// machine and the store after that: what is under way is stored until then.
//
// # Capacity
//
// A session that waits is a row in the store and nothing else: no goroutine, no timer, no memory. With 100,000 of them and no
// polls a process takes about 35 MiB and 1 % of a core. What counts is sales a second. A sale takes about 2 ms of a core in
// the process and, with PostgreSQL, about as much again in the server: a file of SQLite carries some 500 a second on two
// cores, and a PostgreSQL that shares two cores with everything else some 250. A hundred thousand machines that sell ten times
// a day are 12 a second, and 120 at a peak of ten times that: one process and one database, and a second process for when the
// first one dies.
//
// With webhooks the machine is told some milliseconds after the approval. By polling alone it is half a second, and each
// customer who waits costs a read a second: Config.Polls has to be at least the sales a second times the seconds that
// customers take. The default of 200 is for 13 sales a second of 15 seconds each.
//
// To go beyond one process, run more of them on the same PostgreSQL: any may take any webhook. When its cores are full, give
// groups of machines databases of their own, since no session knows of another machine. The program examples/loadtest measures
// all of this on your computer.
//
// # Money
//
// When a session enters Settling the sum that is due is fixed. Then the payment is read, and one thing is done at a time
// until it is at rest: what is missing is captured, what is free is released. A lost answer, a crash and somebody acting in
// the merchant portal are the same case: look again. A capture keeps its number and key until it is refused for good or its
// window of ten minutes has passed.
//
// # Cost
//
// A session is 2 to 4 KB and needs no goroutine or timer while it waits. An exact sale makes three calls (create, get,
// capture) and five writes, one with a maximum five calls (cancel and the receipt as well) and seven writes. A further product
// is two writes, the receipt of a basket a call and a write, and a choice or a vend that takes longer than 15 seconds one more
// get. Polls come on top: one a second for the first minute and then every two, every six while webhooks arrive.
//
// # When it did not go well
//
// [Operator.Attention] gives the sessions that a person has to look at, and [Outcome.Action] says what to do. A person brings
// in what they know: [Operator.Resolve] what came out of a session that is held, [Operator.Report] a machine's late word,
// [Operator.Refund] what is to be given back. [Session.History] has all that happened, with its times, so that a customer's
// complaint can be answered from it alone. [Operator.Reconcile] holds the sessions of a period against Vipps MobilePay.
//
// https://developer.vippsmobilepay.com/docs/recommended-flows/vending-machines/
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
//		Choosing --> Settling: withdraw, not to make room for another customer
//		Choosing --> Settling: clock, SelectUntil passed
//		Vending --> Choosing: verdict, dropped or not, and more items
//		Vending --> Settling: verdict, dropped or not, the last item
//		Vending --> Held: verdict, unknown, hold
//		Vending --> Settling: verdict, unknown, release
//		Vending --> Vending: silent, VerdictUntil passed, once
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
//		Settling --> Settling: resolved, too late
//		Closed --> Closed: verdict, too late
//		Closed --> Closed: resolved, too late
//		Settling --> Settling: acknowledged, needs a person
//		Closed --> Closed: acknowledged, needs a person
//		Closed --> Withdrawing: read, appeared, not approved
//		Closed --> Settling: read, appeared, reserved
//		Closed --> Closed: read, answered
//		Closed --> Closed: read, shows the refund
//		Closed --> Closed: read, somebody else has refunded
//		Closed --> Closed: read, somebody has acted
//		Closed --> Closed: postponed, a task
//		Closed --> Closed: receipt
//		Closed --> Closed: refund asked, within what was captured
//		Closed --> Closed: refunded, by this attempt
//		Closed --> Closed: refund refused, by this attempt
//		Closed --> Closed: refund missing, the attempt is over
//		Closed --> [*]
package vending
