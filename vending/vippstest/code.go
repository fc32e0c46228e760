package vippstest

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// codeKind is what becomes of a customer who scans a code.
type codeKind int

const (
	oneTimeCode  codeKind = iota // pays the payment
	redirectCode                 // gets to an address
	callbackCode                 // is announced to the merchant
	beaconCode                   // the same, for a code printed by MobilePay
)

// codeID tells codes of one kind apart. Beacons belong to one serial number only, and have none here.
type codeID struct {
	kind    codeKind
	msn, id string
}

// A code is something to be scanned.
type code struct {
	codeID
	merchant string // whose it is
	token    string // in what the code says and in the addresses of its images
	content  string // what it says
	payment  *payment

	redirectURL string
	location    string
	category    string
	created     time.Time
	expires     time.Time // zero is never
	expiry      *task
}

// codes are the ones that can be scanned.
type codes struct {
	named  map[codeID]*code
	tokens map[string]*code
	order  []*code // in order of creation, without the one-time codes
}

func newCodes() codes {
	return codes{named: map[codeID]*code{}, tokens: map[string]*code{}}
}

// addCode makes a code. What it says is new every time: a printed code does not come back with its id.
func (s *Server) addCode(k *code, at time.Time, life time.Duration) {
	k.token = base64.RawURLEncoding.EncodeToString(random(12))
	k.created = at
	switch k.kind {
	case oneTimeCode:
		k.id = k.token
	case beaconCode:
		k.content = "mobilepaypos://pos?id=" + url.QueryEscape(k.id) + "&source=qr"
	case redirectCode, callbackCode:
		k.content = s.options.PublicURL + printedPath + k.token
	}
	s.codes.named[k.codeID] = k
	s.codes.tokens[k.token] = k
	if k.kind != oneTimeCode {
		s.codes.order = append(s.codes.order, k)
	}
	if life > 0 {
		k.expires = k.created.Add(life)
		k.expiry = s.after(life, func() { s.removeCode(k) })
	}
}

func (s *Server) removeCode(k *code) {
	s.drop(k.expiry)
	delete(s.codes.named, k.codeID)
	delete(s.codes.tokens, k.token)
	s.codes.order = slices.DeleteFunc(s.codes.order, func(other *code) bool { return other == k })
}

// codesOf are the codes of one kind and merchant, in order of creation.
func (s *Server) codesOf(kind codeKind, msn string) []*code {
	var list []*code
	for _, k := range s.codes.order {
		if k.kind == kind && k.merchant == msn {
			list = append(list, k)
		}
	}
	return list
}

// printed finds a code by what it says. Beacons are also found by their id alone.
func (s *Server) printed(content string) *code {
	if token, ok := strings.CutPrefix(content, s.options.PublicURL+printedPath); ok {
		if k := s.codes.tokens[token]; k != nil && k.content == content {
			return k
		}
		return nil
	}
	id := content
	if u, err := url.Parse(content); err == nil && u.Query().Get("id") != "" {
		id = u.Query().Get("id")
	}
	return s.codes.named[codeID{kind: beaconCode, id: id}]
}

// expiresIn is in seconds; -1 is never.
func (k *code) expiresIn(now time.Time) int64 {
	if k.expires.IsZero() {
		return -1
	}
	return int64((k.expires.Sub(now) + time.Second - 1) / time.Second)
}

// imageURL is where the code is drawn. Anybody may look at it.
func (s *Server) imageURL(k *code, p picture) string {
	if p.format == "text" {
		return k.content
	}
	query := "?code=" + k.token
	if p.format == "png" {
		query += "&size=" + strconv.Itoa(p.size)
		if p.border >= 0 {
			query += "&border=" + strconv.Itoa(p.border)
		}
	}
	return s.options.PublicURL + drawnPath + p.format + query
}

// RedirectCode is what the emulator's books say about a merchant redirect code.
type RedirectCode struct {
	MSN, ID     string
	RedirectURL string // where it leads at present
	Content     string // what the code says, for [Server.Scan]
	Created     time.Time
	Expires     time.Time // zero is never
}

// RedirectCodes are the merchant redirect codes there are, in order of creation.
func (s *Server) RedirectCodes() []RedirectCode {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	var list []RedirectCode
	for _, k := range s.codes.order {
		if k.kind == redirectCode {
			list = append(list, RedirectCode{k.merchant, k.id, k.redirectURL, k.content, k.created, k.expires})
		}
	}
	return list
}

// CallbackCode is what the emulator's books say about a merchant callback code.
type CallbackCode struct {
	MSN, ID  string
	Location string
	Category string // IN_STORE or VENDING; empty for a beacon
	Content  string // what the code says, for [Server.Scan]
	Beacon   bool   // printed by MobilePay; ID is that of the beacon
	Created  time.Time
}

// CallbackCodes are the merchant callback codes there are and the MobilePay beacons that were taken over, in order of
// creation.
func (s *Server) CallbackCodes() []CallbackCode {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue()
	var list []CallbackCode
	for _, k := range s.codes.order {
		if k.kind == callbackCode || k.kind == beaconCode {
			list = append(list, CallbackCode{k.merchant, k.id, k.location, k.category, k.content, k.kind == beaconCode, k.created})
		}
	}
	return list
}
