package knowledge

import (
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/secretword"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// The bounds of what readers send.
const (
	longestSearch = 200 // bytes
	maxOpinion    = 500 // characters
)

// listView is the list that everybody reads.
type listView struct {
	Words  string
	Found  []Article
	Writes bool // works at the desk
}

func searched(text string) string {
	text = campus.OneLine(text)
	if len(text) > longestSearch {
		return strings.ToValidUTF8(text[:longestSearch], "")
	}
	return text
}

// mostListed bounds the list of all; a search finds the rest.
const mostListed = 200

func (k *Knowledge) listPage(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	view := listView{Words: searched(r.URL.Query().Get("q")), Writes: worksHere(v)}
	if view.Words != "" {
		found, err := k.Find(ctx, diagnosis.Wanted{Words: view.Words}, view.Writes, 30)
		if err != nil {
			return err
		}
		view.Found = found
		return web.Render(w, r, http.StatusOK, listTempl(view))
	}
	books, err := k.published(ctx)
	if err != nil {
		return err
	}
	for _, b := range books {
		if b.mayRead(v) {
			view.Found = append(view.Found, b.Article)
		}
	}
	slices.SortStableFunc(view.Found, func(a, b Article) int { return int(b.Viewed - a.Viewed) })
	view.Found = view.Found[:min(len(view.Found), mostListed)]
	return web.Render(w, r, http.StatusOK, listTempl(view))
}

// suggestPart is what may answer, while somebody types.
func (k *Knowledge) suggestPart(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	found, err := k.Suggest(r.Context(), diagnosis.Wanted{Words: searched(q.Get("subject")), Service: q.Get("service"), Reason: q.Get("reason")})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, suggestTempl(found))
}

// articleView is one article.
type articleView struct {
	Article
	Said   bool // what helped was said in this browser a moment ago
	Writes bool
	// Words are what was missing, of an answer that comes back.
	Words    string
	Problems web.Problems
}

// readable reads the article of an address, for who may read it. Others are told that
// there is none.
func (k *Knowledge) readable(r *http.Request) (Article, error) {
	a, err := k.BySlug(r.Context(), r.PathValue("slug"))
	if err != nil {
		return a, err
	}
	if !a.mayRead(web.Viewer(r)) {
		return a, Missing
	}
	return a, nil
}

func (k *Knowledge) articlePage(w http.ResponseWriter, r *http.Request) error {
	a, err := k.readable(r)
	if err != nil {
		return err
	}
	writes := worksHere(web.Viewer(r))
	if !writes {
		k.views.saw(a.ID)
	}
	return web.Render(w, r, http.StatusOK, articleTempl(articleView{Article: a, Said: r.URL.Query().Get("said") != "", Writes: writes}))
}

// helped counts whether an article did. Nobody's name is kept, and passwords that
// somebody wrote are hidden.
func (k *Knowledge) helped(w http.ResponseWriter, r *http.Request) error {
	a, err := k.readable(r)
	if err != nil {
		return err
	}
	if wait, ok := k.opinions.Allow(limit.AddressKey(web.ClientAddr(r))); !ok {
		return TooMany.With(fault.Args{"wait": wait})
	}
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	words := strings.TrimSpace(form.Get("words"))
	if runes := []rune(words); len(runes) > maxOpinion {
		words = string(runes[:maxOpinion])
	}
	words, _ = secretword.Mask(words)
	said := form.Get("helped")
	if said != "yes" && said != "no" {
		view := articleView{Article: a, Writes: worksHere(web.Viewer(r)), Words: words}
		view.Problems.Add("helped", "helpdesk.knowledge.helped.choose")
		return web.Render(w, r, http.StatusUnprocessableEntity, articleTempl(view))
	}
	ctx := r.Context()
	if err := k.DB.InTx(ctx, func(tx db.Tx) error { return opine(ctx, tx, a.ID, said == "yes", words) }); err != nil {
		return err
	}
	return web.SeeOther(w, r, URL+"/"+a.Slug+"?said=yes#helped")
}

// bodyLocale is the language in which an article is shown: the reader's, or the other
// one where it has no text in theirs.
func (a Article) bodyLocale(l campus.Locale) campus.Locale {
	if l == campus.English && a.Body.English == "" {
		return campus.French
	}
	if l == campus.French && a.Body.French == "" {
		return campus.English
	}
	return l
}
