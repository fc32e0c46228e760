package browser

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// watch writes down what goes wrong in a page.
type watch struct {
	servers []string

	mu       sync.Mutex
	found    []string
	allowed  []string
	strange  []string          // requests to somewhere else, which nothing allows
	asked    map[string]string // by request
	status   int               // of the document
	document string
}

// event takes what the browser tells. It must not ask the browser anything.
func (w *watch) event(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		w.ask(string(ev.RequestID), ev.Request.Method, ev.Request.URL)
	case *network.EventWebSocketCreated:
		w.ask(string(ev.RequestID), "WebSocket", ev.URL)
	case *network.EventResponseReceived:
		if ev.Type == network.ResourceTypeDocument {
			w.status, w.document = int(ev.Response.Status), ev.Response.URL
		}
		if ev.Response.Status >= 400 {
			w.find("%s answered %d", w.asked[string(ev.RequestID)], ev.Response.Status)
		}
	case *network.EventLoadingFailed:
		if !ev.Canceled && ev.ErrorText != "net::ERR_ABORTED" { // left by the customer
			w.find("%s failed: %s %s", w.asked[string(ev.RequestID)], ev.ErrorText, ev.BlockedReason)
		}
	case *log.EventEntryAdded:
		if e := ev.Entry; e.Level == log.EntryLevelError && e.Source != log.EntrySourceNetwork { // requests are seen above
			w.find("log: %s %s", e.Text, e.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			var words []string
			for _, argument := range ev.Args {
				words = append(words, string(argument.Value), argument.Description)
			}
			w.find("console: %s", strings.Join(words, " "))
		}
	case *runtime.EventExceptionThrown:
		said := ev.ExceptionDetails.Text
		if ev.ExceptionDetails.Exception != nil {
			said += " " + ev.ExceptionDetails.Exception.Description
		}
		w.find("exception: %s", said)
	case *page.EventJavascriptDialogOpening:
		w.find("dialog: %s", ev.Message)
	}
}

func (w *watch) ask(id, method, address string) {
	if w.asked == nil {
		w.asked = map[string]string{}
	}
	w.asked[id] = method + " " + address
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "data" || u.Scheme == "about") {
		return
	}
	if err != nil || !slices.ContainsFunc(w.servers, func(server string) bool {
		return strings.HasPrefix(strings.Replace(address, "ws://", "http://", 1)+"/", strings.TrimSuffix(server, "/")+"/")
	}) {
		w.strange = append(w.strange, method+" "+address+" goes to somebody else")
	}
}

func (w *watch) find(format string, args ...any) {
	w.found = append(w.found, fmt.Sprintf(format, args...))
}

// problems are those that the test does not expect.
func (w *watch) problems() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Clone(w.strange)
	for _, found := range w.found {
		if !slices.ContainsFunc(w.allowed, func(part string) bool { return strings.Contains(found, part) }) {
			all = append(all, found)
		}
	}
	return all
}

// Allow says that problems with one of these texts in them belong to the test.
func (p *Page) Allow(parts ...string) {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	p.watch.allowed = append(p.watch.allowed, parts...)
}

// Status is that of the document that was last loaded.
func (p *Page) Status() int {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	return p.watch.status
}
