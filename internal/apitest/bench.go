package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// turn is about how long one side is timed before it is the other's turn: enough that each collects its own garbage.
const turn = 5 * time.Millisecond

// Versus compares a call with its floor, the least that the same can be done with. "ratio" lets the two take turns, so that
// whatever else the machine does falls on both, and reports the median; "subject" and "floor" are for allocations and profiles.
func Versus(b *testing.B, subject, floor func() error) {
	b.Helper()
	took := func(b *testing.B, calls int, call func() error) time.Duration {
		b.Helper()
		start := time.Now()
		for range calls {
			if err := call(); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	b.Run("ratio", func(b *testing.B) {
		calls := 1
		for took(b, calls, floor) < turn {
			calls *= 2
		}
		var ratios []float64
		for b.Loop() {
			ratios = append(ratios, float64(took(b, calls, subject))/float64(took(b, calls, floor)))
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[len(ratios)/2], "×floor")
		b.ReportMetric(0, "ns/op")
	})
	for name, call := range map[string]func() error{"subject": subject, "floor": floor} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Token is as long as real ones are.
var Token = strings.Repeat("t", 1000)

// Authorization is the header that Token goes in.
var Authorization = "Bearer " + Token

// ByHand is a call as one writes it with net/http alone: every header, a time limit, a bounded answer, its status. It is the
// floor of the clients, which check arguments, repeat, hide secrets and judge outcomes besides.
func ByHand(ctx context.Context, client *http.Client, authorization, method, url, key string, body, result any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Ocp-Apim-Subscription-Key", "subscription-key")
	r.Header.Set("Merchant-Serial-Number", "123456")
	r.Header.Set("User-Agent", "by-hand/1.0")
	r.Header.Set("Vipps-System-Name", "acme-vend")
	r.Header.Set("Vipps-System-Version", "1.4.0")
	r.Header.Set("Vipps-System-Plugin-Name", "acme-vend")
	r.Header.Set("Vipps-System-Plugin-Version", "1.4.0")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return json.Unmarshal(answer, result)
}
