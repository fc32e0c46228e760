package landing

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
)

// Config is what a [Site] is made of. Operator, Machine, Name, Contact and Terms are required.
type Config struct {
	// Operator makes the payments. Its Config.ReturnURL is the address of this site's status page, as customers reach it:
	// "https://" and your host, then Path, then "/s/{token}". With http, which is for an emulator, cookies are not secure.
	// Machines with the doors SiteSelection and StaticQR need its Config.Planogram; without it their pages answer 503.
	Operator *vending.Operator
	// Machine gives what the pages have to know about a machine, and [vending.ErrNoMachine] for names that it does not know:
	// anybody can make one up. It is asked for each page, by many goroutines.
	Machine func(ctx context.Context, name string) (Machine, error)
	// Path is where the site is mounted: "/m" makes https://host/m/{machine}. Defaults to the root of the host.
	Path string

	// Name is who sells, as the customer knows them.
	Name string
	// Logo is a PNG, JPEG, WebP or SVG image of at most 512 KiB. Without one the Name is shown.
	Logo []byte
	// Contact is for customers whose purchase went wrong. One of its fields is required.
	Contact Contact
	// Terms and Privacy are the https addresses of the terms of sale, which the customer accepts by pressing pay, and of the
	// privacy policy. Privacy may be empty.
	Terms, Privacy string

	// Brand is how the customer knows the app. Defaults to Vipps for NOK; for DKK and EUR to MobilePay until 2027-01-12, when
	// it becomes Vipps.
	Brand Brand
	// Language is for customers whose browser asks for none that there is: "nb", "da", "fi", "sv" or "en". Defaults to that of
	// the currency.
	Language string
	// Templates replaces templates by files of the same name at the root of the FS; what is embedded from a folder needs fs.Sub.
	// The package comment has the names and what they are given.
	Templates fs.FS

	Limits Limits
	// ClientAddress is where a request comes from, for the limits. Defaults to the other end of the connection, which behind a
	// proxy is the proxy: all customers then share one limit. Take the address only from a header that your own proxy sets
	// anew; a proxy that appends to X-Forwarded-For passes on what anybody has written there before it.
	ClientAddress func(*http.Request) netip.Addr
	// Logger hears at level warn of what the customer was told nothing exact about. Defaults to silence.
	Logger *slog.Logger
}

// Machine is what the pages have to know about a machine.
type Machine struct {
	// Name is shown to the customer: "Central station, platform 3". Defaults to nothing.
	Name string
	// Door is vending.SiteSelection, vending.SitePayment or vending.StaticQR. Defaults to vending.SiteSelection.
	Door vending.Door
	// Items and MinimumUserAge are those of [vending.StaticQROrder].
	Items          int
	MinimumUserAge int
	// Language is as in [Config], for this machine.
	Language string
}

// Contact is how a customer reaches the operator: at least one way.
type Contact struct {
	Phone string // as it is dialled: "+47 12 34 56 78"
	Email string
	URL   string // https
}

// Dial is the phone number as a link has it.
func (c Contact) Dial() string { return strings.ReplaceAll(c.Phone, " ", "") }

// Brand is the name of the app.
type Brand string

// The brands.
const (
	Vipps     Brand = "Vipps"
	MobilePay Brand = "MobilePay"
)

// oneBrand is when MobilePay becomes Vipps: the beginning of 2027-01-12 in Copenhagen.
var oneBrand = time.Date(2027, 1, 11, 23, 0, 0, 0, time.UTC)

func brandOf(currency vipps.Currency, at time.Time) Brand {
	if currency == vipps.NOK || !at.Before(oneBrand) {
		return Vipps
	}
	return MobilePay
}

func (c *Config) validate() error {
	var wrong []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	require(c.Operator != nil, "Operator: must be set")
	require(c.Machine != nil, "Machine: must be set")
	mounted := isPath.MatchString(c.Path) && (c.Path == "" || path.Clean(c.Path) == c.Path)
	require(mounted, `Path: must be empty or like "/m", without a slash at its end`)
	if c.Operator != nil && mounted {
		returns, want := c.Operator.ReturnURL(), c.Path+"/s/{token}"
		u, err := url.Parse(returns)
		require(err == nil && u.Path == want && strings.HasSuffix(returns, u.Host+want), "Operator: its ReturnURL is %q, and must be https://, the host and %q: customers come back to it", returns, want)
	}
	require(c.Name != "", "Name: must be set")
	require(len(c.Logo) == 0 || imageType(c.Logo) != "" && len(c.Logo) <= 512<<10, "Logo: must be a PNG, JPEG, WebP or SVG image of at most 512 KiB")
	require(c.Contact != Contact{}, "Contact: must have a Phone, Email or URL")
	require(c.Contact.Phone == "" || isPhone.MatchString(c.Contact.Phone), "Contact.Phone: must be digits, spaces and a + in front")
	require(c.Contact.Email == "" || isEmail.MatchString(c.Contact.Email), "Contact.Email: must be an address")
	require(c.Contact.URL == "" || isHTTPS(c.Contact.URL), "Contact.URL: must be an https address")
	require(isHTTPS(c.Terms), "Terms: must be an https address: the customer accepts them by pressing pay")
	require(c.Privacy == "" || isHTTPS(c.Privacy), "Privacy: must be an https address")
	require(slices.Contains([]Brand{"", Vipps, MobilePay}, c.Brand), "Brand: must be Vipps or MobilePay")
	require(c.Language == "" || isLanguage(c.Language), "Language: must be one of %v", languages)
	c.Limits.validate(require)
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("landing.New: %w: %w", vipps.ErrInvalidRequest, errors.Join(wrong...))
}

func (c *Config) setDefaults() {
	c.Language = cmp.Or(c.Language, map[vipps.Currency]string{vipps.NOK: "nb", vipps.DKK: "da", vipps.EUR: "fi"}[c.Operator.Currency()])
	c.Limits.setDefaults()
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.ClientAddress == nil {
		c.ClientAddress = remoteAddress
	}
}

var (
	isPath    = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)
	isPhone   = regexp.MustCompile(`^\+?[0-9][0-9 ]{1,20}$`)
	isEmail   = regexp.MustCompile(`^[^@\s<>"]+@[^@\s<>"]+$`)
	isMachine = regexp.MustCompile(`^[1-9a-z-][0-9a-z-]{0,24}$`)
)

func isHTTPS(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// imageType is the type of an image that browsers show; empty for anything else.
func imageType(image []byte) string {
	start := bytes.TrimSpace(image[:min(len(image), 1024)])
	if bytes.HasPrefix(start, []byte("<svg")) || bytes.HasPrefix(start, []byte("<?xml")) && bytes.Contains(start, []byte("<svg")) {
		return "image/svg+xml"
	}
	if kind := http.DetectContentType(image); slices.Contains([]string{"image/png", "image/jpeg", "image/webp"}, kind) {
		return kind
	}
	return ""
}
