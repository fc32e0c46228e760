// Package phone is the app of an emulator's customer, as pages of a browser: /phone has all payments, and /landing the one
// that a redirect URL leads to. They work without scripts and ask no other server for anything.
package phone

import (
	"embed"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/vippsvending/vipps/vending/vippstest"
)

//go:embed *.html
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{"money": money}).ParseFS(files, "*.html"))

// sameSite refuses forms that another site has sent.
var sameSite = http.NewCrossOriginProtection()

const (
	shown    = 50      // payments fit on the page
	formSize = 4 << 10 // is more than a form of these pages has
)

// Handler serves an emulator together with its customer's phone, on the address that is its PublicURL.
func Handler(vipps *vippstest.Server) http.Handler {
	p := phone{vipps: vipps}
	if public, err := url.Parse(vipps.URL()); err == nil {
		p.name = public.Hostname()
	}
	mux := http.NewServeMux()
	mux.Handle("/", programs(vipps))
	mux.Handle("/phone", p.guard(p.list))
	mux.Handle("/landing", p.guard(p.landing))
	return mux
}

// programs lets through what programs send. A browser names the site that a form or a script comes from, be it one whose name is
// made to point here, and the emulator calls whatever address of this machine a webhook is registered for.
func programs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" {
			http.Error(w, "this is for programs: no site may use it from a browser", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type phone struct {
	vipps *vippstest.Server
	name  string // of the host that the emulator is reached by
}

// guard lets through what people ask for, and forms of these pages alone: they are about money, if only an emulator's.
func (p phone) guard(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		allowForms(w, "")
		switch {
		case !p.ownName(r.Host):
			http.Error(w, "this page is for people on this machine or by address", http.StatusMisdirectedRequest)
		case r.Method == http.MethodPost && sameSite.Check(r) != nil:
			http.Error(w, "this form belongs to another site", http.StatusForbidden)
		case r.Method == http.MethodGet, r.Method == http.MethodHead, r.Method == http.MethodPost:
			next(w, r)
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "only GET and POST", http.StatusMethodNotAllowed)
		}
	})
}

// allowForms says what a page may do. Browsers hold the redirect that follows a form against it as well.
func allowForms(w http.ResponseWriter, redirects string) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "+
		"frame-ancestors 'none'; form-action 'self' "+redirects)
}

// ownName says that the page was asked for by address, as localhost or by the emulator's name: a site whose name is made to
// point here is somebody else's, although the browser takes it for the same.
func (p phone) ownName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return name == "localhost" || name == p.name || net.ParseIP(strings.Trim(name, "[]")) != nil
}

// list shows the payments, newest first, with buttons to approve and abort.
func (p phone) list(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		p.showList(w, http.StatusOK, "")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, formSize)
	if err := p.decide(r.PostFormValue("payment"), r.PostFormValue("do")); err != nil {
		p.showList(w, http.StatusConflict, err.Error())
		return
	}
	http.Redirect(w, r, "/phone", http.StatusSeeOther)
}

func (p phone) decide(payment, do string) error {
	var err error
	switch do {
	case "approve":
		err = p.vipps.Approve(payment)
	case "abort":
		err = p.vipps.Abort(payment)
	default:
		err = fmt.Errorf("a customer cannot %q", do)
	}
	log.Printf("phone: do=%q payment=%q err=%v", do, payment, err) //nolint:gosec // quoted, and not a secret
	return err
}

func (p phone) showList(w http.ResponseWriter, status int, problem string) {
	payments := p.vipps.Payments()
	slices.Reverse(payments)
	waiting := slices.ContainsFunc(payments, func(p vippstest.Payment) bool { return p.State == "CREATED" })
	refresh := 2 // while there is nothing to decide; else longer, so that no button goes away under a finger
	if waiting || problem != "" {
		refresh = 15
	}
	show(w, status, "phone.html", struct {
		Problem  string
		Refresh  int
		Payments []vippstest.Payment
		Hidden   int
	}{problem, refresh, payments[:min(len(payments), shown)], max(0, len(payments)-shown)})
}

// show sends a page.
func show(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pages.ExecuteTemplate(w, page, data); err != nil {
		log.Printf("phone: the page was not sent: %v", err)
	}
}

func money(value int64, currency string) string {
	return fmt.Sprintf("%d.%02d %s", value/100, value%100, currency)
}
