package landing

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

//go:embed templates
var templateFiles embed.FS

// readTemplates takes those of the package, and in their place the ones of the same name of the operator's.
func readTemplates(own fs.FS) (*template.Template, error) {
	all := template.New("")
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, name := range names {
		known[path.Base(name)] = true
	}
	var wrong []error
	read := func(from fs.FS, name string) {
		content, err := fs.ReadFile(from, name)
		if err == nil {
			_, err = all.New(path.Base(name)).Parse(string(content))
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("Templates: %w", err))
		}
	}
	for _, name := range names {
		read(templateFiles, name)
	}
	if own != nil {
		replaced, err := fs.Glob(own, "*.html")
		if err != nil {
			return nil, err
		}
		if len(replaced) == 0 {
			wrong = append(wrong, fmt.Errorf("Templates: has none of %s at its root; use fs.Sub if they are in a folder", strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
		}
		for _, name := range replaced {
			if !known[name] {
				wrong = append(wrong, fmt.Errorf("Templates: %s: there is no such template", name))
				continue
			}
			read(own, name)
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("landing.New: %w: %w", vipps.ErrInvalidRequest, errors.Join(wrong...))
	}
	return all, nil
}

// tryTemplates finds templates that would fail in front of a customer: each is given all that it may meet, and nothing else.
func (s *Site) tryTemplates() error {
	var wrong []error
	try := func(name string, give func(*Page)) {
		page := s.newPage(&http.Request{URL: new(url.URL)}, Machine{Name: "Machine"}, "machine")
		give(page)
		if err := s.templates.ExecuteTemplate(io.Discard, name, page); err != nil {
			wrong = append(wrong, fmt.Errorf("Templates: %w", err))
		}
	}
	for name, orders := range map[string][]Order{
		"products.html": {{}, {Products: someLines}, {Products: someLines, Total: 2500, Age: 18}, {Products: someLines[:1], Total: 2500, Review: true}},
		"payment.html":  {{}, {Products: someLines[:1], Total: 2500}},
		"reserve.html":  {{Maximum: true, Items: 1, Total: 2500}, {Maximum: true, Items: 3, Total: 7500, Age: 18}, {Products: someLines[:1], Total: 2500}},
	} {
		for _, order := range orders {
			try(name, func(p *Page) { p.Order = &order })
			try(name, func(p *Page) { p.Order, p.Notice, p.Machine = &order, "Notice", "" })
		}
	}
	for _, session := range someSessions() {
		try("status.html", func(p *Page) { p.Status = p.tell(&session) })
		try("status.html", func(p *Page) { p.Status, p.Machine, p.Address = p.tell(&session), "", "" })
	}
	for _, problem := range []Problem{{Status: http.StatusNotFound}, {Status: http.StatusConflict, Text: "Text", Money: "Money", Retry: "/"}} {
		try("problem.html", func(p *Page) { p.Problem = &problem })
		try("problem.html", func(p *Page) { p.Problem, p.Machine, p.Address = &problem, "", "" })
	}
	if len(wrong) > 0 {
		return fmt.Errorf("landing.New: %w: %w", vipps.ErrInvalidRequest, errors.Join(wrong...))
	}
	return nil
}

// someLines are products as a page may have them.
var someLines = []Line{{Slot: "A1", Name: "Cola", Price: 2500, Quantity: 1, MinimumAge: 18}, {Slot: "B2", Name: "Chips", SoldOut: true}}

// someSessions are in all states, and have all that there may be.
func someSessions() []vending.Session {
	items := []vending.Item{{Name: "Cola", Price: 2500, VendID: "v1", Concluded: true, Verdict: vending.Dropped}}
	all := []vending.Session{
		{State: vending.Choosing, Maximum: true, MaxItems: 2, Reserved: 5000, Items: items},
		{State: vending.Closed, Items: items, Outcome: vending.Outcome{Result: vending.OverCaptured, Captured: 2500, Refunded: 2500, Released: 2500, Unknown: 2500}},
		{State: vending.Closed, Items: items, Outcome: vending.Outcome{Result: vending.Sold, Captured: 2500}},
	}
	for _, state := range []vending.State{
		vending.Opening, vending.Waiting, vending.Withdrawing, vending.Choosing, vending.Vending, vending.Held, vending.Settling, vending.Closed,
	} {
		all = append(all, vending.Session{State: state, Reserved: 2500})
	}
	return all
}
