package vippstest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// An inbox is a webhook handler that keeps what it gets.
type inbox struct {
	mu     sync.Mutex
	got    []received
	answer func(received) int // nil is 200
}

type received struct {
	result
	host, uri, method string
	when              time.Time
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	d := received{
		result: result{header: r.Header, raw: raw}, host: r.Host, uri: r.RequestURI, method: r.Method, when: time.Now(),
	}
	_ = json.Unmarshal(raw, &d.body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, d)
	if b.answer != nil {
		w.WriteHeader(b.answer(d))
	}
}

func (b *inbox) all() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]received(nil), b.got...)
}

func (m *merchant) receive(url string) *inbox {
	b := &inbox{}
	m.server.HandleWebhooks(url, b)
	return b
}

// signature is what the documentation says a delivery carries.
func signature(secret, host, pathAndQuery, date string, body []byte) string {
	sum := sha256.Sum256(body)
	hash := base64.StdEncoding.EncodeToString(sum[:])
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "POST\n%s\n%s;%s;%s", pathAndQuery, date, host, hash)
	return "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" +
		base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (d received) verify(secret string) error {
	sum := sha256.Sum256(d.raw)
	if hash := base64.StdEncoding.EncodeToString(sum[:]); hash != d.header.Get("X-Ms-Content-Sha256") {
		return fmt.Errorf("the hash is %s", hash)
	}
	want := signature(secret, d.host, d.uri, d.header.Get("X-Ms-Date"), d.raw)
	for _, name := range []string{"Authorization", "X-Vipps-Authorization"} {
		if got := d.header.Get(name); got != want {
			return fmt.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	return nil
}

// The published vector keeps the algorithm above honest.
func TestSignatureVector(t *testing.T) {
	t.Parallel()
	got := signature("A0+AeKBRG2KRGvnNwJpQlb6IJFk48CKXCIcrLoHncVJKDILsQSxS6NWCccwWm6r6FhGKhiHTBsG2wo/xU6FY/A==",
		"webhook.site", "/e2cee29b-012e-4f1d-8ef4-e95fd74a7a63", "Thu, 30 Mar 2023 08:38:32 GMT",
		[]byte(`{"some-unique-content":"ee6e441b-cc4a-46f8-895d-a5af79bcc233/hello-world"}`))
	if !strings.HasSuffix(got, "&Signature=agAiSyogQbDHpeucoNwYz+yAr5nJ+v+zasdkSbqzv+U=") {
		t.Error(got)
	}
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	const url = "https://shop.example:8443/hooks/vipps?env=test&x=%C3%B8"
	for range 2 { // one with either kind of secret
		id, secret := m.mustRegister(url, createdEvent)
		box := m.receive(url)
		reference := "reference-" + id[:4]
		m.send(request{method: "POST", path: "/epayment/v1/payments", key: "key" + id[:4], body: order(reference, nil)})
		m.server.Settle()
		var d received
		for _, got := range box.all() {
			if got.header.Get("Webhook-Id") == id {
				d = got
			}
		}
		if err := d.verify(secret); err != nil {
			t.Error(err)
		}
		if d.host != "shop.example:8443" || d.uri != "/hooks/vipps?env=test&x=%C3%B8" || d.method != "POST" {
			t.Errorf("%s %s%s", d.method, d.host, d.uri)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json; charset=utf-8", "User-Agent": "Vipps MobilePay/1.0 Webhooks/1.0", "Accept-Encoding": "gzip",
		} {
			if got := d.header.Get(name); got != want {
				t.Errorf("%s %q", name, got)
			}
		}
		if date, err := http.ParseTime(d.header.Get("X-Ms-Date")); err != nil || time.Since(date) > time.Minute {
			t.Errorf("X-Ms-Date %q: %v", d.header.Get("X-Ms-Date"), err)
		}
		want := fmt.Sprintf(`{"msn":"123456","reference":"%s","pspReference":"%s","name":"CREATED",`+
			`"amount":{"currency":"NOK","value":2500},"timestamp":"%s","idempotencyKey":"key%s","success":true}`,
			reference, m.get(reference).text("pspReference"), d.text("timestamp"), id[:4])
		if diff := cmp.Diff(want, string(d.raw)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", d.text("timestamp")); err != nil {
			t.Error(err)
		}
	}
}

func TestDeliveryOfEachEvent(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	var events []string
	for _, name := range []string{"created", "aborted", "expired", "cancelled", "captured", "refunded", "authorized", "terminated"} {
		events = append(events, "epayments.payment."+name+".v1")
	}
	m.mustRegister(hook, events...)
	box := m.receive(hook)
	m.mustReserve("reference-1")
	m.capture("reference-1", 1000)
	m.refund("reference-1", 400)
	m.cancel("reference-1", false)
	m.mustCreate("reference-2", nil)
	m.cancel("reference-2", true)
	m.mustCreate("reference-3", nil)
	must(t, m.server.Abort("reference-3"))
	m.mustCreate("reference-4", nil)
	m.server.Advance(10 * time.Minute)
	got := map[string][]string{}
	for _, d := range box.all() {
		got[d.text("reference")] = append(got[d.text("reference")], fmt.Sprint(d.text("name"), " ", d.number("amount", "value")))
		if d.text("name") == "AUTHORIZED" && d.text("captureGuaranteedUntil") == "" {
			t.Errorf("no captureGuaranteedUntil in %s", d.raw)
		}
	}
	want := map[string][]string{
		"reference-1": {"CREATED 2500", "AUTHORIZED 2500", "CAPTURED 1000", "REFUNDED 400", "CANCELLED 1500"},
		"reference-2": {"CREATED 2500", "TERMINATED 2500"},
		"reference-3": {"CREATED 2500", "ABORTED 2500"},
		"reference-4": {"CREATED 2500", "EXPIRED 2500"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRetrySchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMerchant(t, vippstest.Options{})
		_, secret := m.mustRegister(hook, createdEvent, authorizedEvent)
		box := m.receive(hook)
		box.answer = func(received) int { return 500 }
		m.mustReserve("reference-1")
		m.mustCreate("reference-2", nil)
		<-time.After(8 * 24 * time.Hour)
		synctest.Wait()
		var gaps []time.Duration
		var last time.Time
		authorized := false
		dates := map[string]bool{}
		for _, d := range box.all() {
			if d.text("reference") != "reference-1" {
				continue
			}
			if d.text("name") != "CREATED" {
				authorized = true
				continue
			}
			if authorized {
				t.Fatal("AUTHORIZED overtook CREATED")
			}
			if err := d.verify(secret); err != nil {
				t.Error(err)
			}
			dates[d.header.Get("X-Ms-Date")] = true
			if !last.IsZero() {
				gaps = append(gaps, d.when.Sub(last))
			}
			last = d.when
		}
		want := []time.Duration{2 * time.Second, 2 * time.Second, 2 * time.Second, time.Minute, 2 * time.Minute}
		for range 23 {
			want = append(want, time.Hour)
		}
		for range 6 {
			want = append(want, 24*time.Hour)
		}
		if diff := cmp.Diff(want, gaps); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if len(dates) != len(want)+1 {
			t.Errorf("%d dates for %d attempts", len(dates), len(want)+1)
		}
		// CREATED is given up after a week, and AUTHORIZED is next.
		if !authorized {
			t.Error("AUTHORIZED still waits for what was given up")
		}
	})
}

func TestAnUnacceptedEventBlocksItsPayment(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustRegister(hook, createdEvent, authorizedEvent, capturedEvent)
	box := m.receive(hook)
	refuse := true
	box.answer = func(d received) int {
		if refuse && d.text("reference") == "reference-1" && d.text("name") == "AUTHORIZED" {
			return http.StatusServiceUnavailable
		}
		return http.StatusAccepted
	}
	m.mustReserve("reference-1")
	m.capture("reference-1", 100)
	m.mustReserve("reference-2")
	m.capture("reference-2", 100)
	names := func(reference string) string {
		m.server.Settle()
		var list []string
		for _, d := range box.all() {
			if d.text("reference") == reference {
				list = append(list, d.text("name"))
			}
		}
		return strings.Join(list, " ")
	}
	if got := names("reference-2"); got != "CREATED AUTHORIZED CAPTURED" {
		t.Errorf("the other payment: %s", got)
	}
	if got := names("reference-1"); got != "CREATED AUTHORIZED" {
		t.Errorf("blocked: %s", got)
	}
	box.mu.Lock()
	refuse = false
	box.mu.Unlock()
	m.server.Advance(2 * time.Second)
	if got := names("reference-1"); got != "CREATED AUTHORIZED AUTHORIZED CAPTURED" {
		t.Errorf("accepted: %s", got)
	}
}

func TestAWebhookThatFailsTwoWeeksIsDeleted(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustRegister(hook, createdEvent)
	m.receive(hook).answer = func(received) int { return 404 }
	webhooks := func() int {
		m.login()
		list, _ := m.send(request{method: "GET", path: "/webhooks/v1/webhooks"}).at("webhooks").([]any)
		return len(list)
	}
	m.mustCreate("reference-1", nil)
	m.server.Advance(6 * 24 * time.Hour)
	m.login()
	m.mustCreate("reference-2", nil)
	m.server.Advance(6 * 24 * time.Hour)
	m.login()
	m.mustCreate("reference-3", nil)
	if n := webhooks(); n != 1 {
		t.Fatalf("after 12 days: %d", n)
	}
	m.server.Advance(3 * 24 * time.Hour)
	if n := webhooks(); n != 0 {
		t.Errorf("after 15 days: %d", n)
	}
}

func TestAWebhookThatSucceedsNowAndThenIsKept(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	m.mustRegister(hook, createdEvent)
	m.receive(hook).answer = func(d received) int {
		if d.text("reference") == "reference-2" {
			return 200
		}
		return 500
	}
	for _, reference := range []string{"reference-1", "reference-2", "reference-3"} {
		m.login()
		m.mustCreate(reference, nil)
		m.server.Advance(8 * 24 * time.Hour)
	}
	m.login()
	if a := m.send(request{method: "GET", path: "/webhooks/v1/webhooks"}); !strings.Contains(string(a.raw), hook) {
		t.Errorf("%s", a.raw)
	}
}

func TestTenSecondsToAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMerchant(t, vippstest.Options{})
		m.mustRegister(hook, createdEvent)
		m.server.HandleWebhooks(hook, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		start := time.Now()
		m.mustCreate("reference-1", nil)
		m.server.Settle()
		got := m.server.Deliveries()
		if len(got) != 1 || got[0].Status != 0 || got[0].Err == "" || time.Since(start) != 10*time.Second {
			t.Errorf("%+v after %v", got, time.Since(start))
		}
	})
}

func TestFailedAuthorizedEvents(t *testing.T) {
	t.Parallel()
	for _, sent := range []bool{false, true} {
		m := newMerchant(t, vippstest.Options{Switches: vippstest.Switches{FailedAuthorizedEvents: sent}})
		m.mustRegister(hook, authorizedEvent)
		box := m.receive(hook)
		m.mustCreate("reference-1", fields{"amount": fields{"currency": "NOK", "value": 151}})
		if err := m.server.Approve("reference-1"); err == nil {
			t.Error("approved")
		}
		m.server.Settle()
		if n := len(box.all()); (n == 1) != sent || n == 1 && box.all()[0].body["success"] != false {
			t.Errorf("sent %v: %d deliveries", sent, n)
		}
	}
}

func TestDeliveryOverANetwork(t *testing.T) {
	t.Parallel()
	box := &inbox{}
	mux := http.NewServeMux()
	mux.Handle("POST /hook", box)
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/hook", http.StatusTemporaryRedirect)
	})
	web := httptest.NewServer(mux)
	defer web.Close()
	m := newMerchant(t, vippstest.Options{AllowLoopbackHTTP: true})
	_, secret := m.mustRegister(web.URL+"/hook", createdEvent)
	m.mustRegister(web.URL+"/moved", createdEvent)
	m.mustCreate("reference-1", nil)
	m.server.Settle()
	got := box.all()
	if len(got) != 1 {
		t.Fatalf("%d deliveries", len(got))
	}
	if err := got[0].verify(secret); err != nil {
		t.Error(err)
	}
	statuses := map[string]int{}
	for _, d := range m.server.Deliveries() {
		statuses[strings.TrimPrefix(d.URL, web.URL)] = d.Status
	}
	// A redirect is not followed, and is a failure.
	if diff := cmp.Diff(map[string]int{"/hook": 200, "/moved": 307}, statuses); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
