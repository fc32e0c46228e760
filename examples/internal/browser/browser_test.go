package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/browser"
)

func TestMain(m *testing.M) {
	code := m.Run()
	browser.Close()
	os.Exit(code)
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	said     []string
	cleanups []func()
}

func (r *recorder) Helper()             {}
func (r *recorder) Cleanup(f func())    { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Logf(string, ...any) {}
func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func serve(t *testing.T, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><html lang="en"><title>t</title><meta name=viewport content="width=device-width">`+
			`<link rel=icon href="data:,"><h1>Page</h1>`+body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// What goes wrong in a page must fail its test.
func TestBrowserProblems(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ body, want string }{
		"nothing":         {`<p>fine</p>`, ""},
		"missing picture": {`<img src="/none" alt="">`, "answered 404"},
		"elsewhere":       {`<img src="http://example.com/x" alt="">`, "goes to somebody else"},
		"other port":      {`<img src="http://127.0.0.1:9/x" alt="">`, "goes to somebody else"},
		"exception":       {`<script>throw new Error("oops")</script>`, "oops"},
		"console":         {`<script>console.error("oops")</script>`, "oops"},
		"policy":          {`<meta http-equiv="Content-Security-Policy" content="script-src 'none'"><script>1</script>`, "Content Security Policy"},
		"axe":             {`<img src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">`, "image-alt"},
		"dark":            {`<style>@media (prefers-color-scheme: dark) { p { color: #bbb } }</style><p>pale`, "color-contrast"},
		"wide":            {`<div style="width: 350px">wide</div>`, "scrolls sideways"},
		"small":           {`<button style="width: 9px; height: 9px" aria-label="x"></button>`, "smaller than 24 px"},
		"headings":        {`<h1>again</h1>`, "2 h1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, test.body)
			r := &recorder{TB: t}
			p := browser.New(r, browser.Options{Servers: []string{address}})
			p.Open(address)
			p.Accessible("the page")
			for _, f := range r.cleanups {
				f()
			}
			said := strings.Join(r.said, "\n")
			if test.want == "" && said != "" || !strings.Contains(said, test.want) {
				t.Errorf("the harness says %q, want %q", said, test.want)
			}
		})
	}
}

// Customers without scripts are customers.
func TestBrowserNoScript(t *testing.T) {
	t.Parallel()
	address := serve(t, `<p id=x>plain</p><noscript><p>no scripts</p></noscript><script>x.textContent = "scripted"</script>`)
	for _, o := range []browser.Options{{}, {NoScript: true}} {
		o.Servers = []string{address}
		p := browser.New(t, o)
		p.Open(address)
		want := "scripted"
		if o.NoScript {
			want = "plain no scripts"
		}
		p.WaitText(want)
		p.Accessible(want)
		if p.Status() != http.StatusOK {
			t.Errorf("status %d", p.Status())
		}
	}
}

func TestBrowserHands(t *testing.T) {
	t.Parallel()
	address := serve(t, `<form><label>Name <input name=a></label><button>Send it</button></form>`)
	for _, o := range []browser.Options{{}, {Desktop: true}} {
		o.Servers = []string{address}
		p := browser.New(t, o)
		p.Open(address)
		p.Fill("textbox", "Name", "Kari")
		p.Click("button", "Send it")
		p.WaitAddress("?a=Kari")
		p.Back()
		p.TabTo("textbox", "Name")
		p.Press("O")
		p.TabTo("button", "Send it")
		p.Press("\r")
		p.WaitAddress("O")
	}
}
