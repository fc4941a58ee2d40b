// Package ldapwrite keeps entries and groups in an LDAP directory that other
// programs read (RFC 4511). Entries carry our key in an attribute of the
// administrator's choice, so that they are found again after a rename.
package ldapwrite

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"golang.org/x/time/rate"

	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
)

// Config is what is particular to a directory.
type Config struct {
	BindDN       string            `toml:"bind_dn" help:"ldap: who writes"`
	BindPassword string            `toml:"bind_password" secret:"true" help:"ldap: their password"`
	StartTLS     bool              `toml:"start_tls" help:"ldap: encrypt an ldap:// connection"`
	Base         string            `toml:"base" help:"ldap: below which entries are made"`
	RDN          string            `toml:"rdn" help:"ldap: attribute that names an entry; uid when empty"`
	Classes      []string          `toml:"classes" help:"ldap: object classes of an entry; inetOrgPerson when empty"`
	KeyAttribute string            `toml:"key_attribute" help:"ldap: attribute that keeps our key; employeeNumber when empty"`
	Attributes   map[string]string `toml:"attributes" help:"ldap: what stands in which attribute, such as mail = \"mail\"; the values are login, name, given_name, family_name, mail, student_number, job_title, language, affiliation"`
	SuspendBy    string            `toml:"suspend_by" help:"ldap: attribute that keeps somebody out; pwdAccountLockedTime when empty, userAccountControl in Active Directory"`
	SuspendValue string            `toml:"suspend_value" help:"ldap: its value then; 000001010000Z when empty"`
	OpenValue    string            `toml:"open_value" help:"ldap: its value otherwise; empty removes it"`
	GroupsBase   string            `toml:"groups_base" help:"ldap: below which groups (groupOfNames) are made; empty keeps none"`
	Adopt        bool              `toml:"adopt" help:"ldap: take over an entry with the same name that has no key yet"`
	Protected    []string          `toml:"protected" help:"ldap: groups whose members are never taken over, by their DN"`
}

// withDefaults fills in what the file does not say.
func (c Config) withDefaults() Config {
	or := func(text *string, usual string) {
		if *text == "" {
			*text = usual
		}
	}
	or(&c.RDN, "uid")
	or(&c.KeyAttribute, "employeeNumber")
	or(&c.SuspendBy, "pwdAccountLockedTime")
	or(&c.SuspendValue, "000001010000Z")
	if len(c.Classes) == 0 {
		c.Classes = []string{"inetOrgPerson"}
	}
	if len(c.Attributes) == 0 {
		c.Attributes = map[string]string{"cn": "name", "sn": "family_name", "givenName": "given_name", "mail": "mail"}
	}
	return c
}

// Values are what attributes can hold.
var Values = []string{"login", "name", "given_name", "family_name", "mail", "student_number", "job_title", "language", "affiliation"}

// valuesOf are the values of one attribute; none is no attribute.
func valuesOf(a target.Account, what string) []string {
	one := map[string]string{
		"login": a.Login, "name": a.DisplayName(), "given_name": a.GivenName, "family_name": a.FamilyName, "mail": a.Mail,
		"student_number": a.StudentNumber, "job_title": a.JobTitle, "language": a.Language,
	}[what]
	switch {
	case what == "affiliation":
		return a.Affiliations
	case one == "" && (what == "family_name" || what == "name"): // every person has them (RFC 4519 §3.12)
		return []string{a.Login}
	case one == "":
		return nil
	}
	return []string{one}
}

// Directory is one directory.
type Directory struct {
	config Config
	line   target.Line
	pace   *rate.Limiter
}

var (
	_ target.Target = (*Directory)(nil)
	_ target.Lister = (*Directory)(nil)
)

// New is the connector of a directory, at an address such as ldaps://host.
func New(line target.Line, c Config) (*Directory, error) {
	if _, err := line.TLS(); err != nil {
		return nil, err
	}
	return &Directory{config: c.withDefaults(), line: line, pace: line.Pace()}, nil
}

// with talks to the directory on a connection of its own, which a service that
// was away a moment ago needs.
func (d *Directory) with(ctx context.Context, writes bool, do func(*ldap.Conn) error) error {
	if err := d.pace.Wait(ctx); err != nil {
		return &target.Failure{Kind: target.Busy, Cause: err}
	}
	trust, err := d.line.TLS()
	if err != nil {
		return err
	}
	c, err := ldap.DialURL(d.line.Base, ldap.DialWithTLSConfig(trust), ldap.DialWithDialer(&net.Dialer{Timeout: d.line.Timeout}))
	if err != nil {
		return d.failure(err, false)
	}
	defer c.Close()
	c.SetTimeout(d.line.Timeout)
	if d.config.StartTLS {
		name, _, _ := strings.Cut(strings.TrimPrefix(d.line.Base, "ldap://"), ":")
		trust.ServerName = name
		if err := c.StartTLS(trust); err != nil {
			return d.failure(err, false)
		}
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := c.Bind(d.config.BindDN, d.config.BindPassword); err != nil {
		return d.failure(err, false)
	}
	return d.failure(do(c), writes)
}

// failure is what an answer of the directory means.
func (d *Directory) failure(err error, writing bool) error {
	code := func(codes ...uint16) bool { return ldap.IsErrorAnyOf(err, codes...) }
	if err == nil {
		return nil
	}
	if f := (*target.Failure)(nil); asFailure(err, &f) {
		return f
	}
	said := target.Short(strings.ReplaceAll(err.Error(), d.config.BindPassword, "•••"))
	switch {
	case code(ldap.LDAPResultNoSuchObject):
		return target.Fail(target.Gone, "%s", said)
	case code(ldap.LDAPResultEntryAlreadyExists):
		return target.Fail(target.Taken, "%s", said)
	case code(ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired, ldap.LDAPResultUnwillingToPerform):
		return target.Fail(target.Denied, "%s", said)
	case code(ldap.LDAPResultBusy):
		return target.Fail(target.Busy, "%s", said)
	case code(ldap.ErrorNetwork, ldap.LDAPResultServerDown, ldap.LDAPResultUnavailable, ldap.LDAPResultTimeout, ldap.LDAPResultConnectError, ldap.LDAPResultOther, ldap.LDAPResultOperationsError, ldap.LDAPResultTimeLimitExceeded):
		f := target.Fail(target.Down, "%s", said)
		f.Maybe = writing
		return f
	}
	return target.Fail(target.Refused, "%s", said)
}

// search finds entries below the base.
func (d *Directory) search(c *ldap.Conn, filter string) ([]*ldap.Entry, error) {
	attributes := []string{d.config.RDN, d.config.KeyAttribute, d.config.SuspendBy, "mail", "employeeNumber", "adminCount", "memberOf", "objectClass"}
	for name := range d.config.Attributes {
		attributes = append(attributes, name)
	}
	found, err := c.Search(ldap.NewSearchRequest(d.config.Base, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 3, int(d.line.Timeout/time.Second)+1, false, filter, attributes, nil))
	if err != nil {
		return nil, err
	}
	return found.Entries, nil
}

func (d *Directory) remote(e *ldap.Entry) target.Remote {
	locked := e.GetEqualFoldAttributeValue(d.config.SuspendBy)
	return target.Remote{
		ID: e.DN, Key: e.GetEqualFoldAttributeValue(d.config.KeyAttribute), Login: e.GetEqualFoldAttributeValue(d.config.RDN), Mail: e.GetEqualFoldAttributeValue("mail"),
		Suspended: d.config.suspended(locked),
	}
}

// Find implements [target.Target].
func (d *Directory) Find(ctx context.Context, a target.Account) (found target.Remote, ok bool, err error) {
	err = d.with(ctx, false, func(c *ldap.Conn) error {
		ours, err := d.search(c, "("+d.config.KeyAttribute+"="+ldap.EscapeFilter(a.Key)+")")
		switch {
		case err != nil:
			return err
		case len(ours) == 1:
			found, ok = d.remote(ours[0]), true
			return nil
		case len(ours) > 1:
			f := target.Fail(target.Double, "%d entries have the key %s", len(ours), a.Key)
			f.Other = ours[1].DN
			return f
		}
		others, err := d.search(c, "("+d.config.RDN+"="+ldap.EscapeFilter(a.Login)+")")
		if err != nil || len(others) == 0 {
			return err
		}
		if d.config.Adopt && d.remote(others[0]).Key == "" {
			found, err = d.unkeyed(c, others[0])
			ok = err == nil
			return err
		}
		f := target.Fail(target.Taken, "the entry %s has another key", others[0].DN)
		f.Other = others[0].DN
		return f
	})
	return found, ok, err
}

// unkeyed is an entry that has no key yet. An Active Directory marks those that it
// protects with adminCount; elsewhere groups tell, which the configuration names.
func (d *Directory) unkeyed(c *ldap.Conn, e *ldap.Entry) (target.Remote, error) {
	r := d.remote(e)
	if !strings.EqualFold(d.config.KeyAttribute, "employeeNumber") {
		r.Number = e.GetEqualFoldAttributeValue("employeeNumber")
	}
	if count := e.GetEqualFoldAttributeValue("adminCount"); count != "" && count != "0" {
		r.Privileged = "adminCount " + count
		return r, nil
	}
	for _, group := range d.config.Protected {
		if slices.ContainsFunc(e.GetEqualFoldAttributeValues("memberOf"), func(dn string) bool { return strings.EqualFold(dn, group) }) {
			r.Privileged = "member of " + group
			return r, nil
		}
		in := "(|(member=" + ldap.EscapeFilter(e.DN) + ")(uniqueMember=" + ldap.EscapeFilter(e.DN) + ")(memberUid=" + ldap.EscapeFilter(r.Login) + "))"
		found, err := c.Search(ldap.NewSearchRequest(group, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, in, []string{"1.1"}, nil))
		if err != nil { // a group that cannot be read protects nobody: it is a mistake that must be seen
			return r, target.Fail(target.Denied, "the protected group %s cannot be read: %s", group, err)
		}
		if len(found.Entries) > 0 {
			r.Privileged = "member of " + group
			return r, nil
		}
	}
	return r, nil
}

// At implements [target.Target].
func (d *Directory) At(ctx context.Context, dn string, _ target.Account) (found target.Remote, ok bool, err error) {
	err = d.with(ctx, false, func(c *ldap.Conn) error {
		at, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{d.config.RDN, d.config.KeyAttribute, d.config.SuspendBy, "mail"}, nil))
		if err != nil || len(at.Entries) == 0 {
			return err
		}
		found, ok = d.remote(at.Entries[0]), true
		return nil
	})
	if target.Is(err, target.Gone) {
		return target.Remote{}, false, nil
	}
	return found, ok, err
}

// dn is where somebody's entry stands.
func (d *Directory) dn(a target.Account) string { return d.rdn(a) + "," + d.config.Base }

func (d *Directory) rdn(a target.Account) string {
	return d.config.RDN + "=" + ldap.EscapeDN(a.Login)
}

// Create implements [target.Target].
func (d *Directory) Create(ctx context.Context, a target.Account) (string, error) {
	dn := d.dn(a)
	err := d.with(ctx, true, func(c *ldap.Conn) error {
		r := ldap.NewAddRequest(dn, nil)
		r.Attribute("objectClass", d.config.Classes)
		r.Attribute(d.config.RDN, []string{a.Login})
		r.Attribute(d.config.KeyAttribute, []string{a.Key})
		for name, what := range d.config.Attributes {
			if values := valuesOf(a, what); len(values) > 0 && !strings.EqualFold(name, d.config.RDN) {
				r.Attribute(name, values)
			}
		}
		if open := d.config.open(""); len(open) > 0 {
			r.Attribute(d.config.SuspendBy, open)
		}
		if d.config.active() {
			r.Attribute("unicodePwd", []string{unknownPassword()})
		}
		return c.Add(r)
	})
	if err != nil {
		return "", err
	}
	return dn, d.join(ctx, dn, a)
}

// Change implements [target.Target]: what differs is written, and an entry whose
// owner has another login is renamed. The ledger then knows the old name, which
// [target.Gone] mends at the next change.
func (d *Directory) Change(ctx context.Context, dn string, a target.Account) error {
	now := dn
	err := d.with(ctx, true, func(c *ldap.Conn) error {
		found, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{"*", d.config.SuspendBy}, nil))
		if err != nil {
			return err
		}
		if len(found.Entries) == 0 {
			return target.Fail(target.Gone, "%s is not there", dn)
		}
		e := found.Entries[0]
		if !strings.EqualFold(e.GetEqualFoldAttributeValue(d.config.RDN), a.Login) {
			if err := c.ModifyDN(ldap.NewModifyDNRequest(dn, d.rdn(a), true, "")); err != nil {
				return err
			}
			now = d.dn(a)
		}
		r := ldap.NewModifyRequest(now, nil)
		replace := func(name string, values []string) {
			has := e.GetEqualFoldAttributeValues(name)
			slices.Sort(has)
			if wanted := slices.Sorted(slices.Values(values)); !slices.Equal(has, wanted) {
				r.Replace(name, values)
			}
		}
		for name, what := range d.config.Attributes {
			if !strings.EqualFold(name, d.config.RDN) {
				replace(name, valuesOf(a, what))
			}
		}
		replace(d.config.KeyAttribute, []string{a.Key})
		replace(d.config.SuspendBy, d.config.open(e.GetEqualFoldAttributeValue(d.config.SuspendBy)))
		if len(r.Changes) == 0 {
			return nil
		}
		return c.Modify(r)
	})
	if err != nil {
		return err
	}
	if now != dn { // groups do not follow a rename by themselves
		if err := d.join(ctx, dn, target.Account{}); err != nil {
			return err
		}
	}
	return d.join(ctx, now, a)
}

// Suspend implements [target.Target].
func (d *Directory) Suspend(ctx context.Context, dn string, _ target.Account) error {
	return d.with(ctx, true, func(c *ldap.Conn) error {
		now := ""
		if d.config.active() {
			found, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{d.config.SuspendBy}, nil))
			if err != nil {
				return err
			}
			if len(found.Entries) > 0 {
				now = found.Entries[0].GetEqualFoldAttributeValue(d.config.SuspendBy)
			}
		}
		r := ldap.NewModifyRequest(dn, nil)
		r.Replace(d.config.SuspendBy, []string{d.config.shut(now)})
		return c.Modify(r)
	})
}

// Delete implements [target.Target].
func (d *Directory) Delete(ctx context.Context, dn string, a target.Account) error {
	a.Groups = nil
	if err := d.join(ctx, dn, a); err != nil {
		return err
	}
	err := d.with(ctx, true, func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest(dn, nil)) })
	if target.Is(err, target.Gone) {
		return nil
	}
	return err
}

// Probe implements [target.Target].
func (d *Directory) Probe(ctx context.Context) (string, error) {
	err := d.with(ctx, false, func(c *ldap.Conn) error {
		_, err := c.Search(ldap.NewSearchRequest(d.config.Base, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)", []string{"1.1"}, nil))
		return err
	})
	if target.Is(err, target.Gone) {
		return "", target.Fail(target.Denied, "there is no %s, or it may not be seen", d.config.Base)
	}
	return fmt.Sprintf("LDAP, entries below %s", d.config.Base), err
}

// listed is how many entries one page of a list asks for (RFC 2696).
const listed = 500

// List implements [target.Lister].
func (d *Directory) List(ctx context.Context, each func(target.Remote) error) error {
	return d.with(ctx, false, func(c *ldap.Conn) error {
		r := ldap.NewSearchRequest(d.config.Base, ldap.ScopeSingleLevel, ldap.NeverDerefAliases, 0, 0, false, "("+d.config.RDN+"=*)", []string{d.config.RDN, d.config.KeyAttribute, d.config.SuspendBy, "mail"}, nil)
		found, err := c.SearchWithPaging(r, listed)
		if err != nil {
			return err
		}
		for _, e := range found.Entries {
			if err := each(d.remote(e)); err != nil {
				return err
			}
		}
		return nil
	})
}
