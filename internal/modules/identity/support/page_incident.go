package support

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// incidentView is one incident code, opened.
type incidentView struct {
	Story  story
	Person *personView // nil while nobody is recognised
	Mark   string
	// TraceURL leads to what services were given in this sign-in; empty when it went
	// to none, and for who may not read that.
	TraceURL string
	// Request is the page of the request to the help desk that led here; may be empty.
	Request string
}

// request is the page of the help desk's request that an address names as the one to
// return to; empty for none, and for any other page.
func request(r *http.Request) string {
	back := web.Local(r.URL.Query().Get("return"))
	if !strings.HasPrefix(back, "/helpdesk/tickets/") {
		return ""
	}
	return back
}

// returning carries that page on, behind other parameters.
func returning(to string) string {
	if to == "" {
		return ""
	}
	return "&" + url.Values{"return": {to}}.Encode()
}

// traceURL is the page of the single sign-on that follows an incident code, if
// somebody is recognised who was on the way to a service: other codes it does not
// know.
func traceURL(by campus.Viewer, a attempt.Attempt) string {
	if a.Person == "" || a.Service == "" || !by.Can(campus.RightHelpdesk) {
		return ""
	}
	return "/sso/trace?" + url.Values{"code": {a.Code}}.Encode()
}

// incidentPage opens an incident code. The first opening goes into the journal
// of the person and continues on an address that can be reloaded.
func (s *Support) incidentPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	code, ok := attempt.ParseCode(r.PathValue("code"))
	if !ok {
		return attempt.Missing
	}
	a, err := s.Stories.ByCode(ctx, code)
	if err != nil {
		return err
	}
	mark, from := r.URL.Query().Get("opened"), request(r)
	if !s.opened(r, mark, a.Code) {
		if err := s.write(ctx, r, a.Person, incidentOpened, "code", a.Code); err != nil {
			return err
		}
		return web.SeeOther(w, r, incidentURL(a.Code, s.mark(r, a.Code))+returning(from))
	}
	view, reader := incidentView{Mark: mark, TraceURL: traceURL(web.Viewer(r), a), Request: from}, s.Texts.For(i18n.Locale(ctx))
	if a.Person != "" {
		person, err := s.view(r, a.Person, opening{Mark: s.mark(r, string(a.Person)), Incident: a.Code, Back: incidentURL(a.Code, mark) + returning(from)})
		if err != nil {
			return err
		}
		view.Person = &person
		if person.Locale != "" {
			reader = s.Texts.For(person.Locale)
		}
	}
	view.Story = s.tell(ctx, a, reader)
	return web.Render(w, r, http.StatusOK, incidentTempl(view))
}
