// Package setup makes the client that an example uses. Without any environment variable that is a client of an emulator in
// this process; with them it is one of Vipps MobilePay, or of an emulator on a port.
package setup

import (
	"cmp"
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// Setup is what an example starts from.
type Setup struct {
	Client *vipps.Client
	// Emulator is the one in this process, so that an example can play the customer; nil if another server is used.
	Emulator *vippstest.Server
	// Images fetches what needs no keys, such as images of codes.
	Images *http.Client
	// Pretend says that no real money and no real phone is involved as far as can be told: any emulator.
	Pretend bool
	// Where says in words what the client talks to.
	Where string
}

// Close ends the emulator, if there is one.
func (s *Setup) Close() {
	if s.Emulator != nil {
		s.Emulator.Close()
	}
}

// New reads the environment: VIPPS_BASE_URL or VIPPS_ENVIRONMENT choose the server, VIPPS_CLIENT_ID, VIPPS_CLIENT_SECRET,
// VIPPS_SUBSCRIPTION_KEY and VIPPS_MERCHANT_SERIAL_NUMBER are the keys. With VIPPS_BASE_URL each of the others has a default
// that does for an emulator. The error is one line and names the variable.
//
// The program's name is sent with every request. Wrap, if not nil, is put around the connections.
func New(program string, wrap func(http.RoundTripper) http.RoundTripper) (*Setup, error) {
	return start(program, wrap, vippstest.Options{})
}

// NewEmulating is New with an emulator, if it comes to one, of a sales unit and customers of a particular kind.
func NewEmulating(program string, emulator vippstest.Options) (*Setup, error) {
	return start(program, nil, emulator)
}

func start(program string, wrap func(http.RoundTripper) http.RoundTripper, emulator vippstest.Options) (*Setup, error) {
	config := vipps.Config{
		Environment: vipps.Environment(os.Getenv("VIPPS_ENVIRONMENT")),
		Credentials: vipps.Credentials{
			ClientID:             os.Getenv("VIPPS_CLIENT_ID"),
			ClientSecret:         os.Getenv("VIPPS_CLIENT_SECRET"),
			SubscriptionKey:      os.Getenv("VIPPS_SUBSCRIPTION_KEY"),
			MerchantSerialNumber: os.Getenv("VIPPS_MERCHANT_SERIAL_NUMBER"),
		},
		System:  vipps.System{Name: "example-" + program, Version: vipps.Version},
		BaseURL: os.Getenv("VIPPS_BASE_URL"),
	}
	s := new(Setup)
	var connections http.RoundTripper = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	switch {
	case config.BaseURL != "":
		s.Where, s.Pretend = "the server that VIPPS_BASE_URL names", true
		keys := &config.Credentials
		config.Environment = cmp.Or(config.Environment, vipps.Test)
		keys.ClientID = cmp.Or(keys.ClientID, "example-id")
		keys.ClientSecret = cmp.Or(keys.ClientSecret, "example-secret")
		keys.SubscriptionKey = cmp.Or(keys.SubscriptionKey, "example-key")
		keys.MerchantSerialNumber = cmp.Or(keys.MerchantSerialNumber, "123456")
	case config.Environment == vipps.Test:
		s.Where = "the test environment of Vipps MobilePay"
	case config.Environment == vipps.Production:
		s.Where = "Vipps MobilePay itself: this is real money"
	case config.Environment == "" && config.Credentials == vipps.Credentials{}:
		s.Where, s.Pretend = "an emulator in this process", true
		s.Emulator = vippstest.New(emulator)
		keys := s.Emulator.Credentials()
		config.Environment, config.BaseURL = vipps.Test, s.Emulator.URL()
		config.Credentials = vipps.Credentials{
			ClientID: keys.ClientID, ClientSecret: keys.ClientSecret,
			SubscriptionKey: keys.SubscriptionKey, MerchantSerialNumber: keys.MerchantSerialNumber,
		}
		connections = s.Emulator.Transport()
	default:
		return nil, errors.New("VIPPS_ENVIRONMENT: must be test or production, or leave all VIPPS_ variables out to use an emulator")
	}
	s.Images = &http.Client{Transport: connections}
	if wrap != nil {
		connections = wrap(connections)
	}
	config.HTTPClient = &http.Client{Transport: connections}
	client, err := vipps.NewClient(config)
	if err != nil {
		s.Close()
		return nil, errors.New(inVariables.Replace(err.Error()))
	}
	s.Client = client
	return s, nil
}

// inVariables says a finding in terms of what the user has set.
var inVariables = strings.NewReplacer(
	"vipps.NewClient: invalid request: ", "", "\n", "; ",
	"Environment: must be vipps.Test or vipps.Production", "VIPPS_ENVIRONMENT: must be test or production",
	"Credentials.ClientID", "VIPPS_CLIENT_ID",
	"Credentials.ClientSecret", "VIPPS_CLIENT_SECRET",
	"Credentials.SubscriptionKey", "VIPPS_SUBSCRIPTION_KEY",
	"Credentials.MerchantSerialNumber", "VIPPS_MERCHANT_SERIAL_NUMBER",
	"BaseURL", "VIPPS_BASE_URL",
)
