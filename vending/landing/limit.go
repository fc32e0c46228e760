package landing

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Limits say how often pay may be pressed and how many pages may be kept up to date at once. Each session takes a machine
// for a while, so without limits anybody could keep machines from their customers. Zero fields take the defaults.
type Limits struct {
	// Address is for one address, over all machines: an IPv4 address, or the /64 of an IPv6 address. The customers of a mobile
	// network may share one. Defaults to 8, and one more every 15 seconds.
	Address Rate
	// Machine is for one machine, whoever presses. It should allow more than Address, or one address can use it up. Defaults
	// to 20, and one more every 3 seconds.
	Machine Rate
	// Live is how many pages this process keeps up to date at once, and LivePerAddress how many of one address; others ask
	// every other second. Each asks the store once a second. Default to 500 and 20.
	Live, LivePerAddress int
}

// Rate is a number of tries that is there from the start and grows by one Every so often up to that number again.
type Rate struct {
	Burst int
	Every time.Duration
}

func (l *Limits) validate(require func(bool, string, ...any)) {
	require(l.Address.Burst >= 0 && l.Address.Every >= 0, "Limits.Address: must not be negative")
	require(l.Machine.Burst >= 0 && l.Machine.Every >= 0, "Limits.Machine: must not be negative")
	require(l.Live >= 0 && l.LivePerAddress >= 0, "Limits.Live: must not be negative")
}

func (l *Limits) setDefaults() {
	l.Address.setDefaults(Rate{8, 15 * time.Second})
	l.Machine.setDefaults(Rate{20, 3 * time.Second})
	if l.Live == 0 {
		l.Live = 500
	}
	if l.LivePerAddress == 0 {
		l.LivePerAddress = 20
	}
}

func (r *Rate) setDefaults(defaults Rate) {
	if r.Burst == 0 {
		r.Burst = defaults.Burst
	}
	if r.Every == 0 {
		r.Every = defaults.Every
	}
}

// maxKept bounds the memory of a limiter.
const maxKept = 10_000

// limiter is a bucket of tries for each key. It keeps when a bucket is full again: one that is full need not be kept.
type limiter[K comparable] struct {
	rate Rate
	mu   sync.Mutex
	full map[K]time.Time
}

func newLimiter[K comparable](rate Rate) *limiter[K] {
	return &limiter[K]{rate: rate, full: map[K]time.Time{}}
}

// take takes a try, or says how long there will be none.
func (l *limiter[K]) take(key K) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	full := l.full[key]
	if full.Before(now) {
		full = now
	}
	if missing := full.Sub(now) + l.rate.Every - time.Duration(l.rate.Burst)*l.rate.Every; missing > 0 {
		return missing, false
	}
	l.forget(now)
	l.full[key] = full.Add(l.rate.Every)
	return 0, true
}

// forget makes room: first of what is full again; if that is not enough somebody uses more addresses than can be counted.
func (l *limiter[K]) forget(now time.Time) {
	if len(l.full) < maxKept {
		return
	}
	for key, full := range l.full {
		if !full.After(now) {
			delete(l.full, key)
		}
	}
	if len(l.full) >= maxKept {
		clear(l.full)
	}
}

// seats counts who is there at once, of all and of each address.
type seats struct {
	all, each int
	mu        sync.Mutex
	taken     int
	of        map[netip.Addr]int
}

// enter takes a seat until leave is called.
func (s *seats) enter(address netip.Addr) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.all || s.of[address] >= s.each {
		return nil, false
	}
	s.taken++
	s.of[address]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.of[address]--; s.of[address] == 0 {
			delete(s.of, address)
		}
	}, true
}

// remoteAddress is the other end of the connection; the zero Addr if that is no address.
func remoteAddress(r *http.Request) netip.Addr {
	remote, _ := netip.ParseAddrPort(r.RemoteAddr)
	return remote.Addr()
}

// network is who is counted as one: of IPv6 a customer has 64 bits to themselves.
func network(address netip.Addr) netip.Addr {
	address = address.Unmap().WithZone("")
	if prefix, err := address.Prefix(64); err == nil && address.Is6() {
		return prefix.Addr()
	}
	return address
}
