package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
)

// Errors of the database, for errors.Is. Each says what to do. The driver's error is in the chain as well.
var (
	// ErrFull means that there is no room. Nothing was stored.
	ErrFull = errors.New("the disk or the database is full; nothing was stored: free space on its disk, or raise the limit of the database")
	// ErrLocked means that somebody else kept the database to themselves for too long. Nothing was stored.
	ErrLocked = errors.New("the database is locked by somebody else; nothing was stored: end what keeps a transaction open (a shell, a backup, a copy of this program that hangs)")
	// ErrReadOnly means that the database cannot be written to. Nothing was stored.
	ErrReadOnly = errors.New("the database is read-only; nothing was stored: check the owner and mode of the file and its folder, or connect to the primary instead of a standby")
	// ErrGone means that the database does not answer or has been closed. What was being stored may be stored or not.
	ErrGone = errors.New("the database does not answer; what was being stored may be stored or not: start it, or check the network, the address and the limit of connections")
	// ErrNoFile means that SQLite cannot open its file, or make it. Nothing was stored.
	ErrNoFile = errors.New("the file cannot be opened: its folder must exist and be writable; nothing was stored")
	// ErrDenied means that the database does not let this user in, or not do this.
	ErrDenied = errors.New("the database refuses this user; nothing was stored: check the password, or grant the rights to read and write the tables that begin with vending_")
	// ErrMissing means that the tables are not there.
	ErrMissing = errors.New("the tables that begin with vending_ are not there: check the address and, of PostgreSQL, search_path and the rights on the schema; a program that starts makes them")
	// ErrDamaged means that the file or the disk is broken.
	ErrDamaged = errors.New("the database is damaged: stop every program that uses it, copy its files, check the disk, and restore a backup")
	// ErrNotDurable means that the database may lose what it has acknowledged when the power goes.
	ErrNotDurable = errors.New("the database is not durable")
	// ErrNewer means that a newer version of this package has changed the tables. Nothing was changed.
	ErrNewer = errors.New("the tables are of a newer version of this program")
	// ErrKey means that a sealed value cannot be opened because its key is not among those that were given.
	ErrKey = errors.New("its key is missing")
	// ErrCorrupt means that a row does not hold a session. Others are not affected.
	ErrCorrupt = errors.New("what is stored is corrupt")
)

// explain says what failed, about which session, and, if it can tell, what to do. Answers of the store are given as they are.
func explain(what, id string, err error) error {
	if answered(err) {
		return err
	}
	if id != "" {
		what += " session " + id
	}
	if kind := kindOf(err); kind != nil && !errors.Is(err, kind) {
		return fmt.Errorf("sqlstore: %s: %w: %w", what, kind, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", what, err)
}

// kinds are PostgreSQL's codes, or the classes they begin with, and the texts of SQLite, which are the same in every driver.
var kinds = []struct {
	kind  error
	codes []string
	texts []string
}{
	{ErrFull, []string{"53100"}, []string{"database or disk is full"}},
	{ErrLocked, []string{"55P03"}, []string{"database is locked", "database table is locked"}},
	{ErrReadOnly, []string{"25006"}, []string{"attempt to write a readonly database"}},
	{ErrDenied, []string{"28", "42501"}, []string{"access permission denied"}},
	{ErrGone, []string{"08", "57P", "53300", "3D000"}, []string{"sql: database is closed"}},
	{ErrNoFile, nil, []string{"unable to open database file"}},
	{ErrDamaged, []string{"XX001", "XX002", "58"}, []string{"database disk image is malformed", "file is not a database", "disk I/O error"}},
	{ErrMissing, []string{"42P01", "42703", "3F000"}, []string{"no such table", "no such column"}},
}

// kindOf finds out, without knowing the driver, what has happened to the database; nil if it cannot tell.
func kindOf(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil // the caller's affair
	}
	code, text := sqlState(err), err.Error()
	for _, k := range kinds {
		if slices.ContainsFunc(k.codes, func(c string) bool { return code != "" && strings.HasPrefix(code, c) }) ||
			code == "" && slices.ContainsFunc(k.texts, func(t string) bool { return strings.Contains(text, t) }) {
			return k.kind
		}
	}
	if _, broken := errors.AsType[net.Error](err); broken || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrGone
	}
	return nil
}

// sqlState is PostgreSQL's code of an error, which its drivers give in the same way; empty if it has none.
func sqlState(err error) string {
	if coded, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		return coded.SQLState()
	}
	return ""
}

// taken says that a unique index refused a row: the seat's, as nothing else can collide in a save.
func taken(err error) bool {
	return err != nil && (sqlState(err) == "23505" || strings.Contains(err.Error(), "UNIQUE constraint failed"))
}

// crossed says that PostgreSQL gave up on a statement because of others: it is to be tried again.
func crossed(err error) bool {
	state := sqlState(err)
	return state == "40001" || state == "40P01"
}
