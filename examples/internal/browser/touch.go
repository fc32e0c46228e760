package browser

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var errNone = errors.New("there is none")

// find gives the elements that a screen reader calls so: "button" and "Pay". An empty name is any.
func (p *Page) find(role, name string) chromedp.Action[[]cdp.BackendNodeID] {
	return func(ctx context.Context, t *chromedp.Target) ([]cdp.BackendNodeID, error) {
		document, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{Expression: p.root})
		if err != nil || document.Result.ObjectID == "" {
			return nil, err
		}
		tree, err := cdp.Call(ctx, t, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{
			ObjectID: document.Result.ObjectID, Role: role, AccessibleName: name,
		})
		var found []cdp.BackendNodeID
		for _, node := range tree.Nodes {
			if !node.Ignored {
				found = append(found, node.BackendDOMNodeID)
			}
		}
		return found, err
	}
}

// Has says whether there is such an element.
func (p *Page) Has(role, name string) bool {
	p.tb.Helper()
	var found []cdp.BackendNodeID
	p.until(fmt.Sprintf("a look for %s %q", role, name), func() (bool, error) {
		var err error
		found, err = try(p, p.find(role, name))
		return err == nil, err
	})
	return len(found) > 0
}

// WaitFor waits until there is such an element.
func (p *Page) WaitFor(role, name string) {
	p.tb.Helper()
	p.until(fmt.Sprintf("%s %q", role, name), func() (bool, error) {
		found, err := try(p, p.find(role, name))
		return len(found) > 0, err
	})
}

// Click touches the one element that a screen reader calls so, as soon as there is one.
func (p *Page) Click(role, name string) {
	p.tb.Helper()
	what := fmt.Sprintf("click on %s %q", role, name)
	p.until(what, func() (bool, error) {
		_, err := try(p, chromedp.Steps(chromedp.Evaluate[chromedp.Void](`window.before = true`), p.click(role, name, 1)))
		return err == nil, err
	})
	if p.options.NoScript && (role == "button" || role == "link") { // which leads to another page, whose buttons may be the same
		p.until(what, func() (bool, error) {
			return try(p, chromedp.Evaluate[bool](`!window.before && document.readyState === "complete"`))
		})
	}
}

// ClickTwice touches it twice, before the page can answer.
func (p *Page) ClickTwice(role, name string) {
	p.tb.Helper()
	p.until(fmt.Sprintf("two clicks on %s %q", role, name), func() (bool, error) {
		_, err := try(p, p.click(role, name, 2))
		return err == nil, err
	})
}

func (p *Page) click(role, name string, times int) action {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		found, err := p.find(role, name)(ctx, t)
		switch {
		case err != nil:
			return err
		case len(found) == 0:
			return errNone
		case len(found) > 1:
			return fmt.Errorf("there are %d", len(found))
		}
		x, y, err := middle(ctx, t, found[0])
		if err != nil {
			return err
		}
		if err := p.once(ctx, t, x, y); err != nil {
			return err
		}
		for range times - 1 { // these may be too late for the page
			again, cancel := context.WithTimeout(ctx, time.Second)
			_ = p.touch(again, t, x, y)
			cancel()
		}
		return nil
	})
}

// once touches, and takes a touch that is not answered in time for one that was felt: a second one would buy a second product.
// What the test waits for next tells whether it was.
func (p *Page) once(ctx context.Context, t *chromedp.Target, x, y float64) error {
	err := p.touch(ctx, t, x, y)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// middle scrolls to an element and gives where it then is.
func middle(ctx context.Context, t *chromedp.Target, node cdp.BackendNodeID) (x, y float64, err error) {
	if _, err := cdp.Call(ctx, t, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: node}); err != nil {
		return 0, 0, err
	}
	where, err := cdp.Call(ctx, t, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: node})
	switch {
	case err != nil:
		return 0, 0, err
	case len(where.Quads) == 0:
		return 0, 0, errors.New("it is not to be seen")
	default:
		q := where.Quads[0]
		return (q[0] + q[4]) / 2, (q[1] + q[5]) / 2, nil
	}
}

// ClickOn touches what a selector finds first.
func (p *Page) ClickOn(selector string) {
	p.tb.Helper()
	p.until("click on "+selector, func() (bool, error) {
		_, err := try(p, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			found, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf(`%s?.querySelector(%q)`, p.root, selector)})
			if err != nil || found.Result.ObjectID == "" {
				return errors.Join(errNone, err)
			}
			node, err := cdp.Call(ctx, t, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: found.Result.ObjectID})
			if err != nil {
				return err
			}
			x, y, err := middle(ctx, t, node.Node.BackendNodeID)
			if err != nil {
				return err
			}
			return p.once(ctx, t, x, y)
		}))
		return err == nil, err
	})
}

// touch is a finger, or a mouse.
func (p *Page) touch(ctx context.Context, t *chromedp.Target, x, y float64) error {
	if p.options.Desktop {
		_, err := chromedp.MouseClickXY(x, y)(ctx, t)
		return err
	}
	_, err := chromedp.TapXY(x, y)(ctx, t)
	return err
}

// Fill replaces what is in a field.
func (p *Page) Fill(role, name, content string) {
	p.tb.Helper()
	p.Click(role, name)
	p.must("fill "+name,
		chromedp.Evaluate[chromedp.Void](`document.activeElement.select()`),
		call(input.InsertText, input.InsertTextParams{Text: content}))
}

// Press presses keys, such as those of chromedp/kb.
func (p *Page) Press(keys string) {
	p.tb.Helper()
	p.must(fmt.Sprintf("press %q", keys), chromedp.KeyEvent(keys))
}

// TabTo presses Tab until the element that a screen reader calls so has the focus.
func (p *Page) TabTo(role, name string) {
	p.tb.Helper()
	p.WaitFor(role, name)
	for range 60 {
		p.Press(kb.Tab)
		focused, err := do(p, p.focused(role, name))
		if err != nil {
			p.tb.Fatalf("tab to %s %q: %v", role, name, err)
		}
		if focused {
			return
		}
	}
	p.tb.Fatalf("%s %q is not reached with Tab", role, name)
}

func (p *Page) focused(role, name string) chromedp.Action[bool] {
	return func(ctx context.Context, t *chromedp.Target) (bool, error) {
		found, err := p.find(role, name)(ctx, t)
		if err != nil || len(found) == 0 {
			return false, err
		}
		active, err := cdp.Call(ctx, t, runtime.Evaluate, runtime.EvaluateParams{Expression: "document.activeElement"})
		if err != nil || active.Result.ObjectID == "" {
			return false, err
		}
		node, err := cdp.Call(ctx, t, dom.DescribeNode, dom.DescribeNodeParams{ObjectID: active.Result.ObjectID})
		if err != nil {
			return false, err
		}
		return node.Node.BackendNodeID == found[0], nil
	}
}
