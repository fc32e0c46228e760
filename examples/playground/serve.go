package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending/vippstest"
)

// serve builds the playground and shows it until the context ends.
func serve(ctx context.Context, o options, folder string) error {
	front, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return fmt.Errorf("-addr: %w", err)
	}
	defer func() { _ = front.Close() }() // the server has closed it
	host, _, err := net.SplitHostPort(front.Addr().String())
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return errors.New("-addr: must be of this machine only, such as 127.0.0.1:8080: whoever reaches the page can press its buttons")
	}
	back, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = back.Close() }() // as above
	address := "http://" + front.Addr().String()
	p, err := newPlayground(ctx, o, folder, address, "http://"+back.Addr().String())
	if err != nil {
		return err
	}
	defer p.close()
	servers := []*http.Server{
		{Handler: p.pages(), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }},
		{Handler: p.backstage(), ReadHeaderTimeout: 10 * time.Second},
	}
	ended := make(chan error, len(servers))
	for i, listener := range []net.Listener{front, back} {
		go func() { ended <- servers[i].Serve(listener) }()
	}
	if err := p.commission(ctx, o.public); err != nil {
		return err
	}
	if err := p.restore(); err != nil {
		return err
	}
	fmt.Println("using", p.where)
	fmt.Println("open", address)
	select {
	case err = <-ended:
	case <-ctx.Done():
		fmt.Println("bye")
	}
	p.child.kill()
	for _, server := range servers {
		_ = server.Close() // whoever looks at the page sees that it has ended
	}
	return err
}

// newPlayground makes everything but the controller, which is started later.
func newPlayground(ctx context.Context, o options, folder, address, back string) (*playground, error) {
	keys, err := keysIn(folder)
	if err != nil {
		return nil, fmt.Errorf("-db: %w", err)
	}
	p := &playground{
		ctx: ctx, power: "off", door: doors[0], change: make(chan struct{}), sales: map[string]*sale{}, code: map[string]string{},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 20, IdleConnTimeout: time.Minute}},
	}
	p.motor, p.child = newMotor(p, o.pace), &child{said: p.heard, died: p.died}
	p.hook, p.gate = &hook{playground: p, client: p.client}, &gate{playground: p}
	p.told = assignment{
		Environment: vipps.Test, Currency: vipps.NOK, Vipps: back, Parts: back, Secret: rand.Text(), Folder: folder,
		StoreKey: keys[:32], PageKey: fmt.Sprintf("%x", keys[32:]), Pages: cmp.Or(strings.TrimSuffix(o.public, "/"), address) + pagesPath,
		ClientID: cmp.Or(os.Getenv("VIPPS_CLIENT_ID"), "example-id"), ClientSecret: cmp.Or(os.Getenv("VIPPS_CLIENT_SECRET"), "example-secret"),
		SubscriptionKey:      cmp.Or(os.Getenv("VIPPS_SUBSCRIPTION_KEY"), "example-key"),
		MerchantSerialNumber: cmp.Or(os.Getenv("VIPPS_MERCHANT_SERIAL_NUMBER"), "123456"),
	}
	if o.public != "" {
		u, err := url.Parse(o.public)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return nil, errors.New("-public: must be an https address")
		}
		p.public = u.Host
	}
	target := os.Getenv("VIPPS_BASE_URL")
	switch {
	case target != "":
		p.where = "the server that VIPPS_BASE_URL names"
	case os.Getenv("VIPPS_ENVIRONMENT") != "":
		p.where, target = "the test environment of Vipps MobilePay", "https://apitest.vipps.no"
	default:
		p.where = "an emulator in this process: no money moves"
		p.emulator = vippstest.New(vippstest.Options{
			PublicURL: address, AcceptAnyCredentials: true, AllowLoopbackHTTP: true,
			NoRateLimits: true, // nobody wants to wait a minute in a demonstration
		})
		p.gate.emulator, p.gate.vipps = p.emulator, p.emulator
		return p, nil
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, errors.New("VIPPS_BASE_URL: is no address")
	}
	p.gate.vipps = &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(u) },
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true},
	}
	return p, nil
}

func (p *playground) close() {
	p.child.kill()
	if p.emulator != nil {
		p.emulator.Close()
	}
}

// backstage is what the controller and Vipps MobilePay reach, each with a secret of its own: the motor, the shelf, webhooks,
// and the network.
func (p *playground) backstage() http.Handler {
	known := func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if !same(r.Header.Get(secretHeader), p.told.Secret) {
				http.Error(w, "not for you", http.StatusForbidden)
				return
			}
			next(w, r)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /motor", known(p.motor.ServeHTTP))
	mux.HandleFunc("GET /shelf", known(p.motor.shelf))
	mux.Handle("POST "+hookPath, p.hook)
	mux.Handle("/", p.gate)
	sameSite := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch { // a site in a browser of this machine
		case !ownName(r.Host):
			http.Error(w, "not for you", http.StatusMisdirectedRequest)
		case sameSite.Check(r) != nil:
			http.Error(w, "not for you", http.StatusForbidden)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}
