package vippstest_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// What has been done to a payment of 2500, and what each operation then answers: a code, or "200".
func TestStates(t *testing.T) {
	t.Parallel()
	const ref = "reference-1"
	approve := func(m *merchant) { must(m.t, m.server.Approve(ref)) }
	capture := func(v int64) func(*merchant) {
		return func(m *merchant) { must(m.t, m.server.PortalCapture(ref, v)) }
	}
	cancel := func(m *merchant) { must(m.t, m.server.PortalCancel(ref)) }
	refund := func(v int64) func(*merchant) {
		return func(m *merchant) { must(m.t, m.server.PortalRefund(ref, v)) }
	}
	wait := func(d time.Duration) func(*merchant) {
		return func(m *merchant) { m.server.Advance(d); m.login() }
	}
	const day = 24 * time.Hour
	switches := func(s vippstest.Switches) vippstest.Options { return vippstest.Options{Switches: s} }
	type done = []func(*merchant)
	for name, test := range map[string]struct {
		options                      vippstest.Options
		done                         done
		capture                      string // of 1500
		refund                       string // of 500
		cancel, cancelOnly           string
		atRest                       bool
		state                        string
		authorized, captured, voided int64 // before the operation
	}{
		"created": {
			capture: "6080", refund: "6020", cancel: "200", cancelOnly: "200", state: "CREATED",
		},
		"in 3-D Secure": {
			done:    done{func(m *merchant) { must(m.t, m.server.BeginApproval(ref)) }},
			capture: "6080", refund: "6020", cancel: "6250", cancelOnly: "6250", state: "CREATED",
		},
		"authorized": {
			done:    done{approve},
			capture: "200", refund: "6210", cancel: "200", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500,
		},
		"partly captured": {
			done:    done{approve, capture(1001)},
			capture: "6090", refund: "200", cancel: "200", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500, captured: 1001,
		},
		"captured": {
			done:    done{approve, capture(2500)},
			capture: "6170", refund: "200", cancel: "6040", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500, captured: 2500, atRest: true,
		},
		"partly refunded": {
			done:    done{approve, capture(2500), refund(2001)},
			capture: "6170", refund: "6150", cancel: "6040", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500, captured: 2500, atRest: true,
		},
		"refunded": {
			done:    done{approve, capture(2500), refund(2500)},
			capture: "6170", refund: "6180", cancel: "6040", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500, captured: 2500, atRest: true,
		},
		"cancelled": {
			done:    done{approve, cancel},
			capture: "6070", refund: "6210", cancel: "6050", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500, voided: 2500, atRest: true,
		},
		"captured and the rest cancelled": {
			done:    done{approve, capture(1000), cancel},
			capture: "6070", refund: "200", cancel: "6050", cancelOnly: "6060", state: "AUTHORIZED",
			authorized: 2500, captured: 1000, voided: 1500, atRest: true,
		},
		"terminated": {
			done:    done{cancel},
			capture: "6200", refund: "6210", cancel: "6050", cancelOnly: "6050", state: "TERMINATED", voided: 2500, atRest: true,
		},
		"aborted": {
			done:    done{func(m *merchant) { must(m.t, m.server.Abort(ref)) }},
			capture: "6200", refund: "6210", cancel: "6050", cancelOnly: "6050", state: "ABORTED", atRest: true,
		},
		"expired": {
			done:    done{wait(10 * time.Minute)},
			capture: "6200", refund: "6210", cancel: "6050", cancelOnly: "6050", state: "EXPIRED", atRest: true,
		},
		"expired in 3-D Secure": {
			done:    done{func(m *merchant) { must(m.t, m.server.BeginApproval(ref)) }, wait(10 * time.Minute)},
			capture: "6200", refund: "6210", cancel: "6050", cancelOnly: "6050", state: "EXPIRED", atRest: true,
		},
		"not captured in time": {
			done:    done{approve, wait(180 * day)},
			capture: "6100", refund: "6210", cancel: "6030", cancelOnly: "6060", state: "AUTHORIZED",
			authorized: 2500, voided: 2500, atRest: true,
		},
		"refunded late": {
			done:    done{approve, capture(2500), wait(366 * day)},
			capture: "6170", refund: "6220", cancel: "6040", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500, captured: 2500, atRest: true,
		},
		"no partial capture": {
			options: vippstest.Options{NoPartialCapture: true}, done: done{approve},
			capture: "6140", refund: "6210", cancel: "200", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500,
		},
		"rest released at once": {
			options: switches(vippstest.Switches{RemainderReleased: vippstest.RemainderReleasedAtOnce}),
			done:    done{approve, capture(1000)},
			capture: "6070", refund: "200", cancel: "6050", cancelOnly: "6060", state: "AUTHORIZED",
			authorized: 2500, captured: 1000, voided: 1500, atRest: true,
		},
		"rest not released yet": {
			options: switches(vippstest.Switches{RemainderReleased: vippstest.RemainderReleasedAfterASecond}),
			done:    done{approve, capture(1000), wait(time.Second / 2)},
			capture: "200", refund: "200", cancel: "200", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500, captured: 1000,
		},
		"rest released after a second": {
			options: switches(vippstest.Switches{RemainderReleased: vippstest.RemainderReleasedAfterASecond}),
			done:    done{approve, capture(1000), wait(time.Second)},
			capture: "6070", refund: "200", cancel: "6050", cancelOnly: "6060", state: "AUTHORIZED",
			authorized: 2500, captured: 1000, voided: 1500, atRest: true,
		},
		"terminated cancels nothing": {
			options: switches(vippstest.Switches{TerminatedCancelsNothing: true}), done: done{cancel},
			capture: "6200", refund: "6210", cancel: "6050", cancelOnly: "6050", state: "TERMINATED", atRest: true,
		},
		"repeated cancel 6190": {
			options: switches(vippstest.Switches{RepeatedCancel: vippstest.RepeatedCancel6190}), done: done{approve, cancel},
			capture: "6070", refund: "6210", cancel: "6190", cancelOnly: "6060", state: "AUTHORIZED", authorized: 2500, voided: 2500, atRest: true,
		},
		"repeated cancel OK": {
			options: switches(vippstest.Switches{RepeatedCancel: vippstest.RepeatedCancelOK}), done: done{cancel},
			capture: "6200", refund: "6210", cancel: "200", cancelOnly: "200", state: "TERMINATED", voided: 2500, atRest: true,
		},
	} {
		for op, want := range map[string]string{
			"capture": test.capture, "refund": test.refund, "cancel": test.cancel, "cancel only": test.cancelOnly,
		} {
			t.Run(name+"/"+op, func(t *testing.T) {
				t.Parallel()
				m := newMerchant(t, test.options)
				m.mustCreate(ref, nil)
				for _, do := range test.done {
					do(m)
				}
				p, _ := m.server.Payment(ref)
				if p.State != test.state || p.Authorized != test.authorized || p.Captured != test.captured ||
					p.Cancelled != test.voided || p.AtRest() != test.atRest {
					t.Errorf("before: %+v, at rest %v", p, p.AtRest())
				}
				var a result
				switch op {
				case "capture":
					a = m.capture(ref, 1500)
				case "refund":
					a = m.refund(ref, 500)
				default:
					a = m.cancel(ref, op == "cancel only")
				}
				got := a.code()
				if a.status == 200 {
					got = "200"
				}
				if got != want || got != "200" && a.status != 400 {
					t.Errorf("%d %s, want %s", a.status, a.raw, want)
				}
			})
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDanishCaptureDeadline(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Market: "DK"})
	m.mustCreate("reference-1", fields{"amount": fields{"currency": "DKK", "value": 2500}})
	must(t, m.server.Approve("reference-1"))
	m.server.Advance(14*24*time.Hour - time.Minute)
	if p, _ := m.server.Payment("reference-1"); p.AtRest() {
		t.Error("released before the deadline")
	}
	m.server.Advance(time.Minute)
	if p, _ := m.server.Payment("reference-1"); !p.AtRest() || p.Cancelled != 2500 {
		t.Errorf("%+v", p)
	}
}

func TestModificationAnswer(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustReserve("reference-1")
	a := m.capture("reference-1", 1000)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q: even a success is announced as a problem", got)
	}
	nok := func(v float64) fields { return fields{"currency": "NOK", "value": v} }
	want := fields{
		"amount": nok(2500), "state": "AUTHORIZED", "reference": "reference-1",
		"pspReference": m.get("reference-1").text("pspReference"),
		"aggregate": fields{
			"authorizedAmount": nok(2500), "capturedAmount": nok(1000), "cancelledAmount": nok(0), "refundedAmount": nok(0),
		},
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestModificationValidation(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{NoRateLimits: true})
	m.mustReserve("reference-1")
	for body, want := range map[string]string{
		`{}`:     "modificationAmount",
		`[]`:     "body",
		``:       "body",
		`{"a":1`: "body",
		`{"modificationAmount":{"currency":"NOK","value":0}}`:       "4040",
		`{"modificationAmount":{"currency":"NOK","value":-1}}`:      "4040",
		`{"modificationAmount":{"currency":"NOK","value":1.5}}`:     "4040",
		`{"modificationAmount":{"currency":"DKK","value":1}}`:       "5040",
		`{"modificationAmount":{"currency":"NOK","value":1},"x":1}`: "x",
		`{"modificationAmount":null}`:                               "modificationAmount",
	} {
		for _, op := range []string{"capture", "refund"} {
			a := m.send(request{
				method: "POST", path: "/epayment/v1/payments/reference-1/" + op, key: m.newKey(), body: body,
				header: map[string]string{"Content-Type": "application/json"},
			})
			got := a.code()
			if names := a.names(); got == "" && len(names) > 0 {
				got = names[0]
			}
			if a.status != 400 || got != want {
				t.Errorf("%s %s: %d %s, want %s", op, body, a.status, a.raw, want)
			}
		}
	}
	for body, want := range map[string]int{`{"cancelTransactionOnly":"yes"}`: 400, `[]`: 400, `{"x":1}`: 400, ``: 200} {
		reference := m.newKey() + "-1234"
		m.mustReserve(reference)
		a := m.send(request{
			method: "POST", path: "/epayment/v1/payments/" + reference + "/cancel", body: body,
			header: map[string]string{"Content-Type": "application/json"},
		})
		if a.status != want {
			t.Errorf("cancel %s: %d %s", body, a.status, a.raw)
		}
	}
}

func TestUnknownPayment(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Merchants: []string{"654321"}})
	m.mustReserve("reference-1")
	other := map[string]string{"Merchant-Serial-Number": "654321"}
	for _, a := range []result{
		m.get("reference-2"), m.capture("reference-2", 1), m.refund("reference-2", 1), m.cancel("reference-2", false),
		m.send(request{method: "GET", path: "/epayment/v1/payments/reference-2/events"}),
		m.send(request{method: "GET", path: "/epayment/v1/payments/reference-1", header: other}),
		m.get("Reference-1"), // references are case-sensitive
	} {
		if a.status != 404 || a.code() != "5090" {
			t.Errorf("%d %s", a.status, a.raw)
		}
	}
}

func TestTestAmounts(t *testing.T) {
	t.Parallel()
	for _, value := range []int64{151, 182, 183, 184, 186, 187, 197, 201, 202} {
		m := newMerchant(t, vippstest.Options{})
		m.mustCreate("reference-1", fields{"amount": fields{"currency": "NOK", "value": value}})
		if err := m.server.Approve("reference-1"); err == nil {
			t.Errorf("%d was approved", value)
		}
		if a := m.get("reference-1"); a.text("state") != "CREATED" {
			t.Errorf("%d: %s", value, a.raw)
		}
		events := m.events("reference-1")
		if last := events[len(events)-1]; last["name"] != "AUTHORIZED" || last["success"] != false {
			t.Errorf("%d: %v", value, last)
		}
		want := map[bool]string{true: "6250", false: ""}[value == 201] // the only one without a result
		if a := m.cancel("reference-1", true); a.code() != want {
			t.Errorf("%d: %s", value, a.raw)
		}
		production := newMerchant(t, vippstest.Options{Production: true})
		production.mustCreate("reference-1", fields{"amount": fields{"currency": "NOK", "value": value}})
		must(t, production.server.Approve("reference-1"))
	}
	m := newMerchant(t, vippstest.Options{})
	m.mustReserve("reference-1")
	m.capture("reference-1", 2500)
	if a := m.refund("reference-1", 123); a.code() != "5100" {
		t.Errorf("%s", a.raw)
	}
	if a := m.refund("reference-1", 124); a.code() != "6220" {
		t.Errorf("%s", a.raw)
	}
	if a := m.refund("reference-1", 125); a.status != 200 {
		t.Errorf("%s", a.raw)
	}
}

// events is the event log.
func (m *merchant) events(reference string) []fields {
	m.t.Helper()
	a := m.send(request{method: "GET", path: "/epayment/v1/payments/" + reference + "/events"})
	var list []fields
	if err := json.Unmarshal(a.raw, &list); err != nil || a.status != http.StatusOK {
		m.t.Fatalf("events: %d %s: %v", a.status, a.raw, err)
	}
	return list
}

func TestEventLog(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.send(request{method: "POST", path: "/epayment/v1/payments", key: "create-key", body: order("reference-1", nil)})
	must(t, m.server.Approve("reference-1"))
	m.modify("capture", "reference-1", "capture-key", 1000)
	must(t, m.server.PortalCapture("reference-1", 500))
	m.modify("refund", "reference-1", "refund-key", 300)
	m.cancel("reference-1", false)
	type entry struct {
		name  string
		value int64
		key   any
	}
	want := []entry{
		{"CREATED", 2500, "create-key"},
		{"AUTHORIZED", 2500, "create-key"},
		{"CAPTURED", 1000, "capture-key"},
		{"CAPTURED", 500, nil},
		{"REFUNDED", 300, "refund-key"},
		{"CANCELLED", 1000, nil},
	}
	var got []entry
	seen := map[any]bool{}
	for _, e := range m.events("reference-1") {
		r := result{body: e}
		got = append(got, entry{r.text("name"), r.number("amount", "value"), e["idempotencyKey"]})
		if seen[e["pspReference"]] {
			t.Errorf("pspReference %v comes twice", e["pspReference"])
		}
		seen[e["pspReference"]] = true
		if _, err := time.Parse(time.RFC3339Nano, r.text("timestamp")); err != nil || e["success"] != true {
			t.Errorf("%v: %v", e, err)
		}
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(entry{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !seen[m.get("reference-1").text("pspReference")] {
		t.Error("the payment's pspReference is not that of its creation")
	}
}
