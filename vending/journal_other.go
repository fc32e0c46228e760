//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package vending

import (
	"errors"
	"fmt"
)

// openJournalFile refuses: two processes on one journal would let a product out twice.
func openJournalFile(string) (journalFile, error) {
	return nil, fmt.Errorf("this system has no file locks that end with the process: %w", errors.ErrUnsupported)
}
