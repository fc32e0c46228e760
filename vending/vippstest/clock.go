package vippstest

import (
	"container/heap"
	"time"
)

// schedule is what the emulator has to do later: expiries, repeated deliveries, answers held back. It has one timer, and
// only while something is in it. Server.mu guards it, and tasks run with it held.
type schedule struct {
	offset    time.Duration // how far Advance has moved the clock
	tasks     taskHeap
	added     int
	timer     *time.Timer
	advancing bool
	inFlight  int // deliveries on their way
}

type task struct {
	at    time.Time
	seq   int // tasks of the same moment run in the order they were added
	index int // in the heap; -1 when done or dropped
	run   func()
}

// Now is the emulator's time, in UTC.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

func (s *Server) now() time.Time { return s.options.Clock().Add(s.offset).Round(0).UTC() }

// after has run called, with the lock held, when d has passed.
func (s *Server) after(d time.Duration, run func()) *task {
	t := &task{at: s.now().Add(d), seq: s.added, run: run}
	s.added++
	if s.closed {
		t.index = -1
		return t
	}
	heap.Push(&s.tasks, t)
	if t.index == 0 {
		s.arm()
	}
	return t
}

// drop forgets a task, if it has not run.
func (s *Server) drop(t *task) {
	if t == nil || t.index < 0 || s.closed {
		return
	}
	first := t.index == 0
	heap.Remove(&s.tasks, t.index)
	if first {
		s.arm()
	}
}

// arm sets the timer to the next task.
func (s *Server) arm() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if len(s.tasks) == 0 {
		return
	}
	wait := max(s.tasks[0].at.Sub(s.now()), 0)
	s.timer = time.AfterFunc(wait, s.tick)
}

func (s *Server) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.runDue()
		s.arm()
	}
}

// runDue does what is due now.
func (s *Server) runDue() {
	for len(s.tasks) > 0 && !s.tasks[0].at.After(s.now()) {
		if t, ok := heap.Pop(&s.tasks).(*task); ok {
			t.run()
		}
	}
}

// Advance moves the emulator's clock forward by d, stopping at every moment at which something is due. Before it returns,
// payments have expired, lost requests have arrived, and deliveries have been attempted and repeated as often as fits.
// It waits for webhook handlers, so it must not be called by one.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.advancing {
		s.idle.Wait()
	}
	s.advancing = true
	end := s.offset + max(d, 0)
	for s.settle(); len(s.tasks) > 0; s.settle() {
		next := s.offset + s.tasks[0].at.Sub(s.now())
		if next > end {
			break
		}
		s.offset = max(s.offset, next)
	}
	s.offset = max(s.offset, end)
	s.settle()
	s.arm()
	s.advancing = false
	s.idle.Broadcast()
}

// Settle waits until nothing is due: no delivery is on its way and none could be sent now. A delivery that has to be
// repeated later does not count. It must not be called by a webhook handler.
func (s *Server) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
}

func (s *Server) settle() {
	s.runDue()
	for s.inFlight > 0 && !s.closed {
		s.idle.Wait()
		s.runDue()
	}
}

type taskHeap []*task

func (h taskHeap) Len() int { return len(h) }

func (h taskHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].seq < h[j].seq
}

func (h taskHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *taskHeap) Push(x any) {
	if t, ok := x.(*task); ok {
		t.index = len(*h)
		*h = append(*h, t)
	}
}

func (h *taskHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
