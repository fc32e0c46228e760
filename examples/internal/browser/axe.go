package browser

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"
)

// axe is the source of axe-core, which the operator of the tests has installed.
var axe = sync.OnceValues(func() (string, error) {
	path := os.Getenv("AXE_CORE")
	if path == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(cache, "vipps-ci", "axe", "node_modules", "axe-core", "axe.min.js")
	}
	source, err := os.ReadFile(path) //nolint:gosec // who runs the tests says where
	if err != nil {
		return "", fmt.Errorf("there is no axe-core: npm install --no-save --prefix ~/.cache/vipps-ci/axe axe-core: %w", err)
	}
	return string(source), nil
})

// judge runs axe-core with the rules of WCAG 2.0, 2.1 and 2.2, levels A and AA. The size of targets is not among those that
// it applies by itself.
const judge = `axe.run(document, {
	runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]},
	rules: Object.assign({"target-size": {enabled: true}}, ...%s.map(id => ({[id]: {enabled: false}}))),
	resultTypes: ["violations"],
}).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, help: v.help,
	nodes: v.nodes.map(n => n.html.slice(0, 200) + " " + n.any.concat(n.all, n.none).map(c => c.message).join("; "))}))))`

type violation struct {
	ID    string   `json:"id"`
	Help  string   `json:"help"`
	Nodes []string `json:"nodes"`
}

// Accessible checks the page as it stands, by the light and in the dark, and what automatic rules do not know. The what says
// which state of the page it is, and except names rules that do not fit. Without axe-core the test goes on with the rest, or
// fails where there is to be a browser.
//
// A page that loads itself again is what there is for customers without scripts: they wait for something that happens at a
// machine, so the rule against it does not fit them.
func (p *Page) Accessible(what string, except ...string) {
	p.tb.Helper()
	p.fits(what)
	source, err := axe()
	switch {
	case err != nil && os.Getenv(Required) == "1":
		p.tb.Fatal(err)
	case err != nil:
		p.tb.Logf("accessibility is not checked: %v", err)
		return
	}
	if p.options.NoScript {
		except = append(except, "meta-refresh")
	}
	p.must("scripts, for axe-core alone: the page's own stay as they are", p.scripts(true))
	for _, theme := range []string{"light", "dark"} {
		p.must(theme, p.theme(theme))
		for _, v := range p.violations(source, except) {
			p.tb.Errorf("%s, %s: %s: %s, %d times:\n\t%s", what, theme, v.ID, v.Help, len(v.Nodes), strings.Join(v.Nodes[:min(len(v.Nodes), 3)], "\n\t"))
		}
	}
	p.must("as before", p.theme(p.options.theme()), p.scripts(!p.options.NoScript))
}

func (p *Page) violations(source string, except []string) []violation {
	p.tb.Helper()
	rules, err := json.Marshal(append([]string{}, except...))
	if err != nil {
		p.tb.Fatal(err)
	}
	var found []violation
	p.until("axe-core", func() (bool, error) { // again if the page was replaced meanwhile
		if there, err := do(p, chromedp.Evaluate[bool](`Boolean(window.axe)`)); !there || err != nil {
			// Through the protocol, since the page's policy lets no script in.
			if _, err := do(p, chromedp.Evaluate[chromedp.Void](source+";0")); err != nil {
				return false, err
			}
		}
		said, err := do(p, chromedp.Evaluate[string](fmt.Sprintf(judge, rules), chromedp.EvalAwaitPromise))
		if err != nil {
			return false, err
		}
		found = nil
		return true, json.Unmarshal([]byte(said), &found)
	})
	return found
}
