package consent

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/gate"
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

// askView is the question with the values that would leave.
type askView struct {
	question
	Name, Owner, Reason string
	Facts               []ui.Fact
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

func (c *Consent) askPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := c.readQuestion(r, r.URL.Query().Get)
	if err != nil {
		return err
	}
	values, err := c.Services.Released(ctx, q.Service, web.Viewer(r).Person, q.Told)
	if err != nil {
		return err
	}
	// After the answer the browser goes on to the service, which its policy has to
	// allow.
	if d, ok := c.Destination(ctx, q.Back); ok {
		web.AllowFormTo(w, d.Origins...)
	}
	view := askView{question: q, Name: q.Service.Name(i18n.Locale(ctx)), Owner: q.Service.Owner, Reason: reasonOf(ctx, q.Service), Facts: factsOf(ctx, values)}
	return web.Render(w, r, http.StatusOK, askTempl(view))
}

// factsOf are the attributes with their values, as the service will read them.
func factsOf(ctx context.Context, values []gate.Attribute) []ui.Fact {
	facts := make([]ui.Fact, len(values))
	for i, v := range values {
		facts[i] = ui.Fact{Label: i18n.T(ctx, "sso.attribute."+string(v.Name)), Text: strings.Join(v.Values, ", ")}
	}
	return facts
}

// reasonOf is why the service is told, in the reader's language.
func reasonOf(ctx context.Context, s *registry.Service) string {
	if text := s.Reason(i18n.Locale(ctx)); text != "" {
		return text
	}
	return i18n.T(ctx, "sso.consent.no_reason")
}

func (c *Consent) answer(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	q, err := c.readQuestion(r, form.Get)
	if err != nil {
		return err
	}
	name := q.Service.Name(i18n.Locale(r.Context()))
	if form.Get("answer") != "yes" {
		return web.Render(w, r, http.StatusOK, refusedTempl(name))
	}
	err = c.DB.InTx(r.Context(), func(tx db.Tx) error {
		return c.agree(r.Context(), tx, web.Viewer(r).Person, q.Service, q.Told)
	})
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, q.Back)
}
