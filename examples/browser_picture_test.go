package examples_test

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/vippsvending/vipps/examples/internal/browser"
	"github.com/vippsvending/vipps/examples/internal/process"
)

var update = flag.Bool("update", false, "write the pictures of README.md anew")

// keep writes a picture of README.md.
func keep(t *testing.T, name string, picture []byte) {
	t.Helper()
	docs := filepath.Join("..", "docs")
	if err := os.MkdirAll(docs, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(docs, name), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestBrowserPicturePlayground(t *testing.T) {
	t.Parallel()
	if !*update {
		t.Skip("the picture is written with -update")
	}
	p := openPlayground(t, process.Build(t, ".", "playground"), "selection")
	var picture []byte
	follow(t, p, func(now looks) {
		if now.Lit == "flap" { // the product lies there, and the phone shows its page
			p.Frame("#frame").WaitText(thanks)
			p.WaitText("At rest: 25.00 NOK dropped, 25.00 NOK captured.")
			picture = p.Screen()
		}
	})
	keep(t, "playground.png", picture)
}

// The pages of a sale, side by side: choosing, coming back to approve, and the end.
func TestBrowserPictureLanding(t *testing.T) {
	t.Parallel()
	if !*update {
		t.Skip("the picture is written with -update")
	}
	s := openShop(t, browser.Options{}, nil)
	p := s.visit("/m/" + selecting)
	doors["selection"].begin(s, p, cola, chips)
	p.WaitText("Total 57.00 NOK")
	screens := [][]byte{p.Screen()}
	s.pay(p)
	p.Back()
	p.Open(s.address + "/m/" + selecting)
	p.WaitText("Approve in Vipps")
	screens = append(screens, p.Screen())
	p.Click("button", "Continue in Vipps")
	p.Click("button", approve)
	p.WaitText(thanks)
	keep(t, "landing.png", beside(t, append(screens, p.Screen())))
}

// beside puts pictures of one size next to each other.
func beside(t *testing.T, pictures [][]byte) []byte {
	t.Helper()
	const gap = 24
	var all *image.RGBA
	for i, picture := range pictures {
		one, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			t.Fatal(err)
		}
		size := one.Bounds().Size()
		if all == nil {
			all = image.NewRGBA(image.Rect(0, 0, len(pictures)*(size.X+gap)+gap, size.Y+2*gap))
			draw.Draw(all, all.Bounds(), image.NewUniform(color.Gray{0xd8}), image.Point{}, draw.Src)
		}
		corner := image.Pt(gap+i*(size.X+gap), gap)
		draw.Draw(all, image.Rectangle{corner, corner.Add(size)}, one, one.Bounds().Min, draw.Src)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, all); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
