package webhooks_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/webhooks"
)

func TestVectors(t *testing.T) {
	t.Parallel()
	for name, v := range vectors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := v.verifier(t).Verify(v.header(), []byte(v.body)); err != nil {
				t.Error(err)
			}
		})
	}
}

// Hashes of deliveries that were seen in production; nobody knows their secrets. A delivery whose hash is right is signed
// here, to see that the hash is taken for what it is.
func TestHashesFromProduction(t *testing.T) {
	t.Parallel()
	for hash, body := range map[string]string{
		"kQSmDK2O2OZoefs7WJBmm2OR4kuoPtDMNGGmh0QVvtA=": `{"msn":"373370","reference":"inv-8-attempt-2","pspReference":"740e7483-c083-4b95-9246-a37299ad53b7","name":"CREATED","amount":{"currency":"NOK","value":12100},"timestamp":"2025-05-31T17:29:23.358Z","idempotencyKey":"683b3c72858e20.24358952","success":true}`,
		"ZFGsWWeA+zvY683itju+78UFI/shGNUaSUsK4bxTW7A=": `{"msn":"2060591","reference":"S00007-30-20251103142209","pspReference":"49360986-4857-4556-bddb-ba6b58f25bb1","name":"CREATED","amount":{"currency":"DKK","value":125},"timestamp":"2025-11-03T14:22:10.431Z","idempotencyKey":"b043ab36-977b-409c-a4e5-a22b97197448","success":true}`,
	} {
		v := signed("s", sentDate, body)
		if v.hash != hash {
			t.Errorf("hash %s, want %s", v.hash, hash)
		}
		if err := v.verifier(t).Verify(v.header(), []byte(body)); err != nil {
			t.Error(err)
		}
	}
}

// The documentation's page of today shows the secret blotted out beside the old signature. They do not belong together.
func TestBlottedVector(t *testing.T) {
	t.Parallel()
	v := official
	v.secret = strings.Repeat("A", 86) + "=="
	mustRefuse(t, "blotted secret", v.verifier(t), v.header(), v.body)
	for _, signature := range []string{"ODPaycfvgaJRUL57SKqWoCcIQ7W3dNYrBm4IxVio4Bk="} { // with the key decoded
		v.signature = signature
		mustRefuse(t, "decoded key", v.verifier(t), v.header(), v.body)
	}
	v.signature = "u4zz3dyO3c3xJwl36rPpn1n7WF75u6r2epjH70MZTGM="
	if err := v.verifier(t).Verify(v.header(), []byte(v.body)); err != nil {
		t.Errorf("with the signature that belongs to it: %v", err)
	}
}

func mustRefuse(t *testing.T, what string, verifier *webhooks.Verifier, header http.Header, body string) {
	t.Helper()
	if err := verifier.Verify(header, []byte(body)); err != webhooks.ErrSignature { //nolint:errorlint // the bare error: no detail
		t.Errorf("%s: got %v", what, err)
	}
}

func TestSecretIsTextNotBase64(t *testing.T) {
	t.Parallel()
	decoded, err := base64.StdEncoding.DecodeString(official.secret)
	if err != nil {
		t.Fatal(err)
	}
	v := official
	v.signature = "T3+NXHMmhNVEjW5PeJ4Gql70nf0MOXCAY9CoZDxuVQw=" // what the decoded key would give
	mustRefuse(t, "signed with the decoded secret", official.verifier(t), v.header(), v.body)
	if _, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: v.url, Secrets: []vipps.Secret{vipps.Secret(decoded)}}); err == nil {
		t.Error("bytes that are not text were taken for a secret")
	}
}

func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	for name, v := range vectors {
		verifier := v.verifier(t)
		for i := range len(v.body) {
			changed := []byte(v.body)
			changed[i] ^= 1
			mustRefuse(t, name, verifier, v.header(), string(changed))
			// The same with the hash of the changed body: then it is the signature that is wrong.
			forged := v
			forged.hash = signed("", "", string(changed)).hash
			mustRefuse(t, name+", hash as well", verifier, forged.header(), string(changed))
		}
		mustRefuse(t, name+", no body", verifier, v.header(), "")
		mustRefuse(t, name+", a byte more", verifier, v.header(), v.body+" ")
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	good := vectors["payment"]
	for name, change := range map[string]func(http.Header){
		"no headers":                   func(h http.Header) { clear(h) },
		"no hash":                      func(h http.Header) { h.Del("X-Ms-Content-Sha256") },
		"another hash":                 func(h http.Header) { h.Set("X-Ms-Content-Sha256", official.hash) },
		"no date":                      func(h http.Header) { h.Del("X-Ms-Date") },
		"another date":                 func(h http.Header) { h.Set("X-Ms-Date", "Thu, 19 Nov 2026 10:00:01 GMT") },
		"the same date, spelled anew":  func(h http.Header) { h.Set("X-Ms-Date", "Thursday, 19-Nov-26 10:00:00 GMT") },
		"no signature":                 func(h http.Header) { h.Del("Authorization"); h.Del("X-Vipps-Authorization") },
		"an empty signature":           func(h http.Header) { h.Set("Authorization", signaturePrefix) },
		"a signature without its name": func(h http.Header) { h.Set("Authorization", good.signature); h.Del("X-Vipps-Authorization") },
		"signatures without a name":    func(h http.Header) { swap(h, signaturePrefix, "") },
		"other headers signed":         func(h http.Header) { swap(h, "x-ms-date;host;x-ms-content-sha256", "host") },
		"another scheme":               func(h http.Header) { swap(h, "HMAC-SHA256", "HMAC-SHA1") },
		"a signature cut short":        func(h http.Header) { swap(h, "+cM=", "+cM") },
		"a signature and more":         func(h http.Header) { swap(h, "+cM=", "+cM= ") },
		"a signature in URL base64":    func(h http.Header) { swap(h, "+", "-") },
		"a plus become a blank":        func(h http.Header) { swap(h, "+", " ") },
		"a signature of other bits":    func(h http.Header) { swap(h, "+cM=", "+cN=") },
		"the hash of another hash":     func(h http.Header) { h.Set("X-Ms-Content-Sha256", good.signature) },
	} {
		header := good.header()
		change(header)
		mustRefuse(t, name, good.verifier(t), header, good.body)
	}
}

// swap changes the signature in both headers.
func swap(h http.Header, old, replacement string) {
	for _, name := range []string{"Authorization", "X-Vipps-Authorization"} {
		h.Set(name, strings.ReplaceAll(h.Get(name), old, replacement))
	}
}

func TestAddressIsSigned(t *testing.T) {
	t.Parallel()
	v := vectors["port and query"]
	now := parseDate(t, v.date)
	for _, url := range []string{
		"https://example.com/hooks/vipps?env=test&x=%C3%B8", "https://example.com:8443/hooks/vipps", "https://example.com:8443/hooks/vipps?env=test",
		"https://example.com:8443/hooks/vipps?x=%C3%B8&env=test", "https://example.com:8443/hooks/vipps/?env=test&x=%C3%B8",
		"https://example.com:8443/Hooks/vipps?env=test&x=%C3%B8", "https://other.example:8443/hooks/vipps?env=test&x=%C3%B8",
	} {
		mustRefuse(t, url, newVerifier(t, url, now, v.secret), v.header(), v.body)
	}
	for _, url := range []string{"https://EXAMPLE.com/hooks/vipps", "https://example.com:443/hooks/vipps"} {
		payment := vectors["payment"]
		if err := newVerifier(t, url, now, payment.secret).Verify(payment.header(), []byte(payment.body)); err != nil {
			t.Errorf("%s is the same address: %v", url, err)
		}
	}
}

func TestAddressOfAnEmulator(t *testing.T) {
	t.Parallel()
	for url, host := range map[string]string{
		"http://[::1]:8080/hooks/vipps": "[::1]:8080", "http://[::1]:80/hooks/vipps": "[::1]", "http://127.0.0.1:443/hooks/vipps": "127.0.0.1:443",
	} {
		v := signedTo(host, "s", sentDate, authorizedBody)
		if err := newVerifier(t, url, parseDate(t, sentDate), "s").Verify(v.header(), []byte(v.body)); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestAuthorizationThatAProxyKeeps(t *testing.T) {
	t.Parallel()
	v := vectors["payment"]
	for name, change := range map[string]func(http.Header){
		"gone":             func(h http.Header) { h.Del("Authorization") },
		"empty":            func(h http.Header) { h.Set("Authorization", "") },
		"the proxy's own":  func(h http.Header) { h.Set("Authorization", "Basic dXNlcjpwYXNz") },
		"the only one":     func(h http.Header) { h.Del("X-Vipps-Authorization") },
		"the copy is junk": func(h http.Header) { h.Set("X-Vipps-Authorization", "junk") },
	} {
		header := v.header()
		change(header)
		if err := v.verifier(t).Verify(header, []byte(v.body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	header := v.header()
	header.Del("Authorization")
	header.Set("X-Vipps-Authorization", signaturePrefix+official.signature)
	mustRefuse(t, "a forged copy", v.verifier(t), header, v.body)
}

func TestWindow(t *testing.T) {
	t.Parallel()
	v := vectors["payment"]
	sent := parseDate(t, v.date)
	for _, test := range []struct {
		maxAge time.Duration
		late   time.Duration // how far our clock is past the date
		want   error
	}{
		{0, 0, nil},
		{0, 5 * time.Minute, nil},
		{0, -5 * time.Minute, nil},
		{0, 5*time.Minute + 1, webhooks.ErrTooOld},
		{0, -5*time.Minute - 1, webhooks.ErrTooOld},
		{0, 24 * time.Hour, webhooks.ErrTooOld},
		{0, -24 * time.Hour, webhooks.ErrTooOld},
		{time.Second, 2 * time.Second, webhooks.ErrTooOld},
		{time.Hour, 59 * time.Minute, nil},
		{time.Hour, -59 * time.Minute, nil},
		{1<<63 - 1, 200 * 365 * 24 * time.Hour, nil},
	} {
		verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{
			URL: v.url, Secrets: []vipps.Secret{someSecret}, MaxAge: test.maxAge, Now: func() time.Time { return sent.Add(test.late) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := verifier.Verify(v.header(), []byte(v.body)); got != test.want { //nolint:errorlint // the bare error: no detail
			t.Errorf("window %s, %s late: got %v, want %v", test.maxAge, test.late, got, test.want)
		}
		// A forged delivery is forged first, whatever its date: a stale answer would tell that the rest was right.
		header := v.header()
		swap(header, "+cM=", "+cN=")
		mustRefuse(t, "forged and "+test.late.String()+" late", verifier, header, v.body)
	}
	unreadable := signed("s", "yesterday", authorizedBody)
	mustRefuse(t, "no date at all", newVerifier(t, hookURL, sent, "s"), unreadable.header(), authorizedBody)
}

// A clock far from any date must not overflow into the window.
func TestWindowAtTheEndOfTime(t *testing.T) {
	t.Parallel()
	v := vectors["payment"]
	for _, now := range []time.Time{{}, time.Unix(1<<40, 0)} {
		if err := newVerifier(t, v.url, now, v.secret).Verify(v.header(), []byte(v.body)); !errors.Is(err, webhooks.ErrTooOld) {
			t.Errorf("at %v: %v", now, err)
		}
	}
}

func TestRealClockByDefault(t *testing.T) {
	t.Parallel()
	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: hookURL, Secrets: []vipps.Secret{"s"}})
	if err != nil {
		t.Fatal(err)
	}
	v := signed("s", time.Now().UTC().Format(http.TimeFormat), authorizedBody)
	if err := verifier.Verify(v.header(), []byte(v.body)); err != nil {
		t.Error(err)
	}
}

func TestSeveralSecrets(t *testing.T) {
	t.Parallel()
	now := parseDate(t, sentDate)
	verifier := newVerifier(t, hookURL, now, "first", "second", "third")
	for _, secret := range []string{"first", "second", "third"} {
		v := signed(secret, sentDate, authorizedBody)
		if err := verifier.Verify(v.header(), []byte(v.body)); err != nil {
			t.Errorf("%s: %v", secret, err)
		}
	}
	for _, secret := range []string{"fourth", "", "firs", "firstsecond"} {
		mustRefuse(t, secret, verifier, signed(secret, sentDate, authorizedBody).header(), authorizedBody)
	}
}

func TestSecretsThatAreWrong(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][]vipps.Secret{
		"none": nil, "empty": {""}, "empty, beside a good one": {"s", ""}, "blank": {" \n"}, "redacted": {"[redacted]"},
		"a blank inside": {"canary canary"}, "two lines": {"canary\ncanary"},
	} {
		verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: hookURL, Secrets: secrets})
		if !errors.Is(err, vipps.ErrInvalidRequest) || verifier != nil || !strings.Contains(err.Error(), "Secrets") {
			t.Errorf("%s: %v, %v", name, verifier, err)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error shows the secret", name)
		}
	}
	if _, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: hookURL, Secrets: []vipps.Secret{"s"}, MaxAge: -1}); err == nil {
		t.Error("a negative window was taken")
	}
	v := vectors["payment"]
	if err := newVerifier(t, v.url, parseDate(t, v.date), " "+v.secret+"\r\n").Verify(v.header(), []byte(v.body)); err != nil {
		t.Errorf("with a secret read from a file: %v", err)
	}
}

// There is no mode without verification: what was not configured refuses what an empty key would sign.
func TestZeroVerifier(t *testing.T) {
	t.Parallel()
	v := signed("", sentDate, authorizedBody)
	for _, verifier := range []*webhooks.Verifier{nil, {}} {
		mustRefuse(t, "zero", verifier, v.header(), v.body)
	}
}

func TestEmptyBody(t *testing.T) {
	t.Parallel()
	v := signed("s", sentDate, "")
	for _, body := range [][]byte{nil, {}} {
		if err := v.verifier(t).Verify(v.header(), body); err != nil {
			t.Error(err)
		}
	}
	mustRefuse(t, "an empty body instead of the signed one", vectors["payment"].verifier(t), vectors["payment"].header(), "")
	header := v.header()
	header.Del("X-Ms-Content-Sha256")
	mustRefuse(t, "an empty body without a hash", v.verifier(t), header, "")
}

func TestVerifyLeavesTheDeliveryAlone(t *testing.T) {
	t.Parallel()
	v := vectors["payment"]
	header, body := v.header(), []byte(v.body)
	if err := v.verifier(t).Verify(header, body); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, []byte(v.body)) || len(header) != len(v.header()) {
		t.Error("it was changed")
	}
}
