package lifecycle

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func TestASearchSaysHowPeopleBelongToTheInstitution(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		d.add("lina", account.Active, campus.Student, campus.Staff)
		d.add("omar", account.Active)
		list, err := d.Search(t.Context(), Filter{Words: "unal"}, 10, 0)
		d.must(err)
		if len(list) < 2 || len(list[0].Affiliations) != 2 || list[0].Affiliations[1].Kind != campus.Student || len(list[1].Affiliations) != 0 {
			t.Errorf("found %+v", list)
		}
		none, err := d.Search(t.Context(), Filter{Words: "nobody"}, 10, 0)
		if err != nil || len(none) != 0 {
			t.Errorf("found %+v, %v", none, err)
		}
	})
}

func TestTheListIsSearchedAndSentAsATable(t *testing.T) {
	each(t, Defaults(), func(t *testing.T, d *desk) {
		d.add("lina", account.Active, campus.Student)
		d.add("omar", account.Closed, campus.Staff)
		d.add("=1+1", account.Suspended, campus.Staff)
		for name, c := range map[string]struct {
			query string
			want  string
			not   string
		}{
			"by part of a name, without its accent": {"?q=unal+lin", "p-lina", "p-omar"},
			"by login":                              {"?q=OMAR", "p-omar", "p-lina"},
			"by student number":                     {"?q=Nlina", "p-lina", "p-omar"},
			"by state":                              {"?state=closed", "p-omar", "p-lina"},
			"by kind":                               {"?kind=student", "p-lina", "p-omar"},
			"a sign of LIKE means itself":           {"?q=%25", "No account matches", "p-lina"},
			"a page that does not exist is the last one": {"?page=99", "p-lina", "No account matches"},
		} {
			status, body := d.get("/identity/accounts" + c.query)
			if status != http.StatusOK || !strings.Contains(body, c.want) || strings.Contains(body, c.not) {
				t.Errorf("%s: status %d, %q expected and %q not", name, status, c.want, c.not)
			}
			if strings.Contains(body, "⟦") {
				t.Errorf("%s: a label is missing", name)
			}
		}
		if _, body := d.get("/identity/accounts.csv?state=closed"); strings.Count(body, "\n") != 2 || !strings.Contains(body, "omar") {
			t.Errorf("the file is %q", body)
		}
		if _, body := d.get("/identity/accounts.csv?state=suspended"); !strings.Contains(body, "\n'=1+1,") {
			t.Errorf("a login is a formula in %q", body)
		}
	})
}

func TestEveryPageIsWordedInBothLanguages(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active, campus.Student)
	d.register(lina, campus.Student, d.clock.Now().AddDate(0, -6, 0))
	old := d.add("old", account.Active)
	taken, err := d.Decide(t.Context(), d.viewer, old, Order{State: account.Closed, Reason: "security", Note: "n"})
	d.must(err)
	d.must(d.Lift(t.Context(), d.viewer, old, taken.ID, "back", journal.Event{}))
	_, err = d.Decide(t.Context(), d.viewer, old, Order{State: account.Closed, Reason: "left"})
	d.must(err)
	for _, l := range campus.Locales {
		d.viewer.Locale = l
		for _, path := range []string{"", "/rules", "/due", "/p-lina", "/p-old", "/p-lina/suspend", "/p-lina/close", "/p-lina/expire", "/p-old/reopen"} {
			status, body := d.get("/identity/accounts" + path)
			if status != http.StatusOK || strings.Contains(body, "⟦") || strings.Contains(body, "<no value>") {
				_, content, _ := strings.Cut(body, "<main")
				t.Errorf("%s in %s: %d %.600s", path, l, status, content)
			}
		}
	}
	status, body := d.post("/identity/accounts/p-lina/expire", url.Values{"reason": {"nonsense"}, "until": {"2020-01-01"}, "note": {strings.Repeat("x", MaxNote+1)}})
	if status != http.StatusUnprocessableEntity || strings.Contains(body, "⟦") || d.state(lina) != account.Active {
		t.Errorf("a wrong form: %d", status)
	}
}

func TestAReasonThatThePersonMayNotReadIsNotInItsStanding(t *testing.T) {
	d := one(t)
	lina := d.add("lina", account.Active)
	_, err := d.Decide(t.Context(), d.viewer, lina, Order{State: account.Suspended, Reason: "security"})
	d.must(err)
	s, err := d.Standing(i18n.With(t.Context(), d.Texts.For(campus.English)), lina)
	d.must(err)
	if s.ReasonText != "" || !strings.Contains(s.Why(i18n.With(t.Context(), d.Texts.For(campus.English))), "office") {
		t.Errorf("standing: %+v", s)
	}
	d.deliver(lina)
	if strings.Contains(fmt.Sprint(d.letters), "examination") {
		t.Error("the letter tells the hidden reason")
	}
}

func TestEveryReasonHasItsSentences(t *testing.T) {
	d := one(t)
	for _, r := range fault.All() {
		if !strings.HasPrefix(r.Code(), "identity.lifecycle_") {
			continue
		}
		for _, l := range campus.Locales {
			if d.Texts.Raw(l, r.Code()+".message") == "" || d.Texts.Raw(l, r.Code()+".next") == "" {
				t.Errorf("%s lacks words in %s", r.Code(), l)
			}
		}
	}
}
