package register

import (
	"errors"
	"slices"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestSourcesWinByPrecedenceAndByField(t *testing.T) {
	sources := []source.Config{{ID: "hr", Priority: 1}, {ID: "phones", Priority: 2, First: []string{"phone"}, Enrich: true}, {ID: "apogee", Priority: 3}}
	each(t, func(t *testing.T, h *house) {
		h.read("hr", line("1", "login", "ada", "mail", "ada@valmont.example", "family_name", "Lovelace", "given_name", "Ada", "employee_number", "e1", "phone", "1", "affiliations", "staff|||dsi"))
		r := h.read("phones", line("1", "employee_number", "e1", "family_name", "Lovelace", "given_name", "A.", "phone", "2"), line("9", "employee_number", "e9", "family_name", "Nobody"))
		if r.Counts.Creations != 0 || r.Counts.Refusals != 1 {
			t.Errorf("a source that only completes: %+v", r.Counts)
		}
		h.read("apogee", line("1", "mail", "ada@valmont.example", "family_name", "Lovelace", "affiliations", "student|||", "until", "student|2027-08-31T00:00:00Z"))
		who, s := h.person("ada")
		if s.GivenName != "Ada" || len(s.Affiliations) != 2 {
			t.Errorf("merged %+v", s)
		}
		list, err := h.Origins(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		winner := func(f mapping.Field) (names []string) {
			for _, p := range list {
				for _, said := range p.Said {
					if p.Field == f && said.Wins {
						names = append(names, said.Source)
					}
				}
			}
			return names
		}
		if w := winner("phone"); !slices.Equal(w, []string{"phones"}) {
			t.Errorf("the phone is of %v", w)
		}
		if w := winner("given_name"); !slices.Equal(w, []string{"hr"}) {
			t.Errorf("the given name is of %v", w)
		}
		// Who leaves one source stays by the other.
		h.read("apogee")
		held, err := h.HeldRuns(t.Context())
		if err != nil || len(held) != 1 {
			t.Fatal(held, err)
		}
		if err := h.Release(t.Context(), officer, held[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Resume(t.Context(), held[0].ID); err != nil {
			t.Fatal(err)
		}
		if _, s := h.person("ada"); len(s.Affiliations) != 1 || s.Affiliations[0].Kind != campus.Staff || s.Until[campus.Student].IsZero() || !s.Until[campus.Staff].IsZero() {
			t.Errorf("after the student left: %+v", s)
		}
		// Somebody decides that the other source is right about the name.
		if err := h.Pin(t.Context(), campus.Viewer{Person: "x"}, who, contract.FieldGivenName, "phones"); !errors.Is(err, Reserved) {
			t.Errorf("pinned without the right: %v", err)
		}
		if err := h.Pin(t.Context(), officer, who, contract.FieldGivenName, "phones"); err != nil {
			t.Fatal(err)
		}
		if _, s := h.person("ada"); s.GivenName != "A." {
			t.Errorf("pinned, the given name is %s", s.GivenName)
		}
	}, sources...)
}

func TestWhatTheInstitutionEnteredByHandStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := people{h.d}
		if err := h.d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := p.Enrol(t.Context(), tx, contract.Subject{Login: "ada", Mail: "ada@valmont.example", FamilyName: "Lovelace", GivenName: "Ada", JobTitle: "Dean",
				Affiliations: []campus.Affiliation{{Kind: campus.Teacher, Unit: "maths"}}}, "by hand")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		h.read("hr", line("1", "mail", "ada@valmont.example", "family_name", "Lovelace", "given_name", "Ada", "affiliations", "staff|||dsi", "phone", "3"))
		_, s := h.person("ada")
		if s.JobTitle != "Dean" || len(s.Affiliations) != 2 || s.Login != "ada" {
			t.Errorf("ada is %+v", s)
		}
	})
}

func TestAFieldThatIsEmptyIsNoChangeAtTheNextReading(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := somebody(1)
		r.Values["groups"], r.Values["phone"] = []string{}, nil
		h.read("hr", r)
		if c := h.read("hr", r).Counts; c.Unchanged != 1 || c.Planned != 0 {
			t.Errorf("read again: %+v", c)
		}
	})
}
