package identity

import (
	"context"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/activation"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/password"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Person is one human being as the institution knows them.
type Person = account.Person

// The states of an account that others set.
const (
	Invited = account.Invited
	Active  = account.Active
	Closed  = account.Closed
)

// loginForm is what every system that people connect accepts as a user name.
var loginForm = regexp.MustCompile(`^[a-z][a-z0-9._-]{1,31}$`)

// normalLogin is the stored form of an identifier that somebody typed.
func normalLogin(typed string) string { return strings.ToLower(strings.TrimSpace(typed)) }

// checkPerson returns the first thing wrong with a person to be added.
func checkPerson(p Person) error {
	if !loginForm.MatchString(p.Login) {
		return LoginForm.With(fault.Args{"login": p.Login})
	}
	if a, err := mail.ParseAddress(p.Mail); err != nil || a.Address != p.Mail || len(p.Mail) > 254 {
		return MailForm.With(fault.Args{"mail": p.Mail})
	}
	if strings.TrimSpace(p.FamilyName) == "" || len(p.FamilyName) > 200 || len(p.GivenName) > 200 {
		return NameForm
	}
	for _, a := range p.Affiliations {
		if !slices.Contains(campus.Kinds, a.Kind) || strings.ContainsAny(a.Campus+a.Programme+a.Unit, "|;") {
			return AffiliationForm.With(fault.Args{"kind": string(a.Kind)})
		}
	}
	for _, r := range p.Rights {
		if !slices.Contains(campus.Rights, r) {
			return RightForm.With(fault.Args{"right": string(r)})
		}
	}
	return nil
}

// AddPerson stores a person, without a password, and returns the identifier that
// stays theirs for ever. It fails when the login or the mail is taken.
func (m *Module) AddPerson(ctx context.Context, tx db.Tx, p Person) (campus.PersonID, error) {
	p.Login, p.Mail = normalLogin(p.Login), strings.ToLower(p.Mail)
	p.GivenName, p.FamilyName, p.JobTitle = campus.OneLine(p.GivenName), campus.OneLine(p.FamilyName), campus.OneLine(p.JobTitle)
	if err := checkPerson(p); err != nil {
		return "", err
	}
	if p.State == "" {
		p.State = Active
	}
	if p.Appearance == "" {
		p.Appearance = campus.AppearanceSystem
	}
	if p.ID == "" {
		p.ID = campus.PersonID(id.New())
	}
	err := sqlgen.New(tx).AddPerson(ctx, sqlgen.AddPersonParams{
		ID: string(p.ID), Login: p.Login, Mail: p.Mail, GivenName: p.GivenName, FamilyName: p.FamilyName,
		StudentNumber: p.StudentNumber, JobTitle: p.JobTitle, FoldedName: campus.Fold(p.FamilyName + " " + p.GivenName),
		State: string(p.State), Locale: string(p.Locale), Appearance: p.Appearance, CreatedAt: tx.Now(),
	})
	if db.IsUnique(err) {
		return "", PersonExists.Because(err, fault.Args{"login": p.Login, "mail": p.Mail})
	}
	if err != nil {
		return "", fmt.Errorf("add person: %w", err)
	}
	if err := m.setAffiliations(ctx, tx, p.ID, p.Affiliations); err != nil {
		return "", err
	}
	for _, r := range p.Rights {
		if err := m.mandates.Give(ctx, tx, p.ID, campus.Mandate{Right: r}, journal.Event{}); err != nil {
			return "", err
		}
	}
	for _, held := range p.Mandates {
		if err := m.mandates.Give(ctx, tx, p.ID, held, journal.Event{}); err != nil {
			return "", err
		}
	}
	return p.ID, m.personChanged(ctx, tx, p.ID)
}

// HashPassword waits in line and returns the hash of a password, for
// [Module.StorePassword]: hashing must not happen inside a transaction.
func (m *Module) HashPassword(ctx context.Context, plain string) (string, error) {
	if plain == "" || len(plain) > password.MaxLength {
		return "", PasswordForm.With(fault.Args{"limit": password.MaxLength})
	}
	var hash string
	ticket, err := m.queue.Join(func() { hash = password.Hash(rules.Normal(plain), m.params) })
	if err != nil {
		return "", QueueFull.From(err)
	}
	if err := ticket.Wait(ctx); err != nil {
		return "", fmt.Errorf("wait for the hash: %w", err)
	}
	return hash, nil
}

// StorePassword makes hash the password of somebody and ends their sessions:
// whoever got in by the old password is out, and who is about to is not let in.
func (m *Module) StorePassword(ctx context.Context, tx db.Tx, who campus.PersonID, hash string) error {
	if err := sqlgen.New(tx).SetPassword(ctx, sqlgen.SetPasswordParams{PersonID: string(who), Hash: hash, ChangedAt: tx.Now()}); err != nil {
		return fmt.Errorf("store password: %w", err)
	}
	_, err := m.shutOut(ctx, tx, who, "", endedByPassword)
	return err
}

// Activate makes an invited account active. It fails with
// identity.not_invited when the account is in any other state at that moment, so
// that of two devices only one wins.
func (m *Module) Activate(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	n, err := sqlgen.New(tx).Activate(ctx, sqlgen.ActivateParams{ID: string(who), ChangedAt: tx.Now()})
	if err != nil {
		return fmt.Errorf("activate: %w", err)
	}
	if n == 0 {
		return activation.NotInvited
	}
	return m.personChanged(ctx, tx, who)
}

// SetPreferences keeps the language and appearance that somebody chose.
func (m *Module) SetPreferences(ctx context.Context, who campus.PersonID, l campus.Locale, appearance string) error {
	return m.db.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).SetPreferences(ctx, sqlgen.SetPreferencesParams{ID: string(who), Locale: string(l), Appearance: appearance, ChangedAt: tx.Now()})
		return err
	})
}

// Rescue brings somebody back who lost everything and whom no colleague may vouch
// for, such as the only administrator: a new password, no second factor, no
// browser that is trusted, no session. It is for whoever holds the server.
func (m *Module) Rescue(ctx context.Context, tx db.Tx, who campus.PersonID, hash string) error {
	if err := m.factors.Forget(ctx, tx, who); err != nil {
		return err
	}
	e := journal.Event{Person: who, Kind: "identity.recovery_done"}
	if _, err := m.devices.ForgetAll(ctx, tx, e); err != nil {
		return err
	}
	if err := m.StorePassword(ctx, tx, who, hash); err != nil {
		return err
	}
	if err := m.journal.Write(ctx, tx, e); err != nil {
		return fmt.Errorf("rescue: %w", err)
	}
	return nil
}
