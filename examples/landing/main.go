// Landing is the site behind the stickers of three machines: what a customer's phone opens when it scans one. It prints the
// addresses that the stickers lead to; open one in a browser.
//
//	go run ./examples/landing                                # an emulator in this process: its pages are the customer's app
//	go run ./examples/landing -db f.db                       # sessions are kept: what an earlier run left open goes on
//	go run ./examples/landing -public https://acme.example   # behind a proxy or a tunnel of that name; draws the stickers
//
// With -public, customers are told apart by what the proxy appends to X-Forwarded-For: one has to be there that does, and
// passes on the Host header. Without it the pages are for browsers on this machine.
//
// At oslo1 the customer chooses on the page. At oslo2 and oslo3 they choose on the machine, whose keys are the lines typed
// here: "oslo2 A1" before they pay, "oslo3 A1" after they have approved the dearest price as a maximum; "oslo3 done" ends
// that, and "oslo3 return" is the return button.
//
// With VIPPS_BASE_URL or VIPPS_ENVIRONMENT and the keys set (see ../internal/setup) it uses that server. Vipps MobilePay
// itself sends customers back to https addresses only, so that needs -public.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/vippsvending/vipps/examples/internal/database"
	"github.com/vippsvending/vipps/examples/internal/phone"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/examples/internal/termqr"
	"github.com/vippsvending/vipps/vending/vippstest"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8081", "address to listen on; port 0 takes a free one")
	public := flag.String("public", "", "the https address that customers reach this program by, if it is another")
	db := flag.String("db", "", "a file to keep sessions in; empty for memory")
	pace := flag.Duration("pace", 2*time.Second, "how long a motor turns")
	setup.Usage(flag.CommandLine, "landing", "", "The site behind the stickers of three machines: what a customer's phone opens. Without VIPPS_ variables it uses an emulator in this process.")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *public, *db, *pace); err != nil {
		fmt.Fprintln(os.Stderr, "landing:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr, public, db string, pace time.Duration) error {
	if database.IsPostgreSQL(db) {
		return errors.New("-db: must be a file: the machines are in this program, and so are their journals")
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // a second time at the latest
	proxied := public != ""
	if public = strings.TrimSuffix(public, "/"); public == "" {
		public = "http://" + reachable(listener.Addr())
	}
	server, err := setup.NewEmulating("landing", vippstest.Options{PublicURL: public, AllowLoopbackHTTP: true})
	if err != nil {
		return err
	}
	defer server.Close()
	kept, err := database.Open(ctx, db)
	if err != nil {
		return err
	}
	defer kept.Close()
	s, err := newShop(server, kept, public, db, pace, proxied)
	if err != nil {
		return err
	}
	defer database.Run(ctx, s.operator)()

	mux := http.NewServeMux()
	mux.Handle(mount+"/", ownHost(public, s.site))
	if server.Emulator != nil {
		mux.Handle("/", phone.Handler(server.Emulator))
	}
	fmt.Println("using", server.Where)
	for _, m := range fleet {
		address := public + mount + "/" + m.name
		fmt.Printf("the sticker of %s, %s: %s\n", m.name, m.what, address)
		if picture, err := termqr.Draw(address); proxied && err == nil {
			fmt.Print(picture)
		}
	}
	go s.keys(ctx, os.Stdin)
	go func() {
		if err := kept.Resume(ctx, server.Client, s.operator); err != nil && ctx.Err() == nil {
			slog.Warn("resume", slog.Any("error", err))
		}
	}()
	return s.serve(ctx, listener, mux)
}

// serve ends with the context. The pages that are open would hold that up, if nobody told them.
func (s *shop) serve(ctx context.Context, listener net.Listener, pages http.Handler) error {
	server := &http.Server{
		Handler: pages, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	server.RegisterOnShutdown(s.site.Close)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		_ = server.Close()
	}
	fmt.Println("bye: what is left open goes on with the next run, if it is kept")
	return nil
}

// reachable is an address that a browser on this machine can open.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
