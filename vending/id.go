package vending

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
)

// idLetters of five random bits each follow the machine in a session's id.
const idLetters = 13

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// random is n characters of five random bits each.
func random(n int) string {
	bytes := make([]byte, n)
	_, _ = rand.Read(bytes) // never fails
	return letters.EncodeToString(bytes)[:n]
}

const machineRule = "Machine: must be 1 to 25 of a-z, 0-9 and hyphens, and not begin with 0"

func isMachine(name string) bool {
	ok := len(name) > 0 && len(name) <= 25 && name[0] != '0'
	for _, c := range name {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	return ok
}

// newID has 65 random bits: an id from a counter would find the payments of another time when a backup is restored.
func newID(machine string) string { return machine + "-" + random(idLetters) }

// derivedID has them of a sum that nobody outside can choose, so that the same request finds its own session.
func derivedID(machine string, sum []byte) string {
	return machine + "-" + letters.EncodeToString(sum)[:idLetters]
}

// MachineOf is the machine that a vend id, or a session's id, belongs to: they begin with its name. A [Machine] that serves
// a fleet finds by it whom to ask in Conclude. It is empty for an id that is neither.
func MachineOf(id string) string {
	for _, session := range []string{id, sessionOf(id)} { // a session's id may end as if it had a vend's
		if i := strings.LastIndex(session, "-"); i > 0 && len(session)-i-1 == idLetters {
			return session[:i]
		}
	}
	return ""
}

// sessionOf is the session that a vend id belongs to.
func sessionOf(vend string) string {
	if i := strings.LastIndex(vend, "-v"); i > 0 {
		return vend[:i]
	}
	return ""
}
