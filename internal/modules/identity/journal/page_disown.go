package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// own returns an event of somebody's own. One of another account is answered as
// one that does not exist.
func (j *Journal) own(ctx context.Context, who campus.PersonID, number string) (Entry, error) {
	missing := EventMissing.With(fault.Args{"event": number})
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return Entry{}, missing
	}
	row, err := sqlgen.New(j.db.Read()).BySeq(ctx, seq)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.PersonID != string(who) {
		return Entry{}, missing
	}
	if err != nil {
		return Entry{}, fmt.Errorf("read event %d: %w", seq, err)
	}
	return entryOf(row)
}

// disownPage says what happens when somebody did not do this.
func (j *Journal) disownPage(w http.ResponseWriter, r *http.Request) error {
	who := web.Viewer(r).Person
	e, err := j.own(r.Context(), who, r.PathValue("event"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, disownTempl(j.line(r, e, who)))
}

// disown closes every other session and forgets every browser, since somebody
// else may sit in front of one. Locking on top of it keeps everybody out who does
// not prove a second factor.
func (j *Journal) disown(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	viewer := web.Viewer(r)
	e, err := j.own(r.Context(), viewer.Person, r.PathValue("event"))
	if err != nil {
		return err
	}
	lock, closed := form.Get("act") == "lock", 0
	err = j.db.InTx(r.Context(), func(tx db.Tx) error {
		var err error
		if closed, err = j.sessions.EndSessionsOf(r.Context(), tx, viewer.Person, viewer.Session); err != nil {
			return fmt.Errorf("close the other sessions: %w", err)
		}
		said := From(r)
		said.Person = viewer.Person
		if _, err := j.guard.ForgetAll(r.Context(), tx, said); err != nil {
			return fmt.Errorf("forget the browsers: %w", err)
		}
		if lock {
			if err := j.guard.LockOneself(r.Context(), tx, viewer.Person); err != nil {
				return fmt.Errorf("lock the account: %w", err)
			}
		}
		said.Kind = "identity.disowned"
		said.Facts = map[string]string{"event": strconv.FormatInt(e.Seq, 10), "closed": strconv.Itoa(closed)}
		return j.Write(r.Context(), tx, said)
	})
	if err != nil {
		return err
	}
	if lock {
		web.Flash(w, r, "identity.journal.disown.done_lock", "number", strconv.Itoa(closed))
	} else {
		web.Flash(w, r, "identity.journal.disown.done_close", "number", strconv.Itoa(closed))
	}
	return web.SeeOther(w, r, "/identity/journal/"+strconv.FormatInt(e.Seq, 10)+"/next-steps")
}

// nextStepsPage lists what is worth checking now, in the order of its use.
func (j *Journal) nextStepsPage(w http.ResponseWriter, r *http.Request) error {
	who := web.Viewer(r).Person
	e, err := j.own(r.Context(), who, r.PathValue("event"))
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, nextStepsTempl(j.line(r, e, who)))
}

// remedies are what to do after an event that was somebody else's; the words are
// [identity.journal.remedy].
var remedies = []struct{ Key, Icon, URL string }{
	{"password", "key", "/identity/password"},
	{"factors", "lock", "/identity/factors"},
	{"contacts", "phone", "/identity/contacts"},
	{"help", "help", "/portal/help"},
}
