package lifecycle

import (
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// accountView is one account as the secretariat sees it.
type accountView struct {
	Person        account.Person
	Decisions     []decisionView
	Registrations []Registration
	Holding       *Decision // the decision that makes the account what it is
	Undo          *Decision // what the viewer can still undo
	Oneself       bool
	Now           time.Time
}

// decisionView is one decision with the names of who, or which rule, took it and
// who lifted it.
type decisionView struct {
	Decision
	By, LiftedByName string
}

func (l *Lifecycle) accountPage(w http.ResponseWriter, r *http.Request) error {
	view, err := l.viewOf(r)
	if err != nil {
		return err
	}
	if l.Looked != nil {
		look := contract.Look{By: web.Viewer(r).Person, About: view.Person.ID, As: campus.RightSecretariat, What: "identity.lifecycle.look"}
		if err := l.Looked(r.Context(), look); err != nil {
			return err
		}
	}
	return web.Render(w, r, http.StatusOK, accountTempl(view))
}

func (l *Lifecycle) viewOf(r *http.Request) (accountView, error) {
	ctx, v := r.Context(), web.Viewer(r)
	view := accountView{Now: l.Clock.Now()}
	var err error
	if view.Person, err = l.People.PersonByID(ctx, campus.PersonID(r.PathValue("id"))); err != nil {
		return view, err
	}
	if !v.CanFor(campus.RightSecretariat, view.Person.Affiliations) {
		return view, Elsewhere
	}
	view.Oneself = view.Person.ID == v.Person
	if view.Registrations, err = l.Registrations(ctx, view.Person.ID); err != nil {
		return view, err
	}
	list, err := l.Decisions(ctx, view.Person.ID)
	if err != nil {
		return view, err
	}
	names := map[campus.PersonID]string{}
	for _, d := range list {
		shown := decisionView{Decision: d}
		if shown.By, err = l.nameOf(r, d.DecidedBy, names); err != nil {
			return view, err
		}
		if d.Rule != "" {
			shown.By = l.config.ruleWords(ctx, d.Rule)
		}
		if shown.LiftedByName, err = l.nameOf(r, d.LiftedBy, names); err != nil {
			return view, err
		}
		view.Decisions = append(view.Decisions, shown)
		if d.DecidedBy == v.Person && d.Undoable(view.Now) && view.Undo == nil {
			view.Undo = &d
		}
	}
	view.Holding = holding(list, view.Person.State)
	return view, nil
}

// holding is the newest decision that is open and has made the account what it is.
func holding(newestFirst []Decision, state account.State) *Decision {
	i := slices.IndexFunc(newestFirst, func(d Decision) bool { return d.Open() && d.State == state })
	if i < 0 {
		return nil
	}
	return &newestFirst[i]
}

// nameOf is somebody's name; empty for a rule, and for a person who is no more.
func (l *Lifecycle) nameOf(r *http.Request, who campus.PersonID, names map[campus.PersonID]string) (string, error) {
	if who == "" {
		return "", nil
	}
	if name, ok := names[who]; ok {
		return name, nil
	}
	p, err := l.People.PersonByID(r.Context(), who)
	if err != nil && fault.Of(err).Reason.Kind() != fault.NotFound {
		return "", err
	}
	names[who] = p.DisplayName()
	return names[who], nil
}

// acts are the decisions that can be taken now, in the order of their buttons.
func (v accountView) acts() []string {
	if v.Oneself {
		return nil
	}
	var acts []string
	if weight(v.Person.State) > 0 {
		acts = append(acts, "reopen")
	}
	for _, a := range []string{"suspend", "expire", "close"} {
		if Possible(v.Person.State, orderedState[a]) {
			acts = append(acts, a)
		}
	}
	return acts
}

// Becomes is what an act makes of an account: suspend, expire or close; empty for
// other acts.
func Becomes(act string) account.State { return orderedState[act] }

// orderedState is what each act makes of an account.
var orderedState = map[string]account.State{"suspend": account.Suspended, "expire": account.Expiring, "close": account.Closed}
