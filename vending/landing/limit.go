package landing

import (
	"context"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// Limits say how often pay may be pressed and how many pages may be kept up to date at once. Each session takes a machine
// for a while, so without limits anybody could keep machines from their customers. Zero fields take the defaults.
type Limits struct {
	// Address is for one address, over all machines: an IPv4 address, or the /64 of an IPv6 address; its /48 has ten times as
	// much. The customers of a mobile network may share one. Defaults to 8, and one more every 15 seconds.
	Address Rate
	// Machine is for one address at one machine: an IPv4 address, or the /48 of an IPv6 address. Only purchases that were not
	// paid use it up: one that the machine let something out for, or tried to, gives its try back. Defaults to 3, and one more
	// every 5 minutes.
	Machine Rate
	// Live is how many pages this process keeps up to date at once, and LivePerAddress how many of one address, counted as for
	// Address; others ask every other second. Each asks the store once a second. Default to 500 and 20.
	Live, LivePerAddress int
}

// Rate is a number of tries that is there from the start and grows by one Every so often up to that number again.
type Rate struct {
	Burst int
	Every time.Duration
}

func (l *Limits) validate(require func(bool, string, ...any)) {
	l.Address.validate(require, "Limits.Address")
	l.Machine.validate(require, "Limits.Machine")
	require(l.Live >= 0 && l.LivePerAddress >= 0, "Limits.Live: must not be negative")
}

func (l *Limits) setDefaults() {
	l.Address.setDefaults(Rate{8, 15 * time.Second})
	l.Machine.setDefaults(Rate{3, 5 * time.Minute})
	if l.Live == 0 {
		l.Live = 500
	}
	if l.LivePerAddress == 0 {
		l.LivePerAddress = 20
	}
}

func (r *Rate) validate(require func(bool, string, ...any), where string) {
	require(r.Burst >= 0 && r.Burst <= 10_000 && r.Every >= 0 && r.Every <= 24*time.Hour, "%s: must be 0 to 10000, and one more every day at least", where)
}

func (r *Rate) setDefaults(defaults Rate) {
	if r.Burst == 0 {
		r.Burst = defaults.Burst
	}
	if r.Every == 0 {
		r.Every = defaults.Every
	}
}

const (
	// maxKept bounds the memory of a limiter.
	maxKept = 10_000
	// wideShare is how many times an address's share the network around it has, a /48.
	wideShare = 10
	// maxSpent is how many sessions of a bucket are remembered.
	maxSpent = 10
)

// limiter is a bucket of tries for each key.
type limiter[K comparable] struct {
	rate    Rate
	mu      sync.Mutex
	buckets map[K]bucket
}

// bucket is somebody's tries.
type bucket struct {
	full  time.Time // when all of them are there again
	spent []string  // the sessions that the last of them went on
}

func newLimiter[K comparable](rate Rate) *limiter[K] {
	return &limiter[K]{rate: rate, buckets: map[K]bucket{}}
}

// take takes a try, or says how long there will be none.
func (l *limiter[K]) take(key K) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.wait(key); wait > 0 {
		return wait, false
	}
	l.charge(key, "")
	return 0, true
}

// look says whether there is a try, or how long there will be none.
func (l *limiter[K]) look(key K) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait = l.wait(key)
	return max(0, wait), wait <= 0
}

// spend takes the try that went on a session, once.
func (l *limiter[K]) spend(key K, session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.buckets[key].spent, session) {
		l.charge(key, session)
	}
}

// giveBack gives it back, once.
func (l *limiter[K]) giveBack(key K, session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if i := slices.Index(b.spent, session); i >= 0 {
		l.buckets[key] = bucket{b.full.Add(-l.rate.Every), slices.Concat(b.spent[:i], b.spent[i+1:])}
	}
}

// spent are the sessions that the last tries went on.
func (l *limiter[K]) spent(key K) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.buckets[key].spent)
}

func (l *limiter[K]) wait(key K) time.Duration {
	left := max(0, time.Until(l.buckets[key].full))
	return left + l.rate.Every - time.Duration(l.rate.Burst)*l.rate.Every
}

func (l *limiter[K]) charge(key K, session string) {
	l.forget()
	b := l.buckets[key]
	if now := time.Now(); b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(l.rate.Every)
	if session != "" {
		b.spent = append(b.spent[max(0, len(b.spent)-maxSpent+1):], session)
	}
	l.buckets[key] = b
}

// forget makes room: of those who have most of their tries, so that nobody gets theirs back by coming from many addresses.
func (l *limiter[K]) forget() {
	if len(l.buckets) < maxKept {
		return
	}
	keys := slices.SortedFunc(maps.Keys(l.buckets), func(a, b K) int { return l.buckets[a].full.Compare(l.buckets[b].full) })
	for _, key := range keys[:maxKept/4] {
		delete(l.buckets, key)
	}
}

// seats counts who is there at once: all of them, and those of an address and of the network around it.
type seats struct {
	all, each int
	mu        sync.Mutex
	taken     int
	near      map[netip.Addr]int
	wide      map[netip.Addr]int
}

// enter takes a seat until leave is called.
func (s *seats) enter(address netip.Addr) (leave func(), ok bool) {
	near, wide := network(address, 64), network(address, 48)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.all || s.near[near] >= s.each || s.wide[wide] >= wideShare*s.each {
		return nil, false
	}
	s.taken++
	s.near[near]++
	s.wide[wide]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.near[near]--; s.near[near] == 0 {
			delete(s.near, near)
		}
		if s.wide[wide]--; s.wide[wide] == 0 {
			delete(s.wide, wide)
		}
	}, true
}

// remoteAddress is the other end of the connection; the zero Addr if that is no address.
func remoteAddress(r *http.Request) netip.Addr {
	remote, _ := netip.ParseAddrPort(r.RemoteAddr)
	return remote.Addr()
}

// network is who is counted as one: of IPv6 a customer has many bits to themselves.
func network(address netip.Addr, bits int) netip.Addr {
	address = address.Unmap().WithZone("")
	if prefix, err := address.Prefix(bits); err == nil && address.Is6() {
		return prefix.Addr()
	}
	return address
}

// place is somebody at a machine.
type place struct {
	network netip.Addr
	machine string
}

func (s *Site) placeOf(r *http.Request, machine string) place {
	return place{network(s.config.ClientAddress(r), 48), machine}
}

// mayPress counts a press of the button.
func (s *Site) mayPress(r *http.Request) (time.Duration, bool) {
	address := s.config.ClientAddress(r)
	if wait, ok := s.addresses.take(network(address, 64)); !ok {
		return wait, false
	}
	return s.networks.take(network(address, 48))
}

// mayOpen says whether somebody may open a session at a machine; what they open is spent. Who has no try left gets those
// back that went on purchases that were paid.
func (s *Site) mayOpen(ctx context.Context, at place) (time.Duration, bool) {
	if _, ok := s.places.look(at); ok {
		return 0, true
	}
	for _, id := range s.places.spent(at) {
		if session, err := s.config.Operator.Session(ctx, id); err == nil && served(session) {
			s.places.giveBack(at, id)
		}
	}
	return s.places.look(at)
}

// served says that a session was paid, as far as that was the customer's to do: the machine has let something out, or could not.
func served(s *vending.Session) bool { return told(s) || s.Reason == vending.ReasonMachine }
