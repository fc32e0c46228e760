package vippstest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

func tokenRoutes() []route {
	return []route{{
		op: "token", method: http.MethodPost, pattern: "/accesstoken/get", open: true,
		refuse: refuseToken, handle: (*Server).issueToken,
	}}
}

// tokenAnswer has every number as a string, as Vipps sends it.
type tokenAnswer struct {
	TokenType    string `json:"token_type"`
	ExpiresIn    string `json:"expires_in"`
	ExtExpiresIn string `json:"ext_expires_in"`
	ExpiresOn    string `json:"expires_on"`
	NotBefore    string `json:"not_before"`
	Resource     string `json:"resource"`
	AccessToken  string `json:"access_token"`
}

// tokenError is how Azure AD refuses.
type tokenError struct {
	Error            string `json:"error"`
	ErrorDescription string `json:"error_description"`
	ErrorCodes       []int  `json:"error_codes"`
	Timestamp        string `json:"timestamp"`
	TraceID          string `json:"trace_id"`
	CorrelationID    string `json:"correlation_id"`
	ErrorURI         string `json:"error_uri"`
}

func (s *Server) issueToken(c *call) reply {
	if r, ok := s.checkSubscription(c.header.Get("Ocp-Apim-Subscription-Key")); !ok {
		return r
	}
	id, secret, msn := c.header.Get("client_id"), c.header.Get("client_secret"), c.header.Get("Merchant-Serial-Number")
	lax := s.options.AcceptAnyCredentials
	switch {
	case id == "" || !lax && id != s.credentials.ClientID:
		return c.tokenError(http.StatusBadRequest, "unauthorized_client", 700016,
			"AADSTS700016: Application with identifier '"+id+"' was not found in the directory 'vippstest'.")
	case secret == "" || !lax && secret != s.credentials.ClientSecret:
		return c.tokenError(http.StatusUnauthorized, "invalid_client", 7000215,
			"AADSTS7000215: Invalid client secret provided.")
	case msn != "" && (!isSerialNumber(msn) || !s.serves(msn)):
		return c.tokenError(http.StatusUnauthorized, "unauthorized_client", 700016,
			"AADSTS700016: The application does not act for '"+msn+"'.")
	}
	life := time.Hour
	if s.options.Production {
		life = 24 * time.Hour
	}
	for token, end := range s.tokens {
		if !c.at.Before(end) {
			delete(s.tokens, token)
		}
	}
	token := newToken(c.at.Add(life))
	s.tokens[token] = c.at.Add(life)
	return answer(http.StatusOK, typeToken, tokenAnswer{
		TokenType:    "Bearer",
		ExpiresIn:    strconv.Itoa(int(life.Seconds())),
		ExtExpiresIn: "0",
		ExpiresOn:    strconv.FormatInt(c.at.Add(life).Unix(), 10),
		NotBefore:    strconv.FormatInt(c.at.Add(-5*time.Minute).Unix(), 10), // Azure dates it back
		Resource:     "00000002-0000-0000-c000-000000000000",
		AccessToken:  token,
	})
}

// newToken looks like a JWT of the usual size and means nothing.
func newToken(end time.Time) string {
	part := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"iss":"vippstest","exp":%d}`, end.Unix())
	return part([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + part([]byte(claims)) + part(random(480)) + "." + part(random(256))
}

func (c *call) tokenError(status int, kind string, code int, description string) reply {
	return answer(status, typeJSON, tokenError{
		Error:            kind,
		ErrorDescription: description,
		ErrorCodes:       []int{code},
		Timestamp:        c.at.Format("2006-01-02 15:04:05Z"),
		TraceID:          newID(),
		CorrelationID:    newID(),
		ErrorURI:         "https://login.windows.net/error?code=" + strconv.Itoa(code),
	})
}

func refuseToken(c *call, r refusal) reply {
	r = r.complete()
	return c.tokenError(r.status, "invalid_request", 90014, r.title)
}
