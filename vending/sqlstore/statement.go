package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// given is what every query of sessions begins with; the column that it is ordered by follows.
const given = "SELECT id, version, wake_at, {now}, document, sealed, woken, "

// The statements, in the words of a dialect. Parameters are numbered; the clock of a test comes after them.
const (
	nowText    = "SELECT {now}"
	insertText = "INSERT INTO vending_sessions (id, version, schema, machine, seat, state, watched, finished, wake_at, opened, ended, document, sealed) " +
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING"
	updateText = "UPDATE vending_sessions SET version = version + 1, schema = $3, machine = $4, seat = $5, state = $6, watched = $7, finished = $8, " +
		"wake_at = $9, opened = $10, ended = $11, document = $12, sealed = $13 WHERE id = $1 AND version = $2"
	knownText  = "SELECT id FROM vending_sessions WHERE id = $1"
	holderText = "SELECT id FROM vending_sessions WHERE seat = $1"
	loadText   = given + "opened FROM vending_sessions WHERE id = $1"
	seatText   = given + "opened FROM vending_sessions WHERE seat = $1"
	// due_at is by what a claim is ordered: the rows come back in any order, with the new wake_at.
	dueText = "UPDATE vending_sessions SET due_at = wake_at, wake_at = {now} + CAST($2 AS {number}) * {microsecond} " +
		"WHERE id {in}SELECT id FROM vending_sessions WHERE watched AND wake_at <= {now} ORDER BY wake_at LIMIT $1 {unlocked}{/in} " +
		"RETURNING id, version, wake_at, {now}, document, sealed, woken, due_at"
	wakeText     = "UPDATE vending_sessions SET woken = TRUE, wake_at = {now} + CAST($2 AS {number}) * {microsecond} WHERE watched AND id = $1"
	wakeManyText = "UPDATE vending_sessions SET woken = TRUE, wake_at = {now} + CAST($2 AS {number}) * {microsecond} WHERE watched AND id " +
		"{in}SELECT id FROM vending_sessions WHERE id IN ({names}($1{/names})) {lock}{/in}"
	restText = "UPDATE vending_sessions SET woken = woken AND $3, wake_at = {now} + CAST($2 AS {number}) * {microsecond} WHERE watched AND id " +
		"{in}SELECT s.id FROM {claims}($1{/claims} CROSS JOIN vending_sessions s WHERE s.id = claim.value ->> 0 AND s.wake_at = {moment} {lock s}{/in}"
	openText   = given + "opened FROM vending_sessions WHERE NOT finished AND (opened, id) > ($1, $2) ORDER BY opened, id LIMIT $3"
	closedText = given + "ended FROM vending_sessions WHERE ended < $4 AND (ended, id) > ($1, $2) ORDER BY ended, id LIMIT $3"
	// What is to go is looked at again in the outer condition: another worker may have opened it meanwhile.
	pruneText = "DELETE FROM vending_sessions WHERE finished AND ended < $1 AND id " +
		"{in}SELECT id FROM vending_sessions WHERE finished AND ended < $1 ORDER BY ended LIMIT $2{/in}"
)

// statements are all of them, prepared.
type statements struct {
	now, insert, update, known, holder, load, seat, due, wake, wakeMany, rest, open, closed, prune *statement
}

// statement is one prepared statement. The pool prepares it on each connection that it is used on.
type statement struct {
	*sql.Stmt
	clock func() time.Time // the last parameter; nil if it has none
	value func(time.Time) any
}

// args are the parameters of a statement, with the clock's time if it wants that.
func (st *statement) args(args []any) []any {
	if st.clock == nil {
		return args
	}
	return append(args[:len(args):len(args)], st.value(st.clock()))
}

// say writes a statement in the words of the dialect.
func (s *Store) say(text string) (in string, clocked bool) {
	now := s.dialect.now
	if clocked = s.clock != nil && strings.Contains(text, "{now}"); clocked {
		parameters := 0
		for strings.Contains(text, "$"+strconv.Itoa(parameters+1)) {
			parameters++
		}
		now = fmt.Sprintf("CAST($%d AS {time})", parameters+1)
	}
	text = strings.ReplaceAll(text, "{now}", now)
	return strings.NewReplacer(s.dialect.words...).Replace(text), clocked
}

func (s *Store) prepare(ctx context.Context) error {
	for text, into := range map[string]**statement{
		nowText: &s.now, insertText: &s.insert, updateText: &s.update, knownText: &s.known, holderText: &s.holder, loadText: &s.load, seatText: &s.seat,
		dueText: &s.due, wakeText: &s.wake, wakeManyText: &s.wakeMany, restText: &s.rest, openText: &s.open, closedText: &s.closed, pruneText: &s.prune,
	} {
		said, clocked := s.say(text)
		prepared, err := s.db.PrepareContext(ctx, said)
		if err != nil {
			return explain("prepare", "", err)
		}
		*into = &statement{Stmt: prepared, value: s.dialect.value}
		if clocked {
			(*into).clock = s.clock
		}
	}
	return nil
}
