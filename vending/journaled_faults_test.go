package vending

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// moment is what has happened when the power goes.
type moment struct {
	ran  map[string]int
	said map[string]Verdict
	left [][]byte // what may be on the disk
}

// TestJournalPowerCut cuts the power before and after everything that a box does to its disk, keeps every part of what was
// not synced, cuts it once more at each step of opening what is left, and checks the promise.
func TestJournalPowerCut(t *testing.T) {
	t.Parallel()
	var moments []moment
	said := map[string]Verdict{}
	ids := []string{"drops1", "jams1", "blind1", "fenced", "late", "drops2", "jams2"}
	b := newBox(t, &disk{})
	b.disk.before = func() { moments = append(moments, moment{maps.Clone(b.runs), maps.Clone(said), b.disk.survivors()}) }
	for _, id := range ids {
		var err error
		switch id {
		case "fenced":
			said[id], err = b.Conclude(t.Context(), id)
		case "late":
			said[id], err = b.Vend(t.Context(), Command{ID: id, Slot: id})
		default:
			said[id], err = b.vend(t, id)
		}
		if err == nil {
			err = b.Ready(t.Context(), "oslo12")
		}
		if err != nil {
			t.Fatal(err)
		}
		b.disk.step()
	}
	checked := 0
	for _, m := range moments {
		for _, left := range m.left {
			d := &disk{memory: bytes.Clone(left), platter: bytes.Clone(left)}
			again := [][]byte{left}
			d.before = func() { again = append(again, d.survivors()...) }
			newBox(t, d)
			for _, left := range again {
				m.check(t, left, ids)
				checked++
			}
			if t.Failed() {
				t.Fatalf("ran %v, said %v, left %q", m.ran, m.said, left)
			}
		}
	}
	t.Logf("%d power cuts", checked)
}

func (m moment) check(t *testing.T, left []byte, ids []string) {
	t.Helper()
	for _, how := range []string{"Conclude", "Vend"} {
		b := newBox(t, &disk{memory: bytes.Clone(left), platter: bytes.Clone(left)})
		said := maps.Clone(m.said)
		for range 2 {
			for _, id := range ids {
				verdict, err := b.Conclude(t.Context(), id)
				if how == "Vend" {
					verdict, err = b.vend(t, id)
				}
				before, promised := said[id]
				switch ran := m.ran[id] > 0; {
				case err != nil:
					t.Errorf("%s(%s): %v", how, id, err)
				case promised && verdict != before:
					t.Errorf("%s(%s) was %s, is %s", how, id, before, verdict)
				case ran && verdict != Unknown && verdict != becomes(id):
					t.Errorf("%s(%s) is %s: a guess", how, id, verdict)
				case (ran || promised || how == "Conclude") && b.runs[id] > 0:
					t.Errorf("%s(%s): the motor turned", how, id)
				}
				said[id] = verdict
			}
			b = b.restart(t)
		}
	}
}

// TestJournalEveryLength cuts a journal at every byte: what is whole is kept, and a start without a verdict is unknown.
func TestJournalEveryLength(t *testing.T) {
	t.Parallel()
	lines := []string{"started drops1", "dropped drops1", "started jams1", "started drops2", "not-dropped jams1", "fenced late", "dropped drops2", "started blind1"}
	whole := newDisk(lines...).memory
	for length := range len(whole) + 1 {
		want := map[string]Verdict{}
		for n, line := range lines {
			if length < len(newDisk(lines[:n+1]...).memory) {
				break
			}
			word, id, _ := strings.Cut(line, " ")
			want[id] = map[string]Verdict{wordStarted: Unknown, wordDropped: Dropped, wordNot: NotDropped, wordFenced: NotDropped}[word]
		}
		b := newBox(t, &disk{memory: bytes.Clone(whole[:length])})
		for _, id := range slices.Sorted(maps.Keys(want)) {
			b.says(t, id, want[id])
		}
		if len(b.runs) > 0 {
			t.Errorf("cut to %d bytes, the motor turned: %v", length, b.runs)
		}
	}
}

// TestJournalFullDisk fails writes, in whole and in part, before the motor turns.
func TestJournalFullDisk(t *testing.T) {
	t.Parallel()
	for name, writing := range map[string]func([]byte) (int, error){
		"nothing written":  func([]byte) (int, error) { return 0, syscall.ENOSPC },
		"half a record":    func(p []byte) (int, error) { return len(p) / 2, syscall.ENOSPC },
		"the whole record": func(p []byte) (int, error) { return len(p), syscall.ENOSPC },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, newDisk("started before", "dropped before"))
			b.disk.writing = writing
			for range 2 {
				if err := b.Ready(t.Context(), "oslo12"); !errors.Is(err, syscall.ENOSPC) {
					t.Errorf("Ready on a full disk: %v", err)
				}
				b.refuses(t, "drops1", syscall.ENOSPC, "full or read-only")
			}
			b.says(t, "before", Dropped)
			b.disk.writing = nil
			if err := b.Ready(t.Context(), "oslo12"); err != nil {
				t.Errorf("Ready on a disk with room: %v", err)
			}
			b.says(t, "drops1", NotDropped) // nothing had moved, and nothing will
			if got, err := b.vend(t, "drops2"); got != Dropped || err != nil {
				t.Errorf("%s, %v", got, err)
			}
			b = newBox(t, b.disk.powerCut())
			b.says(t, "before", Dropped)
			b.says(t, "drops1", NotDropped)
			b.says(t, "drops2", Dropped)
		})
	}
}

// TestJournalShortWrite has a file that breaks the rule that a short write has an error.
func TestJournalShortWrite(t *testing.T) {
	t.Parallel()
	b := newBox(t, newDisk())
	b.disk.writing = func(p []byte) (int, error) { return len(p) - 1, nil }
	if _, err := b.vend(t, "drops1"); err == nil || b.runs["drops1"] > 0 {
		t.Errorf("%v, %d runs", err, b.runs["drops1"])
	}
}

// TestJournalKeepsVerdict fails to record what became of a product: it is said all the same, until the process ends.
func TestJournalKeepsVerdict(t *testing.T) {
	t.Parallel()
	for _, better := range []bool{false, true} {
		b := newBox(t, newDisk())
		b.disk.writing = func(p []byte) (int, error) {
			if bytes.HasPrefix(p, []byte(wordDropped)) {
				return len(p) / 2, syscall.ENOSPC
			}
			return len(p), nil
		}
		if got, err := b.vend(t, "drops1"); got != Dropped || err != nil {
			t.Errorf("%s, %v", got, err)
		}
		b.says(t, "drops1", Dropped)
		if !better {
			newBox(t, b.disk.powerCut()).says(t, "drops1", Unknown)
			continue
		}
		b.disk.writing = nil
		b.says(t, "drops1", Dropped) // and records it at last
		newBox(t, b.disk.powerCut()).says(t, "drops1", Dropped)
	}
}

// TestJournalFailedSync never trusts a file again whose sync has failed, though the next sync would succeed.
func TestJournalFailedSync(t *testing.T) {
	t.Parallel()
	for at, want := range []struct {
		runs            int
		now, power, end Verdict // said at once, after a power cut, and after a mere restart
	}{
		{0, Unknown, NotDropped, Unknown}, // the start: an error now
		{1, Dropped, Unknown, Dropped},    // the verdict
	} {
		b := newBox(t, newDisk("started before", "dropped before"))
		syncs := 0
		b.disk.syncing = func() error {
			syncs++
			if syncs == at+1 {
				return syscall.EIO
			}
			return nil
		}
		got, err := b.vend(t, "drops1")
		if got != want.now || (err == nil) != (at == 1) || b.runs["drops1"] != want.runs {
			t.Errorf("%s, %v, %d runs", got, err, b.runs["drops1"])
		}
		if err := b.Ready(t.Context(), "oslo12"); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "start the program again") {
			t.Errorf("Ready after a failed sync: %v", err)
		}
		b.refuses(t, "drops2", syscall.EIO, "not trusted")
		b.refuses(t, "drops2", syscall.EIO, "not trusted")
		b.says(t, "before", Dropped)
		if at == 0 {
			b.refuses(t, "drops1", syscall.EIO, "not trusted")
		} else {
			b.says(t, "drops1", Dropped)
		}
		newBox(t, b.disk.powerCut()).says(t, "drops1", want.power)
		b = b.restart(t) // finds in memory what never reached the platter
		b.says(t, "drops1", want.end)
		newBox(t, b.disk.powerCut()).says(t, "drops1", want.end)
	}
}

// TestJournalMends does not write behind what it could not remove.
func TestJournalMends(t *testing.T) {
	t.Parallel()
	b := newBox(t, newDisk())
	b.disk.cutting = func() error { return syscall.EROFS }
	for range 2 {
		if err := b.Ready(t.Context(), "oslo12"); !errors.Is(err, syscall.EROFS) {
			t.Errorf("Ready: %v", err)
		}
		b.refuses(t, "drops1", syscall.EROFS, "read-only")
	}
	b.disk.cutting = nil
	b.says(t, "drops1", NotDropped)
	b.restart(t).says(t, "drops1", NotDropped)
}

// TestJournalReady leaves the file as it was and does not wear the disk out.
func TestJournalReady(t *testing.T) {
	t.Parallel()
	b := newBox(t, newDisk())
	content := string(b.disk.memory)
	b.disk.syncing = func() error { return errors.New("a sync") }
	for range 3 {
		if err := b.Ready(t.Context(), "oslo12"); err != nil || string(b.disk.memory) != content {
			t.Errorf("%v, %q", err, b.disk.memory)
		}
	}
	b.disk.writing = func(p []byte) (int, error) {
		room := 2*journalRecord - 1 // one byte less than a start and a verdict may need
		if len(p) > room {
			return room, syscall.ENOSPC
		}
		return len(p), nil
	}
	if err := b.Ready(t.Context(), "oslo12"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Ready on a disk without room for a sale: %v", err)
	}
}

// TestJournalSlowDisk syncs for five seconds.
func TestJournalSlowDisk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBox(t, newDisk("started before", "dropped before"))
		b.disk.syncing = func() error {
			time.Sleep(5 * time.Second) //nolint:forbidigo // virtual time
			return nil
		}
		if got, err := b.Vend(t.Context(), Command{ID: "drops1", Slot: "drops1", Within: 4 * time.Second}); got != NotDropped || err != nil {
			t.Errorf("%s, %v", got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got, err := b.Vend(ctx, Command{ID: "drops2", Slot: "drops2", Within: time.Minute}); got != Pending || err != nil {
			t.Errorf("%s, %v", got, err)
		}
		if err := b.Ready(ctx, "oslo12"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ready of a disk that does not answer: %v", err)
		}
		if got, err := b.Conclude(ctx, "fenced"); got != Unknown || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Conclude of what is not synced: %s, %v", got, err)
		}
		if got, err := b.Conclude(ctx, "before"); got != Dropped || err != nil {
			t.Errorf("Conclude of what is known: %s, %v", got, err)
		}
		synctest.Wait()
		b.says(t, "fenced", NotDropped)
		time.Sleep(time.Minute) //nolint:forbidigo // virtual time
		b.says(t, "drops2", NotDropped)
		if len(b.runs) > 0 {
			t.Errorf("the motor turned: %v", b.runs)
		}
		b.disk.syncing = nil
		b = newBox(t, b.disk.powerCut())
		for _, id := range []string{"drops1", "drops2", "fenced"} {
			b.says(t, id, NotDropped)
		}
	})
}
