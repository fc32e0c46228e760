package vippstest_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps/vending/vippstest"
)

const redirectPath = "/qr/v1/merchant-redirect"

// params are the fields that a refusal of the QR and Order Management APIs complains about.
func (r result) params() string {
	var names []string
	list, _ := r.at("invalidParams").([]any)
	for _, e := range list {
		d, _ := e.(map[string]any)
		name, _ := d["name"].(string)
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// list is an answer that is an array of objects.
func (r result) list() []fields {
	var list []fields
	if err := json.Unmarshal(r.raw, &list); err != nil {
		return nil
	}
	return list
}

// asText asks for what a code says instead of its image.
var asText = map[string]string{"Accept": "text/targetUrl"}

func with(header map[string]string, name, value string) map[string]string {
	all := map[string]string{name: value}
	for n, v := range header {
		if n != name {
			all[n] = v
		}
	}
	return all
}

func (m *merchant) redirect(body any) result {
	m.t.Helper()
	return m.send(request{method: "POST", path: redirectPath, header: asText, body: body})
}

// mustRedirect makes a redirect code and returns what it says.
func (m *merchant) mustRedirect(id string, changes fields) string {
	m.t.Helper()
	body := fields{"id": id, "redirectUrl": "https://shop.example/" + id}
	maps.Copy(body, changes)
	a := m.redirect(body)
	if a.status != 200 {
		m.t.Fatalf("%d %s", a.status, a.raw)
	}
	return a.text("url")
}

func TestRedirectCode(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{Merchants: []string{"654321"}})
	const id = "Kjøkken 50 %"
	one := redirectPath + "/" + url.PathEscape(id)
	a := m.redirect(fields{"id": id, "redirectUrl": "https://shop.example/1"})
	content := a.text("url")
	want := fields{"id": id, "url": content, "redirectUrl": "https://shop.example/1", "expiresIn": -1.0}
	if diff := cmp.Diff(want, a.body); a.status != 200 || diff != "" {
		t.Fatalf("%d (-want +got)\n%s", a.status, diff)
	}
	if a := m.redirect(fields{"id": id, "redirectUrl": "https://shop.example/2"}); a.status != 409 || string(a.raw) != `{"id":"`+id+`"}` {
		t.Errorf("again: %d %s", a.status, a.raw)
	}
	a = m.send(request{method: "PUT", path: one, header: asText, body: fields{"redirectUrl": "https://shop.example/2", "id": id}})
	want["redirectUrl"] = "https://shop.example/2"
	if diff := cmp.Diff(want, a.body); a.status != 200 || diff != "" {
		t.Errorf("update: %d (-want +got)\n%s", a.status, diff)
	}
	if scanned, err := m.server.Scan(content); err != nil || scanned.Opens != "https://shop.example/2" {
		t.Errorf("the printed code now leads to %+v, %v", scanned, err)
	}
	if a := m.open(content); a.status != 303 || a.header.Get("Location") != "https://shop.example/2" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := m.send(request{method: "GET", path: one, header: asText}); cmp.Diff(want, a.body) != "" {
		t.Errorf("get: %s", a.raw)
	}
	m.mustRedirect("second", nil)
	a = m.send(request{method: "GET", path: redirectPath + "/", header: asText})
	if l := a.list(); len(l) != 2 || cmp.Diff(want, l[0]) != "" || l[1]["id"] != "second" {
		t.Errorf("list: %s", a.raw)
	}
	none := with(asText, "Merchant-Serial-Number", "")
	if a := m.send(request{method: "GET", path: redirectPath, header: none}); a.status != 400 || a.params() != "Merchant-Serial-Number" {
		t.Errorf("partner keys say nothing about the sales unit: %d %s", a.status, a.raw)
	}
	other := with(asText, "Merchant-Serial-Number", "654321")
	if a := m.send(request{method: "GET", path: redirectPath, header: other}); string(a.raw) != "[]" {
		t.Errorf("another serial number sees %s", a.raw)
	}
	if books := m.server.RedirectCodes(); len(books) != 2 || books[0].Content != content || books[0].ID != id ||
		books[0].MSN != "123456" || books[0].RedirectURL != "https://shop.example/2" || !books[0].Expires.IsZero() {
		t.Errorf("%+v", books)
	}
	for _, status := range []int{200, 404} {
		a := m.send(request{method: "DELETE", path: one})
		if a.status != status || status == 200 && len(a.raw) > 0 || status == 404 && a.text("instance") == "" {
			t.Errorf("delete: %d %s", a.status, a.raw)
		}
	}
	for _, method := range []string{"GET", "PUT"} {
		r := request{method: method, path: one, header: asText}
		if method == "PUT" {
			r.body = fields{"redirectUrl": "https://shop.example/2"}
		}
		if a := m.send(r); a.status != 404 || a.text("title") == "" || a.text("detail") == "" {
			t.Errorf("%s of what is deleted: %d %s", method, a.status, a.raw)
		}
	}
}

func TestAPrintedCodeDoesNotComeBackWithItsID(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	printed := m.mustRedirect("poster", fields{"ttl": 300})
	if a := m.send(request{method: "DELETE", path: redirectPath + "/poster"}); a.status != 200 {
		t.Fatal(a.status)
	}
	fresh := m.mustRedirect("poster", nil)
	if _, err := m.server.Scan(printed); err == nil || fresh == printed {
		t.Errorf("%s and then %s: %v", printed, fresh, err)
	}
	if a := m.open(printed); a.status != 404 {
		t.Errorf("%d", a.status)
	}
	m.server.Advance(10 * time.Minute) // the time to live was that of the first one
	if a := m.send(request{method: "GET", path: redirectPath + "/poster", header: asText}); a.text("url") != fresh {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if scanned, err := m.server.Scan(fresh); err != nil || scanned.Opens != "https://shop.example/poster" {
		t.Errorf("%+v, %v", scanned, err)
	}
}

func TestARedirectCodeEnds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 19, 10, 0, 0, 0, time.UTC)
	m := newMerchant(t, vippstest.Options{Clock: func() time.Time { return now }})
	content := m.mustRedirect("short", fields{"ttl": 300})
	left := func() int64 {
		return m.send(request{method: "GET", path: redirectPath + "/short", header: asText}).number("expiresIn")
	}
	if n := left(); n != 300 {
		t.Errorf("%d seconds left", n)
	}
	if got := m.server.RedirectCodes()[0].Expires; !got.Equal(now.Add(5 * time.Minute)) {
		t.Errorf("expires %v", got)
	}
	m.server.Advance(299*time.Second + time.Millisecond) // what has begun counts
	if n := left(); n != 1 {
		t.Errorf("%d seconds left", n)
	}
	m.server.Advance(999 * time.Millisecond)
	if a := m.send(request{method: "GET", path: redirectPath + "/short", header: asText}); a.status != 404 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if _, err := m.server.Scan(content); err == nil || len(m.server.RedirectCodes()) != 0 {
		t.Errorf("it can be scanned: %v", err)
	}
	m.mustRedirect("short", nil) // and its timer is not that of the one before
	m.server.Advance(50 * time.Minute)
	if n := left(); n != -1 {
		t.Errorf("%d seconds left", n)
	}
}

func TestRedirectCodesAreChecked(t *testing.T) {
	t.Parallel()
	good := func(changes fields) fields {
		body := fields{"id": "a", "redirectUrl": "https://shop.example/a"}
		for name, v := range changes {
			if v == nil {
				delete(body, name)
			} else {
				body[name] = v
			}
		}
		return body
	}
	png := map[string]string{"Accept": "image/png"}
	for name, test := range map[string]struct {
		body   any
		header map[string]string
		status int
		want   string // the fields complained about
	}{
		"good":             {body: good(nil), status: 200},
		"odd id":           {body: good(fields{"id": "_-+% æøåÆØÅ\n0"}), status: 200},
		"longest id":       {body: good(fields{"id": repeat(128)}), status: 200},
		"long id":          {body: good(fields{"id": repeat(129)}), status: 400, want: "Id"},
		"empty id":         {body: good(fields{"id": ""}), status: 400, want: "Id"},
		"id with slash":    {body: good(fields{"id": "a/b"}), status: 400, want: "Id"},
		"id with ü":        {body: good(fields{"id": "ü"}), status: 400, want: "Id"},
		"no id":            {body: good(fields{"id": nil}), status: 400, want: "Id"},
		"number as id":     {body: good(fields{"id": 1}), status: 400, want: "Id"},
		"nothing":          {body: fields{}, status: 400, want: "Id RedirectUrl"},
		"http":             {body: good(fields{"redirectUrl": "http://shop.example"}), status: 400, want: "RedirectUrl"},
		"tilde":            {body: good(fields{"redirectUrl": "https://shop.example/~a"}), status: 400, want: "RedirectUrl"},
		"comma":            {body: good(fields{"redirectUrl": "https://shop.example/a,b"}), status: 400, want: "RedirectUrl"},
		"hyphenated host":  {body: good(fields{"redirectUrl": "https://my-shop.example:8443/a?b=c&d=%20#e"}), status: 200},
		"no host":          {body: good(fields{"redirectUrl": "https://"}), status: 400, want: "RedirectUrl"},
		"null":             {body: `{"id": "a", "redirectUrl": null}`, status: 400, want: "RedirectUrl"},
		"short ttl":        {body: good(fields{"ttl": 299}), status: 400, want: "Ttl"},
		"shortest ttl":     {body: good(fields{"ttl": 300}), status: 200},
		"longest ttl":      {body: good(fields{"ttl": 2147483647}), status: 200},
		"long ttl":         {body: good(fields{"ttl": 2147483648}), status: 400, want: "Ttl"},
		"null ttl":         {body: `{"id": "a", "redirectUrl": "https://shop.example", "ttl": null}`, status: 200},
		"unknown field":    {body: good(fields{"url": "x"}), status: 400, want: "Url"},
		"twice":            {body: `{"id": "a", "id": "a", "redirectUrl": "https://shop.example"}`, status: 400, want: "Id"},
		"no JSON":          {body: "id=a", status: 400, want: "Body"},
		"list":             {body: "[]", status: 400, want: "Body"},
		"no content type":  {body: good(nil), header: map[string]string{"Content-Type": ""}, status: 415},
		"form":             {body: good(nil), header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, status: 415},
		"no Accept":        {body: good(nil), header: map[string]string{"Accept": ""}, status: 400, want: "Accept"},
		"Accept JSON":      {body: good(nil), header: map[string]string{"Accept": "application/json"}, status: 400, want: "Accept"},
		"Accept anything":  {body: good(nil), header: map[string]string{"Accept": "*/*"}, status: 400, want: "Accept"},
		"Accept in lower":  {body: good(nil), header: map[string]string{"Accept": "text/targeturl"}, status: 200},
		"size":             {body: good(nil), header: with(png, "Size", "2000"), status: 200},
		"small":            {body: good(nil), header: with(png, "Size", "99"), status: 400, want: "Size"},
		"large":            {body: good(nil), header: with(png, "Size", "2001"), status: 400, want: "Size"},
		"no size":          {body: good(nil), header: with(png, "Size", "big"), status: 400, want: "Size"},
		"size in body":     {body: good(fields{"size": 100, "whiteBorder": 8}), header: png, status: 200},
		"small in body":    {body: good(fields{"size": 99}), status: 400, want: "Size"},
		"wide border":      {body: good(fields{"whiteBorder": 101}), status: 400, want: "WhiteBorder"},
		"only border":      {body: good(fields{"size": 100, "whiteBorder": 26}), status: 400, want: "WhiteBorder"},
		"no serial number": {body: good(nil), header: map[string]string{"Merchant-Serial-Number": ""}, status: 200},
		"bad one":          {body: good(nil), header: map[string]string{"Merchant-Serial-Number": "x"}, status: 400, want: "Merchant-Serial-Number"},
		"other one":        {body: good(nil), header: map[string]string{"Merchant-Serial-Number": "654321"}, status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMerchant(t, vippstest.Options{})
			header := asText
			for n, v := range test.header {
				header = with(header, n, v)
			}
			a := m.send(request{method: "POST", path: redirectPath + "/", header: header, body: test.body})
			if a.status != test.status || a.params() != test.want {
				t.Fatalf("%d %q %s", a.status, a.params(), a.raw)
			}
			if a.status != 200 && (a.text("title") == "" || a.text("detail") == "" || a.text("instance") == "" || a.at("status") != nil) {
				t.Errorf("%s", a.raw)
			}
			if n := len(m.server.RedirectCodes()); (n == 1) != (test.status == 200) {
				t.Errorf("%d codes", n)
			}
		})
	}
}

func TestARefusalLooksAsDocumented(t *testing.T) {
	t.Parallel()
	m := newMerchant(t, vippstest.Options{})
	a := m.redirect(fields{"id": "a", "redirectUrl": "http://shop.example"})
	want := fields{
		"type":     "https://datatracker.ietf.org/doc/html/rfc7231#section-6.5.1",
		"title":    "One or more validation errors occurred.",
		"detail":   "BadRequest",
		"instance": a.text("instance"),
		"invalidParams": []any{fields{
			"name":   "RedirectUrl",
			"reason": `The field RedirectUrl must match the regular expression '^https://[\w\.]+([\w#!:.?+=&%@\-/]+)?$'.`,
		}},
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	if a := m.send(request{method: "GET", path: redirectPath, header: with(asText, "Authorization", "Bearer x")}); a.status != 401 || len(a.raw) != 0 {
		t.Errorf("unknown token: %d %s", a.status, a.raw)
	}
	if a := m.send(request{method: "GET", path: redirectPath, header: with(asText, "Ocp-Apim-Subscription-Key", "x")}); a.number("statusCode") != 401 {
		t.Errorf("other key: %d %s", a.status, a.raw)
	}
	for _, method := range []string{"GET", "PUT"} {
		r := request{method: method, path: redirectPath + "/a"}
		if method == "PUT" {
			r.body = fields{"redirectUrl": "x"}
		}
		if a := m.send(r); a.status != 400 || a.params() != map[string]string{"GET": "Accept", "PUT": "RedirectUrl Accept"}[method] {
			t.Errorf("%s: %d %s", method, a.status, a.raw)
		}
	}
	if a := m.send(request{method: "GET", path: redirectPath}); a.status != 400 || a.params() != "Accept" {
		t.Errorf("list: %d %s", a.status, a.raw)
	}
}

func TestRedirectToThisMachine(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"http://127.0.0.1:8080/m/7": true, "http://localhost": true, "https://localhost": true, "http://shop.example": false,
	} {
		m := newMerchant(t, vippstest.Options{AllowLoopbackHTTP: true})
		if a := m.redirect(fields{"id": "a", "redirectUrl": address}); (a.status == 200) != ok || ok && a.text("redirectUrl") != address {
			t.Errorf("%s: %d %s", address, a.status, a.raw)
		}
	}
}
