package consent

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// question is what the page asks: may this service be told these attributes?
type question struct {
	Service *registry.Service
	Told    []registry.Attribute
	Back    string
}

// alsoField holds the attributes that people may leave out and did not.
const alsoField = "also"

// askView is the question with the values that would leave: those that the service
// needs, and those that people may leave out.
type askView struct {
	question
	Name, Owner, Reason string
	Needed              []ui.Fact
	Wished              []ui.Option
	Ticked              []string
}

// lead names the sentence below the title: not every service that has its people
// asked is somebody else's.
func (v askView) lead() string {
	if v.Service.Consent {
		return "sso.consent.lead"
	}
	return "sso.consent.lead_own"
}

// readQuestion reads the service, the attributes and the way back. Whatever the
// address says, no more is asked for than the registry lets the service be told.
func (c *Consent) readQuestion(r *http.Request, get func(string) string) (question, error) {
	x, err := c.Services.Registry(r.Context())
	if err != nil {
		return question{}, err
	}
	s := x.Get(get("service"))
	if s == nil || !s.SignsIn() {
		return question{}, QuestionUnreadable
	}
	told := slices.DeleteFunc(split(get("told")), func(a registry.Attribute) bool { return !s.Releases(a) })
	return question{s, told, web.Local(get("back"))}, nil
}

// optional reports whether people may leave an attribute out. Where the institution
// asks nobody, and only the service wants its people to see what it learns, nothing
// can be.
func (q question) optional(a registry.Attribute) bool {
	return q.Service.Consent && !q.Service.Needs(a)
}

func (c *Consent) askPage(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), web.Viewer(r).Person
	q, err := c.readQuestion(r, r.URL.Query().Get)
	if err != nil {
		return err
	}
	values, err := c.Services.Releasable(ctx, q.Service, who, q.Told)
	if err != nil {
		return err
	}
	before, err := c.disclosure(ctx, c.DB.Read(), who, q.Service.ID)
	if err != nil {
		return err
	}
	// After the answer the browser goes on to the service, which its policy has to
	// allow.
	if d, ok := c.Destination(ctx, q.Back); ok {
		web.AllowFormTo(w, d.Origins...)
	}
	view := askView{question: q, Name: q.Service.Name(i18n.Locale(ctx)), Owner: q.Service.Owner, Reason: reasonOf(ctx, q.Service)}
	for _, v := range values {
		label, text := i18n.T(ctx, "sso.attribute."+string(v.Name)), strings.Join(v.Values, ", ")
		if !q.optional(v.Name) {
			view.Needed = append(view.Needed, ui.Fact{Label: label, Text: text})
			continue
		}
		view.Wished = append(view.Wished, ui.Option{Value: string(v.Name), Label: label, Help: text})
		if !slices.Contains(before.LeftOut, v.Name) {
			view.Ticked = append(view.Ticked, string(v.Name))
		}
	}
	return web.Render(w, r, http.StatusOK, askTempl(view))
}

// reasonOf is why the service is told, in the reader's language.
func reasonOf(ctx context.Context, s *registry.Service) string {
	if text := s.Reason(i18n.Locale(ctx)); text != "" {
		return text
	}
	return i18n.T(ctx, "sso.consent.no_reason")
}

// answer takes the decision. A refusal goes back to the service where its protocol
// has a word for it; otherwise the person stays and reads what that means.
func (c *Consent) answer(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	q, err := c.readQuestion(r, form.Get)
	if err != nil {
		return err
	}
	ctx, who := r.Context(), web.Viewer(r).Person
	if form.Get("answer") != "yes" {
		if err := c.DB.InTx(ctx, func(tx db.Tx) error { return c.record(ctx, tx, r, Refused, q.Service, nil) }); err != nil {
			return err
		}
		if to, ok := c.Refusal(who, q.Service, q.Back); ok {
			return web.SeeOther(w, r, to)
		}
		return web.Render(w, r, http.StatusOK, refusedTempl(q.Service.Name(i18n.Locale(ctx)), q.Back))
	}
	agreed := slices.DeleteFunc(slices.Clone(q.Told), func(a registry.Attribute) bool {
		return q.optional(a) && !slices.Contains(form[alsoField], string(a))
	})
	err = c.DB.InTx(ctx, func(tx db.Tx) error {
		if err := c.agree(ctx, tx, who, q.Service, q.Told, agreed); err != nil {
			return err
		}
		return c.record(ctx, tx, r, Given, q.Service, agreed)
	})
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, q.Back)
}

// record puts a decision into the person's journal, in words of the day: the service
// may be gone when they read it.
func (c *Consent) record(ctx context.Context, tx db.Tx, r *http.Request, kind string, s *registry.Service, agreed []registry.Attribute) error {
	if c.Journal == nil {
		return nil
	}
	facts := map[string]string{"service": s.Name(i18n.Locale(ctx))}
	if kind == Given {
		facts["attributes"] = told(ctx, agreed)
	}
	return c.Journal.Record(ctx, tx, r, kind, facts)
}

// told says what a service learns: the identifier, which every service gets, and the
// attributes.
func told(ctx context.Context, attributes []registry.Attribute) string {
	text := i18n.T(ctx, "sso.consent.identifier")
	if len(attributes) > 0 {
		text += ", " + registry.AttributeWords(ctx, attributes)
	}
	return text
}
