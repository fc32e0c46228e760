package vending

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

// disk is a journal's file on a disk that can fail and lose power. What was written is in memory; a sync brings it to the
// platter.
type disk struct {
	memory, platter []byte
	dirty           []span // what the next sync writes
	shorter         bool   // memory was cut since the last sync
	read            int
	isOpen          bool
	writing         func(data []byte) (int, error) // nil writes everything
	syncing         func() error
	cutting         func() error
	before          func() // is called before each write and sync
}

type span struct{ from, to int }

func (d *disk) open(string) (journalFile, error) {
	if d.isOpen {
		return nil, errJournalTaken
	}
	d.isOpen, d.read = true, 0
	return d, nil
}

func (d *disk) Close() error {
	d.isOpen = false
	return nil
}

func (d *disk) Read(p []byte) (int, error) {
	n := copy(p, d.memory[d.read:])
	d.read += n
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (d *disk) step() {
	if d.before != nil {
		d.before()
	}
}

func (d *disk) WriteAt(p []byte, at int64) (int, error) {
	d.step()
	n, err := len(p), error(nil)
	if d.writing != nil {
		n, err = d.writing(p)
	}
	d.memory = put(d.memory, p[:n], int(at))
	d.dirty = append(d.dirty, span{int(at), int(at) + n})
	return n, err
}

func put(into, data []byte, at int) []byte {
	if missing := at + len(data) - len(into); missing > 0 {
		into = append(into, make([]byte, missing)...)
	}
	copy(into[at:], data)
	return into
}

func (d *disk) Truncate(size int64) error {
	if d.cutting != nil {
		if err := d.cutting(); err != nil {
			return err
		}
	}
	d.memory = d.memory[:size]
	d.shorter = true
	return nil
}

// Sync that fails marks everything as clean, as Linux does: the next one has nothing to write and succeeds.
func (d *disk) Sync() error {
	d.step()
	dirty := d.dirty
	d.dirty = nil
	if d.syncing != nil {
		if err := d.syncing(); err != nil {
			return err
		}
	}
	for _, s := range dirty {
		if to := min(s.to, len(d.memory)); s.from < to {
			d.platter = put(d.platter, d.memory[s.from:to], s.from)
		}
	}
	if d.shorter {
		d.platter = d.platter[:min(len(d.platter), len(d.memory))]
		d.shorter = false
	}
	return nil
}

// powerCut loses what was not synced.
func (d *disk) powerCut() *disk {
	return &disk{memory: bytes.Clone(d.platter), platter: bytes.Clone(d.platter)}
}

// survivors are what the platter may hold after a power cut: any part of what was not synced, with zeros for the rest.
func (d *disk) survivors() [][]byte {
	synced := bytes.Clone(d.platter)
	found := [][]byte{synced, bytes.Clone(d.memory)}
	for n := len(synced); n <= len(d.memory); n++ {
		first := bytes.Clone(d.memory[:n])
		last := bytes.Clone(d.memory)
		clear(last[len(synced):n])
		padded := append(bytes.Clone(first), make([]byte, len(d.memory)-n)...)
		found = append(found, first, padded, last)
	}
	return found
}

func newDisk(lines ...string) *disk {
	data := journalLine(wordJournal, journalVersion)
	for _, line := range lines {
		word, id, _ := strings.Cut(line, " ")
		data = append(data, journalLine(word, id)...)
	}
	return &disk{memory: data, platter: bytes.Clone(data)}
}

// motors is a driver whose slots do what they are called. It counts.
type motors struct{ runs map[string]int }

func (m *motors) drive(_ context.Context, slot string) error {
	if m.runs == nil {
		m.runs = map[string]int{}
	}
	m.runs[slot]++
	switch {
	case strings.HasPrefix(slot, "drops"):
		return nil
	case strings.HasPrefix(slot, "jams"):
		return fmt.Errorf("coil %s: %w", slot, ErrJammed)
	default:
		return errors.New("the sensor is blind")
	}
}

// becomes is what the driver says of a slot.
func becomes(slot string) Verdict {
	switch {
	case strings.HasPrefix(slot, "drops"):
		return Dropped
	case strings.HasPrefix(slot, "jams"):
		return NotDropped
	default:
		return Unknown
	}
}

// box is a machine on a disk. Its ids are the names of their slots.
type box struct {
	*JournaledMachine
	motors
	disk *disk
}

func newBox(t *testing.T, d *disk) *box {
	t.Helper()
	b := &box{disk: d}
	machine, err := journaled("box", b.drive, d.open)
	if err != nil {
		t.Fatalf("%v: %q", err, d.memory)
	}
	b.JournaledMachine = machine
	return b
}

// restart is what the process finds when it is started again.
func (b *box) restart(t *testing.T) *box {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return newBox(t, b.disk)
}

func (b *box) vend(t *testing.T, slot string) (Verdict, error) {
	t.Helper()
	return b.Vend(t.Context(), Command{ID: slot, Slot: slot, Within: time.Minute})
}

// says checks what is said of an id, twice, by both methods.
func (b *box) says(t *testing.T, id string, want Verdict) {
	t.Helper()
	before := b.runs[id]
	for range 2 {
		if got, err := b.Conclude(t.Context(), id); got != want || err != nil {
			t.Errorf("Conclude(%s) = %s, %v, want %s", id, got, err, want)
		}
		if got, err := b.vend(t, id); got != want || err != nil {
			t.Errorf("Vend(%s) = %s, %v, want %s", id, got, err, want)
		}
	}
	if b.runs[id] != before {
		t.Errorf("the motor turned again for %s", id)
	}
}

// refuses checks that nothing is said of an id and nothing moves.
func (b *box) refuses(t *testing.T, id string, cause error, advice string) {
	t.Helper()
	before := b.runs[id]
	_, vend := b.vend(t, id)
	_, conclude := b.Conclude(t.Context(), id)
	for _, err := range []error{vend, conclude} {
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), advice) {
			t.Errorf("%s: %v, want %v and %q", id, err, cause, advice)
		}
	}
	if b.runs[id] != before {
		t.Errorf("the motor turned for %s", id)
	}
}

func nothing(context.Context, string) error { return nil }

func TestJournalLine(t *testing.T) {
	t.Parallel()
	got := string(journalLine(wordStarted, "oslo12-abcdefghijklm-v1"))
	if want := "started oslo12-abcdefghijklm-v1 51c843c4\n"; got != want {
		t.Errorf("the format of files in the field has changed: %q, was %q", got, want)
	}
	if longest := len(journalLine(wordNot, strings.Repeat("x", journalID))); longest > journalRecord {
		t.Errorf("a record of %d bytes", longest)
	}
	for id, want := range map[string]bool{
		"a": true, "~!": true, strings.Repeat("x", journalID): true, strings.Repeat("x", journalID+1): false,
		"": false, "a b": false, "a\nb": false, "a\x00": false, "a\x7f": false, "bokstav-å": false, "\xff": false,
	} {
		if (checkVendID(id) == nil) != want {
			t.Errorf("checkVendID(%q) = %v", id, checkVendID(id))
		}
	}
}

// TestJournalDamage reads files that no power cut leaves.
func TestJournalDamage(t *testing.T) {
	t.Parallel()
	whole := string(newDisk("started a", "dropped a", "started b", "fenced c").memory)
	changed := func(old, with string) string {
		t.Helper()
		if strings.Count(whole, old) != 1 {
			t.Fatalf("%q is not once in %q", old, whole)
		}
		return strings.Replace(whole, old, with, 1)
	}
	lines := func(lines ...string) string { return string(newDisk(lines...).memory) }
	for _, test := range []struct{ name, content, want string }{
		{"a bit in the middle", changed("dropped a", "dropped b"), "line 3 is damaged"},
		{"zeros in the middle", changed("dropped a", "dro\x00\x00\x00\x00 a"), "line 3 is damaged"},
		{"a bit in the last line", changed("fenced c", "fenced d"), "line 5 is damaged"},
		{"an empty line", changed("started b", "\nstarted b"), "line 4 is damaged"},
		{"a carriage return", strings.ReplaceAll(whole, "\n", "\r\n"), "line 1 is damaged"},
		{"a long line", whole + strings.Repeat("x", 1<<20) + "\n", "line 6 is damaged"},
		{"synced records that are zeros now", whole + strings.Repeat("\x00", 4096), "line 6 is damaged"},
		{"two torn lines", whole + "\x00\n\x00\n", "line 6 is damaged"},
		{"another file", "hello\nworld\n", "line 1 is damaged"},
		{"no first line", string(journalLine(wordStarted, "a")), "line 1 does not begin a journal"},
		{"another version", string(journalLine(wordJournal, "2")), "another version"},
		{"a first line in the middle", whole + lines(), "line 6 contradicts"},
		{"started twice", lines("started a", "started a"), "line 3 contradicts"},
		{"started after its verdict", lines("started a", "dropped a", "started a"), "line 4 contradicts"},
		{"started after it was fenced", lines("fenced a", "started a"), "line 3 contradicts"},
		{"fenced after it was started", lines("started a", "fenced a"), "line 3 contradicts"},
		{"two verdicts", lines("started a", "dropped a", "not-dropped a"), "line 4 contradicts"},
		{"two verdicts, the first unknown", lines("started a", "unknown a", "dropped a"), "line 4 contradicts"},
		{"a verdict of what was not started", lines("dropped a"), "line 2 contradicts"},
		{"an unheard word", lines("started a", "exploded a"), "line 3 contradicts"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := &disk{memory: []byte(test.content)}
			_, err := journaled("box", nothing, d.open)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), journalName) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if string(d.memory) != test.content || d.isOpen {
				t.Error("the file was changed, or not closed")
			}
		})
	}
}

// TestJournalFails opens journals on disks that cannot be read, cut, written or synced.
func TestJournalFails(t *testing.T) {
	t.Parallel()
	fail := func() error { return syscall.EIO }
	for _, d := range []*disk{
		{cutting: fail},
		{writing: func([]byte) (int, error) { return 0, syscall.EIO }},
		{syncing: fail},
	} {
		if _, err := journaled("box", nothing, d.open); !errors.Is(err, syscall.EIO) || d.isOpen {
			t.Errorf("%v, open %v", err, d.isOpen)
		}
	}
	if _, err := readJournal(io.MultiReader(bytes.NewReader(newDisk().memory), broken{})); !errors.Is(err, syscall.EIO) {
		t.Errorf("unreadable at the end of a line: %v", err)
	}
	if _, err := readJournal(io.MultiReader(strings.NewReader("journ"), broken{})); !errors.Is(err, syscall.EIO) {
		t.Errorf("unreadable within a line: %v", err)
	}
	if _, err := readJournal(io.MultiReader(strings.NewReader("x\n"), broken{})); !errors.Is(err, syscall.EIO) {
		t.Errorf("unreadable behind a damaged line: %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, syscall.EIO }

// FuzzJournal reads anything. What is accepted must be read again as it was, with the torn end cut off, and must still be
// readable with one more record.
func FuzzJournal(f *testing.F) {
	whole := newDisk("started a", "dropped a", "started b", "not-dropped b", "started c", "unknown c", "fenced d", "started e").memory
	f.Add(whole)
	f.Add(whole[:len(whole)-5])
	f.Add(append(bytes.Clone(whole), 0, 0, '\n'))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := readJournal(bytes.NewReader(data))
		if err != nil {
			return
		}
		if found.end > int64(len(data)) || int64(len(data))-found.end > journalRoom || !bytes.HasSuffix(data[:found.end], found.last) {
			t.Fatalf("%d of %d bytes, last %q", found.end, len(data), found.last)
		}
		again := &disk{memory: bytes.Clone(data)}
		j, verdicts, err := openJournal("box", again.open)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(again.memory, data[:found.end]) {
			t.Error("a record was changed")
		}
		id := "one-more"
		for _, heard := verdicts[id]; heard; _, heard = verdicts[id] {
			id += "x"
		}
		if len(id) > journalID {
			return
		}
		if err := j.append(wordFenced, id); err != nil {
			t.Fatal(err)
		}
		more, err := readJournal(bytes.NewReader(again.memory))
		if err != nil || len(more.verdicts) != len(verdicts)+1 || more.end != int64(len(again.memory)) {
			t.Fatalf("%v: %d ids, then %d", err, len(verdicts), len(more.verdicts))
		}
		for id, verdict := range verdicts {
			if more.verdicts[id] != verdict {
				t.Errorf("%s was %s, is %s", id, verdict, more.verdicts[id])
			}
		}
	})
}

// BenchmarkJournalOpen is the start of a box that has sold 100,000 products.
func BenchmarkJournalOpen(b *testing.B) {
	data := newDisk().memory
	for n := range 100_000 {
		id := fmt.Sprintf("oslo12-%013d-v1", n)
		data = append(data, journalLine(wordStarted, id)...)
		data = append(data, journalLine(wordDropped, id)...)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := readJournal(bytes.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}
