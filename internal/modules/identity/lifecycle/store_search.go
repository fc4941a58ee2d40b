package lifecycle

import (
	"context"
	"fmt"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Filter narrows a list of accounts. Its zero value is everybody.
type Filter struct {
	Words string // part of a name, a login, a mail address or a student number
	State account.State
	// Kind, Campus and Programme are those of one affiliation.
	Kind              campus.Kind
	Campus, Programme string
	// Within narrows it to people whom one of the mandates covers; nil is everybody.
	Within []campus.Mandate
}

// where is the condition of a filter and its arguments.
func (f Filter) where() (string, []any) {
	var parts []string
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	if typed := strings.ToLower(strings.TrimSpace(f.Words)); typed != "" {
		var names []string
		for word := range strings.FieldsSeq(campus.Fold(f.Words)) { // letters and digits only: nothing for LIKE to misread
			names = append(names, "p.folded_name LIKE "+arg("%"+word+"%"))
		}
		either := []string{"p.login LIKE " + arg(literal(typed)+"%") + " ESCAPE '!'", "p.mail = " + arg(typed), "p.student_number = " + arg(strings.TrimSpace(f.Words))}
		if len(names) > 0 {
			either = append(either, "("+strings.Join(names, " AND ")+")")
		}
		parts = append(parts, "("+strings.Join(either, " OR ")+")")
	}
	if f.State != "" {
		parts = append(parts, "p.state = "+arg(string(f.State)))
	}
	var tie []string
	for _, n := range [][2]string{{"kind", string(f.Kind)}, {"campus", f.Campus}, {"programme", f.Programme}} {
		if n[1] != "" {
			tie = append(tie, " AND a."+n[0]+" = "+arg(n[1]))
		}
	}
	if len(tie) > 0 {
		parts = append(parts, "EXISTS (SELECT 1 FROM identity_affiliations a WHERE a.person_id = p.id"+strings.Join(tie, "")+")")
	}
	if len(f.Within) > 0 {
		covers := make([]string, len(f.Within))
		for i, m := range f.Within {
			var narrowed []string
			for _, n := range [][2]string{{"campus", m.Campus}, {"programme", m.Programme}, {"unit", m.Unit}} {
				if n[1] != "" {
					narrowed = append(narrowed, "a."+n[0]+" = "+arg(n[1]))
				}
			}
			covers[i] = "(" + strings.Join(narrowed, " AND ") + ")"
		}
		parts = append(parts, "EXISTS (SELECT 1 FROM identity_affiliations a WHERE a.person_id = p.id AND ("+strings.Join(covers, " OR ")+"))")
	}
	if len(parts) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(parts, " AND "), args
}

// literal keeps LIKE from reading signs of its own in what somebody typed.
func literal(typed string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(typed)
}

// Count is how many accounts a filter lets through.
func (l *Lifecycle) Count(ctx context.Context, f Filter) (int, error) {
	where, args := f.where()
	var n int
	if err := l.DB.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM identity_people p"+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count accounts: %w", err)
	}
	return n, nil
}

// Search lists accounts by name, a page at a time.
func (l *Lifecycle) Search(ctx context.Context, f Filter, size, skip int) ([]account.Person, error) {
	where, args := f.where()
	return l.people(ctx, fmt.Sprintf("%s ORDER BY p.folded_name, p.id LIMIT $%d OFFSET $%d", where, len(args)+1, len(args)+2), append(args, size, skip))
}

// PeopleOf are the people with these identifiers, by name. Those who are not
// there are left out.
func (l *Lifecycle) PeopleOf(ctx context.Context, ids []campus.PersonID) ([]account.Person, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return l.people(ctx, " WHERE p.id IN "+db.In(len(ids), 1)+" ORDER BY p.folded_name, p.id", texts(ids))
}

// people reads accounts; which, a query says from its conditions on.
func (l *Lifecycle) people(ctx context.Context, which string, args []any) ([]account.Person, error) {
	rows, err := l.DB.Read().QueryContext(ctx, "SELECT p.id, p.login, p.mail, p.given_name, p.family_name, p.student_number, p.state FROM identity_people p"+which, args...)
	if err != nil {
		return nil, fmt.Errorf("search accounts: %w", err)
	}
	defer rows.Close()
	var list []account.Person
	for rows.Next() {
		var p account.Person
		if err := rows.Scan(&p.ID, &p.Login, &p.Mail, &p.GivenName, &p.FamilyName, &p.StudentNumber, &p.State); err != nil {
			return nil, fmt.Errorf("search accounts: %w", err)
		}
		list = append(list, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("search accounts: %w", err)
	}
	return list, l.affiliate(ctx, list)
}

// HeldBy are the decisions that make people's accounts what they are, as
// [Lifecycle.Holding] finds them for one. Whose account no decision holds is left
// out.
func (l *Lifecycle) HeldBy(ctx context.Context, list []account.Person) (map[campus.PersonID]string, error) {
	held := map[campus.PersonID]string{}
	if len(list) == 0 {
		return held, nil
	}
	ids, states := make([]campus.PersonID, len(list)), map[campus.PersonID]account.State{}
	for i, p := range list {
		ids[i], states[p.ID] = p.ID, p.State
	}
	rows, err := l.DB.Read().QueryContext(ctx, "SELECT person_id, id, state FROM identity_decisions WHERE lifted_at = 0 AND person_id IN "+db.In(len(ids), 1)+" ORDER BY decided_at, id", texts(ids)...)
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	defer rows.Close()
	for rows.Next() { // the newest comes last
		var who campus.PersonID
		var decision string
		var state account.State
		if err := rows.Scan(&who, &decision, &state); err != nil {
			return nil, fmt.Errorf("read decisions: %w", err)
		}
		if state == states[who] {
			held[who] = decision
		}
	}
	return held, rows.Err()
}

// affiliate fills in how people belong to the institution.
func (l *Lifecycle) affiliate(ctx context.Context, list []account.Person) error {
	ids, at := make([]any, len(list)), map[campus.PersonID]int{}
	for i, p := range list {
		ids[i], at[p.ID] = string(p.ID), i
	}
	rows, err := l.DB.Read().QueryContext(ctx, "SELECT person_id, kind, campus, programme, unit FROM identity_affiliations WHERE person_id IN "+db.In(len(ids), 1)+" ORDER BY person_id, kind, campus, programme, unit", ids...)
	if err != nil {
		return fmt.Errorf("read affiliations: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var who campus.PersonID
		var a campus.Affiliation
		if err := rows.Scan(&who, &a.Kind, &a.Campus, &a.Programme, &a.Unit); err != nil {
			return fmt.Errorf("read affiliations: %w", err)
		}
		p := &list[at[who]]
		p.Affiliations = append(p.Affiliations, a)
	}
	return rows.Err()
}

// Line is one line of the exported list: an account and the decision that holds
// it, if one does.
type Line struct {
	account.Person
	Reason, TextFrench, TextEnglish, Office string
	Since, Until, DeletedAt                 db.Time
}

// export calls each for every account that a filter lets through, by name.
func (l *Lifecycle) export(ctx context.Context, f Filter, each func(Line) error) error {
	where, args := f.where()
	rows, err := l.DB.Read().QueryContext(ctx, `SELECT p.id, p.login, p.mail, p.given_name, p.family_name, p.student_number, p.state,
    COALESCE(d.reason, ''), COALESCE(d.text_fr, ''), COALESCE(d.text_en, ''), COALESCE(d.office_fr, ''), COALESCE(d.from_at, 0), COALESCE(d.until_at, 0), COALESCE(d.deletion_at, 0)
FROM identity_people p
LEFT JOIN identity_decisions d ON d.id = (SELECT o.id FROM identity_decisions o WHERE o.person_id = p.id AND o.state = p.state AND o.lifted_at = 0 ORDER BY o.decided_at DESC, o.id DESC LIMIT 1)`+
		where+" ORDER BY p.folded_name, p.id", args...)
	if err != nil {
		return fmt.Errorf("export accounts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n Line
		if err := rows.Scan(&n.ID, &n.Login, &n.Mail, &n.GivenName, &n.FamilyName, &n.StudentNumber, &n.State,
			&n.Reason, &n.TextFrench, &n.TextEnglish, &n.Office, &n.Since, &n.Until, &n.DeletedAt); err != nil {
			return fmt.Errorf("export accounts: %w", err)
		}
		if err := each(n); err != nil {
			return err
		}
	}
	return rows.Err()
}
