package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
)

// PersonByID returns one person, or PersonMissing.
func (m *Module) PersonByID(ctx context.Context, who campus.PersonID) (Person, error) {
	row, err := sqlgen.New(m.db.Read()).PersonByID(ctx, string(who))
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, PersonMissing
	}
	if err != nil {
		return Person{}, fmt.Errorf("read person: %w", err)
	}
	return personOf(sqlgen.PersonByLoginRow(row)), nil
}

// PersonByLogin returns the person with this login or institutional mail, or
// PersonMissing.
func (m *Module) PersonByLogin(ctx context.Context, login string) (Person, error) {
	row, err := sqlgen.New(m.db.Read()).PersonByLogin(ctx, normalLogin(login))
	if errors.Is(err, sql.ErrNoRows) {
		return Person{}, PersonMissing
	}
	if err != nil {
		return Person{}, fmt.Errorf("read person: %w", err)
	}
	return personOf(row), nil
}

// ListPeople returns one page of people by name, after the given position (both
// empty for the first page).
func (m *Module) ListPeople(ctx context.Context, afterName, afterID string, size int) ([]Person, error) {
	rows, err := sqlgen.New(m.db.Read()).ListPeople(ctx, sqlgen.ListPeopleParams{AfterName: afterName, AfterID: afterID, Size: int32(size)})
	if err != nil {
		return nil, fmt.Errorf("list people: %w", err)
	}
	people := make([]Person, len(rows))
	for i, r := range rows {
		people[i] = Person{ID: campus.PersonID(r.ID), Login: r.Login, Mail: r.Mail, GivenName: r.GivenName, FamilyName: r.FamilyName, State: account.State(r.State)}
	}
	return people, nil
}

// holders are those who hold a right and can use their account.
func (m *Module) holders(ctx context.Context, r campus.Right) ([]Person, error) {
	ids, err := sqlgen.New(m.db.Read()).Holders(ctx, string(r))
	if err != nil {
		return nil, fmt.Errorf("list the holders of %s: %w", r, err)
	}
	people := make([]Person, 0, len(ids))
	for _, id := range ids {
		p, err := m.PersonByID(ctx, campus.PersonID(id))
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return people, nil
}

// CountPeople returns how many people there are.
func (m *Module) CountPeople(ctx context.Context) (int64, error) {
	return sqlgen.New(m.db.Read()).CountPeople(ctx)
}

func personOf(row sqlgen.PersonByLoginRow) Person {
	rights, mandates := rightsOf(row.Rights)
	return Person{
		ID: campus.PersonID(row.ID), Login: row.Login, Mail: row.Mail, GivenName: row.GivenName, FamilyName: row.FamilyName,
		StudentNumber: row.StudentNumber, JobTitle: row.JobTitle, State: account.State(row.State),
		Locale: campus.Locale(row.Locale), Appearance: row.Appearance,
		Affiliations: affiliationsOf(row.Affiliations), Rights: rights, Mandates: mandates,
	}
}

// affiliationsOf reads the form that the queries aggregate: fields parted by "|",
// affiliations by ";". checkPerson keeps both out of the fields. One statement
// then answers who is asking, on either database.
func affiliationsOf(text string) []campus.Affiliation {
	var list []campus.Affiliation
	for part := range strings.SplitSeq(text, ";") {
		if f := strings.Split(part, "|"); len(f) == 4 {
			list = append(list, campus.Affiliation{Kind: campus.Kind(f[0]), Campus: f[1], Programme: f[2], Unit: f[3]})
		}
	}
	return list
}

// rightsOf reads the rights in the same form: those held over everybody, and
// those held over some.
func rightsOf(text string) (rights []campus.Right, mandates []campus.Mandate) {
	for part := range strings.SplitSeq(text, ";") {
		f := strings.Split(part, "|")
		if len(f) != 4 {
			continue
		}
		m := campus.Mandate{Right: campus.Right(f[0]), Campus: f[1], Programme: f[2], Unit: f[3]}
		if m.Everywhere() {
			rights = append(rights, m.Right)
		} else {
			mandates = append(mandates, m)
		}
	}
	return rights, mandates
}

// Viewer is somebody as their own session would see them, without a session: for
// decisions about who is not at a browser. Of an account that may not be used it
// says why, as the sign-in would.
func (m *Module) Viewer(ctx context.Context, who campus.PersonID) (campus.Viewer, error) {
	p, err := m.PersonByID(ctx, who)
	if err != nil {
		return campus.Viewer{}, err
	}
	if err := m.standing(ctx, p); err != nil {
		return campus.Viewer{}, err
	}
	return p.Viewer(), nil
}

// Attributes are what may be released about somebody to a service, by the names
// of eduPerson (2022-02), SupAnn (2021) and the common LDAP schema (RFC 4519, RFC
// 2798). What follows from them and the institution is added where they are
// released.
func (m *Module) Attributes(ctx context.Context, who campus.PersonID) (map[string][]string, error) {
	p, err := m.PersonByID(ctx, who)
	if err != nil {
		return nil, err
	}
	attributes := map[string][]string{
		"uid":         {p.Login},
		"displayName": {p.DisplayName()},
		"cn":          {p.DisplayName()},
		"givenName":   {p.GivenName},
		"sn":          {p.FamilyName},
		"mail":        {p.Mail},
	}
	seen := map[string]bool{}
	add := func(name, value string) {
		if value != "" && !seen[name+value] {
			seen[name+value] = true
			attributes[name] = append(attributes[name], value)
		}
	}
	add("preferredLanguage", string(p.Locale))
	for _, a := range p.Affiliations {
		add("eduPersonAffiliation", a.Kind.EduPerson())
		if a.Kind == campus.Teacher || a.Kind == campus.Staff { // SupAnn 2021: both are employed
			add("eduPersonAffiliation", "employee")
		}
		if a.Kind != campus.Guest { // eduPerson: an affiliate is no member
			add("eduPersonAffiliation", "member")
		}
		add("campus", a.Campus)
		add("programme", a.Programme)
		add("supannEntiteAffectation", a.Unit)
	}
	if units := attributes["supannEntiteAffectation"]; len(units) > 0 {
		add("supannEntiteAffectationPrincipale", units[0])
	}
	if len(p.Affiliations) > 0 {
		add("eduPersonPrimaryAffiliation", p.Affiliations[0].Kind.EduPerson())
	}
	if p.StudentNumber != "" {
		add("supannEtuId", p.StudentNumber)
	}
	return attributes, nil
}
