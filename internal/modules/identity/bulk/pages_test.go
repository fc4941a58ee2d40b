package bulk

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// kept reads the hidden fields of a page.
func kept(body string) url.Values {
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(body, -1) {
		form.Add(m[1], m[2])
	}
	return form
}

func TestAnOfficerGoesFromTheListToTheReportAndBack(t *testing.T) {
	each(t, func(t *testing.T, o *office) {
		ids := o.law(account.Active, "ada", "bo")
		o.law(account.Closed, "old")
		status, body := o.get("/identity/accounts?programme=L1-DROIT")
		if status != http.StatusOK || !strings.Contains(body, "For all 3 accounts found") || !strings.Contains(body, `value="p-ada"`) || strings.Contains(body, "p-sec") {
			t.Fatalf("the list: %d", status)
		}
		status, body = o.get("/identity/bulk/new?act=close&of=all&programme=L1-DROIT")
		if status != http.StatusOK || !strings.Contains(body, "3 accounts are looked at") || !strings.Contains(body, "Law, first year") {
			t.Fatalf("the form: %d", status)
		}
		form := kept(body)
		status, body, _ = o.post("/identity/bulk", form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose a reason") {
			t.Errorf("without a reason: %d", status)
		}
		form.Set("reason", "left")
		status, _, to := o.post("/identity/bulk", form)
		if status != http.StatusSeeOther || !strings.HasPrefix(to, "/identity/bulk/") {
			t.Fatalf("prepared: %d to %s", status, to)
		}
		_, body = o.get(to)
		for _, want := range []string{"Nothing has changed yet", "The account is: closed.", "Type 2 to confirm", "Law, first year", "would change"} {
			if !strings.Contains(body, want) {
				t.Errorf("the preview lacks %q", want)
			}
		}
		for _, typed := range []string{"", "3", "two"} {
			if status, body, _ = o.post(to+"/start", pagetest.Form("number", typed)); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Type the number of accounts") {
				t.Errorf("%q confirms: %d", typed, status)
			}
		}
		o.absent = true
		if status, _, _ = o.post(to+"/start", pagetest.Form("number", "2")); status != http.StatusSeeOther || o.run(strings.TrimPrefix(to, "/identity/bulk/")).State != Preview {
			t.Error("somebody who did not prove to be there starts it")
		}
		o.absent = false
		if status, _, _ = o.post(to+"/start", pagetest.Form("number", "2")); status != http.StatusSeeOther {
			t.Fatalf("confirmed: %d", status)
		}
		resp, body := pagetest.Ask(t, pagetest.Still(), http.MethodGet, o.server.URL+to, nil)
		if !strings.HasPrefix(resp.Header.Get("Refresh"), "3;") || !strings.Contains(body, "0 of 2 accounts") {
			t.Errorf("under way: Refresh %q", resp.Header.Get("Refresh"))
		}
		o.run(strings.TrimPrefix(to, "/identity/bulk/"))
		resp, body = pagetest.Ask(t, pagetest.Still(), http.MethodGet, o.server.URL+to+"?of=done", nil)
		if resp.Header.Get("Refresh") != "" || !strings.Contains(body, "Take back the change of 2 accounts") || !strings.Contains(body, "p-ada") || strings.Contains(body, "p-old") || strings.Contains(body, ">Why not<") {
			t.Error("the report is not that of two changed accounts")
		}
		_, body = o.get(to + "/report.csv")
		if lines := strings.Split(strings.TrimSpace(body), "\n"); len(lines) != 4 || !strings.Contains(lines[1], "ada,") || !strings.Contains(lines[3], "identity.lifecycle_impossible") {
			t.Errorf("the file is %q", body)
		}
		if _, body = o.get("/identity/bulk"); !strings.Contains(body, to) {
			t.Error("the list of acts does not show it")
		}
		o.absent = true
		o.post(to+"/undo", nil)
		if o.run(strings.TrimPrefix(to, "/identity/bulk/")).State != Done {
			t.Error("somebody who did not prove to be there takes it back")
		}
		o.absent = false
		o.post(to+"/undo", nil)
		o.run(strings.TrimPrefix(to, "/identity/bulk/"))
		if _, body = o.get(to); !strings.Contains(body, "The act was taken back") || o.state(ids[0]) != account.Active {
			t.Errorf("taken back: the account is %s", o.state(ids[0]))
		}
		if o.asked != 7 {
			t.Errorf("who is there was asked %d times", o.asked)
		}
	})
}

func TestTickedPeopleAreTheOnlyOnes(t *testing.T) {
	o := single(t)
	o.law(account.Active, "ada", "bo")
	if _, body := o.get("/identity/bulk/new?act=suspend&of=ticked&programme=L1-DROIT"); !strings.Contains(body, "Nobody is chosen") {
		t.Error("an act on nobody is offered for everybody")
	}
	_, body := o.get("/identity/bulk/new?act=suspend&of=ticked&who=p-bo&who=p-bo&programme=L1-DROIT")
	form := kept(body)
	form.Set("reason", "left")
	_, _, to := o.post("/identity/bulk", form)
	if got := o.outcomes(strings.TrimPrefix(to, "/identity/bulk/")); got != "bo:planned" {
		t.Errorf("the preview lists %s", got)
	}
}

func TestAnExtensionKeepsItsKindApartFromTheFilters(t *testing.T) {
	o := single(t)
	o.law(account.Active, "ada")
	_, body := o.get("/identity/bulk/new?act=extend&of=all&programme=L1-DROIT&kind=student")
	form := kept(body)
	if status, body, _ := o.post("/identity/bulk", form); status != http.StatusUnprocessableEntity || !strings.Contains(body, "Choose which registration") || !strings.Contains(body, "2026-12-24") {
		t.Errorf("an empty form: %d", status)
	}
	form.Set("kind", "staff")
	form.Set("until", "2026-11-01")
	if status, body, _ := o.post("/identity/bulk", form); status != http.StatusUnprocessableEntity || !strings.Contains(body, "must come after today") {
		t.Errorf("a day that is over: %d", status)
	}
	form.Set("until", "2027-07-31")
	_, _, to := o.post("/identity/bulk", form)
	if got := o.outcomes(strings.TrimPrefix(to, "/identity/bulk/")); got != "ada:left(unregistered)" {
		t.Errorf("the preview lists %s", got)
	}
	_, body = o.get(to)
	if !strings.Contains(body, "nothing to carry out") || strings.Contains(body, "/start") {
		t.Error("an act that changes nobody can be started")
	}
	if status, _, _ := o.post(to+"/start", pagetest.Form("number", "0")); status != http.StatusUnprocessableEntity {
		t.Errorf("an act that changes nobody is started: %d", status)
	}
	if status, _, _ := o.post(to+"/drop", nil); status != http.StatusSeeOther {
		t.Errorf("given up: %d", status)
	}
	if status, _, _ := o.post(to+"/drop", nil); status != http.StatusConflict {
		t.Errorf("given up twice: %d", status)
	}
}

func TestOnlyTheSecretariatActsOnMany(t *testing.T) {
	o := single(t)
	o.law(account.Active, "ada")
	order := o.prepared(o.viewer, suspend, inLaw)
	o.must(o.Start(t.Context(), o.viewer, order))
	mine := o.viewer
	for _, other := range []campus.Viewer{
		o.officer("admin", nil, campus.RightAdmin), o.officer("agent", nil, campus.RightHelpdesk, campus.RightDirectory),
		o.officer("scoped", []campus.Mandate{{Right: campus.RightHelpdesk, Programme: "L1-DROIT"}}),
	} {
		o.viewer = other
		for _, path := range []string{"", "/new?act=suspend&of=all", "/" + order.ID, "/" + order.ID + "/report.csv"} {
			if status, _ := o.get("/identity/bulk" + path); status != http.StatusForbidden {
				t.Errorf("%s reads %s: %d", other.Login, path, status)
			}
		}
		for _, path := range []string{"", "/" + order.ID + "/start", "/" + order.ID + "/drop", "/" + order.ID + "/undo"} {
			if status, _, _ := o.post("/identity/bulk"+path, pagetest.Form("act", "suspend", "reason", "left", "number", "1")); status != http.StatusForbidden {
				t.Errorf("%s posts %s: %d", other.Login, path, status)
			}
		}
	}
	o.viewer = o.officer("clerk", []campus.Mandate{{Right: campus.RightSecretariat, Programme: "L3-MATH"}})
	for _, path := range []string{"/" + order.ID, "/" + order.ID + "/report.csv"} {
		if status, _ := o.get("/identity/bulk" + path); status != http.StatusNotFound {
			t.Errorf("a clerk of another programme reads %s: %d", path, status)
		}
	}
	for _, path := range []string{"/start", "/drop", "/undo"} {
		if status, _, _ := o.post("/identity/bulk/"+order.ID+path, pagetest.Form("number", "1")); status != http.StatusNotFound {
			t.Errorf("a clerk of another programme posts %s: %d", path, status)
		}
	}
	if _, body := o.get("/identity/bulk"); strings.Contains(body, order.ID) {
		t.Error("a clerk sees a colleague's act in the list")
	}
	o.viewer = mine
	for _, path := range []string{"/new?act=nonsense", "/nothing"} {
		if status, _ := o.get("/identity/bulk" + path); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestEveryPageIsWordedInBothLanguages(t *testing.T) {
	o := single(t)
	o.law(account.Active, "ada", "bo")
	paths := []string{"/identity/bulk", "/identity/bulk/new?act=suspend&of=ticked"}
	for _, act := range []string{"suspend", "expire", "close", "reopen", "extend"} {
		paths = append(paths, "/identity/bulk/new?act="+act+"&of=all&q=unal&state=active&kind=student&programme=L1-DROIT&campus=port")
	}
	preview := o.prepared(o.viewer, suspend, inLaw)
	dropped := o.prepared(o.viewer, suspend, Choice{})
	o.must(o.Drop(t.Context(), o.viewer, dropped))
	running := o.prepared(o.viewer, suspend, Choice{Ticked: []campus.PersonID{"p-ada"}})
	o.must(o.Start(t.Context(), o.viewer, running))
	done := o.prepared(o.viewer, Order{Act: actReopen}, Choice{Ticked: []campus.PersonID{"p-bo"}})
	o.must(o.Start(t.Context(), o.viewer, done))
	o.run(done.ID)
	undone := o.prepared(o.viewer, suspend, inLaw)
	o.must(o.Start(t.Context(), o.viewer, undone))
	undone = o.run(undone.ID)
	undoing := undone
	o.must(o.Undo(t.Context(), o.viewer, undone, undoing.Event))
	for _, order := range []Order{preview, dropped, running, done, undone} {
		paths = append(paths, "/identity/bulk/"+order.ID, "/identity/bulk/"+order.ID+"/report.csv", "/identity/bulk/"+order.ID+"?of=kept&page=9")
	}
	look := func() {
		t.Helper()
		for _, l := range campus.Locales {
			o.viewer.Locale = l
			for _, path := range paths {
				if status, body := o.get(path); status != http.StatusOK || strings.Contains(body, "⟦") || strings.Contains(body, "<no value>") {
					_, content, _ := strings.Cut(body, "<main")
					t.Errorf("%s in %s: %d %.600s", path, l, status, content)
				}
			}
		}
	}
	look()
	o.run(undone.ID)
	look()
}
