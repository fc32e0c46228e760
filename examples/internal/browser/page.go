package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Page is one window of a test's browser. A method that does not get what it waits for ends the test.
type Page struct {
	tb      testing.TB
	ctx     context.Context //nolint:containedctx // chromedp keeps its tab there
	options Options
	watch   *watch
	root    string // of what is looked at, as an expression
}

// Frame is what a frame of the page shows, which is of the same origin.
func (p *Page) Frame(selector string) *Page {
	frame := *p
	frame.root = fmt.Sprintf(`(%s.querySelector(%q)?.contentDocument)`, p.root, selector)
	return &frame
}

type action = chromedp.Action[chromedp.Void]

// call is a command of the protocol without a result.
func call[P any](command cdp.Command[P, cdp.Empty], params P) action {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, command, params)
		return chromedp.Void{}, err
	}
}

// do has the browser do something, within patience.
func do[T any](p *Page, a chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, a)
}

// try is do for what is tried again: a question about a page that is being replaced may never be answered.
func try[T any](p *Page, a chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience/8)
	defer cancel()
	return chromedp.Run(ctx, a)
}

func (p *Page) must(what string, actions ...action) {
	p.tb.Helper()
	if _, err := do(p, chromedp.Steps(actions...)); err != nil {
		p.tb.Fatalf("%s: %v", what, err)
	}
}

// until waits until something is so. Errors on the way are those of a page that is being replaced.
func (p *Page) until(what string, is func() (bool, error)) {
	p.tb.Helper()
	deadline := time.After(patience)
	for {
		ok, err := is()
		if ok && err == nil {
			return
		}
		select {
		case <-deadline:
			p.tb.Fatalf("%s: not within %v (%v); the page at %s says:\n%.1000s", what, patience, err, p.Address(), p.Text())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Until waits until something is so.
func (p *Page) Until(what string, is func() bool) {
	p.tb.Helper()
	p.until(what, func() (bool, error) { return is(), nil })
}

// Eval evaluates an expression in the page, scripts allowed or not.
func Eval[T any](p *Page, expression string) T {
	p.tb.Helper()
	value, err := do(p, chromedp.Evaluate[T](expression))
	if err != nil {
		p.tb.Fatalf("%.60s: %v", expression, err)
	}
	return value
}

// Open goes to an address and waits until the page is there.
func (p *Page) Open(address string) {
	p.tb.Helper()
	p.must("open "+address, chromedp.Navigate(address))
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.tb.Helper()
	p.must("reload", chromedp.Reload())
}

// Back is the button of the browser.
func (p *Page) Back() {
	p.tb.Helper()
	history, err := do(p, chromedp.NavigationEntries())
	if err != nil || history.CurrentIndex == 0 {
		p.tb.Fatalf("back: nowhere to go: %v", err)
	}
	before := history.Entries[history.CurrentIndex-1]
	// Not chromedp.NavigateBack: a page that was kept does not load again, which that waits for.
	p.must("back", call(page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: before.ID}))
	p.until("back", func() (bool, error) {
		now, err := do(p, chromedp.NavigationEntries())
		ready, _ := do(p, chromedp.Evaluate[bool](`document.readyState === "complete"`))
		return ready && now.CurrentIndex < history.CurrentIndex, err
	})
}

// Address is where the browser is.
func (p *Page) Address() string {
	address, _ := do(p, chromedp.Location())
	return address
}

// WaitAddress waits until the browser is at an address that has this in it.
func (p *Page) WaitAddress(part string) {
	p.tb.Helper()
	p.until("an address with "+part, func() (bool, error) {
		address, err := do(p, chromedp.Location())
		return strings.Contains(address, part), err
	})
}

// text gives what is to be seen, with single blanks.
func (p *Page) text() chromedp.Action[string] {
	return chromedp.Evaluate[string](fmt.Sprintf(`%s?.body?.innerText.replace(/\s+/g, " ") ?? ""`, p.root))
}

// Text is what is to be seen on the page.
func (p *Page) Text() string {
	said, _ := do(p, p.text())
	return said
}

// WaitText waits until all of these are to be seen.
func (p *Page) WaitText(parts ...string) {
	p.tb.Helper()
	for _, part := range parts {
		p.until(fmt.Sprintf("%q", part), func() (bool, error) {
			said, err := try(p, p.text())
			return strings.Contains(said, part), err
		})
	}
}

// Picture is all of the page, as a PNG.
func (p *Page) Picture() []byte {
	p.tb.Helper()
	width, height := p.options.size()
	if full, err := do(p, chromedp.Evaluate[int64](`Math.ceil(document.documentElement.scrollHeight)`)); err == nil {
		height = min(max(height, full), 4000)
	}
	return p.picture(width, height)
}

// Screen is what of the page is on the screen, as a PNG.
func (p *Page) Screen() []byte {
	p.tb.Helper()
	return p.picture(p.options.size())
}

func (p *Page) picture(width, height int64) []byte {
	p.tb.Helper()
	beyond := true
	shot, err := do(p, func(ctx context.Context, t *chromedp.Target) (page.CaptureScreenshotResult, error) {
		return cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{
			CaptureBeyondViewport: &beyond,
			Clip:                  &page.Viewport{Width: float64(width), Height: float64(height), Scale: 1},
		})
	})
	if err != nil {
		p.tb.Errorf("screenshot: %v", err)
	}
	return shot.Data
}

// theme is the system's setting for light or dark.
func (p *Page) theme(name string) action {
	return call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
}

// scripts says whether pages may run theirs.
func (p *Page) scripts(run bool) action {
	return call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
}

// resize is a screen of that many CSS pixels.
func (p *Page) resize(width, height int64) action {
	return chromedp.Steps(
		call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: height, DeviceScaleFactor: 1, Mobile: !p.options.Desktop,
		}),
		call(emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: !p.options.Desktop}),
	)
}
