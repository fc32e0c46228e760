package vending

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the diagram in the package comment")

// diagram prints the table as a Mermaid state diagram.
func diagram() string {
	var b strings.Builder
	b.WriteString("//\tstateDiagram-v2\n//\t\t[*] --> Opening\n")
	for _, row := range table {
		for _, from := range row.from {
			to := row.to
			if to == "" {
				to = from
			}
			label := string(row.fact)
			if row.name != "" {
				label += ", " + row.name
			}
			fmt.Fprintf(&b, "//\t\t%s --> %s: %s\n", from, to, label)
		}
	}
	b.WriteString("//\t\tClosed --> [*]\n")
	return b.String()
}

func TestDiagram(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	start := strings.Index(text, "//\tstateDiagram-v2\n")
	end := strings.Index(text, "package vending\n")
	if start < 0 || end < start {
		t.Fatal("the package comment has no diagram")
	}
	if text[start:end] == diagram() {
		return
	}
	if !*update {
		t.Fatalf("the diagram in the package comment is not the table; run go test -run Diagram -update\n%s", diagram())
	}
	if err := os.WriteFile("doc.go", []byte(text[:start]+diagram()+text[end:]), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTable checks the table for what no sale should depend on.
func TestTable(t *testing.T) {
	t.Parallel()
	states := []State{Opening, Waiting, Withdrawing, Choosing, Vending, Held, Settling, Closed}
	for _, state := range states {
		entered := state == Opening
		left := false
		for _, row := range table {
			entered = entered || row.to == state
			left = left || slices.Contains(row.from, state) && row.to != "" && row.to != state
		}
		if !entered || !left {
			t.Errorf("%s is entered: %t, left: %t", state, entered, left)
		}
	}
	for i, row := range table {
		if !slices.Contains(kinds, row.fact) {
			t.Errorf("row %d is about a fact that the exploration does not know: %s", i, row.fact)
		}
		if row.to == Vending && row.fact != factRead && row.fact != factSelected {
			t.Errorf("row %d enters Vending without a read", i)
		}
		if slices.Contains(row.from, Settling) && (row.to == Vending || row.to == Choosing) {
			t.Errorf("row %d vends after the sum was fixed", i)
		}
	}
}
