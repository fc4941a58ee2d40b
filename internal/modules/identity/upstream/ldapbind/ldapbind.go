// Package ldapbind checks passwords by an LDAP bind (RFC 4511 §4.2), at OpenLDAP
// and its like and at Active Directory, and reads why one was refused.
package ldapbind

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/identity/upstream"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Directory is one directory. It is safe for concurrent use.
type Directory struct {
	upstream.Config
	clock   clock.Clock
	servers *servers

	mu   sync.Mutex
	cost time.Duration // of a bind that is refused, exponentially weighted
}

var _ upstream.Directory = (*Directory)(nil)

// New makes the directory of a configuration. It fails when the file of the
// authority cannot be read.
func New(c upstream.Config, now clock.Clock) (*Directory, error) {
	s, err := newServers(c, now)
	if err != nil {
		return nil, err
	}
	return &Directory{Config: c, clock: now, servers: s}, nil
}

// maxLogin bounds an identifier, in bytes; the longest mail address has 254.
const maxLogin = 254

// usual are the attributes that matching and new accounts look at.
var usual = []string{
	"uid", "cn", "sn", "givenName", "displayName", "mail", "sAMAccountName", "userPrincipalName", "employeeNumber", "supannEtuId", "supannEmpId",
	"supannAliasLogin", "supannEntiteAffectation", "eduPersonPrincipalName", "eduPersonAffiliation", "eduPersonPrimaryAffiliation", "memberOf",
}

// expiryAttribute is when Active Directory ends a password, in units of 100 ns
// since 1601.
const expiryAttribute = "msDS-UserPasswordExpiryTimeComputed"

// subject is the attribute that names an entry for ever.
func (d *Directory) subject() string {
	switch {
	case d.LDAP.Subject != "":
		return d.LDAP.Subject
	case d.LDAP.Active:
		return "objectGUID"
	default:
		return "entryUUID"
	}
}

// wanted are the attributes to read.
func (d *Directory) wanted() []string {
	list := slices.Concat(usual, []string{d.subject()}, d.LDAP.Attributes)
	if d.LDAP.Active {
		list = append(list, expiryAttribute)
	}
	for _, m := range d.Match {
		list = append(list, m.Attribute)
	}
	for _, a := range d.Create.Affiliations {
		list = append(list, a.Attribute)
	}
	list = append(list, d.Create.Login, d.Create.Mail, d.Create.GivenName, d.Create.FamilyName, d.Create.StudentNumber)
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(name string) bool { return name == "" })
}

// filter finds one person.
func (d *Directory) filter(login string) string {
	f := d.LDAP.Filter
	switch {
	case f != "":
	case d.LDAP.Active:
		f = "(&(objectCategory=person)(|(sAMAccountName={login})(userPrincipalName={login})))"
	default:
		f = "(uid={login})"
	}
	return strings.ReplaceAll(f, "{login}", ldap.EscapeFilter(login))
}

// Check implements [upstream.Directory].
func (d *Directory) Check(ctx context.Context, login, password string) (upstream.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, d.TimeoutOr5s())
	defer cancel()
	if !askable(login) || password == "" { // a bind without a password is an anonymous one, which succeeds (RFC 4513 §5.1.2)
		d.Waste(ctx)
		return upstream.Answer{}, &upstream.Failure{Reason: upstream.Refused}
	}
	entry, err := d.find(ctx, login)
	if err != nil {
		return upstream.Answer{}, err
	}
	if entry == nil {
		d.waste(ctx, time.Now())
		return upstream.Answer{}, &upstream.Failure{Reason: upstream.Refused, Text: "no entry, or several"}
	}
	remarks, err := d.bind(ctx, entry.DN, password)
	if err != nil {
		return upstream.Answer{}, err
	}
	if d.LDAP.DN != "" { // its entry can be read now
		if entry, err = d.readOwn(ctx, entry.DN, password); err != nil {
			return upstream.Answer{}, err
		}
	}
	return d.answer(entry, remarks)
}

// askable reports whether an identifier may be sent to a directory.
func askable(login string) bool {
	return login != "" && len(login) <= maxLogin && !strings.ContainsFunc(login, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// find returns the entry of an identifier; nil when there is none, or more than
// one. With a DN template nothing is asked.
func (d *Directory) find(ctx context.Context, login string) (*ldap.Entry, error) {
	if d.LDAP.DN != "" {
		return &ldap.Entry{DN: strings.ReplaceAll(d.LDAP.DN, "{login}", ldap.EscapeDN(login))}, nil
	}
	var result *ldap.SearchResult
	err := d.servers.search(ctx, func(c *ldap.Conn) (err error) {
		request := ldap.NewSearchRequest(d.LDAP.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 2, seconds(d.TimeoutOr5s()), false, d.filter(login), d.wanted(), nil)
		result, err = c.Search(request)
		return err
	})
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded):
		return nil, nil // several: nobody's password is tried on the wrong one
	case err != nil:
		return nil, err
	case len(result.Entries) != 1:
		return nil, nil
	}
	return result.Entries[0], nil
}

func seconds(d time.Duration) int { return max(1, int(d/time.Second)) }

// bind tries a password. The error is a *upstream.Failure.
func (d *Directory) bind(ctx context.Context, dn, password string) ([]upstream.Remark, error) {
	started := time.Now()
	var said *ldap.SimpleBindResult
	var refused error
	err := d.servers.asUser(ctx, func(c *ldap.Conn) error {
		said, refused = c.SimpleBind(ldap.NewSimpleBindRequest(dn, password, []ldap.Control{ldap.NewControlBeheraPasswordPolicy()}))
		return lost(refused)
	})
	if err != nil {
		return nil, err
	}
	remarks, err := read(said, refused)
	if errors.Is(err, upstream.Refused) {
		d.learn(time.Since(started))
	}
	return remarks, err
}

// learn keeps how long a refusal takes.
func (d *Directory) learn(took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cost == 0 {
		d.cost = took
		return
	}
	d.cost += (took - d.cost) / 8
}

// Waste implements [upstream.Directory].
func (d *Directory) Waste(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, d.TimeoutOr5s())
	defer cancel()
	started := time.Now()
	if d.LDAP.DN == "" {
		if _, err := d.find(ctx, nobody()); err != nil { // as long as a search that fails, then
			return
		}
		started = time.Now()
	}
	d.waste(ctx, started)
}

// waste takes as long as a bind that is refused: a bind as nobody, and what is
// missing to the usual time.
func (d *Directory) waste(ctx context.Context, started time.Time) {
	dn := "cn=" + nobody() + "," + d.LDAP.Base
	if d.LDAP.DN != "" {
		dn = strings.ReplaceAll(d.LDAP.DN, "{login}", nobody())
	}
	err := d.servers.asUser(ctx, func(c *ldap.Conn) error { return lost(c.Bind(dn, nobody())) })
	if err != nil {
		return // nobody is there to tell the time of
	}
	d.mu.Lock()
	left := d.cost - time.Since(started)
	d.mu.Unlock()
	if left <= 0 {
		return
	}
	pause := time.NewTimer(left)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
}

// nobody is an identifier that no entry has.
func nobody() string { return "amphi-" + strings.ToLower(rand.Text()) }

// readOwn reads the entry of somebody as themselves.
func (d *Directory) readOwn(ctx context.Context, dn, password string) (*ldap.Entry, error) {
	var result *ldap.SearchResult
	err := d.servers.asUser(ctx, func(c *ldap.Conn) (err error) {
		if err = c.Bind(dn, password); err != nil {
			return err
		}
		result, err = c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, seconds(d.TimeoutOr5s()), false, "(objectClass=*)", d.wanted(), nil))
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(result.Entries) != 1 {
		return nil, &upstream.Failure{Reason: upstream.AttributeMissing, Args: fault.Args{"attribute": d.subject()}, Proved: true, Expected: "the entry " + dn, Received: "none that its owner may read"}
	}
	return result.Entries[0], nil
}

// answer is what an entry says about somebody whose password was right.
func (d *Directory) answer(e *ldap.Entry, remarks []upstream.Remark) (upstream.Answer, error) {
	now := d.clock.Now()
	a := upstream.Answer{Issuer: d.issuer(), Attributes: map[string][]string{"dn": {e.DN}}, AuthnInstant: now, Methods: []string{"pwd"}, Remarks: remarks}
	for _, one := range e.Attributes {
		switch {
		case strings.EqualFold(one.Name, "objectGUID") && len(one.ByteValues) > 0:
			a.Attributes[one.Name] = []string{guid(one.ByteValues[0])}
		case one.Name == expiryAttribute:
			if left, ok := untilExpiry(one.Values, now); ok {
				a.Remarks = append(a.Remarks, expiring(left))
			}
		default:
			a.Attributes[one.Name] = one.Values
		}
		if strings.EqualFold(one.Name, d.subject()) && len(a.Attributes[one.Name]) > 0 {
			a.Subject = a.Attributes[one.Name][0]
		}
	}
	if a.Subject == "" {
		return a, &upstream.Failure{Reason: upstream.AttributeMissing, Args: fault.Args{"attribute": d.subject()}, Proved: true, Expected: d.subject(), Received: "none in " + e.DN}
	}
	return a, nil
}

// issuer is who vouches.
func (d *Directory) issuer() string {
	if d.LDAP.Base != "" {
		return strings.ToLower(d.LDAP.Base)
	}
	_, after, _ := strings.Cut(d.LDAP.DN, ",")
	return strings.ToLower(after)
}

// guid is an objectGUID as Microsoft prints it: the first three groups are stored
// with the last byte first.
func guid(b []byte) string {
	if len(b) != 16 {
		return hex.EncodeToString(b)
	}
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:16])
}

// warnBefore is how long before its end a password is spoken of.
const warnBefore = 14 * 24 * time.Hour

// untilExpiry reads when Active Directory ends a password. ok is false when that
// is far away, or never.
func untilExpiry(values []string, now time.Time) (left time.Duration, ok bool) {
	if len(values) == 0 {
		return 0, false
	}
	ticks, err := strconv.ParseInt(values[0], 10, 64)
	const epoch = 116444736000000000 // 1970 in ticks since 1601
	if err != nil || ticks < epoch || ticks == 1<<63-1 {
		return 0, false
	}
	left = time.UnixMicro((ticks - epoch) / 10).Sub(now)
	return left, left > 0 && left < warnBefore
}

func expiring(left time.Duration) upstream.Remark {
	return upstream.Remark{Key: "identity.upstream.remark.expiring", Args: fault.Args{"days": max(1, int(left.Round(24*time.Hour)/(24*time.Hour)))}}
}

// Changes implements [upstream.Directory].
func (d *Directory) Changes() bool { return d.LDAP.Change == "user" || d.LDAP.Change == "service" }

// Change implements [upstream.Directory]: by a change of unicodePwd at Active
// Directory, which wants the old value with the new one, and by the password
// modify operation elsewhere (RFC 3062).
func (d *Directory) Change(ctx context.Context, login, old, fresh string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*d.TimeoutOr5s())
	defer cancel()
	if !askable(login) || old == "" || fresh == "" {
		d.Waste(ctx)
		return &upstream.Failure{Reason: upstream.Refused}
	}
	entry, err := d.find(ctx, login)
	if err != nil {
		return err
	}
	if entry == nil {
		d.waste(ctx, time.Now())
		return &upstream.Failure{Reason: upstream.Refused}
	}
	_, err = d.bind(ctx, entry.DN, old)
	var f *upstream.Failure
	ended := errors.As(err, &f) && f.Proved && (f.Reason == upstream.PasswordExpired || f.Reason == upstream.PasswordReset)
	if err != nil && !ended {
		return err
	}
	switch {
	case d.LDAP.Active:
		return d.servers.search(ctx, func(c *ldap.Conn) error {
			m := ldap.NewModifyRequest(entry.DN, nil)
			m.Delete("unicodePwd", []string{quoted(old)})
			m.Add("unicodePwd", []string{quoted(fresh)})
			return changed(c.Modify(m))
		})
	case ended && f.Reason == upstream.PasswordExpired && d.LDAP.Change == "service":
		return d.servers.search(ctx, func(c *ldap.Conn) error {
			_, err := c.PasswordModify(ldap.NewPasswordModifyRequest(entry.DN, "", fresh))
			return changed(err)
		})
	case ended && f.Reason == upstream.PasswordExpired:
		return f // it opens nothing any more, not even its own change
	default:
		return d.servers.asUser(ctx, func(c *ldap.Conn) error {
			if _, err := c.SimpleBind(ldap.NewSimpleBindRequest(entry.DN, old, nil)); err != nil {
				return changed(err)
			}
			_, err := c.PasswordModify(ldap.NewPasswordModifyRequest("", old, fresh))
			return changed(err)
		})
	}
}

// quoted is a password as unicodePwd takes it: in quotation marks, UTF-16LE.
func quoted(password string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return string(b)
}

// Probe implements [upstream.Directory].
func (d *Directory) Probe(ctx context.Context) []upstream.Step {
	steps := d.servers.probe(ctx)
	if d.LDAP.DN != "" || slices.ContainsFunc(steps, func(s upstream.Step) bool { return !s.OK }) {
		return steps
	}
	_, err := d.find(ctx, nobody())
	step := upstream.Step{Name: "search", OK: err == nil, Detail: d.LDAP.Base + " " + d.filter("…")}
	if err != nil {
		step.Detail = err.Error()
	}
	return append(steps, step)
}
