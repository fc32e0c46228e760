// The tests run the playground as a process and press its buttons, as the page does.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
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
	return open(t, program.Line("open ")), program
}

func open(t *testing.T, address string) *page {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{t: t, address: address, client: &http.Client{Jar: jar}, views: make(chan shown, 1)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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
			if text, ok := strings.CutPrefix(line, "data: "); ok && json.Unmarshal([]byte(text), &v) == nil {
				p.views <- v
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
	var problem struct{ Error string }
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
	limit := time.After(20 * time.Second)
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
	for name, values := range change {
		form[name] = values
	}
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

var doorsAndMoney = map[string]money{
	"dynamic": {2500, 2500, 0}, "selection": {2500, 2500, 0}, "payment": {2500, 2500, 0}, "till": {2500, 2500, 0},
	"maximum": {4500, 2500, 2000}, "callback": {4500, 2500, 2000},
}

func TestDoors(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	for door, want := range doorsAndMoney {
		p.enter(door)
		p.buy(door)
		v := p.end(door)
		check(t, v, want)
		if len(v.Tray) == 0 || v.Sale.RestTone != "good" {
			t.Errorf("%s: nothing dropped: %+v", door, v)
		}
		p.do("mine", "")
		p.do("take", "")
	}
	p.until("at rest", func(v shown) bool { return v.Books.Words == "6 customers, 6 products, 150.00 NOK charged, all at rest" })
}

func TestFaults(t *testing.T) {
	t.Parallel()
	sold, released := money{2500, 2500, 0}, money{2500, 0, 2500}
	for _, group := range [][]struct {
		faults []string
		want   money
	}{
		{{[]string{"jam"}, released}, {[]string{"silent"}, released}, {[]string{"cut-create"}, sold}, {[]string{"cut-capture"}, sold}},
		{{[]string{"answer-create"}, sold}, {[]string{"answer-capture"}, sold}, {[]string{"jam", "answer-cancel"}, released}, {[]string{"request-create", "request-capture"}, sold}},
		{{[]string{"jam", "request-cancel"}, released}, {[]string{"hook-twice"}, sold}, {[]string{"hook-never"}, sold}, {[]string{"cut-vend"}, released}},
	} {
		t.Run(strings.Join(group[0].faults, ","), func(t *testing.T) {
			t.Parallel()
			p, _ := start(t)
			for _, test := range group {
				before := p.last
				for _, fault := range test.faults {
					p.do("fault", fault)
				}
				p.do("press", "A1")
				id := ""
				if before.Sale != nil {
					id = before.Sale.ID
				}
				if v := p.next("waiting, or without power", id, func(v shown) bool { return v.Power == "off" || v.state() == "Waiting" }); v.Power == "off" {
					p.turn("power", "", true)
					p.until("waiting", func(v shown) bool { return v.Power == "on" && v.state() == "Waiting" })
				}
				p.do("scan", "")
				v := p.end("dynamic")
				check(t, v, test.want)
				struck := map[string]bool{}
				for _, done := range v.Sale.Resolved {
					struck[done.Fault] = done.Says != ""
				}
				for _, fault := range test.faults {
					if !struck[fault] {
						t.Errorf("%v: %s has not struck: %+v", test.faults, fault, v.Sale)
					}
				}
				p.do("take", "")
			}
		})
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	p.buy("dynamic")
	p.do("abort", "")
	check(t, p.close(), money{})
	p.buy("dynamic")
	p.do("skip", "") // past the limit
	v := p.close()
	check(t, v, money{})
	p.do("approve", "")
	p.until("refused by the app", func(v shown) bool { return v.Phone.Says != "" })

	p.turn("setting", "hold", true)
	p.until("on", func(v shown) bool { return v.Power == "on" })
	p.do("fault", "silent")
	p.buy("dynamic")
	if v = p.end("dynamic"); v.Sale.Held != "Cola" {
		t.Fatalf("not held: %+v", v.Sale)
	}
	p.turn("resolve", "", true)
	p.until("settled", func(v shown) bool { return v.state() == "Closed" })
	check(t, p.close(), money{2500, 2500, 0})
	p.do("refund", "")
	p.until("refunded", func(v shown) bool { return v.Sale.Money.Refunded == 2500 && v.Sale.Money.Captured == 0 })
}

func TestPartOfAReservation(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	p.enter("maximum")
	p.do("fault", "in-full")
	p.buy("maximum")
	check(t, p.end("maximum"), money{4500, 0, 4500})
	if problem := p.press(map[string]any{"do": "portal", "what": "cancel"}); problem == "" {
		t.Error("what is released can be released in the portal")
	}
}

func TestNight(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	if problem := p.press(map[string]any{"do": "night", "n": 8}); problem != "" {
		t.Fatal(problem)
	}
	p.until("night", func(v shown) bool { return v.Night.Running })
	v := p.until("morning", func(v shown) bool { return !v.Night.Running })
	if v = p.until("at rest", func(v shown) bool { return v.Books.Tone != "busy" }); v.Books.Tone != "good" {
		t.Errorf("the books: %+v", v.Books)
	}
}

// What was open when the program ended goes on when it is started again.
func TestFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "kept")
	p, program := start(t, "-db", folder)
	p.buy("dynamic")
	stop(t, program)
	if again, err := os.ReadDir(folder); err != nil || len(again) == 0 {
		t.Fatalf("nothing is kept: %v", err)
	}
	again, _ := start(t, "-db", folder)
	again.until("there again", func(v shown) bool { return v.Sale != nil })
}

func stop(t *testing.T, program *process.Process) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be asked to end on Windows")
	}
	program.Stop(syscall.SIGINT)
	if code := program.Wait(); code != 0 {
		_, said := program.Output()
		t.Errorf("exit code %d: %s", code, said)
	}
}

func TestOthers(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	action := `{"do":"press","what":"A1"}`
	for name, test := range map[string]struct {
		method, path, body string
		header             http.Header
		status             int
	}{
		"the page":      {http.MethodGet, "/", "", nil, http.StatusOK},
		"favicon":       {http.MethodGet, "/favicon.ico", "", nil, http.StatusOK},
		"other host":    {http.MethodGet, "/", "", http.Header{"Host": {"evil.example"}}, http.StatusMisdirectedRequest},
		"other network": {http.MethodGet, "/events", "", http.Header{"Host": {"10.0.0.7:80"}}, http.StatusMisdirectedRequest},
		"cross-site":    {http.MethodPost, "/do", action, http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden},
		"other origin":  {http.MethodPost, "/do", action, http.Header{"Content-Type": {"application/json"}, "Origin": {"https://evil.example"}}, http.StatusForbidden},
		"a form":        {http.MethodPost, "/do", "do=press", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, http.StatusUnsupportedMediaType},
		"no action":     {http.MethodPost, "/do", "{", http.Header{"Content-Type": {"application/json"}}, http.StatusBadRequest},
		"no button":     {http.MethodPost, "/do", `{"do":"eat"}`, http.Header{"Content-Type": {"application/json"}}, http.StatusConflict},
		"no such code":  {http.MethodGet, "/code/screen?mark=00", "", nil, http.StatusNotFound},
		"no payment":    {http.MethodGet, "/landing?token=made-up", "", nil, http.StatusNotFound},
		"no machine":    {http.MethodGet, "/m/nowhere", "", nil, http.StatusNotFound},
	} {
		if status, _ := p.read(test.method, test.path, test.body, test.header); status != test.status {
			t.Errorf("%s: status %d, want %d", name, status, test.status)
		}
	}
	_, content := p.read(http.MethodGet, "/", "", nil)
	if loads := regexp.MustCompile(`(?i)(src|href)="https?:|<style|style="|onclick|<script>`).FindString(content); loads != "" {
		t.Errorf("the page has %q in it", loads)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	p, _ := start(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		env, args []string
		says      string
	}{
		"port taken":      {nil, []string{"-addr", strings.TrimPrefix(p.address, "http://")}, "playground: -addr: listen tcp"},
		"every network":   {nil, []string{"-addr", "0.0.0.0:0"}, "playground: -addr: must be of this machine only"},
		"no folder":       {nil, []string{"-db", filepath.Join(file, "below")}, "playground: -db: "},
		"arguments":       {nil, []string{"sell"}, `playground: "sell": there are flags only; see -help`},
		"real money":      {[]string{"VIPPS_ENVIRONMENT=production", "VIPPS_CLIENT_ID=a", "VIPPS_CLIENT_SECRET=b", "VIPPS_SUBSCRIPTION_KEY=c", "VIPPS_MERCHANT_SERIAL_NUMBER=123456"}, nil, "playground: VIPPS_ENVIRONMENT: a playground is not for real money; use test"},
		"one key missing": {[]string{"VIPPS_ENVIRONMENT=test", "VIPPS_CLIENT_ID=a"}, nil, "playground: VIPPS_CLIENT_SECRET: must be set"},
	} {
		program := launch(t, test.env, test.args...)
		code := program.Wait()
		_, said := program.Output()
		if code != 1 || !strings.HasPrefix(said, test.says) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q, want %q", name, code, said, test.says)
		}
	}
}

// The controller ends with its parent, in whatever way that ends.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("looks at /proc")
	}
	for name, how := range map[string]syscall.Signal{"asked to": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		folder := filepath.Join(t.TempDir(), strings.ReplaceAll(name, " ", "-"))
		_, program := start(t, "-db", folder)
		if !controllerOf(t, folder) {
			t.Fatal("there is no controller")
		}
		program.Stop(how)
		program.Wait()
		limit := time.After(10 * time.Second)
		for controllerOf(t, folder) {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-limit:
				t.Fatalf("%s: the controller is still there", name)
			}
		}
	}
}

// controllerOf says whether some process has a database open in a folder.
func controllerOf(t *testing.T, folder string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && strings.HasPrefix(target, filepath.Join(folder, "sessions.db")) {
			return true
		}
	}
	return false
}

func TestNoTemporaryFolderIsLeft(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	program := launch(t, []string{"TMPDIR=" + temporary, "TEMP=" + temporary, "TMP=" + temporary})
	program.Line("open ")
	stop(t, program)
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// What is printed holds no secret.
func TestPrinted(t *testing.T) {
	t.Parallel()
	p, program := start(t)
	p.enter("till")
	p.buy("till")
	p.end("till")
	stdout, stderr := program.Output()
	if leak := regexp.MustCompile(`token|4712345678|eyJ|[A-Za-z0-9+/]{40}`).FindString(stdout + stderr); leak != "" {
		t.Errorf("%q was printed: %s%s", leak, stdout, stderr)
	}
	if !bytes.Contains([]byte(stdout), []byte("open http://127.0.0.1:")) {
		t.Errorf("printed %s", stdout)
	}
}
