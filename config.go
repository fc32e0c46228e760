package vipps

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vippsvending/vipps/internal/redact"
)

// Environment is one of the two worlds of Vipps MobilePay. They share nothing: keys, serial numbers, webhooks and codes
// belong to one of them.
type Environment string

// The environments.
const (
	Production Environment = "production"
	Test       Environment = "test"
)

func (e Environment) baseURL() string {
	switch e {
	case Production:
		return "https://api.vipps.no"
	case Test:
		return "https://apitest.vipps.no"
	default:
		return ""
	}
}

// Credentials are the API keys of a sales unit, from the business portal, under For developers. Partner keys work as well;
// see [Client.ForMerchant]. Credentials print without the keys in fmt, JSON and slog, with the exceptions of [Secret].
type Credentials struct {
	ClientID        string `json:"-"`
	ClientSecret    string `json:"-"`
	SubscriptionKey string `json:"-"` // Ocp-Apim-Subscription-Key; the primary or the secondary one
	// MerchantSerialNumber is the number of the sales unit, 4 to 10 digits.
	MerchantSerialNumber string
}

// Format prints the serial number and nothing else, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "{MerchantSerialNumber:"+c.MerchantSerialNumber+" keys:"+redacted+"}") // fmt.State keeps no error
}

// LogValue gives slog the serial number and nothing else.
func (c Credentials) LogValue() slog.Value {
	return slog.GroupValue(slog.String("merchant_serial_number", c.MerchantSerialNumber), slog.String("keys", redacted))
}

// System names your software in every request, which Vipps MobilePay's support needs to help. Values over 30 characters
// are cut to fit.
type System struct {
	Name          string // your company or product: "acme-vend"; required
	Version       string // required
	PluginName    string // defaults to Name
	PluginVersion string // defaults to Version
}

// Config is what a [Client] is made of. Fields without a default are required.
type Config struct {
	// Environment has no default: forgetting it is an error, never production.
	Environment Environment
	Credentials Credentials
	System      System

	// BaseURL is used instead of the environment's address: an emulator, a proxy. It must be https, or http on loopback.
	// Defaults to the environment's.
	BaseURL string
	// OrderManagementBaseURL is the address of the Order Management API, which exists in production only.
	// Defaults to BaseURL if that is set, else to the production address in [Production]; in [Test] there is none, and its
	// calls give [ErrNotAvailable].
	OrderManagementBaseURL string

	// HTTPClient gives its Transport, which is where tracing goes, and its Timeout, which is for one attempt and defaults to
	// 30 seconds. Redirects and cookies are never used. Defaults to a client with its own connections. A Transport of yours
	// should set MaxIdleConnsPerHost, since net/http keeps only two, and HTTP2.SendPingTimeout, since without it net/http
	// goes on using an HTTP/2 connection that has gone silent.
	HTTPClient *http.Client
	// Logger hears of every attempt at level debug and of every repetition at level warn, without addresses, bodies,
	// phone numbers or keys. Defaults to silence.
	Logger *slog.Logger
}

// Format prints the configuration without its keys, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) {
	type plain Config
	redact.Format(f, plain(c))
}

func isSerialNumber(s string) bool {
	return len(s) >= 4 && len(s) <= 10 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func (c *Config) validate() error {
	var findings []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			findings = append(findings, fmt.Errorf(format, args...))
		}
	}
	require(c.Environment == Production || c.Environment == Test, "Environment: must be vipps.Test or vipps.Production")
	for _, key := range []struct{ name, value string }{
		{"ClientID", c.Credentials.ClientID}, {"ClientSecret", c.Credentials.ClientSecret}, {"SubscriptionKey", c.Credentials.SubscriptionKey},
	} {
		require(key.value != "" && printable(key.value), "Credentials.%s: must be set, without blanks or line ends", key.name)
	}
	require(isSerialNumber(c.Credentials.MerchantSerialNumber), "Credentials.MerchantSerialNumber: must be 4 to 10 digits")
	for _, part := range []struct{ name, value string }{{"Name", c.System.Name}, {"Version", c.System.Version}} {
		require(strings.TrimSpace(part.value) != "", "System.%s: must be set", part.name)
	}
	for _, part := range []struct{ name, value string }{
		{"Name", c.System.Name}, {"Version", c.System.Version}, {"PluginName", c.System.PluginName}, {"PluginVersion", c.System.PluginVersion},
	} {
		require(printable(strings.ReplaceAll(part.value, " ", "")), "System.%s: must be printable ASCII", part.name)
	}
	for _, address := range []struct{ name, value string }{{"BaseURL", c.BaseURL}, {"OrderManagementBaseURL", c.OrderManagementBaseURL}} {
		require(address.value == "" || isBaseURL(address.value), "%s: must be an https address, or http on loopback, without a query", address.name)
	}
	if len(findings) == 0 {
		return nil
	}
	return fmt.Errorf("vipps.NewClient: %w: %w", ErrInvalidRequest, errors.Join(findings...))
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// unprintable says that a value does not fit into a header.
func unprintable(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func isBaseURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.ContainsAny(address, "?# ") {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}

// header is what every request carries.
func (s System) header() http.Header {
	cut := func(value, otherwise string) []string {
		value = cmp.Or(strings.TrimSpace(value), strings.TrimSpace(otherwise))
		return []string{strings.TrimSpace(value[:min(len(value), 30)])}
	}
	return http.Header{
		"Vipps-System-Name":           cut(s.Name, ""),
		"Vipps-System-Version":        cut(s.Version, ""),
		"Vipps-System-Plugin-Name":    cut(s.PluginName, s.Name),
		"Vipps-System-Plugin-Version": cut(s.PluginVersion, s.Version),
		"User-Agent":                  {"vippsvending-go/" + Version},
	}
}

// ownClient is used when the caller has no client of their own. Many calls go to one host at the same time.
func ownClient() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer.DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          100,
		MaxIdleConnsPerHost:   100,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		// Where an HTTP/2 connection goes silent, as behind a mobile network's NAT, all calls would use it and time out until
		// the kernel gives up, a quarter of an hour later. Both together are less than one attempt may take.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
	}}
}
