package moodle_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/moodle"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

const token = "f00dcafe-token"

// open is a pretended Moodle and the connector to it.
// called gives one group a name.
func called(_ context.Context, code string) (string, error) {
	return map[string]string{"promo-l2": "Licence 2 Informatique"}[code], nil
}

func open(t *testing.T, change func(*moodle.Config), courses ...string) (*pretend.Moodle, *moodle.Moodle) {
	t.Helper()
	there := pretend.NewMoodle(token, courses...)
	server := httptest.NewServer(there)
	t.Cleanup(server.Close)
	c := moodle.Defaults()
	c.Token = token
	if change != nil {
		change(&c)
	}
	m, err := moodle.New(target.Line{Base: server.URL, Timeout: 2 * time.Second, Rate: 1000, GroupName: called}, c)
	if err != nil {
		t.Fatal(err)
	}
	return there, m
}

func lina() target.Account {
	return target.Account{Key: "0198-lina", Login: "lmartin", GivenName: "Lina", FamilyName: "Martin", Mail: "lina@valmont.example", Language: "fr", Affiliations: []string{"student"}}
}

func mustCreate(t *testing.T, m *moodle.Moodle, a target.Account) string {
	t.Helper()
	id, err := m.Create(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAnAccountIsMadeFoundChangedSuspendedAndDeleted(t *testing.T) {
	there, m := open(t, nil)
	if _, ok, err := m.Find(t.Context(), lina()); ok || err != nil {
		t.Fatalf("before it is made: %t, %v", ok, err)
	}
	id := mustCreate(t, m, lina())
	found, ok, err := m.Find(t.Context(), lina())
	if err != nil || !ok || found.ID != id || found.Key != "0198-lina" {
		t.Fatalf("found %+v, %t, %v", found, ok, err)
	}
	renamed := lina()
	renamed.Login, renamed.FamilyName = "lduval", "Duval"
	if err := m.Change(t.Context(), id, renamed); err != nil {
		t.Fatal(err)
	}
	if u := there.Users("lduval"); len(u) != 1 || u[0].LastName != "Duval" || u[0].Auth != "oauth2" {
		t.Errorf("after the change: %+v", u)
	}
	if err := m.Suspend(t.Context(), id, renamed); err != nil || !there.Users("lduval")[0].Suspended {
		t.Errorf("suspended: %+v, %v", there.Users("lduval"), err)
	}
	if err := m.Change(t.Context(), id, renamed); err != nil || there.Users("lduval")[0].Suspended {
		t.Errorf("let in again: %+v, %v", there.Users("lduval"), err)
	}
	for range 2 { // the second time it is gone already
		if err := m.Delete(t.Context(), id, renamed); err != nil || there.Count() != 0 {
			t.Errorf("deleted: %d left, %v", there.Count(), err)
		}
	}
	if err := m.Change(t.Context(), id, renamed); !target.Is(err, target.Gone) {
		t.Errorf("changing what is gone: %v", err)
	}
}

func TestAnotherAccountWithTheSameLoginOrAddressStandsInTheWay(t *testing.T) {
	for name, other := range map[string]pretend.MoodleUser{
		"the same login":   {Username: "lmartin", Email: "other@valmont.example"},
		"the same address": {Username: "lina.m", Email: "lina@valmont.example"},
	} {
		there, m := open(t, nil)
		there.Add(other)
		_, _, err := m.Find(t.Context(), lina())
		if f := target.FailureOf(err); err == nil || f.Kind != target.Taken || f.Other != other.Username {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAccountMadeByHandIsAdoptedWhenTheConfigurationSaysSo(t *testing.T) {
	there, m := open(t, func(c *moodle.Config) { c.Adopt = true })
	there.Add(pretend.MoodleUser{Username: "lmartin", Email: "lina@valmont.example", Auth: "manual"})
	found, ok, err := m.Find(t.Context(), lina())
	if err != nil || !ok {
		t.Fatalf("%t, %v", ok, err)
	}
	if err := m.Change(t.Context(), found.ID, lina()); err != nil {
		t.Fatal(err)
	}
	if u := there.Users("lmartin"); len(u) != 1 || u[0].IDNumber != "0198-lina" || u[0].Auth != "oauth2" {
		t.Errorf("adopted as %+v", u)
	}
	there.Add(pretend.MoodleUser{Username: "pdurand", IDNumber: "somebody"}) // with a key it is somebody else's
	if _, _, err := m.Find(t.Context(), target.Account{Key: "k", Login: "pdurand"}); !target.Is(err, target.Taken) {
		t.Errorf("an account with another key: %v", err)
	}
}

func TestTwoAccountsWithOurKeyAreNotChosenBetween(t *testing.T) {
	there, m := open(t, nil)
	there.Add(pretend.MoodleUser{Username: "lmartin", IDNumber: "0198-lina"})
	there.Add(pretend.MoodleUser{Username: "lmartin2", IDNumber: "0198-lina"})
	if _, _, err := m.Find(t.Context(), lina()); !target.Is(err, target.Double) {
		t.Errorf("found %v", err)
	}
}

func TestAnExceptionWithStatus200IsNoSuccess(t *testing.T) {
	there, m := open(t, nil)
	there.Refuse = []string{"lmartin"}
	if _, err := m.Create(t.Context(), lina()); !target.Is(err, target.Refused) {
		t.Errorf("refused data: %v", err)
	}
	there.Token = "another"
	_, err := m.Create(t.Context(), lina())
	if !target.Is(err, target.Denied) {
		t.Errorf("a wrong token: %v", err)
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("the token is in %v", err)
	}
}

func TestAnAnswerThatGotLostMayHaveMadeTheAccount(t *testing.T) {
	there, m := open(t, nil)
	there.Lose(1)
	_, err := m.Create(t.Context(), lina())
	if f := target.FailureOf(err); err == nil || f.Kind != target.Down || !f.Maybe {
		t.Fatalf("the failure is %v", err)
	}
	if found, ok, err := m.Find(t.Context(), lina()); err != nil || !ok || found.Login != "lmartin" {
		t.Errorf("afterwards it is found as %+v, %t, %v", found, ok, err)
	}
}

func TestASlowOrBusyMoodleIsToldApart(t *testing.T) {
	there, m := open(t, nil)
	there.Busy(7 * time.Second)
	_, _, err := m.Find(t.Context(), lina())
	if f := target.FailureOf(err); f.Kind != target.Busy || f.After != 7*time.Second {
		t.Errorf("busy: %v after %s", err, f.After)
	}
	there.Down(true)
	if _, _, err := m.Find(t.Context(), lina()); !target.Is(err, target.Down) {
		t.Errorf("broken: %v", err)
	}
	there.Down(false)
	there.Slow(3 * time.Second)
	if _, err := m.Create(t.Context(), lina()); !target.Is(err, target.Down) || !target.FailureOf(err).Maybe {
		t.Errorf("slow: %v", err)
	}
}

func TestCoursesAndCohortsFollowTheGroups(t *testing.T) {
	there, m := open(t, func(c *moodle.Config) { c.Courses, c.Cohorts = []string{"uv-*"}, []string{"promo-*"} }, "uv-nf16", "uv-lo21", "own-course")
	a := lina()
	a.Groups = []string{"promo-l2", "uv-lo21", "uv-nf16"}
	id := mustCreate(t, m, a)
	if there.Enrolled("lmartin", "uv-nf16") != 5 || there.Enrolled("lmartin", "uv-lo21") != 5 || !there.InCohort("lmartin", "promo-l2") {
		t.Error("not enrolled as a student")
	}
	a.Groups = []string{"promo-l3", "uv-lo21"}
	if err := m.Change(t.Context(), id, a); err != nil {
		t.Fatal(err)
	}
	if there.Enrolled("lmartin", "uv-nf16") != 0 || there.Enrolled("lmartin", "uv-lo21") == 0 || there.InCohort("lmartin", "promo-l2") || !there.InCohort("lmartin", "promo-l3") {
		t.Error("the change of groups is not in Moodle")
	}
	if l2, l3 := there.CohortCalled("promo-l2"), there.CohortCalled("promo-l3"); l2 != "Licence 2 Informatique" || l3 != "promo-l3" {
		t.Errorf("the cohorts are called %q and %q: not as the group, or by the code of one without a name", l2, l3)
	}
	teacher := target.Account{Key: "t", Login: "hkervadec", FamilyName: "Kervadec", Mail: "h@valmont.example", Affiliations: []string{"faculty"}, Groups: []string{"uv-nf16"}}
	mustCreate(t, m, teacher)
	if there.Enrolled("hkervadec", "uv-nf16") != 3 {
		t.Error("a teacher is not enrolled as one")
	}
	a.Groups = []string{"uv-new"}
	if err := m.Change(t.Context(), id, a); !target.Is(err, target.Partial) {
		t.Errorf("a course that does not exist yet: %v", err)
	}
	there.AddCourse("uv-new")
	if err := m.Change(t.Context(), id, a); err != nil || there.Enrolled("lmartin", "uv-new") == 0 {
		t.Errorf("once it exists: %v", err)
	}
}

func TestTheProbeNamesAFunctionThatIsMissing(t *testing.T) {
	_, m := open(t, nil)
	if said, err := m.Probe(t.Context()); err != nil || !strings.Contains(said, "Moodle 4.5") {
		t.Errorf("%q, %v", said, err)
	}
}

func TestTheListTellsOursFromOthers(t *testing.T) {
	there, m := open(t, nil)
	mustCreate(t, m, lina())
	there.Add(pretend.MoodleUser{Username: "visitor", Email: "visitor@valmont.example", Auth: "oauth2"})
	there.Add(pretend.MoodleUser{Username: "admin", Auth: "manual"})
	var keys []string
	err := m.List(t.Context(), func(r target.Remote) error {
		keys = append(keys, r.Key)
		return nil
	})
	slices.Sort(keys)
	if err != nil || !slices.Equal(keys, []string{"", "0198-lina"}) {
		t.Errorf("listed %q, %v", keys, err)
	}
}

func TestWhoKeepsTheMoodleIsTakenForPrivileged(t *testing.T) {
	for name, c := range map[string]struct {
		user       pretend.MoodleUser
		privileged bool
	}{
		"made by hand":                 {pretend.MoodleUser{Username: "lmartin", Auth: "manual", Email: "lina@valmont.example"}, false},
		"the first administrator":      {pretend.MoodleUser{ID: 2, Username: "lmartin", Auth: "manual"}, true},
		"one that is called like them": {pretend.MoodleUser{Username: "admin", Auth: "manual"}, true},
		"an account of a program":      {pretend.MoodleUser{Username: "lmartin", Auth: "webservice"}, true},
		"one that nobody may enter":    {pretend.MoodleUser{Username: "lmartin", Auth: "manual", Suspended: true}, true},
	} {
		there, m := open(t, func(c *moodle.Config) { c.Adopt = true })
		there.Add(c.user)
		a := lina()
		a.Login = c.user.Username
		if r, ok, err := m.Find(t.Context(), a); err != nil || !ok || (r.Privileged != "") != c.privileged {
			t.Errorf("%s: %+v, %t, %v", name, r, ok, err)
		}
	}
}

func TestAnAccountIsReadByItsIdentifier(t *testing.T) {
	_, m := open(t, nil)
	id := mustCreate(t, m, lina())
	if r, ok, err := m.At(t.Context(), id, lina()); err != nil || !ok || r.Key != lina().Key {
		t.Errorf("%+v, %t, %v", r, ok, err)
	}
	if _, ok, err := m.At(t.Context(), "999", lina()); err != nil || ok {
		t.Errorf("nobody: %t, %v", ok, err)
	}
}

func TestAMoodleThatShowsNoAccountsIsNotBelievedToHaveNone(t *testing.T) {
	there, m := open(t, nil)
	there.Add(pretend.MoodleUser{Username: "lmartin", Email: "lina@valmont.example"})
	there.Blind = true
	if _, _, err := m.Find(t.Context(), lina()); !target.Is(err, target.Denied) || !strings.Contains(err.Error(), "moodle/user:viewalldetails") {
		t.Errorf("looking for somebody: %v", err)
	}
	if _, err := m.Probe(t.Context()); !target.Is(err, target.Denied) {
		t.Errorf("the trial: %v", err)
	}
	if err := m.List(t.Context(), func(target.Remote) error { return nil }); !target.Is(err, target.Denied) {
		t.Errorf("the list: %v", err)
	}
}

func TestEveryAccountIsListedOnceWhateverItsAddress(t *testing.T) {
	there, m := open(t, nil)
	want := map[string]bool{}
	for i := 1; i < 100; i += 7 {
		name := "u" + strings.Repeat("x", i)
		there.Add(pretend.MoodleUser{Username: name, Email: name[1:], Auth: "oauth2"})
		want[name] = true
	}
	there.Add(pretend.MoodleUser{Username: "admin", Email: "admin@valmont.example", Auth: "manual"})
	err := m.List(t.Context(), func(r target.Remote) error {
		if !want[r.Login] {
			t.Errorf("%q is listed twice, or is none of ours", r.Login)
		}
		delete(want, r.Login)
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("%v; not listed are %v", err, want)
	}
}

func TestAChangeToWhatSomebodyElseHasIsRefusedAsSuch(t *testing.T) {
	for name, other := range map[string]pretend.MoodleUser{
		"the same login":   {Username: "lduval", Email: "other@valmont.example"},
		"the same address": {Username: "other", Email: "duval@valmont.example"},
	} {
		there, m := open(t, nil)
		id := mustCreate(t, m, lina())
		there.Add(other)
		renamed := lina()
		renamed.Login, renamed.Mail = "lduval", "duval@valmont.example"
		if err := m.Change(t.Context(), id, renamed); !target.Is(err, target.Taken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
