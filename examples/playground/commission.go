package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/qr"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/webhooks"
)

// site is the address that stickers say where nobody has to reach it but the phone on the page.
const site = "https://vending.example"

// commission does what an operator does before the first customer: it has the stickers made and registers for webhooks.
// Of another server than the emulator it asks for what can be reached from there only.
func (p *playground) commission(ctx context.Context, public string) error {
	if p.emulator == nil && public == "" {
		return nil
	}
	client, err := vipps.NewClient(vipps.Config{
		Environment: p.told.Environment,
		Credentials: vipps.Credentials{
			ClientID: p.told.ClientID, ClientSecret: p.told.ClientSecret,
			SubscriptionKey: p.told.SubscriptionKey, MerchantSerialNumber: p.told.MerchantSerialNumber,
		},
		System:  vipps.System{Name: "example-playground", Version: vipps.Version},
		BaseURL: p.told.Vipps,
	})
	if err != nil {
		return err
	}
	base := site
	if public != "" {
		base = strings.TrimSuffix(public, "/")
	}
	codes := qr.New(client)
	for _, d := range doors {
		if !d.Sticker || d.Door == vending.CheckIn {
			continue
		}
		made, err := codes.EnsureRedirect(ctx, qr.RedirectSticker{
			ID: "playground-" + d.Machine, RedirectURL: base + pagesPath + "/" + d.Machine,
		}, qr.ImageOptions{Format: qr.TargetURL})
		if err != nil {
			return err
		}
		p.print(d.ID, made.Code.Content)
	}
	if p.emulator == nil {
		return nil
	}
	p.print("own", p.emulator.PersonalQR(number))
	return p.listen(ctx, client, codes)
}

// listen has check-ins and payment events told to the playground, and the callback code made that needs it.
func (p *playground) listen(ctx context.Context, client *vipps.Client, codes *qr.Client) error {
	p.told.Hook = p.told.Parts + hookPath
	result, err := webhooks.New(client).Ensure(ctx, webhooks.EnsureRequest{
		URL: p.told.Hook, Events: append(webhooks.PaymentEvents(), webhooks.UserCheckedIn),
	})
	if err != nil {
		return err
	}
	for _, secret := range result.Secrets() {
		p.told.HookSecrets = append(p.told.HookSecrets, string(secret))
	}
	machine, _ := doorNamed("callback")
	made, err := codes.EnsureCallback(ctx, qr.CallbackSticker{
		ID: machine.Machine, LocationDescription: "Playground", Category: qr.Vending,
	}, qr.ImageOptions{})
	if err != nil {
		return err
	}
	p.print(machine.ID, made.Code.Content)
	return nil
}

// print keeps what a code says.
func (p *playground) print(of, content string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.code[of] = content
	p.touch()
}

// keysIn gives 64 random bytes, the same whenever the folder is used: what is stored stays readable, and pages stay where
// they are. That is enough for a playground: who copies the folder has both.
func keysIn(folder string) ([]byte, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "keys")
	kept, err := os.ReadFile(path) //nolint:gosec // who runs the playground says where
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kept = make([]byte, 64)
		_, _ = rand.Read(kept) // never fails
		return kept, os.WriteFile(path, kept, 0o600)
	case err != nil:
		return nil, err
	case len(kept) != 64:
		return nil, fmt.Errorf("%s: holds no keys", path)
	}
	return kept, nil
}

// same compares secrets.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
