package database

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Variable holds the key, as 64 hexadecimal digits.
const Variable = "VIPPS_STORE_KEY"

// NewKey makes a key.
func NewKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return hex.EncodeToString(key)
}

// keyGiven is the one in the environment: processes that share a server must have the same.
func keyGiven() ([]byte, error) {
	text := os.Getenv(Variable)
	if text == "" {
		return nil, errors.New(Variable + ": must be set for PostgreSQL, to 64 hexadecimal digits, such as those of openssl rand -hex 32")
	}
	return parse(Variable, text)
}

// keyBeside is the one in the environment, or in a file that is made on first use.
func keyBeside(path string) ([]byte, error) {
	if os.Getenv(Variable) != "" {
		return keyGiven()
	}
	text, err := os.ReadFile(path) //nolint:gosec // who runs the example says where
	if errors.Is(err, fs.ErrNotExist) {
		if err = writeKey(path); err == nil || errors.Is(err, fs.ErrExist) { // another process may have been quicker
			text, err = os.ReadFile(path) //nolint:gosec // as above
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the key of -db: %w", err)
	}
	return parse(path, string(text))
}

// writeKey makes a file with a new key, whole or not at all.
func writeKey(path string) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // its other name stays
	_, err = file.WriteString(NewKey() + "\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Link(file.Name(), path)
}

// parse reads a key. Its error does not repeat it.
func parse(where, text string) ([]byte, error) {
	key, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s: must be 64 hexadecimal digits", where)
	}
	return key, nil
}
