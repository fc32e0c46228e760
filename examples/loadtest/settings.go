package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/vippsvending/vipps/examples/internal/audit"
)

// settings are what a figure means nothing without. Those of the database are read back from it.
func (w *world) settings(ctx context.Context) ([]audit.Line, error) {
	var r audit.Report
	r.Add("computer", "%d cores, %s/%s, %s, GOMAXPROCS %d", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.GOMAXPROCS(0))
	durability, err := w.told.Place.durability(ctx, w)
	if err != nil {
		return nil, err
	}
	r.Add("store", "%s", durability)
	polls := fmt.Sprint(cmp.Or(w.polls, 200), " polls a second at most")
	if w.polls < 0 {
		polls = "no polls"
	}
	hooks := "no webhooks"
	if w.webhooks {
		hooks = "webhooks"
	}
	r.Add("workers", "processes: %d, %s, %s", w.options.workers, hooks, polls)
	r.Add("customers", "approve after %s, on %d machines; the API answers after %s", w.approve.String(), w.options.machines, w.latency)
	return r.Lines, nil
}

// durability is what the database says of itself, and where it lies.
func (p Place) durability(ctx context.Context, w *world) (string, error) {
	if p.Driver == "" {
		return "memory, which nothing survives", nil
	}
	words := []string{"SQLite"}
	asked := []string{"SELECT sqlite_version()", "PRAGMA journal_mode", "PRAGMA synchronous"}
	if p.Driver == "pgx" {
		words = []string{"PostgreSQL"}
		asked = []string{"SHOW server_version", "SHOW fsync", "SHOW synchronous_commit", "SHOW full_page_writes"}
	}
	for i, question := range asked {
		var answer string
		if err := w.db.QueryRowContext(ctx, question).Scan(&answer); err != nil {
			return "", err
		}
		if i > 0 {
			_, name, _ := strings.Cut(question, " ")
			answer = name + " " + answer
		}
		words = append(words, answer)
	}
	return strings.Join(words, ", ") + ", on " + fileSystem(os.TempDir()), nil
}

// overdue is how many sessions have been due for more than a second, and nobody has claimed them.
func (w *world) overdue(ctx context.Context) (n int, err error) {
	past := "(unixepoch('now', 'subsec') - 1) * 1000000"
	if w.told.Place.Driver == "pgx" {
		past = "clock_timestamp() - interval '1 second'"
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = w.db.QueryRowContext(ctx, "SELECT count(*) FROM vending_sessions WHERE watched AND wake_at < "+past).Scan(&n)
	return n, err
}

// fileSystem is the kind that a folder is in, where Linux says so.
func fileSystem(dir string) string {
	file, err := os.Open("/proc/self/mounts")
	if err != nil {
		return "an unknown file system"
	}
	defer func() { _ = file.Close() }() // it was read
	kind, longest := "an unknown file system", 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			continue
		}
		if at := strings.TrimSuffix(fields[1], "/"); strings.HasPrefix(dir+"/", at+"/") && len(at) >= longest {
			kind, longest = fields[2], len(at)
		}
	}
	return kind
}
