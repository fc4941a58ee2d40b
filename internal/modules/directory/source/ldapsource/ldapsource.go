// Package ldapsource reads people, groups and units from OpenLDAP and its like, and from
// Active Directory: everything by paged searches (RFC 2696), and what changed by content
// synchronization (RFC 4533), by uSNChanged or by modifyTimestamp.
package ldapsource

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Source is one directory.
type Source struct {
	config     source.Config
	attributes func(source.Kind) []string
	roots      *x509.CertPool // nil for the system's
}

var _ source.Reader = (*Source)(nil)

// New makes the reader of a configuration. Attributes are those to read of each kind,
// besides the key. It fails when the file of the authority cannot be read.
func New(c source.Config, attributes func(source.Kind) []string) (*Source, error) {
	s := &Source{config: c, attributes: attributes}
	if c.LDAP.CAFile == "" {
		return s, nil
	}
	pem, err := os.ReadFile(c.LDAP.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the authority of %s: %w", c.ID, err)
	}
	s.roots = x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", c.LDAP.CAFile)
	}
	return s, nil
}

// ID implements source.Reader.
func (s *Source) ID() string { return s.config.ID }

func (s *Source) active() bool           { return s.config.PresetOrUsual() == source.PresetAD }
func (s *Source) page() uint32           { return uint32(cmp.Or(s.config.LDAP.Page, 500)) }
func (s *Source) timeout() time.Duration { return cmp.Or(s.config.LDAP.Timeout, 30*time.Second) }

const guidAttribute, uuidAttribute = "objectGUID", "entryUUID"

// key is the attribute that names an entry for ever.
func (s *Source) key() string {
	switch {
	case s.config.LDAP.Key != "":
		return s.config.LDAP.Key
	case s.active():
		return guidAttribute
	default:
		return uuidAttribute
	}
}

// place is where entries of a kind are, and which of them.
type place struct {
	kind         source.Kind
	base, filter string
}

// places lists what is read, in the order of [source.Kinds].
func (s *Source) places() []place {
	c := s.config.LDAP
	people, groups := "(objectClass=person)", "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"
	units := "(|(objectClass=supannEntite)(objectClass=organizationalUnit))"
	if s.active() {
		// Without the accounts and groups that every domain has, such as krbtgt.
		people, groups = "(&(objectCategory=person)(objectClass=user)(!(isCriticalSystemObject=TRUE)))", "(&(objectClass=group)(!(isCriticalSystemObject=TRUE)))"
		units = "(objectClass=organizationalUnit)"
	}
	all := []place{
		{source.Unit, c.UnitBase, cmp.Or(c.UnitFilter, units)},
		{source.Person, c.Base, cmp.Or(c.Filter, people)},
		{source.Group, c.GroupBase, cmp.Or(c.GroupFilter, groups)},
	}
	return slices.DeleteFunc(all, func(p place) bool { return p.base == "" })
}

// loginAttributes are those by which posixGroup and the like call people.
var loginAttributes = []string{"uid", "sAMAccountName"}

// wanted are the attributes to read of a kind.
func (s *Source) wanted(k source.Kind) []string {
	list := slices.Concat(s.attributes(k), s.config.LDAP.Attributes, []string{s.key(), s.stamp()})
	if k == source.Person {
		list = append(list, loginAttributes...)
	}
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	list = s.withPrimary(k, list)
	slices.Sort(list)
	return slices.Compact(list)
}

// digest changes with what is read, so that a reading of changes alone never follows
// one of something else.
func (s *Source) digest() string {
	h := sha256.New()
	for _, p := range s.places() {
		fmt.Fprintf(h, "%q %q %q %q\n", p.kind, p.base, p.filter, s.wanted(p.kind))
	}
	fmt.Fprintf(h, "%q", s.key())
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// cursor is where the next reading begins; JSON in [source.Result].
type cursor struct {
	Way    string                 `json:"way"`
	Digest string                 `json:"digest"`
	Server string                 `json:"server,omitempty"` // whose USN it is
	USN    int64                  `json:"usn,omitempty"`
	Groups string                 `json:"groups,omitempty"` // digest of all groups and their USN
	Sync   map[source.Kind][]byte `json:"sync,omitempty"`
	Stamp  map[source.Kind]string `json:"stamp,omitempty"`
}

func (c cursor) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // it holds texts, bytes and numbers only
	}
	return string(text)
}

// reading is one call of Read.
type reading struct {
	*Source
	ctx    context.Context
	conn   *ldap.Conn
	server server
	each   func(source.Record) error
	result source.Result
	since  cursor // zero to read everything
	next   cursor
	primaries
	seen map[string]string // where the record with a key stood, of the kind at hand
	// Of a synchronization: the keys that are named as still there, of the kind at hand;
	// those that are there for certain, of all kinds; those that are called deleted.
	present, there map[string]bool
	left           map[source.Kind]map[string]bool
	told           map[string]bool // referrals that were remarked on
}

// Read implements source.Reader.
func (s *Source) Read(ctx context.Context, since string, each func(source.Record) error) (source.Result, error) {
	r := &reading{Source: s, ctx: ctx, each: each, result: source.Result{Count: map[source.Kind]int{}}, told: map[string]bool{}, there: map[string]bool{}, left: map[source.Kind]map[string]bool{}}
	err := r.read(since)
	if r.conn != nil {
		r.conn.Close() // whatever became of it, we are done with it
	}
	if err != nil {
		r.result.Complete, r.result.Cursor = nil, ""
		return r.result, err
	}
	return r.result, nil
}

func (r *reading) read(since string) error {
	if err := r.connect(); err != nil {
		return err
	}
	way := r.way()
	r.begin(way, since)
	for _, p := range r.places() {
		r.seen = map[string]string{}
		var err error
		switch r.next.Way {
		case source.ChangesSync:
			err = r.sync(p)
			if ldap.IsErrorWithCode(err, ldap.LDAPResultUnavailableCriticalExtension) && r.count() == 0 {
				// The server can, but not for this part of the tree.
				r.begin(source.ChangesTimestamp, since)
				err = r.changes(p)
			}
		case source.ChangesUSN, source.ChangesTimestamp:
			err = r.changes(p)
		default:
			err = r.whole(p)
		}
		if err != nil {
			return r.explained(p, err)
		}
	}
	if err := r.handGone(); err != nil {
		return r.explained(place{}, err)
	}
	if r.next.Way != source.ChangesOff {
		r.result.Cursor = r.next.String()
	}
	return nil
}

// begin takes the cursor of the last reading, when it is one of the same question, to
// the same server, in the same way.
func (r *reading) begin(way, since string) {
	r.next = cursor{Way: way, Digest: r.digest(), Sync: map[source.Kind][]byte{}, Stamp: map[source.Kind]string{}}
	if way == source.ChangesUSN {
		r.next.Server, r.next.USN = r.server.name, r.server.usn
	}
	r.since = cursor{}
	if since == "" {
		return
	}
	var last cursor
	if err := json.Unmarshal([]byte(since), &last); err != nil || last.Way != way || last.Digest != r.next.Digest || last.Server != r.next.Server || last.USN > r.next.USN {
		r.remark(source.ReadWhole.With(fault.Args{"source": r.config.ID}))
		return
	}
	r.since = last
}

func (r *reading) remark(err error) { r.result.Remarks = append(r.result.Remarks, err) }

// count is how many records were handed over.
func (r *reading) count() (n int) {
	for _, k := range r.result.Count {
		n += k
	}
	return n
}

// hand gives one record to the engine. The error is that of the engine.
func (r *reading) hand(record source.Record) error {
	if err := r.ctx.Err(); err != nil {
		return engineError{err}
	}
	switch first, twice := r.seen[record.Key]; {
	case twice && first == record.Where: // a page that shifted under our hands
		return nil
	case twice:
		r.refuse(record, source.KeyTwice.With(fault.Args{"other": first, "key": record.Key}))
		return nil
	}
	r.seen[record.Key] = record.Where
	if err := r.each(record); err != nil {
		return engineError{err}
	}
	r.result.Count[record.Kind]++
	return nil
}

func (r *reading) refuse(record source.Record, err error) {
	r.result.Refused = append(r.result.Refused, source.Refusal{Kind: record.Kind, Key: record.Key, Where: record.Where, Err: err})
}

// engineError is an error of whoever takes the records, which says nothing about the
// source.
type engineError struct{ error }

func (e engineError) Unwrap() error { return e.error }
