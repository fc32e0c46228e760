package landing

import (
	"time"

	"github.com/vippsvending/vipps/vending"
)

// For tests of what no page shows by itself.
var (
	Accepted    = accepted
	ParseBasket = parseBasket
	BrandOf     = brandOf
	FormatOf    = formatOf
	Texts       = texts
	Languages   = languages
)

const MaxKept = maxKept

// Limiter is a limiter that can be looked into.
type Limiter[K comparable] struct{ l *limiter[K] }

func NewLimiter[K comparable](rate Rate) Limiter[K] { return Limiter[K]{newLimiter[K](rate)} }

func (l Limiter[K]) Take(key K) (time.Duration, bool) { return l.l.take(key) }

func (l Limiter[K]) Kept() int { return len(l.l.buckets) }

func (b *basket) Step(pressed string) bool { return b.step(pressed) }

func (b *basket) Count() (count int, sum int64) { return b.count() }

func (b *basket) Shown() []vending.Shown { return b.shown() }
