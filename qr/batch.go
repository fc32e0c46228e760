package qr

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vippsvending/vipps"
)

// BatchError says which of the stickers of a batch are not as they should be. The others are. errors.Is and errors.As look
// at the error of each sticker.
type BatchError struct {
	Op   string
	Rows []RowError // by Index
}

// RowError is what went wrong with one sticker of a batch.
type RowError struct {
	Index int // in the slice that was passed in
	ID    string
	Err   error
}

// Error is one line for each of the first stickers that failed.
func (e *BatchError) Error() string {
	const most = 20
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d failed", e.Op, len(e.Rows))
	for _, row := range e.Rows[:min(len(e.Rows), most)] {
		b.WriteString("\n" + row.Error())
	}
	if more := len(e.Rows) - most; more > 0 {
		fmt.Fprintf(&b, "\nand %d more", more)
	}
	return b.String()
}

// Unwrap is the rows' errors.
func (e *BatchError) Unwrap() []error {
	all := make([]error, len(e.Rows))
	for i, row := range e.Rows {
		all[i] = row
	}
	return all
}

// Error names the sticker by its index and says what went wrong.
func (e RowError) Error() string { return fmt.Sprintf("stickers[%d] %q: %v", e.Index, e.ID, e.Err) }

// Unwrap is what went wrong.
func (e RowError) Unwrap() error { return e.Err }

// EnsureRedirects does for a whole fleet what [Client.EnsureRedirect] does for one sticker: it reads all codes in one call and
// touches only those that differ. A sticker that is wrong or fails stops none of the others.
//
// The result has an entry for each sticker, in order; that of one that failed is zero. The error is a [*BatchError] that tells
// about every one that failed, or matches [vipps.ErrInvalidRequest] if image is wrong. An id that is there twice is wrong the
// second time. Nothing is undone: call again with the same stickers.
func (c *Client) EnsureRedirects(ctx context.Context, stickers []RedirectSticker, image ImageOptions) ([]EnsuredRedirect, error) {
	const op = "qr.EnsureRedirects"
	var f findings
	f.image(image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	b := batch[RedirectSticker, RedirectCode, EnsuredRedirect]{
		op:       op,
		id:       func(s RedirectSticker) string { return s.ID },
		validate: func(s RedirectSticker) error { return s.findings().err("qr.EnsureRedirect") },
		list:     func() ([]RedirectCode, error) { return c.ListRedirects(ctx, image) },
		codeID:   func(code RedirectCode) string { return code.ID },
		ensure: func(s RedirectSticker) (*EnsuredRedirect, error) {
			return c.ensureRedirect(ctx, s, image)
		},
		create: func(s RedirectSticker) (*EnsuredRedirect, error) {
			return c.createRedirect(ctx, s, image)
		},
		update: func(s RedirectSticker, found RedirectCode) (*EnsuredRedirect, error) {
			return c.updateRedirect(ctx, s, image, found)
		},
	}
	return b.run(stickers)
}

// EnsureCallbacks does for a whole fleet what [Client.EnsureCallback] does for one sticker: it reads all codes in one call and
// touches only those that differ. A sticker that is wrong or fails stops none of the others.
//
// The results are as those of [Client.EnsureRedirects], but for a code that was made or updated and could not be read back:
// its entry says so beside its error.
func (c *Client) EnsureCallbacks(ctx context.Context, stickers []CallbackSticker, image ImageOptions) ([]EnsuredCallback, error) {
	const op = "qr.EnsureCallbacks"
	var f findings
	f.image(image)
	if err := f.err(op); err != nil {
		return nil, err
	}
	b := batch[CallbackSticker, CallbackCode, EnsuredCallback]{
		op:       op,
		id:       func(s CallbackSticker) string { return s.ID },
		validate: func(s CallbackSticker) error { return s.findings().err("qr.EnsureCallback") },
		list:     func() ([]CallbackCode, error) { return c.ListCallbacks(ctx, image) },
		codeID:   func(code CallbackCode) string { return code.ID },
		ensure: func(s CallbackSticker) (*EnsuredCallback, error) {
			return c.ensureCallback(ctx, s, image)
		},
		create: func(s CallbackSticker) (*EnsuredCallback, error) {
			return c.createCallback(ctx, s, image)
		},
		update: func(s CallbackSticker, found CallbackCode) (*EnsuredCallback, error) {
			return c.updateCallback(ctx, s, found)
		},
	}
	return b.run(stickers)
}

// batch is one call for many stickers of one kind: S is a sticker, C a code, E a code that is as it should be.
type batch[S, C, E any] struct {
	op       string
	id       func(S) string
	validate func(S) error
	list     func() ([]C, error)
	codeID   func(C) string
	ensure   func(S) (*E, error) // reads first
	create   func(S) (*E, error)
	update   func(S, C) (*E, error)
}

func (b *batch[S, C, E]) run(stickers []S) ([]E, error) {
	failed := &BatchError{Op: b.op}
	results := make([]E, len(stickers))
	wrong := b.check(stickers)
	var found map[string]C
	var listing error
	if len(wrong) < len(stickers) {
		found, listing = b.read()
	}
	for i, sticker := range stickers {
		err := wrong[i]
		if err == nil {
			err = listing
		}
		if err == nil {
			var result *E
			if result, err = b.one(sticker, found); result != nil {
				results[i] = *result
			}
		}
		if err != nil {
			failed.Rows = append(failed.Rows, RowError{i, b.id(sticker), err})
		}
	}
	if len(failed.Rows) > 0 {
		return results, failed
	}
	return results, nil
}

// check finds the stickers that need not be sent.
func (b *batch[S, C, E]) check(stickers []S) map[int]error {
	wrong := map[int]error{}
	first := map[string]int{}
	for i, sticker := range stickers {
		id := b.id(sticker)
		if err := b.validate(sticker); err != nil {
			wrong[i] = err
		} else if j, twice := first[id]; twice {
			wrong[i] = fmt.Errorf("%s: %w: ID: is that of stickers[%d] as well", b.op, vipps.ErrInvalidRequest, j)
		} else {
			first[id] = i
		}
	}
	return wrong
}

// read gives all codes by id, or nil if there are so many that they cannot be listed.
func (b *batch[S, C, E]) read() (map[string]C, error) {
	codes, err := b.list()
	if failed, ok := errors.AsType[*vipps.Error](err); ok && failed.During == "" && failed.Status >= 200 && failed.Status <= 299 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := make(map[string]C, len(codes))
	for _, code := range codes {
		found[b.codeID(code)] = code
	}
	return found, nil
}

func (b *batch[S, C, E]) one(sticker S, found map[string]C) (*E, error) {
	if found == nil {
		return b.ensure(sticker)
	}
	if code, ok := found[b.id(sticker)]; ok {
		return b.update(sticker, code)
	}
	return b.create(sticker)
}
