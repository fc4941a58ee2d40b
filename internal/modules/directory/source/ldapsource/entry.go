package ldapsource

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// stamp is the attribute that says when an entry last changed (RFC 4512 §3.4.4). Active
// Directory computes that one, and does not search by what it computes
// ([MS-ADTS] 3.1.1.3.1.3.1).
func (s *Source) stamp() string {
	if s.active() {
		return "whenChanged"
	}
	return "modifyTimestamp"
}

// record makes an entry a record. Key is given where the protocol names the entry, and
// "" where an attribute does.
func (r *reading) record(k source.Kind, e *ldap.Entry, key string) (source.Record, error) {
	record := source.Record{Kind: k, Key: key, Where: e.DN, Names: []string{source.Name(e.DN)}, Values: map[string][]string{}}
	for _, a := range e.Attributes {
		name, options, _ := strings.Cut(strings.ToLower(a.Name), ";")
		values := a.Values
		switch {
		case strings.HasPrefix(options, "lang-"): // another language than the plain one
			continue
		case strings.HasPrefix(options, "range="):
			var err error
			if values, err = r.ranged(e.DN, name, options, values); err != nil {
				return record, err
			}
		}
		if name == "objectguid" && len(a.ByteValues) > 0 {
			values = []string{guid(a.ByteValues[0])}
		}
		if len(values) > 0 {
			record.Values[name] = append(record.Values[name], values...)
		}
	}
	if err := r.primary(&record); err != nil {
		return record, err
	}
	if record.Key == "" {
		record.Key = strings.TrimSpace(record.First(r.key()))
	}
	if k == source.Person {
		for _, attribute := range loginAttributes {
			for _, login := range record.Values[strings.ToLower(attribute)] {
				if name := source.Name(login); !slices.Contains(record.Names, name) {
					record.Names = append(record.Names, name)
				}
			}
		}
	}
	return record, nil
}

// take hands an entry over, or refuses it.
func (r *reading) take(k source.Kind, e *ldap.Entry, key string) error {
	record, err := r.record(k, e, key)
	if err != nil {
		return err
	}
	if stamp := record.First(r.stamp()); stamp > r.next.Stamp[k] {
		r.next.Stamp[k] = stamp
	}
	if record.Key == "" {
		r.refuse(record, source.KeyMissing.With(fault.Args{"attribute": r.key()}))
		return nil
	}
	return r.hand(record)
}

// guid is an objectGUID as Microsoft prints it: the first three groups are stored with
// the last byte first.
func guid(b []byte) string {
	if len(b) != 16 {
		return hex.EncodeToString(b)
	}
	return fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:16])
}

// mostRanges bounds how often a server may say that there is more.
const mostRanges = 10000

// ranged completes the values of an attribute of which Active Directory sent the first
// ones: member;range=0-1499 ([MS-ADTS] 3.1.1.3.1.3.3).
func (r *reading) ranged(dn, name, options string, values []string) ([]string, error) {
	for range mostRanges {
		_, end, _ := strings.Cut(strings.TrimPrefix(options, "range="), "-")
		last, err := strconv.Atoi(end)
		if err != nil { // *: these were the last
			return values, nil
		}
		more := fmt.Sprintf("%s;range=%d-*", name, last+1)
		found, err := r.conn.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, r.seconds(), false, "(objectClass=*)", []string{more}, nil))
		switch {
		case err != nil:
			return nil, err
		case len(found.Entries) != 1: // it was deleted meanwhile; the next reading will see
			return values, nil
		}
		options = "range=0-*"
		for _, a := range found.Entries[0].Attributes {
			if n, o, _ := strings.Cut(strings.ToLower(a.Name), ";"); n == name && strings.HasPrefix(o, "range=") {
				options = o
				values = append(values, a.Values...)
			}
		}
	}
	return values, nil
}
