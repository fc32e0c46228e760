package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"strings"

	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/qr"
)

const placeholder = "{id}"

// row is a machine of the list and what became of it.
type row struct {
	line         int
	ID, Location string
	Image        template.URL

	outcome qr.Outcome
	address string
	err     error
}

// read reads the list. A line that is wrong becomes a row with an error.
func read(list io.Reader) ([]*row, error) {
	buffered := bufio.NewReader(list)
	if mark, _ := buffered.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) { // of a spreadsheet
		if _, err := buffered.Discard(len(mark)); err != nil {
			return nil, err
		}
	}
	lines := csv.NewReader(buffered)
	lines.FieldsPerRecord, lines.TrimLeadingSpace = -1, true
	if start, _ := buffered.Peek(buffered.Size()); bytes.Contains(firstLine(start), []byte(";")) && !bytes.Contains(firstLine(start), []byte(",")) {
		lines.Comma = ';'
	}
	var rows []*row
	first := map[string]int{}
	for header := true; ; header = false {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		r := new(row)
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			r.line, r.err = wrong.StartLine, fmt.Errorf("is not CSV: %w", wrong.Err)
			rows = append(rows, r)
			continue
		} else if err != nil {
			return nil, err
		}
		if header && len(fields) == 2 && strings.EqualFold(fields[0], "id") && strings.EqualFold(fields[1], "location") {
			continue
		}
		r.line, _ = lines.FieldPos(0)
		rows = append(rows, r)
		if len(fields) != 2 {
			r.err = fmt.Errorf("must be an id and a location, has %d fields", len(fields))
			continue
		}
		r.ID, r.Location = strings.TrimSpace(fields[0]), strings.TrimSpace(fields[1])
		switch before, twice := first[r.ID]; {
		case r.ID == "":
			r.err = errors.New("has no id")
		case r.Location == "":
			r.err = fmt.Errorf("%q: has no location", r.ID)
		case twice:
			r.err = fmt.Errorf("%q: is on line %d already", r.ID, before)
		default:
			first[r.ID] = r.line
		}
	}
	if len(rows) == 0 {
		return nil, errors.New("the list has no machines")
	}
	return rows, nil
}

func firstLine(text []byte) []byte {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return line
}

// good are the rows that nothing is known to be wrong with.
func good(rows []*row) []*row {
	var list []*row
	for _, r := range rows {
		if r.err == nil {
			list = append(list, r)
		}
	}
	return list
}

// ensure has the codes as they should be.
func ensure(ctx context.Context, codes *qr.Client, c choices, rows []*row) {
	rows = good(rows)
	if len(rows) == 0 {
		return
	}
	var err error
	if c.kind == "redirect" {
		stickers := make([]qr.RedirectSticker, len(rows))
		for i, r := range rows {
			stickers[i] = qr.RedirectSticker{ID: r.ID, RedirectURL: strings.ReplaceAll(c.page, placeholder, inAddress(r.ID))}
		}
		var ensured []qr.EnsuredRedirect
		ensured, err = codes.EnsureRedirects(ctx, stickers, qr.ImageOptions{Format: qr.SVG})
		for i, e := range ensured {
			rows[i].outcome, rows[i].address = e.Outcome, e.Code.ImageURL
		}
	} else {
		stickers := make([]qr.CallbackSticker, len(rows))
		for i, r := range rows {
			stickers[i] = qr.CallbackSticker{ID: r.ID, LocationDescription: r.Location, Category: qr.Vending}
		}
		var ensured []qr.EnsuredCallback
		ensured, err = codes.EnsureCallbacks(ctx, stickers, qr.ImageOptions{Format: qr.SVG})
		for i, e := range ensured {
			rows[i].outcome, rows[i].address = e.Outcome, e.Code.ImageURL
		}
	}
	if failed, ok := errors.AsType[*qr.BatchError](err); ok {
		for _, f := range failed.Rows {
			rows[f.Index].err = fmt.Errorf("%q: %w", f.ID, f.Err)
		}
	} else if err != nil {
		for _, r := range rows {
			r.err = err
		}
	}
}

// inAddress is an id for any part of an address.
func inAddress(id string) string { return strings.ReplaceAll(url.QueryEscape(id), "+", "%20") }

// draw fetches the images. The addresses are not kept: they may change, while the codes do not.
func draw(ctx context.Context, server *setup.Setup, rows []*row) {
	for _, r := range good(rows) {
		image, err := qr.FetchImage(ctx, r.address, qr.FetchOptions{HTTPClient: server.Images})
		if err != nil {
			r.err = fmt.Errorf("%q: the code is %s, but its image cannot be fetched: %w", r.ID, r.outcome, err)
			continue
		}
		kind := "image/png"
		if image.Format == qr.SVG {
			kind = "image/svg+xml"
		}
		// Nothing in an image that stands in an img element is executed.
		r.Image = template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(image.Data)) //nolint:gosec // as said
	}
}
