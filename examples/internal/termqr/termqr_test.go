package termqr_test

import (
	"strings"
	"testing"

	"rsc.io/qr"

	"github.com/vippsvending/vipps/examples/internal/termqr"
)

func TestDraw(t *testing.T) {
	t.Parallel()
	const content = "https://vipps.test/landing?token=ThisIsOnlyATest"
	drawn, err := termqr.Draw(content)
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(content, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	const border = 4
	lines := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	if want := (code.Size + 2*border + 1) / 2; len(lines) != want {
		t.Fatalf("%d lines, want %d", len(lines), want)
	}
	for row, line := range lines {
		line, painted := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m")
		line, ended := strings.CutSuffix(line, "\x1b[0m")
		modules := []rune(line)
		if !painted || !ended || len(modules) != code.Size+2*border {
			t.Fatalf("line %d is not black on white over the whole width: %q", row, line)
		}
		for column, module := range modules {
			x, y := column-border, 2*row-border
			inside := func(y int) bool { return x >= 0 && x < code.Size && y >= 0 && y < code.Size }
			upper, lower := strings.ContainsRune("█▀", module), strings.ContainsRune("█▄", module)
			if upper != (inside(y) && code.Black(x, y)) || lower != (inside(y+1) && code.Black(x, y+1)) {
				t.Fatalf("line %d, column %d: %q is wrong", row, column, module)
			}
		}
	}
}

func TestDrawTooMuch(t *testing.T) {
	t.Parallel()
	if _, err := termqr.Draw(strings.Repeat("x", 5000)); err == nil {
		t.Error("no error")
	}
}
