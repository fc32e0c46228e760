package vendingtest

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vippsvending/vipps/vending"
)

// fieldChecks fill every field of a session that there is, so that none is forgotten that a later version adds.
func fieldChecks() []storeCheck {
	return []storeCheck{
		{"every field survives", fieldsSurvive},
		{"empty fields stay empty", emptyFields},
		{"sealed values come back", sealedSurvive},
		{"every way to a session gives all of it", sameEverywhere},
	}
}

// same compares two sessions by everything that is exported but the store's clock. Times may differ by less than a
// microsecond. Sealed values are compared by what is in them, which is not printed.
func (p *probe) same(what string, want, got vending.Session) {
	p.Helper()
	if diff := difference(want, got); diff != "" {
		p.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func difference(want, got vending.Session) string {
	want.Now, got.Now = time.Time{}, time.Time{}
	want.Woken, got.Woken = false, false // it is the store's
	return cmp.Diff(want, got,
		cmpopts.EquateEmpty(),
		cmpopts.EquateApproxTime(time.Microsecond-1),
		cmp.Comparer(func(a, b vending.Sealed) bool { return bytes.Equal(a.Open(), b.Open()) }),
		cmp.FilterPath(func(path cmp.Path) bool {
			field, ok := path.Last().(cmp.StructField)
			if !ok {
				return false
			}
			first, _ := utf8.DecodeRuneInString(field.Name())
			return !unicode.IsUpper(first)
		}, cmp.Ignore()),
	)
}

// between wants a moment within two others. A store may round it down to a microsecond.
func (p *probe) between(what string, got, low, high time.Time) {
	p.Helper()
	if got.Before(low.Add(-time.Microsecond)) || got.After(high.Add(time.Microsecond)) {
		p.Errorf("%s: %s, want it between %s and %s", what, got, low, high)
	}
}

// filler gives every value another content, none of them zero.
type filler struct {
	tb testing.TB
	n  int64
}

var sealedType, timeType = reflect.TypeFor[vending.Sealed](), reflect.TypeFor[time.Time]()

func (f *filler) fill(v reflect.Value, name string) {
	f.n++
	switch {
	case v.Type() == sealedType:
		v.Set(reflect.ValueOf(vending.Seal(fmt.Appendf(nil, "sealed %d\x00\xff", f.n))))
		return
	case v.Type() == timeType:
		at := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC).Add(time.Duration(f.n) * (time.Second + time.Microsecond))
		v.Set(reflect.ValueOf(at))
		return
	}
	switch v.Kind() { //nolint:exhaustive // what is not here stops the check
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
		v.SetInt(f.n%100 + 1)
	case reflect.Int64:
		v.SetInt(1<<53 + f.n) // more than a floating point number keeps
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(f.n%100) + 1) //nolint:gosec // it counts up from zero
	case reflect.String:
		v.SetString(fmt.Sprintf("%s %d, 'quoted\" \\ and <odd>: Smørbrød ☕ \u2028\n\x00.", name, f.n))
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() {
				f.fill(value, name+"."+field.Name)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			f.fill(v.Index(i), fmt.Sprintf("%s[%d]", name, i))
		}
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i), fmt.Sprintf("%s[%d]", name, i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), name)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		f.fill(key, name+" key")
		f.fill(value, name+" value")
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	default:
		f.tb.Fatalf("vendingtest does not know how to fill %s, a %s", name, v.Type())
	}
}

// filled is session shop-a with something in every field, on the machine of its own. n makes it differ from others.
func filled(tb testing.TB, n int64) vending.Session {
	tb.Helper()
	var s vending.Session
	f := &filler{tb: tb, n: n * 1000}
	f.fill(reflect.ValueOf(&s).Elem(), "Session")
	s.ID, s.Version = "shop-a", 1
	s.Machine, s.Seat = "machine-of-shop-a", "machine-of-shop-a"
	s.State = vending.State(fmt.Sprint("LaterVersion", n)) // a word, but one that nobody knows yet
	return s
}

func fieldsSurvive(p *probe) {
	s := filled(p, 1)
	got := p.create(s)
	p.same("a session with all fields filled, after Create and Load", s.InTime(s.Now.Add(got.Opened.Sub(s.Opened))), got)
	for n := range int64(3) {
		next := filled(p, 2+n)
		next.Version = got.Version
		if n == 1 {
			next.State = vending.Closed
		}
		if err := p.Save(p.ctx, next); err != nil {
			p.Fatalf("Save of a session with all fields filled: %v", err)
		}
		got = p.load("shop-a")
		next.Version++
		p.same("a session with all fields filled, after Save and Load", next, got)
	}
}

func emptyFields(p *probe) {
	p.create(filled(p, 1))
	empty := vending.Session{ID: "shop-a", Version: 1}
	if err := p.Save(p.ctx, empty); err != nil {
		p.Fatalf("Save of a session with nothing but an id: %v", err)
	}
	empty.Version = 2
	p.same("a session with nothing but an id, after Save and Load", empty, p.load("shop-a"))
}

func sealedSurvive(p *probe) {
	for i, content := range [][]byte{[]byte("a"), {0, 255, 254, '"', '\\', '\n'}, bytes.Repeat([]byte("frozen request "), 5000), nil} {
		s := session(fmt.Sprint("shop-", i))
		s.Body, s.RedirectURL = vending.Seal(content), vending.Seal(append([]byte("https://"), content...))
		got := p.create(s)
		if !bytes.Equal(got.Body.Open(), content) || !bytes.Equal(got.RedirectURL.Open(), append([]byte("https://"), content...)) {
			p.Errorf("a sealed value of %d bytes comes back changed: %d bytes, and RedirectURL %d bytes", len(content), len(got.Body.Open()), len(got.RedirectURL.Open()))
		}
		got = p.change(s.ID, func(s *vending.Session) { s.Body = vending.Sealed{} })
		if !got.Body.IsZero() || !bytes.Equal(got.RedirectURL.Open(), append([]byte("https://"), content...)) {
			p.Errorf("after a Save without Body it has %d bytes, and RedirectURL %d; want it erased, and the other kept", len(got.Body.Open()), len(got.RedirectURL.Open()))
		}
	}
}

func sameEverywhere(p *probe) {
	s := p.create(filled(p, 1))
	seat, err := p.other.Seat(p.ctx, s.Seat)
	if err != nil {
		p.Fatalf("Seat: %v", err)
	}
	p.same("Seat, against Load", s, seat)
	p.one("Open", p.all("Open", p.other.Open(p.ctx)), s)
	s = p.due("shop-a", time.Minute)
	claimed := p.all("Due", p.other.Due(p.ctx, 10, time.Hour))
	s.WakeAt = p.load("shop-a").WakeAt
	p.one("Due", claimed, s)
	s = p.closed("shop-a", s.Now, 0)
	p.one("Closed", p.all("Closed", p.other.Closed(p.ctx, s.Ended, s.Ended.Add(time.Second))), s)
}

func (p *probe) one(name string, got []vending.Session, want vending.Session) {
	p.Helper()
	if len(got) != 1 {
		p.Errorf("%s gives %d sessions, want one", name, len(got))
		return
	}
	p.same(name+", against Load", want, got[0])
}
