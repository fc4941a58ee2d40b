package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/e2e/axe"
	"github.com/chromedp/chromedp"
)

// Check fails the test for everything about the open page that we promise
// never to do: barriers that axe finds, a page wider than its screen, more or
// less than one main heading, complaints of the browser.
func (tab *Tab) Check() {
	tab.t.Helper()
	tab.complain(tab.Flaws())
}

// Glance is Check without axe: a hundredth of the time.
func (tab *Tab) Glance() {
	tab.t.Helper()
	tab.complain(tab.Misfits())
}

func (tab *Tab) complain(flaws []string) {
	tab.t.Helper()
	for _, problem := range tab.Problems() {
		flaws = append(flaws, "the browser complained: "+problem)
	}
	for _, flaw := range flaws {
		tab.t.Errorf("%s at %s: %s", tab.Path(), tab.look, flaw)
	}
}

// Flaws lists what is wrong with the open page as it is.
func (tab *Tab) Flaws() []string {
	tab.t.Helper()
	return append(tab.Misfits(), tab.Barriers()...)
}

// Misfits lists what is wrong with the open page at first sight: what sticks out
// of the screen, a sentence, a title or main heading that is missing.
func (tab *Tab) Misfits() []string {
	tab.t.Helper()
	found := ask[struct {
		Headings int
		Title    string
		Wide     []string
		Unsaid   []string
	}](tab, misfits)
	var flaws []string
	// A person would have to scroll sideways to read each line.
	if len(found.Wide) > 0 {
		flaws = append(flaws, fmt.Sprintf("wider than its screen of %d px: %s", tab.look.Width, strings.Join(found.Wide, "; ")))
	}
	// A sentence that is missing, or whose arguments are wrong, shows its key.
	if len(found.Unsaid) > 0 {
		flaws = append(flaws, "without words: "+strings.Join(found.Unsaid, ", "))
	}
	if found.Headings != 1 {
		flaws = append(flaws, fmt.Sprintf("the page should have one h1, it has %d", found.Headings))
	}
	if found.Title == "" {
		flaws = append(flaws, "the page has no title")
	}
	return flaws
}

// misfits counts main headings, and names what sticks out to the right and sentences
// that are missing. Programs' texts may have brackets of their own.
const misfits = `(() => {
	const width = document.documentElement.clientWidth;
	const scrolls = e => { for (let p = e.parentElement; p; p = p.parentElement) {
		if (/auto|scroll|hidden|clip/.test(getComputedStyle(p).overflowX) && p !== document.body && p !== document.documentElement) return true; } return false; };
	const wide = document.documentElement.scrollWidth <= width ? [] : [...document.body.querySelectorAll("*")]
		.filter(e => e.getBoundingClientRect().right > width + 0.5 && !scrolls(e))
		.slice(0, 5)
		.map(e => "<" + e.tagName.toLowerCase() + (e.id ? " id=" + e.id : "") + (e.className ? " class=\"" + e.className + "\"" : "") + "> ends at " + Math.round(e.getBoundingClientRect().right) + " px");
	const unsaid = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const found = texts.currentNode.data.match(/(?<!\[)\[[a-z_]+(\.[a-z0-9_]+)+\](?!\])/g);
		if (found && !texts.currentNode.parentElement.closest("pre, code, textarea, script, style")) unsaid.push(...found);
	}
	return {Headings: document.querySelectorAll("h1").length, Title: document.title.trim(), Wide: wide, Unsaid: unsaid};
})()`

// IsDark tells whether the page has a dark ground.
func (tab *Tab) IsDark() bool {
	tab.t.Helper()
	return ask[bool](tab, `(() => {
		const pen = document.createElement("canvas").getContext("2d");
		for (const e of [document.documentElement, document.body]) {
			pen.fillStyle = getComputedStyle(e).backgroundColor;
			pen.fillRect(0, 0, 1, 1);
		}
		const [red, green, blue] = pen.getImageData(0, 0, 1, 1).data;
		return red + green + blue < 3 * 128;
	})()`)
}

// Language is what the page says it is written in.
func (tab *Tab) Language() string {
	tab.t.Helper()
	return ask[string](tab, "document.documentElement.lang")
}

// barrier is one finding of axe.
type barrier struct {
	ID    string
	Help  string
	Nodes []struct {
		HTML           string
		FailureSummary string
	}
}

// axeRun checks against WCAG 2.2 AA and axe's own list of good habits. It gives
// nothing on a page that does not have axe yet.
const axeRun = `window.axe ? axe.run(document, {
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	resultTypes: ["violations"],
}).then(result => JSON.stringify(result.violations.map(v => ({
	ID: v.id, Help: v.help, Nodes: v.nodes.slice(0, 3).map(n => ({HTML: n.html.slice(0, 300), FailureSummary: n.failureSummary})),
})))) : ""`

// Barriers lists what axe finds on the open page.
func (tab *Tab) Barriers() []string {
	tab.t.Helper()
	found, err := tab.runAxe()
	// A page that waits for something loads itself again, on a slow machine before axe
	// is done, and with the scripts that axe needs: the story's own is opened anew.
	for tries := 1; errors.Is(err, errPageGone) && tries < 5; tries++ {
		tab.Visit(tab.Address())
		found, err = tab.runAxe()
	}
	tab.do("run axe", err)
	var barriers []barrier
	tab.do("read axe's findings", json.Unmarshal([]byte(found), &barriers))
	var flaws []string
	for _, b := range barriers {
		text := fmt.Sprintf("axe %s: %s", b.ID, b.Help)
		for _, n := range b.Nodes {
			text += "\n" + indent(n.HTML+"\n"+n.FailureSummary)
		}
		flaws = append(flaws, text)
	}
	return flaws
}

// runAxe gives what axe says of the open page. It needs scripts, so they are
// turned on for it; the page stays as it was loaded, with what <noscript> shows.
// The screen is made as high as the page meanwhile: what lies under a bar that
// stays in view can be scrolled out from under it, unless it is at the very end.
func (tab *Tab) runAxe() (found string, err error) {
	tab.t.Helper()
	const born = "performance.timeOrigin" // tells a page from the one that follows it
	page := ask[float64](tab, born)
	if !tab.look.Script {
		tab.setScript(true)
		defer tab.setScript(false)
	}
	if height := tab.pageHeight(); height > tab.look.Height() {
		tab.setScreen(height)
		defer tab.setScreen(tab.look.Height())
	}
	ctx, cancel := context.WithTimeout(tab.ctx, 2*patience)
	defer cancel()
	run := chromedp.Evaluate[string](axeRun, chromedp.EvalAwaitPromise)
	if found, err = chromedp.Run(ctx, run); err == nil && found == "" {
		if err = chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](`void (()=>{`+axe.Script+`})()`)); err == nil {
			found, err = chromedp.Run(ctx, run)
		}
	}
	if err == nil && found == "" || err != nil && leading(err) == nil || ask[float64](tab, born) != page {
		return "", errPageGone
	}
	return found, err
}

// errPageGone: another page came while axe looked at the one that was open.
var errPageGone = errors.New("the page went away")
