package upstream

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// The states of a link, as stored.
const (
	prepared = "prepared"
	linked   = "linked"
)

// addressAttributes are where upstreams say the address by which people know
// themselves there, the most telling first.
var addressAttributes = []string{"userPrincipalName", "eduPersonPrincipalName", "upn", "mail", "email", "preferred_username"}

// Names under which attributes come when the configuration names none.
var (
	loginAttributes      = []string{"uid", "sAMAccountName", "preferred_username", "eduPersonPrincipalName"}
	mailAttributes       = []string{"mail", "email", UnscopedMail} // the last finds nobody, see samlsp: a new account may have it
	givenAttributes      = []string{"givenName", "given_name"}
	familyAttributes     = []string{"sn", "family_name", "usual_name"}
	studentAttributes    = []string{"supannEtuId", "student_number"}
	displayedLengthBytes = 200
)

// first is the first value of the first attribute that has one; named, when it
// is not empty, is the only one looked at.
func (a Answer) first(named string, usual ...string) string {
	if named != "" {
		usual = []string{named}
	}
	for _, name := range usual {
		for _, v := range a.Attributes[name] {
			if v = strings.TrimSpace(v); v != "" {
				return v
			}
		}
	}
	return ""
}

// name is how somebody is called at the upstream, for sentences.
func (a Answer) name() string {
	for _, name := range addressAttributes {
		if v := a.first(name); strings.Contains(v, "@") {
			return v[:min(len(v), displayedLengthBytes)]
		}
	}
	name := a.first("", loginAttributes...)
	if name == "" {
		name = a.Subject
	}
	return name[:min(len(name), displayedLengthBytes)]
}

// foreign is the address of an account that is not of the upstream's domains:
// somebody's own, or one of another organisation. None when one of theirs fits.
func (u *upstream) foreign(a Answer) (address string) {
	if len(u.Domains) == 0 {
		return ""
	}
	for _, name := range addressAttributes {
		for _, v := range a.Attributes[name] {
			switch d := domainOf(v); {
			case d == "":
			case u.Serves(d):
				return ""
			case address == "":
				address = v
			}
		}
	}
	return address
}

// identify says whose account here it is: the linked one, the one that the rules
// match, or a new one. The error is a *[Failure].
func (x *Upstreams) identify(ctx context.Context, u *upstream, a Answer) (account.Person, error) {
	if address := u.foreign(a); address != "" {
		return account.Person{}, &Failure{
			Reason: WrongAccount, Args: fault.Args{"address": fault.Private(address), "domain": u.Domains[0]},
			Expected: "…@" + strings.Join(u.Domains, ", …@"), Received: "…@" + domainOf(address),
		}
	}
	if a.Issuer == "" || a.Subject == "" {
		return account.Person{}, &Failure{Reason: AttributeMissing, Args: fault.Args{"attribute": "subject"}, Expected: "a subject", Received: "none"}
	}
	row, err := sqlgen.New(x.DB.Read()).Link(ctx, sqlgen.LinkParams{Upstream: u.ID, Issuer: a.Issuer, Subject: a.Subject})
	switch {
	case err == nil && row.State == linked:
		err = x.DB.InTx(ctx, func(tx db.Tx) error {
			return sqlgen.New(tx).UseLink(ctx, sqlgen.UseLinkParams{ID: row.ID, UsedAt: tx.Now(), Name: a.name()})
		})
		if err != nil {
			return account.Person{}, fmt.Errorf("use a link: %w", err)
		}
		return x.People.PersonByID(ctx, campus.PersonID(row.PersonID))
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return account.Person{}, fmt.Errorf("read a link: %w", err)
	}
	return x.meet(ctx, u, a)
}

// meet is identify for somebody who comes for the first time.
func (x *Upstreams) meet(ctx context.Context, u *upstream, a Answer) (account.Person, error) {
	found, rule, err := x.candidates(ctx, u, a)
	if err != nil {
		return account.Person{}, err
	}
	name := fault.Private(a.name())
	switch len(found) {
	case 0:
		if u.Create.Allowed {
			return x.create(ctx, u, a)
		}
		return account.Person{}, &Failure{Reason: NoAccount, Args: fault.Args{"name": name}, Expected: u.rules(), Received: a.offered(u.Match)}
	case 1:
	default:
		return account.Person{}, &Failure{Reason: Ambiguous, Args: fault.Args{"name": name, "number": len(found)}, Expected: "one account for " + u.rules(), Received: a.offered(u.Match)}
	}
	p, err := x.People.PersonByID(ctx, found[0])
	if err != nil {
		return account.Person{}, err
	}
	taken := &Failure{Reason: Taken, Args: fault.Args{"name": name, "login": fault.Private(p.Login)}, Received: a.Issuer + " " + a.Subject}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		links, err := sqlgen.New(tx).LinksOf(ctx, string(p.ID))
		if err != nil {
			return fmt.Errorf("read the links of a person: %w", err)
		}
		for _, l := range links { // logins are given again to others; what names people for ever is not
			if l.Upstream == u.ID && l.State == linked {
				taken.Expected = l.Issuer + " " + l.Subject
				return taken
			}
		}
		return x.link(ctx, tx, u, a, p.ID, rule)
	})
	switch {
	case errors.Is(err, errLinked):
		return x.identify(ctx, u, a)
	case db.IsUnique(err): // somebody else of theirs was linked to it at this moment
		taken.Expected = "an account that is nobody's there"
		return account.Person{}, taken
	}
	return p, err
}

// errLinked: another request of the same person was quicker.
var errLinked = errors.New("this account there is linked already")

// link writes down whose account it is from now on. It returns errLinked for one
// there that has been linked meanwhile.
func (x *Upstreams) link(ctx context.Context, tx db.Tx, u *upstream, a Answer, who campus.PersonID, rule string) error {
	n, err := sqlgen.New(tx).AddLink(ctx, sqlgen.AddLinkParams{
		ID: id.New(), Upstream: u.ID, Issuer: a.Issuer, Subject: a.Subject, PersonID: string(who), State: linked, Rule: rule, Name: a.name(),
		MadeAt: tx.Now(), UsedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("link an account: %w", err)
	}
	if n == 0 {
		return errLinked
	}
	return x.Journal.Write(ctx, tx, journal.Event{Person: who, Kind: "identity.upstream_linked", Facts: map[string]string{"upstream": u.NameEnglish, "name": a.name(), "rule": rule}})
}

// rules are the matching rules, for the technical contact.
func (u *upstream) rules() string {
	if len(u.Match) == 0 {
		return "a linked account (no matching rule is configured)"
	}
	parts := make([]string, len(u.Match))
	for i, m := range u.Match {
		parts[i] = m.Attribute + " = " + m.Field
	}
	return strings.Join(parts, ", or ")
}

// offered is what an answer said for the rules.
func (a Answer) offered(rules []MatchConfig) string {
	var parts []string
	for _, m := range rules {
		values := strings.Join(a.Attributes[m.Attribute], " ")
		if values == "" {
			values = "(missing)"
		}
		parts = append(parts, m.Attribute+" = "+values)
	}
	return strings.Join(parts, ", ")
}

// candidates are whom the rules find, each once, and the rule that found the
// first.
func (x *Upstreams) candidates(ctx context.Context, u *upstream, a Answer) (found []campus.PersonID, rule string, err error) {
	for _, m := range u.Match {
		for _, value := range a.Attributes[m.Attribute] {
			if value = u.compared(m, value); value == "" {
				continue
			}
			ids, err := x.having(ctx, u, m.Field, value)
			if err != nil {
				return nil, "", err
			}
			for _, one := range ids {
				if !slices.Contains(found, campus.PersonID(one)) {
					found = append(found, campus.PersonID(one))
				}
			}
			if len(ids) > 0 && rule == "" {
				rule = m.Attribute + "=" + m.Field
			}
		}
	}
	return found, rule, nil
}

// compared is the value that a rule compares; "" for one that finds nobody. Without
// its domain, somebody of another organisation looks like their namesake of ours.
func (u *upstream) compared(m MatchConfig, value string) string {
	if m.DropDomain {
		name, domain, mail := strings.Cut(value, "@")
		if mail && len(u.Domains) > 0 && !u.Serves(strings.TrimSpace(domain)) {
			return ""
		}
		value = name
	}
	return strings.TrimSpace(value)
}

// fold is a name in lower case as ours are stored. Letters that only become ASCII by
// that, as the Kelvin sign or the dotted İ, stay: at an upstream where people choose
// their names, they would pass one off as another's.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if lower := unicode.ToLower(r); r < utf8.RuneSelf || lower >= utf8.RuneSelf {
			return lower
		}
		return r
	}, name)
}

// having are the people with a value in one of our fields.
func (x *Upstreams) having(ctx context.Context, u *upstream, field, value string) (ids []string, err error) {
	q := sqlgen.New(x.DB.Read())
	switch field {
	case FieldLogin:
		ids, err = q.PeopleByLogin(ctx, fold(value))
	case FieldMail:
		ids, err = q.PeopleByMail(ctx, fold(value))
	case FieldStudentNumber:
		ids, err = q.PeopleByNumber(ctx, value)
	case FieldExternal:
		var row sqlgen.IdentityUpstreamLink
		row, err = q.Link(ctx, sqlgen.LinkParams{Upstream: u.ID, Subject: value})
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil // nobody prepared it: no candidate
		}
		ids = []string{row.PersonID}
	}
	if err != nil {
		return nil, fmt.Errorf("find people by %s: %w", field, err)
	}
	return ids, nil
}

// create makes an account for somebody whom a rule of affiliation fits.
func (x *Upstreams) create(ctx context.Context, u *upstream, a Answer) (account.Person, error) {
	name := fault.Private(a.name())
	affiliations := u.affiliations(a)
	if len(affiliations) == 0 {
		return account.Person{}, &Failure{Reason: NotEntitled, Args: fault.Args{"name": name}, Expected: u.entitling(), Received: a.listed(u.Create.Affiliations)}
	}
	c := u.Create
	p := account.Person{
		Login: u.newLogin(a), Mail: x.newMail(u, a), GivenName: a.first(c.GivenName, givenAttributes...),
		FamilyName: a.first(c.FamilyName, familyAttributes...), StudentNumber: a.first(c.StudentNumber, studentAttributes...), Affiliations: affiliations,
	}
	if u.SAML.DiscoveryURL != "" { // whose number it is, only the institution says
		p.StudentNumber = ""
	}
	for _, need := range []struct{ value, called string }{{p.Login, "login"}, {p.Mail, "mail"}, {p.FamilyName, "family_name"}} {
		if need.value == "" {
			return account.Person{}, &Failure{Reason: AttributeMissing, Args: fault.Args{"attribute": need.called}, Expected: need.called, Received: strings.Join(a.names(), ", ")}
		}
	}
	var who campus.PersonID
	err := x.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if who, err = x.Register.AddPerson(ctx, tx, p); err != nil {
			return err
		}
		return x.link(ctx, tx, u, a, who, "created")
	})
	switch {
	case err == nil:
		return x.People.PersonByID(ctx, who)
	case errors.Is(err, errLinked):
		return x.identify(ctx, u, a)
	}
	switch fault.Of(err).Reason.Kind() {
	case fault.Conflict:
		return account.Person{}, &Failure{Reason: Taken, Args: fault.Args{"name": name, "login": fault.Private(p.Login)}, Expected: "a free login and address", Received: p.Login + ", " + p.Mail, Cause: err}
	case fault.Invalid:
		return account.Person{}, &Failure{Reason: AttributeMissing, Args: fault.Args{"attribute": fault.Of(err).Reason.Code()}, Expected: fault.Of(err).Reason.Code(), Received: p.Login + ", " + p.Mail, Cause: err}
	default:
		return account.Person{}, fmt.Errorf("make an account: %w", err)
	}
}

// newLogin is the login of a new account. A member of a federation can give
// anybody any name: what it may give has its domain at the end, which stays a part
// of the login of whoever is not of ours.
func (u *upstream) newLogin(a Answer) string {
	if u.SAML.DiscoveryURL == "" {
		login, _, _ := strings.Cut(fold(a.first(u.Create.Login, loginAttributes...)), "@")
		return login
	}
	login, domain, scoped := strings.Cut(fold(a.first(u.Create.Login, "eduPersonPrincipalName")), "@")
	switch {
	case !scoped:
		return ""
	case u.Serves(domain):
		return login
	}
	return login + "." + domain
}

// newMail is the address of a new account. One without proof must not be of those
// that we know people by: its owner would be led into the account.
func (x *Upstreams) newMail(u *upstream, a Answer) string {
	address := fold(a.first(u.Create.Mail, mailAttributes...))
	unproved := u.SAML.DiscoveryURL != "" && !slices.ContainsFunc(a.Attributes["mail"], func(own string) bool { return fold(own) == address })
	domain := domainOf(address)
	if unproved && (x.OwnDomain(domain) || slices.ContainsFunc(x.all, func(other *upstream) bool { return other.Serves(domain) })) {
		return ""
	}
	return address
}

// affiliations are what the rules say somebody is.
func (u *upstream) affiliations(a Answer) (list []campus.Affiliation) {
	for _, rule := range u.Create.Affiliations {
		values := a.Attributes[rule.Attribute]
		fits := rule.Attribute == "" || rule.Value == "" && len(values) > 0 ||
			slices.ContainsFunc(values, func(v string) bool { return rule.Value != "" && strings.EqualFold(v, rule.Value) })
		one := campus.Affiliation{Kind: campus.Kind(rule.Kind), Campus: rule.Campus, Programme: rule.Programme, Unit: rule.Unit}
		if fits && !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list
}

// entitling are the rules of affiliation, for the technical contact.
func (u *upstream) entitling() string {
	parts := make([]string, len(u.Create.Affiliations))
	for i, rule := range u.Create.Affiliations {
		parts[i] = rule.Attribute + " = " + rule.Value
	}
	return strings.Join(parts, ", or ")
}

// listed is what an answer said for them.
func (a Answer) listed(rules []AffiliationConfig) string {
	var parts []string
	for _, rule := range rules {
		part := rule.Attribute + " = " + strings.Join(a.Attributes[rule.Attribute], " ")
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// names are the attributes that came.
func (a Answer) names() []string {
	var names []string
	for name := range a.Attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Prepare links somebody before they come: external is the identifier that the
// attribute of a matching rule with external_id will hold. It does nothing when
// that is linked already.
func (x *Upstreams) Prepare(ctx context.Context, tx db.Tx, upstream, external string, who campus.PersonID) error {
	_, err := sqlgen.New(tx).AddLink(ctx, sqlgen.AddLinkParams{
		ID: id.New(), Upstream: upstream, Subject: external, PersonID: string(who), State: prepared, Rule: FieldExternal, Name: external, MadeAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("prepare a link: %w", err)
	}
	return nil
}
