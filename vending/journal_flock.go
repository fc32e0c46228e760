//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package vending

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// openJournalFile opens a journal for this process alone, makes it if there is none, and syncs its name. The lock ends with
// the process.
func openJournalFile(path string) (journalFile, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the program says where its journal is
	if err != nil {
		return nil, err
	}
	descriptor := int(file.Fd()) //nolint:gosec // descriptors are small
	if err := syscall.Flock(descriptor, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errJournalTaken
		}
		return nil, errors.Join(err, file.Close())
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func syncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // the program says where its journal is
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
