package vipps_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vippsvending/vipps"
)

func TestConfigNamesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		edit func(*vipps.Config)
		want []string
	}{
		{
			"nothing", func(c *vipps.Config) { *c = vipps.Config{} },
			[]string{
				"Environment", "Credentials.ClientID", "Credentials.ClientSecret", "Credentials.SubscriptionKey", "Credentials.MerchantSerialNumber",
				"System.Name", "System.Version",
			},
		},
		{"unknown environment", func(c *vipps.Config) { c.Environment = "staging" }, []string{"Environment"}},
		{"no environment", func(c *vipps.Config) { c.Environment, c.BaseURL = "", host }, []string{"Environment"}},
		{"short number", func(c *vipps.Config) { c.Credentials.MerchantSerialNumber = "123" }, []string{"Credentials.MerchantSerialNumber"}},
		{"long number", func(c *vipps.Config) { c.Credentials.MerchantSerialNumber = "12345678901" }, []string{"Credentials.MerchantSerialNumber"}},
		{"number with a line end", func(c *vipps.Config) { c.Credentials.MerchantSerialNumber = "123456\n" }, []string{"Credentials.MerchantSerialNumber"}},
		{"key with a line end", func(c *vipps.Config) { c.Credentials.ClientSecret = "secret\r\n" }, []string{"Credentials.ClientSecret"}},
		{"key with a blank", func(c *vipps.Config) { c.Credentials.SubscriptionKey = " key" }, []string{"Credentials.SubscriptionKey"}},
		{"id in quotes that are not ASCII", func(c *vipps.Config) { c.Credentials.ClientID = "“id”" }, []string{"Credentials.ClientID"}},
		{"blank name", func(c *vipps.Config) { c.System.Name = "  " }, []string{"System.Name"}},
		{"two lines", func(c *vipps.Config) { c.System.Version = "1\r\nX: y" }, []string{"System.Version"}},
		{"two lines in an optional field", func(c *vipps.Config) { c.System.PluginName, c.System.PluginVersion = "a\nb", "å" }, []string{"System.PluginName", "System.PluginVersion"}},
		{"http", func(c *vipps.Config) { c.BaseURL = "http://api.vipps.no" }, []string{"BaseURL"}},
		{"http that looks like loopback", func(c *vipps.Config) { c.BaseURL = "http://127.0.0.1.example.com" }, []string{"BaseURL"}},
		{"loopback as a user", func(c *vipps.Config) { c.BaseURL = "http://localhost@example.com" }, []string{"BaseURL"}},
		{"no host", func(c *vipps.Config) { c.BaseURL = "https://:443" }, []string{"BaseURL"}},
		{"no scheme", func(c *vipps.Config) { c.BaseURL = "api.vipps.no" }, []string{"BaseURL"}},
		{"query", func(c *vipps.Config) { c.BaseURL = host + "?a=b" }, []string{"BaseURL"}},
		{"empty query", func(c *vipps.Config) { c.BaseURL = host + "?" }, []string{"BaseURL"}},
		{"empty fragment", func(c *vipps.Config) { c.BaseURL = host + "/#" }, []string{"BaseURL"}},
		{"password", func(c *vipps.Config) { c.BaseURL = "https://user:pass@example.com" }, []string{"BaseURL"}},
		{"both", func(c *vipps.Config) { c.BaseURL, c.OrderManagementBaseURL = "ftp://x", "http://example.com" }, []string{"BaseURL", "OrderManagementBaseURL"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := config(nil)
			test.edit(&c)
			client, err := vipps.NewClient(c)
			if client != nil || !errors.Is(err, vipps.ErrInvalidRequest) {
				t.Fatalf("got %v, %v", client, err)
			}
			var got []string
			for line := range strings.Lines(strings.TrimPrefix(err.Error(), "vipps.NewClient: invalid request: ")) {
				name, _, _ := strings.Cut(line, ":")
				got = append(got, name)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s\n%v", diff, err)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	const production = "https://api.vipps.no"
	for _, test := range []struct {
		name            string
		environment     vipps.Environment
		base            string
		orderManagement string
		want            string // where a call goes
		wantOrders      string // where one of order management goes; empty: nowhere
	}{
		{"test", vipps.Test, "", "", host, ""},
		{"production", vipps.Production, "", "", production, production},
		{"emulator", vipps.Test, "http://localhost:8080", "", "http://localhost:8080", "http://localhost:8080"},
		{"emulator on IPv4", vipps.Test, "http://127.0.0.1:8080/", "", "http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"emulator on IPv6", vipps.Test, "http://[::1]:8080", "", "http://[::1]:8080", "http://[::1]:8080"},
		{"proxy", vipps.Production, "https://proxy.example/vipps//", "", "https://proxy.example/vipps", "https://proxy.example/vipps"},
		{"two", vipps.Test, "", "https://orders.example", host, "https://orders.example"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got string
			c := config(roundTrip(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/accesstoken/get") {
					return token("t", `3600`)(r)
				}
				got = r.URL.String()
				return answer(200, "{}")(r)
			}))
			c.Environment, c.BaseURL, c.OrderManagementBaseURL = test.environment, test.base, test.orderManagement
			client := newClient(t, c)
			if client.Environment() != test.environment {
				t.Errorf("environment %s", client.Environment())
			}
			if err := client.Do(t.Context(), get(), nil); err != nil || got != test.want+"/things/v1/thing" {
				t.Errorf("went to %s, %v", got, err)
			}
			orders := get()
			orders.Path = []string{"order-management", "v2", "x"}
			err := client.Do(t.Context(), orders, nil)
			if test.wantOrders == "" {
				if !errors.Is(err, vipps.ErrNotAvailable) || errors.Is(err, vipps.ErrOutcomeUnknown) {
					t.Errorf("order management: %v", err)
				}
			} else if err != nil || got != test.wantOrders+"/order-management/v2/x" {
				t.Errorf("order management went to %s, %v", got, err)
			}
		})
	}
}

func TestSystemHeaders(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 29)
	for _, test := range []struct {
		name   string
		system vipps.System
		want   [4]string
	}{
		{"defaults", vipps.System{Name: "acme", Version: "1"}, [4]string{"acme", "1", "acme", "1"}},
		{"all", vipps.System{Name: "acme", Version: "1", PluginName: "p", PluginVersion: "2"}, [4]string{"acme", "1", "p", "2"}},
		{"cut", vipps.System{Name: long + "yz", Version: long + " z"}, [4]string{long + "y", long, long + "y", long}},
		{"blanks", vipps.System{Name: " acme vend ", Version: "1", PluginName: " "}, [4]string{"acme vend", "1", "acme vend", "1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service := newService(t)
			service.script(http.MethodGet, thingURL, answer(200, "{}"))
			c := config(service)
			c.System = test.system
			if err := newClient(t, c).Do(t.Context(), get(), nil); err != nil {
				t.Fatal(err)
			}
			for _, sent := range [][]recorded{service.sent(tokenURL), service.sent(thingURL)} {
				h := sent[0].header
				got := [4]string{h.Get("Vipps-System-Name"), h.Get("Vipps-System-Version"), h.Get("Vipps-System-Plugin-Name"), h.Get("Vipps-System-Plugin-Version")}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if got := h.Get("User-Agent"); got != "vippsvending-go/"+vipps.Version {
					t.Errorf("User-Agent: %s", got)
				}
			}
		})
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		part string
		want string // empty: refused
	}{
		{"plain-1", "plain-1"},
		{"a/b", "a%2Fb"},
		{"../refund", "..%2Frefund"},
		{"a?b=c", "a%3Fb=c"},
		{"a#b", "a%23b"},
		{"a%2Fb", "a%252Fb"},
		{"%2e%2e", "%252e%252e"},
		{"æ 💡", "%C3%A6%20%F0%9F%92%A1"},
		{"a\r\nb", "a%0D%0Ab"},
		{"\xff", "%FF"},
		{"a;b", "a%3Bb"},
		{"", ""},
		{".", ""},
		{"..", ""},
	} {
		for _, path := range [][]string{{"things", test.part}, {"things", test.part, "capture"}} {
			var got string
			client := newClient(t, config(roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.URL.String() == tokenURL {
					return token("t", `3600`)(r)
				}
				got = r.URL.String()
				return answer(200, "{}")(r)
			})))
			request := get()
			request.Path = path
			err := client.Do(t.Context(), request, nil)
			want := host + "/things/" + test.want + strings.TrimPrefix(strings.Join(path, "/"), "things/"+test.part)
			switch {
			case test.want == "":
				if !errors.Is(err, vipps.ErrInvalidRequest) || got != "" {
					t.Errorf("%q: went to %s, %v", test.part, got, err)
				}
			case err != nil || got != want:
				t.Errorf("%q: went to %s, want %s, %v", test.part, got, want, err)
			}
		}
	}
}

func TestInvalidRequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		edit func(*vipps.Request)
		want string
	}{
		{"no method", func(r *vipps.Request) { r.Method = "" }, `Method: "" is none of GET, HEAD, POST, PUT, PATCH, DELETE`},
		{"small letters", func(r *vipps.Request) { r.Method = "post" }, `Method: "post" is none of GET, HEAD, POST, PUT, PATCH, DELETE`},
		{"no path", func(r *vipps.Request) { r.Path = nil }, "Path: must be set"},
		{"long key", func(r *vipps.Request) { r.IdempotencyKey = strings.Repeat("k", 51) }, "IdempotencyKey: must be at most 50 printable characters"},
		{"key with a line end", func(r *vipps.Request) { r.IdempotencyKey = "k\r\nX: y" }, "IdempotencyKey: must be at most 50 printable characters"},
		{"key as a header", func(r *vipps.Request) { r.Header = http.Header{"idempotency-key": {"k"}} }, "Header: the idempotency key belongs into IdempotencyKey"},
		{"header with a line end", func(r *vipps.Request) { r.Header = http.Header{"Accept": {"a\r\nX: y"}} }, `Header: "Accept" is not a header`},
		{"header with a colon", func(r *vipps.Request) { r.Header = http.Header{"A:b": {"c"}} }, `Header: "A:b" is not a header`},
		{"header without a name", func(r *vipps.Request) { r.Header = http.Header{"": {"c"}} }, `Header: "" is not a header`},
		{"body that is no JSON", func(r *vipps.Request) { r.Body = func() {} }, "Body: json: unsupported type: func()"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			client := newClient(t, config(roundTrip(func(r *http.Request) (*http.Response, error) {
				t.Errorf("sent %s %s", r.Method, r.URL)
				return nil, errLost
			})))
			request := create()
			test.edit(&request)
			err := client.Do(t.Context(), request, nil)
			if want := "things.Create: invalid request: " + test.want; err == nil || err.Error() != want {
				t.Errorf("%v, want %s", err, want)
			}
			if !errors.Is(err, vipps.ErrInvalidRequest) || errors.Is(err, vipps.ErrOutcomeUnknown) {
				t.Errorf("%v is another error", err)
			}
		})
	}
}

func TestRequestAsItGoesOut(t *testing.T) {
	t.Parallel()
	service := newService(t)
	service.script(http.MethodPut, thingURL+"?a=1+2&b=%26", answer(200, `{"id":"1"}`))
	request := with(http.MethodPut)
	request.Query = url.Values{"a": {"1 2"}, "b": {"&"}}
	request.Header = http.Header{"accept": {"image/png"}}
	request.Body = []byte(`{ "as": "it is" }`)
	var result thing
	if err := newClient(t, config(service)).Do(t.Context(), request, &result); err != nil || result.ID != "1" {
		t.Fatalf("%+v, %v", result, err)
	}
	service.done()
	sent := service.sent(thingURL + "?a=1+2&b=%26")[0]
	if sent.body != `{ "as": "it is" }` || sent.header.Get("Accept") != "image/png" || sent.header.Get("Idempotency-Key") != "" {
		t.Errorf("%+v", sent)
	}
}
