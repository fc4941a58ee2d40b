package asking

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/secretword"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

const (
	maxBody    = attached.MaxBody
	maxSubject = 150   // characters
	maxWords   = 10000 // characters
	maxName    = 100   // characters
)

// writeView is the request, filled in.
type writeView struct {
	guideView
	SignedIn bool
	SMS      bool
	Facts    []ticket.Fact
	Tray     attached.Tray // files that wait for the next try
	form     writeForm
	Problems web.Problems
}

// writeForm is what the person types and ticks.
type writeForm struct {
	Way           string
	Subject, Body string
	Area          string
	Keep          []string // labels of the facts that leave
	Contact, Name string   // of somebody who has not signed in
	contact       contract.Contact
}

func readWriteForm(values url.Values) writeForm {
	text := func(name string) string {
		return strings.TrimSpace(strings.ReplaceAll(values.Get(name), "\r\n", "\n"))
	}
	return writeForm{
		Way: values.Get("way"), Subject: campus.OneLine(values.Get("subject")), Body: text("body"), Area: values.Get("area"), Keep: values["keep"],
		Contact: text("contact"), Name: campus.OneLine(values.Get("name")),
	}
}

// check adds what is to mend.
func (v *writeView) check(proofs contract.Proofs) {
	f := &v.form
	long := func(field, text string, limit int) {
		if utf8.RuneCountInString(text) > limit {
			v.Problems.Add(field, "helpdesk.asking.problem.long", "limit", limit)
		}
	}
	if !v.SignedIn {
		long("name", f.Name, maxName)
		var err error
		var why *fault.Fault
		var reason *fault.Reason
		switch f.contact, err = proofs.ReadContact(f.Contact); {
		case f.Contact == "":
			v.Problems.Add("contact", "helpdesk.asking.problem.contact_missing")
		case errors.As(err, &why):
			v.Problems.Add("contact", why.Reason.Code()+".message", web.Pairs(why.Args)...)
		case errors.As(err, &reason):
			v.Problems.Add("contact", reason.Code()+".message")
		}
	}
	if f.Subject == "" {
		v.Problems.Add("subject", "helpdesk.asking.problem.subject_missing")
	}
	long("subject", f.Subject, maxSubject)
	if f.Body == "" {
		v.Problems.Add("body", "helpdesk.asking.problem.body_missing")
	}
	long("body", f.Body, maxWords)
	if !slices.Contains(ticket.Areas, ticket.Area(f.Area)) {
		v.Problems.Add("area", "helpdesk.asking.problem.area")
	}
}

// writeFor makes the page for a way.
func (a *Asking) writeFor(r *http.Request, b about, way string) (writeView, error) {
	s, place, err := a.placed(r, way, b)
	if err != nil {
		return writeView{}, err
	}
	view := writeView{guideView: guideView{situation: s, Place: place}, SignedIn: web.Viewer(r).SignedIn(), SMS: a.SendsSMS()}
	if view.Facts, err = a.filled(r, view.guideView); err != nil {
		return writeView{}, err
	}
	return view, nil
}

func (a *Asking) writePage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	view, err := a.writeFor(r, aboutOf(q), q.Get("way"))
	if err != nil {
		return err
	}
	view.form = writeForm{Way: q.Get("way"), Subject: view.subject(r.Context()), Area: string(view.AreaOf())}
	for _, f := range view.Facts {
		view.form.Keep = append(view.form.Keep, f.Label)
	}
	return web.Render(w, r, http.StatusOK, writeTempl(view))
}

// begun is a request that somebody wrote, before or after they showed who they are.
type begun struct {
	Subject, Body string
	Name          string
	Locale        campus.Locale
	Area          ticket.Area
	Service       string
	Reason        string
	Incident      string
	Leaf          string
	Facts         []ticket.Fact
	Files         []ticket.Attachment
	Masked        int // passwords that were hidden
}

// write takes a request. Who has signed in is done; others show first that the
// address is theirs.
func (a *Asking) write(w http.ResponseWriter, r *http.Request) error {
	values, err := web.Form(r)
	if err != nil {
		return err
	}
	view, err := a.writeFor(r, aboutOf(values), values.Get("way"))
	if err != nil {
		return err
	}
	view.form = readWriteForm(values)
	view.check(a.Proofs)
	brought, err := a.bring(r)
	if err != nil {
		return err
	}
	if brought.Lost {
		view.Problems.Add("files", "helpdesk.tray.lost")
	}
	if view.Problems.Any() {
		return a.again(w, r, http.StatusUnprocessableEntity, view, brought.Files)
	}
	wrote := view.begun(r.Context())
	wrote.Files = brought.Files
	if view.SignedIn {
		err = a.openFor(w, r, wrote)
	} else {
		err = a.Proving.Begin(w, r, purpose, view.form.contact, wrote)
	}
	if err == nil {
		return nil
	}
	if f := fault.Of(err); !view.SignedIn && f.Reason.Kind() == fault.Busy { // nothing typed is lost
		web.Note(r, f)
		view.Problems.Add("contact", f.Reason.Code()+".message", web.Pairs(f.Args)...)
		return a.again(w, r, f.Reason.Kind().Status(), view, wrote.Files)
	}
	return errors.Join(err, a.Files.Drop(r.Context(), wrote.Files))
}

// again is the form once more, with what is to mend. Its files wait for the next try.
func (a *Asking) again(w http.ResponseWriter, r *http.Request, status int, view writeView, list []ticket.Attachment) (err error) {
	if view.Tray, err = a.Files.LayAside(r, list); err != nil {
		return errors.Join(err, a.Files.Drop(r.Context(), list))
	}
	return web.Render(w, r, status, writeTempl(view))
}

// bring takes in what goes with a request. Who brings files more often than people do is
// not given the room.
func (a *Asking) bring(r *http.Request) (attached.Brought, error) {
	if r.MultipartForm == nil || len(r.MultipartForm.File["files"]) == 0 {
		return a.Files.Bring(r, "")
	}
	of, key := a.uploads, limit.AddressKey(web.ClientAddr(r))
	if v := web.Viewer(r); v.SignedIn() {
		of, key = a.own, string(v.Person)
	}
	if _, ok := of.Allow(key); ok {
		return a.Files.Bring(r, "files")
	}
	brought, err := a.Files.Bring(r, "")
	brought.Files = append(brought.Files, ticket.Attachment{Name: i18n.T(r.Context(), "helpdesk.asking.files"), Refused: FilesLater.Code()})
	return brought, err
}

// begun is the request as it leaves: without the facts that the person took away, and
// without the passwords that they wrote.
func (v writeView) begun(ctx context.Context) begun {
	f := v.form
	b := begun{Name: f.Name, Locale: i18n.Locale(ctx), Area: ticket.Area(f.Area)}
	var inSubject int
	b.Subject, inSubject = secretword.Mask(f.Subject)
	b.Body, b.Masked = secretword.Mask(f.Body)
	b.Masked += inSubject
	if v.Leaf != nil {
		b.Leaf = v.Leaf.Key
	}
	for _, fact := range v.Facts {
		if !slices.Contains(f.Keep, fact.Label) {
			continue
		}
		switch fact.Label {
		case factService:
			b.Service = v.Service
		case factIncident:
			b.Incident = v.SignIn.Code
		case factError:
			b.Reason = v.stoppedBy()
		}
		b.Facts = append(b.Facts, fact)
	}
	if v.Leaf != nil && v.Leaf.Account && v.Account != nil && b.Reason == "" && slices.Contains(f.Keep, factAccount) {
		b.Reason = v.Account.Code
	}
	return b
}

func (v writeView) areas(ctx context.Context) []ui.Option {
	var list []ui.Option
	for _, area := range ticket.Areas {
		key := string(area)
		if area == ticket.AreaOther { // a reserved name of the locales
			key = "else"
		}
		list = append(list, ui.Option{Value: string(area), Label: i18n.T(ctx, "helpdesk.area."+key)})
	}
	return list
}

func (v writeView) facts(ctx context.Context) []ui.Option {
	var list []ui.Option
	for _, f := range v.Facts {
		list = append(list, ui.Option{Value: f.Label, Label: i18n.T(ctx, "helpdesk.fact."+f.Label), Help: f.Content})
	}
	return list
}

func (v writeView) contactLabel(ctx context.Context) string {
	if v.SMS {
		return i18n.T(ctx, "helpdesk.asking.contact")
	}
	return i18n.T(ctx, "helpdesk.asking.contact_mail")
}
