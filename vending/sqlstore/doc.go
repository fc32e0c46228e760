// Package sqlstore keeps the sessions of package vending in an SQL database, so that a sale survives a crash and a power
// cut: SQLite for a machine on its own, PostgreSQL for a fleet.
//
// It brings no driver: open the database with one of your choice and pass it on. A machine with a file of its own:
//
//	import _ "modernc.org/sqlite"
//
//	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN("/var/lib/acme/sessions.db"))
//	defer db.Close()
//	store, err := sqlstore.Open(ctx, db, sqlstore.Options{Dialect: sqlstore.SQLite, Keys: [][]byte{key}})
//	operator, err := vending.NewOperator(vending.Config{Store: store, …})
//
// A fleet with a server:
//
//	import _ "github.com/jackc/pgx/v5/stdlib"
//
//	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
//	db.SetMaxOpenConns(20) // as many as the server has to spare for this process
//	db.SetMaxIdleConns(20)
//	store, err := sqlstore.Open(ctx, db, sqlstore.Options{Dialect: sqlstore.PostgreSQL, Keys: [][]byte{key}})
//
// Tested are modernc.org/sqlite and github.com/jackc/pgx. A store has nothing to close but the *sql.DB.
//
// # Keys
//
// A session holds two secrets for a while: the request that makes the payment, with a phone number or a customer token, and
// the address with which whoever has it can pay. They are encrypted with AES-256-GCM under a key that you give: 32 random
// bytes, kept away from the database and its backups, and the same for every process:
//
//	key, err := hex.DecodeString(os.Getenv("SESSIONS_KEY")) // 64 hex digits from openssl rand -hex 32
//
// The first of Options.Keys seals, all open. To change the key give the new one to every process as the second; when all of them have it, as the
// first. Nothing is sealed anew but by the next save of its session. The old key can go when nothing names it any more
// ([KeyID] gives its name):
//
//	SELECT count(*) FROM vending_sessions WHERE sealed LIKE '%3f2a90c1d4e5f607%'
//
// A key is good for two thousand million writes. A session whose key is missing cannot be read: its error matches [ErrKey]
// and names the session and the key. Others are not affected.
//
// # Durability
//
// What a store has acknowledged is on the disk. [Open] refuses a database that would lose it ([ErrNotDurable]): SQLite is
// run with journal_mode=WAL and synchronous=FULL, which is looked at again before every write; PostgreSQL must have fsync,
// full_page_writes and synchronous_commit on, as it has by default. Give SQLite a disk of the same computer, not a network
// drive, and copy it with VACUUM INTO or the backup command of its shell, not file by file: what is new is in the file that
// ends in -wal.
//
// A backup that is restored does not know of what came after it. Payments that no session knows can be found in Vipps
// MobilePay by their metadata.
//
// # Several processes
//
// They may share a database. Whichever is free goes on with a session that is due; a seat, a version and a claim are given
// out once, by the database, and the database's clock is the only one that counts. With SQLite the processes run on one
// computer and wait for each other, ten seconds at most; the *sql.DB should be the store's own. Within a process, writes
// that come at the same time share a transaction, and so one wait for the disk. With PostgreSQL the processes may run
// anywhere; give the pool a limit, as above. A pooler in front of the server has to know prepared statements, as PgBouncer
// does since 1.21.
//
// Programs of different versions may run side by side as long as the tables are the same. The first that needs more columns
// makes them when it opens the database, in one transaction; older programs then refuse to open it ([ErrNewer]).
//
// # Errors
//
// Errors say what failed, for which session, and what to do. [ErrFull], [ErrLocked], [ErrReadOnly], [ErrDenied], [ErrGone],
// [ErrNoFile], [ErrMissing] and [ErrDamaged] tell them apart; the driver's error is in the chain. The engine asks a store that fails
// again, and does nothing in between: no product leaves and no money is taken on a write that did not happen.
//
// A row that cannot be read matches [ErrCorrupt] or [ErrKey]. Due, Open and Closed give it as an error of its own, with a
// session that has only its ID, and go on with the others.
//
// # Looking with SQL
//
// There is one table, vending_sessions, with a row for each session: id, version, schema, machine, seat, state, watched,
// finished, wake_at, due_at, opened and ended for queries, and the whole session as JSON in document, without secrets. Of
// these only version and wake_at count: the others are copies, and are written with every save. PostgreSQL keeps times as
// timestamptz, SQLite as microseconds since 1970:
//
//	SELECT id, state, datetime(opened / 1000000, 'unixepoch') FROM vending_sessions WHERE NOT finished
//
// Do not change a row while a program runs: nothing tells its worker.
package sqlstore
