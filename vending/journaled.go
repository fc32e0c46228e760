package vending

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vippsvending/vipps"
)

// errJournalTaken is said of a journal that is open already.
var errJournalTaken = errors.New("it is in use, by another process or by this one: only one may drive the motors")

// JournaledMachine is a [Machine] that keeps its promise over crashes and power cuts. [Journaled] makes one. It is safe for
// concurrent use.
type JournaledMachine struct {
	driver  func(context.Context, string) error
	journal *journal
	bus     chan struct{} // full while a motor turns
	closing chan struct{} // closed under mu
	working sync.WaitGroup
	mu      sync.Mutex
	tries   map[string]*try
}

var _ Machine = (*JournaledMachine)(nil)

// try is what is known of one id. A try whose verdict is on disk does not change any more.
type try struct {
	verdict Verdict       // Pending until there is one
	begun   bool          // its start is on disk: after a restart nothing moves for it
	synced  bool          // its verdict is on disk
	err     error         // why it is not
	work    chan struct{} // closed when who turns the motor or writes has finished; nil if nobody does
}

// Journaled makes a driver into a Machine for the box that the motors are wired to. The driver turns the motor of a slot and
// returns when it knows what happened: nil for dropped, [ErrJammed] for certainly not, any other error for nobody knows.
// Before each call of it a record is synced to the file vending.journal in dir, and after it what became of it; so a product
// that may have left before the power went is never let out again, and is said not to have dropped
// only if the driver said so.
//
// The directory must exist and be on a disk of the box that survives its restart; one that network or memory holds does not
// keep the promise. A missing file is made and means that this box has never let anything out. So after the loss of a disk
// let a person settle the open sessions of its machines first. The file never forgets an id; it grows by about 100 bytes a
// sale, which is 4 MB in a year of 100 sales a day, and all of it is read at the start.
//
// One motor turns at a time. Several machines may share a box and a JournaledMachine; boxes with more than one motor bus can
// have one for each, in directories of their own. The driver's context carries the values of Vend's and does not end: a
// driver must come to an end by itself, or no other motor turns.
//
// The error says what to do. It matches [vipps.ErrInvalidRequest] if dir or driver is missing and [errors.ErrUnsupported] on
// a system without file locks; else the directory is missing, the disk cannot be written, another program uses the journal,
// or a line in the middle is damaged, which is named. A last record that a power cut has torn is cut off.
func Journaled(dir string, driver func(ctx context.Context, slot string) error) (*JournaledMachine, error) {
	return journaled(dir, driver, openJournalFile)
}

func journaled(dir string, driver func(context.Context, string) error, open func(string) (journalFile, error)) (*JournaledMachine, error) {
	if dir == "" || driver == nil {
		return nil, fmt.Errorf("vending.Journaled: %w: dir and driver must be given", vipps.ErrInvalidRequest)
	}
	journal, verdicts, err := openJournal(dir, open)
	if err != nil {
		return nil, err
	}
	m := &JournaledMachine{
		driver: driver, journal: journal, bus: make(chan struct{}, 1), closing: make(chan struct{}),
		tries: make(map[string]*try, len(verdicts)),
	}
	shared := map[Verdict]*try{}
	for id, verdict := range verdicts {
		if shared[verdict] == nil {
			shared[verdict] = &try{verdict: verdict, begun: true, synced: true}
		}
		m.tries[id] = shared[verdict]
	}
	return m, nil
}

// Close waits for the motor that turns, records what became of it and gives the journal free. Commands that wait for the
// motor are recorded as not dropped. Afterwards every method but Close gives an error that matches [fs.ErrClosed].
func (m *JournaledMachine) Close() error {
	m.mu.Lock()
	first := !m.isClosing()
	if first {
		close(m.closing)
	}
	m.mu.Unlock()
	m.working.Wait()
	if !first {
		return nil
	}
	return m.journal.close()
}

// Ready implements [Machine] for every machine of the box: nil if a sale can be recorded. The error says what is wrong with
// the disk. After a sync has failed it stays until the program is started again. A motor that turns is no error.
func (m *JournaledMachine) Ready(ctx context.Context, _ string) error {
	return m.journal.ready(ctx)
}

// Vend implements [Machine]. It waits for a motor that turns; if c.Within passes meanwhile, or while the disk takes its time,
// the verdict is NotDropped. If ctx ends before the motor starts, nothing moves. If it ends while the motor turns, Vend gives
// Pending, the motor turns on and Conclude will say what became of it.
//
// An error means that nothing has moved: the journal cannot be written, or c.ID is not 1 to 100 visible ASCII characters
// ([vipps.ErrInvalidRequest]). Until the process ends nothing will move under that id, and Conclude makes it so for ever. A
// verdict that cannot be recorded is given all the same until the process ends; after that it is Unknown.
func (m *JournaledMachine) Vend(ctx context.Context, c Command) (Verdict, error) {
	called := time.Now()
	return m.try(ctx, c.ID, Pending, func(t *try) { m.turn(ctx, c, t, called) })
}

// Conclude implements [Machine]. A start without a verdict that a restart left is Unknown. An error means that an id that
// was not started could not be recorded: nothing is promised about it.
func (m *JournaledMachine) Conclude(ctx context.Context, id string) (Verdict, error) {
	return m.try(ctx, id, NotDropped, func(t *try) { m.record(id, t, NotDropped) })
}

// try says what is known of an id. One that was never heard of begins with a verdict and work that makes it lasting.
func (m *JournaledMachine) try(ctx context.Context, id string, verdict Verdict, work func(*try)) (Verdict, error) {
	if err := checkVendID(id); err != nil {
		return Unknown, err
	}
	m.mu.Lock()
	if m.isClosing() {
		m.mu.Unlock()
		return Unknown, m.journal.gone()
	}
	t, heard := m.tries[id]
	switch {
	case !heard:
		t = &try{verdict: verdict}
		m.tries[id] = t
		m.start(t, work)
	case t.verdict == Pending || t.synced:
		defer m.mu.Unlock()
		return t.verdict, nil
	case t.work == nil: // the disk may be better by now
		known := t.verdict
		m.start(t, func(t *try) { m.record(id, t, known) })
	}
	done := t.work
	m.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case t.verdict == Pending || t.begun || t.synced:
		return t.verdict, nil
	case t.work != nil:
		return Unknown, m.journal.silent(ctx)
	default:
		return Unknown, t.err
	}
}

// start has work done that goes on if its caller leaves. The lock is held.
func (m *JournaledMachine) start(t *try, work func(*try)) {
	done := make(chan struct{})
	t.work = done
	m.working.Go(func() {
		defer func() {
			m.mu.Lock()
			t.work = nil
			m.mu.Unlock()
			close(done)
		}()
		work(t)
	})
}

// turn turns the motor, if it is free in time and the start could be recorded.
func (m *JournaledMachine) turn(ctx context.Context, c Command, t *try, called time.Time) {
	mayStart := func() bool { return ctx.Err() == nil && !m.isClosing() && since(called) < c.Within }
	free := m.await(ctx, c.Within-since(called))
	if free {
		defer func() { <-m.bus }()
	}
	if !free || !mayStart() {
		m.record(c.ID, t, NotDropped)
		return
	}
	if err := m.journal.append(wordStarted, c.ID); err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		t.verdict, t.err = NotDropped, err
		return
	}
	m.mu.Lock()
	t.begun = true
	m.mu.Unlock()
	verdict := Unknown // if the driver does not return
	defer func() { m.record(c.ID, t, verdict) }()
	if !mayStart() { // the sync took its time
		verdict = NotDropped
		return
	}
	switch err := m.driver(context.WithoutCancel(ctx), c.Slot); {
	case err == nil:
		verdict = Dropped
	case errors.Is(err, ErrJammed):
		verdict = NotDropped
	}
}

// await says whether the motor became free in time.
func (m *JournaledMachine) await(ctx context.Context, within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case m.bus <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (m *JournaledMachine) isClosing() bool {
	select {
	case <-m.closing:
		return true
	default:
		return false
	}
}

// record makes a verdict last. If it cannot, what is said depends on whether the start is on disk.
func (m *JournaledMachine) record(id string, t *try, verdict Verdict) {
	word := wordUnknown
	m.mu.Lock()
	switch {
	case !t.begun:
		word = wordFenced
	case verdict == Dropped:
		word = wordDropped
	case verdict == NotDropped:
		word = wordNot
	}
	m.mu.Unlock()
	err := m.journal.append(word, id)
	m.mu.Lock()
	defer m.mu.Unlock()
	t.verdict, t.synced, t.err = verdict, err == nil, err
}
