package recovery

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// overSize is how many finished recoveries the agents' list shows.
const overSize = 20

// line is one recovery in a list.
type line struct {
	followView
	Name string
}

// listView is the agents' list: what waits for them first.
type listView struct {
	Running, Over []line
}

func (x *Recovery) listPage(w http.ResponseWriter, r *http.Request) error {
	running, err := x.running(r.Context())
	if err != nil {
		return err
	}
	over, err := x.over(r.Context(), overSize)
	if err != nil {
		return err
	}
	var view listView
	names := map[campus.PersonID]string{}
	for _, q := range running {
		name, err := x.nameOf(r, q.Person, names)
		if err != nil {
			return err
		}
		view.Running = append(view.Running, line{x.follow(q), name})
	}
	for _, q := range over {
		name, err := x.nameOf(r, q.Person, names)
		if err != nil {
			return err
		}
		view.Over = append(view.Over, line{x.follow(q), name})
	}
	return web.Render(w, r, http.StatusOK, listTempl(view))
}

// nameOf is somebody's name; empty for nobody, and for who is no more.
func (x *Recovery) nameOf(r *http.Request, who campus.PersonID, names map[campus.PersonID]string) (string, error) {
	if name, ok := names[who]; ok || who == "" {
		return name, nil
	}
	p, err := x.People.PersonByID(r.Context(), who)
	if err != nil && fault.Of(err).Reason.Kind() != fault.NotFound {
		return "", err
	}
	names[who] = p.DisplayName()
	return names[who], nil
}

// newView is the form that opens a recovery.
type newView struct {
	Person   account.Person
	Incident string
	Words    string
	Problems web.Problems
	Delay    time.Duration
}

// newPage asks why. It is reached from the page of a person or of an incident,
// whose opening is in the journal.
func (x *Recovery) newPage(w http.ResponseWriter, r *http.Request) error {
	p, err := x.People.PersonByID(r.Context(), campus.PersonID(r.URL.Query().Get("person")))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, newTempl(newView{Person: p, Incident: incidentOf(r.URL.Query().Get("incident")), Delay: x.config.Delay}))
}

// incidentOf keeps an incident code that can be one.
func incidentOf(text string) string {
	if len(text) > 16 {
		return ""
	}
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "")
}

func (x *Recovery) begin(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	p, err := x.People.PersonByID(r.Context(), campus.PersonID(values.Get("person")))
	if err != nil {
		return err
	}
	v := web.Viewer(r)
	if p.ID == v.Person {
		return Oneself
	}
	view := newView{Person: p, Incident: incidentOf(values.Get("incident")), Delay: x.config.Delay}
	view.Words = wordsOf(values.Get("words"), "words", true, &view.Problems)
	if view.Problems.Any() {
		return web.Render(w, r, http.StatusUnprocessableEntity, newTempl(view))
	}
	q, err := x.Begin(r.Context(), p.ID, v.Person, view.Words, view.Incident, journal.From(r))
	if errors.Is(err, Running) {
		open, ok, findErr := x.Open(r.Context(), p.ID)
		if findErr != nil {
			return findErr
		}
		if ok {
			return web.SeeOther(w, r, "/identity/support/recoveries/"+open.ID)
		}
	}
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.recovery.done.begun")
	return web.SeeOther(w, r, "/identity/support/recoveries/"+q.ID)
}

// requestView is one recovery as an agent sees it.
type requestView struct {
	followView
	Person                        account.Person
	Opener, FirstName, SecondName string
	EnderName                     string
	Viewer                        campus.PersonID
	FollowURL                     string // complete, for the person to keep
	Documents                     []DocumentConfig
	Delay, DelayAtDesk            time.Duration
	Problems                      web.Problems
	Key                           *Key // shown once
	CodeLasts                     time.Duration
}

func (x *Recovery) view(r *http.Request, request string) (requestView, error) {
	q, err := x.Request(r.Context(), request)
	if err != nil {
		return requestView{}, err
	}
	p, err := x.People.PersonByID(r.Context(), q.Person)
	if err != nil {
		return requestView{}, err
	}
	view := requestView{
		followView: x.follow(q), Person: p, Viewer: web.Viewer(r).Person, FollowURL: strings.TrimRight(x.BaseURL.String(), "/") + x.FollowURL(q.ID),
		Documents: x.config.documents(), Delay: x.config.Delay, DelayAtDesk: x.config.DelayAtDesk, CodeLasts: x.config.CodeLasts,
	}
	names := map[campus.PersonID]string{}
	for _, n := range []struct {
		into *string
		who  campus.PersonID
	}{{&view.Opener, q.OpenedBy}, {&view.FirstName, q.First.By}, {&view.SecondName, q.Second.By}, {&view.EnderName, q.EndedBy}} {
		if *n.into, err = x.nameOf(r, n.who, names); err != nil {
			return requestView{}, err
		}
	}
	return view, nil
}

func (x *Recovery) requestPage(w http.ResponseWriter, r *http.Request) error {
	view, err := x.view(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, requestTempl(view))
}

func (x *Recovery) approve(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	var problems web.Problems
	documents, where := x.config.known(values["documents"]), values.Get("where")
	if len(documents) == 0 {
		problems.Add("documents", "identity.recovery.problem.documents")
	}
	if where != "desk" && where != "afar" {
		problems.Add("where", "identity.recovery.problem.where")
	}
	if problems.Any() {
		return x.again(w, r, problems)
	}
	if err := x.Approve(r.Context(), web.Viewer(r), r.PathValue("id"), documents, where == "desk", journal.From(r)); err != nil {
		return err
	}
	web.Flash(w, r, "identity.recovery.done.approved")
	return web.SeeOther(w, r, "/identity/support/recoveries/"+r.PathValue("id"))
}

// again shows the page of a recovery with what is to mend in a form.
func (x *Recovery) again(w http.ResponseWriter, r *http.Request, problems web.Problems) error {
	view, err := x.view(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	view.Problems = problems
	return web.Render(w, r, http.StatusUnprocessableEntity, requestTempl(view))
}

func (x *Recovery) refuse(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	var problems web.Problems
	words := wordsOf(values.Get("words"), "words", true, &problems)
	if problems.Any() {
		return x.again(w, r, problems)
	}
	if err := x.Refuse(r.Context(), web.Viewer(r), r.PathValue("id"), words, journal.From(r)); err != nil {
		return err
	}
	web.Flash(w, r, "identity.recovery.done.refused")
	return web.SeeOther(w, r, "/identity/support/recoveries/"+r.PathValue("id"))
}

// give shows the link and the code in the answer to the post itself: nothing
// keeps them, so there is no page to lead to. Posting again makes new ones.
func (x *Recovery) give(w http.ResponseWriter, r *http.Request) error {
	key, err := x.Give(r.Context(), web.Viewer(r), r.PathValue("id"), journal.From(r))
	if err != nil {
		return err
	}
	view, err := x.view(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	view.Key = &key
	return web.Render(w, r, http.StatusOK, requestTempl(view))
}
