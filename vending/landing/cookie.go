package landing

import (
	"net/http"
	"net/url"

	"github.com/vippsvending/vipps/vending"
)

// cookieTime is how long a browser finds its own session at a machine, in seconds.
const cookieTime = 3600

// sessionCookie is the name of a machine's cookie. Over https its prefix keeps other hosts of the domain, and whoever answers
// without TLS, from setting one.
func (s *Site) sessionCookie(machine string) string {
	if s.secure {
		return "__Host-vending-" + machine
	}
	return "vending-" + machine
}

// remember lets this browser find its session at this machine again: after the back button, or when pay is pressed once more.
func (s *Site) remember(w http.ResponseWriter, machine string, redirect *vending.Redirect) {
	http.SetCookie(w, &http.Cookie{
		Name: s.sessionCookie(machine), Value: string(redirect.Page), Path: "/", MaxAge: cookieTime,
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// ownSession is the token of this browser's session at a machine, as long as that is not over; else empty.
func (s *Site) ownSession(r *http.Request, machine string) string {
	cookie, err := r.Cookie(s.sessionCookie(machine))
	if err != nil {
		return ""
	}
	session, err := s.config.Operator.Page(r.Context(), cookie.Value)
	if err != nil || session.Machine != machine || session.State == vending.Closed {
		return ""
	}
	return cookie.Value
}

// statusAddress is the page of the session that a token names.
func (s *Site) statusAddress(token string) string {
	return s.config.Path + "/s/" + url.PathEscape(token)
}
