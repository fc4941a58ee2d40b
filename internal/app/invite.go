package app

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Opening accounts to many people at once, before there is an agent who could do
// it on a page.

type personInviteCommand struct {
	configured
	Logins []string `arg:"" name:"login" help:"Identifiers or institutional addresses of people who have not activated their account yet."`
}

func (c personInviteCommand) Run(t *terminal) error {
	return c.withIdentity(t, func(ctx context.Context, _ *db.DB, m *identity.Module) error {
		console := campus.Viewer{Rights: []campus.Right{campus.RightAdmin}}
		refused := 0
		for _, login := range c.Logins {
			i, err := m.Activation().Invite(ctx, console, login, journal.Event{Agent: "amphi person invite"})
			if err != nil {
				refused++
				fmt.Fprintf(t.err, "%s: %s\n", login, explain(err))
				continue
			}
			t.say("The invitation of %s leaves to %s as soon as the workspace runs.", i.Login, i.SentTo)
		}
		if refused > 0 {
			return fmt.Errorf("%d of %d people were not invited", refused, len(c.Logins))
		}
		return nil
	})
}

type personImportCommand struct {
	configured
	File     string `arg:"" help:"A CSV file in UTF-8 whose first line names its columns." type:"existingfile"`
	Check    bool   `help:"Only say what is wrong and what would be done."`
	Complete bool   `help:"The file lists everybody: whoever was in an earlier one and is not in this one is registered until today. Needs the column until."`
}

// importColumns are the columns that the file may have; the first four must be
// there.
var importColumns = []string{"login", "mail", "family_name", "affiliation", "given_name", "student_number", "mobile", "recovery_mail", "job_title", "locale", "until"}

const importNeeds = 4

// importLine is one person of the file.
type importLine struct {
	number           int // in the file
	person           identity.Person
	mobile, recovery string
	dated            bool      // the file says until when people are registered
	until            time.Time // zero for no end
}

func (c personImportCommand) Run(t *terminal) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	zone, err := c.zone(t)
	if err != nil {
		return err
	}
	return c.withIdentity(t, func(ctx context.Context, d *db.DB, m *identity.Module) error {
		lines, wrong := readPeople(file, m.Reach(), zone)
		for _, problem := range wrong {
			fmt.Fprintln(t.err, problem)
		}
		if len(wrong) > 0 {
			return fmt.Errorf("%s has %d mistakes; nobody was added", c.File, len(wrong))
		}
		end := time.Time{}
		if c.Complete {
			if len(lines) == 0 || !lines[0].dated {
				return fmt.Errorf("%s is not complete: it needs the column until, and people", c.File)
			}
			if end, err = lifecycle.ParseDay(time.Now().In(zone).Format(time.DateOnly), zone); err != nil {
				return err
			}
		}
		return importPeople(ctx, t, d, m, lines, end, c.Check)
	})
}

// readPeople reads the whole file and says all that is wrong with its form, a
// line of the file each, before anybody is added.
func readPeople(file io.Reader, contacts *reach.Reach, zone *time.Location) (lines []importLine, wrong []string) {
	rows := csv.NewReader(file)
	rows.TrimLeadingSpace = true
	head, err := rows.Read()
	if err != nil {
		return nil, []string{"line 1: " + err.Error()}
	}
	for i, name := range head {
		head[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))) // spreadsheets mark the file so
		if !slices.Contains(importColumns, head[i]) {
			wrong = append(wrong, fmt.Sprintf("line 1: %q is none of the columns %s", name, strings.Join(importColumns, ", ")))
		}
	}
	for _, name := range importColumns[:importNeeds] {
		if !slices.Contains(head, name) {
			wrong = append(wrong, fmt.Sprintf("line 1: the column %q is missing", name))
		}
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return lines, wrong
		}
		if err != nil {
			return lines, append(wrong, err.Error()) // it names the line
		}
		number, _ := rows.FieldPos(0)
		line, problems := readPerson(head, row, contacts, zone)
		for _, p := range problems {
			wrong = append(wrong, fmt.Sprintf("line %d: %s", number, p))
		}
		line.number = number
		lines = append(lines, line)
	}
}

func readPerson(head, row []string, contacts *reach.Reach, zone *time.Location) (line importLine, wrong []string) {
	field := func(name string) string {
		if i := slices.Index(head, name); i >= 0 {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	line.person = identity.Person{
		Login: strings.ToLower(field("login")), Mail: strings.ToLower(field("mail")), GivenName: field("given_name"), FamilyName: field("family_name"),
		StudentNumber: field("student_number"), JobTitle: field("job_title"), State: identity.Invited,
	}
	for text := range strings.SplitSeq(field("affiliation"), " ") { // several, parted by blanks
		if text != "" {
			line.person.Affiliations = append(line.person.Affiliations, parseAffiliation(text))
		}
	}
	if l := field("locale"); l != "" {
		locale, known := campus.ParseLocale(l)
		if !known {
			wrong = append(wrong, fmt.Sprintf("the locale %q is neither fr nor en", l))
		}
		line.person.Locale = locale
	}
	line.dated = slices.Contains(head, "until")
	if day := field("until"); day != "" {
		until, err := lifecycle.ParseDay(day, zone)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("until %q is no day such as 2027-08-31", day))
		}
		line.until = until
	}
	contact := func(c reach.Channel, name string) string {
		if field(name) == "" {
			return ""
		}
		value, err := contacts.Normal(c, field(name))
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s %q: %s", name, field(name), explain(err)))
		}
		return value
	}
	line.mobile, line.recovery = contact(reach.MobilePhone, "mobile"), contact(reach.RecoveryMail, "recovery_mail")
	return line, wrong
}

// errOnlyChecked undoes what a check has tried.
var errOnlyChecked = errors.New("only checked")

// importPeople adds each person who is not there yet, waiting to be activated,
// and takes over what the file says of how to reach them and, where it has the
// column, of the last day on which they are registered: an empty one is no end,
// and the rules of those who leave go by it. It can be run again with the same
// file, or with a newer one. The registrations that a complete file no longer
// speaks of are over at end; the zero time leaves them. A check does the same and
// undoes it.
func importPeople(ctx context.Context, t *terminal, d *db.DB, m *identity.Module, lines []importLine, end time.Time, check bool) error {
	added, known, refused := 0, 0, 0
	listed := map[campus.PersonID][]campus.Affiliation{}
	for _, line := range lines {
		who, isNew, err := importPerson(ctx, d, m, line, check)
		listed[who] = append(listed[who], line.person.Affiliations...)
		switch {
		case err != nil:
			refused++
			fmt.Fprintf(t.err, "line %d: %s\n", line.number, explain(err))
		case isNew:
			added++
		default:
			known++
		}
	}
	if check {
		t.say("Nothing was changed. %d people would be added; %d are known already.", added, known)
	} else {
		t.say("%d people were added and can activate their account; %d were known already.", added, known)
	}
	if refused > 0 { // one of them would be taken for somebody who is missing
		return fmt.Errorf("%d people were refused", refused)
	}
	if end.IsZero() {
		return nil
	}
	gone, err := m.Lifecycle().Missing(ctx, importSource, func(who campus.PersonID, kind campus.Kind) bool {
		return slices.ContainsFunc(listed[who], func(a campus.Affiliation) bool { return a.Kind == kind })
	})
	if err != nil {
		return err
	}
	for _, g := range gone {
		if !check {
			if err := d.InTx(ctx, func(tx db.Tx) error { return lifecycle.Register(ctx, tx, g.Person, g.Kind, end, importSource) }); err != nil {
				return err
			}
		}
		t.say("%s is not in the file: registered as %s until today.", g.Login, g.Kind)
	}
	return nil
}

// importSource is who says until when people are registered that a file lists.
const importSource = "import"

// importPerson adds one person, or takes over how to reach one who is known.
func importPerson(ctx context.Context, d *db.DB, m *identity.Module, line importLine, check bool) (who campus.PersonID, isNew bool, err error) {
	p, err := m.PersonByLogin(ctx, line.person.Login)
	if isNew = errors.Is(err, identity.PersonMissing); err != nil && !isNew {
		return "", false, err
	}
	if !isNew && p.Mail != line.person.Mail {
		return "", false, fmt.Errorf("%s is in the register with another address, %s", p.Login, p.Mail)
	}
	err = d.InTx(ctx, func(tx db.Tx) (err error) {
		who = p.ID
		if isNew {
			if who, err = m.AddPerson(ctx, tx, line.person); err != nil {
				return err
			}
		}
		for channel, value := range map[reach.Channel]string{reach.MobilePhone: line.mobile, reach.RecoveryMail: line.recovery} {
			if value == "" {
				continue
			}
			if err := m.Reach().Record(ctx, tx, who, channel, value); err != nil {
				return fmt.Errorf("take over %s: %w", channel, err)
			}
		}
		if line.dated {
			for _, a := range line.person.Affiliations {
				if err := lifecycle.Register(ctx, tx, who, a.Kind, line.until, importSource); err != nil {
					return err
				}
			}
		}
		if check {
			return errOnlyChecked
		}
		return nil
	})
	if errors.Is(err, errOnlyChecked) {
		err = nil
	}
	return who, isNew, err
}
