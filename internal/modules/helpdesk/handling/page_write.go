package handling

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/secretword"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// maxBody is how long a message may be, in characters; maxMinutes how much time one
// message may count.
const (
	maxBody    = 50_000
	maxMinutes = 24 * 60
)

// after is what becomes of the ticket with a message.
type after string

// What becomes of the ticket with a message.
const (
	stays  after = ""
	waits  after = "wait"
	solves after = "solve"
	closes after = "close"
)

// writeForm is what an agent writes: an answer to everybody, or a note among agents.
type writeForm struct {
	Body     string
	Note     bool
	Then     after
	Minutes  string
	Version  int64     // of the ticket that the agent read
	Seen     time.Time // when that version was made; what is younger is marked
	Files    []ticket.Attachment
	Kept     string // the files that were taken in already, signed
	Template string
	Begun    bool // a draft of earlier is shown
	Offered  bool // nobody had the ticket, so that the agent could choose whether the answer takes it
	Take     bool // the answer takes it
}

// since reports whether something happened after the agent began to write.
func (f writeForm) since(at time.Time) bool { return !f.Seen.IsZero() && at.After(f.Seen) }

// filesPurpose is what the signature of files that were taken in is good for.
const filesPurpose = "helpdesk.handling_files"

// startForm is the form of a page that was just opened: empty, or the agent's draft.
func (h *Handling) startForm(r *http.Request, t ticket.Ticket) (writeForm, error) {
	form := writeForm{Version: t.Version, Seen: t.ChangedAt}
	drafts, err := h.drafts(r.Context(), t.ID)
	if err != nil {
		return form, err
	}
	if form.Take, err = h.takes(r.Context(), web.Viewer(r).Person); err != nil {
		return form, err
	}
	for _, d := range drafts {
		if d.Agent == web.Viewer(r).Person {
			form.Body, form.Note, form.Begun = d.Body, d.Note, true
		}
	}
	return form, nil
}

// readWriteForm reads what was posted. Files that came with it are taken in at once,
// and go from form to form until they are sent.
func (h *Handling) readWriteForm(r *http.Request, t ticket.Ticket) (writeForm, error) {
	values, err := web.Form(r)
	if err != nil {
		return writeForm{}, err
	}
	form := writeForm{
		Body: strings.ReplaceAll(values.Get("body"), "\r\n", "\n"), Note: values.Get("kind") == "note", Then: after(values.Get("then")), Minutes: strings.TrimSpace(values.Get("minutes")),
		Version: version(values.Get("version")), Template: values.Get("template"),
		Offered: values.Get("offered") != "", Take: values.Get("take") != "",
	}
	if at, err := strconv.ParseInt(values.Get("seen"), 10, 64); err == nil {
		form.Seen = time.UnixMicro(at)
	}
	if form.Files, err = h.keptFiles(t, values); err != nil {
		return form, err
	}
	came, err := h.Files.FromForm(r, "files")
	if err != nil {
		return form, err
	}
	form.Files = append(form.Files, came...)
	if len(form.Files) > 0 {
		list, err := json.Marshal(form.Files)
		if err != nil {
			return form, err
		}
		form.Kept = h.Keys.Sign(filesPurpose, t.ID+"|"+string(list))
	}
	return form, nil
}

// keptFiles reads the files that an earlier form of this ticket brought. A form that
// was tampered with brings none.
func (h *Handling) keptFiles(t ticket.Ticket, values url.Values) ([]ticket.Attachment, error) {
	signed, err := h.Keys.Verify(filesPurpose, values.Get("kept"))
	if err != nil {
		return nil, nil //nolint:nilerr // nothing was kept, or not by us
	}
	list, ok := strings.CutPrefix(signed, t.ID+"|")
	if !ok {
		return nil, nil
	}
	var kept []ticket.Attachment
	return kept, json.Unmarshal([]byte(list), &kept)
}

// minutes is the time that the message counts, or false.
func (f writeForm) minutes() (time.Duration, bool) {
	if f.Minutes == "" {
		return 0, true
	}
	n, err := strconv.Atoi(f.Minutes)
	return time.Duration(n) * time.Minute, err == nil && n >= 0 && n <= maxMinutes
}

func (f writeForm) check() (problems web.Problems) {
	switch {
	case strings.TrimSpace(f.Body) == "" && len(f.Files) == 0:
		problems.Add("body", "helpdesk.handling.problem.body_missing")
	case utf8.RuneCountInString(f.Body) > maxBody:
		problems.Add("body", "helpdesk.handling.problem.body_long", "limit", maxBody)
	}
	if _, ok := f.minutes(); !ok {
		problems.Add("minutes", "helpdesk.handling.problem.minutes")
	}
	if !slices.Contains([]after{stays, waits, solves, closes}, f.Then) {
		problems.Add("then", "helpdesk.handling.problem.then")
	}
	return problems
}

// write adds a message to a ticket. When somebody changed the ticket meanwhile, the
// page comes back with the text, the files, and what is new.
func (h *Handling) write(w http.ResponseWriter, r *http.Request) error {
	t, err := h.mine(r)
	if err != nil {
		return err
	}
	form, err := h.readWriteForm(r, t)
	if err != nil {
		return err
	}
	if problems := form.check(); problems.Any() {
		return h.again(w, r, t, form, problems, http.StatusUnprocessableEntity)
	}
	masked, secrets := secretword.Mask(strings.TrimSpace(form.Body))
	spent, _ := form.minutes()
	took := false
	done, err := h.change(r, t, form.Version, func(ctx context.Context, tx db.Tx, work *ticket.Work) error {
		if took = form.takes(work.Ticket); took {
			work.Assign(work.By().Person)
		}
		if form.Offered && !form.Note {
			if err := keepTakes(ctx, tx, work.By().Person, form.Take); err != nil {
				return err
			}
		}
		m := ticket.Message{Body: masked, Files: slices.Clone(form.Files)}
		if form.Note {
			work.Note(m)
		} else {
			work.Say(m)
		}
		work.Spend(spent)
		if err := h.dropDraft(ctx, tx, t.ID, work.By().Person); err != nil {
			return err
		}
		switch form.Then {
		case waits:
			return work.Wait()
		case solves:
			return work.Solve()
		case closes:
			return work.Close()
		}
		return nil
	})
	if errors.Is(err, ticket.Changed) || errors.Is(err, ticket.WrongState) {
		if t, err = h.mine(r); err != nil {
			return err
		}
		if err := h.saveDraft(r, t, form.Body, form.Note); err != nil {
			return err
		}
		form.Version = t.Version // who read what is new sends again
		return h.again(w, r, t, form, nil, http.StatusConflict)
	}
	if err != nil {
		return err
	}
	switch {
	case secrets > 0:
		web.Flash(w, r, "helpdesk.handling.done.masked")
	case form.Note:
		web.Flash(w, r, "helpdesk.handling.done.note")
	case took:
		web.Flash(w, r, "helpdesk.handling.done.sent_taken")
	default:
		web.Flash(w, r, "helpdesk.handling.done.sent")
	}
	if form.Then == solves || form.Then == closes || took {
		return h.undoably(w, r, done, form.undoing(t, done, took))
	}
	return web.SeeOther(w, r, URL(t.Number)+"#write")
}

// takes reports whether the message gives the ticket to who writes it: an answer does,
// if nobody has it.
func (f writeForm) takes(t ticket.Ticket) bool {
	return f.Offered && f.Take && !f.Note && t.Assignee == ""
}

// undoing is what can be taken back of what became of a ticket with the message. The
// message itself stays said: who was answered is not a new one any more.
func (f writeForm) undoing(was, done ticket.Ticket, took bool) undoing {
	u := undoing{Kind: undoState, State: done.State, Put: done.PostponedUntil.Unix(), Sent: !f.Note}
	if took {
		u.Kind = undoAssign
	}
	if f.Then == solves || f.Then == closes {
		if u.State, u.Put = was.State, was.PostponedUntil.Unix(); was.State == ticket.New && !f.Note {
			u.State = ticket.Open
		}
	}
	return u
}

// again shows the page once more, with what was typed.
func (h *Handling) again(w http.ResponseWriter, r *http.Request, t ticket.Ticket, form writeForm, problems web.Problems, status int) error {
	view, err := h.view(r, t, form)
	if err != nil {
		return err
	}
	view.Problems, view.Conflict = problems, status == http.StatusConflict
	return web.Render(w, r, status, ticketTempl(view))
}
