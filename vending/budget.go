package vending

import (
	"sync"
	"time"
)

// budget is how many payments this process reads a second to see whether customers have approved. A 429 halves it; within
// a minute it is whole again.
type budget struct {
	most float64 // a second; 0 is none

	mu   sync.Mutex
	rate float64 // what it is now
	left float64 // what may be used at once
	at   time.Time
	cut  time.Time     // when it was halved
	full time.Time     // until when it is promised
	mean time.Duration // how long those have waited for whom there was none left
}

// burst is how much of its rate a budget saves up: what comes to one turn of the loop, and a little more.
const burst = 250 * time.Millisecond

func newBudget(most int) *budget {
	b := &budget{most: float64(max(0, most)), at: time.Now()}
	b.rate = b.most
	b.left = b.most
	return b
}

// take says how many of n reads may be made now, and counts them.
func (b *budget) take(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	passed := max(0, now.Sub(b.at)).Seconds()
	b.at = now
	b.rate = min(b.most, b.rate+passed*b.most/60)
	b.left = min(b.left+passed*b.rate, max(min(1, b.most), b.rate*burst.Seconds()))
	n = min(n, int(b.left))
	b.left -= float64(n)
	return n
}

// book says in how long a read that could not be made now, for a customer who has waited for so long, should be tried again:
// they follow one another as the budget allows, those that have waited less than others sooner.
func (b *budget) book(waited time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(time.Duration(float64(time.Second) / max(b.most, 0.1)))
	b.mean += (waited - b.mean) / 64
	in := b.full.Sub(now)
	return min(max(in/2, time.Duration(float64(in)*float64(waited)/float64(max(b.mean, time.Second)))), 2*in)
}

// refused halves the rate, at most once a second: many calls are under way when the first 429 comes.
func (b *budget) refused() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); now.Sub(b.cut) >= time.Second {
		b.cut = now
		b.rate = max(b.rate/2, min(1, b.most))
		b.left = min(b.left, 1)
	}
}
