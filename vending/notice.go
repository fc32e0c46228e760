package vending

// Transition is a session that has just been stored, and what brought it there.
type Transition struct {
	Session Session
	Step    Step
}

// NoticeKind says what happened.
type NoticeKind string

// The notices.
const (
	// NoticeOrphan is a payment under our reference that is not ours: it is left alone. Look it up in the portal.
	NoticeOrphan NoticeKind = "orphan"
	// NoticePartialCapture is a part that could not be captured (6140). The doors that reserve a maximum are closed in this
	// process; set Config.NoPartialCapture, or ask Vipps MobilePay for partial captures.
	NoticePartialCapture NoticeKind = "partial capture"
	// NoticeCheckIn is a scan that was not served: Err is a *[BusyError], or says why.
	NoticeCheckIn NoticeKind = "check-in"
)

// Notice is something that somebody should know.
type Notice struct {
	Kind    NoticeKind
	Machine string
	Session string // empty if there is none
	Err     error
}

// notifyOrphan tells once of each.
func (o *Operator) notifyOrphan(machine, session string) {
	o.mu.Lock()
	told := o.orphans[session]
	if len(o.orphans) >= 10_000 {
		clear(o.orphans)
	}
	o.orphans[session] = true
	o.mu.Unlock()
	if !told {
		o.notify(Notice{Kind: NoticeOrphan, Machine: machine, Session: session, Err: errOrphan})
	}
}

func (o *Operator) notify(n Notice) {
	if o.config.Notify != nil {
		o.config.Notify(n)
	}
}
