package push_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/push/pushtest"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// knocker answers programs with the source that they may push into.
type knocker struct{ *push.Door }

func (k knocker) Routes(r *web.Router) {
	r.Handle("GET /knock/{kind}", func(w http.ResponseWriter, r *http.Request) error {
		t, err := k.Enter(r, r.PathValue("kind"))
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(w, t.Source)
		return err
	}, web.Public)
}

func each(t *testing.T, test func(t *testing.T, h *pushtest.House)) {
	pushtest.Each(t, func(d *push.Door) []pushtest.Routes { return []pushtest.Routes{knocker{d}} }, test)
}

func TestATokenOpensTheDoorOfItsSourceAndNoOther(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House) {
		token := h.Token(pushtest.SCIM)
		if a := h.With(token).Must(200, "GET", "/knock/scim", ""); a.Text != pushtest.SCIM {
			t.Errorf("it enters %q", a.Text)
		}
		for name, c := range map[string]struct {
			program *pushtest.Program
			kind    string
			status  int
		}{
			"no token":                {h.Stranger(), "scim", 401},
			"a token of nobody":       {h.With("amphi-push-rubbish"), "scim", 401},
			"another secret":          {h.With(strings.TrimPrefix(token, "amphi-push-")), "scim", 401},
			"the door of another":     {h.With(token), "api", 403},
			"a token for the API":     {h.Program(pushtest.API), "scim", 403},
			"and at the API's door":   {h.Program(pushtest.API), "api", 200},
			"one that reads, by LDAP": {h.With(token), "ldap", 403},
		} {
			if a := c.program.Ask("GET", "/knock/"+c.kind, ""); a.Status != c.status {
				t.Errorf("%s: %d, want %d", name, a.Status, c.status)
			}
		}
		if _, _, err := h.Door.AddToken(t.Context(), push.Order{Source: pushtest.Read, Label: "x"}); !errors.Is(err, push.SourceNotPushed) {
			t.Errorf("a token of a source that is read: %v", err)
		}
		h.Door.Sources = h.Door.Sources[1:] // the configuration has the source no longer
		if a := h.With(token).Ask("GET", "/knock/scim", ""); a.Status != 403 {
			t.Errorf("a source that is gone: %d", a.Status)
		}
	})
}

func TestTokensAreKeptOnAPageForThoseWhoKeepTheDirectory(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House) {
		h.Viewer = campustest.Lina()
		h.Viewer.Locale = campus.English
		post := func(path string, pairs ...string) pushtest.Answer {
			return h.Stranger().Ask("POST", path, pagetest.Form(pairs...).Encode(), "Content-Type", "application/x-www-form-urlencoded")
		}
		for _, a := range []pushtest.Answer{
			h.Stranger().Ask("GET", "/directory/tokens", ""), post("/directory/tokens", "source", pushtest.SCIM, "label", "x"), post("/directory/tokens/x/revoke"),
		} {
			if a.Status != 403 {
				t.Errorf("a student is answered with %d", a.Status)
			}
		}
		h.Viewer.Rights = []campus.Right{campus.RightDirectory}
		for _, bad := range [][]string{{"source", pushtest.Read, "label", "x"}, {"source", pushtest.SCIM, "label", " "}, {"source", pushtest.SCIM, "label", strings.Repeat("x", 81)}, {"source", pushtest.SCIM, "label", "x", "days", "731"}, {"source", pushtest.SCIM, "label", "x", "days", "0"}, {"source", pushtest.SCIM, "label", "x", "days", "for ever"}} {
			if a := post("/directory/tokens", bad...); a.Status != 422 {
				t.Errorf("%q: %d", bad, a.Status)
			}
		}
		h.Doubted = true
		if a := post("/directory/tokens", "source", pushtest.SCIM, "label", "x"); a.Status != http.StatusTeapot || strings.Contains(a.Text, "amphi-push-") {
			t.Errorf("without a fresh proof: %d", a.Status)
		}
		h.Doubted = false
		made := post("/directory/tokens", "source", pushtest.SCIM, "label", "Entra provisioning")
		begin := strings.Index(made.Text, "amphi-push-")
		if made.Status != 200 || begin < 0 || !strings.Contains(made.Text, "/scim/v2") {
			t.Fatalf("%d: %s", made.Status, made.Text)
		}
		secret := made.Text[begin : begin+len("amphi-push-")+43]
		list := h.Stranger().Must(200, "GET", "/directory/tokens", "")
		if strings.Contains(list.Text, "amphi-push-") || !strings.Contains(list.Text, "Entra provisioning") || !strings.Contains(list.Text, "never") {
			t.Error("the list shows the secret, or not the token")
		}
		h.With(secret).Must(200, "GET", "/knock/scim", "")
		tokens, err := h.Door.Tokens(t.Context())
		if err != nil || len(tokens) != 1 || !tokens[0].UsedAt.Equal(pushtest.Start) || tokens[0].MadeBy != h.Viewer.Person {
			t.Fatalf("the tokens are %+v, %v", tokens, err)
		}
		h.Clock.Set(pushtest.Start.Add(30 * time.Second))
		h.With(secret).Must(200, "GET", "/knock/scim", "")
		if tokens, _ := h.Door.Tokens(t.Context()); !tokens[0].UsedAt.Equal(pushtest.Start) {
			t.Error("each use is written")
		}
		if a := post("/directory/tokens/" + tokens[0].ID + "/revoke"); a.Status != 303 {
			t.Errorf("revoking answers %d", a.Status)
		}
		if a := h.With(secret).Ask("GET", "/knock/scim", "", "Accept", "application/json"); a.Status != 401 || a.Get("code") != push.TokenRevoked.Code() {
			t.Errorf("a revoked token is answered with %d %s", a.Status, a.Text)
		}
		if a := post("/directory/tokens/" + tokens[0].ID + "/revoke"); a.Status != 404 {
			t.Errorf("revoking again answers %d", a.Status)
		}
	})
}

// body is a resource with a text, and its record.
func body(text string) push.Change {
	return func(*push.Resource) (push.Resource, error) {
		return push.Resource{Name: text, Body: []byte(`"` + text + `"`)}, nil
	}
}

func asRecord(r push.Resource) source.Record {
	return source.Record{Kind: r.Kind, Key: r.ID, Values: map[string][]string{"login": {r.Name}}}
}

func TestWhatTheEngineDoesNotTakeIsNotKept(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House) {
		ctx := t.Context()
		put := func(id, name string) error {
			_, _, err := h.Door.Put(ctx, pushtest.API, source.Person, id, body(name), asRecord)
			return err
		}
		h.Engine.Refuse = func(source.Record) error { return register.NoName }
		if err := put("a", "ann"); !errors.Is(err, register.NoName) {
			t.Errorf("refused: %v", err)
		}
		if _, err := h.Door.Get(ctx, pushtest.API, source.Person, "a"); !errors.Is(err, push.ResourceMissing) {
			t.Errorf("it is kept: %v", err)
		}
		h.Engine.Refuse = func(source.Record) error { return register.OtherName } // waits for a decision
		if err := put("a", "ann"); err != nil {
			t.Errorf("a conflict: %v", err)
		}
		h.Engine.Refuse = func(source.Record) error { return register.NoName }
		if err := put("a", "bob"); err == nil {
			t.Error("a change that is refused passes")
		}
		if r, err := h.Door.Get(ctx, pushtest.API, source.Person, "a"); err != nil || string(r.Body) != `"ann"` {
			t.Errorf("it is %s, %v", r.Body, err)
		}
		h.Engine.Refuse = nil
		if err := put("b", "ann"); !errors.Is(err, push.NameTaken) {
			t.Errorf("the same name: %v", err)
		}
		held := func(source.Record) error { return register.PushHeld }
		h.Engine.Refuse = held
		if err := h.Door.Remove(ctx, pushtest.API, source.Person, "a", func(push.Resource) error { return nil }); !errors.Is(err, register.PushHeld) {
			t.Errorf("a departure that the brake stops: %v", err)
		}
		if _, err := h.Door.Get(ctx, pushtest.API, source.Person, "a"); err != nil {
			t.Errorf("it is gone all the same: %v", err)
		}
	})
}

func TestAPersonReadsWhatWasPushedAboutThemAndAnErasureFindsIt(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House) {
		ctx := t.Context()
		r, _, err := h.Door.Put(ctx, pushtest.API, source.Person, "a", body("ann"), asRecord)
		if err != nil || r.Person != "person-a" {
			t.Fatalf("it is %+v, %v", r, err)
		}
		if r, err = h.Door.Get(ctx, pushtest.API, source.Person, "a"); err != nil || r.Person != "person-a" {
			t.Errorf("kept is %+v, %v", r, err)
		}
		h.Viewer = campus.Viewer{Person: "person-a", Rights: []campus.Right{campus.RightDirectory}}
		h.Stranger().Must(200, "POST", "/directory/tokens", pagetest.Form("source", pushtest.API, "label", "mine").Encode(), "Content-Type", "application/x-www-form-urlencoded")
		files := map[string]*strings.Builder{}
		archive := &contract.Archive{Create: func(name string) (io.Writer, error) {
			files[name] = &strings.Builder{}
			return files[name], nil
		}}
		if err := h.Door.Export(ctx, "person-a", archive); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(files["pushed.json"].String(), `"said":"ann"`) || !strings.Contains(files["tokens.json"].String(), `"mine"`) {
			t.Errorf("the export is %v", files)
		}
		if err := h.Door.Export(ctx, "person-b", archive); err != nil || strings.Contains(files["pushed.json"].String()+files["tokens.json"].String(), "mine") {
			t.Errorf("somebody else's export is %v, %v", files, err)
		}
	})
}

func TestOfManyChangesAtOnceNoneIsLostAndTheEngineEndsWithTheLast(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House) {
		ctx := t.Context()
		var wait sync.WaitGroup
		done := make(chan int, 40)
		for i := range 8 {
			wait.Go(func() {
				_, _, err := h.Door.Put(ctx, pushtest.API, source.Person, "a", func(old *push.Resource) (push.Resource, error) {
					text := ""
					if old != nil {
						text = strings.Trim(string(old.Body), `"`)
					}
					return body(text + fmt.Sprint(i))(nil)
				}, asRecord)
				switch {
				case err == nil:
					done <- i
				case !errors.Is(err, push.TooBusy):
					t.Error(err)
				}
			})
		}
		wait.Wait()
		r, err := h.Door.Get(context.Background(), pushtest.API, source.Person, "a")
		if err != nil {
			t.Fatal(err)
		}
		if len(strings.Trim(string(r.Body), `"`)) != int(r.Version) || len(done) == 0 {
			t.Errorf("after %d changes it is %s in version %d", len(done), r.Body, r.Version)
		}
	})
}

func TestAChangeThatComesWhileTheEngineWorksIsHandedOverAfterIt(t *testing.T) {
	each(t, func(t *testing.T, h *pushtest.House) {
		ctx := t.Context()
		if _, _, err := h.Door.Put(ctx, pushtest.API, source.Person, "a", body("one"), asRecord); err != nil {
			t.Fatal(err)
		}
		between := true
		h.Engine.Before = func(r source.Record) {
			if between { // another request overtakes this one
				between = false
				if _, _, err := h.Door.Put(ctx, pushtest.API, source.Person, "a", body("three"), asRecord); err != nil {
					t.Error(err)
				}
			}
		}
		if _, _, err := h.Door.Put(ctx, pushtest.API, source.Person, "a", body("two"), asRecord); err != nil {
			t.Fatal(err)
		}
		if got := h.Engine.People["a"].Values.One("login"); got != "three" {
			t.Errorf("the engine ends with %q", got)
		}
	})
}
