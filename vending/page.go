package vending

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/vippsvending/vipps"
)

// pageToken is replaced in Config.ReturnURL.
const pageToken = "{token}"

// PageToken names a session in the address of a page. The id alone, which the app shows, opens nothing: the token is the id
// and a code that only Config.PageKey can make.
func (o *Operator) PageToken(session string) vipps.Secret {
	return vipps.Secret(session + "." + o.pageCode(session))
}

func (o *Operator) pageCode(session string) string {
	code := hmac.New(sha256.New, []byte(o.config.PageKey))
	code.Write([]byte("page " + session))
	return letters.EncodeToString(code.Sum(nil)[:20])
}

// Page gives the session that a token from [Operator.PageToken] names, in whatever browser it comes back. A token that is
// made up, or whose session is gone, gives [ErrNotFound].
func (o *Operator) Page(ctx context.Context, token string) (*Session, error) {
	session, code, ok := strings.Cut(token, ".")
	if !ok || !hmac.Equal([]byte(code), []byte(o.pageCode(session))) {
		return nil, fmt.Errorf("page: %w", ErrNotFound)
	}
	return o.Session(ctx, session)
}

// Redirect gives the redirect of the session that a page token names once more, for a customer who has come back without
// paying. A token that is made up, or whose session is gone, gives [ErrNotFound].
func (o *Operator) Redirect(ctx context.Context, token string) (*Redirect, error) {
	s, err := o.Page(ctx, token)
	if err != nil {
		return nil, err
	}
	return o.redirect(s), nil
}

func (o *Operator) redirect(s *Session) *Redirect {
	r := &Redirect{
		Session: s.ID, Machine: s.Machine, Page: o.PageToken(s.ID),
		Amount: vipps.Amount{Value: s.Reserved, Currency: s.Currency}, Maximum: s.Maximum,
	}
	if s.State == Waiting {
		r.URL = vipps.Secret(s.RedirectURL.Open())
	}
	return r
}

// once opens a session at most once for a visit. Its id is made from the visit, so that every process finds it.
func (o *Operator) once(ctx context.Context, machine, visit string, shown any, open func(ctx context.Context, id string) (*Redirect, error)) (*Redirect, error) {
	if visit == "" {
		return open(ctx, newID(machine))
	}
	code := hmac.New(sha256.New, []byte(o.config.PageKey))
	_, _ = fmt.Fprintf(code, "visit %q %q %v", machine, visit, shown)
	id := derivedID(machine, code.Sum(nil))
	redirect, err := o.again(ctx, id)
	if !errors.Is(err, ErrNotFound) {
		return redirect, err
	}
	type answer struct {
		redirect *Redirect
		err      error
	}
	answered := make(chan answer, 1)
	o.apart(func() { // a browser that presses again leaves its first request, and means the same payment
		opening, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.timeouts(machine).Open+callTimeout)
		defer cancel()
		redirect, err := open(opening, id)
		answered <- answer{redirect, err}
	})
	select {
	case a := <-answered:
		for _, before := range []error{ErrExists, ErrNoSelection, ErrRepriced, ErrSoldOut, ErrNotReady} {
			if !errors.Is(a.err, before) {
				continue
			}
			// Pressed twice in the same moment: the other press may have made the session, and taken what is missing here.
			if redirect, err := o.again(ctx, id); !errors.Is(err, ErrNotFound) {
				return redirect, err
			}
		}
		return a.redirect, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// again gives the redirect of a session that was opened before, once its payment is made.
func (o *Operator) again(ctx context.Context, id string) (*Redirect, error) {
	s, err := o.WaitFor(ctx, id, func(s *Session) bool { return s.State != Opening })
	if err != nil {
		return nil, err
	}
	return o.redirect(s), nil
}

// returnURL is where the customer's phone goes after the payment.
func (o *Operator) returnURL(session string) vipps.Secret {
	return vipps.Secret(strings.ReplaceAll(o.config.ReturnURL, pageToken, string(o.PageToken(session))))
}
