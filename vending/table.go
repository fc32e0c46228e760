package vending

// row is one line of the state machine: a fact that arrives in a state, the condition, what is changed and where it leads.
// Rows are tried in order; the first that takes the fact wins. An empty to stays.
type row struct {
	from []State
	fact factKind
	// name is the condition in words, for the diagram; empty if there is none.
	name string
	when func(rules, *Session, fact) bool
	to   State
	do   func(rules, *Session, fact)
}

// in lists the states of a row.
func in(states ...State) []State { return states }

// table is the state machine.
var table = []row{
	// The payment is being made.
	{in(Opening), factCreated, "", nil, Waiting, created},
	{in(Opening), factRefused, "", nil, Withdrawing, refused},
	{in(Opening), factClock, "OpenUntil passed", passed(openUntil), Withdrawing, because(ReasonUnanswered)},
	{in(Opening), factWithdraw, "", nil, Withdrawing, withdraw},
	{in(Opening), factUnanswered, "", nil, "", countCreate},

	// The customer may approve.
	{in(Waiting), factRead, "covers", covers, Vending, arm},
	{in(Waiting), factRead, "covers a maximum", coversMaximum, Choosing, nil},
	{in(Waiting), factRead, "ended", ended, Closed, closeEnded},
	{in(Waiting), factRead, "approved, does not cover", short, Settling, nil},
	{in(Waiting), factNotReady, "", nil, Settling, because(ReasonMachine)},
	{in(Waiting), factClock, "ApproveUntil passed", passed(approveUntil), Withdrawing, because(ReasonClock)},
	{in(Waiting), factWithdraw, "", nil, Withdrawing, withdraw},

	// The payment is being taken back.
	{in(Withdrawing), factRead, "ended", ended, Closed, closeEnded},
	{in(Withdrawing), factRead, "no payment, and none can come", absent, Closed, closeAbsent},
	{in(Withdrawing), factRead, "covers, seat held, by the clock or replaced", coversStill, Vending, arm},
	{in(Withdrawing), factRead, "covers a maximum, seat held, by the clock or replaced", coversMaximumStill, Choosing, nil},
	{in(Withdrawing), factRead, "approved otherwise", approvedOtherwise, Settling, nil},
	{in(Withdrawing), factNotReady, "", nil, Settling, because(ReasonMachine)},
	{in(Withdrawing), factClock, "SeatUntil passed", seatPassed, "", giveSeat},
	{in(Withdrawing), factCreated, "", nil, "", exists},
	{in(Withdrawing), factWithdraw, "by the return button, seat held", pressedReturn, "", withdraw},

	// The next item: of a basket, or the one that the customer chooses.
	{in(Choosing), factRead, "covers", coversInTime, Vending, arm},
	{in(Choosing), factRead, "does not cover", uncovered, Settling, nil},
	{in(Choosing), factSelected, "covers", selected, Vending, armSelected},
	{in(Choosing), factSelected, "does not cover", selectedInVain, Settling, nil},
	{in(Choosing), factComplete, "of a maximum", choosing, Settling, nil},
	{in(Choosing), factNotReady, "", nil, Settling, because(ReasonMachine)},
	{in(Choosing), factWithdraw, "not to make room for another customer", notReplaced, Settling, withdraw},
	{in(Choosing), factClock, "SelectUntil passed", passed(selectUntil), Settling, because(ReasonClock)},

	// The machine has been told.
	{in(Vending), factVerdict, "dropped or not, and more items", verdictAndMore, Choosing, conclude},
	{in(Vending), factVerdict, "dropped or not, the last item", verdictKnown, Settling, conclude},
	{in(Vending), factVerdict, "unknown, hold", verdictUnknown(HoldUnknown), Held, conclude},
	{in(Vending), factVerdict, "unknown, release", verdictUnknown(ReleaseUnknown), Settling, conclude},
	{in(Vending), factSilent, "VerdictUntil passed, once", silentOnce, "", askLonger},
	{in(Vending), factClock, "VerdictUntil passed, hold", verdictPassed(HoldUnknown), Held, concludeUnknown},
	{in(Vending), factClock, "VerdictUntil passed, release", verdictPassed(ReleaseUnknown), Settling, concludeUnknown},

	{in(Vending), factComplete, "of a maximum", maximum, "", lastItem},

	// A person decides.
	{in(Held), factVerdict, "dropped or not", verdictOfHeld, Settling, amend},
	{in(Held), factResolved, "dropped or not", verdictOfHeld, Settling, amend},
	{in(Held), factClock, "HoldUntil passed", passed(holdUntil), Settling, nil},

	// The machine corrects itself before the sum is fixed.
	{in(Choosing, Vending, Held), factVerdict, "of an earlier item", earlierWord, "", amend},

	// The sum is fixed.
	{in(Settling), factRead, "at rest", moneyIs(rest), Closed, balance},
	{in(Settling), factRead, "captured too much", moneyIs(surplus), "", storeOver},
	{in(Settling), factRead, "cannot be captured any more", moneyIs(loss), "", storeLost},
	{in(Settling), factRead, "the attempt is over", moneyIs(again), "", nextAttempt},
	{in(Settling), factCaptureRefused, "in full only, to be refunded", inFullOnly, "", captureInFull},
	{in(Settling), factCaptureRefused, "of this attempt", ofThisAttempt, "", refuseAttempt},
	{in(Settling), factCancelRefused, "", nil, "", refuseCancel},
	{in(Settling), factVerdict, "too late", lateWord, "", amendLate},
	{in(Settling), factResolved, "too late", lateWord, "", amendLate},

	// The payment is at rest.
	{in(Closed), factVerdict, "too late", lateWord, "", amendLate},
	{in(Closed), factResolved, "too late", lateWord, "", amendLate},
	{in(Settling, Closed), factAcknowledged, "needs a person", needsPerson, "", acknowledge},
	{in(Closed), factRead, "appeared, not approved", reappeared, Withdrawing, reopen},
	{in(Closed), factRead, "appeared, reserved", reserved, Settling, reopen},
	{in(Closed), factRead, "answered", looking, "", looked},
	{in(Closed), factRead, "shows the refund", showsRefund, "", refundSeen},
	{in(Closed), factRead, "somebody else has refunded", refundedOtherwise, "", refundDoubtful},
	{in(Closed), factRead, "somebody has acted", changed, "", look},
	{in(Closed), factPostponed, "a task", postponable, "", postpone},
	{in(Closed), factReceipt, "", sending, "", sent},
	{in(Closed), factRefundAsked, "within what was captured", refundable, "", askRefund},
	{in(Closed), factRefunded, "by this attempt", refundShown, "", refundDone},
	{in(Closed), factRefundRefused, "by this attempt", ofThisRefund, "", refuseRefund},
	{in(Closed), factRefundMissing, "the attempt is over", refundOver, "", nextRefund},
}
