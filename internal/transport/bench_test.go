package transport

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/vippsvending/vipps/internal/apitest"
)

// BenchmarkToken is eight callers for each core at one token that is there. The floor is the same by hand: a lock, and a look
// at the clock.
func BenchmarkToken(b *testing.B) {
	until := time.Now().Add(time.Hour).Round(0)
	shared := &tokens{cached: map[string]token{
		"123456": {value: apitest.Token, bearer: apitest.Authorization, refresh: until, expiry: until},
	}}
	var lock sync.Mutex
	cached := apitest.Authorization
	for name, get := range map[string]func(context.Context) (string, error){
		"subject": func(ctx context.Context) (string, error) {
			got, err := shared.get(ctx, "123456")
			return got.bearer, err
		},
		"floor": func(context.Context) (string, error) {
			lock.Lock()
			defer lock.Unlock()
			if time.Now().After(until) {
				return "", nil
			}
			return cached, nil
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if got, err := get(b.Context()); got == "" || err != nil {
						b.Errorf("%q, %v", got, err)
						return
					}
				}
			})
		})
	}
}
