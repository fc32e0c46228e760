package vending

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
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

// returnURL is where the customer's phone goes after the payment.
func (o *Operator) returnURL(session string) vipps.Secret {
	return vipps.Secret(strings.ReplaceAll(o.config.ReturnURL, pageToken, string(o.PageToken(session))))
}
