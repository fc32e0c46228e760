package vending_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/vending"
)

const childDir = "VIPPS_JOURNAL_TEST_DIR"

// TestJournaledChild is the program that TestJournaledKilled kills.
func TestJournaledChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("only TestJournaledKilled runs it")
	}
	machine := journaled(t, dir, func(_ context.Context, slot string) error {
		if slot == "drops" {
			return nil
		}
		fmt.Println("turning")
		select {}
	})
	said(t, vending.Dropped)(machine.Vend(t.Context(), vend("whole", "drops")))
	said(t, vending.NotDropped)(machine.Conclude(t.Context(), "fenced"))
	_, _ = machine.Vend(t.Context(), vend("cut", "turns"))
}

// TestJournaledKilled kills a process while its motor turns.
func TestJournaledKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestJournaledChild$")
	child.Env = append(os.Environ(), childDir+"="+dir)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != "turning" {
		t.Log(lines.Text())
	}
	if _, err := vending.Journaled(dir, stopped(t)); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("beside another process: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	machine := journaled(t, dir, stopped(t))
	for id, want := range map[string]vending.Verdict{"whole": vending.Dropped, "fenced": vending.NotDropped, "cut": vending.Unknown} {
		said(t, want)(machine.Vend(t.Context(), vend(id, "drops")))
		said(t, want)(machine.Conclude(t.Context(), id))
	}
}
