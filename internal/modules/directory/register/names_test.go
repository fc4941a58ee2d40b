package register

import (
	"errors"
	"testing"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestHomonymsGetNumbersAndNoNameIsGivenTwice(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.read("hr",
			line("1", "family_name", "Dupont", "given_name", "Élise", "affiliations", "student|||"),
			line("2", "family_name", "Dupont", "given_name", "Emma", "affiliations", "student|||"),
			line("3", "family_name", "DUPONT", "given_name", "Éric", "affiliations", "student|||"),
			line("4", "family_name", "L’Haÿ-des-Roses", "given_name", "Œuvrard", "affiliations", "student|||"))
		for _, login := range []string{"edupont", "edupont2", "edupont3", "olhaydesrose"} {
			h.person(login)
		}
		if _, s := h.person("olhaydesrose"); s.Mail != "oeuvrard.l-hay-des-roses@valmont.example" {
			t.Errorf("the address is %s", s.Mail)
		}
		// The account of somebody who left is deleted; the name stays theirs.
		if err := h.d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "DELETE FROM people_test WHERE login = 'edupont2'")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r, err := h.Push(t.Context(), "hr", []source.Record{line("5", "family_name", "Dupont", "given_name", "Eva", "affiliations", "student|||")})
		if err != nil || r[0].Err != nil {
			t.Fatal(r, err)
		}
		h.person("edupont4")
		r, err = h.Push(t.Context(), "hr", []source.Record{line("6", "login", "edupont2", "mail", "b@valmont.example", "family_name", "Dupond")})
		if err != nil || !errors.Is(r[0].Err, NameReserved) {
			t.Errorf("a login that was given before: %v %v", r, err)
		}
	})
}

func TestPatternsOfNames(t *testing.T) {
	s := contract.Subject{GivenName: "Jean-Pierre", FamilyName: "de La Tour", StudentNumber: "22 000 123"}
	for _, c := range []struct {
		pattern, glue, want string
	}{
		{"{given:1}{family}", "", "jdelatour"}, {"{given}.{family}", "-", "jean-pierre.de-la-tour"}, {"{family:4}{yy}", "", "dela26"},
		{"e{number}", "", "e22000123"}, {"{given:1}.{family:3}", "", "j.del"},
	} {
		pieces, err := parsePattern(c.pattern, loginParts)
		if err != nil {
			t.Fatal(err)
		}
		if got := fill(pieces, s, "", "", c.glue, 2026); got != c.want {
			t.Errorf("%s: %s", c.pattern, got)
		}
	}
	for _, bad := range []string{"", "{", "{nothing}", "{given:0}", "É", "{given:x}"} {
		if _, err := parsePattern(bad, loginParts); err == nil {
			t.Errorf("%q is a pattern", bad)
		}
	}
	if got := nth("edupont", 12, 8); got != "edupon12" {
		t.Errorf("the twelfth is %s", got)
	}
}
