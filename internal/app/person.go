package app

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// personCommand is for the first minutes of an installation and for repairs: it
// works on the database directly, also while the workspace runs.
type personCommand struct {
	Add      personAddCommand      `cmd:"" help:"Add a person."`
	Import   personImportCommand   `cmd:"" help:"Add people from a CSV file, who then activate their account themselves."`
	Invite   personInviteCommand   `cmd:"" help:"Send people a letter with which they activate their account."`
	Password personPasswordCommand `cmd:"" help:"Set somebody's password."`
	Until    personUntilCommand    `cmd:"" help:"Record until when somebody is registered, employed or invited."`
	Rescue   personRescueCommand   `cmd:"" help:"Set a password and remove every second factor of somebody who lost everything and for whom no colleague may vouch."`
	List     personListCommand     `cmd:"" help:"List people by name."`
	Grant    personGrantCommand    `cmd:"" help:"Give somebody a right: admin, helpdesk, news, secretariat, directory, privacy or desks."`
	Revoke   personRevokeCommand   `cmd:"" help:"Take a right away."`
	Suspend  personSuspendCommand  `cmd:"" help:"Block an account for a while and end its sessions."`
	Close    personCloseCommand    `cmd:"" help:"Close an account and end its sessions. Nothing is erased."`
	Reopen   personReopenCommand   `cmd:"" help:"Take back the decision that holds an account."`
}

// withIdentity runs fn with the identity room alone.
func (c configured) withIdentity(t *terminal, fn func(ctx context.Context, d *db.DB, m *identity.Module) error) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	house, err := Open(t, cfg, quiet())
	if err != nil {
		return err
	}
	defer house.Close()
	return fn(t, house.DB, house.identity)
}

type personAddCommand struct {
	configured
	Login         string   `arg:"" help:"Identifier: lower-case letters, digits, dots, hyphens."`
	Mail          string   `required:"" help:"Institutional mail address."`
	GivenName     string   `required:"" help:"Given name."`
	FamilyName    string   `required:"" help:"Family name."`
	Affiliation   []string `help:"kind[:campus[:programme or unit]], such as student:rives:info. May be repeated." placeholder:"KIND"`
	Right         []string `help:"admin, helpdesk, news, secretariat, directory, privacy or desks. May be repeated."`
	JobTitle      string   `help:"Job title, as colleagues read it."`
	StudentNumber string   `help:"Number on the student card."`
	PasswordStdin bool     `help:"Read the password from standard input."`
}

func (c personAddCommand) Run(t *terminal) error {
	return c.withIdentity(t, func(ctx context.Context, d *db.DB, m *identity.Module) error {
		p := identity.Person{Login: c.Login, Mail: c.Mail, GivenName: c.GivenName, FamilyName: c.FamilyName, JobTitle: c.JobTitle, StudentNumber: c.StudentNumber}
		for _, text := range c.Affiliation {
			p.Affiliations = append(p.Affiliations, parseAffiliation(text))
		}
		for _, r := range c.Right {
			p.Rights = append(p.Rights, campus.Right(r))
		}
		hash := ""
		if c.PasswordStdin {
			plain, err := readSecret(t)
			if err != nil {
				return err
			}
			if hash, err = m.HashPassword(ctx, plain); err != nil {
				return err
			}
		}
		err := d.InTx(ctx, func(tx db.Tx) error {
			who, err := m.AddPerson(ctx, tx, p)
			if err != nil || hash == "" {
				return err
			}
			return m.StorePassword(ctx, tx, who, hash)
		})
		if err != nil {
			return err
		}
		t.say("%s was added.", c.Login)
		if hash == "" {
			t.say("Set the password with: amphi person password %s", c.Login)
		}
		return nil
	})
}

// parseAffiliation reads kind[:campus[:programme or unit]]; the room checks it.
func parseAffiliation(text string) campus.Affiliation {
	parts := append(strings.SplitN(text, ":", 3), "", "")
	a := campus.Affiliation{Kind: campus.Kind(parts[0]), Campus: parts[1]}
	if a.Kind == campus.Student {
		a.Programme = parts[2]
	} else {
		a.Unit = parts[2]
	}
	return a
}

// readSecret reads one line from standard input, so that a password never
// stands in the list of processes or in the history of a shell.
func readSecret(t *terminal) (string, error) {
	fmt.Fprintln(t.err, "Type the password, then Enter. (It is shown: pipe it in when somebody looks over your shoulder.)")
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("read the password from standard input: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

type personPasswordCommand struct {
	configured
	Login string `arg:"" help:"Identifier of the person."`
}

func (c personPasswordCommand) Run(t *terminal) error {
	return c.setPassword(t, c.Login, "The password of %s is set.", (*identity.Module).StorePassword)
}

type personRescueCommand struct {
	configured
	Login string `arg:"" help:"Identifier of the person."`
}

func (c personRescueCommand) Run(t *terminal) error {
	return c.setPassword(t, c.Login, "%s signs in with the new password alone, and registers a second factor again.", (*identity.Module).Rescue)
}

// setPassword reads a password and gives its hash to store.
func (c configured) setPassword(t *terminal, login, done string, store func(*identity.Module, context.Context, db.Tx, campus.PersonID, string) error) error {
	return c.withIdentity(t, func(ctx context.Context, d *db.DB, m *identity.Module) error {
		p, err := m.PersonByLogin(ctx, login)
		if err != nil {
			return err
		}
		plain, err := readSecret(t)
		if err != nil {
			return err
		}
		hash, err := m.HashPassword(ctx, plain)
		if err != nil {
			return err
		}
		if err := d.InTx(ctx, func(tx db.Tx) error { return store(m, ctx, tx, p.ID, hash) }); err != nil {
			return err
		}
		t.say(done, p.Login)
		return nil
	})
}

type personListCommand struct{ configured }

func (c personListCommand) Run(t *terminal) error {
	return c.withIdentity(t, func(ctx context.Context, _ *db.DB, m *identity.Module) error {
		const page = 500
		name, after := "", ""
		for {
			people, err := m.ListPeople(ctx, name, after, page)
			if err != nil {
				return err
			}
			for _, p := range people {
				t.say("%-16s %-8s %s %s <%s>", p.Login, p.State, p.GivenName, p.FamilyName, p.Mail)
			}
			if len(people) < page {
				return nil
			}
			last := people[len(people)-1]
			name, after = campus.Fold(last.FamilyName+" "+last.GivenName), string(last.ID)
		}
	})
}

// change runs one change to the person with a login.
func (c configured) change(t *terminal, login, done string, do func(ctx context.Context, tx db.Tx, m *identity.Module, p identity.Person) error) error {
	return c.withIdentity(t, func(ctx context.Context, d *db.DB, m *identity.Module) error {
		p, err := m.PersonByLogin(ctx, login)
		if err != nil {
			return err
		}
		if err := d.InTx(ctx, func(tx db.Tx) error { return do(ctx, tx, m, p) }); err != nil {
			return err
		}
		t.say(done, p.Login)
		return nil
	})
}

// mandateOf is the right that a command names, and over whom it is held.
type mandateOf struct {
	Right     string `arg:"" help:"admin, helpdesk, news, secretariat, directory, privacy or desks"`
	Campus    string `help:"Only over people of this campus." placeholder:"CODE"`
	Programme string `help:"Only over people of this programme." placeholder:"CODE"`
	Unit      string `help:"Only over people of this unit." placeholder:"CODE"`
}

func (m mandateOf) mandate() campus.Mandate {
	return campus.Mandate{Right: campus.Right(m.Right), Campus: m.Campus, Programme: m.Programme, Unit: m.Unit}
}

type personGrantCommand struct {
	configured
	Login string `arg:"" help:"Identifier of the person."`
	mandateOf
}

func (c personGrantCommand) Run(t *terminal) error {
	return c.change(t, c.Login, "%s has the right.", func(ctx context.Context, tx db.Tx, m *identity.Module, p identity.Person) error {
		return m.Mandates().Give(ctx, tx, p.ID, c.mandate(), journal.Event{})
	})
}

type personRevokeCommand struct {
	configured
	Login string `arg:"" help:"Identifier of the person."`
	mandateOf
}

func (c personRevokeCommand) Run(t *terminal) error {
	return c.change(t, c.Login, "%s no longer has the right.", func(ctx context.Context, tx db.Tx, m *identity.Module, p identity.Person) error {
		return m.Mandates().Take(ctx, tx, p.ID, c.mandate(), journal.Event{})
	})
}
