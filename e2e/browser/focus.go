package browser

// Covered is what has the focus when all of it lies behind something else, such as a bar
// that stays at the edge of the screen (WCAG 2.2, criterion 2.4.11); empty when it can be
// seen.
func (tab *Tab) Covered() string {
	tab.t.Helper()
	return ask[string](tab, `(() => {
		const e = document.activeElement;
		if (!e || e === document.body) return "";
		const r = e.getBoundingClientRect();
		for (let i = 1; i < 6; i++) for (let j = 1; j < 6; j++) {
			const over = document.elementFromPoint(r.left + r.width * i / 6, r.top + r.height * j / 6);
			if (over && (e.contains(over) || over.contains(e) || [...e.labels ?? []].some((l) => l.contains(over)))) return "";
		}
		return e.outerHTML.slice(0, 120) + " at " + Math.round(r.top) + " of " + innerHeight;
	})()`)
}
