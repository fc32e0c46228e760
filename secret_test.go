package vipps_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/vippsvending/vipps"
)

func TestSecret(t *testing.T) {
	t.Parallel()
	var s vipps.Secret
	if err := json.Unmarshal([]byte(`"4791234567"`), &s); err != nil || string(s) != "4791234567" {
		t.Fatalf("decoded %q, %v", string(s), err)
	}
	for _, got := range []string{
		fmt.Sprintf("%s", s), fmt.Sprintf("%v", s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%q", s),
		fmt.Sprintf("%x", s), fmt.Sprintf("%d", s), fmt.Sprint(struct{ S vipps.Secret }{s}.S),
	} {
		if got != "[redacted]" {
			t.Errorf("printed %q", got)
		}
	}
	if encoded, err := json.Marshal(s); err != nil || string(encoded) != `"[redacted]"` {
		t.Errorf("encoded %s, %v", encoded, err)
	}
}
