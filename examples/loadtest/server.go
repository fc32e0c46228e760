package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// serverTime is the processor time that the PostgreSQL server has used, as far as this computer says; 0 without one.
func (w *world) serverTime(ctx context.Context) time.Duration {
	var backend int
	if w.told.Place.Driver != "pgx" || w.db.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&backend) != nil {
		return 0
	}
	own, err := readProcess(backend)
	if err != nil {
		return 0
	}
	server, err := readProcess(own.parent)
	if err != nil {
		return 0
	}
	sum := server.used + server.children
	all, _ := filepath.Glob("/proc/[0-9]*") // the pattern is good
	for _, path := range all {
		id, _ := strconv.Atoi(filepath.Base(path)) // as above
		if p, err := readProcess(id); err == nil && p.parent == own.parent {
			sum += p.used
		}
	}
	return sum
}

// running is what Linux says of a process.
type running struct {
	parent         int
	used, children time.Duration // of itself, and of those of its children that have ended
}

func readProcess(id int) (p running, err error) {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(id), "stat"))
	if err != nil {
		return p, err
	}
	fields := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:]) // the name before it may hold anything
	number := func(i int) int {
		n, _ := strconv.Atoi(string(fields[i])) // they are numbers
		return n
	}
	const tick = 10 * time.Millisecond // on every Linux
	p.parent = number(1)
	p.used = time.Duration(number(11)+number(12)) * tick
	p.children = time.Duration(number(13)+number(14)) * tick
	return p, nil
}
