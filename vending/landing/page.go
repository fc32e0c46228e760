package landing

import (
	"bytes"
	"cmp"
	"log/slog"
	"net/http"
	"time"
)

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
	// Stylesheet, Script, Logo and Icon are addresses. Logo is empty without one, and Icon then a neutral picture: a browser that
	// is told of none asks the host for /favicon.ico.
	Stylesheet, Script, Logo, Icon string

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
		Icon:    cmp.Or(s.asset(logoName), s.asset(iconName)),
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

// write answers with a page. It is made in full before anything is sent.
func (s *Site) write(w http.ResponseWriter, r *http.Request, status int, name string, page *Page) {
	var body bytes.Buffer
	if err := s.templates.ExecuteTemplate(&body, name, page); err != nil {
		s.config.Logger.LogAttrs(r.Context(), slog.LevelWarn, "template failed", slog.String("template", name), slog.String("error", err.Error()))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	s.keepLanguage(w, r)
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", page.Language)
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // a customer who has left needs no page
}
