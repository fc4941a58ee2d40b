package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

var _ contract.Register = (*Module)(nil)

// registerColumns are the columns by which FindPeople looks.
var registerColumns = map[contract.Field]string{
	contract.FieldLogin: "login", contract.FieldMail: "mail", contract.FieldStudentNumber: "student_number",
}

// atOnce bounds the list of one statement.
const atOnce = 500

// FindPeople implements contract.Register. An empty value is nobody's.
func (m *Module) FindPeople(ctx context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error) {
	column, ok := registerColumns[by]
	if !ok {
		return nil, fmt.Errorf("find people: nobody is looked for by %q", by)
	}
	found := make(map[string]campus.PersonID, len(values))
	for some := range slices.Chunk(values, atOnce) {
		args := make([]any, len(some))
		for i, v := range some {
			args[i] = v
		}
		err := db.Each(ctx, m.db.Read(), "SELECT "+column+", id FROM identity_people WHERE "+column+" <> '' AND "+column+" IN "+db.In(len(args), 1), args, func(rows *sql.Rows) error {
			var value, who string
			if err := rows.Scan(&value, &who); err != nil {
				return err
			}
			found[value] = campus.PersonID(who)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("find people: %w", err)
		}
	}
	return found, nil
}

// KnownPeople implements contract.Register. Until, Mobile and RecoveryMail are
// left out: they are no business of lists.
func (m *Module) KnownPeople(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := make(map[campus.PersonID]contract.Known, len(ids))
	for some := range slices.Chunk(ids, atOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = string(id)
		}
		err := m.eachKnown(ctx, "WHERE p.id IN "+db.In(len(args), 1), args, func(k contract.Known) { known[k.ID] = k })
		if err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
	}
	return known, nil
}

// PeopleAfter are the next people by identifier, at most so many, as KnownPeople
// reads them: the whole register is read in pages.
func (m *Module) PeopleAfter(ctx context.Context, after campus.PersonID, most int) ([]contract.Known, error) {
	var people []contract.Known
	err := m.eachKnown(ctx, "WHERE p.id > $1 ORDER BY p.id LIMIT $2", []any{string(after), most}, func(k contract.Known) { people = append(people, k) })
	if err != nil {
		return nil, fmt.Errorf("read the register of people: %w", err)
	}
	return people, nil
}

// HoldersOf are those who hold a right over everybody and can use their account.
func (m *Module) HoldersOf(ctx context.Context, r campus.Right) ([]campus.PersonID, error) {
	ids, err := sqlgen.New(m.db.Read()).Holders(ctx, string(r))
	if err != nil {
		return nil, fmt.Errorf("list the holders of %s: %w", r, err)
	}
	holders := make([]campus.PersonID, len(ids))
	for i, id := range ids {
		holders[i] = campus.PersonID(id)
	}
	return holders, nil
}

// HoldersFor are those who hold a right over somebody with these affiliations and can
// use their account: first those whose mandate covers one of them, then those who hold
// it over everybody.
func (m *Module) HoldersFor(ctx context.Context, r campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error) {
	var near, everywhere []campus.PersonID
	err := db.Each(ctx, m.db.Read(), `SELECT p.id, r.campus, r.programme, r.unit FROM identity_people p JOIN identity_mandates r ON r.person_id = p.id
		WHERE r.right_name = $1 AND p.state IN ('active', 'expiring') ORDER BY p.folded_name, p.id`, []any{string(r)}, func(rows *sql.Rows) error {
		held := campus.Mandate{Right: r}
		var who campus.PersonID
		if err := rows.Scan(&who, &held.Campus, &held.Programme, &held.Unit); err != nil {
			return err
		}
		switch {
		case held.Everywhere():
			everywhere = append(everywhere, who)
		case slices.ContainsFunc(somebody, held.Covers) && !slices.Contains(near, who):
			near = append(near, who)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the holders of %s: %w", r, err)
	}
	for _, who := range everywhere {
		if !slices.Contains(near, who) {
			near = append(near, who)
		}
	}
	return near, nil
}

// eachKnown reads the people that a condition names.
func (m *Module) eachKnown(ctx context.Context, where string, args []any, do func(contract.Known)) error {
	return db.Each(ctx, m.db.Read(), `SELECT p.id, p.login, p.mail, p.given_name, p.family_name, p.student_number, p.job_title, p.locale, p.state, EXISTS (SELECT 1 FROM identity_mandates m WHERE m.person_id = p.id),
		CAST(COALESCE((SELECT string_agg(a.kind || '|' || a.campus || '|' || a.programme || '|' || a.unit, ';') FROM identity_affiliations a WHERE a.person_id = p.id), '') AS TEXT)
		FROM identity_people p `+where, args, func(rows *sql.Rows) error {
		var k contract.Known
		var id, locale, affiliations string
		s := &k.Subject
		if err := rows.Scan(&id, &s.Login, &s.Mail, &s.GivenName, &s.FamilyName, &s.StudentNumber, &s.JobTitle, &locale, &k.State, &k.HoldsRights, &affiliations); err != nil {
			return err
		}
		k.ID, s.Locale, s.Affiliations = campus.PersonID(id), campus.Locale(locale), affiliationsOf(affiliations)
		do(k)
		return nil
	})
}

// RegisteredUntil implements contract.Register.
func (m *Module) RegisteredUntil(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]map[campus.Kind]time.Time, error) {
	until := make(map[campus.PersonID]map[campus.Kind]time.Time, len(ids))
	for some := range slices.Chunk(ids, atOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = string(id)
		}
		err := db.Each(ctx, m.db.Read(), "SELECT person_id, kind, until_at FROM identity_registrations WHERE person_id IN "+db.In(len(args), 1), args, func(rows *sql.Rows) error {
			var who, kind string
			var at db.Time
			if err := rows.Scan(&who, &kind, &at); err != nil {
				return err
			}
			id := campus.PersonID(who)
			if until[id] == nil {
				until[id] = map[campus.Kind]time.Time{}
			}
			until[id][campus.Kind(kind)] = at.Time()
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read registrations: %w", err)
		}
	}
	return until, nil
}

// personOfSubject is somebody as the directory says them.
func personOfSubject(s contract.Subject) Person {
	return Person{
		Login: normalLogin(s.Login), Mail: strings.ToLower(s.Mail), GivenName: campus.OneLine(s.GivenName), FamilyName: campus.OneLine(s.FamilyName),
		StudentNumber: s.StudentNumber, JobTitle: campus.OneLine(s.JobTitle), Locale: s.Locale, State: Invited, Affiliations: s.Affiliations,
	}
}

// Check implements contract.Register.
func (m *Module) Check(s contract.Subject) error { return checkPerson(personOfSubject(s)) }

// Enrol implements contract.Register: the person is invited, and activates the
// account themselves.
func (m *Module) Enrol(ctx context.Context, tx db.Tx, s contract.Subject, source string) (campus.PersonID, error) {
	who, err := m.AddPerson(ctx, tx, personOfSubject(s))
	if err != nil {
		return "", err
	}
	return who, m.record(ctx, tx, who, s, source)
}

// record takes over until when somebody is registered, and where they can be
// reached.
func (m *Module) record(ctx context.Context, tx db.Tx, who campus.PersonID, s contract.Subject, source string) error {
	for kind, until := range s.Until {
		if err := lifecycle.Register(ctx, tx, who, kind, until, source); err != nil {
			return err
		}
	}
	for channel, value := range map[reach.Channel]string{reach.MobilePhone: s.Mobile, reach.RecoveryMail: s.RecoveryMail} {
		if value == "" {
			continue
		}
		if err := m.reach.Record(ctx, tx, who, channel, value); err != nil {
			return err
		}
	}
	return nil
}

// Amend implements contract.Register. The language that somebody chose stays
// theirs.
func (m *Module) Amend(ctx context.Context, tx db.Tx, who campus.PersonID, s contract.Subject, fields []contract.Field, source string) error {
	q := sqlgen.New(tx)
	row, err := q.PersonByID(ctx, string(who))
	if errors.Is(err, sql.ErrNoRows) {
		return PersonMissing
	}
	if err != nil {
		return fmt.Errorf("read person: %w", err)
	}
	p := personOf(sqlgen.PersonByLoginRow(row))
	before, told := p, contract.Subject{}
	for _, field := range fields {
		switch field {
		case contract.FieldLogin:
			p.Login = normalLogin(s.Login)
		case contract.FieldMail:
			p.Mail = strings.ToLower(s.Mail)
		case contract.FieldGivenName:
			p.GivenName = campus.OneLine(s.GivenName)
		case contract.FieldFamilyName:
			p.FamilyName = campus.OneLine(s.FamilyName)
		case contract.FieldStudentNumber:
			p.StudentNumber = s.StudentNumber
		case contract.FieldJobTitle:
			p.JobTitle = campus.OneLine(s.JobTitle)
		case contract.FieldLocale:
			if p.Locale == "" {
				p.Locale = s.Locale
			}
		case contract.FieldAffiliations:
			p.Affiliations = s.Affiliations
		case contract.FieldUntil:
			told.Until = s.Until
		case contract.FieldMobile:
			told.Mobile = s.Mobile
		case contract.FieldRecoveryMail:
			told.RecoveryMail = s.RecoveryMail
		default:
			return fmt.Errorf("amend %s: unknown field %q", who, field)
		}
	}
	if err := checkPerson(p); err != nil {
		return err
	}
	if p.Login != before.Login || p.Mail != before.Mail || told.Mobile != "" || told.RecoveryMail != "" {
		if err := protected(ctx, tx, who); err != nil {
			return err
		}
	}
	_, err = q.AmendPerson(ctx, sqlgen.AmendPersonParams{
		ID: string(who), Login: p.Login, Mail: p.Mail, GivenName: p.GivenName, FamilyName: p.FamilyName, StudentNumber: p.StudentNumber,
		JobTitle: p.JobTitle, FoldedName: campus.Fold(p.FamilyName + " " + p.GivenName), Locale: string(p.Locale), ChangedAt: tx.Now(),
	})
	if db.IsUnique(err) {
		return PersonExists.Because(err, fault.Args{"login": p.Login, "mail": p.Mail})
	}
	if err != nil {
		return fmt.Errorf("amend person: %w", err)
	}
	if slices.Contains(fields, contract.FieldAffiliations) {
		if err := m.setAffiliations(ctx, tx, who, p.Affiliations); err != nil {
			return err
		}
	}
	if err := m.record(ctx, tx, who, told, source); err != nil {
		return err
	}
	if err := m.tellRenamed(ctx, tx, before, p); err != nil {
		return err
	}
	return m.personChanged(ctx, tx, who)
}

// protected refuses that a source changes how somebody who holds rights gets into the
// account, or back into it: their rights would be those of whoever writes into the source.
// The directory asks before; this is for rights that were given since.
func protected(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	var holds bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM identity_mandates WHERE person_id = $1)", string(who)).Scan(&holds); err != nil {
		return fmt.Errorf("look for rights: %w", err)
	}
	if holds {
		return PersonProtected
	}
	return nil
}

// tellRenamed writes to where somebody was reached until now that they are known by
// other names: codes for a new password go to the new address from this moment on, and
// a change that a source made by mistake, or by malice, must not be silent.
func (m *Module) tellRenamed(ctx context.Context, tx db.Tx, before, now Person) error {
	if !before.State.Usable() || before.Login == now.Login && before.Mail == now.Mail {
		return nil
	}
	err := m.journal.Write(ctx, tx, journal.Event{Person: before.ID, Kind: "identity.names_changed", Facts: map[string]string{"value": reach.MaskAddress(now.Mail)}})
	if err != nil {
		return err
	}
	return m.reach.Tell(ctx, tx, before, reach.Letter{Kind: "names_changed", URL: "/identity/contacts", Args: []any{"login", now.Login, "mail", now.Mail}})
}

// setAffiliations makes a list somebody's affiliations.
func (m *Module) setAffiliations(ctx context.Context, tx db.Tx, who campus.PersonID, list []campus.Affiliation) error {
	q := sqlgen.New(tx)
	if err := q.DropAffiliations(ctx, string(who)); err != nil {
		return fmt.Errorf("drop affiliations: %w", err)
	}
	for _, a := range list {
		if err := q.AddAffiliation(ctx, sqlgen.AddAffiliationParams{PersonID: string(who), Kind: string(a.Kind), Campus: a.Campus, Programme: a.Programme, Unit: a.Unit}); err != nil {
			return fmt.Errorf("add affiliation: %w", err)
		}
	}
	return nil
}

// personChanged tells the other rooms, in the transaction of the change.
func (m *Module) personChanged(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	if m.peopleFollowers == nil {
		return nil
	}
	for _, f := range m.peopleFollowers() {
		if err := f.PersonChanged(ctx, tx, who); err != nil {
			return fmt.Errorf("tell that %s changed: %w", who, err)
		}
	}
	return nil
}
