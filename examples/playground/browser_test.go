package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vippsvending/vipps/examples/internal/process"
)

// shown is what the tests look at of what the page is sent.
type shown struct {
	Power, Door string
	Screen      struct{ Title, Text, Code string }
	Sticker     string
	Tray        []struct{ N int }
	Phone       struct {
		View, Page, Says string
		Payment          *struct {
			ID      string
			Open    bool
			Maximum bool
			Lines   []struct{ Name string }
		}
	}
	Sale *struct {
		ID, State, Words, RestTone, Held string
		Money                            struct{ Total, Reserved, Captured, Released, Refunded int64 }
		Resolved                         []struct{ Fault, Says string }
		Calls                            []struct{ Op, Says string }
	}
	Armed []string
	Books struct{ Words, Tone string }
	Guide struct{ Target string }
	Night struct{ Running bool }
}

func (v shown) state() string {
	if v.Sale == nil {
		return ""
	}
	return v.Sale.State
}

// page is a browser with the page open.
type page struct {
	t       *testing.T
	address string
	client  *http.Client
	views   chan shown
	last    shown
}

// asProgram has the test's own binary be the program, so that the race detector looks at it as well.
const asProgram = "PLAYGROUND_AS_PROGRAM=1"

func TestMain(m *testing.M) {
	if os.Getenv("PLAYGROUND_AS_PROGRAM") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

func launch(t *testing.T, env []string, args ...string) *process.Process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return process.Start(t, filepath.Dir(program), strings.TrimSuffix(filepath.Base(program), ".exe"), append(env, asProgram), args...)
}

func start(t *testing.T, args ...string) (*page, *process.Process) {
	t.Helper()
	program := launch(t, nil, append([]string{"-pace", "30ms"}, args...)...)
	if runtime.GOOS != "windows" && !slices.Contains(args, "-db") { // it removes its folder
		t.Cleanup(func() {
			program.Stop(syscall.SIGINT)
			program.Wait()
		})
	}
	return open(t, program.Line("open ")), program
}

func open(t *testing.T, address string) *page {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{t: t, address: address, client: &http.Client{Jar: jar}, views: make(chan shown, 1)}
	ctx, cancel := context.WithCancel(t.Context()) // each step is bounded, all of them together need not be
	t.Cleanup(cancel)
	answer := p.send(ctx, http.MethodGet, "/events", nil, nil)
	go func() {
		defer answer.Body.Close()
		defer close(p.views)
		lines := bufio.NewReader(answer.Body)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			var v shown
			if text, ok := strings.CutPrefix(line, "data: "); ok && json.Unmarshal([]byte(text), &v) == nil { //nolint:musttag // the names are as sent, but for their case
				select {
				case p.views <- v:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	p.until("there", func(v shown) bool { return v.Power == "on" })
	return p
}

func (p *page) send(ctx context.Context, method, path string, body io.Reader, header http.Header) *http.Response {
	p.t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, p.address+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	for name := range header {
		request.Header.Set(name, header.Get(name))
	}
	if host := header.Get("Host"); host != "" {
		request.Host = host
	}
	answer, err := p.client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer
}

// read sends a request and reads the answer.
func (p *page) read(method, path, body string, header http.Header) (int, string) {
	p.t.Helper()
	answer := p.send(p.t.Context(), method, path, strings.NewReader(body), header)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer.StatusCode, string(content)
}

// press presses a button, and gives why it could not be.
func (p *page) press(action map[string]any) string {
	p.t.Helper()
	body, err := json.Marshal(action)
	if err != nil {
		p.t.Fatal(err)
	}
	_, said := p.read(http.MethodPost, "/do", string(body), http.Header{"Content-Type": {"application/json"}})
	var problem struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(said), &problem); err != nil {
		p.t.Fatal(err, said)
	}
	return problem.Error
}

// do presses a button that must be there.
func (p *page) do(what, which string) {
	p.t.Helper()
	if problem := p.press(map[string]any{"do": what, "what": which}); problem != "" {
		p.t.Fatalf("%s %s: %s", what, which, problem)
	}
}

// turn sets something.
func (p *page) turn(what, which string, on bool) {
	p.t.Helper()
	if problem := p.press(map[string]any{"do": what, "what": which, "on": on}); problem != "" {
		p.t.Fatalf("%s %s %t: %s", what, which, on, problem)
	}
}

// until looks until the page is as wanted.
func (p *page) until(what string, is func(shown) bool) shown {
	p.t.Helper()
	limit := time.After(2 * time.Minute)
	for !is(p.last) {
		select {
		case v, ok := <-p.views:
			if !ok {
				p.t.Fatalf("the page has ended before it was %s: %+v", what, p.last)
			}
			p.last = v
		case <-limit:
			p.t.Fatalf("the page is never %s: %+v, %+v", what, p.last, p.last.Sale)
		}
	}
	return p.last
}

// next looks until the sale after the one with that id is as wanted.
func (p *page) next(what, not string, is func(shown) bool) shown {
	p.t.Helper()
	return p.until(what, func(v shown) bool { return v.Sale != nil && v.Sale.ID != not && is(v) })
}

// visit opens the page in the phone and presses its button, and follows to the app.
func (p *page) visit(change url.Values) {
	p.t.Helper()
	v := p.until("a page in the browser", func(v shown) bool { return v.Phone.View == "browser" })
	status, content := p.read(http.MethodGet, v.Phone.Page, "", nil)
	if status != http.StatusOK {
		p.t.Fatalf("%s: %d %s", v.Phone.Page, status, content)
	}
	form := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(content, -1) {
		form.Add(field[1], field[2])
	}
	maps.Copy(form, change)
	status, content = p.read(http.MethodPost, v.Phone.Page, form.Encode(), http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"},
	})
	if status != http.StatusOK || !strings.Contains(content, "The app opens") {
		p.t.Fatalf("after paying: %d %s", status, content)
	}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// buy does what a customer does at a door, up to the approval and, after a maximum, the choice.
func (p *page) buy(door string) {
	p.t.Helper()
	before := ""
	if v := p.last; v.Sale != nil {
		before = v.Sale.ID
	}
	switch door {
	case "dynamic":
		p.do("press", "A1")
		p.next("asking for a scan", before, func(v shown) bool { return v.Screen.Code != "" })
		p.do("scan", "")
	case "selection":
		p.do("scan", "")
		p.visit(url.Values{"slot": {"A1"}, "price": {"2500"}, "quantity": {"1"}, "total": {"2500"}})
	case "payment":
		p.do("press", "A1")
		p.do("scan", "")
		p.visit(nil)
	case "maximum":
		p.do("scan", "")
		p.visit(nil)
	case "callback":
		p.do("scan", "")
	case "till":
		p.do("press", "A1")
		p.do("hold", "")
	}
	p.next("asking in the app", before, func(v shown) bool {
		return v.Power == "off" || v.Phone.View == "request" && v.Phone.Payment.ID == v.Sale.ID
	})
}

// end approves, chooses if that is to be done, restores the power if it goes, and waits for the end.
func (p *page) end(door string) shown {
	p.t.Helper()
	p.do("approve", "")
	if door == "maximum" || door == "callback" {
		p.until("choosing", func(v shown) bool { return v.state() == "Choosing" })
		p.do("press", "A1")
	}
	return p.close()
}

func (p *page) close() shown {
	p.t.Helper()
	for {
		v := p.until("over", func(v shown) bool {
			return v.Power == "off" || v.state() == "Closed" || v.state() == "Held"
		})
		if v.Power == "on" {
			return p.until("at rest", func(v shown) bool { return v.Sale.RestTone != "busy" || v.state() == "Held" })
		}
		p.turn("power", "", true)
		p.until("on again", func(v shown) bool { return v.Power == "on" })
	}
}

func (p *page) enter(door string) {
	p.t.Helper()
	p.do("door", door)
	p.until("at the door", func(v shown) bool { return v.Door == door })
}

type money struct{ total, captured, released int64 }

func check(t *testing.T, v shown, want money) {
	t.Helper()
	m := v.Sale.Money
	if got := (money{m.Total, m.Captured, m.Released}); got != want || m.Reserved != 0 {
		t.Errorf("money %+v, want %+v; %+v", got, want, v.Sale)
	}
	if v.Sale.RestTone == "bad" || v.Books.Tone == "bad" {
		t.Errorf("the books do not balance: %+v", v)
	}
}
