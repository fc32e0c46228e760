// Package examples_test runs every example as a process, as a reader would.
package examples_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/process"
)

// phone is a number that must not be printed.
const phone = "4799887766"

// keys are values that must not be printed.
var keys = []string{
	"VIPPS_CLIENT_ID=canary-id", "VIPPS_CLIENT_SECRET=canary-secret", "VIPPS_SUBSCRIPTION_KEY=canary-key",
	"VIPPS_MERCHANT_SERIAL_NUMBER=654321",
}

// leaks are keys, tokens, webhook secrets in both looks, phone numbers and redirect URLs.
var leaks = regexp.MustCompile(`canary-|eyJ|token=|/landing|/qr-image|4799887766|4712345678|vipps\.test|` +
	`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}|[A-Za-z0-9+/]{40}`)

// harmless are names of files and of images, which are hashes of what is in them.
var harmless = regexp.MustCompile(`ready to print in [^\n]+|reference="[0-9a-f]{128}"`)

func checkLeaks(t *testing.T, p *process.Process) {
	t.Helper()
	stdout, stderr := p.Output()
	if leak := leaks.FindString(harmless.ReplaceAllString(stdout+stderr, "")); leak != "" {
		t.Errorf("%q was printed:\n%s%s", leak, stdout, stderr)
	}
}

// finish waits for a process, compares what it printed with what it must say, line by line, and looks for secrets.
func finish(t *testing.T, p *process.Process, code int, lines ...string) {
	t.Helper()
	got := p.Wait()
	stdout, stderr := p.Output()
	if got != code {
		t.Errorf("exit code %d, want %d:\n%s%s", got, code, stdout, stderr)
	}
	for _, line := range lines {
		if !strings.Contains("\n"+stdout+stderr, "\n"+line+"\n") {
			t.Errorf("no line %q in:\n%s%s", line, stdout, stderr)
		}
	}
	checkLeaks(t, p)
}

func TestDynamicQR(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "dynamicqr")
	const agree = "the session and Vipps MobilePay agree"
	for name, test := range map[string]struct {
		args  []string
		code  int
		lines []string
	}{
		"sold": {nil, 0, []string{
			"scan to pay 25.00 NOK", "reserved 25.00 NOK", "captured 25.00 NOK", "released 0.00 NOK", "result Sold",
			"Vipps MobilePay says: AUTHORIZED, 25.00 NOK authorized, 25.00 NOK captured, 0.00 NOK cancelled, 0.00 NOK refunded", agree,
		}},
		"jammed": {[]string{"-jam"}, 0, []string{
			"reserved 25.00 NOK", "captured 0.00 NOK", "released 25.00 NOK", "result NotSold",
			"Vipps MobilePay says: AUTHORIZED, 25.00 NOK authorized, 0.00 NOK captured, 25.00 NOK cancelled, 0.00 NOK refunded", agree,
		}},
		"silent": {[]string{"-silent"}, 0, []string{
			"reserved 25.00 NOK", "captured 0.00 NOK", "released 25.00 NOK",
			"a person is needed: look at the machine's counters: the product may have come out and was not charged", agree,
		}},
		"aborted": {[]string{"-abort"}, 0, []string{
			"reserved 0.00 NOK", "captured 0.00 NOK", "released 0.00 NOK", "result NotSold", "reason aborted", agree,
		}},
		"approved by force": {[]string{"-approve", phone, "-price", "1850", "-machine", "till-7"}, 0, []string{
			"reserved 18.50 NOK", "captured 18.50 NOK", "released 0.00 NOK", agree,
		}},
		"too cheap": {[]string{"-price", "50"}, 1, []string{
			"dynamicqr: vending.OpenDynamicQR: invalid request: Products: must cost at least 1.00 NOK together",
		}},
		"contradiction": {[]string{"-jam", "-silent"}, 1, []string{"dynamicqr: -jam and -silent exclude each other"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := process.Start(t, dir, "dynamicqr", nil, test.args...)
			finish(t, p, test.code, test.lines...)
			if stdout, _ := p.Output(); test.code == 0 && strings.Count(stdout, "\x1b[38;5;16;48;5;231m") < 10 {
				t.Errorf("no code was drawn:\n%s", stdout)
			}
		})
	}
}

func TestDynamicQRInterrupted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be interrupted one by one on Windows")
	}
	dir := process.Build(t, ".", "emulator", "dynamicqr")
	const agree = "the session and Vipps MobilePay agree"
	t.Run("while the customer thinks", func(t *testing.T) {
		t.Parallel()
		address, _ := process.Emulator(t, dir) // nobody approves
		p := process.Start(t, dir, "dynamicqr", []string{"VIPPS_BASE_URL=" + address})
		p.Line("scan to pay")
		p.Stop(syscall.SIGINT)
		finish(t, p, 0, "reserved 0.00 NOK", "captured 0.00 NOK", "released 0.00 NOK", "result NotSold", "reason returned", agree)
	})
	t.Run("while the motor turns", func(t *testing.T) { // too late to withdraw: what drops is paid for
		t.Parallel()
		p := process.Start(t, dir, "dynamicqr", nil)
		p.Until("→ Vending:")
		p.Stop(syscall.SIGINT)
		finish(t, p, 0, "reserved 25.00 NOK", "captured 25.00 NOK", "released 0.00 NOK", agree)
	})
}

// A payment that shows something else than the session believes must not go unnoticed.
func TestDisagreement(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "emulator", "dynamicqr", "staticqr", "till")
	for name, test := range map[string]struct {
		args       []string
		line, says string
	}{
		"dynamicqr": {
			[]string{"-approve", phone},
			"captured 25.00 NOK",
			"Vipps MobilePay says: AUTHORIZED, 25.00 NOK authorized, 24.00 NOK captured, 0.00 NOK cancelled, 0.00 NOK refunded",
		},
		"staticqr": {
			[]string{"-approve", phone, "-pace", "50ms"},
			"captured 25.00 NOK",
			"Vipps MobilePay says: AUTHORIZED, 40.00 NOK authorized, 24.00 NOK captured, 15.00 NOK cancelled, 0.00 NOK refunded",
		},
		"till": {
			[]string{"-approve", phone, "-phone", phone, "-pace", "50ms"},
			"captured 39.00 NOK",
			"Vipps MobilePay says: AUTHORIZED, 39.00 NOK authorized, 24.00 NOK captured, 0.00 NOK cancelled, 0.00 NOK refunded",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := process.Emulator(t, dir)
			p := process.Start(t, dir, name, append(keys, "VIPPS_BASE_URL="+liar(t, address)), test.args...)
			finish(t, p, 1, test.line, test.says)
			if _, stderr := p.Output(); !strings.Contains(stderr, "disagree") {
				t.Errorf("nothing is said: %s", stderr)
			}
		})
	}
}

// liar is an emulator that, once something was captured, says that it was 24.00.
func liar(t *testing.T, address string) string {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var captured atomic.Bool
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(r *http.Response) error {
			if strings.HasSuffix(r.Request.URL.Path, "/capture") {
				captured.Store(true)
			}
			if r.Request.Method != http.MethodGet || !captured.Load() {
				return nil
			}
			body, err := io.ReadAll(r.Body)
			body = regexp.MustCompile(`("capturedAmount":\{[^}]*"value":)\d+`).ReplaceAll(body, []byte("${1}2400"))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return err
		},
	})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

var (
	decision = regexp.MustCompile(`name="payment" value="([^"]+)"`)
	outside  = regexp.MustCompile(`(?i)<script|https?://|url\(|@import`)
)

// page reads the phone's page.
func page(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/phone", nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer(t, request, http.StatusOK)
}

func answer(t *testing.T, request *http.Request, status int) string {
	t.Helper()
	response, err := new(http.Client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		t.Fatalf("%s %s: %s, want %d; %v\n%s", request.Method, request.URL.Path, response.Status, status, err, body)
	}
	return string(body)
}

// press sends a form of the phone's page.
func press(t *testing.T, address, payment, do, site string, status int) string {
	t.Helper()
	form := url.Values{"payment": {payment}, "do": {do}}.Encode()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/phone", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", site)
	return answer(t, request, status)
}

func TestEmulatorPhone(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "emulator", "dynamicqr")
	for do, lines := range map[string][]string{
		"approve": {"reserved 25.00 NOK", "captured 25.00 NOK", "released 0.00 NOK", "result Sold"},
		"abort":   {"reserved 0.00 NOK", "captured 0.00 NOK", "released 0.00 NOK", "result NotSold", "reason aborted"},
	} {
		t.Run(do, func(t *testing.T) {
			t.Parallel()
			address, emulator := process.Emulator(t, dir)
			if empty := page(t, address); !strings.Contains(empty, "No payments yet") {
				t.Errorf("the page of an empty emulator says:\n%s", empty)
			}
			p := process.Start(t, dir, "dynamicqr", append(keys, "VIPPS_BASE_URL="+address))
			p.Line("scan to pay")
			waiting := page(t, address)
			found := decision.FindStringSubmatch(waiting)
			if found == nil || !strings.Contains(waiting, "Cola") || !strings.Contains(waiting, "25.00 NOK") || !strings.Contains(waiting, "CREATED") {
				t.Fatalf("no payment on the page:\n%s", waiting)
			}
			if loads := outside.FindString(waiting); loads != "" {
				t.Errorf("the page has %q in it", loads)
			}
			press(t, address, found[1], do, "cross-site", http.StatusForbidden)
			press(t, address, found[1], "<eat>", "same-origin", http.StatusConflict)
			press(t, address, found[1], do, "same-origin", http.StatusOK) // after the redirect
			finish(t, p, 0, append(lines, "the session and Vipps MobilePay agree")...)
			again := press(t, address, found[1], do, "same-origin", http.StatusConflict)
			if !strings.Contains(again, `role="alert"`) || decision.MatchString(again) {
				t.Errorf("the page after a second press:\n%s", again)
			}
			checkLeaks(t, emulator)
		})
	}
}

func TestEmulator(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be asked to end on Windows")
	}
	dir := process.Build(t, ".", "emulator")
	address, emulator := process.Emulator(t, dir)
	if !regexp.MustCompile(`^http://127\.0\.0\.1:[1-9][0-9]*$`).MatchString(address) {
		t.Errorf("listening on %q", address)
	}
	taken := process.Start(t, dir, "emulator", nil, "-addr", strings.TrimPrefix(address, "http://"))
	if code := taken.Wait(); code != 1 {
		t.Errorf("exit code %d for a port that is taken", code)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/accesstoken/get", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "http://evil.example") // a page in a browser of this machine
	answer(t, request, http.StatusForbidden)
	emulator.Stop(syscall.SIGTERM)
	finish(t, emulator, 0)
	if stdout, _ := emulator.Output(); stdout != "listening on "+address+"\n" {
		t.Errorf("printed %q", stdout)
	}
}

func TestAPITour(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "emulator", "apitour")
	endpoints := []string{
		"POST   /accesstoken/get", "POST   /webhooks/v1/webhooks", "GET    /webhooks/v1/webhooks", "DELETE /webhooks/v1/webhooks/{id}",
		"POST   /epayment/v1/payments", "GET    /epayment/v1/payments/{id}", "GET    /epayment/v1/payments/{id}/events",
		"POST   /epayment/v1/test/payments/{id}/approve", "POST   /epayment/v1/payments/{id}/capture",
		"POST   /epayment/v1/payments/{id}/cancel", "POST   /epayment/v1/payments/{id}/refund",
		"POST   /qr/v1/merchant-redirect", "GET    /qr/v1/merchant-redirect/{id}", "GET    /qr/v1/merchant-redirect",
		"PUT    /qr/v1/merchant-redirect/{id}", "DELETE /qr/v1/merchant-redirect/{id}",
		"PUT    /qr/v1/merchant-callback/{id}", "GET    /qr/v1/merchant-callback/{id}", "GET    /qr/v1/merchant-callback",
		"DELETE /qr/v1/merchant-callback/{id}", "PUT    /qr/v1/merchant-callback/mobilepay/{id}",
		"POST   /qr/v1", "POST   /qr/v1/exchange",
		"POST   /order-management/v2/ecom/receipts/{id}", "PUT    /order-management/v2/ecom/categories/{id}",
		"GET    /order-management/v2/ecom/{id}", "POST   /order-management/v1/images",
		"POST   /order-management/v3/categories", "GET    /order-management/v3/categories",
		"GET    /order-management/v3/categories/{id}", "DELETE /order-management/v3/categories/{id}",
	}
	address, emulator := process.Emulator(t, dir)
	t.Cleanup(func() { checkLeaks(t, emulator) })
	for name, test := range map[string]struct {
		env, args []string
		lines     []string
	}{
		"in process": {lines: []string{
			"all 36 calls were answered as they should be",
			"ok    POST   /qr/v1/exchange/customer                  200  the customer's phone number",
		}},
		"on a port": {append(keys, "VIPPS_BASE_URL="+address), []string{"-phone", phone}, []string{
			"all 35 calls were answered as they should be",
			"skip  exchange of a customer token: nobody scans codes here; run the tour without VIPPS_BASE_URL",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := process.Start(t, dir, "apitour", test.env, test.args...)
			finish(t, p, 0, test.lines...)
			stdout, _ := p.Output()
			for _, endpoint := range endpoints {
				if !strings.Contains(stdout, "\nok    "+endpoint+" ") {
					t.Errorf("no line about %s in:\n%s", endpoint, stdout)
				}
			}
			if !strings.Contains(stdout, "CREATED, AUTHORIZED, CAPTURED, CANCELLED, REFUNDED") {
				t.Errorf("not the whole history:\n%s", stdout)
			}
		})
	}
	t.Run("production", func(t *testing.T) {
		t.Parallel()
		p := process.Start(t, dir, "apitour", append(keys, "VIPPS_BASE_URL="+address, "VIPPS_ENVIRONMENT=production"), "-phone", phone)
		finish(t, p, 0, "all 18 calls were answered as they should be",
			"skip  webhooks: in production, give an address of your own with -webhook",
			"skip  MobilePay beacons: give the id of one of your own with -beacon; it cannot be given up again",
			"skip  the phone numbers of customers: they need a person who shows or scans a code with the app",
			"skip  Order Management: receipts and images cannot be taken back; add some with -orders")
	})
}

// Wrong keys are refused by the token endpoint, and that is said in a line.
func TestAPITourRefused(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "apitour")
	refuse := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`)
	}))
	defer refuse.Close()
	p := process.Start(t, dir, "apitour", append(keys, "VIPPS_BASE_URL="+refuse.URL))
	finish(t, p, 1, "apitour: there is no token: compare keys, environment and serial number with the business portal")
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	programs := []string{"dynamicqr", "staticqr", "till", "ops", "apitour", "stickers"}
	dir := process.Build(t, ".", programs...)
	for name, test := range map[string]struct {
		env  []string
		line string
	}{
		"keys alone": {keys, "VIPPS_ENVIRONMENT: must be test or production, or leave all VIPPS_ variables out to use an emulator"},
		"no such environment": {
			append(keys, "VIPPS_ENVIRONMENT=staging"),
			"VIPPS_ENVIRONMENT: must be test or production, or leave all VIPPS_ variables out to use an emulator",
		},
		"one key missing": {
			[]string{"VIPPS_ENVIRONMENT=test", keys[0], keys[1], keys[3]},
			"VIPPS_SUBSCRIPTION_KEY: must be set, without blanks or line ends",
		},
		"wrong number": {
			[]string{"VIPPS_ENVIRONMENT=test", keys[0], keys[1], keys[2], "VIPPS_MERCHANT_SERIAL_NUMBER=12"},
			"VIPPS_MERCHANT_SERIAL_NUMBER: must be 4 to 10 digits",
		},
		"plain http": {[]string{"VIPPS_BASE_URL=http://10.1.2.3"}, "VIPPS_BASE_URL: must be an https address, or http on loopback, without a query"},
	} {
		for _, program := range programs {
			t.Run(program+" "+name, func(t *testing.T) {
				t.Parallel()
				finish(t, process.Start(t, dir, program, test.env), 1, program+": "+test.line)
			})
		}
	}
}

// TestHelp has every program say what it does, and how it is started from where the README starts it.
func TestHelp(t *testing.T) {
	t.Parallel()
	says := map[string][]string{
		"apitour": {"endpoint"}, "dynamicqr": {"screen", "-machine string", "1 to 25 of a-z, 0-9 and hyphens"}, "emulator": {"/phone"}, "landing": {"stickers of three machines"}, "loadtest": {"a second"},
		"ops": {"resolve <vend-id> dropped", "-- list"}, "playground": {"every fault", "-db string"}, "soak": {"killed"}, "staticqr": {"sticker"}, "stickers": {"oslo-12,Hall B", "[file]"}, "till": {"serves"},
	}
	dir := process.Build(t, ".", slices.Collect(maps.Keys(says))...)
	for name, words := range says {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := process.Start(t, dir, name, nil, "-h")
			code := p.Wait()
			stdout, stderr := p.Output()
			help := stdout + stderr
			for _, word := range append(words, "\n\tgo run ./examples/"+name+" [flags]") {
				if !strings.Contains(help, word) {
					t.Errorf("no %q", word)
				}
			}
			if code != 0 || strings.Contains(help, dir) {
				t.Errorf("exit code %d, %s", code, help)
			}
		})
	}
}
