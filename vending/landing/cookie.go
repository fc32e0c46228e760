package landing

import (
	"net/http"

	"github.com/vippsvending/vipps/vending"
)

const (
	sessionCookie = "session"
	// cookieTime is how long a browser finds its own session at a machine, in seconds.
	cookieTime = 3600
)

// remember lets this browser find its session at this machine again: after the back button, or when pay is pressed once more.
func (s *Site) remember(w http.ResponseWriter, r *http.Request, machine string, redirect *vending.Redirect) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: string(redirect.Page), Path: s.config.Path + "/" + machine, MaxAge: cookieTime,
		Secure: !isLoopback(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// ownSession is the token of this browser's session at a machine, as long as it has the machine to itself; else empty.
func (s *Site) ownSession(r *http.Request, machine string) string {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	session, err := s.config.Operator.Page(r.Context(), cookie.Value)
	if err != nil || session.Machine != machine || session.Seat == "" {
		return ""
	}
	return cookie.Value
}

// statusAddress is the page of the session that a token names.
func (s *Site) statusAddress(token string) string { return s.config.Path + "/s/" + token }
