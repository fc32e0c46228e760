package landing_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"html"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// shop is a site with one machine for each door, in front of an emulated Vipps MobilePay.
type shop struct {
	vipps    *vippstest.Server
	machine  *vendingtest.Machine
	store    vending.Store
	operator *vending.Operator
	site     *landing.Site
	engine   vending.Config // as it was given to the operator
	config   landing.Config // as it was given to the site
	log      *bytes.Buffer

	mu   sync.Mutex
	list vending.Planogram
}

// change is what a test wants otherwise.
type change struct {
	vipps    vippstest.Options
	operator func(*vending.Config)
	site     func(*landing.Config)
}

func newShop(t *testing.T, with change) *shop {
	t.Helper()
	s := &shop{
		vipps: vippstest.Start(t, with.vipps), machine: new(vendingtest.Machine), store: vending.NewMemoryStore(), log: new(bytes.Buffer),
		list: vending.Planogram{Products: []vending.Product{
			{Name: "Cola & ice", Slot: "A1", Price: 2500, TaxRate: 1500},
			{Name: "Chips", Slot: "B2", Price: 4000, TaxRate: 1500},
			{Name: "Beer", Slot: "C3", Price: 5000, TaxRate: 2500, MinimumAge: 18},
			{Name: "Water", Slot: "D4", Price: 2000, TaxRate: 1500, SoldOut: true},
		}},
	}
	keys := s.vipps.Credentials()
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{
			ClientID: keys.ClientID, ClientSecret: keys.ClientSecret,
			SubscriptionKey: keys.SubscriptionKey, MerchantSerialNumber: keys.MerchantSerialNumber,
		},
		System:     vipps.System{Name: "landing-test", Version: "1"},
		BaseURL:    s.vipps.URL(),
		HTTPClient: &http.Client{Transport: s.vipps.Transport()},
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := vending.Config{
		Client: client, Machine: s.machine, Store: s.store, Currency: vipps.NOK, TermsAcceptedElsewhere: true,
		PageKey:   "0123456789abcdef0123456789abcdef",
		ReturnURL: "https://acme.example/m/s/{token}",
		Planogram: func(context.Context, string) (vending.Planogram, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			return vending.Planogram{Version: s.list.Version, Products: append([]vending.Product(nil), s.list.Products...)}, nil
		},
	}
	if with.operator != nil {
		with.operator(&engine)
	}
	s.engine = engine
	if s.operator, err = vending.NewOperator(engine); err != nil {
		t.Fatal(err)
	}
	s.config = landing.Config{
		Operator: s.operator, Path: "/m", Name: "Acme <Vending>",
		Contact: landing.Contact{Phone: "+47 12 34 56 78", Email: "help@acme.example", URL: "https://acme.example/help"},
		Terms:   "https://acme.example/terms", Privacy: "https://acme.example/privacy", Language: "en",
		Machine: func(_ context.Context, name string) (landing.Machine, error) {
			door, ok := map[string]vending.Door{
				"oslo12": "", "s": vending.SiteSelection, "pay1": vending.SitePayment, "max1": vending.StaticQR, "screen1": vending.DynamicQR,
			}[name]
			if !ok {
				return landing.Machine{}, vending.ErrNoMachine
			}
			return landing.Machine{Name: "Platform 3", Door: door}, nil
		},
		Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	if with.site != nil {
		with.site(&s.config)
	}
	if s.site, err = landing.New(s.config); err != nil {
		t.Fatal(err)
	}
	return s
}

// reprice changes a product of the price list.
func (s *shop) reprice(slot string, change func(*vending.Product)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.list.Products {
		if s.list.Products[i].Slot == slot {
			change(&s.list.Products[i])
		}
	}
}

// run keeps the operator going until stop is called.
func (s *shop) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.operator.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// sessions are all that were ever opened, by their payments.
func (s *shop) payments() int { return len(s.vipps.Payments()) }

// the only payment there is.
func (s *shop) payment(t *testing.T) vippstest.Payment {
	t.Helper()
	all := s.vipps.Payments()
	if len(all) != 1 {
		t.Fatalf("%d payments, want 1", len(all))
	}
	return all[0]
}

// browser is a customer's: it keeps cookies as one would.
type browser struct {
	site    http.Handler
	cookies map[string]*http.Cookie // by path and name
	address string
	header  http.Header
}

func (s *shop) browser() *browser {
	return &browser{site: s.site, cookies: map[string]*http.Cookie{}, address: "192.0.2.1:1234", header: http.Header{"Accept-Language": {"en"}}}
}

func (b *browser) request(t *testing.T, method, target, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "https://acme.example"+target, strings.NewReader(body))
	r.RemoteAddr, r.TLS = b.address, new(tls.ConnectionState)
	maps.Copy(r.Header, b.header)
	for _, cookie := range b.cookies {
		if r.URL.Path == cookie.Path || strings.HasPrefix(r.URL.Path, strings.TrimSuffix(cookie.Path, "/")+"/") {
			r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
	return r
}

func (b *browser) do(t *testing.T, r *http.Request) page {
	t.Helper()
	w := httptest.NewRecorder()
	b.site.ServeHTTP(w, r)
	answer := w.Result()
	for _, cookie := range answer.Cookies() {
		b.cookies[cookie.Path+" "+cookie.Name] = cookie
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{status: answer.StatusCode, header: answer.Header, body: string(body)}
}

func (b *browser) get(t *testing.T, target string) page {
	t.Helper()
	return b.do(t, b.request(t, http.MethodGet, target, ""))
}

func (b *browser) post(t *testing.T, target string, form url.Values) page {
	t.Helper()
	r := b.request(t, http.MethodPost, target, form.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(t, r)
}

// page is an answer.
type page struct {
	status int
	header http.Header
	body   string
}

var (
	inputs = regexp.MustCompile(`<input[^>]*>`)
	attrs  = regexp.MustCompile(`([a-z-]+)="([^"]*)"`)
	tags   = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`[\s\x{a0}]+`)
)

// form is what the page's form would send, if pay was pressed.
func (p page) form() url.Values {
	form := url.Values{}
	for _, input := range inputs.FindAllString(p.body, -1) {
		has := map[string]string{}
		for _, attr := range attrs.FindAllStringSubmatch(input, -1) {
			has[attr[1]] = html.UnescapeString(attr[2])
		}
		form.Add(has["name"], has["value"])
	}
	return form
}

// choose sets quantities by slot, and the total as the script would.
func choose(form url.Values, total string, quantities map[string]string) url.Values {
	for i, slot := range form["slot"] {
		if quantity, ok := quantities[slot]; ok {
			form["quantity"][i] = quantity
		}
	}
	form.Set("total", total)
	return form
}

// text is what can be read on a page.
func (p page) text() string {
	return spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(p.body, " ")), " ")
}

func (p page) wants(t *testing.T, status int, words ...string) {
	t.Helper()
	if p.status != status {
		t.Errorf("status %d, want %d", p.status, status)
	}
	for _, word := range words {
		if !strings.Contains(p.text(), word) {
			t.Errorf("%q is missing in: %s", word, p.text())
		}
	}
}

func (p page) without(t *testing.T, words ...string) {
	t.Helper()
	for _, word := range words {
		if strings.Contains(p.text(), word) {
			t.Errorf("%q is in: %s", word, p.text())
		}
	}
}

// to is where a page redirects to.
func (p page) to(t *testing.T) string {
	t.Helper()
	if p.status != http.StatusSeeOther {
		t.Fatalf("status %d, want 303: %s", p.status, p.text())
	}
	return p.header.Get("Location")
}

// later lets virtual time pass.
func later(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // virtual time
}

// status is the status page's address, as the payment has it.
func (s *shop) status(t *testing.T) string {
	t.Helper()
	return strings.TrimPrefix(s.payment(t).ReturnURL, "https://acme.example")
}

// buy opens a session for a cola and gives the status page's address.
func (s *shop) buy(t *testing.T, b *browser) string {
	t.Helper()
	form := choose(b.get(t, "/m/oslo12").form(), "2500", map[string]string{"A1": "1"})
	b.post(t, "/m/oslo12", form).to(t)
	return s.status(t)
}
