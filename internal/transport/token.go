package transport

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// tokenTimeout bounds one fetch, which goes on when the caller that started it leaves.
const tokenTimeout = 60 * time.Second

// refreshPause is how long a failed early refresh is left alone while the old token is still good.
const refreshPause = 30 * time.Second

// lifeMax keeps nonsense in expires_in from overflowing.
const lifeMax = 10 * 365 * 24 * 60 * 60

type token struct {
	value   string
	bearer  string    // the header it goes in, made once for all calls: tokens are long
	refresh time.Time // from here on a new one is fetched while this one is still used
	expiry  time.Time
}

// tokens keeps one token for each serial number. One fetch at a time runs for a number, and each waiter leaves with its own
// context.
type tokens struct {
	fetch   func(context.Context, string) (token, error)
	flights singleflight.Group
	mu      sync.Mutex
	cached  map[string]token
}

func (t *tokens) get(ctx context.Context, msn string) (token, error) {
	t.mu.Lock()
	cached := t.cached[msn]
	t.mu.Unlock()
	now := time.Now()
	if now.Before(cached.refresh) {
		return cached, nil
	}
	flight := t.flights.DoChan(msn, func() (any, error) {
		t.mu.Lock()
		newest := t.cached[msn]
		t.mu.Unlock()
		if time.Now().Before(newest.refresh) {
			return newest, nil // the flight before this one landed between the look above and here
		}
		shared, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenTimeout)
		defer cancel()
		fetched, err := t.fetch(shared, msn)
		t.mu.Lock()
		defer t.mu.Unlock()
		if err != nil {
			if kept, ok := t.cached[msn]; ok {
				kept.refresh = earlier(time.Now().Round(0).Add(refreshPause), kept.expiry)
				t.cached[msn] = kept
			}
			return nil, err
		}
		t.cached[msn] = fetched
		return fetched, nil
	})
	if now.Before(cached.expiry) {
		return cached, nil // good for a while yet: nobody waits for the next one
	}
	select {
	case result := <-flight:
		if result.Err != nil {
			return token{}, result.Err
		}
		fetched, _ := result.Val.(token)
		return fetched, nil
	case <-ctx.Done():
		return token{}, ctx.Err()
	}
}

// drop forgets a token that was refused, unless it has been replaced already: ten refusals make one fetch.
func (t *tokens) drop(msn, value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cached[msn].value == value {
		delete(t.cached, msn)
	}
}

func (t *tokens) values() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var values []string
	for _, cached := range t.cached {
		values = append(values, cached.value)
	}
	return values
}

// tokenError is an answer of the token endpoint that holds no token.
type tokenError struct {
	answer *Answer
	err    error // why an answer that should hold one cannot be used; nil if it was a refusal
}

func (e *tokenError) Error() string {
	return "no access token: status " + strconv.Itoa(e.answer.Status)
}

func (s *Sender) fetchToken(ctx context.Context, msn string) (token, error) {
	header := s.header(msn)
	header["Client_id"] = []string{s.config.ClientID}
	header["Client_secret"] = []string{s.config.ClientSecret}
	result := s.attempt(ctx, Call{Op: "accesstoken.Get", Method: http.MethodPost, URL: s.config.TokenURL, Repeat: true}, header, "")
	answer := result.Answer
	switch {
	case answer == nil:
		return token{}, result.Err
	case result.Err != nil || answer.Status < 200 || answer.Status > 299:
		return token{}, &tokenError{answer, result.Err}
	}
	fetched, err := readToken(answer.Body, time.Now())
	if err != nil {
		return token{}, &tokenError{&Answer{Status: answer.Status}, err} // without the body: it may hold a token
	}
	return fetched, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

var errToken = errors.New("the answer holds no usable token")

// readToken takes numbers as numbers and as strings: the API sends strings, some of its documents say numbers.
func readToken(body []byte, now time.Time) (token, error) {
	var answer struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   lenient `json:"expires_in"`
		ExpiresOn   lenient `json:"expires_on"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || !usable(answer.AccessToken) {
		return token{}, errToken // no detail: it may show the token
	}
	// The time of receipt and the lifetime are trusted before the server's idea of our clock.
	life := time.Duration(min(answer.ExpiresIn, lifeMax)) * time.Second
	if life <= 0 {
		life = min(time.Unix(int64(answer.ExpiresOn), 0).Sub(now), lifeMax*time.Second)
	}
	if life <= 0 {
		return token{}, errToken
	}
	// Without the monotonic clock, so that a machine that slept does not believe in an old token.
	now = now.Round(0)
	return token{
		value: answer.AccessToken, bearer: "Bearer " + answer.AccessToken,
		refresh: now.Add(life - life/10), expiry: now.Add(life),
	}, nil
}

// usable says that a token fits into a header.
func usable(value string) bool {
	return value != "" && !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' })
}

// lenient is a whole number that may come as a string. What is neither is 0.
type lenient int64

func (l *lenient) UnmarshalJSON(data []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(data), `"`), 10, 64)
	if err != nil {
		n = 0
	}
	*l = lenient(n)
	return nil
}
