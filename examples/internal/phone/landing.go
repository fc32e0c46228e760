package phone

import (
	"net/http"
	"net/url"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// landing is one payment, as the app shows it when a page leads there. Once it is decided, here or elsewhere, the browser
// goes back to the merchant.
func (p phone) landing(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	payment, found := p.redirected(token)
	if !found {
		show(w, http.StatusNotFound, "landing.html", asked{})
		return
	}
	allowForms(w, origin(payment.ReturnURL))
	status, problem := http.StatusOK, ""
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, formSize)
		if err := p.decide(payment.MSN+"/"+payment.Reference, r.PostFormValue("do")); err != nil {
			status, problem = http.StatusConflict, err.Error()
		}
		payment, _ = p.redirected(token)
	}
	if problem == "" && payment.State != "CREATED" && payment.State != "EXPIRED" && payment.ReturnURL != "" {
		http.Redirect(w, r, payment.ReturnURL, http.StatusSeeOther)
		return
	}
	show(w, status, "landing.html", asked{payment, "/landing?" + url.Values{"token": {token}}.Encode(), problem})
}

// asked is what the customer is asked for.
type asked struct {
	vippstest.Payment
	Address string
	Problem string
}

// redirected finds the payment that a token in a redirect URL or a one-time code stands for.
func (p phone) redirected(token string) (vippstest.Payment, bool) {
	for _, payment := range p.vipps.Payments() {
		if u, err := url.Parse(payment.RedirectURL); token != "" && err == nil && u.Query().Get("token") == token {
			return payment, true
		}
	}
	return vippstest.Payment{}, false
}

// origin is the part of an address that a content security policy names.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
