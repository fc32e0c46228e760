package vendingtest

import (
	"time"
)

const (
	// stall is how long what is late or paused stays away: longer than the next process needs to take over, and shorter than
	// the two minutes that a request may be on its way. A process that has just had an answer is on no way, and may stand
	// still for long: until whatever it could send next is void.
	stall = 40 * time.Second
	coma  = 15 * time.Minute
	// far is how far ahead a session's next moment must be for the processes to be stopped until then. No worker keeps one to
	// itself for so long.
	far = 28 * time.Second
	// calm is for how many seconds nothing may be open until things are at rest.
	calm = 10
	// tail is how long what is still on its way is waited for.
	tail = 3 * time.Minute
	// patience is for how many seconds things may be going on before they come to rest, not counting those in which nothing
	// was due.
	patience = 3000
)

// live is the run from the first process's start to the audit.
func (w *world) live() {
	w.first.start()
	w.asks.Go(w.visit)
	if struck := w.rest(); struck {
		w.launch("second", plan{}).start()
		<-w.released
		if w.plan.side == Late {
			<-w.arrived
		}
		w.rest()
	}
	w.halt()
	w.audit()
}

// unwind ends what is left of the processes.
func (w *world) unwind() {
	close(w.over)
	w.mu.Lock()
	w.ended = true
	w.news.Broadcast()
	w.mu.Unlock()
	for _, p := range w.processes {
		p.cancel()
		<-p.unwound
	}
	w.asks.Wait()
	timer := time.NewTimer(tail) // for webhooks, which nobody waits for
	<-timer.C
}

func (w *world) visit() {
	err := w.scenario.Visit(w.t, &Visit{Vipps: w.vipps, Machine: w.machine, world: w})
	switch {
	case err != nil && w.plan.side == "":
		w.violated("the visit: %v", err)
	case err != nil:
		w.tracef("visit", "%v", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
}

// halt stops the processes that live, and start has them go on.
func (w *world) halt() {
	for _, p := range w.processes {
		if !p.isDead() {
			p.halt()
		}
	}
}

func (w *world) start() {
	for _, p := range w.processes {
		if !p.isDead() {
			p.start()
		}
	}
}

// rest returns when everything has come to rest, or at once when a process comes to grief for the first time.
func (w *world) rest() (struck bool) {
	taken := len(w.processes) > 1
	quiet, naps := 0, 0
	for busy := 0; busy < patience && !w.processes[len(w.processes)-1].tireless(); busy++ {
		if !taken && w.fallen() {
			return true
		}
		w.settle()
		left, next := w.unfinished()
		switch idle := w.idle(); {
		case idle && left == 0 && quiet > calm:
			w.nap(tail)
			sleep(w.t.Context(), 2*time.Second)
			if left, _ = w.unfinished(); left > 0 {
				quiet = 0
			} else if w.rested() {
				return !taken && w.fallen()
			}
		case idle && left == 0:
			quiet++
			sleep(w.t.Context(), time.Second)
		case idle && next > far:
			w.nap(min(next-time.Second, time.Hour))
			busy--
			if naps++; naps > patience {
				busy = patience
			}
		default:
			quiet = 0
			sleep(w.t.Context(), time.Second)
		}
	}
	w.violated("nothing comes to rest")
	return false
}

// nap lets time pass in which nothing is due, until the visit has something to do or a webhook has woken a session. It is
// cheaper without anybody asking every quarter of a second.
func (w *world) nap(d time.Duration) {
	w.halt()
	for part, next := far, d; d > 0 && next > 0 && w.idle(); part = min(2*part, 10*time.Minute) {
		sleep(w.t.Context(), min(d, part))
		w.settle()
		d -= part
		_, next = w.unfinished()
	}
	w.start()
}

// settle has a visit look whether what it waits for has happened, and do what follows.
func (w *world) settle() {
	w.changed()
	sleep(w.t.Context(), time.Millisecond)
}

// unfinished counts the sessions that are open, and says how far ahead the next thing to do is.
func (w *world) unfinished() (left int, next time.Duration) {
	next = time.Hour
	for s, err := range w.desk.Open(w.t.Context()) {
		if err != nil {
			w.violated("the store: %v", err)
			continue
		}
		left++
		next = min(next, s.WakeAt.Sub(s.Now))
	}
	return left, next
}

// idle says that the visit is over or waits for something to happen.
func (w *world) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.done || w.waiting
}

// rested tells a visit that waits in vain, or says that it is over.
func (w *world) rested() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.still++
	w.news.Broadcast()
	return w.done
}

// wait blocks a visit until something has happened or everything is at rest.
func (w *world) wait(happened func() bool) {
	for {
		w.mu.Lock()
		still := w.still
		w.waiting = true
		w.mu.Unlock()
		if happened() {
			break
		}
		w.mu.Lock()
		if w.still == still && !w.ended {
			w.news.Wait()
		}
		rested := w.still != still || w.ended
		w.mu.Unlock()
		if rested {
			happened()
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = false
}

// changed has a visit look again.
func (w *world) changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.news.Broadcast()
}

// atWork waits for a process that lives.
func (w *world) atWork() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.current == nil {
		w.news.Wait()
	}
	return w.current
}

// fallen says that the first process has come to grief.
func (w *world) fallen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fell
}

// fall is the first process coming to grief.
func (w *world) fall(side Side) {
	w.mu.Lock()
	w.current, w.fell = nil, true
	w.mu.Unlock()
	if side == Before || side == After {
		w.release()
		return
	}
	go func() {
		d := stall
		if w.plan.at.answer {
			d = coma
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			w.release()
		case <-w.released:
		}
	}()
}

// countdown lets what is late or paused go on when the next process has done enough.
func (w *world) countdown(effects int) {
	if effects == w.plan.release {
		w.release()
	}
}

func (w *world) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.released:
	default:
		close(w.released)
	}
}
