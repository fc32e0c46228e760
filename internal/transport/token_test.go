package transport

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestTokensOfSlowStarters: a caller that looked before the token was there, and asked after the fetch was over, must not
// begin another.
func TestTokensOfSlowStarters(t *testing.T) {
	t.Parallel()
	for range 3000 {
		var fetches atomic.Int64
		shared := &tokens{cached: map[string]token{}, fetch: func(context.Context, string) (token, error) {
			fetches.Add(1)
			return token{value: "t", refresh: time.Now().Add(time.Hour), expiry: time.Now().Add(time.Hour)}, nil
		}}
		start := make(chan struct{})
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				<-start
				if got, err := shared.get(t.Context(), "123456"); got.value != "t" || err != nil {
					t.Errorf("%q, %v", got.value, err)
				}
			})
		}
		close(start)
		wait.Wait()
		if n := fetches.Load(); n != 1 {
			t.Fatalf("%d fetches", n)
		}
	}
}
