package browser

import "strings"

// Links lists where the open page leads within its site: paths, each once, in
// the order of the page.
func (tab *Tab) Links() []string {
	tab.t.Helper()
	addresses := ask[[]string](tab, `[...new Set([...document.querySelectorAll("a[href]:not([download])")].map(a => a.href.split("#")[0]))]`)
	var paths []string
	for _, address := range addresses {
		path, inside := strings.CutPrefix(address, tab.base)
		if inside && strings.HasPrefix(path, "/") {
			paths = append(paths, path)
		}
	}
	return paths
}

// IsPage tells whether what is open is an HTML page, not a feed or a picture.
func (tab *Tab) IsPage() bool {
	tab.t.Helper()
	return ask[string](tab, "document.contentType") == "text/html"
}
