package knowledge_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/diagnosis"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/hours"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/knowledge"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var (
	lina    = tickettest.English(campustest.Lina())
	manager = campus.Viewer{Person: "manager", GivenName: "Mona", Locale: campus.English, Rights: []campus.Right{campus.RightDesks, campus.RightHelpdesk}}
	agent   = campus.Viewer{Person: "agent", GivenName: "Ana", Locale: campus.English, Rights: []campus.Right{campus.RightHelpdesk}}
)

// register knows nobody.
type register struct{ contract.Register }

func (register) KnownPeople(context.Context, []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	return nil, nil
}

// library is a desk with a shelf.
type library struct {
	*tickettest.Front
	k       *knowledge.Knowledge
	url     string
	browser *http.Client
}

func each(t *testing.T, test func(*testing.T, *library)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		f := tickettest.Open(x)
		l := &library{Front: f, browser: pagetest.Still()}
		l.k = knowledge.New(knowledge.Deps{
			DB: x.DB, Clock: x.Clock, Log: slog.New(slog.DiscardHandler), Tickets: x.Tickets, Register: register{}, Services: f,
			Catalogue: func() []contract.ServiceProvider { return []contract.ServiceProvider{f} },
		})
		l.url = x.Serve(func(r *web.Router) { l.k.Routes(r) }).URL
		test(t, l)
	})
}

func (l *library) ask(t *testing.T, who campus.Viewer, method, path string, form url.Values) (int, string) {
	t.Helper()
	l.Viewer = who
	answer, body := pagetest.Ask(t, l.browser, method, l.url+path, form)
	return answer.StatusCode, body
}

func (l *library) write(t *testing.T, a knowledge.Article) knowledge.Article {
	t.Helper()
	l.Tx(func(tx db.Tx) (err error) {
		a, err = l.k.Keep(t.Context(), tx, manager.Person, a)
		return err
	})
	return a
}

func (l *library) english() context.Context {
	return i18n.With(l.T.Context(), l.Texts.For(campus.English))
}

var code = knowledge.Article{
	State: knowledge.Published, Title: hours.Named{French: "Le code n’arrive pas", English: "My code does not arrive"}, Body: hours.Named{French: "Attendez.", English: "Wait a minute, <script>x</script> then ask again."},
	Reasons: []string{"helpdesk.article_missing"}, Services: []string{"moodle"}, Leaves: []string{"no_message"},
}

func TestAnArticleIsSuggestedByReasonLeafServiceAndWords(t *testing.T) {
	each(t, func(t *testing.T, l *library) {
		l.write(t, code)
		secret := code
		secret.Internal, secret.Title = true, hours.Named{English: "For agents: codes"}
		l.write(t, secret)
		draft := code
		draft.State, draft.Title = knowledge.Draft, hours.Named{English: "A draft about codes"}
		l.write(t, draft)
		for name, c := range map[string]struct {
			wanted diagnosis.Wanted
			want   int
		}{
			"by reason":                 {diagnosis.Wanted{Reason: "helpdesk.article_missing"}, 1},
			"by the end of the guide":   {diagnosis.Wanted{Leaf: "no_message"}, 1},
			"by service":                {diagnosis.Wanted{Service: "moodle"}, 1},
			"by words of the title":     {diagnosis.Wanted{Words: "code arrive"}, 1},
			"while a word is typed":     {diagnosis.Wanted{Words: "my code arr"}, 1},
			"in the other language":     {diagnosis.Wanted{Words: "CÓDE n’arrive"}, 1},
			"by a word of the text":     {diagnosis.Wanted{Words: "minute"}, 0}, // too little in common
			"not for something else":    {diagnosis.Wanted{Words: "printer paper"}, 0},
			"not by words that all say": {diagnosis.Wanted{Words: "le la les"}, 0},
		} {
			got, err := l.k.Suggest(l.english(), c.wanted)
			if err != nil || len(got) != c.want {
				t.Errorf("%s: %v %v", name, got, err)
			}
		}
		if got, err := l.k.ForAgents(l.english(), diagnosis.Wanted{Leaf: "no_message"}); err != nil || len(got) != 2 {
			t.Errorf("agents are shown %v %v", got, err)
		}
	})
}

func TestWhatIsForAgentsOrADraftIsNotThereForOthers(t *testing.T) {
	each(t, func(t *testing.T, l *library) {
		public := l.write(t, code)
		secret := code
		secret.Internal, secret.Title = true, hours.Named{English: "Secret article"}
		secret = l.write(t, secret)
		draft := code
		draft.State, draft.Title = knowledge.Draft, hours.Named{English: "Secret draft"}
		draft = l.write(t, draft)
		mine := l.Open(lina, "Secret subject", "Secret words")
		for name, who := range map[string]campus.Viewer{"a stranger": {}, "a student": lina} {
			if status, body := l.ask(t, who, "GET", "/helpdesk/knowledge/"+public.Slug, nil); status != http.StatusOK || strings.Contains(body, "<script>x") {
				t.Errorf("%s reads what is published: %d", name, status)
			}
			for _, path := range []string{"/helpdesk/knowledge/" + secret.Slug, "/helpdesk/knowledge/" + draft.Slug} {
				if status, body := l.ask(t, who, "GET", path, nil); status != http.StatusNotFound || strings.Contains(body, "Secret") {
					t.Errorf("%s reads %s: %d", name, path, status)
				}
				if status, _ := l.ask(t, who, "POST", path+"/helped", pagetest.Form("helped", "yes")); status != http.StatusNotFound {
					t.Errorf("%s judges %s: %d", name, path, status)
				}
			}
			for _, path := range []string{"/helpdesk/knowledge", "/helpdesk/knowledge?q=secret+article", "/helpdesk/knowledge/suggest?subject=secret+article"} {
				if status, body := l.ask(t, who, "GET", path, nil); status != http.StatusOK || strings.Contains(body, "Secret article") || strings.Contains(body, "Secret draft") {
					t.Errorf("%s finds it at %s: %d", name, path, status)
				}
			}
			for address, form := range map[string]url.Values{
				"GET /helpdesk/articles": nil, "GET /helpdesk/articles/new": nil, "GET /helpdesk/articles/" + draft.ID: nil, "GET /helpdesk/articles/new?ticket=" + mine.Number: nil,
				"POST /helpdesk/articles/new": pagetest.Form("title_en", "x", "body_en", "y"), "POST /helpdesk/articles/" + draft.ID: pagetest.Form("title_en", "x", "body_en", "y", "version", "1"),
				"POST /helpdesk/articles/" + draft.ID + "/state": pagetest.Form("state", "published", "version", "1"),
			} {
				method, path, _ := strings.Cut(address, " ")
				refused := []int{http.StatusForbidden}
				if !who.SignedIn() {
					refused = []int{http.StatusSeeOther, http.StatusUnauthorized} // to the door
				}
				if status, body := l.ask(t, who, method, path, form); !slices.Contains(refused, status) || strings.Contains(body, "Secret") {
					t.Errorf("%s reaches %s: %d", name, address, status)
				}
			}
		}
		if status, _ := l.ask(t, agent, "POST", "/helpdesk/articles/"+draft.ID+"/state", pagetest.Form("state", "published", "version", "1")); status != http.StatusForbidden {
			t.Errorf("an agent publishes: %d", status)
		}
		elsewhere := campus.Viewer{Person: "desks", Locale: campus.English, Rights: []campus.Right{campus.RightDesks}} // handles no ticket
		if status, body := l.ask(t, elsewhere, "GET", "/helpdesk/articles/new?ticket="+mine.Number, nil); status != http.StatusNotFound || strings.Contains(body, "Secret") {
			t.Errorf("a ticket is read by somebody who may not handle it: %d", status)
		}
	})
}

func TestAnArticleIsWrittenOutOfATicketOnceItsPersonalDataWasLookedAt(t *testing.T) {
	each(t, func(t *testing.T, l *library) {
		mine := l.Open(lina, "No code", "Write to lina@valmont.example or call 06 12 34 56 78, says "+lina.GivenName)
		l.Change(mine, tickettest.By(ticket.Agent, agent), func(w *ticket.Work) error {
			w.Say(ticket.Message{Body: "Wait a minute."})
			return nil
		})
		_, page := l.ask(t, agent, "GET", "/helpdesk/articles/new?ticket="+mine.Number, nil)
		for _, part := range []string{"&gt; Write to", "Wait a minute.", "<mark>lina@valmont.example</mark>", "<mark>06 12 34 56 78</mark>", "<mark>" + lina.GivenName + "</mark>"} {
			if !strings.Contains(page, part) {
				t.Errorf("no %q in %s", part, page)
			}
		}
		form := pagetest.Form("ticket", mine.Number, "title_en", "No code", "body_en", "Ask lina@valmont.example")
		if status, _ := l.ask(t, agent, "POST", "/helpdesk/articles/new", form); status != http.StatusUnprocessableEntity {
			t.Errorf("kept with an address in it: %d", status)
		}
		form.Set("checked", "on")
		form.Set("publish", "yes") // not an agent's to decide
		if status, body := l.ask(t, agent, "POST", "/helpdesk/articles/new", form); status != http.StatusSeeOther {
			t.Fatalf("keep: %d %s", status, body)
		}
		a, err := l.k.BySlug(t.Context(), "no-code")
		if err != nil || a.State != knowledge.Draft || a.Ticket != mine.ID {
			t.Fatalf("%+v %v", a, err)
		}
		change := pagetest.Form("version", "7", "title_en", "Other", "body_en", "Other")
		if status, _ := l.ask(t, manager, "POST", "/helpdesk/articles/"+a.ID, change); status != http.StatusConflict {
			t.Errorf("over a version that nobody read: %d", status)
		}
		change.Set("version", fmt.Sprint(a.Version))
		change.Set("publish", "yes")
		if status, _ := l.ask(t, manager, "POST", "/helpdesk/articles/"+a.ID, change); status != http.StatusSeeOther {
			t.Errorf("publish: %d", status)
		}
		if status, body := l.ask(t, campus.Viewer{Locale: campus.English}, "GET", "/helpdesk/knowledge/no-code", nil); status != http.StatusOK || !strings.Contains(body, "Other") {
			t.Errorf("read: %d", status)
		}
		if status, body := l.ask(t, manager, "GET", "/helpdesk/articles/"+a.ID, nil); status != http.StatusOK || !strings.Contains(body, "Version 1") || !strings.Contains(body, "Version 2") {
			t.Errorf("versions: %d", status)
		}
	})
}

func TestReadersSayWhetherItHelped(t *testing.T) {
	each(t, func(t *testing.T, l *library) {
		a := l.write(t, code)
		for _, said := range []string{"yes", "yes", "no"} {
			if status, _ := l.ask(t, campus.Viewer{}, "POST", "/helpdesk/knowledge/"+a.Slug+"/helped", pagetest.Form("helped", said, "words", strings.Repeat("é", 600))); status != http.StatusSeeOther {
				t.Fatalf("say: %d", status)
			}
		}
		status, body := l.ask(t, campus.Viewer{Locale: campus.English}, "POST", "/helpdesk/knowledge/"+a.Slug+"/helped", pagetest.Form("words", "The second code"))
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose yes or no.") || !strings.Contains(body, "The second code") {
			t.Errorf("no answer: %d", status)
		}
		got, err := l.k.ByID(t.Context(), a.ID)
		if err != nil || got.Helped != 2 || got.Unhelped != 1 || got.Version != a.Version {
			t.Errorf("%+v %v", got, err)
		}
		for range 60 {
			l.ask(t, campus.Viewer{}, "POST", "/helpdesk/knowledge/"+a.Slug+"/helped", pagetest.Form("helped", "yes"))
		}
		if status, _ := l.ask(t, campus.Viewer{}, "POST", "/helpdesk/knowledge/"+a.Slug+"/helped", pagetest.Form("helped", "yes")); status != http.StatusTooManyRequests {
			t.Errorf("a robot judges: %d", status)
		}
	})
}
