// Package termqr draws QR codes in a terminal.
package termqr

import (
	"strings"

	"rsc.io/qr"
)

// quiet is the white border that a scanner needs, in modules.
const quiet = 4

// The colours are black on white of the fixed part of the palette, so that a scanner can read the code whatever the
// terminal's own colours are.
const (
	paint = "\x1b[38;5;16;48;5;231m"
	reset = "\x1b[0m"
)

// Draw makes lines of half blocks, two modules in each character.
func Draw(content string) (string, error) {
	code, err := qr.Encode(content, qr.L)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for y := -quiet; y < code.Size+quiet; y += 2 {
		b.WriteString(paint)
		for x := -quiet; x < code.Size+quiet; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1); {
			case upper && lower:
				b.WriteString("█")
			case upper:
				b.WriteString("▀")
			case lower:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString(reset + "\n")
	}
	return b.String(), nil
}
