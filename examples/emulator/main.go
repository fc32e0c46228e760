// Emulator serves an emulated Vipps MobilePay on a port, with the customer's phone as a page at /phone; a payment's
// redirect URL leads to a page of it as well. Any non-empty credentials do, and webhooks may go to http addresses of this
// machine. Nothing is kept: it forgets all when it ends.
//
//	go run ./examples/emulator
//	VIPPS_BASE_URL=http://127.0.0.1:8080 go run ./examples/dynamicqr     # in another terminal; approve on /phone
//
// Programs in any language work, if they let the address of the API be set.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vippsvending/vipps/examples/internal/phone"
	"github.com/vippsvending/vipps/examples/internal/setup"
	"github.com/vippsvending/vipps/vending/vippstest"
)

const purpose = "Serves an emulated Vipps MobilePay on a port, with the customer's phone as a page at /phone. Nothing is kept."

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on; port 0 takes a free one")
	lenient := flag.Bool("lenient", false, "ignore unknown fields in requests, as Vipps MobilePay is said to do at times")
	setup.Usage(flag.CommandLine, "emulator", "", purpose)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *addr, *lenient); err != nil {
		fmt.Fprintln(os.Stderr, "emulator:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, addr string, lenient bool) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	public := "http://" + reachable(listener.Addr())
	srv := vippstest.New(vippstest.Options{
		PublicURL: public, AcceptAnyCredentials: true, AllowLoopbackHTTP: true, LenientFields: lenient, Logf: log.Printf,
	})
	pages := http.NewServeMux()
	pages.Handle("/", phone.Handler(srv))
	pages.Handle("/{$}", http.RedirectHandler("/phone", http.StatusSeeOther))
	server := &http.Server{Handler: pages, ReadHeaderTimeout: 10 * time.Second}

	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Println("listening on", public)
	log.Printf("the customer's phone is at %s/phone", public)
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	srv.Close() // ends answers that are held back
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		_ = server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	log.Print("bye")
	return nil
}

// reachable is an address that a program on this machine can call.
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
