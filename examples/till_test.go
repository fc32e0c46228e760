package examples_test

import (
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/process"
)

func TestTill(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "till")
	const agree = "the session and Vipps MobilePay agree"
	sold := []string{
		"hand over: one from the machine", "the sale is over: Sold, captured 39.00 NOK",
		"reserved 39.00 NOK", "captured 39.00 NOK", "released 0.00 NOK", "result Sold",
		"Vipps MobilePay says: AUTHORIZED, 39.00 NOK authorized, 39.00 NOK captured, 0.00 NOK cancelled, 0.00 NOK refunded",
		agree, "receipt: Coffee 39.00 NOK, of which 7.80 NOK is tax",
	}
	unsold := []string{"reserved 0.00 NOK", "captured 0.00 NOK", "released 0.00 NOK", "result NotSold", agree}
	for name, test := range map[string]struct {
		args, input string
		lines       []string
	}{
		"a code":       {"", "", sold},
		"a number":     {"-phone " + phone, "", sold},
		"a scanner":    {"-scan", "https://qr.vipps.no/28/2/01/031/4712345678?v=1\r\n", append(sold, "scan the customer's code")},
		"no line end":  {"-scan", "https://qr.vipps.no/28/2/01/031/4712345678?v=1", sold},
		"by force":     {"-phone " + phone + " -approve " + phone, "", sold},
		"another till": {"-machine kiosk-1", "", sold},
		"a basket": {"-basket", "", []string{
			"hand over: one from the machine", "hand over: one from the basket", "captured 74.00 NOK", agree,
			"receipt: Coffee 39.00 NOK, of which 7.80 NOK is tax", "receipt: Bun 35.00 NOK, of which 7.00 NOK is tax",
		}},
		"aborted": {"-abort", "", append(unsold, "reason aborted")},
		"nobody":  {"-nobody", "", append(unsold, "reason clock")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := process.StartTyping(t, dir, "till", nil, strings.NewReader(test.input), append([]string{"-pace", "50ms"}, strings.Fields(test.args)...)...)
			finish(t, p, 0, test.lines...)
		})
	}
}

// blame is what must not be said of a customer who cannot pay: it may be their age, and they stand there.
var blame = regexp.MustCompile(`(?i)number|wrong|unknown|not found|invalid|\bage\b|young|block`)

func TestTillUnknownCustomer(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "till")
	for name, args := range map[string][]string{
		"a code": {"-unknown-customer"}, "a number": {"-unknown-customer", "-phone", phone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := process.Start(t, dir, "till", nil, args...)
			finish(t, p, 0, "this customer cannot pay with Vipps MobilePay here: ask for another way to pay")
			stdout, stderr := p.Output()
			if said := blame.FindString(stdout + stderr); said != "" {
				t.Errorf("%q is said of the customer:\n%s%s", said, stdout, stderr)
			}
		})
	}
}

func TestTillRefused(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "till", "emulator")
	address, emulator := process.Emulator(t, dir)
	t.Cleanup(func() { checkLeaks(t, emulator) })
	elsewhere := append(keys, "VIPPS_BASE_URL="+address)
	for args, test := range map[string]struct {
		env  []string
		line string
	}{
		"-abort -nobody": {nil, "-abort and -nobody exclude each other"},
		"-abort -approve 4712345678 -unknown-customer": {nil, "-abort and -approve and -unknown-customer exclude each other"},
		"-phone 4712345678 -scan":                      {nil, "-phone and -scan exclude each other"},
		"-pace 0s":                                     {nil, "-pace: must be more than 0"},
		"-scan":                                        {nil, "nothing was scanned"},
		"-phone +4712345678":                           {nil, "vending.OpenTill: invalid request: PhoneNumber: must be 9 to 15 digits, with the country code"},
		"-currency NOK":                                {elsewhere, "-phone or -scan must say who pays: only the emulator in this process has a customer of its own"},
		"-abort":                                       {elsewhere, "-abort plays the emulator's customer; say no on the phone instead"},
		"-unknown-customer":                            {elsewhere, "-unknown-customer needs the emulator in this process"},
		"-approve 4712345678":                          {append(elsewhere, "VIPPS_ENVIRONMENT=production"), "-approve exists in the test environment only"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			finish(t, process.Start(t, dir, "till", test.env, strings.Fields(args)...), 1, "till: "+test.line)
		})
	}
	t.Run("sold", func(t *testing.T) {
		t.Parallel()
		p := process.Start(t, dir, "till", elsewhere, "-phone", phone, "-approve", phone, "-pace", "50ms")
		finish(t, p, 0, "using the server that VIPPS_BASE_URL names", "captured 39.00 NOK", "the session and Vipps MobilePay agree")
	})
}

func TestTillInterrupted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be interrupted one by one on Windows")
	}
	dir := process.Build(t, ".", "till")
	const agree = "the session and Vipps MobilePay agree"
	t.Run("while the customer thinks", func(t *testing.T) {
		t.Parallel()
		p := process.Start(t, dir, "till", nil, "-nobody", "-pace", "1m")
		p.Until("→ Waiting:")
		p.Stop(syscall.SIGINT)
		finish(t, p, 0, "reserved 0.00 NOK", "captured 0.00 NOK", "reason returned", agree)
	})
	t.Run("while it is handed over", func(t *testing.T) { // what the customer has is paid for
		t.Parallel()
		p := process.Start(t, dir, "till", nil, "-pace", "1s")
		p.Line("hand over: ")
		p.Stop(syscall.SIGINT)
		finish(t, p, 0, "captured 39.00 NOK", agree)
	})
}
