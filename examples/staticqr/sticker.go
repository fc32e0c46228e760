package main

import (
	"context"
	"fmt"

	"github.com/vippsvending/vipps/examples/internal/termqr"
	"github.com/vippsvending/vipps/qr"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/webhooks"
)

// scan is the customer at the machine, up to the payment in the app.
func (s *sale) scan(ctx context.Context) error {
	if s.chooseFirst {
		if err := s.operator.ReportSelection(s.machine, cola); err != nil {
			return err
		}
		fmt.Println("chosen on the machine:", cola.Name)
	}
	if s.checkIn {
		return s.scanCallback(ctx)
	}
	if s.server.Emulator != nil {
		if err := s.scanRedirect(ctx); err != nil {
			return err
		}
	}
	fmt.Println("the button on the page is pressed")
	redirect, err := s.operator.OpenStaticQR(ctx, vending.StaticQROrder{Machine: s.machine, Items: s.most()})
	if err != nil {
		return err
	}
	return s.open(redirect)
}

// scanRedirect hangs up a redirect code and has the phone open its page.
func (s *sale) scanRedirect(ctx context.Context) error {
	sticker, err := qr.New(s.server.Client).EnsureRedirect(ctx,
		qr.RedirectSticker{ID: s.machine, RedirectURL: page(s.machine)}, qr.ImageOptions{Format: qr.TargetURL})
	if err != nil {
		return err
	}
	draw("the sticker", sticker.Code.Content)
	found, err := s.server.Emulator.Scan(sticker.Code.Content)
	if err != nil {
		return err
	}
	fmt.Println("scanned: the phone opens", found.Opens)
	return nil
}

// open is the page leading to the app.
func (s *sale) open(redirect *vending.Redirect) error {
	what := "for the exact price"
	if redirect.Maximum {
		what = "at most, and only reserved"
	}
	if s.server.Emulator == nil {
		draw(fmt.Sprintf("scan to pay %s, %s", redirect.Amount, what), string(redirect.URL))
		return nil
	}
	fmt.Printf("the app asks for %s, %s\n", redirect.Amount, what)
	_, err := s.server.Emulator.Scan(string(redirect.URL))
	return err
}

// scanCallback hangs up a callback code. Its scan is a webhook, which opens the session.
func (s *sale) scanCallback(ctx context.Context) error {
	if err := s.listen(ctx); err != nil {
		return err
	}
	sticker, err := qr.New(s.server.Client).EnsureCallback(ctx, // its id is the machine's name
		qr.CallbackSticker{ID: s.machine, LocationDescription: "Oslo S, platform 3", Category: qr.Vending}, qr.ImageOptions{Format: qr.TargetURL})
	if err != nil {
		return err
	}
	draw("the sticker", sticker.Code.Content)
	found, err := s.server.Emulator.Scan(sticker.Code.Content)
	if err != nil {
		return err
	}
	fmt.Println("scanned: the app says", found.Location)
	return nil
}

// listen has webhooks delivered to the operator. On a network the handler would be served at that address.
func (s *sale) listen(ctx context.Context) error {
	const address = "https://shop.example/hooks/vipps"
	hooks, err := webhooks.New(s.server.Client).Ensure(ctx, webhooks.EnsureRequest{
		URL: address, Events: append(webhooks.PaymentEvents(), webhooks.UserCheckedIn),
	})
	if err != nil {
		return err
	}
	verifier, err := webhooks.NewVerifier(webhooks.VerifierConfig{URL: address, Secrets: hooks.Secrets()})
	if err != nil {
		return err
	}
	s.server.Emulator.HandleWebhooks(address, &webhooks.Handler{Verifier: verifier, Handle: s.operator.HandleEvent})
	return nil
}

func draw(what, content string) {
	picture, err := termqr.Draw(content)
	if err != nil {
		fmt.Println("the code could not be drawn:", err)
		return
	}
	fmt.Printf("%s:\n%s", what, picture)
}
