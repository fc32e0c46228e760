package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending/vippstest"
	"github.com/vippsvending/vipps/webhooks"
)

// hookAddress is where webhooks are registered for. Nobody has to find it: the emulator hands them to the forwarder.
const hookAddress = "https://shop.example/vipps"

// hookVariable tells a worker the secret of the registration.
const hookVariable = "VIPPS_SOAK_HOOK"

// forward registers for webhooks and has each of them brought to any worker. With faults some are lost on the way, come
// twice, late, or out of date.
func (w *world) forward(ctx context.Context) (address, secret string, err error) {
	client, err := vipps.NewClient(vipps.Config{
		Environment: vipps.Test,
		Credentials: vipps.Credentials{ClientID: "soak", ClientSecret: "soak", SubscriptionKey: "soak", MerchantSerialNumber: serialNumber},
		System:      vipps.System{Name: "example-soak", Version: vipps.Version},
		BaseURL:     w.address,
	})
	if err != nil {
		return "", "", err
	}
	registration, err := webhooks.New(client).Register(ctx, webhooks.RegisterRequest{URL: hookAddress, Events: webhooks.PaymentEvents()})
	if err != nil {
		return "", "", err
	}
	f := &forwarder{w: w, dice: dice(w.options, 5<<32)}
	w.vipps.HandleWebhooks(hookAddress, f)
	if w.faults {
		go w.spoil(ctx)
	}
	return hookAddress, string(registration.Secret), nil
}

// spoil makes deliveries go wrong, one now and then.
func (w *world) spoil(ctx context.Context) {
	d := dice(w.options, 6<<32)
	kinds := []vippstest.DeliveryFaultKind{
		vippstest.Duplicate, vippstest.Delay, vippstest.Drop, vippstest.ExtraFields, vippstest.NoIdempotencyKey,
		vippstest.BadSignature, vippstest.StaleDate, vippstest.ForgedBody, vippstest.NoAuthorization, vippstest.LostAnswer,
	}
	for pause(ctx, about(d, 300*time.Millisecond)) {
		w.vipps.InjectDelivery(vippstest.DeliveryFault{
			Skip: d.IntN(10), Kind: kinds[d.IntN(len(kinds))], Delay: between(d, 200*time.Millisecond, 3*time.Second),
		})
	}
}

// forwarder brings webhooks to workers, as a load balancer does.
type forwarder struct {
	w    *world
	mu   sync.Mutex
	dice *rand.Rand
}

// ServeHTTP brings one webhook to a worker, to two, or says that it has.
func (f *forwarder) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	luck, to := f.dice.IntN(20), f.dice.IntN(len(f.w.workers))
	f.mu.Unlock()
	if f.w.faults && luck == 0 {
		rw.WriteHeader(http.StatusAccepted) // and forgets it
		return
	}
	status := f.bring(r, body, to)
	if f.w.faults && luck == 1 {
		status = f.bring(r, body, to+1)
	}
	rw.WriteHeader(status)
}

func (f *forwarder) bring(r *http.Request, body []byte, to int) int {
	address := f.w.alive(to)
	if address == "" {
		return http.StatusServiceUnavailable
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+address+"/vipps", bytes.NewReader(body))
	if err != nil {
		return http.StatusInternalServerError
	}
	request.Header = r.Header.Clone()
	answer, err := f.w.client.Do(request)
	if err != nil {
		return http.StatusBadGateway
	}
	defer func() { _ = answer.Body.Close() }() // it says nothing
	return answer.StatusCode
}
