package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain plays a worker that does not listen to what it is told, if it is started as one.
func TestMain(m *testing.M) {
	if !slices.Equal(os.Args[1:], []string{"worker"}) {
		os.Exit(m.Run())
	}
	fmt.Println(os.Getpid())
	_ = os.Stdin.Close()
	<-time.After(time.Minute) // or until it is killed
}

// TestStartRefused starts a worker that does not come up: it must not stay behind.
func TestStartRefused(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be asked whether it is there")
	}
	said := make(chan string, 1)
	c := &child{told: assignment{DB: strings.Repeat("x", 1<<20)}, said: func(line string) { said <- line }}
	if err := c.start(t.Context()); err == nil {
		t.Fatal("the worker came up")
	}
	id, err := strconv.Atoi(<-said)
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.FindProcess(id)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Signal(syscall.Signal(0)); err == nil {
		t.Error("the worker is still there")
		_ = process.Kill()
	}
}
