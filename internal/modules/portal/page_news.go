package portal

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/place"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// newsPageSize is how many headlines a page shows.
const newsPageSize = 12

// newsView is one page of headlines.
type newsView struct {
	Words       string
	List        []news.Headline
	Elsewhere   []news.Headline // newest of other sites
	Total       int
	Page, Pages int
	Publisher   bool
}

// maxPage keeps page numbers where arithmetic on them is safe.
const maxPage = 100_000

// pageOf is the page that the address asks for, from 1.
func pageOf(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || n < 1 || n > maxPage {
		return 1
	}
	return n
}

// pages is how many pages a list fills, at least one.
func pages(total, size int) int { return max(1, (total+size-1)/size) }

func (m *Module) newsPage(w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	view := newsView{Words: wordsOf(r), Page: pageOf(r), Publisher: v.Can(campus.RightNews)}
	var list []news.Headline
	var err error
	if view.Words != "" {
		list, err = m.desk.Search(r.Context(), v, view.Words, newsPageSize*4)
	} else {
		list, err = m.desk.Headlines(r.Context(), v)
		list, view.Elsewhere = apart(list)
	}
	if err != nil {
		return err
	}
	view.Total, view.Pages = len(list), pages(len(list), newsPageSize)
	view.Page = min(view.Page, view.Pages)
	view.List = list[(view.Page-1)*newsPageSize : min(len(list), view.Page*newsPageSize)]
	return web.Render(w, r, http.StatusOK, newsTempl(view))
}

// elsewhereSize is how many headlines of other sites stand beside ours.
const elsewhereSize = 8

// apart parts our own headlines from the newest ones of other sites.
func apart(list []news.Headline) (ours, elsewhere []news.Headline) {
	for _, h := range list {
		switch {
		case h.URL == "":
			ours = append(ours, h)
		case len(elsewhere) < elsewhereSize:
			elsewhere = append(elsewhere, h)
		}
	}
	return ours, elsewhere
}

// pageURL is the address of a page of headlines.
func (v newsView) pageURL(page int) string {
	q := url.Values{"page": {strconv.Itoa(page)}}
	if v.Words != "" {
		q.Set("q", v.Words)
	}
	return "/portal/news?" + q.Encode()
}

// articleView is one article as its readers see it.
type articleView struct {
	news.Article
	Stage     news.Stage
	Publisher bool
	For       string // who it is for, told to publishers
}

// articlePage is open to strangers for public articles. Any other address sends
// them to the front door, so that nobody can find out which articles exist.
func (m *Module) articlePage(w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	a, err := m.desk.Read(r.Context(), v, r.PathValue("id"))
	if !v.SignedIn() && (errors.Is(err, news.Missing) || errors.Is(err, news.Over)) {
		return web.SeeOther(w, r, "/login?"+url.Values{"next": {r.URL.Path}}.Encode())
	}
	if err != nil {
		return err
	}
	view := articleView{Article: a, Stage: a.Stage(m.Clock.Now()), Publisher: v.Can(campus.RightNews)}
	if view.Publisher {
		view.For = m.audienceWords(r, a.Content)
	}
	return web.Render(w, r, http.StatusOK, articleTempl(view))
}

// audienceWords says who an article is for.
func (m *Module) audienceWords(r *http.Request, c news.Content) string {
	ctx, l := r.Context(), i18n.Locale(r.Context())
	switch {
	case c.Public:
		return i18n.T(ctx, "portal.news.for.public")
	case c.Audience.Everybody():
		return i18n.T(ctx, "portal.news.for.everybody")
	}
	var words []string
	for _, k := range c.Audience.Kinds {
		words = append(words, i18n.T(ctx, "portal.news.for."+string(k)))
	}
	words = append(words, place.NamesOf(m.Places.Programmes(), c.Audience.Programmes, l)...)
	words = append(words, place.NamesOf(m.Places.Campuses(), c.Audience.Campuses, l)...)
	for _, right := range c.Audience.Rights {
		words = append(words, i18n.T(ctx, "portal.right."+string(right)))
	}
	return join(words)
}

func join(words []string) string {
	text := ""
	for i, w := range words {
		if i > 0 {
			text += " · "
		}
		text += w
	}
	return text
}

// pictureFile serves a picture to those who may read its article. Its address
// changes with the picture, so browsers may keep it.
func (m *Module) pictureFile(w http.ResponseWriter, r *http.Request) error {
	ref, err := m.desk.PictureFile(r.Context(), web.Viewer(r), r.PathValue("id"))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "private, max-age=604800, immutable")
	return files.Serve(w, r, m.Files, ref)
}
