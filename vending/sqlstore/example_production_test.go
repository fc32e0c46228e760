package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver is the program's choice

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/epayment"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/sqlstore"
	"github.com/vippsvending/vipps/webhooks"
)

// A whole program for a machine with a screen in front of customers: what is stored survives a power cut, webhooks are
// registered and verified, the money is brought to rest, and the end comes in order.
func Example_production() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// On a disk of this box that only this program may read.
	if err := serve(ctx, "/var/lib/acme-vend", "https://acme.example/vipps"); err != nil {
		log.Fatal(err)
	}
}

// serve sells until the context ends.
func serve(ctx context.Context, folder, hook string) error {
	key, err := hex.DecodeString(os.Getenv("SESSIONS_KEY")) // 64 hex digits from openssl rand -hex 32
	if err != nil {
		return fmt.Errorf("SESSIONS_KEY: %w", err)
	}
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(folder, "sessions.db")))
	if err != nil {
		return err
	}
	defer db.Close() // the last thing that happens
	store, err := sqlstore.Open(ctx, db, sqlstore.Options{Dialect: sqlstore.SQLite, Keys: [][]byte{key}})
	if err != nil {
		return err
	}
	machine, err := vending.Journaled(folder, turnMotor)
	if err != nil {
		return err
	}
	defer machine.Close()

	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Environment(os.Getenv("VIPPS_ENVIRONMENT")), // test or production
		Credentials: vipps.Credentials{
			ClientID:             os.Getenv("VIPPS_CLIENT_ID"),
			ClientSecret:         os.Getenv("VIPPS_CLIENT_SECRET"),
			SubscriptionKey:      os.Getenv("VIPPS_SUBSCRIPTION_KEY"),
			MerchantSerialNumber: os.Getenv("VIPPS_MERCHANT_SERIAL_NUMBER"),
		},
		System:  vipps.System{Name: "acme-vend", Version: "1.0.0"},
		BaseURL: os.Getenv("VIPPS_BASE_URL"), // empty but for an emulator
	})
	if err != nil {
		return err
	}
	operator, err := vending.NewOperator(vending.Config{
		Client: client, Machine: machine, Store: store, Currency: vipps.NOK,
		LegalLinks: epayment.MerchantLegalLinks{TermsOfSaleURL: "https://acme.example/terms", PrivacyPolicyURL: "https://acme.example/privacy"},
		Notify:     func(n vending.Notice) { slog.Warn("notice", "kind", n.Kind, "machine", n.Machine, "error", n.Err) },
		Logger:     slog.Default(),
	})
	if err != nil {
		return err
	}
	verifier, err := register(ctx, client, hook, filepath.Join(folder, "webhooks.json"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /vipps", &webhooks.Handler{Verifier: verifier, Handle: operator.HandleEvent})
	server := &http.Server{
		Addr: "127.0.0.1:8080", Handler: mux, // behind a proxy that has the certificate
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}

	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait() // before the machine and the store are closed
	defer cancel()
	working.Go(func() { _ = operator.Run(ctx) }) // finishes what an earlier process left as well
	working.Go(func() { sell(ctx, operator) })
	working.Go(func() { daily(ctx, operator, store) })
	working.Go(func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_ = server.Shutdown(last) // what is not delivered comes again
	})
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// turnMotor is where the machine's own protocol goes.
func turnMotor(_ context.Context, slot string) error {
	slog.Info("the motor turns", "slot", slot)
	return nil // dropped; vending.ErrJammed if certainly nothing came out; any other error if nobody knows
}

// chosen waits for a button of the machine.
func chosen(ctx context.Context) (vending.Product, error) {
	<-ctx.Done()
	return vending.Product{}, ctx.Err()
}

// sell serves one customer after another.
func sell(ctx context.Context, operator *vending.Operator) {
	for {
		product, err := chosen(ctx)
		if err != nil {
			return
		}
		session, err := operator.SellDynamicQR(ctx, vending.DynamicQROrder{
			Machine: "oslo12", Products: []vending.Product{product}, QRFormat: epayment.QRFormat{Format: epayment.QRPNG},
		}, func(vending.Code) {
			// Show the picture whose address is code.Content, and the amount.
		})
		switch {
		case err != nil:
			slog.Error("sale", "error", err)
		case session.Outcome.Result != vending.Sold:
			slog.Info("not sold", "session", session.ID, "summary", session.Summary())
		}
	}
}

// daily removes what bookkeeping no longer needs, and says what a person has to look at.
func daily(ctx context.Context, operator *vending.Operator, store vending.Store) {
	ticker := time.NewTicker(24 * time.Hour)
	defer ticker.Stop()
	for {
		if _, err := store.Prune(ctx, time.Now().AddDate(0, 0, -400)); err != nil { // refunds are possible for 365 days
			slog.Error("prune", "error", err)
		}
		for session, err := range operator.Attention(ctx, time.Now().AddDate(0, 0, -30)) {
			slog.Warn("look at", "session", session.ID, "what", session.Action(), "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// hooked is a registration as it is kept: a webhooks.Registration encodes its secret as [redacted].
type hooked struct {
	ID     string               `json:"id"`
	URL    string               `json:"url"`
	Events []webhooks.EventType `json:"events"`
	Secret string               `json:"secret"`
}

// register brings about that Vipps MobilePay sends payment events to an address, and keeps the secrets in a file.
func register(ctx context.Context, client *vipps.Client, address, path string) (*webhooks.Verifier, error) {
	var stored []hooked
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &stored)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	request := webhooks.EnsureRequest{URL: address, Events: webhooks.PaymentEvents()}
	for _, s := range stored {
		request.Known = append(request.Known, webhooks.Registration{ID: s.ID, URL: s.URL, Events: s.Events, Secret: vipps.Secret(s.Secret)})
	}
	result, failed := webhooks.New(client).Ensure(ctx, request)
	stored = nil
	for _, r := range result.Own { // first of all, whether it failed or not: nobody can read the secrets again
		stored = append(stored, hooked{r.ID, r.URL, r.Events, string(r.Secret)})
	}
	if data, err = json.Marshal(stored); err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err := errors.Join(failed, err); err != nil {
		return nil, err
	}
	return webhooks.NewVerifier(webhooks.VerifierConfig{URL: address, Secrets: result.Secrets()})
}
