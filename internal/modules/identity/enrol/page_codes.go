package enrol

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// codesCookie keeps fresh recovery codes, sealed, in the browser that made them:
// the server stores hashes only, and the page must survive a reload and the back
// button until its reader says that the codes are kept.
const (
	codesCookie   = "amphi_recovery_codes"
	codesPurpose  = "identity.enrol.codes"
	showCodesFor  = 15 * time.Minute
	fewCodes      = 2 // left, so that new ones are worth making
	codesMimeType = "text/plain; charset=utf-8"
)

// shownCodes is what the cookie holds.
type shownCodes struct {
	Person campus.PersonID `json:"person"`
	Codes  []string        `json:"codes"`
	MadeAt time.Time       `json:"made_at"`
}

// codesView is the state of somebody's recovery codes.
type codesView struct {
	frame
	Has   bool
	Left  int
	Made  time.Time
	Alone bool // no factor that they could stand in for
}

// newCodesView is the page with the codes.
type newCodesView struct {
	frame
	shownCodes
	Login string
	Until time.Time
}

func (x *Enrol) codesPage(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.mayAdd(w, r, entry.Recovery)
	if err != nil || !ok {
		return err
	}
	factors, err := x.Factors.Of(r.Context(), a.Person)
	if err != nil {
		return err
	}
	ctx := r.Context()
	view := codesView{frame: frame{Actor: a, Title: kindName(ctx, entry.Recovery), Lead: i18n.T(ctx, "identity.enrol.codes.lead")}}
	codes, has := recovery(factors)
	view.Has, view.Left, view.Made, view.Alone = has, codes.CodesLeft, codes.AddedAt, count(factors, x.Clock.Now()) == 0
	return web.Render(w, r, http.StatusOK, codesTempl(view))
}

// makeCodes replaces the codes. What is shown next comes from the cookie, so a
// form that is sent twice leaves a browser that knows whether its codes are the
// ones that count.
func (x *Enrol) makeCodes(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.mayAdd(w, r, entry.Recovery)
	if err != nil || !ok {
		return err
	}
	set, err := x.Factors.NewCodes(r.Context(), factor.At(r, a))
	if err != nil {
		return err
	}
	body, err := json.Marshal(shownCodes{Person: a.Person, Codes: set.Codes, MadeAt: set.MadeAt})
	if err != nil {
		return fmt.Errorf("write down the recovery codes: %w", err)
	}
	sealed, err := x.Keys.SealText(codesPurpose, string(body))
	if err != nil {
		return fmt.Errorf("seal the recovery codes: %w", err)
	}
	web.SetCookie(w, r, codesCookie, sealed, showCodesFor)
	return web.SeeOther(w, r, here(CodesURL+"/new", a))
}

// shown are the codes that this browser may show once more: the actor's newest,
// made a short time ago.
func (x *Enrol) shown(r *http.Request, a entry.Actor) (shownCodes, error) {
	sealed := web.Cookie(r, codesCookie)
	if sealed == "" {
		return shownCodes{}, CodesGone
	}
	body, err := x.Keys.OpenText(codesPurpose, sealed)
	if err != nil {
		return shownCodes{}, CodesGone.From(err)
	}
	var s shownCodes
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return shownCodes{}, CodesGone.From(err)
	}
	if s.Person != a.Person || x.Clock.Now().Sub(s.MadeAt) > showCodesFor {
		return shownCodes{}, CodesGone
	}
	factors, err := x.Factors.Of(r.Context(), a.Person)
	if err != nil {
		return shownCodes{}, err
	}
	if current, ok := recovery(factors); !ok || !current.AddedAt.Equal(s.MadeAt) {
		return shownCodes{}, CodesGone // another tab made newer ones
	}
	return s, nil
}

func (x *Enrol) newCodesPage(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.someone(w, r)
	if err != nil || !ok {
		return err
	}
	return x.showNewCodes(w, r, http.StatusOK, frame{Actor: a})
}

func (x *Enrol) showNewCodes(w http.ResponseWriter, r *http.Request, status int, f frame) error {
	codes, err := x.shown(r, f.Actor)
	if err != nil {
		return err
	}
	person, err := x.People.PersonByID(r.Context(), f.Actor.Person)
	if err != nil {
		return err
	}
	ctx := r.Context()
	if f.Actor.SigningIn() {
		if _, err := x.entering(w, r, f.Actor); err != nil {
			return err
		}
	}
	f.Title, f.Lead = i18n.T(ctx, "identity.enrol.codes.new_title"), i18n.T(ctx, "identity.enrol.codes.new_lead")
	return web.Render(w, r, status, newCodesTempl(newCodesView{f, codes, person.Login, codes.MadeAt.Add(showCodesFor)}))
}

// keepCodes ends the showing once their owner has them elsewhere.
func (x *Enrol) keepCodes(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.someone(w, r)
	if err != nil || !ok {
		return err
	}
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	if values.Get("kept") == "" {
		var problems web.Problems
		problems.Add("kept", "identity.enrol.problem.kept_missing")
		return x.showNewCodes(w, r, http.StatusUnprocessableEntity, frame{Actor: a, Problems: problems})
	}
	web.SetCookie(w, r, codesCookie, "", -1)
	web.Flash(w, r, "identity.enrol.codes.done")
	return x.Door.Proceed(w, r, a, ListURL)
}

// codesFile is the same codes as a text file.
func (x *Enrol) codesFile(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := x.someone(w, r)
	if err != nil || !ok {
		return err
	}
	codes, err := x.shown(r, a)
	if err != nil {
		return err
	}
	person, err := x.People.PersonByID(r.Context(), a.Person)
	if err != nil {
		return err
	}
	ctx := r.Context()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\r\n\r\n", i18n.T(ctx, "identity.enrol.codes.file_title", "login", person.Login, "day", i18n.Date(ctx, codes.MadeAt, i18n.Full)))
	for _, c := range codes.Codes {
		fmt.Fprintf(&b, "%s\r\n", c)
	}
	fmt.Fprintf(&b, "\r\n%s\r\n", i18n.T(ctx, "identity.enrol.codes.use"))
	w.Header().Set("Content-Type", codesMimeType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+i18n.T(ctx, "identity.enrol.codes.file")+`.txt"`)
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write([]byte(b.String()))
	return err
}
