package trace

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

const (
	pageSize = 50
	maxTyped = 100
)

// asked is what somebody looks for.
type asked struct {
	Service string
	Person  string // login
	Code    string // incident code
	Page    int
}

func readAsked(r *http.Request) asked {
	q := r.URL.Query()
	clean := func(name string) string {
		text := strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(q.Get(name), ""), "\x00", ""))
		return strings.ToValidUTF8(text[:min(len(text), maxTyped)], "")
	}
	a := asked{Service: clean("service"), Person: strings.ToLower(clean("person")), Code: clean("code")}
	if id := r.PathValue("id"); id != "" {
		a.Service = id
	}
	a.Page, _ = strconv.Atoi(q.Get("page")) // what is no number is the first page
	a.Page = min(max(a.Page, 1), mostCounted/pageSize)
	return a
}

// query is what was asked as an address carries it.
func (a asked) query(page int) string {
	q := url.Values{}
	for name, value := range map[string]string{"service": a.Service, "person": a.Person, "code": a.Code} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return "/sso/trace"
	}
	return "/sso/trace?" + q.Encode()
}

// traceView is the page.
type traceView struct {
	Asked    asked
	People   bool // the reader may read who it was
	Ways     []wayView
	Pages    int
	Problems web.Problems
	Crumbs   []ui.Link // to the registry, for who keeps it
}

// wayView is one way in words.
type wayView struct {
	At      time.Time
	Service string
	URL     string // of the service's page, or of its ways for who may not read that
	Login   string
	Address string
	State   string // short
	Tone    ui.Tone
	There   string // what the service did
	// More is where what went wrong is explained; "" when nothing did, or for who may
	// not read it.
	More string
}

// page lists what services were given, the newest first, with what they did. Who
// it was is for the help desk alone.
func (x *Trace) page(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Viewer(r)
	view := traceView{Asked: readAsked(r), People: v.Can(campus.RightHelpdesk)}
	if !view.People {
		view.Asked.Person, view.Asked.Code = "", ""
	}
	if v.Can(campus.RightAdmin) {
		view.Crumbs = []ui.Link{{Label: i18n.T(ctx, "sso.registry"), URL: "/sso/services"}}
	}
	index, err := x.Gate.Registry(ctx)
	if err != nil {
		return err
	}
	f := Filter{Login: view.Asked.Person}
	if view.Asked.Service != "" {
		if f.Service = find(index, view.Asked.Service); f.Service == "" {
			view.Problems.Add("service", "sso.trace.service_missing")
		} else if v.Can(campus.RightAdmin) {
			view.Crumbs = append(view.Crumbs, ui.Link{Label: index.Get(f.Service).Name(i18n.Locale(ctx)), URL: "/sso/services/" + f.Service})
		}
	}
	if view.Asked.Code != "" {
		f.Person, f.From, f.Until, err = x.Story(ctx, view.Asked.Code)
		switch {
		case err != nil && fault.Of(err).Reason.Kind() == fault.NotFound:
			view.Problems.Add("code", "sso.trace.code_missing")
		case err != nil:
			return err
		case f.Person == "":
			view.Problems.Add("code", "sso.trace.code_of_nobody")
		}
	}
	status := http.StatusUnprocessableEntity
	if !view.Problems.Any() {
		status = http.StatusOK
		if err := x.fill(ctx, &view, index, f, v); err != nil {
			return err
		}
	}
	return web.Render(w, r, status, traceTempl(view))
}

func (x *Trace) fill(ctx context.Context, view *traceView, index *registry.Index, f Filter, v campus.Viewer) error {
	total, err := x.count(ctx, f)
	if err != nil {
		return err
	}
	view.Pages = (total + pageSize - 1) / pageSize
	ways, err := x.list(ctx, f, pageSize, (view.Asked.Page-1)*pageSize)
	if err != nil {
		return err
	}
	for _, one := range ways {
		view.Ways = append(view.Ways, x.words(ctx, index, one, v))
	}
	return nil
}

// words tells a way from both sides.
func (x *Trace) words(ctx context.Context, index *registry.Index, one Way, v campus.Viewer) wayView {
	w := wayView{At: one.IssuedAt, Service: one.Service, Address: one.Address}
	if s := index.Get(one.Service); s != nil {
		w.Service = s.Name(i18n.Locale(ctx))
		if v.Can(campus.RightAdmin) {
			w.URL = "/sso/services/" + s.ID
		}
	}
	if w.URL == "" { // the help desk reads what else happened there
		w.URL = asked{Service: one.Service}.query(1)
	}
	if v.Can(campus.RightHelpdesk) {
		w.Login = one.Login
	}
	kind := string(one.Protocol)
	after := one.UsedAt.Sub(one.IssuedAt).Round(100 * time.Millisecond)
	switch {
	case one.UsedAt.IsZero() && one.State == answer.Ended:
		w.State, w.There = t(ctx, "state.ended"), t(ctx, "there.ended_before")
	case one.UsedAt.IsZero() && x.Clock.Now().Before(one.EndsAt):
		w.State, w.There = t(ctx, "state.under_way"), t(ctx, "there.awaited")
	case one.UsedAt.IsZero():
		w.State, w.Tone, w.There = t(ctx, "state.unused"), ui.Bad, t(ctx, "there.never_"+kind)
	case one.State == answer.Refused:
		w.State, w.Tone, w.There = t(ctx, "state.refused"), ui.Warn, t(ctx, "there.refused", "after", after, "peer", one.Peer)
	case one.Peer == "": // it passed through the browser whole
		w.State, w.Tone, w.There = t(ctx, "state.given"), ui.Good, t(ctx, "there.given")
	default:
		w.State, w.Tone, w.There = t(ctx, "state.redeemed"), ui.Good, t(ctx, "there.redeemed", "after", after, "peer", one.Peer)
	}
	if (w.Tone == ui.Bad || w.Tone == ui.Warn) && w.Service != "" && v.Can(campus.RightAdmin) {
		w.More = w.URL + "#incidents"
	}
	if one.State == answer.Ended && !one.UsedAt.IsZero() {
		w.State, w.Tone = t(ctx, "state.ended"), ""
	}
	return w
}

// find is the identifier of the service that somebody means by an identifier, or
// by words that only one service has; "" for none.
func find(index *registry.Index, typed string) string {
	if s := index.Get(typed); s != nil {
		return s.ID
	}
	if found := index.Search(typed); len(found) == 1 {
		return found[0].ID
	}
	return ""
}

// t is a sentence of this alcove in the reader's language.
func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "sso.trace."+key, pairs...)
}
