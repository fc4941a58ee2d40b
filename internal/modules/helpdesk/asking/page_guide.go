package asking

import (
	"context"
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// guideView is one page of the guide: a question or a leaf.
type guideView struct {
	situation
	diagnosis.Place
	Services []contract.Service // to choose from
}

// longestWay bounds the answers of an address; the tree is not that deep.
const longestWay = 20

// wayOf are the answers that an address holds.
func wayOf(path string) []string {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	return parts[:min(len(parts), longestWay)]
}

// placed is where a way stands with what is known.
func (a *Asking) placed(r *http.Request, path string, b about) (situation, diagnosis.Place, error) {
	s, err := a.situation(r, b)
	if err != nil {
		return s, diagnosis.Place{}, err
	}
	said := wayOf(path)
	a.suggest(r.Context(), &s, diagnosis.Wanted{Campus: campusOf(web.Viewer(r).Affiliations)})
	if s.Service == "" && s.SignIn.Reason == "" {
		s.Outages = nil // about nothing in particular: the start page told of them
	}
	k := s.known()
	k.Outage = k.Outage && s.Service != ""
	place := diagnosis.Walk(said, k)
	if place.Leaf != nil { // what was written about this leaf
		a.suggest(r.Context(), &s, diagnosis.Wanted{Leaf: place.Leaf.Key, Campus: campusOf(web.Viewer(r).Affiliations)})
		s.Outages = unique(s.Outages)
		s.Articles = unique(s.Articles)
	}
	return s, place, nil
}

func unique(list []diagnosis.Suggestion) []diagnosis.Suggestion {
	seen := map[string]bool{}
	kept := list[:0]
	for _, s := range list {
		if !seen[s.URL+s.Title] {
			seen[s.URL+s.Title] = true
			kept = append(kept, s)
		}
	}
	return kept
}

func (a *Asking) guidePage(w http.ResponseWriter, r *http.Request) error {
	s, place, err := a.placed(r, r.PathValue("way"), aboutOf(r.URL.Query()))
	if err != nil {
		return err
	}
	view := guideView{situation: s, Place: place}
	if place.Question != nil && place.Question.Key == diagnosis.WhichService {
		if view.Services, err = a.offered(r); err != nil {
			return err
		}
	}
	if place.Leaf != nil {
		return web.Render(w, r, http.StatusOK, leafTempl(view))
	}
	return web.Render(w, r, http.StatusOK, questionTempl(view))
}

// way is the address of the guide after so many answers, and one more.
func (v guideView) way(answers ...string) string {
	path := askURL
	for _, answer := range answers {
		path += "/" + answer
	}
	return v.address(path)
}

// next is the address after one more answer.
func (v guideView) next(answer string) string {
	return v.way(append(v.Said[:len(v.Said):len(v.Said)], answer)...)
}

// withService is the address after a service was named.
func (v guideView) withService(service string) string {
	b := v.about
	b.Service = service
	return b.address(askURL + "/" + strings.Join(v.Said, "/"))
}

// write is the address of the request that is filled with all this.
func (v guideView) write() string {
	return v.address(writeURL, "way", strings.Join(v.Said, "/"))
}

// pairs complete the sentences of the guide.
func (v guideView) pairs(ctx context.Context) []any {
	pairs := []any{"voucher", v.voucher(), "service", v.ServiceName, "title", "", "at", ""}
	if v.Failure != nil {
		pairs = append(pairs, "title", strings.TrimSuffix(v.Failure.Title, "."), "at", i18n.Date(ctx, v.SignIn.At, i18n.Clock))
	}
	return pairs
}

// told are the answers so far: those that the person gave lead back to their
// question, those that the house knew say why.
type told struct {
	Question, Answer, Why string
	Back                  string
}

func (v guideView) told(ctx context.Context) []told {
	var list []told
	given := 0
	for _, s := range v.Steps {
		line := told{
			Question: i18n.T(ctx, "helpdesk.diagnosis.ask."+s.Question+".title", v.pairs(ctx)...),
			Answer:   i18n.T(ctx, "helpdesk.diagnosis.answer."+s.Answer),
		}
		if !s.Known || given < len(v.Said) && v.Said[given] == s.Answer {
			line.Back = v.way(v.Said[:given]...)
			given++
		}
		if s.Known && s.Because == "" {
			continue
		}
		if s.Known {
			line.Why = i18n.T(ctx, "helpdesk.diagnosis.known."+s.Because, v.pairs(ctx)...)
		}
		if s.Question == diagnosis.WhichService && v.ServiceName != "" {
			line.Answer = v.ServiceName
		}
		list = append(list, line)
	}
	return list
}

// explained is what the page says at a leaf: the ledger's own words where it has
// some, what the failed sign-in said, or the leaf's.
func (v guideView) explained(ctx context.Context) (title, text, next string) {
	key := "helpdesk.diagnosis.leaf." + v.Leaf.Key
	title, text = i18n.T(ctx, key+".title"), i18n.T(ctx, key+".text", v.pairs(ctx)...)
	switch {
	case v.Leaf.Account && v.Account != nil && v.Account.Message != "":
		text, next = v.Account.Message, v.Account.Next
	case v.byReason() && v.Failure != nil:
		title, text, next = v.Failure.Title, v.Failure.Message, v.Failure.Next
	}
	return title, text, next
}

// byReason reports whether the failed sign-in led here.
func (v guideView) byReason() bool {
	n := len(v.Steps)
	return n > 0 && v.Steps[n-1].Because == "reason"
}

// mend is the button that mends it.
func (v guideView) mend(ctx context.Context) ui.Link {
	if v.Leaf.Key == "outage" && len(v.Outages) > 0 && v.Outages[0].URL != "" {
		return ui.Link{Label: i18n.T(ctx, "helpdesk.asking.outage_more"), URL: v.Outages[0].URL}
	}
	if v.Leaf.Mend != "" {
		return ui.Link{Label: i18n.T(ctx, "helpdesk.diagnosis.leaf."+v.Leaf.Key+".mend"), URL: v.Leaf.Mend}
	}
	if v.byReason() && v.Failure != nil && v.Failure.Action != "" && !strings.HasPrefix(v.Failure.ActionURL, "/portal/help") { // that would be a circle
		return ui.Link{Label: v.Failure.Action, URL: v.Failure.ActionURL}
	}
	return ui.Link{}
}

// facts of the ledger beside a leaf.
func (v guideView) facts(ctx context.Context) []ui.Fact {
	var facts []ui.Fact
	add := func(key, text string) {
		if text != "" {
			facts = append(facts, ui.Fact{Label: i18n.T(ctx, "helpdesk.asking.ledger."+key), Text: text})
		}
	}
	if v.Leaf.Account && v.Account != nil {
		if !v.Account.Estimate.IsZero() {
			add("ready", i18n.Date(ctx, v.Account.Estimate, i18n.Moment))
		}
		add("rule", v.Account.Rule)
		add("decides", v.Account.Decides)
		if !v.Account.LastExchange.IsZero() {
			add("exchange", i18n.Date(ctx, v.Account.LastExchange, i18n.Moment))
		}
	}
	if v.byReason() && v.Mine {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "helpdesk.fact.incident"), Text: v.SignIn.Code, Code: true})
	}
	return facts
}

// elsewise is the way without what the failed sign-in says.
func (v guideView) elsewise() string {
	b := v.about
	b.Code = unrelated
	return b.address(askURL)
}

func guideCrumbs(ctx context.Context) []ui.Link {
	return []ui.Link{{Label: i18n.T(ctx, "helpdesk.asking.title"), URL: URL}}
}
