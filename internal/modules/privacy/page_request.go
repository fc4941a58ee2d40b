package privacy

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// maxWords is how long what people write may be, in characters.
const maxWords = 4000

// requestForm is a request as it is written.
type requestForm struct {
	Kind, Words string
	Problems    web.Problems
	// Fates says, for an erasure, what would become of what each room holds.
	Fates []fateView
}

// fateView is what an erasure does with one room.
type fateView struct {
	Name    string
	Deleted []string // in words: what goes, or is made anonymous
	Kept    []string // what stays, and why
}

// formText reads a field without blanks around and nothing that no text holds.
func formText(v url.Values, name string) string {
	return strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(v.Get(name), "\x00", ""), ""))
}

// checkText says what is wrong with words that are asked for.
func checkText(p *web.Problems, field, words string) {
	switch {
	case words == "":
		p.Add(field, "privacy.words_missing")
	case utf8.RuneCountInString(words) > maxWords:
		p.Add(field, "privacy.words_long", "limit", maxWords)
	}
}

func (m *Module) newRequestPage(w http.ResponseWriter, r *http.Request) error {
	form := requestForm{Kind: r.URL.Query().Get("kind")}
	if !slices.Contains(kinds, form.Kind) {
		form.Kind = ""
	}
	return m.showForm(w, r, http.StatusOK, form)
}

func (m *Module) showForm(w http.ResponseWriter, r *http.Request, status int, form requestForm) error {
	if form.Kind == Erasure || form.Kind == "" {
		form.Fates = m.fates(r)
	}
	return web.Render(w, r, status, newRequestTempl(form))
}

// fates explains what can be erased when, from what the rooms declare.
func (m *Module) fates(r *http.Request) []fateView {
	ctx := r.Context()
	var list []fateView
	for _, room := range m.Rooms() {
		holder, ok := room.(contract.PersonalData)
		if !ok {
			continue
		}
		v := fateView{Name: roomName(ctx, room.Name())}
		for _, h := range holder.Holdings(ctx) {
			kept := slices.IndexFunc(h.Traces, func(t contract.Trace) bool { return t.Fate == contract.Kept && t.By == contract.ByID })
			if kept >= 0 {
				v.Kept = append(v.Kept, h.What+" ("+h.Until+"). "+h.Traces[kept].Why)
			} else if len(h.Traces) > 0 {
				v.Deleted = append(v.Deleted, h.What)
			}
		}
		list = append(list, v)
	}
	return list
}

func (m *Module) newRequest(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	form := requestForm{Kind: formText(values, "kind"), Words: formText(values, "words")}
	if !slices.Contains(kinds, form.Kind) {
		form.Kind = ""
		form.Problems.Add("kind", "privacy.kind_missing")
	}
	checkText(&form.Problems, "words", form.Words)
	if form.Problems.Any() {
		return m.showForm(w, r, http.StatusUnprocessableEntity, form)
	}
	request, err := m.Ask(r.Context(), web.Viewer(r).Person, form.Kind, form.Words)
	if err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.asked")
	return web.SeeOther(w, r, "/privacy/requests/"+request)
}

// requestView is a request as its person sees it.
type requestView struct {
	Request
	Messages []Message
	Reply    string
	Problems web.Problems
}

func (m *Module) requestPage(w http.ResponseWriter, r *http.Request) error {
	return m.showRequest(w, r, http.StatusOK, "", nil)
}

func (m *Module) showRequest(w http.ResponseWriter, r *http.Request, status int, reply string, problems web.Problems) error {
	q, err := m.ownRequest(r.Context(), web.Viewer(r).Person, r.PathValue("id"))
	if err != nil {
		return err
	}
	messages, err := m.messages(r.Context(), q.ID)
	if err != nil {
		return err
	}
	return web.Render(w, r, status, requestTempl(requestView{q, messages, reply, problems}))
}

func (m *Module) reply(w http.ResponseWriter, r *http.Request) error {
	q, err := m.ownRequest(r.Context(), web.Viewer(r).Person, r.PathValue("id"))
	if err != nil {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	words, problems := formText(values, "words"), web.Problems(nil)
	if checkText(&problems, "words", words); problems.Any() {
		return m.showRequest(w, r, http.StatusUnprocessableEntity, words, problems)
	}
	if err := m.Say(r.Context(), q, ByPerson, q.Person, words); err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.said")
	return web.SeeOther(w, r, "/privacy/requests/"+q.ID)
}

func (m *Module) withdrawRequest(w http.ResponseWriter, r *http.Request) error {
	q, err := m.ownRequest(r.Context(), web.Viewer(r).Person, r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := m.Withdraw(r.Context(), q); err != nil {
		return err
	}
	web.Flash(w, r, "privacy.flash.withdrawn")
	return web.SeeOther(w, r, "/privacy/requests/"+q.ID)
}
