package vipps_test

import (
	"flag"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// wire is a request as text: the first line, the headers in order, an empty line, the body.
func (r recorded) wire() string {
	var b strings.Builder
	b.WriteString(r.method + " " + r.url + "\n")
	var lines []string
	for name, values := range r.header {
		for _, value := range values {
			lines = append(lines, name+": "+value+"\n")
		}
	}
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, "") + "\n" + r.body)
	return b.String()
}

func TestWire(t *testing.T) {
	t.Parallel()
	service := newService(t)
	const address = thingURL + "?sort=a%26b"
	service.script(http.MethodPost, address, answer(201, `{"id":"1"}`))
	request := create()
	request.Query = url.Values{"sort": {"a&b"}}
	request.Header = http.Header{"Accept": {"image/png"}}
	if err := newClient(t, config(service)).Do(t.Context(), request, &thing{}); err != nil {
		t.Fatal(err)
	}
	for file, sent := range map[string][]recorded{"token.request": service.sent(tokenURL), "Do.request": service.sent(address)} {
		path := filepath.Join("testdata", file)
		got := sent[0].wire()
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", file, diff)
		}
	}
}
