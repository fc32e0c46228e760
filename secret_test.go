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
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%X", "%d", "%10s"} {
		if got := fmt.Sprintf(verb, s); got != "[redacted]" {
			t.Errorf("%s printed %q", verb, got)
		}
		if got := fmt.Sprintf(verb, vipps.Secret("")); got != "" {
			t.Errorf("%s printed %q for nothing", verb, got)
		}
	}
	if encoded, err := json.Marshal([]vipps.Secret{s, ""}); err != nil || string(encoded) != `["[redacted]",""]` {
		t.Errorf("encoded %s, %v", encoded, err)
	}
	if got := s.LogValue().String() + "," + vipps.Secret("").LogValue().String(); got != "[redacted]," {
		t.Errorf("logged %s", got)
	}
}
