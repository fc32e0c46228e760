package contract_test

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/internal/contract"
	"github.com/vippsvending/vipps/ordermanagement"
	"github.com/vippsvending/vipps/qr"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

// folder is where the documents are. Without them a test is skipped, or fails where they are required.
func folder(t *testing.T) string {
	t.Helper()
	name, required := os.Getenv("VIPPS_SPECS"), os.Getenv("VIPPS_SPECS_REQUIRED") == "1"
	if name != "" {
		_, err := os.Stat(name)
		switch {
		case err == nil:
			return name
		case required:
			t.Fatalf("VIPPS_SPECS: %v", err)
		}
	}
	if required {
		t.Fatal("VIPPS_SPECS_REQUIRED is 1 and VIPPS_SPECS is not set: it names the folder with the OpenAPI documents")
	}
	t.Skip("the OpenAPI documents are not part of this module: set VIPPS_SPECS to the folder that has them, as in " +
		"VIPPS_SPECS=/path/to/specs go test ./internal/contract (VIPPS_SPECS_REQUIRED=1 makes their absence a failure)")
	return ""
}

func newChecker(t *testing.T) *contract.Checker {
	t.Helper()
	checker, err := contract.NewChecker(folder(t), contract.Documents)
	if err != nil {
		t.Fatal(err)
	}
	return checker
}

// A stop is one emulator of the tour, and clients that are watched.
type stop struct {
	t        *testing.T
	checker  *contract.Checker
	emulator *vippstest.Server
	client   *vipps.Client
	payments *epayment.Client
	webhooks *webhooks.Client
	codes    *qr.Client
	orders   *ordermanagement.Client
}

func newStop(t *testing.T, checker *contract.Checker, options vippstest.Options) *stop {
	t.Helper()
	s := &stop{t: t, checker: checker, emulator: vippstest.Start(t, options)}
	s.use(s.newClient(nil))
	return s
}

func (s *stop) use(client *vipps.Client) {
	s.client, s.payments, s.webhooks = client, epayment.New(client), webhooks.New(client)
	s.codes, s.orders = qr.New(client), ordermanagement.New(client)
}

func (s *stop) newClient(change func(*vipps.Config)) *vipps.Client {
	s.t.Helper()
	config := vipps.Config{
		Environment:            vipps.Test,
		Credentials:            vipps.Credentials(s.emulator.Credentials()),
		System:                 vipps.System{Name: "acme-vend", Version: "1.4.0", PluginName: "acme-vend-contract", PluginVersion: "0.1"},
		OrderManagementBaseURL: s.emulator.URL(), // which the test environment has not
		HTTPClient: &http.Client{Transport: &contract.Transport{
			Next: s.emulator.Transport(), Checker: s.checker,
			Report: func(f contract.Finding) { s.t.Errorf("%s", f) },
		}},
	}
	if change != nil {
		change(&config)
	}
	client, err := vipps.NewClient(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// raw sends a body that the clients would not.
func (s *stop) raw(method string, body any, key string, path ...string) error {
	return s.client.Do(contract.Wrong(s.t.Context()), vipps.Request{
		Op: "raw", Method: method, Path: path, Body: body, IdempotencyKey: key,
	}, nil)
}

// rawFor sends nothing with a serial number that the token is not for.
func (s *stop) rawFor(merchantSerialNumber, method string, path ...string) error {
	return s.client.Do(contract.Wrong(s.t.Context()), vipps.Request{
		Op: "raw", Method: method, Path: path, Header: http.Header{"Merchant-Serial-Number": {merchantSerialNumber}},
	}, nil)
}

func (s *stop) done(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Errorf("%v", err)
	}
}

// refused wants an answer with a status and a code; an empty code is none.
func (s *stop) refused(err error, status int, code vipps.Code) {
	s.t.Helper()
	answer, ok := errors.AsType[*vipps.Error](err)
	if !ok || answer.Status != status || answer.Code != code {
		s.t.Errorf("%v, want %d %s", err, status, code)
	}
}

// TestContract is the tour: everything the clients can say and everything the emulator can answer, each held to the documents.
func TestContract(t *testing.T) {
	checker := newChecker(t)
	complete := true
	for _, part := range tour {
		complete = t.Run(part.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { part.visit(newStop(t, checker, part.options)) })
		}) && complete
	}
	if !complete {
		return
	}
	unused, err := checker.Unused()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range unused {
		t.Errorf("nothing needs this exception: %s", x)
	}
	for _, f := range checker.Unseen() {
		t.Errorf("never seen: %s %s, %s: %s", f.API, f.Operation, f.Side, f.Where)
	}
	t.Logf("%d requests and their answers were held to %d documents", checker.Exchanges(), len(contract.Documents))
}

// part is one stop of the tour.
type part struct {
	name    string
	options vippstest.Options
	visit   func(*stop)
}

var tour = slices.Concat(tokenTour, epaymentTour, webhooksTour, qrTour, orderTour, vendingTour)
