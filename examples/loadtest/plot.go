package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"time"
)

// The drawing's size and margins, in points.
const (
	wide, high                = 860.0, 430.0
	left, right, above, below = 76.0, 110.0, 54.0, 52.0
	dots                      = 6000 // more are not seen
	grey, faint, blue         = "#808080", "#80808040", "#3987e5"
	middle, upper, uppermost  = "#199e70", "#c98500", "#d55181"
	small, font               = 12, "system-ui, -apple-system, sans-serif"
)

// draw writes the time from approval to vend command of each sale, as it came, with the quantiles. It is readable on white
// and on black.
func (f *findings) draw(path string) error {
	if len(f.sales) == 0 {
		return fmt.Errorf("-plot: %s: nothing was sold", path)
	}
	q := f.latency(0, 0.5, 0.95, 0.99, 1)
	a := axes{seconds: max(f.sales[len(f.sales)-1].at.Seconds(), 1), low: math.Floor(math.Log10(milliseconds(q[0]))), high: math.Ceil(math.Log10(milliseconds(q[4])))}
	a.high = max(a.high, a.low+1)
	var b strings.Builder
	text := func(x, y float64, anchor, colour, format string, args ...any) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`+"\n", x, y, anchor, colour, fmt.Sprintf(format, args...))
	}
	line := func(x1, y1, x2, y2 float64, style string) {
		fmt.Fprintf(&b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`+"\n", x1, y1, x2, y2, style)
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="%s" font-size="%d">`+"\n", wide, high, font, small)
	fmt.Fprintf(&b, `<text x="%g" y="24" font-size="15" font-weight="600" fill="%s">From approval to vend command</text>`+"\n", left, grey)
	text(left, 42, "start", grey, "%s", f.title())
	for decade := a.low; decade <= a.high; decade++ {
		y := a.y(math.Pow(10, decade))
		line(left, y, wide-right, y, `stroke="`+faint+`"`)
		text(left-8, y+4, "end", grey, "%s", short(time.Duration(math.Pow(10, decade)*float64(time.Millisecond))))
	}
	step := tick(a.seconds)
	for s := 0.0; s <= a.seconds; s += step {
		line(a.x(s), high-below, a.x(s), high-below+4, `stroke="`+grey+`"`)
		text(a.x(s), high-below+18, "middle", grey, "%g", s)
	}
	line(left, high-below, wide-right, high-below, `stroke="`+grey+`"`)
	text((left+wide-right)/2, high-12, "middle", grey, "seconds since the first approval")
	fmt.Fprintf(&b, `<text transform="translate(18 %.1f) rotate(-90)" text-anchor="middle" fill="%s">time until the machine was told</text>`+"\n", (above+high-below)/2, grey)

	fmt.Fprintf(&b, `<g fill="%s" fill-opacity="0.45">`+"\n", blue)
	every := max(1, len(f.sales)/dots)
	for i := 0; i < len(f.sales); i += every {
		s := f.sales[i]
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="1.6"/>`+"\n", a.x(s.at.Seconds()), a.y(milliseconds(s.took)))
	}
	b.WriteString("</g>\n")
	label := math.Inf(1)
	for i, name := range []string{"p50", "p95", "p99"} {
		colour, y := []string{middle, upper, uppermost}[i], a.y(milliseconds(q[i+1]))
		line(left, y, wide-right, y, `stroke="`+colour+`" stroke-width="1.5" stroke-dasharray="5 4"`)
		label = min(y+4, label-small-2) // none over another
		text(wide-right+8, label, "start", colour, "%s %s", name, short(q[i+1]))
	}
	b.WriteString("</svg>\n")
	return os.WriteFile(path, []byte(b.String()), 0o600)
}

func (f *findings) title() string {
	by := "by polling alone"
	if f.webhooks {
		by = "by webhooks"
	}
	load := "as fast as possible"
	if f.rate > 0 {
		load = fmt.Sprintf("%g customers a second", f.rate)
	}
	if f.kill {
		load = "the worker is killed in the middle"
	}
	return fmt.Sprintf("%d sales, %s, %s, store %s", len(f.sales), load, by, f.store)
}

// axes are seconds from left to right, and the logarithm of milliseconds upwards.
type axes struct{ seconds, low, high float64 }

func (a axes) x(seconds float64) float64 { return left + (wide-right-left)*seconds/a.seconds }

func (a axes) y(milliseconds float64) float64 {
	return high - below - (high-below-above)*(math.Log10(milliseconds)-a.low)/(a.high-a.low)
}

func milliseconds(d time.Duration) float64 { return max(d.Seconds()*1000, 0.001) }

// tick is a round step that divides an axis into at most ten.
func tick(whole float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(whole/10)))
	for _, times := range []float64{1, 2, 5} {
		if whole/(step*times) <= 10 {
			return step * times
		}
	}
	return step * 10
}
