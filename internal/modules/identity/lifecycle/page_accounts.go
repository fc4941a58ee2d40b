package lifecycle

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/table"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// accountsSize is how many accounts a page lists.
const accountsSize = 50

// accountsView is the list of accounts.
type accountsView struct {
	Filter      Filter
	List        []account.Person
	Total       int
	Page, Pages int
	places      place.Names
	oneself     campus.PersonID
}

// maxPage keeps page numbers where arithmetic on them is safe, maxWords what is
// searched for short.
const (
	maxPage  = 100_000
	maxWords = 120
)

// ReadFilter reads the filter of an address; what it does not know it leaves out.
// It never lets through more than the viewer looks after.
func ReadFilter(q url.Values, by campus.Viewer) Filter {
	clean := func(name string) string {
		text := strings.ToValidUTF8(strings.ReplaceAll(q.Get(name), "\x00", ""), "")
		return strings.ToValidUTF8(text[:min(len(text), maxWords)], "")
	}
	f := Filter{Words: clean("q"), Campus: clean("campus"), Programme: clean("programme")}
	if s := account.State(q.Get("state")); slices.Contains(account.States, s) {
		f.State = s
	}
	if k := campus.Kind(q.Get("kind")); slices.Contains(campus.Kinds, k) {
		f.Kind = k
	}
	_, f.Within = by.Scope(campus.RightSecretariat)
	return f
}

// Query is the filter as an address carries it, for [ReadFilter].
func (f Filter) Query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.Words, "state": string(f.State), "kind": string(f.Kind), "campus": f.Campus, "programme": f.Programme} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

func (v accountsView) pageURL(page int) string {
	q := v.Filter.Query()
	q.Set("page", strconv.Itoa(page))
	return "/identity/accounts?" + q.Encode()
}

func (v accountsView) fileURL() string { return "/identity/accounts.csv?" + v.Filter.Query().Encode() }

func (l *Lifecycle) accountsPage(w http.ResponseWriter, r *http.Request) error {
	view := accountsView{Filter: ReadFilter(r.URL.Query(), web.Viewer(r)), places: l.Places, oneself: web.Viewer(r).Person}
	var err error
	if view.Total, err = l.Count(r.Context(), view.Filter); err != nil {
		return err
	}
	view.Pages = max(1, (view.Total+accountsSize-1)/accountsSize)
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 && n <= maxPage {
		view.Page = n
	}
	view.Page = min(max(view.Page, 1), view.Pages)
	if view.List, err = l.Search(r.Context(), view.Filter, accountsSize, (view.Page-1)*accountsSize); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, accountsTempl(view))
}

// accountsFile sends the same list as a table, with the decision that holds each
// account. Once the first line is sent a failure can only cut the file short.
func (l *Lifecycle) accountsFile(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	head := []string{"login", "family_name", "given_name", "student_number", "mail", "state", "reason", "office", "since", "until", "deletion"}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="accounts-%s.csv"`, l.Clock.Now().In(l.Zone).Format(dayLayout)))
	file := table.NewWriter(w)
	for i, name := range head {
		head[i] = i18n.T(ctx, "identity.lifecycle.file."+name)
	}
	if err := file.Write(head); err != nil {
		return fmt.Errorf("send the accounts: %w", err)
	}
	err := l.export(ctx, ReadFilter(r.URL.Query(), web.Viewer(r)), func(n Line) error {
		return file.Write([]string{
			n.Login, n.FamilyName, n.GivenName, n.StudentNumber, n.Mail,
			i18n.T(ctx, "identity.lifecycle.state."+string(n.State)), i18n.Pick(ctx, n.TextFrench, n.TextEnglish), n.Office,
			l.day(n.Since), l.day(db.At(LastDay(n.Until.Time()))), l.day(n.DeletedAt),
		})
	})
	file.Flush()
	if err == nil {
		err = file.Error()
	}
	if err != nil {
		return fmt.Errorf("send the accounts: %w", err)
	}
	return nil
}

// day is a date for programs, in the institution's zone.
func (l *Lifecycle) day(t db.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Time().In(l.Zone).Format(time.DateOnly)
}
