package lifecycle

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// belong gives somebody an affiliation with a place.
func (d *desk) belong(who campus.PersonID, a campus.Affiliation) {
	d.t.Helper()
	err := d.DB.InTx(d.t.Context(), func(tx db.Tx) error {
		_, err := tx.ExecContext(d.t.Context(), "INSERT INTO identity_affiliations (person_id, kind, campus, programme, unit) VALUES ($1, $2, $3, $4, $5)",
			string(who), string(a.Kind), a.Campus, a.Programme, a.Unit)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func TestASecretaryOfOneProgrammeSeesAndDecidesAboutThatProgrammeOnly(t *testing.T) {
	now := november()
	dbtest.EachAt(t, now, func(t *testing.T, database *db.DB) {
		d := open(t, now, database, Defaults())
		law, maths := d.add("law", account.Active), d.add("maths", account.Active)
		d.belong(law, campus.Affiliation{Kind: campus.Student, Campus: "port", Programme: "L1-DROIT"})
		d.belong(maths, campus.Affiliation{Kind: campus.Student, Campus: "port", Programme: "L3-MATH"})
		d.viewer = d.as("clerk")
		d.viewer.Mandates = []campus.Mandate{{Right: campus.RightSecretariat, Campus: "port", Programme: "L1-DROIT"}}

		for _, path := range []string{"/identity/accounts", "/identity/accounts.csv"} {
			resp, list := pagetest.Ask(t, pagetest.Still(), http.MethodGet, d.server.URL+path, nil)
			if resp.StatusCode != http.StatusOK || !strings.Contains(list, "Ünal law") && !strings.Contains(list, "law@") || strings.Contains(list, "maths") {
				t.Errorf("%s answers %d, with law: %t, with maths: %t", path, resp.StatusCode, strings.Contains(list, "law"), strings.Contains(list, "maths"))
			}
			if strings.Contains(list, "/identity/accounts/rules") || strings.Contains(list, "/identity/accounts/due") {
				t.Errorf("%s leads to pages that refuse her", path)
			}
		}
		for path, want := range map[string]int{
			"/identity/accounts/p-law": http.StatusOK, "/identity/accounts/p-law/suspend": http.StatusOK,
			"/identity/accounts/p-maths": http.StatusForbidden, "/identity/accounts/p-maths/suspend": http.StatusForbidden,
			"/identity/accounts/rules": http.StatusForbidden, "/identity/accounts/due": http.StatusForbidden,
		} {
			if resp, _ := pagetest.Ask(t, pagetest.Still(), http.MethodGet, d.server.URL+path, nil); resp.StatusCode != want {
				t.Errorf("%s answers %d instead of %d", path, resp.StatusCode, want)
			}
		}
		order := Order{State: account.Suspended, Reason: defaultReasons[0].Code}
		if _, err := d.Decide(t.Context(), d.viewer, maths, order); fault.Of(err).Reason != Elsewhere {
			t.Errorf("deciding about somebody of another programme: %v", err)
		}
		if _, err := d.Decide(t.Context(), d.viewer, law, order); err != nil {
			t.Errorf("deciding about somebody of the programme: %v", err)
		}
		if !slices.Equal(d.told, []campus.PersonID{law}) {
			t.Errorf("the house was told that %v changed", d.told)
		}
		d.viewer.Mandates[0].Right = campus.RightHelpdesk
		if resp, _ := pagetest.Ask(t, pagetest.Still(), http.MethodGet, d.server.URL+"/identity/accounts", nil); resp.StatusCode != http.StatusForbidden {
			t.Errorf("another right opens the list: %d", resp.StatusCode)
		}
	}, schemas...)
}

func TestNobodyShutsOutWhoHoldsRightsOverOthers(t *testing.T) {
	now := november()
	dbtest.EachAt(t, now, func(t *testing.T, database *db.DB) {
		d := open(t, now, database, Defaults())
		admin, helper := d.add("admin", account.Active), d.add("helper", account.Active)
		here := campus.Affiliation{Kind: campus.Staff, Campus: "port", Programme: "L1-DROIT"}
		d.belong(admin, here)
		d.belong(helper, here)
		d.held = map[campus.PersonID]campus.Viewer{
			admin:  {Rights: []campus.Right{campus.RightAdmin}},
			helper: {Mandates: []campus.Mandate{{Right: campus.RightHelpdesk, Campus: "port"}}},
		}
		some, all := d.as("clerk"), d.as("clerk", campus.RightSecretariat)
		some.Mandates = []campus.Mandate{{Right: campus.RightSecretariat, Campus: "port"}}
		order := Order{State: account.Suspended, Reason: defaultReasons[0].Code}
		for name, c := range map[string]struct {
			by   campus.Viewer
			who  campus.PersonID
			want *fault.Reason
		}{
			"an agent, by who looks after some":              {some, helper, HoldsRights},
			"an administrator, by them":                      {some, admin, HoldsRights},
			"an administrator, by who looks after everybody": {all, admin, HoldsRights},
			"an agent, by who looks after everybody":         {all, helper, nil},
		} {
			_, err := d.Decide(t.Context(), c.by, c.who, order)
			if c.want == nil && err != nil || c.want != nil && fault.Of(err).Reason != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
	}, schemas...)
}

func TestKindCampusAndProgrammeAreThoseOfOneAffiliation(t *testing.T) {
	now := november()
	dbtest.EachAt(t, now, func(t *testing.T, database *db.DB) {
		d := open(t, now, database, Defaults())
		doctoral, student := d.add("doctoral", account.Active), d.add("student", account.Active)
		d.belong(doctoral, campus.Affiliation{Kind: campus.Teacher, Campus: "port", Programme: "L1-DROIT"})
		d.belong(doctoral, campus.Affiliation{Kind: campus.Student, Campus: "rives", Programme: "DOC"})
		d.belong(student, campus.Affiliation{Kind: campus.Student, Campus: "port", Programme: "L1-DROIT"})
		for name, c := range map[string]struct {
			f    Filter
			want []campus.PersonID
		}{
			"a programme":              {Filter{Programme: "L1-DROIT"}, []campus.PersonID{doctoral, student}},
			"students of a programme":  {Filter{Programme: "L1-DROIT", Kind: campus.Student}, []campus.PersonID{student}},
			"teachers of a campus":     {Filter{Campus: "port", Kind: campus.Teacher}, []campus.PersonID{doctoral}},
			"of no affiliation at all": {Filter{Campus: "rives", Programme: "L1-DROIT"}, nil},
		} {
			list, err := d.Search(t.Context(), c.f, 10, 0)
			var found []campus.PersonID
			for _, p := range list {
				found = append(found, p.ID)
			}
			if n, errCount := d.Count(t.Context(), c.f); err != nil || errCount != nil || n != len(c.want) || !slices.Equal(found, c.want) {
				t.Errorf("%s: %v, %d, %v, %v", name, found, n, err, errCount)
			}
			if back := ReadFilter(c.f.Query(), d.viewer); back.Kind != c.f.Kind || back.Campus != c.f.Campus || back.Programme != c.f.Programme {
				t.Errorf("%s: read back as %+v", name, back)
			}
		}
	}, schemas...)
}
