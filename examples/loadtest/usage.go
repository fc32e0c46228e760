package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

// Usage is what a worker has used since it started, and has in memory.
type Usage struct {
	CPU           time.Duration
	Resident      int64 // bytes; 0 where the system does not say
	Peak          int64
	Reads, Writes int64 // of the store
	Idle          int64 // claims that found nothing to do
}

// Measure says what the worker has used. Settled gives what is garbage back to the system first.
func (w *Worker) Measure(settled bool, u *Usage) error { //nolint:unparam // as net/rpc wants it
	if settled {
		debug.FreeOSMemory()
	}
	*u = Usage{CPU: processorTime(), Resident: memory("VmRSS"), Peak: memory("VmHWM")}
	if w.store != nil {
		u.Reads, u.Writes, u.Idle = w.store.reads.Load(), w.store.writes.Load(), w.store.idle.Load()
	}
	return nil
}

func (u Usage) plus(v Usage) Usage {
	return Usage{u.CPU + v.CPU, u.Resident + v.Resident, u.Peak + v.Peak, u.Reads + v.Reads, u.Writes + v.Writes, u.Idle + v.Idle}
}

func (u Usage) minus(v Usage) Usage {
	return Usage{u.CPU - v.CPU, u.Resident - v.Resident, u.Peak - v.Peak, u.Reads - v.Reads, u.Writes - v.Writes, u.Idle - v.Idle}
}

// memory reads a line of what Linux says of this process, in bytes.
func memory(name string) int64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }() // it was read
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			var kilobytes int64
			_, _ = fmt.Sscan(rest, &kilobytes) // 0 if it is written otherwise
			return kilobytes * 1024
		}
	}
	return 0
}
