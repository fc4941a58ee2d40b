package diagnostic

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

func TestEveryCauseHasAnAnswerWithOneButton(t *testing.T) {
	h := open(t)
	b := h.browser()
	first := b.get("/why")
	seen := map[string]bool{}
	for _, question := range causes {
		if !strings.Contains(first, `href="/why/`+question.Key+`"`) {
			t.Errorf("the first page does not lead to %s", question.Key)
		}
		for _, c := range append(slices.Clone(question.Under), question) {
			if seen[c.Key] {
				t.Errorf("%s is there twice", c.Key)
			}
			seen[c.Key] = true
			resp, body := b.ask(http.MethodGet, "/why/"+c.Key, nil)
			if resp.StatusCode != http.StatusOK {
				t.Errorf("%s answers %d", c.Key, resp.StatusCode)
			}
			if len(c.Under) > 0 {
				continue
			}
			if !strings.Contains(body, `href="`+c.URL+`"`) || !strings.Contains(body, "It takes about ") || c.Minutes == 0 || strings.Count(body[strings.Index(body, "<main"):], `class="button"`) != 1 {
				t.Errorf("%s has not the one button and the time that it takes", c.Key)
			}
		}
	}
	if resp, _ := b.ask(http.MethodGet, "/why/nothing", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a cause that is none answers %d", resp.StatusCode)
	}
}

func TestAnAnswerIsFoundInOnesOwnWords(t *testing.T) {
	h := open(t)
	b := h.browser()
	cases := []struct{ words, want string }{
		{"caps lock", "refused_typing"},
		{"NEW PHONE", "factor_new_phone"},
		{"431", "page_large"},
		{"yubikey", "factor_key"},
		{"bookmark", "page_old"},
		{"graduated", "account_over"},
	}
	for _, c := range cases {
		if body := b.get("/why?" + url.Values{"q": {c.words}}.Encode()); !strings.Contains(body, `href="/why/`+c.want+`"`) {
			t.Errorf("%q does not find %s", c.words, c.want)
		}
	}
	for _, words := range []string{"zzz", "a", strings.Repeat("é", 300), "<script>"} {
		if body := b.get("/why?" + url.Values{"q": {words}}.Encode()); !strings.Contains(body, "No answer holds all these words.") || strings.Contains(body, "<script>a") {
			t.Errorf("%.20q finds something", words)
		}
	}
}

func TestAccentsDoNotMatterInTheSearch(t *testing.T) {
	h := open(t)
	texts, err := i18n.Load(h.clock.Now().Location(), h.clock, web.Locales, localesOnDisk())
	if err != nil {
		t.Fatal(err)
	}
	found := search(i18n.With(t.Context(), texts.For(campus.French)), "telephone vole")
	if !slices.ContainsFunc(found, func(c cause) bool { return c.Key == "factor_lost" }) {
		t.Errorf("found %v", found)
	}
}

func TestAnIncidentCodeTellsNothingAboutAnAccountElsewhere(t *testing.T) {
	h := open(t)
	h.stories = map[string]Story{
		"K7F-3Q9": {Code: "K7F-3Q9", Reason: "test.suspended", Facts: map[string]string{"office": "Registrar"}, Mine: true},
		"A2B-C3D": {Code: "A2B-C3D", Reason: "test.suspended", Facts: map[string]string{"office": "Registrar"}},
		"B2B-C3D": {Code: "B2B-C3D", Reason: "identity.wrong_credentials"},
		"C2B-C3D": {Code: "C2B-C3D", In: true, Mine: true},
		"D2B-C3D": {Code: "D2B-C3D"},
		"E2B-C3D": {Code: "E2B-C3D", Reason: "identity.reason_of_an_older_version"},
	}
	cases := []struct {
		name, typed string
		status      int
		want, not   string
	}{
		{"in the browser where it happened", "k7f 3q9", 200, "test.suspended", ""},
		{"and it can be told to the help desk", "K7F-3Q9", 200, `href="/login/flag?at=K7F-3Q9"`, ""},
		{"in another browser", "A2B-C3D", 200, "only in the browser where it happened", "suspended"},
		{"a reason that is the same for everybody", "B2B-C3D", 200, "identity.wrong_credentials", "/login/flag"},
		{"a sign-in that ended well", "C2B-C3D", 200, "ended well", ""},
		{"one that is not finished", "D2B-C3D", 200, "Nothing refused it.", ""},
		{"a reason that we do not know any more", "E2B-C3D", 200, "Nothing refused it.", "older_version"},
		{"a code that nobody has", "F2B-C3D", 422, "No sign-in has this code.", ""},
		{"what is no code", "hello", 422, "This is no incident code", ""},
		{"nothing", "", 422, "This is no incident code", ""},
	}
	b := h.browser()
	for _, c := range cases {
		// The reasons of this test have no sentences, so their pages lack words.
		r, err := b.client.Get(h.server.URL + "/why/code?" + url.Values{"code": {c.typed}}.Encode())
		if err != nil {
			t.Fatal(err)
		}
		body := read(t, r)
		if r.StatusCode != c.status || !strings.Contains(body, c.want) || c.not != "" && strings.Contains(body, c.not) {
			t.Errorf("%s: %d, %s", c.name, r.StatusCode, body)
		}
	}
}
