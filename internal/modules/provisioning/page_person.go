package provisioning

import (
	"context"
	"net/http"
	"strconv"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// exchangesShown is how many exchanges stand beside an account.
const exchangesShown = 10

// agentView is one account as an agent sees it: what the person reads, and what
// was said to the service.
type agentView struct {
	accountView
	Exchanges []ledger.Exchange
	MayRetry  bool
	Adopt     string // where an administrator decides about the account in the way
}

// personView is somebody's accounts as an agent sees them.
type personView struct {
	Person   campus.PersonID
	Name     string
	Accounts []agentView
}

// personPage shows an agent somebody's accounts, in the words that the person
// reads.
func (m *Module) personPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	who := campus.PersonID(r.PathValue("id"))
	known, err := m.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return err
	}
	accounts, err := m.accountsOf(ctx, who)
	if err != nil {
		return err
	}
	k, ok := known[who]
	view := personView{Person: who}
	if ok {
		view.Name = target.Account{GivenName: k.Subject.GivenName, FamilyName: k.Subject.FamilyName}.DisplayName()
	}
	for _, a := range accounts {
		if a.line.Person != "" && !ok {
			ok, view.Name = true, a.line.Name // gone from the register, and still in a service
		}
		one := agentView{accountView: a.view(ctx), MayRetry: a.line.Todo() != ledger.Nothing || a.State == contract.AccountBlocked || a.Code != ""}
		if one.Exchanges, err = m.ledger.Exchanges(ctx, a.service.Service.ID, who, exchangesShown); err != nil {
			return err
		}
		if undecided(a.line) && web.Viewer(r).Can(campus.RightAdmin) {
			one.Adopt = adoptURL(who, a.service.Service.ID)
		}
		m.agentFacts(ctx, a, &one)
		view.Accounts = append(view.Accounts, one)
	}
	if !ok {
		return PersonMissing
	}
	if err := m.looked(ctx, web.Viewer(r), who); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, personTempl(view))
}

// looked keeps that an agent opened somebody's accounts.
func (m *Module) looked(ctx context.Context, v campus.Viewer, who campus.PersonID) error {
	if m.Looks == nil {
		return nil
	}
	as := campus.RightAdmin
	if v.Can(campus.RightHelpdesk) {
		as = campus.RightHelpdesk
	}
	return m.Looks.Looked(ctx, contract.Look{By: v.Person, About: who, As: as, What: "provisioning.person.look"})
}

// agentFacts adds what the person does not read: what the service said, and which
// other account stands in the way.
func (m *Module) agentFacts(ctx context.Context, a account, one *agentView) {
	fact := func(key, text string) {
		if text != "" {
			one.Facts = append(one.Facts, ui.Fact{Label: t(ctx, "fact."+key), Text: text})
		}
	}
	fact("detail", a.line.Detail)
	fact("obstacle", a.line.Other)
	fact("remote", a.line.RemoteID)
	if a.line.Todo() != ledger.Nothing {
		fact("attempts", strconv.FormatInt(a.line.Attempts, 10))
		one.Facts = append(one.Facts, ui.Fact{Label: t(ctx, "fact.next_try"), Body: ui.When(a.line.DueAt.Time(), i18n.Moment)})
	}
}

// retryPerson puts one account of somebody in front of the queue.
func (m *Module) retryPerson(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	s, err := m.target(form.Get("target"))
	if err != nil {
		return err
	}
	who := campus.PersonID(r.PathValue("id"))
	hurried, err := m.hurry(r, s, who)
	if err != nil {
		return err
	}
	if hurried {
		web.Flash(w, r, "provisioning.flash.retried")
	} else {
		web.Flash(w, r, "provisioning.flash.nothing_to_retry")
	}
	return web.SeeOther(w, r, "/provisioning/people/"+string(who)+"#"+s.Service.ID)
}

// outcome says how an exchange went.
func outcome(ctx context.Context, e ledger.Exchange) (word string, tone ui.Tone) {
	if e.Reason == "" {
		return t(ctx, "exchange.done"), ui.Good
	}
	return e.Reason, ui.Warn
}
