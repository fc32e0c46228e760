package sqlstore

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vippsvending/vipps/vending"
)

// document is a session as it is stored in JSON: without what has a column that counts, and with sealed values empty.
type document struct {
	*vending.Session
	Version *struct{} `json:"Version,omitzero"`
	WakeAt  *struct{} `json:"WakeAt,omitzero"`
}

// values are the columns of a session, in the order of insertText and updateText.
func (s *Store) values(session vending.Session) ([]any, error) {
	watched, finished := session.Watched(), session.Finished()
	sealed, err := s.keys.seal(&session) // takes them out of the session
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(document{Session: &session})
	if err != nil {
		return nil, err
	}
	values := []any{
		session.ID, session.Version, session.Schema, session.Machine, nil, string(session.State), watched, finished,
		nil, s.dialect.value(session.Opened), nil, string(body), nil,
	}
	if session.Seat != "" {
		values[4] = session.Seat
	}
	if !session.WakeAt.IsZero() {
		values[8] = s.dialect.value(session.WakeAt)
	}
	if session.State == vending.Closed {
		values[10] = s.dialect.value(session.Ended)
	}
	if sealed != "" {
		values[12] = sealed
	}
	return values, nil
}

// row is a session as the database gives it.
type row struct {
	id               string
	version          int64
	wakeAt, now, key stamp // key is what the rows are ordered by
	document         []byte
	sealed           []byte
	woken            bool
	err              error // why the row cannot be read
}

// readRows reads everything and closes the rows, so that nothing is held while somebody looks at them.
func readRows(rows *sql.Rows) (all []row, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r row
		// The id comes first: of a row that cannot be read at least that is known.
		r.err = rows.Scan(&r.id, &r.version, &r.wakeAt, &r.now, &r.document, &r.sealed, &r.woken, &r.key)
		all = append(all, r)
	}
	return all, rows.Err()
}

// session reads what is in a row. On an error the session has its id and nothing else.
func (s *Store) session(r *row) (vending.Session, error) {
	session, err := s.decode(r)
	if err != nil {
		return vending.Session{ID: r.id}, fmt.Errorf("sqlstore: session %s cannot be read: %w", r.id, err)
	}
	return session, nil
}

func (s *Store) decode(r *row) (vending.Session, error) {
	if r.err != nil {
		return vending.Session{}, fmt.Errorf("%w: %w", ErrCorrupt, r.err)
	}
	var session vending.Session
	if err := json.Unmarshal(r.document, &document{Session: &session}); err != nil {
		return vending.Session{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if session.ID != r.id {
		return vending.Session{}, fmt.Errorf("%w: its document is of session %q", ErrCorrupt, session.ID)
	}
	if err := s.keys.open(&session, r.sealed); err != nil {
		return vending.Session{}, err
	}
	session.Version, session.WakeAt, session.Now, session.Woken = r.version, r.wakeAt.at, r.now.at, r.woken
	return session, nil
}

// stamp reads a time as either database gives it; null is the zero time.
type stamp struct{ at time.Time }

// Scan implements [sql.Scanner].
func (t *stamp) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		t.at = time.Time{}
	case int64:
		t.at = time.UnixMicro(v).UTC()
	case time.Time:
		t.at = v.UTC()
	default:
		return fmt.Errorf("a time is stored as %T", value)
	}
	return nil
}
