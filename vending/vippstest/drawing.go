package vippstest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strings"

	"rsc.io/qr"
)

// A picture is how a request wants a code to be drawn.
type picture struct {
	format string // "svg", "png" or "text"
	size   int    // pixels on a side of a PNG
	border int    // pixels around a PNG's modules; less than 0 leaves it to the emulator
}

// Sizes of pictures, in pixels.
const (
	defaultSize               = 1024
	smallestSize, largestSize = 100, 2000
	widestBorder              = 100
)

// draw renders a text as a code.
func draw(text string, p picture) reply {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	if p.format != "png" {
		return reply{status: http.StatusOK, header: imageHeader("image/svg+xml"), body: drawSVG(code)}
	}
	body, err := drawPNG(code, p.size, p.border)
	if err != nil {
		return reply{status: http.StatusInternalServerError}
	}
	return reply{status: http.StatusOK, header: imageHeader("image/png"), body: body}
}

func imageHeader(kind string) http.Header {
	return http.Header{"Content-Type": {kind}, "Cache-Control": {"no-store"}, "Access-Control-Allow-Origin": {"*"}}
}

// quiet is the white border that a scanner needs, in modules.
const quiet = 4

func drawSVG(code *qr.Code) []byte {
	var b strings.Builder
	side := code.Size + 2*quiet
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`, side, side)
	fmt.Fprintf(&b, `<path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, side, side)
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return []byte(b.String())
}

// drawPNG makes the image exactly size pixels wide. All modules are of the same whole number of pixels, which scanners
// like best; what is left over becomes border.
func drawPNG(code *qr.Code, size, border int) ([]byte, error) {
	m := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	scale := size / (code.Size + 2*quiet)
	if border >= 0 {
		scale = (size - 2*border) / code.Size
	}
	scale = max(scale, 1)
	start := max(0, (size-scale*code.Size)/2)
	for y := start; y < min(size, start+scale*code.Size); y++ {
		line := m.Pix[y*m.Stride : y*m.Stride+size]
		for x := start; x < min(size, start+scale*code.Size); x++ {
			if code.Black((x-start)/scale, (y-start)/scale) {
				line[x] = 1
			}
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return b.Bytes(), err
}
