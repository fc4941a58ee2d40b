package guide

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxPage keeps page numbers where arithmetic on them is safe.
const maxPage = 100_000

// pageIn reads the page that an address asks for, of a list of so many.
func pageIn(r *http.Request, total, size int) (page, pages int) {
	pages = max(1, (total+size-1)/size)
	page = 1
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 && n <= maxPage {
		page = n
	}
	return min(page, pages), pages
}

// pageOf is the address of a page of a list with its search.
func pageOf(path, words string, page int) string {
	q := url.Values{}
	if words != "" {
		q.Set("q", words)
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// contains reports whether a folded text has every wanted word.
func contains(text, wanted string) bool {
	for w := range strings.FieldsSeq(wanted) {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
