package asking

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// The labels of what the house fills in; their sentences stand below helpdesk.fact.
const (
	factIdentifier = "identifier"
	factBrowser    = "browser"
	factIncident   = "incident"
	factError      = "error"
	factResets     = "resets"
	factService    = "service"
	factAccount    = "account"
	factWay        = "way"
)

// resetsSince is how far back new passwords are told.
const resetsSince = 30 * 24 * time.Hour

// filled are the facts of a request, in the language of who asks. They are gathered
// anew when the form is sent: a browser chooses which of them leave, not what they
// say.
func (a *Asking) filled(r *http.Request, v guideView) ([]ticket.Fact, error) {
	ctx, viewer := r.Context(), web.Viewer(r)
	var facts []ticket.Fact
	add := func(label, content string) {
		if content != "" {
			facts = append(facts, ticket.Fact{Label: label, Content: content})
		}
	}
	switch {
	case viewer.SignedIn():
		add(factIdentifier, viewer.Login)
	case v.Mine:
		add(factIdentifier, v.SignIn.Typed)
	}
	add(factService, v.ServiceName)
	add(factIncident, v.SignIn.Code)
	if v.Failure != nil {
		add(factError, v.Failure.Title+" ("+v.Failure.Code+")")
	} else if page := worded(ctx, v.Reason, nil); page != nil {
		add(factError, strings.TrimSpace(page.Title+" ("+page.Code+") "+v.Request))
	}
	if v.Account != nil {
		add(factAccount, strings.TrimSpace(i18n.T(ctx, "helpdesk.asking.account."+string(v.Account.State))+" "+v.Account.Message+codeOf(v.Account.Code)))
	}
	add(factBrowser, browserOf(ctx, r.UserAgent()))
	if viewer.SignedIn() {
		times, err := a.SignIns.NewPasswords(ctx, viewer.Person, a.Clock.Now().Add(-resetsSince))
		if err != nil {
			return nil, err
		}
		var words []string
		for _, t := range times[:min(len(times), 3)] {
			words = append(words, i18n.Date(ctx, t, i18n.Full))
		}
		add(factResets, strings.Join(words, ", "))
	}
	add(factWay, v.inWords(ctx))
	return facts, nil
}

func codeOf(code string) string {
	if code == "" {
		return ""
	}
	return " (" + code + ")"
}

// inWords are the answers of the guide, as an agent reads them.
func (v guideView) inWords(ctx context.Context) string {
	var words []string
	for _, line := range v.told(ctx) {
		words = append(words, line.Question+" "+line.Answer)
	}
	return strings.Join(words, " · ")
}

// subject is what a request is called before anybody wrote a word.
func (v guideView) subject(ctx context.Context) string {
	switch {
	case v.Leaf == nil || v.Leaf.Key == "else":
		return v.ServiceName
	case v.byReason() && v.Failure != nil:
		return strings.TrimSuffix(v.Failure.Title, ".")
	}
	title := strings.TrimSuffix(i18n.T(ctx, "helpdesk.asking.subject."+subjectOf(v.Place), v.pairs(ctx)...), ".")
	if v.ServiceName != "" {
		return v.ServiceName + i18n.T(ctx, "helpdesk.asking.subject_of") + title
	}
	return title
}

// subjectOf is the sentence that names what a way is about.
func subjectOf(p diagnosis.Place) string {
	switch area := p.AreaOf(); area {
	case ticket.AreaOther:
		return "else"
	default:
		return string(area)
	}
}
