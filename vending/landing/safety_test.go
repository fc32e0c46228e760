package landing_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
	"github.com/vippsvending/vipps/vending/vippstest"
)

const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self' https:; base-uri 'none'; frame-ancestors 'none'"

func TestHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		b := s.browser()
		status := s.buy(t, b)
		for _, target := range []string{"/m/oslo12", "/m/bergen", status, status + "x", "/m/nothing/here"} {
			header := b.get(t, target).header
			for key, want := range map[string]string{
				"Content-Security-Policy": policy, "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
				"Cache-Control": "no-store", "X-Robots-Tag": "noindex",
			} {
				if got := header.Get(key); got != want {
					t.Errorf("%s: %s: %s, want %s", target, key, got, want)
				}
			}
			if got := header.Get("Permissions-Policy"); !strings.Contains(got, "geolocation=()") {
				t.Errorf("%s: Permissions-Policy: %s", target, got)
			}
		}
		body := b.get(t, status).body
		for _, inline := range []string{"<style", " style=", "onclick", "javascript:", "<script>"} {
			if strings.Contains(body, inline) {
				t.Errorf("%s is on the page", inline)
			}
		}
	})
}

func TestCookie(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		b := s.browser()
		status := s.buy(t, b)
		if len(b.cookies) != 1 {
			t.Fatalf("%d cookies, want that of the session", len(b.cookies))
		}
		for _, cookie := range b.cookies {
			if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" || cookie.Name != "__Host-vending-oslo12" {
				t.Errorf("cookie %s", cookie.Raw)
			}
			if !strings.HasSuffix(status, cookie.Value) {
				t.Error("the cookie is of another session")
			}
		}
	})
}

// TestLoopback has an operator whose pages are on this machine, as with an emulator, and requests that look otherwise.
func TestLoopback(t *testing.T) {
	t.Parallel()
	for address, secure := range map[string]bool{"https://acme.example": true, "http://127.0.0.1:8080": false, "http://localhost:8080": false} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, change{
					vipps:    vippstest.Options{AllowLoopbackHTTP: true},
					operator: func(c *vending.Config) { c.ReturnURL = address + "/m/s/{token}" },
				})
				b := s.browser()
				form := choose(b.get(t, "/m/oslo12").form(), "2500", map[string]string{"A1": "1"})
				r := b.request(t, http.MethodPost, "/m/oslo12?lang=da", form.Encode())
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Host, r.RemoteAddr, r.TLS = "127.0.0.1:8081", "127.0.0.1:5", nil // as from a proxy that says nothing of it
				p := b.do(t, r)
				p.to(t)
				if got := !strings.Contains(p.header.Get("Content-Security-Policy"), "http:"); got != secure {
					t.Errorf("payments are at https addresses only: %v", got)
				}
				if len(b.cookies) == 0 {
					t.Fatal("no cookies")
				}
				for _, cookie := range b.cookies {
					if cookie.Secure != secure || strings.HasPrefix(cookie.Name, "__Host-") != secure {
						t.Errorf("cookie %s", cookie.Raw)
					}
				}
			})
		})
	}
}

// TestNowhere goes to addresses that nothing leads to, or that a hand has typed.
func TestNowhere(t *testing.T) {
	t.Parallel()
	s := newShop(t, change{})
	b := s.browser()
	for _, target := range []string{"/m/", "/m/OSLO12/", "/m/nothing/here", "/m/s/a/b/c", "/m/%2fevil.example/", "/m/live/x/y"} {
		b.get(t, target).wants(t, 404, "Scan the code on the machine again", "Questions?")
	}
	for target, want := range map[string]string{"/m/oslo12/": "/m/oslo12", "/m/oslo12/?lang=da": "/m/oslo12?lang=da", "/m/oslo12/?lang=x&y=z": "/m/oslo12"} {
		if got := b.get(t, target).to(t); got != want {
			t.Errorf("%s leads to %s, want %s", target, got, want)
		}
	}
	root := newShop(t, change{
		operator: func(c *vending.Config) { c.ReturnURL = "https://acme.example/s/{token}" },
		site:     func(c *landing.Config) { c.Path = "" },
	})
	root.browser().get(t, "/").wants(t, 404, "Scan the code on the machine again")
	root.browser().get(t, "/%2fevil.example/").wants(t, 404, "Scan the code on the machine again")
	root.browser().get(t, "/oslo12").wants(t, 200, "Cola")
}

// slow is an answer to a request whose body comes slowly.
type slow struct {
	*httptest.ResponseRecorder
	until []time.Time
}

func (s *slow) SetReadDeadline(at time.Time) error {
	s.until = append(s.until, at)
	return nil
}

// TestSlowForms looks at how long the forms of each button may take to arrive.
func TestSlowForms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		status := s.buy(t, s.browser())
		for _, target := range []string{"/m/oslo12", status + "/continue", status + "/done", status + "/cancel"} {
			w := &slow{ResponseRecorder: httptest.NewRecorder()}
			s.site.ServeHTTP(w, s.browser().request(t, http.MethodPost, target, "lang=en"))
			if len(w.until) != 2 || time.Until(w.until[0]) != 10*time.Second || !w.until[1].IsZero() {
				t.Errorf("%s: read until %v", target, w.until)
			}
		}
	})
}

// TestSlowBodies sends what is no form, and not to its end: the time limit stays, since the server would read the rest.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		status := s.buy(t, s.browser())
		for _, target := range []string{"/m/oslo12", "/m/nowhere", status + "/cancel", "/m/s/made-up/cancel"} {
			for _, kind := range []string{"text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"} {
				w := &slow{ResponseRecorder: httptest.NewRecorder()}
				r := s.browser().request(t, http.MethodPost, target, "")
				r.Header.Set("Content-Type", kind)
				r.ContentLength = 1000
				r.Body = io.NopCloser(io.MultiReader(strings.NewReader("a"), iotest.ErrReader(os.ErrDeadlineExceeded)))
				s.site.ServeHTTP(w, r)
				if len(w.until) != 1 || w.Code < 400 {
					t.Errorf("%s %s: read until %v, status %d", target, kind, w.until, w.Code)
				}
			}
		}
	})
}

// TestSlowStrangers sends bodies that nobody reads: the server would do so without a time limit.
func TestSlowStrangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		for name, test := range map[string]struct {
			method, target, origin string
			want                   int
		}{
			"foreign":  {http.MethodPost, "/m/oslo12", "https://evil.example", 403},
			"method":   {http.MethodPut, "/m/oslo12", "", 405},
			"page":     {http.MethodGet, "/m/oslo12", "", 200},
			"live":     {http.MethodGet, "/m/live/oslo12", "", 204},
			"no page":  {http.MethodGet, "/m/nothing/here", "", 404},
			"an asset": {http.MethodGet, "/m/assets/made-up", "", 404},
			"query":    {http.MethodPost, "/m/oslo12?x=" + strings.Repeat("x", 2000), "", 414},
		} {
			for _, length := range []int64{1000, -1} { // −1 is a body that does not say how long it is
				w := &slow{ResponseRecorder: httptest.NewRecorder()}
				r := s.browser().request(t, test.method, test.target, "")
				if test.origin != "" {
					r.Header.Set("Origin", test.origin)
				}
				r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(os.ErrDeadlineExceeded)), length
				s.site.ServeHTTP(w, r)
				if len(w.until) != 1 || time.Until(w.until[0]) != 10*time.Second || w.Code != test.want {
					t.Errorf("%s, %d bytes: read until %v, status %d, want %d", name, length, w.until, w.Code, test.want)
				}
			}
		}
	})
}

// TestLeadsAstray has addresses whose path leads out of the site once it is cleaned, as redirects are.
func TestLeadsAstray(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		root := newShop(t, change{
			operator: func(c *vending.Config) { c.ReturnURL = "https://acme.example/s/{token}" },
			site:     func(c *landing.Config) { c.Path = "" },
		})
		for _, token := range []string{"..%2f..%2f%5cevil.example", "..%2f%5cevil.example", "%5cevil.example", "..%2F..%2F%2Fevil.example", "a%0d%0aSet-Cookie:%20x=y"} {
			for button := range map[string]bool{"x": true, "cancel": true, "continue?lang=da": true} {
				s.browser().get(t, "/m/s/"+token+"/"+button).wants(t, 404)
				root.browser().get(t, "/s/"+token+"/"+button).wants(t, 404)
			}
		}
	})
}

// TestLiveOfNetworks has the pages of one customer with many addresses leave places for others.
func TestLiveOfNetworks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var refused atomic.Int64
		follow := func(address string) {
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://acme.example/m/live/pay1", nil)
			r.RemoteAddr = address
			w := httptest.NewRecorder()
			if s.site.ServeHTTP(w, r); w.Code == http.StatusServiceUnavailable {
				refused.Add(1)
			}
		}
		for i := range 500 {
			go follow(fmt.Sprintf("[2001:db8:0:%x::1]:1", i/20))
		}
		synctest.Wait()
		if refused.Load() != 300 {
			t.Errorf("%d of 500 were refused, want all but 200", refused.Load())
		}
		go follow("192.0.2.77:1")
		synctest.Wait()
		if refused.Load() != 300 {
			t.Error("a customer elsewhere was refused")
		}
	})
}

func TestForeignPosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		b := s.browser()
		status := s.buy(t, b)
		form := choose(s.browser().get(t, "/m/s").form(), "2500", map[string]string{"A1": "1"})
		for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			for _, target := range []string{"/m/s", status + "/cancel"} {
				r := b.request(t, http.MethodPost, target, form.Encode())
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set(header, value)
				b.do(t, r).wants(t, 403, "another site", "This attempt did not reserve or charge anything")
			}
		}
		if p := s.payment(t); p.State != "CREATED" {
			t.Errorf("the payment is %s", p.State)
		}
	})
}

// TestHostile has the operator's own data be markup, and the browser's as well.
func TestHostile(t *testing.T) {
	t.Parallel()
	const markup = `"><script>alert(1)</script>`
	s := newShop(t, change{site: func(c *landing.Config) { c.Name = markup }})
	s.list.Products[0].Name, s.list.Products[0].Slot = markup, markup[:20]
	b := s.browser()
	form := choose(b.get(t, "/m/oslo12").form(), "0", map[string]string{markup[:20]: "1"})
	form.Set("visit", markup)
	form.Set("planogram", markup)
	for _, p := range []page{
		b.get(t, "/m/oslo12"), b.post(t, "/m/oslo12", form), b.get(t, "/m/"+url.PathEscape(markup)), b.get(t, "/m/s/"+url.PathEscape(markup)),
		b.get(t, "/m/oslo12?lang="+url.QueryEscape(markup)),
	} {
		if strings.Contains(p.body, "<script>") {
			t.Errorf("markup is not escaped: %s", p.body)
		}
	}
	if got := b.get(t, "/m/oslo12?"+strings.Repeat("x", 2000)); got.status != http.StatusRequestURITooLong {
		t.Errorf("long query: %d", got.status)
	}
	r := b.request(t, http.MethodGet, "/m/oslo12", "")
	r.Host = "evil.example"
	if strings.Contains(b.do(t, r).body, "evil.example") {
		t.Error("the Host header is on the page")
	}
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{site: func(c *landing.Config) {
			c.Limits.Address = landing.Rate{Burst: 1, Every: time.Hour}
			c.ClientAddress = func(r *http.Request) netip.Addr {
				address, _ := netip.ParseAddr(r.Header.Get("X-Real-IP"))
				return address
			}
		}})
		for i, test := range []struct {
			address string
			want    int
		}{{"192.0.2.1", 303}, {"192.0.2.1", 429}, {"192.0.2.2", 409}, {"::ffff:192.0.2.2", 429}} {
			b := s.browser()
			b.header.Set("X-Real-IP", test.address)
			form := choose(b.get(t, "/m/oslo12").form(), "2500", map[string]string{"A1": "1"})
			if got := b.post(t, "/m/oslo12", form).status; got != test.want {
				t.Errorf("press %d: %d, want %d", i+1, got, test.want)
			}
		}
	})
}

func TestAssets(t *testing.T) {
	t.Parallel()
	logo := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
	s := newShop(t, change{site: func(c *landing.Config) { c.Logo = logo }})
	b := s.browser()
	body := b.get(t, "/m/oslo12").body
	found := 0
	for part := range strings.SplitSeq(body, `"`) {
		if !strings.HasPrefix(part, "/m/assets/") {
			continue
		}
		found++
		p := b.get(t, part)
		if p.status != 200 || p.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || p.body == "" {
			t.Errorf("%s: %d %v", part, p.status, p.header)
		}
		if !strings.Contains(p.header.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s could run a script", part)
		}
	}
	if found < 3 {
		t.Errorf("%d assets on the page", found)
	}
	if p := b.get(t, assetOf(body)+"?lang=fi"); p.header.Get("Set-Cookie") != "" {
		t.Error("an asset that everybody may keep sets a cookie")
	}
	if got := b.get(t, "/m/assets/site.css"); got.status != 404 || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("an asset without its hash: %d", got.status)
	}
}

// TestIcon looks for the picture that a browser would else ask the host for.
func TestIcon(t *testing.T) {
	t.Parallel()
	icon := regexp.MustCompile(`<link rel="icon" href="([^"]+)">`)
	for name, logo := range map[string][]byte{"none": nil, "logo": []byte(`<svg xmlns="http://www.w3.org/2000/svg"></svg>`)} {
		b := newShop(t, change{site: func(c *landing.Config) { c.Logo = logo }}).browser()
		found := icon.FindStringSubmatch(b.get(t, "/m/bergen").body)
		if found == nil {
			t.Fatalf("%s: there is no icon", name)
		}
		if p := b.get(t, found[1]); p.status != 200 || p.header.Get("Content-Type") != "image/svg+xml" || logo != nil && p.body != string(logo) {
			t.Errorf("%s: %d %v %s", name, p.status, p.header, p.body)
		}
	}
}

// assetOf is the address of one of a page's assets.
func assetOf(body string) string {
	_, after, _ := strings.Cut(body, `"/m/assets/`)
	name, _, _ := strings.Cut(after, `"`)
	return "/m/assets/" + name
}

// TestRecorded looks for tokens in what is logged and printed.
func TestRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, change{})
		b := s.browser()
		status := s.buy(t, b)
		s.machine.SetReady(vending.ErrTooLate)
		b.get(t, "/m/s")
		b.post(t, status+"/done", nil)
		_, code, _ := strings.Cut(status, ".")
		if s.log.Len() == 0 || strings.Contains(s.log.String(), code) {
			t.Errorf("logged %q", s.log)
		}
		for _, p := range []page{b.get(t, status), b.get(t, "/m/max1")} {
			if strings.Contains(p.body, "landing?token=") {
				t.Error("the address of the payment is on a page")
			}
		}
	})
}
