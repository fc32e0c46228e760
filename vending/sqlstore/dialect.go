package sqlstore

import (
	"context"
	"database/sql"
	"time"
)

// Dialect is the kind of database that a store lives in.
type Dialect string

// The dialects.
const (
	// SQLite is for one machine, or for a few processes on one computer. It needs SQLite 3.42 or newer.
	SQLite Dialect = "SQLite"
	// PostgreSQL is for a fleet. It needs PostgreSQL 12 or newer.
	PostgreSQL Dialect = "PostgreSQL"
)

// dialect is how the databases differ. The statements are written once, with words in braces that a dialect replaces.
type dialect struct {
	name Dialect
	// words are what stands in braces in the statements, and its replacement.
	words []string
	// now is an expression for the database's clock. As a subquery PostgreSQL evaluates it once, so that an index on time
	// can be used.
	now string
	// exists asks whether there is a table.
	exists string
	// begin starts the transaction that a migration runs in, and locks others out.
	begin []string
	// value gives a time to the driver.
	value func(time.Time) any
	// one says that one connection writes at a time.
	one bool
	// durable checks that what is committed survives a power cut.
	durable func(context.Context, *sql.Conn) error
}

func dialectOf(name Dialect) *dialect {
	switch name {
	case SQLite:
		return &dialect{
			name: SQLite,
			words: []string{
				"{text}", "TEXT", "{number}", "INTEGER", "{bool}", "INTEGER", "{time}", "INTEGER", "{json}", "TEXT", "{strict}", "STRICT",
				"{microsecond}", "1", "{in}", "IN (", "{/in}", ")", "{unlocked}", "", "{lock}", "",
				"{names}", "SELECT value FROM json_each", "{/names}", "", "{claims}", "json_each", "{/claims}", ") AS claim",
				"{moment}", "claim.value ->> 1", "{lock s}", "", "$", "?",
			},
			// In microseconds since 1970. SQLite's clock shows milliseconds.
			now:     "(CAST(round(unixepoch('now', 'subsec') * 1000) AS INTEGER) * 1000)",
			exists:  "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1",
			begin:   []string{"BEGIN IMMEDIATE"},
			value:   func(t time.Time) any { return t.UnixMicro() },
			one:     true,
			durable: sqliteDurable,
		}
	case PostgreSQL:
		return &dialect{
			name: PostgreSQL,
			words: []string{
				// An order that does not depend on the server's locale: it may change under an index. The document is json, not jsonb, which refuses
				// some characters.
				"{text}", `TEXT COLLATE "C"`, "{number}", "BIGINT", "{bool}", "BOOLEAN", "{time}", "TIMESTAMPTZ", "{json}", "JSON", "{strict}", "",
				"{microsecond}", "interval '1 microsecond'", "{in}", "= ANY (ARRAY(", "{/in}", "))",
				"{unlocked}", "FOR UPDATE SKIP LOCKED", "{lock}", "ORDER BY id FOR UPDATE",
				"{names}", "SELECT json_array_elements_text", "{/names}", "::json", "{claims}", "json_array_elements", "{/claims}", "::json) AS claim (value)",
				"{moment}", "timestamptz 'epoch' + CAST(claim.value ->> 1 AS BIGINT) * interval '1 microsecond'", "{lock s}", "ORDER BY s.id FOR UPDATE OF s",
			},
			now: "(SELECT clock_timestamp())",
			// Not to_regclass, which does not see in a transaction what others have made since it began.
			exists: "SELECT count(*) FROM pg_class WHERE relname = $1 AND relkind IN ('r', 'p') AND pg_table_is_visible(oid)",
			begin: []string{
				"BEGIN ISOLATION LEVEL READ COMMITTED",
				"SELECT pg_advisory_xact_lock(hashtextextended('vipps vending ' || current_schema(), 0))",
			},
			value: func(t time.Time) any { return t.Truncate(time.Microsecond) }, // some drivers round

			durable: postgresDurable,
		}
	default:
		return nil
	}
}
