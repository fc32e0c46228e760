package examples_test

import (
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/process"
)

func TestStaticQR(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "staticqr")
	const agree = "the session and Vipps MobilePay agree"
	sold := []string{
		"reserved 40.00 NOK", "captured 25.00 NOK", "released 15.00 NOK", "result Sold",
		"Vipps MobilePay says: AUTHORIZED, 40.00 NOK authorized, 25.00 NOK captured, 15.00 NOK cancelled, 0.00 NOK refunded",
		agree, "receipt: Cola 25.00 NOK, of which 3.26 NOK is tax",
	}
	nothing := []string{"reserved 40.00 NOK", "captured 0.00 NOK", "released 40.00 NOK", "result NotSold", agree}
	for name, test := range map[string]struct {
		args  string
		lines []string
	}{
		"sold": {"", append(sold, "scanned: the phone opens https://shop.example/m/oslo12",
			"the app asks for 40.00 NOK, at most, and only reserved", "the customer chooses A1")},
		"checked in": {"-checkin", append(sold, "scanned: the app says Oslo S, platform 3", "the customer chooses A1")},
		"chosen first": {"-choose-first", []string{
			"chosen on the machine: Cola", "the app asks for 25.00 NOK, for the exact price",
			"reserved 25.00 NOK", "captured 25.00 NOK", "released 0.00 NOK", agree, "receipt: Cola 25.00 NOK, of which 3.26 NOK is tax",
		}},
		"chosen first, checked in": {"-choose-first -checkin", []string{"reserved 25.00 NOK", "captured 25.00 NOK", "released 0.00 NOK", agree}},
		"two": {"-items 2", []string{
			"the app asks for 120.00 NOK, at most, and only reserved", "the customer wants nothing more",
			"reserved 120.00 NOK", "captured 57.00 NOK", "released 63.00 NOK", "result Sold", agree,
			"receipt: Cola 25.00 NOK, of which 3.26 NOK is tax", "receipt: Chips 32.00 NOK, of which 4.17 NOK is tax",
		}},
		"two, the first jammed": {"-items 2 -jam -checkin", []string{
			"reserved 120.00 NOK", "captured 32.00 NOK", "released 88.00 NOK", "result PartlySold", agree,
			"receipt: Chips 32.00 NOK, of which 4.17 NOK is tax",
		}},
		"jammed":               {"-jam", append(nothing, "the customer wants nothing more")},
		"jammed, chosen first": {"-jam -choose-first", []string{"captured 0.00 NOK", "released 25.00 NOK", "result NotSold", agree}},
		"silent": {"-silent", append(nothing,
			"a person is needed: look at the machine's counters: the product may have come out and was not charged")},
		"nothing chosen":       {"-nothing", append(nothing, "the customer walks away", "reason clock")},
		"aborted":              {"-abort", []string{"reserved 0.00 NOK", "captured 0.00 NOK", "released 0.00 NOK", "reason aborted", agree}},
		"aborted after a scan": {"-abort -checkin", []string{"reserved 0.00 NOK", "captured 0.00 NOK", "reason aborted", agree}},
		"above": {"-above", []string{
			"the app asks for 32.00 NOK, at most, and only reserved",
			"the customer chooses C3", "the machine says: more than is reserved", "the customer chooses A1",
			"reserved 32.00 NOK", "captured 25.00 NOK", "released 7.00 NOK", agree,
		}},
		"age limit": {"-age", append(sold, "the customer chooses D4", "the machine says: needs an age check", "the customer chooses A1")},
		"all or nothing": {"-in-full", []string{
			"reserved 40.00 NOK", "captured 0.00 NOK", "released 40.00 NOK", "lost 25.00 NOK", "result Uncollected",
			"a person is needed: count a loss, or ask the customer to pay: the product came out and was not collected", agree,
			"the next customer: machine oslo12: vending: this sales unit cannot capture a part of what it reserves",
		}},
		"all, and a refund": {"-in-full -refund", []string{
			"reserved 40.00 NOK", "captured 40.00 NOK", "released 0.00 NOK", "refunded 15.00 NOK", "result Sold",
			"Vipps MobilePay says: AUTHORIZED, 40.00 NOK authorized, 40.00 NOK captured, 0.00 NOK cancelled, 15.00 NOK refunded",
			agree, "receipt: Cola 25.00 NOK, of which 3.26 NOK is tax",
		}},
		"approved by force": {"-approve " + phone + " -machine m-7", sold},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := process.Start(t, dir, "staticqr", nil, append([]string{"-pace", "50ms"}, strings.Fields(test.args)...)...)
			finish(t, p, 0, test.lines...)
			stdout, _ := p.Output()
			if strings.Count(stdout, "\x1b[38;5;16;48;5;231m") < 10 {
				t.Errorf("no code was drawn:\n%s", stdout)
			}
			if strings.Contains(test.args, "-in-full") != strings.Contains(stdout, "\nnotice, partial capture: epayment.Capture ") {
				t.Errorf("a part was refused, or it was not, and the notice is of the other kind:\n%s", stdout)
			}
		})
	}
}

func TestStaticQRRefused(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "staticqr", "emulator")
	address, _ := process.Emulator(t, dir)
	elsewhere := append(keys, "VIPPS_BASE_URL="+address)
	for args, test := range map[string]struct {
		env  []string
		line string
	}{
		"-jam -silent":                {nil, "-jam and -silent exclude each other"},
		"-nothing -above -age":        {nil, "-nothing and -above and -age exclude each other"},
		"-in-full -abort":             {nil, "-abort and -in-full exclude each other"},
		"-approve 4712345678 -abort":  {nil, "-approve and -abort exclude each other"},
		"-choose-first -items 2":      {nil, "-choose-first and -items exclude each other"},
		"-choose-first -nothing":      {nil, "-choose-first and -nothing exclude each other"},
		"-choose-first -in-full":      {nil, "-choose-first and -in-full exclude each other"},
		"-items 2 -above":             {nil, "-items and -above exclude each other"},
		"-items 0":                    {nil, "-items: must be 1 to 10"},
		"-pace 0s":                    {nil, "-pace: must be more than 0"},
		"-refund":                     {nil, "-refund is for -in-full only"},
		"-currency SEK":               {nil, "vending.NewOperator: invalid request: Currency: must be NOK, DKK or EUR"},
		"-abort":                      {elsewhere, "-abort plays the emulator's customer; say no on the phone instead"},
		"-checkin":                    {elsewhere, "-checkin needs the emulator in this process: a webhook of Vipps MobilePay does not reach this program"},
		"-in-full":                    {elsewhere, "-in-full needs the emulator in this process: it makes a sales unit of that kind"},
		"-pace 1s -approve 479988776": {append(elsewhere, "VIPPS_ENVIRONMENT=production"), "-approve exists in the test environment only"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			finish(t, process.Start(t, dir, "staticqr", test.env, strings.Fields(args)...), 1, "staticqr: "+test.line)
		})
	}
}

// With a server elsewhere the program is the page behind the sticker.
func TestStaticQRElsewhere(t *testing.T) {
	t.Parallel()
	dir := process.Build(t, ".", "staticqr", "emulator")
	address, emulator := process.Emulator(t, dir)
	p := process.Start(t, dir, "staticqr", append(keys, "VIPPS_BASE_URL="+address), "-approve", phone, "-pace", "50ms")
	finish(t, p, 0, "using the server that VIPPS_BASE_URL names", "scan to pay 40.00 NOK, at most, and only reserved:",
		"captured 25.00 NOK", "released 15.00 NOK", "the session and Vipps MobilePay agree", "receipt: Cola 25.00 NOK, of which 3.26 NOK is tax")
	checkLeaks(t, emulator)
}

func TestStaticQRInterrupted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be interrupted one by one on Windows")
	}
	dir := process.Build(t, ".", "emulator", "staticqr")
	const agree, pressed = "the session and Vipps MobilePay agree", "the return button is pressed"
	t.Run("while the customer thinks", func(t *testing.T) {
		t.Parallel()
		address, _ := process.Emulator(t, dir) // nobody approves
		p := process.Start(t, dir, "staticqr", []string{"VIPPS_BASE_URL=" + address})
		p.Line("scan to pay")
		p.Stop(syscall.SIGINT)
		finish(t, p, 0, pressed, "reserved 0.00 NOK", "captured 0.00 NOK", "released 0.00 NOK", "reason returned", agree)
	})
	t.Run("while the customer chooses", func(t *testing.T) {
		t.Parallel()
		p := process.Start(t, dir, "staticqr", nil, "-nothing", "-checkin")
		p.Until("→ Choosing:")
		p.Stop(syscall.SIGINT)
		finish(t, p, 0, pressed, "reserved 40.00 NOK", "captured 0.00 NOK", "released 40.00 NOK", "reason returned", agree)
	})
	t.Run("while the motor turns", func(t *testing.T) { // too late: what drops is paid for
		t.Parallel()
		p := process.Start(t, dir, "staticqr", nil, "-choose-first", "-checkin", "-pace", "1s")
		p.Until("→ Vending:")
		p.Stop(syscall.SIGINT)
		finish(t, p, 0, "reserved 25.00 NOK", "captured 25.00 NOK", "released 0.00 NOK", agree)
	})
}
