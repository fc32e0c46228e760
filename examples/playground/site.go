package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/landing"
)

// brand is the app that the pages speak of.
const brand = landing.Vipps

// newSite makes the pages behind the stickers.
func (w *worker) newSite() (*landing.Site, error) {
	often := landing.Rate{Burst: 1000, Every: time.Second} // one customer, who tries everything
	return landing.New(landing.Config{
		Operator: w.operator, Path: pagesPath, Machine: described,
		Name: "Corner Vending", Brand: brand, Contact: landing.Contact{Phone: "+47 12 34 56 78"},
		Terms: "https://shop.example/terms", Privacy: "https://shop.example/privacy", Language: "en",
		Limits: landing.Limits{Address: often, Machine: often},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
}

// described is what the pages have to know about a machine.
func described(_ context.Context, name string) (landing.Machine, error) {
	d := doorOf(name)
	if d.Machine == "" || !d.Sticker || d.Door == vending.CheckIn {
		return landing.Machine{}, vending.ErrNoMachine
	}
	return landing.Machine{Name: "This machine", Door: d.Door}, nil
}
