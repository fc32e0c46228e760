package landing

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
)

//go:embed templates
var templateFiles embed.FS

// Page is what every template is given. Which of Order, Status and Problem is set depends on the template.
type Page struct {
	// Language is that of the page, and Languages what it is offered in.
	Language  string
	Languages []Language
	Brand     Brand
	// Operator is Config.Name.
	Operator string
	Contact  Contact
	Terms    string
	Privacy  string
	// Stylesheet, Script and Logo are addresses. Logo is empty without one.
	Stylesheet, Script, Logo string

	// Title is the heading.
	Title string
	// Notice says what has just happened; empty if nothing.
	Notice string
	// Machine is the name of the machine, and Address its page; either is empty where there is none.
	Machine, Address string
	// Live is where the script hears that the page is to be fetched again, and Version what it shows now. Without a script it
	// is fetched again every Refresh seconds. They are empty for a page that does not change.
	Live    string
	Version string
	Refresh int
	// Format is how amounts are written.
	Format Format

	Order   *Order   // products.html, payment.html, reserve.html
	Status  *Status  // status.html
	Problem *Problem // problem.html
}

// Language is one that a page is offered in.
type Language struct {
	Code, Name, Link string
	Current          bool
}

// Text is one of the package's texts in the page's language. The files in texts have the keys.
func (p *Page) Text(key string, args ...any) string { return text(p.Language, key, args...) }

// Money writes an amount of minor units.
func (p *Page) Money(value int64) string { return p.Format.Write(value) }

func (s *Site) newPage(r *http.Request, machine Machine, name string) *Page {
	language := s.language(r, machine)
	brand := s.config.Brand
	if brand == "" {
		brand = brandOf(s.config.Operator.Currency(), time.Now())
	}
	page := &Page{
		Language: language, Brand: brand, Operator: s.config.Name, Contact: s.config.Contact,
		Terms: s.config.Terms, Privacy: s.config.Privacy,
		Stylesheet: s.asset(styleName), Script: s.asset(scriptName), Logo: s.asset(logoName),
		Machine: machine.Name, Format: formatOf(language, s.config.Operator.Currency()),
	}
	if name != "" {
		page.Address = s.config.Path + "/" + name
	}
	for _, code := range languages {
		page.Languages = append(page.Languages, Language{Code: code, Name: text(code, "language"), Link: "?lang=" + code, Current: code == language})
	}
	return page
}

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

// tryTemplates finds templates that would fail in front of a customer.
func (s *Site) tryTemplates() error {
	page := s.newPage(&http.Request{URL: new(url.URL)}, Machine{Name: "Machine"}, "machine")
	page.Order = &Order{Products: []Line{{Slot: "A1", Name: "Cola", Price: 2500, Quantity: 1, MinimumAge: 18}, {Slot: "B2", Name: "Chips", SoldOut: true}}, Total: 2500}
	page.Status = &Status{Step: 1, Continue: true, GiveUp: true, Done: true, Contact: true, Sums: []Sum{{"", 2500}}, Items: []Taken{{"Cola", 2500, ""}}}
	page.Problem = &Problem{Status: http.StatusNotFound}
	var wrong []error
	for _, t := range s.templates.Templates() {
		if !strings.HasSuffix(t.Name(), ".html") {
			continue
		}
		if err := s.templates.ExecuteTemplate(io.Discard, t.Name(), page); err != nil {
			wrong = append(wrong, fmt.Errorf("Templates: %w", err))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("landing.New: %w: %w", vipps.ErrInvalidRequest, errors.Join(wrong...))
	}
	return nil
}

// write answers with a page. It is made in full before anything is sent.
func (s *Site) write(w http.ResponseWriter, r *http.Request, status int, name string, page *Page) {
	var body bytes.Buffer
	if err := s.templates.ExecuteTemplate(&body, name, page); err != nil {
		s.config.Logger.LogAttrs(r.Context(), slog.LevelWarn, "template failed", slog.String("template", name), slog.String("error", err.Error()))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", page.Language)
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // a customer who has left needs no page
}
