package vending

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/vippsvending/vipps"
)

const (
	journalName    = "vending.journal"
	journalVersion = "1"
	journalID      = 100               // the longest id, in bytes
	journalRecord  = 128               // no record is longer
	journalRoom    = 2 * journalRecord // what a start and its verdict need
)

// The words of a journal. A line is a word, an id and a checksum.
const (
	wordJournal = "journal" // the first line; its id is the version
	wordStarted = "started" // the motor may have turned
	wordFenced  = "fenced"  // it has not, and never will
	wordDropped = "dropped" // the rest is what became of an id that was started
	wordNot     = "not-dropped"
	wordUnknown = "unknown"
)

// journalFile is an open journal that no other process has open. Its name is on disk.
type journalFile interface {
	io.Reader
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	io.Closer
}

// journal is a file that only grows, by one synced record at a time: a power cut can damage none but the last.
type journal struct {
	path   string
	file   journalFile
	lock   chan struct{} // full while somebody writes: a disk can take so long that nobody waits for it
	end    int64         // behind the last record that is synced
	torn   bool          // something unsynced may be behind end
	failed error         // a sync failed
}

// openJournal opens the journal in dir and says what it knows of each id.
func openJournal(dir string, open func(path string) (journalFile, error)) (*journal, map[string]Verdict, error) {
	j := &journal{path: filepath.Join(dir, journalName), lock: make(chan struct{}, 1)}
	file, err := open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("make the directory when the box is set up; if it was there before, its disk is not mounted: %w", err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("vending: journal %s: %w", j.path, err)
	}
	j.file = file
	verdicts, err := j.recover()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("vending: journal %s: %w", j.path, err), file.Close())
	}
	return j, verdicts, nil
}

// recover reads the file, cuts off what a power cut left, and makes sure that what was read is on disk.
func (j *journal) recover() (map[string]Verdict, error) {
	found, err := readJournal(j.file)
	if err != nil {
		return nil, err
	}
	j.end = found.end
	if err := j.file.Truncate(j.end); err != nil {
		return nil, err
	}
	last := found.last
	if len(last) == 0 {
		last = journalLine(wordJournal, journalVersion)
		j.end = int64(len(last))
	}
	// The last record may be in memory only: its writer was killed before the sync, or the sync failed and the system has
	// marked its pages as clean. Written again, it reaches the disk.
	if _, err := j.file.WriteAt(last, j.end-int64(len(last))); err != nil {
		return nil, err
	}
	return found.verdicts, j.file.Sync()
}

// append writes a record and syncs it. If it gives an error, the record may be on disk or not.
func (j *journal) append(word, id string) error {
	j.lock <- struct{}{}
	defer j.unlock()
	line := journalLine(word, id)
	if err := j.write(line); err != nil {
		return err
	}
	if err := j.file.Sync(); err != nil {
		// The system reports a failure once, and may then forget that the data never reached the disk.
		j.failed = fmt.Errorf("vending: journal %s could not be synced and is not trusted any more; look at the disk, then start the program again: %w", j.path, err)
		return j.failed
	}
	j.end += int64(len(line))
	j.torn = false
	return nil
}

// ready tries whether a sale's records could be written. It syncs nothing: a flash card would wear out.
func (j *journal) ready(ctx context.Context) error {
	select {
	case j.lock <- struct{}{}:
		defer j.unlock()
	case <-ctx.Done():
		return j.silent(ctx)
	}
	if err := j.write(bytes.Repeat([]byte{' '}, journalRoom)); err != nil {
		return err
	}
	return j.mend()
}

// write puts data behind the last record.
func (j *journal) write(data []byte) error {
	if j.failed != nil {
		return j.failed
	}
	if err := j.mend(); err != nil {
		return err
	}
	j.torn = true
	n, err := j.file.WriteAt(data, j.end)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	return j.unwritable(err)
}

// mend removes what is not synced.
func (j *journal) mend() error {
	if !j.torn {
		return nil
	}
	err := j.file.Truncate(j.end)
	j.torn = err != nil
	return j.unwritable(err)
}

func (j *journal) unwritable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("vending: journal %s cannot be written; see whether the disk is full or read-only: %w", j.path, err)
}

func (j *journal) silent(ctx context.Context) error {
	return fmt.Errorf("vending: journal %s: the disk does not answer: %w", j.path, ctx.Err())
}

func (j *journal) gone() error {
	return fmt.Errorf("vending: journal %s: %w", j.path, fs.ErrClosed)
}

func (j *journal) unlock() { <-j.lock }

func (j *journal) close() error {
	j.lock <- struct{}{}
	defer j.unlock()
	j.failed = j.gone()
	return j.file.Close()
}

// checkVendID keeps out what would break a line.
func checkVendID(id string) error {
	if validVendID(id) {
		return nil
	}
	return fmt.Errorf("vending: ID: must be 1 to %d visible ASCII characters: %w", journalID, vipps.ErrInvalidRequest)
}

func validVendID(id string) bool {
	return id != "" && len(id) <= journalID && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}

func journalLine(word, id string) []byte {
	return fmt.Appendf(nil, "%s %s %08x\n", word, id, crc32.ChecksumIEEE([]byte(word+" "+id)))
}

func parseJournalLine(line []byte) (word, id string, ok bool) {
	word, rest, _ := strings.Cut(string(line), " ")
	id, _, _ = strings.Cut(rest, " ")
	return word, id, validVendID(id) && bytes.Equal(line, journalLine(word, id))
}

// journalContent is what a journal says.
type journalContent struct {
	verdicts map[string]Verdict
	open     map[string]bool // started, and no verdict
	last     []byte          // the last record
	end      int64           // behind the last record
}

// readJournal reads records until the end, or until a last one that a power cut has torn. Any other damage is an error: an
// id may be missing whose product has left.
func readJournal(r io.Reader) (*journalContent, error) {
	c := &journalContent{verdicts: map[string]Verdict{}, open: map[string]bool{}}
	buffered := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := buffered.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		word, id, whole := parseJournalLine(line)
		if !whole {
			tail, err := io.ReadAll(io.MultiReader(bytes.NewReader(bytes.Clone(line)), io.LimitReader(buffered, journalRoom+1)))
			if err != nil {
				return nil, err
			}
			if isTorn(tail) {
				return c, nil
			}
			return nil, damaged(n, "is damaged")
		}
		if err := c.take(n, word, id); err != nil {
			return nil, err
		}
		c.last = append(c.last[:0], line...)
		c.end += int64(len(line))
	}
}

// isTorn says whether a power cut can have left this at the end of a file: less than a line, or a line with parts that never
// reached the disk, which read as zeros. Nothing is written behind what is not synced, so it is short.
func isTorn(tail []byte) bool {
	newline := bytes.IndexByte(tail, '\n')
	return len(tail) <= journalRoom && (newline < 0 || newline == len(tail)-1 && bytes.IndexByte(tail, 0) >= 0)
}

func (c *journalContent) take(n int, word, id string) error {
	_, known := c.verdicts[id]
	switch {
	case n == 1 && word == wordJournal && id == journalVersion:
		return nil
	case n == 1 && word == wordJournal:
		return errors.New("another version of this package has written it; use that one")
	case n == 1:
		return damaged(n, "does not begin a journal")
	case word == wordStarted && !known:
		c.verdicts[id] = Unknown
		c.open[id] = true
		return nil
	case word == wordFenced && !known:
		c.verdicts[id] = NotDropped
		return nil
	case !c.open[id]:
		return damaged(n, "contradicts the lines before it")
	}
	switch word {
	case wordDropped:
		c.verdicts[id] = Dropped
	case wordNot:
		c.verdicts[id] = NotDropped
	case wordUnknown:
	default:
		return damaged(n, "contradicts the lines before it")
	}
	delete(c.open, id)
	return nil
}

func damaged(line int, how string) error {
	return fmt.Errorf("line %d %s, so products may have left that it does not show; look at the disk, have a person settle the open sessions of this box, then move the file away", line, how)
}
