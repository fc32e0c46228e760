package examples_test

import (
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/process"
	"github.com/vippsvending/vipps/qr"
)

var (
	inlined = regexp.MustCompile(`src="data:image/svg&#43;xml;base64,([^"]+)" alt="Code of ([^"]+)"`)
	caption = regexp.MustCompile(`<strong>([^<]*)</strong>([^<]*)</figcaption>`)
	loaded  = regexp.MustCompile(`(?i)<script|<link|src="[^d]|href=|url\(|@import`)
)

// sheet gives what stands under each code, and what the code says. It must need nothing but itself.
func sheet(t *testing.T, name string) (text string, captions, codes []string) {
	t.Helper()
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = string(page)
	if found := loaded.FindString(text); found != "" || !strings.Contains(text, "@page") {
		t.Errorf("the sheet loads something (%q) or is not made for printing", found)
	}
	for _, found := range caption.FindAllStringSubmatch(text, -1) {
		captions = append(captions, html.UnescapeString(found[1]+" | "+found[2]))
	}
	for _, found := range inlined.FindAllStringSubmatch(text, -1) {
		data, err := base64.StdEncoding.DecodeString(html.UnescapeString(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, decode(t, &qr.Image{Format: qr.SVG, Data: data}))
	}
	if len(codes) != len(captions) {
		t.Fatalf("%d codes, %d captions", len(codes), len(captions))
	}
	return text, captions, codes
}

// list writes a file of machines.
func list(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStickers(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "emulator", "stickers")
	address, emulator := process.Emulator(t, dir)
	t.Cleanup(func() { checkLeaks(t, emulator) })
	env := append(keys, "VIPPS_BASE_URL="+address)
	for kind, flags := range map[string][]string{
		"callback": {"-kind", "callback"},
		"redirect": {"-kind", "redirect", "-page", "https://shop.example/m?id={id}"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			own := t.TempDir()
			out := filepath.Join(own, "sheet.html")
			run := func(code int, content string, lines ...string) {
				t.Helper()
				args := append([]string{"-out", out}, flags...)
				finish(t, process.Start(t, dir, "stickers", env, append(args, list(t, own, "machines.csv", content))...), code, lines...)
			}
			const machines = "\xef\xbb\xbfid;location\r\noslo-12;Hall B\r\noslo-13;<Kiosk> & Øst\r\n"
			run(0, machines, "created    oslo-12  Hall B", "created    oslo-13  <Kiosk> & Øst", "codes: 2 created, 0 updated, 0 unchanged",
				"stickers: 2, ready to print in "+out)
			first, captions, codes := sheet(t, out)
			if got := strings.Join(captions, "\n"); got != "Hall B | oslo-12\n<Kiosk> & Øst | oslo-13" {
				t.Errorf("captions:\n%s", got)
			}
			if !strings.HasPrefix(codes[0], address+"/q/") || codes[0] == codes[1] {
				t.Errorf("codes: %q", codes)
			}
			run(0, machines, "unchanged  oslo-12  Hall B", "nothing was changed: all 2 codes are as they should be")
			if again, _, _ := sheet(t, out); again != first {
				t.Error("the sheet has changed")
			}
			updated := map[string]string{"callback": "updated    oslo-12  Hall C", "redirect": "unchanged  oslo-12  Hall C"}[kind]
			run(1, "oslo-12,Hall C\n\noslo 14 (new),Hall B\noslo-15\noslo-12,Hall D\noslo-16,\"Hall\" E\n,Hall F\noslo-17,\noslo-18,Hall G\n",
				updated, "created    oslo-18  Hall G", "stickers: 2, ready to print in "+out,
				"line 4: must be an id and a location, has 1 fields", `line 5: "oslo-12": is on line 1 already`,
				"line 7: has no id", `line 8: "oslo-17": has no location`, "stickers: 6 of 8 machines have no sticker")
			if _, captions, after := sheet(t, out); strings.Join(captions, "\n") != "Hall C | oslo-12\nHall G | oslo-18" || after[0] != codes[0] {
				t.Errorf("captions %q, and the code of oslo-12 says %q instead of %q", captions, after[0], codes[0])
			}
		})
	}
}

func TestStickersSample(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "stickers")
	out := filepath.Join(t.TempDir(), "sheet.html")
	finish(t, process.Start(t, dir, "stickers", nil, "-out", out), 0, "created    oslo-12  Oslo S, platform 3", "codes: 2 created, 0 updated, 0 unchanged",
		"note: this sales unit has no webhook for user.checked-in.v1; without one, who scans is told that the store cannot be reached")
	if text, captions, _ := sheet(t, out); len(captions) != 2 || !strings.Contains(text, "no app knows them") {
		t.Errorf("the sheet:\n%s", text)
	}
}

func TestStickersRefused(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "emulator", "stickers")
	own := t.TempDir()
	const page = "stickers: -page: must be an https address with {id} where the machine's id belongs"
	for name, test := range map[string]struct {
		args []string
		line string
	}{
		"kind":     {[]string{"-kind", "one-time"}, "stickers: -kind: must be callback or redirect"},
		"page":     {[]string{"-page", "https://shop.example/{id}"}, "stickers: -page: is for -kind redirect only"},
		"no page":  {[]string{"-kind", "redirect"}, page},
		"no https": {[]string{"-kind", "redirect", "-page", "http://shop.example/{id}"}, page},
		"no id":    {[]string{"-kind", "redirect", "-page", "https://shop.example/"}, page},
		"files":    {[]string{"a.csv", "b.csv"}, "stickers: there is more than one file, or a flag behind it"},
		"empty":    {[]string{list(t, own, "empty.csv", "id,location\n")}, "stickers: the list has no machines"},
		"too long": {
			[]string{list(t, own, "long.csv", "oslo-12,"+strings.Repeat("x", 37)+"\n")},
			`line 1: "oslo-12": qr.EnsureCallback: invalid request: LocationDescription: must be 1 to 36 characters`,
		},
		"address": {
			[]string{"-kind", "redirect", "-page", "https://shop.example/~{id}", list(t, own, "one.csv", "oslo-12,Hall B\n")},
			`line 1: "oslo-12": qr.EnsureRedirect: invalid request: RedirectURL: must be an https address of letters, digits and #!:.?+=&%@-/_ only`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "sheet.html")
			finish(t, process.Start(t, dir, "stickers", nil, append([]string{"-out", out}, test.args...)...), 1, test.line)
			if _, err := os.Stat(out); err == nil {
				t.Error("a sheet was written")
			}
		})
	}
	t.Run("no image", func(t *testing.T) {
		t.Parallel()
		address, _ := process.Emulator(t, dir)
		target, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httptest.NewUnstartedServer(nil)
		self := "http://" + proxy.Listener.Addr().String()
		pass := &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
			ModifyResponse: func(r *http.Response) error { // images come from here as well
				body, err := io.ReadAll(r.Body)
				body = bytes.ReplaceAll(body, []byte(address), []byte(self))
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
				r.Header.Del("Content-Length")
				return err
			},
		}
		var images atomic.Int64
		proxy.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/generate/") {
				if r.Header.Get("Authorization") != "" || r.Header.Get("Ocp-Apim-Subscription-Key") != "" {
					t.Error("keys were sent with an image")
				}
				if images.Add(1) == 1 {
					http.NotFound(w, r)
					return
				}
			}
			pass.ServeHTTP(w, r)
		})
		proxy.Start()
		defer proxy.Close()
		out := filepath.Join(t.TempDir(), "sheet.html")
		finish(t, process.Start(t, dir, "stickers", append(keys, "VIPPS_BASE_URL="+self), "-out", out), 1,
			`line 2: "oslo-12": the code is created, but its image cannot be fetched: qr.FetchImage: 404 Not Found`,
			"created    oslo-13  Oslo S, hall B", "stickers: 1 of 2 machines have no sticker")
	})
}
