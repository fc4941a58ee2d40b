package provisioning

import (
	"context"
	"net/http"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// adoptView is the decision about an account that stands where somebody's would.
type adoptView struct {
	Person       campus.PersonID
	Target, Name string // of the service
	Found        string // identifier of the account there
	Here, There  []ui.Fact
	Privileged   bool   // it keeps the service: nobody takes it over from here
	Key          string // ours, to be written there by hand
}

// URL is the address of the decision.
func (v adoptView) URL() string { return adoptURL(v.Person, v.Target) }

func adoptURL(who campus.PersonID, target string) string {
	return "/provisioning/people/" + string(who) + "/adopt/" + target
}

// undecided reports whether an account in the way waits for a decision of an
// administrator.
func undecided(a ledger.Account) bool {
	return a.Reason == target.AccountDiffers.Code() || a.Reason == target.AccountPrivileged.Code()
}

// adoptPage shows both sides: whom we know, and the account that is there.
func (m *Module) adoptPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := m.target(r.PathValue("target"))
	if err != nil {
		return err
	}
	who := campus.PersonID(r.PathValue("id"))
	line, there, err := m.ledger.Of(ctx, m.DB.Read(), s.Service.ID, who)
	if err != nil {
		return err
	}
	known, err := m.Register.KnownPeople(ctx, []campus.PersonID{who})
	if err != nil {
		return err
	}
	k, ok := known[who]
	if !ok {
		return PersonMissing
	}
	if !there || !undecided(line) {
		return NothingToAdopt.With(fault.Args{"service": m.name(ctx, s)})
	}
	view := adoptView{
		Person: who, Target: s.Service.ID, Name: m.name(ctx, s), Found: line.FoundID, Key: string(who),
		Privileged: line.Reason == target.AccountPrivileged.Code(),
		Here: facts(ctx, "name", target.Account{GivenName: k.Subject.GivenName, FamilyName: k.Subject.FamilyName}.DisplayName(), "login", k.Subject.Login,
			"mail", k.Subject.Mail, "student_number", k.Subject.StudentNumber),
		There: facts(ctx, "login", line.Other, "remote", line.FoundID, "detail", line.Detail),
	}
	if err := m.looked(ctx, web.Viewer(r), who); err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, adoptTempl(view))
}

// facts are pairs of a label and a text; those without a text are left out.
func facts(ctx context.Context, pairs ...string) []ui.Fact {
	var list []ui.Fact
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, ui.Fact{Label: t(ctx, "adopt."+pairs[i]), Text: pairs[i+1]})
		}
	}
	return list
}

// adopt takes over the account that the administrator was shown, and no other.
func (m *Module) adopt(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	s, err := m.target(r.PathValue("target"))
	if err != nil {
		return err
	}
	who := campus.PersonID(r.PathValue("id"))
	err = m.DB.InTx(ctx, func(tx db.Tx) error {
		line, there, err := m.ledger.Of(ctx, tx, s.Service.ID, who)
		if err != nil {
			return err
		}
		if !there || !line.Adopt(form.Get("found"), tx.Now()) {
			return NothingToAdopt.With(fault.Args{"service": m.name(ctx, s)})
		}
		if err := m.ledger.Put(ctx, tx, line); err != nil {
			return err
		}
		return m.worker.Start(ctx, tx, s.Service.ID)
	})
	if err != nil {
		return err
	}
	m.Log.WarnContext(ctx, "provisioning: an account that differs is taken over", "target", s.Service.ID, "person", who, "remote", form.Get("found"), "by", web.Viewer(r).Person)
	web.Flash(w, r, "provisioning.flash.adopted")
	return web.SeeOther(w, r, "/provisioning/people/"+string(who)+"#"+s.Service.ID)
}
