package following

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// pageSize is how many requests one page lists.
const pageSize = 20

// mineView is the list of somebody's own requests.
type mineView struct {
	Words       string
	Show        string // "open", "over" or all
	List        []ticket.Ticket
	Any         bool // has any at all
	Open, Over  int
	Page, Pages int
}

func (f *Following) minePage(w http.ResponseWriter, r *http.Request) error {
	all, err := f.Tickets.Of(r.Context(), web.Viewer(r).Person)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	view := mineView{Words: strings.TrimSpace(q.Get("q")), Show: q.Get("show"), Any: len(all) > 0}
	if len(view.Words) > longestSearch {
		view.Words = strings.ToValidUTF8(view.Words[:longestSearch], "")
	}
	var found []ticket.Ticket
	for _, t := range all {
		if !matches(t, view.Words) {
			continue
		}
		if t.State.Over() {
			view.Over++
		} else {
			view.Open++
		}
		if view.Show == "open" && t.State.Over() || view.Show == "over" && !t.State.Over() {
			continue
		}
		found = append(found, t)
	}
	view.Pages = max(1, (len(found)+pageSize-1)/pageSize)
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil {
		page = 1
	}
	view.Page = min(max(page, 1), view.Pages)
	from := (view.Page - 1) * pageSize
	view.List = found[from:min(from+pageSize, len(found))]
	return web.Render(w, r, http.StatusOK, mineTempl(view))
}

// longestSearch bounds what is searched for, in bytes.
const longestSearch = 200

// matches reports whether a request has every word, or the number, that was typed.
func matches(t ticket.Ticket, words string) bool {
	if number, ok := ticket.ParseNumber(words); ok {
		return t.Number == number
	}
	text := campus.Fold(t.Subject + " " + t.Number + " " + t.IncidentCode)
	for word := range strings.FieldsSeq(campus.Fold(words)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// address is the list with other choices.
func (v mineView) address(show string, page int) string {
	q := url.Values{}
	if v.Words != "" {
		q.Set("q", v.Words)
	}
	if show != "" {
		q.Set("show", show)
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return MineURL
	}
	return MineURL + "?" + q.Encode()
}
