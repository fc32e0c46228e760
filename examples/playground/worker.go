package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
)

// assignment is what a controller is told on its standard input, where nobody else sees it.
type assignment struct {
	Environment          vipps.Environment `json:"environment"`
	ClientID             string            `json:"clientID"`
	ClientSecret         string            `json:"clientSecret"`
	SubscriptionKey      string            `json:"subscriptionKey"`
	MerchantSerialNumber string            `json:"merchantSerialNumber"`
	Currency             vipps.Currency    `json:"currency"`
	// Vipps is where Vipps MobilePay is reached, Parts the motor and the shelf, Pages the customer's pages.
	Vipps string `json:"vipps"`
	Parts string `json:"parts"`
	Pages string `json:"pages"`
	// Secret is what the controller and the rest of the playground know each other by.
	Secret string `json:"secret"`
	Folder string `json:"folder"`
	// StoreKey seals what is stored, and PageKey makes the addresses of pages.
	StoreKey []byte `json:"storeKey"`
	PageKey  string `json:"pageKey"`
	// Hook is the address webhooks are registered for; empty if there are none.
	Hook        string   `json:"hook,omitzero"`
	HookSecrets []string `json:"hookSecrets,omitzero"`
	// Ahead is how far the playground's clock is ahead of the computer's.
	Ahead    time.Duration `json:"ahead,omitzero"`
	Settings settings      `json:"settings"`
}

// settings are the operator's policies, as the page sets them.
type settings struct {
	Hold   bool `json:"hold"`   // what nobody knows is left to a person
	Refund bool `json:"refund"` // a part that cannot be captured is captured in full and refunded
	Push   bool `json:"push"`   // check-ins are asked with PUSH_MESSAGE
}

// timeouts are those of a machine with somebody in front who wants to look around. The motor is near.
var timeouts = vending.Timeouts{
	Open: 30 * time.Second, Approve: 90 * time.Second, Select: 90 * time.Second,
	Start: 5 * time.Second, Verdict: 30 * time.Second,
}

// worker is the machine's controller: the operator's whole program. It is killed and started again.
type worker struct {
	assignment
	operator *vending.Operator
	machine  machine
	parts    *http.Client
	ahead    atomic.Int64

	mu  sync.Mutex
	out *json.Encoder
}

// report is a line on the standard output.
type report struct {
	Listening string           `json:",omitzero"`
	Session   *vending.Session `json:",omitzero"`
	// Code is what the screen shows.
	Code   string `json:",omitzero"`
	Notice string `json:",omitzero"`
	// CheckIn says that a check-in was refused, and Closed that the doors with a maximum are.
	CheckIn bool `json:",omitzero"`
	Closed  bool `json:",omitzero"`
}

// work is the controller's process. It ends when its input does, with the process that started it.
func work(ctx context.Context, input io.Reader, output io.Writer) error {
	lines := bufio.NewReader(input)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	w := &worker{out: json.NewEncoder(output), parts: &http.Client{Timeout: 20 * time.Second, Transport: new(http.Transport)}}
	if err := json.Unmarshal(line, &w.assignment); err != nil {
		return err
	}
	w.ahead.Store(int64(w.Ahead))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, lines) // its end is what counts
		cancel()
	}()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(w.Folder, "sessions.db")))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // every write was acknowledged or repeated
	store, err := sqlstore.Open(ctx, db, sqlstore.Options{Dialect: sqlstore.SQLite, Keys: [][]byte{w.StoreKey}, Clock: w.now})
	if err != nil {
		return err
	}
	journaled, err := vending.Journaled(w.Folder, w.turn)
	if err != nil {
		return err
	}
	w.machine = machine{journaled}
	defer func() { _ = w.machine.Close() }() // what it could not record is unknown, next time
	if w.operator, err = w.newOperator(store); err != nil {
		return err
	}
	handler, err := w.control(store)
	if err != nil {
		return err
	}
	return w.serve(ctx, handler, store)
}

func (w *worker) serve(ctx context.Context, handler http.Handler, store vending.Store) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if err := w.wake(ctx, store); err != nil {
		return err
	}
	w.tell(report{Listening: listener.Addr().String()})
	if err := w.operator.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	_ = server.Close() // whoever asks is gone as well
	<-ended
	return nil
}

// wake has everything that is open looked at now. There is no other controller that may be at it: this is the machine's
// only one, and it has just got its power.
func (w *worker) wake(ctx context.Context, store vending.Store) error {
	for s, err := range store.Open(ctx) {
		if err != nil {
			return err
		}
		w.show(s)
		if err := store.Wake(ctx, 0, s.ID); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

func (w *worker) newOperator(store vending.Store) (*vending.Operator, error) {
	client, err := vipps.NewClient(vipps.Config{
		Environment: w.Environment,
		Credentials: vipps.Credentials{
			ClientID: w.ClientID, ClientSecret: w.ClientSecret, SubscriptionKey: w.SubscriptionKey, MerchantSerialNumber: w.MerchantSerialNumber,
		},
		System:  vipps.System{Name: "example-playground", Version: vipps.Version},
		BaseURL: w.Vipps,
	})
	if err != nil {
		return nil, err
	}
	config := vending.Config{
		Client: client, Store: store, Machine: w.machine, Currency: w.Currency, Timeouts: timeouts,
		LegalLinks: epayment.MerchantLegalLinks{
			TermsOfSaleURL: "https://shop.example/terms", PrivacyPolicyURL: "https://shop.example/privacy",
		},
		Planogram: w.planogram,
		ReturnURL: w.Pages + "/s/{token}",
		PageKey:   vipps.Secret(w.PageKey),
		CheckIns:  &vending.CheckIns{},
		Observe:   func(t vending.Transition) { w.show(t.Session) },
		Notify:    w.notify,
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if w.Settings.Hold {
		config.UnknownVerdict = vending.HoldUnknown
	}
	if w.Settings.Refund {
		config.InFull = vending.CaptureAndRefund
	}
	if w.Settings.Push {
		config.CheckIns.UserFlow = epayment.PushMessage
	}
	return vending.NewOperator(config)
}

// notify tells the page what is no session's transition.
func (w *worker) notify(n vending.Notice) {
	slog.New(slog.NewTextHandler(os.Stderr, nil)).Warn("notice", slog.String("kind", string(n.Kind)), slog.Any("error", n.Err))
	w.tell(report{
		Notice: notice(n), CheckIn: n.Kind == vending.NoticeCheckIn,
		Closed: n.Kind == vending.NoticePartialCapture || errors.Is(n.Err, vending.ErrPartialCapture),
	})
}

const closedDoor = "This way to pay is closed for now. Please use another."

// notice is what the customer in front of the machine is told; empty if it is none of their business.
func notice(n vending.Notice) string {
	switch _, busy := errors.AsType[*vending.BusyError](n.Err); {
	case n.Kind != vending.NoticeCheckIn:
		return ""
	case busy:
		return "The machine is busy with another customer. Wait, and scan again."
	case errors.Is(n.Err, vending.ErrPartialCapture):
		return closedDoor
	case errors.Is(n.Err, vending.ErrSoldOut):
		return "Everything is sold out."
	default:
		return "The scan was not served. Please scan again."
	}
}

// show tells the page how a session stands. What must not be shown stays here, but for the code on the screen.
func (w *worker) show(s vending.Session) {
	line := report{Session: &s}
	if s.Door == vending.DynamicQR && s.State == vending.Waiting {
		line.Code = string(s.RedirectURL.Open())
	}
	s.Body, s.RedirectURL = vending.Sealed{}, vending.Sealed{}
	w.tell(line)
}

func (w *worker) tell(line report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.out.Encode(line) // when nobody listens the input has ended as well
}

// planogram is the price list, with what the shelf says is sold out.
func (w *worker) planogram(ctx context.Context, machine string) (vending.Planogram, error) {
	if doorOf(machine).Machine == "" {
		return vending.Planogram{}, vending.ErrNoMachine
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Parts+"/shelf", nil)
	if err != nil {
		return vending.Planogram{}, err
	}
	request.Header.Set(secretHeader, w.Secret)
	answer, err := w.parts.Do(request)
	if err != nil {
		return vending.Planogram{}, err
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	var left map[string]int
	if err := json.NewDecoder(answer.Body).Decode(&left); err != nil {
		return vending.Planogram{}, err
	}
	var list vending.Planogram
	for _, product := range catalog {
		product.SoldOut = left[product.Slot] == 0
		list.Products = append(list.Products, product.Product)
	}
	return list, nil
}

// machine tells its driver for what it turns, which the motor's counter needs.
type machine struct{ *vending.JournaledMachine }

// vendID is what the driver's context says the turn is for.
type vendID struct{}

// Vend implements [vending.Machine].
func (m machine) Vend(ctx context.Context, c vending.Command) (vending.Verdict, error) {
	return m.JournaledMachine.Vend(context.WithValue(ctx, vendID{}, c.ID), c)
}

// turn asks the motor, and waits for the sensor.
func (w *worker) turn(ctx context.Context, slot string) error {
	id, _ := ctx.Value(vendID{}).(string)
	asked, err := json.Marshal(turn{Vend: id, Slot: slot})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Parts+"/motor", bytes.NewReader(asked))
	if err != nil {
		return err
	}
	request.Header.Set(secretHeader, w.Secret)
	answer, err := w.parts.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it says nothing
	switch answer.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusConflict:
		return vending.ErrJammed
	default:
		return errors.New("the sensor says nothing")
	}
}
