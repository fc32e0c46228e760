package vipps_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vippsvending/vipps"
)

// TestFormat prints pointers one level down under verbs that do not fit, where fmt does not ask a field how it prints.
func TestFormat(t *testing.T) {
	t.Parallel()
	const mark = "s3cr3t"
	keys := vipps.Credentials{ClientID: mark, ClientSecret: mark, SubscriptionKey: mark}
	for _, value := range []any{
		&keys,
		&vipps.Config{Credentials: keys},
		&vipps.Request{Redact: []vipps.Secret{mark}, Body: map[string]string{"token": mark}},
		&vipps.Error{Op: "x", Body: mark, Detail: mark},
		vipps.Error{Op: "x", Body: mark, Detail: mark},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x", "%t"} {
			for _, shape := range []any{value, []any{value}, map[string]any{"v": value}} {
				if got := fmt.Sprintf(verb, shape); strings.Contains(got, mark) || strings.Contains(got, fmt.Sprintf("%x", mark)) {
					t.Errorf("%s of %T prints a secret: %s", verb, value, got)
				}
			}
		}
	}
}
