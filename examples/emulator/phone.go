package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/vippsvending/vipps/vending/vippstest"
)

//go:embed phone.html
var phoneHTML string

var phonePage = template.Must(template.New("phone").Funcs(template.FuncMap{"money": money}).Parse(phoneHTML))

// sameSite refuses forms that another site has sent.
var sameSite = http.NewCrossOriginProtection()

// shown is how many payments fit on the page.
const shown = 50

// phone is the customer's app as a page: the payments, newest first, with buttons to approve and abort. It works without
// scripts and asks no other server for anything.
type phone struct{ vipps *vippstest.Server }

// ServeHTTP shows the payments; a form of the page, and of no other site, may change them.
func (p phone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	if !ownName(r.Host) {
		http.Error(w, "this page is for people on this machine or by address", http.StatusMisdirectedRequest)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p.show(w, http.StatusOK, "")
	case http.MethodPost:
		if err := sameSite.Check(r); err != nil {
			http.Error(w, "this form belongs to another site", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<12)
		if err := p.decide(r.PostFormValue("payment"), r.PostFormValue("do")); err != nil {
			p.show(w, http.StatusConflict, err.Error())
			return
		}
		http.Redirect(w, r, "/phone", http.StatusSeeOther)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "only GET and POST", http.StatusMethodNotAllowed)
	}
}

// ownName says that the page was asked for by address or as localhost: a site whose name is made to point here is somebody
// else's, although the browser takes it for the same.
func ownName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return name == "localhost" || net.ParseIP(strings.Trim(name, "[]")) != nil
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

func (p phone) show(w http.ResponseWriter, status int, problem string) {
	payments := p.vipps.Payments()
	slices.Reverse(payments)
	waiting := slices.ContainsFunc(payments, func(p vippstest.Payment) bool { return p.State == "CREATED" })
	refresh := 2 // while there is nothing to decide; else longer, so that no button goes away under a finger
	if waiting || problem != "" {
		refresh = 15
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := phonePage.Execute(w, struct {
		Problem  string
		Refresh  int
		Payments []vippstest.Payment
		Hidden   int
	}{problem, refresh, payments[:min(len(payments), shown)], max(0, len(payments)-shown)}); err != nil {
		log.Printf("phone: the page was not sent: %v", err)
	}
}

func money(value int64, currency string) string {
	return fmt.Sprintf("%d.%02d %s", value/100, value%100, currency)
}
