package browser

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Press clicks the button with this label.
func (tab *Tab) Press(label string) { tab.t.Helper(); tab.Click("button", label) }

// Follow clicks the link with this text.
func (tab *Tab) Follow(label string) { tab.t.Helper(); tab.Click("link", label) }

// Click clicks the first thing with this role and accessible name, in the
// middle, as a person would: something that lies over it is a failure.
func (tab *Tab) Click(role, name string) {
	tab.t.Helper()
	var at point
	tab.upon(role, name, func(ctx context.Context, node cdp.BackendNodeID) (err error) {
		at, err = middle(ctx, node)
		return err
	})
	tab.after(fmt.Sprintf("click the %s %q", role, name), at.click)
}

// Fill types into the field with this label, in place of what it held.
func (tab *Tab) Fill(label, text string) {
	tab.t.Helper()
	tab.uponField(label, func(ctx context.Context, node cdp.BackendNodeID) error {
		if _, err := chromedp.Call(ctx, dom.Focus, dom.FocusParams{BackendNodeID: node}); err != nil {
			return err
		}
		// A date is typed part by part, as the browser's language orders them: it is set.
		set, err := call[bool](ctx, node, `function(text) {
			if (this.type !== "date") { this.select && this.select(); return false }
			this.value = text;
			this.dispatchEvent(new Event("input", { bubbles: true }));
			return true;
		}`, text)
		if err != nil || set {
			return err
		}
		_, err = chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}

// Value is what the field with this label holds.
func (tab *Tab) Value(label string) string {
	tab.t.Helper()
	value := ""
	tab.uponField(label, func(ctx context.Context, node cdp.BackendNodeID) (err error) {
		value, err = call[string](ctx, node, `function() { return this.value }`)
		return err
	})
	return value
}

// Choose picks an option by its text in the list with this label.
func (tab *Tab) Choose(label, option string) {
	tab.t.Helper()
	var list *runtime.RemoteObject
	tab.upon("combobox", label, func(ctx context.Context, node cdp.BackendNodeID) (err error) {
		list, err = resolve(ctx, node)
		return err
	})
	tab.after(fmt.Sprintf("choose %q in %q", option, label), func(ctx context.Context) error {
		found, err := callOn[bool](ctx, list, `function(text) {
			const option = [...this.options].find(o => o.text.trim() === text);
			if (!option) return false;
			this.value = option.value;
			this.dispatchEvent(new Event("input", {bubbles: true}));
			this.dispatchEvent(new Event("change", {bubbles: true}));
			return true;
		}`, option)
		if err == nil && !found {
			return errors.New("the list has no such option")
		}
		return leading(err)
	})
}

// Tick clicks a box or a radio button unless it is ticked already.
func (tab *Tab) Tick(label string) {
	tab.t.Helper()
	role := "checkbox"
	if !tab.Has(role, label) {
		role = "radio"
	}
	var at point
	ticked := false
	tab.upon(role, label, func(ctx context.Context, node cdp.BackendNodeID) (err error) {
		if ticked, err = call[bool](ctx, node, `function() { return this.checked }`); err == nil && !ticked {
			at, err = middle(ctx, node)
		}
		return err
	})
	if !ticked {
		tab.after("tick "+label, at.click)
	}
}

// Key presses a key on whatever has the focus.
func (tab *Tab) Key(key string) {
	tab.t.Helper()
	tab.after("press a key", func(ctx context.Context) error { return leading(chromedp.Do(ctx, chromedp.KeyEvent(key))) })
}

// Has tells whether something with this role and name is on the page now.
func (tab *Tab) Has(role, name string) bool {
	tab.t.Helper()
	return slices.ContainsFunc(tab.Names(role), func(n string) bool { return plain(n) == plain(name) })
}

// Names lists the accessible names of everything with this role.
func (tab *Tab) Names(role string) []string {
	tab.t.Helper()
	var names []string
	tab.eventually(func() error { // a page that goes away cannot answer
		nodes, err := tab.query(role)
		names = nil
		for _, n := range nodes {
			names = append(names, nameOf(n))
		}
		return err
	})
	return names
}

// Name waits for something with this role whose accessible name starts so, and
// gives the whole name: a button in a list often ends with what it is about.
func (tab *Tab) Name(role, start string) string {
	tab.t.Helper()
	found := ""
	tab.eventually(func() error {
		names := tab.Names(role)
		for _, name := range names {
			if strings.HasPrefix(plain(name), plain(start)) {
				found = name
				return nil
			}
		}
		return fmt.Errorf("the page %s has no %s that starts with %q; it has %q", tab.Path(), role, start, names)
	})
	return found
}

// Heading waits for the page whose main heading this is.
func (tab *Tab) Heading(text string) {
	tab.t.Helper()
	tab.eventually(func() error {
		heading := ask[string](tab, `(document.querySelector("h1") || {innerText: ""}).innerText`)
		if plain(heading) != plain(text) {
			return fmt.Errorf("the page %s should be headed %q, but it is headed %q", tab.Path(), text, heading)
		}
		return nil
	})
}

// Sees waits until each of these texts can be read on the page.
func (tab *Tab) Sees(texts ...string) {
	tab.t.Helper()
	for _, text := range texts {
		tab.eventually(func() error {
			if !strings.Contains(plain(tab.Text()), plain(text)) {
				return fmt.Errorf("the page %s should say %q; it says:\n%s", tab.Path(), text, indent(tab.Text()))
			}
			return nil
		})
	}
}

// SeesNot waits until none of these texts can be read on the page.
func (tab *Tab) SeesNot(texts ...string) {
	tab.t.Helper()
	for _, text := range texts {
		tab.eventually(func() error {
			if strings.Contains(plain(tab.Text()), plain(text)) {
				return fmt.Errorf("the page %s should not say %q", tab.Path(), text)
			}
			return nil
		})
	}
}

// Text is everything that can be read on the page.
func (tab *Tab) Text() string {
	tab.t.Helper()
	return ask[string](tab, `document.body ? document.body.innerText : ""`)
}

// upon waits for something with this role and name and does something with it
// that leads nowhere. A page may be replaced between the two: then both are done
// again.
func (tab *Tab) upon(role, name string, act func(context.Context, cdp.BackendNodeID) error) {
	tab.t.Helper()
	tab.uponOne([]string{role}, name, act)
}

// fieldRoles are what a field with a label may be.
var fieldRoles = []string{"textbox", "searchbox", "spinbutton", "combobox", "Date", "DateTime"}

func (tab *Tab) uponField(label string, act func(context.Context, cdp.BackendNodeID) error) {
	tab.t.Helper()
	tab.uponOne(fieldRoles, label, act)
}

func (tab *Tab) uponOne(roles []string, name string, act func(context.Context, cdp.BackendNodeID) error) {
	tab.t.Helper()
	tab.eventually(func() error {
		ctx, cancel := context.WithTimeout(tab.ctx, patience)
		defer cancel()
		var names []string
		for _, role := range roles {
			nodes, err := tab.query(role)
			if err != nil {
				return err
			}
			for _, n := range nodes {
				if plain(nameOf(n)) != plain(name) {
					names = append(names, nameOf(n))
					continue
				}
				if err := act(ctx, n.BackendDOMNodeID); err != nil {
					return fmt.Errorf("%s %q: %w", role, name, err)
				}
				return nil
			}
		}
		return fmt.Errorf("the page %s has no %s %q; it has %q", tab.Path(), strings.Join(roles, " or "), name, names)
	})
}

// query asks the browser's accessibility tree for everything with a role. A window
// behind others may not be laid out at all, so one that does not answer comes to the
// front and is asked once more.
func (tab *Tab) query(role string) ([]*accessibility.Node, error) {
	nodes, err := tab.queryOnce(role)
	if !errors.Is(err, context.DeadlineExceeded) {
		return nodes, err
	}
	ctx, cancel := context.WithTimeout(tab.ctx, exposure)
	defer cancel()
	if _, err := chromedp.Call(ctx, page.BringToFront, cdp.Empty{}); err != nil {
		return nil, fmt.Errorf("bring the window to the front: %w", err)
	}
	return tab.queryOnce(role)
}

func (tab *Tab) queryOnce(role string) ([]*accessibility.Node, error) {
	ctx, cancel := context.WithTimeout(tab.ctx, patience/2)
	defer cancel()
	document, err := chromedp.Run(ctx, chromedp.Evaluate[*runtime.RemoteObject]("document"))
	if err != nil {
		return nil, fmt.Errorf("find the document: %w", err)
	}
	tree, err := chromedp.Call(ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: document.ObjectID, Role: role})
	if err != nil {
		return nil, fmt.Errorf("ask for every %s: %w", role, err)
	}
	var seen []*accessibility.Node
	for _, n := range tree.Nodes {
		if !n.Ignored {
			seen = append(seen, n)
		}
	}
	return seen, nil
}

func nameOf(n *accessibility.Node) string {
	if n.Name == nil {
		return ""
	}
	text := string(n.Name.Value)
	if unquoted, err := unquote(text); err == nil {
		return unquoted
	}
	return text
}

// A point is a place on the screen, in pixels of the page.
type point struct{ x, y float64 }

// click presses and releases the mouse there.
func (p point) click(ctx context.Context) error {
	return leading(chromedp.Do(ctx, chromedp.MouseClickXY(p.x, p.y)))
}

// middle brings a node into view and gives its middle, after making sure that
// the middle belongs to it.
func middle(ctx context.Context, node cdp.BackendNodeID) (point, error) {
	if _, err := chromedp.Call(ctx, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: node}); err != nil {
		return point{}, fmt.Errorf("bring it into view: %w", err)
	}
	covering, err := call[string](ctx, node, `function() {
		const box = [...this.getClientRects()].find(r => r.width && r.height);
		if (!box) return "nothing: it has no size";
		const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
		if (!top) return "the edge of the window";
		if (this.contains(top) || top.contains(this)) return "";
		// A click on the label of a field is a click on the field.
		if (this.labels && [...this.labels].some(l => l.contains(top))) return "";
		return "<" + top.tagName.toLowerCase() + " class=\"" + top.className + "\">";
	}`)
	if err != nil {
		return point{}, err
	}
	if covering != "" {
		return point{}, fmt.Errorf("it cannot be clicked, it is covered by %s", covering)
	}
	quads, err := chromedp.Call(ctx, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: node})
	if err != nil {
		return point{}, fmt.Errorf("find where it is: %w", err)
	}
	for _, q := range quads.Quads {
		return point{x: (q[0] + q[2] + q[4] + q[6]) / 4, y: (q[1] + q[3] + q[5] + q[7]) / 4}, nil
	}
	return point{}, errors.New("it has no place on the page")
}

// call runs a function with the node as its `this`.
func call[T any](ctx context.Context, node cdp.BackendNodeID, function string, args ...any) (T, error) {
	object, err := resolve(ctx, node)
	if err != nil {
		var zero T
		return zero, err
	}
	return callOn[T](ctx, object, function, args...)
}

// resolve gives what scripts know a node as.
func resolve(ctx context.Context, node cdp.BackendNodeID) (*runtime.RemoteObject, error) {
	found, err := chromedp.Call(ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: node})
	if err != nil {
		return nil, fmt.Errorf("the page changed meanwhile: %w", err)
	}
	return found.Object, nil
}

func callOn[T any](ctx context.Context, object *runtime.RemoteObject, function string, args ...any) (T, error) {
	return chromedp.Run(ctx, chromedp.CallFunctionOn[T](function, func(p *runtime.CallFunctionOnParams) {
		p.ObjectID = object.ObjectID
	}, args...))
}
