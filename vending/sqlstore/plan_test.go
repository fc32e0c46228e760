package sqlstore_test

import (
	"database/sql"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/vending/sqlstore"
)

// wantIndex is what each statement has to find its rows by.
var wantIndex = map[string][]string{
	"load":      {"sqlite_autoindex_vending_sessions_1", "vending_sessions_pkey"},
	"update":    {"sqlite_autoindex_vending_sessions_1", "vending_sessions_pkey"},
	"wake":      {"sqlite_autoindex_vending_sessions_1", "vending_sessions_pkey"},
	"wake many": {"sqlite_autoindex_vending_sessions_1", "vending_sessions_pkey"},
	"rest":      {"sqlite_autoindex_vending_sessions_1", "vending_sessions_pkey"},
	"seat":      {"vending_sessions_seat"},
	"holder":    {"vending_sessions_seat"},
	"due":       {"vending_sessions_due"},
	"open":      {"vending_sessions_open"},
	"closed":    {"vending_sessions_closed"},
	"prune":     {"vending_sessions_closed"},
}

// TestPlans asks the databases how they would run each statement: by an index made for it, without going through the table.
func TestPlans(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, d database) {
		store, db := d.open(t)
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for name, text := range store.Texts() {
			plan := explain(t, conn, d, strings.ReplaceAll(name, " ", "_"), text)
			found := false
			for _, index := range wantIndex[name] {
				found = found || strings.Contains(plan, index)
			}
			if !found || strings.Contains(plan, "SCAN vending_sessions\n") || strings.Contains(plan, "Seq Scan on vending_sessions") {
				t.Errorf("%s is not found by %v:\n%s\n%s", name, wantIndex[name], text, plan)
			}
			if d.dialect == sqlstore.PostgreSQL && name == "due" && !strings.Contains(plan, "Index Cond: (wake_at <=") {
				t.Errorf("what is due is not found by time, but looked for among all that wait:\n%s", plan)
			}
		}
	})
}

func explain(t *testing.T, conn *sql.Conn, d database, name, text string) (plan string) {
	t.Helper()
	query := "EXPLAIN QUERY PLAN " + text
	var args []any
	parameters := strings.Count(text, "?") // at least as many as there are
	if d.dialect == sqlstore.PostgreSQL {
		// An empty table is quicker to go through, and what is prepared must not be planned for the values at hand.
		for _, setting := range []string{"SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan", "PREPARE " + name + "_planned AS " + text} {
			if _, err := conn.ExecContext(t.Context(), setting); err != nil {
				t.Fatal(err)
			}
		}
		parameters = 0
		for strings.Contains(text, fmt.Sprint("$", parameters+1)) {
			parameters++
		}
		query = "EXPLAIN EXECUTE " + name + "_planned (" + strings.TrimSuffix(strings.Repeat("NULL, ", parameters), ", ") + ")"
		parameters = 0
	}
	for range parameters {
		args = append(args, nil)
	}
	rows, err := conn.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	for rows.Next() {
		line := make([]any, len(columns))
		for i := range line {
			line[i] = new(string)
		}
		if err := rows.Scan(line...); err != nil {
			t.Fatal(err)
		}
		plan += *line[len(line)-1].(*string) + "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}

// TestNoDriver reads what the package imports: which driver is used is for the program to say.
func TestNoDriver(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		read++
		source, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range source.Imports {
			path := strings.Trim(imported.Path.Value, `"`)
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && path != "github.com/vippsvending/vipps/vending" {
				t.Errorf("%s imports %s", file.Name(), path)
			}
		}
	}
	if read < 5 {
		t.Errorf("%d files were read", read)
	}
}
