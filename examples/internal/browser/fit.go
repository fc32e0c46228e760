package browser

import (
	"fmt"
	"strings"
)

// examine gives what is wrong with the page for a screen of some width: what sticks out, targets that a finger misses (of a
// mouse axe-core knows enough), and headings and language that a screen reader needs.
const examine = `(touch => {
	const found = [];
	const width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth > width) {
		const wide = [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML.slice(0, 100));
		found.push("scrolls sideways: " + document.documentElement.scrollWidth + " px on " + width + ": " + wide.slice(0, 3).join(" "));
	}
	let low = 0;
	for (const e of touch ? document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary") : []) {
		if (e.closest("[aria-hidden=true]")) continue; // nobody is meant to find it
		const boxes = [e, ...(e.labels || [])].map(x => x.getBoundingClientRect()).filter(b => b.width && b.height);
		const high = Math.max(0, ...boxes.map(b => b.height)), wide = Math.max(0, ...boxes.map(b => b.width));
		const inline = e.tagName === "A" && getComputedStyle(e).display === "inline";
		if (boxes.length && !inline && (high < 24 || wide < 24)) found.push("smaller than 24 px: " + e.outerHTML.slice(0, 100));
		else if (boxes.length && !inline && high < 44) low++;
	}
	if (low) found.push("aim 44: " + low + " targets are lower");
	if (!document.documentElement.lang) found.push("no language");
	const h1 = document.querySelectorAll("h1").length;
	if (h1 !== 1) found.push(h1 + " h1");
	if (!document.title) found.push("no title");
	return found.join("\n");
})(%v)`

// fits checks the page at its own width, and on a phone at 320 CSS pixels, which is what twice the size leaves of 640.
func (p *Page) fits(what string) {
	p.tb.Helper()
	width, height := p.options.size()
	widths := []int64{width, 320}
	if p.options.Desktop {
		widths = widths[:1]
	}
	for _, w := range widths {
		p.must("resize", p.resize(w, height))
		for found := range strings.SplitSeq(Eval[string](p, fmt.Sprintf(examine, !p.options.Desktop)), "\n") {
			switch {
			case found == "":
			case strings.HasPrefix(found, "aim 44"): // better, but no failure
				p.tb.Logf("%s, %d px wide: %s", what, w, found)
			default:
				p.tb.Errorf("%s, %d px wide: %s", what, w, found)
			}
		}
	}
	p.must("resize", p.resize(width, height))
}
