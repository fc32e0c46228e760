// Package browser lets tests look at pages as a customer's phone does: in Chromium, through what is seen and touched.
//
// One Chromium serves all tests of a process, and each test has a profile of its own in it. A test fails if its pages report
// errors, if a request of theirs fails, or if one goes anywhere but to the test's own servers.
package browser

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Required is the variable that makes a missing browser a failure, if it is 1.
const Required = "VIPPS_REQUIRE_BROWSER"

// patience is how long anything on a page may take.
const patience = time.Minute

// Options are what a customer's browser is like.
type Options struct {
	// Servers are the addresses that pages may ask. A request to any other fails the test.
	Servers  []string
	NoScript bool
	Dark     bool
	// Language is what the customer reads, as a browser says it. Defaults to "en".
	Language string
	// Desktop is a window of 1280 × 800 and a mouse instead of a phone of 360 × 740 and a finger.
	Desktop bool
	// Height is that of the window in pixels, if it is another one.
	Height int64
}

func (o Options) size() (width, height int64) {
	if o.Desktop {
		return 1280, cmp.Or(o.Height, 800)
	}
	return 360, cmp.Or(o.Height, 740)
}

func (o Options) theme() string {
	if o.Dark {
		return "dark"
	}
	return "light"
}

// New opens a browser without history or cookies, and skips the test if there is none on this machine. Call it after the
// servers were started, so that they end after it.
func New(tb testing.TB, o Options) *Page {
	tb.Helper()
	root, err := start()
	if err != nil {
		Missing(tb, err.Error())
	}
	ctx, cancel := chromedp.NewContext(root, chromedp.WithNewBrowserContext(), chromedp.WithNewWindow(true))
	p := &Page{tb: tb, ctx: ctx, options: o, watch: &watch{servers: o.Servers}, root: "document"}
	if err := p.prepare(); err != nil {
		cancel()
		tb.Fatalf("the browser: %v", err)
	}
	tb.Cleanup(func() {
		p.save(tb.Name())
		for _, problem := range p.watch.problems() {
			tb.Errorf("the browser says: %s", problem)
		}
		cancel()
	})
	return p
}

// Missing skips a test, or fails it where there is to be a browser.
func Missing(tb testing.TB, why string) {
	tb.Helper()
	if os.Getenv(Required) == "1" {
		tb.Fatal(why)
	}
	tb.Skip(why)
}

func (p *Page) prepare() error {
	if err := chromedp.Listen(p.ctx, p.watch.event); err != nil { // opens the tab
		return err
	}
	language := cmp.Or(p.options.Language, "en")
	width, height := p.options.size()
	_, err := do(p, chromedp.Steps(
		call(network.Enable, network.EnableParams{}),
		call(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": language}}),
		call(emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: favourite(language)}),
		call(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
		p.scripts(!p.options.NoScript), p.theme(p.options.theme()), p.resize(width, height)))
	return err
}

// favourite is the first language of what a browser says: the page's own scripts know only one.
func favourite(languages string) string {
	first, _, _ := strings.Cut(languages, ",")
	first, _, _ = strings.Cut(first, ";")
	return strings.TrimSpace(first)
}

// places are where Chromium may be: where the variable CHROMIUM says, or where Debian and others put it.
func places() []string {
	if place := os.Getenv("CHROMIUM"); place != "" {
		return []string{place}
	}
	return []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"}
}

// running is the Chromium of this process.
var running struct {
	sync.Mutex
	stop func()
}

// start starts Chromium when it is first needed.
var start = sync.OnceValues(func() (context.Context, error) {
	var path string
	for _, place := range places() {
		if found, err := exec.LookPath(place); path == "" && err == nil {
			path = found
		}
	}
	if path == "" {
		return nil, fmt.Errorf("there is no Chromium: not at %s; the variable CHROMIUM can say where", strings.Join(places(), ", "))
	}
	folder, err := os.MkdirTemp("", "vipps-chromium-")
	if err != nil {
		return nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(folder, "profile")), chromedp.Env("TMPDIR=" + folder),
		chromedp.Flag("headless", "new"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("mute-audio", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter,AutofillServerCommunication"),
		// Nobody but the test's servers is found, whatever a page or Chromium itself asks for.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	}
	for _, name := range []string{
		"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-default-apps",
		"disable-extensions", "disable-breakpad", "metrics-recording-only", "no-pings", "disable-domain-reliability",
		// Tabs of tests that run at the same time are all in front.
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
	} {
		options = append(options, chromedp.Flag(name, true))
	}
	allocator, stopAll := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	stop := func() {
		_ = chromedp.Cancel(ctx) // asks it to end, and waits
		cancel()
		stopAll()
		_ = os.RemoveAll(folder)
	}
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("%s does not start: %w", path, err)
	}
	running.Lock()
	defer running.Unlock()
	running.stop = stop
	return ctx, nil
})

// Close ends Chromium, if it was started. TestMain calls it when all tests have ended.
func Close() {
	running.Lock()
	defer running.Unlock()
	if running.stop != nil {
		running.stop()
		running.stop = nil
	}
}

// screenshots is the folder for pictures of how each test ended.
var screenshots = sync.OnceValues(func() (string, error) {
	dir := os.Getenv("VIPPS_SCREENSHOTS")
	if dir == "" {
		made, err := os.MkdirTemp("", "vipps-screenshots-")
		if err != nil {
			return "", err
		}
		dir = made
	}
	fmt.Fprintln(os.Stderr, "screenshots are in", dir)
	return dir, os.MkdirAll(dir, 0o700)
})

var unfit = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

var saved sync.Map // names of screenshots

// save keeps a picture of the page.
func (p *Page) save(name string) {
	dir, err := screenshots()
	if err != nil {
		p.tb.Errorf("screenshot: %v", err)
		return
	}
	name = unfit.ReplaceAllString(name, "-")
	for n := 2; ; n++ {
		if _, taken := saved.LoadOrStore(name, true); !taken {
			break
		}
		name = fmt.Sprintf("%s-%d", unfit.ReplaceAllString(p.tb.Name(), "-"), n)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), p.Picture(), 0o600); err != nil {
		p.tb.Errorf("screenshot: %v", err)
	}
}
