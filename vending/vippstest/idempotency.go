package vippstest

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"
)

// keyID is the scope of an idempotency key: one serial number and one operation, whatever the reference.
type keyID struct{ msn, op, key string }

// kept is what was answered to a key.
type kept struct {
	request [sha256.Size]byte // of the reference and the body
	reply   reply
	at      time.Time
}

func (c *call) keyID() keyID { return keyID{c.msn, c.route.op, c.key} }

func (c *call) fingerprint() [sha256.Size]byte {
	return sha256.Sum256([]byte(c.reference + "\n" + string(c.body)))
}

// remembered is the answer to a key that came before: the same again, or a conflict if it came with something else.
func (s *Server) remembered(c *call) (reply, bool) {
	k, ok := s.keptFor(c.keyID(), c.at)
	switch {
	case !ok:
		return reply{}, false
	case k.request == c.fingerprint():
		return k.reply, true
	default:
		conflict := refusal{code: c.route.conflict, detail: fmt.Sprintf("Idempotency-Key %s already exists.", c.key)}
		if c.route.op == "refund" {
			conflict.title = "Refund idempotency conflict" // 4150 means something else for create
		}
		return c.route.refuse(c, conflict), true
	}
}

func (s *Server) keptFor(id keyID, now time.Time) (kept, bool) {
	k, ok := s.keys[id]
	if after := s.options.Switches.KeysForgottenAfter; ok && after > 0 && now.Sub(k.at) >= after {
		delete(s.keys, id)
		return kept{}, false
	}
	return k, ok
}

// remember keeps the answer for the key. A refusal is as final as a success; only what says that the payment is busy
// right now is not kept.
func (s *Server) remember(c *call, r reply) {
	if r.status >= 500 || r.status == http.StatusLocked {
		return
	}
	if s.options.Switches.RefusalsNotSticky && (r.code == "6250" || r.code == "6280") {
		return
	}
	s.keys[c.keyID()] = kept{c.fingerprint(), r, c.at}
}
