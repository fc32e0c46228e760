package landing_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	good := newShop(t, change{}).config
	for field, spoil := range map[string]func(*landing.Config){
		"Operator":       func(c *landing.Config) { c.Operator = nil },
		"Machine":        func(c *landing.Config) { c.Machine = nil },
		"Path":           func(c *landing.Config) { c.Path = "/m/" },
		"Name":           func(c *landing.Config) { c.Name = "" },
		"Logo":           func(c *landing.Config) { c.Logo = []byte("<html><svg>") },
		"Contact":        func(c *landing.Config) { c.Contact = landing.Contact{} },
		"Contact.Phone":  func(c *landing.Config) { c.Contact.Phone = "call us" },
		"Contact.Email":  func(c *landing.Config) { c.Contact.Email = "acme.example" },
		"Contact.URL":    func(c *landing.Config) { c.Contact.URL = "javascript:alert(1)" },
		"Terms":          func(c *landing.Config) { c.Terms = "" },
		"Privacy":        func(c *landing.Config) { c.Privacy = "http://acme.example" },
		"Brand":          func(c *landing.Config) { c.Brand = "Swish" },
		"Language":       func(c *landing.Config) { c.Language = "no" },
		"Limits.Address": func(c *landing.Config) { c.Limits.Address.Burst = -1 },
		"Limits.Machine": func(c *landing.Config) { c.Limits.Machine.Every = -1 },
		"Limits.Live":    func(c *landing.Config) { c.Limits.LivePerAddress = -1 },
		"Templates":      func(c *landing.Config) { c.Templates = fstest.MapFS{"product.html": {}} },
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			config := good
			spoil(&config)
			if _, err := landing.New(config); !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), field+": ") {
				t.Errorf("%v, want ErrInvalidRequest that names %s", err, field)
			}
		})
	}
	config := good
	config.Path = "/m/"
	if _, err := landing.New(config); strings.Contains(err.Error(), "Operator") { // which has nothing wrong with it
		t.Errorf("%v", err)
	}
	_, err := landing.New(landing.Config{})
	for _, field := range []string{"Operator", "Machine", "Name", "Contact", "Terms"} {
		if !strings.Contains(err.Error(), field+": ") {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

// TestPath tries addresses that customers would not come back to, or that nothing can be mounted at.
func TestPath(t *testing.T) {
	t.Parallel()
	s := newShop(t, change{})
	try := func(path, returns, names string) {
		t.Helper()
		s.engine.ReturnURL = returns
		config, err := s.config, error(nil)
		if config.Operator, err = vending.NewOperator(s.engine); err != nil {
			t.Fatal(err)
		}
		config.Path = path
		if _, err := landing.New(config); (err == nil) != (names == "") || names != "" && (!errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), names+": ")) {
			t.Errorf("at %q with %q: %v, want an error that names %q", path, returns, err, names)
		}
	}
	for _, path := range []string{"/..", "/.", "/a/../b", "/a/.", "//a", "m", "/m?"} {
		try(path, "https://acme.example"+path+"/s/{token}", "Path")
	}
	for _, returns := range []string{
		"", "https://acme.example/machines/{token}", "https://acme.example/m/s/", "https://acme.example/m/s/{token}/",
		"https://acme.example/s/{token}", "https://acme.example/x/m/s/{token}", "https://acme.example/m/s/{token}?x=1", "https://acme.example?/m/s/{token}",
	} {
		try("/m", returns, "Operator")
	}
	for _, path := range []string{"", "/s", "/assets", "/live", "/a.b/c_d"} {
		try(path, "https://acme.example"+path+"/s/{token}", "")
	}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	replaced := func(files fs.FS) change { return change{site: func(c *landing.Config) { c.Templates = files }} }
	s := newShop(t, replaced(fstest.MapFS{
		"problem.html": {Data: []byte(`{{template "top" .}}<main>Oh no: {{.Problem.Text}} {{.Money 2500}}</main>{{template "bottom" .}}`)},
		"notes.txt":    {Data: []byte("{{")},
	}))
	s.browser().get(t, "/m/bergen").wants(t, 404, "Oh no: Scan the code", "25.00 NOK", "Questions?")
	s.browser().get(t, "/m/oslo12").wants(t, 200, "Cola & ice")
	config := s.config
	for name, files := range map[string]fstest.MapFS{
		"in a folder": {"templates/status.html": {Data: []byte("own")}, "templates/layout.html": {}}, "empty": {},
	} {
		config.Templates = files
		if _, err := landing.New(config); !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), "Templates: has none of layout.html, payment.html, problem.html, ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, test := range map[string]struct{ file, content string }{
		"does not parse":              {"status.html", "{{"},
		"does not exist":              {"status.html", "{{.Nonsense}}"},
		"fails":                       {"status.html", "{{.Text}}"},
		"wants another page's":        {"status.html", "{{.Order.Total}}"},
		"fails for a maximum":         {"reserve.html", "{{if .Order.Maximum}}{{.Nonsense}}{{end}}"},
		"fails for several":           {"reserve.html", "{{if gt .Order.Items 1}}{{.Nonsense}}{{end}}"},
		"fails at the review":         {"products.html", "{{if .Order.Review}}{{.Nonsense}}{{end}}"},
		"fails with nothing to sell":  {"products.html", "{{index .Order.Products 0}}"},
		"fails with nothing chosen":   {"payment.html", "{{index .Order.Products 0}}"},
		"fails for what is not known": {"status.html", "{{range .Status.Sums}}{{if $.Status.Contact}}{{.Nonsense}}{{end}}{{end}}"},
		"fails with a notice":         {"payment.html", "{{with .Notice}}{{.Nonsense}}{{end}}"},
		"fails where money is named":  {"problem.html", "{{with .Problem.Money}}{{.Nonsense}}{{end}}"},
	} {
		config.Templates = fstest.MapFS{test.file: {Data: []byte(test.content)}}
		if _, err := landing.New(config); !errors.Is(err, vipps.ErrInvalidRequest) || !strings.Contains(err.Error(), test.file) {
			t.Errorf("a template that %s: %v", name, err)
		}
	}
}

// TestTemplateFails has a template fail that worked when it was tried: nothing of it is sent.
func TestTemplateFails(t *testing.T) {
	t.Parallel()
	s := newShop(t, change{site: func(c *landing.Config) {
		c.Templates = fstest.MapFS{"products.html": {Data: []byte(`secret {{if gt (len .Order.Products) 3}}{{index .Order.Products 9}}{{end}}`)}}
	}})
	s.browser().get(t, "/m/oslo12").wants(t, 500)
	if s.log.Len() == 0 {
		t.Error("nobody is told")
	}
}

func TestBrand(t *testing.T) {
	t.Parallel()
	before := time.Date(2027, 1, 11, 22, 59, 59, 0, time.UTC)
	for _, test := range []struct {
		currency vipps.Currency
		at       time.Time
		want     landing.Brand
	}{
		{vipps.NOK, before, landing.Vipps},
		{vipps.DKK, before, landing.MobilePay},
		{vipps.EUR, before, landing.MobilePay},
		{vipps.DKK, before.Add(time.Second), landing.Vipps},
		{vipps.EUR, before.Add(time.Second), landing.Vipps},
		{vipps.NOK, before.Add(time.Second), landing.Vipps},
	} {
		if got := landing.BrandOf(test.currency, test.at); got != test.want {
			t.Errorf("%s at %s: %s, want %s", test.currency, test.at, got, test.want)
		}
	}
	synctest.Test(t, func(t *testing.T) { // whose clock begins in 2000
		s := newShop(t, change{operator: func(c *vending.Config) { c.Currency = vipps.DKK }})
		s.browser().get(t, "/m/max1").wants(t, 200, "Pay with MobilePay")
		later(28 * 365 * 24 * time.Hour)
		s.browser().get(t, "/m/max1").wants(t, 200, "Pay with Vipps")
	})
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	s := newShop(t, change{site: func(c *landing.Config) {
		c.Language = ""
		c.Machine = func(_ context.Context, name string) (landing.Machine, error) {
			return landing.Machine{Language: map[string]string{"malmo": "sv"}[name]}, nil
		}
	}})
	for _, test := range []struct{ accept, target, want string }{
		{"", "/m/oslo12", "nb"},
		{"de, fr;q=0.5", "/m/malmo", "sv"},
		{"da-DK, en;q=0.8", "/m/malmo", "da"},
		{"da", "/m/oslo12?lang=fi", "fi"},
		{"da", "/m/oslo12?lang=xx", "da"},
	} {
		b := s.browser()
		b.header.Set("Accept-Language", test.accept)
		p := b.get(t, test.target)
		if got := p.header.Get("Content-Language"); got != test.want {
			t.Errorf("%q at %s: %s, want %s", test.accept, test.target, got, test.want)
		}
		kept := len(b.cookies) == 1
		if asked := strings.HasSuffix(test.target, "=fi"); kept != asked {
			t.Errorf("%s: the language is kept: %v", test.target, kept)
		}
		if kept {
			b.get(t, "/m/oslo12").wants(t, 200, "Valitse tuotteet")
		}
	}
}
