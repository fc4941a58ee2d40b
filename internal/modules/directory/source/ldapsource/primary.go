package ldapsource

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// Everybody in Active Directory has one primary group, which memberOf does not name and
// whose member does not name them ([MS-ADTS] 3.1.1.4.5.18). It is known by the last part of
// its security identifier.
const (
	primaryAttribute = "primarygroupid"
	sidAttribute     = "objectsid"
	// everybodysGroup is Domain Users: the primary group of whoever was given no other. It
	// tells nothing, and has everybody in it.
	everybodysGroup = "513"
)

// primaries is what is known of primary groups in one reading.
type primaries struct {
	primaryGroups map[string]string   // DN by security identifier
	primaryPeople map[string][]string // DNs of people by the last part of it; nil before it was asked
}

// withPrimary adds what primary groups are known by to the attributes that are read.
func (s *Source) withPrimary(k source.Kind, list []string) []string {
	switch {
	case !s.active():
	case k == source.Person && slices.Contains(list, backlink):
		list = append(list, primaryAttribute, sidAttribute)
	case k == source.Group && slices.Contains(list, "member"):
		list = append(list, sidAttribute)
	}
	return list
}

// primary completes the groups of a person and the members of a group by the primary group.
func (r *reading) primary(record *source.Record) error {
	sid := []byte(record.First(sidAttribute))
	if len(sid) < 12 { // revision, count, authority, and one part at least
		return nil
	}
	last := len(sid) - 4
	switch record.Kind {
	case source.Person:
		rid, err := strconv.ParseUint(record.First(primaryAttribute), 10, 32)
		if err != nil || record.First(primaryAttribute) == everybodysGroup {
			return nil // none, or one that tells nothing
		}
		dn, err := r.primaryGroup(binary.LittleEndian.AppendUint32(slices.Clone(sid[:last]), uint32(rid)))
		if err != nil || dn == "" {
			return err
		}
		record.Values[backlink] = append(record.Values[backlink], dn)
	case source.Group:
		members, err := r.primaryMembers(strconv.FormatUint(uint64(binary.LittleEndian.Uint32(sid[last:])), 10))
		if err != nil || len(members) == 0 {
			return err
		}
		record.Values["member"] = append(record.Values["member"], members...)
	}
	return nil
}

// primaryGroup is the DN of a group by its security identifier; "" when our account does
// not see it.
func (r *reading) primaryGroup(sid []byte) (string, error) {
	if dn, known := r.primaryGroups[string(sid)]; known {
		return dn, nil
	}
	base := cmp.Or(r.server.domain, r.config.LDAP.GroupBase)
	if base == "" {
		return "", nil
	}
	question := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 1, r.seconds(), false, fmt.Sprintf("(objectSid=%s)", ldap.EscapeFilter(string(sid))), []string{"1.1"}, nil)
	found, err := r.conn.Search(question)
	if err != nil {
		return "", err
	}
	dn := ""
	if len(found.Entries) > 0 {
		dn = found.Entries[0].DN
	}
	if r.primaryGroups == nil {
		r.primaryGroups = map[string]string{}
	}
	r.primaryGroups[string(sid)] = dn
	return dn, nil
}

// primaryMembers are the people whose primary group a group is.
func (r *reading) primaryMembers(rid string) ([]string, error) {
	if r.primaryPeople == nil {
		members := map[string][]string{}
		for _, p := range r.places() {
			if p.kind != source.Person {
				continue
			}
			others := fmt.Sprintf("(&%s(primaryGroupID=*)(!(primaryGroupID=%s)))", p.filter, everybodysGroup)
			err := r.pages(p.base, others, []string{primaryAttribute}, func(e *ldap.Entry) error {
				id := e.GetEqualFoldAttributeValue(primaryAttribute)
				members[id] = append(members[id], e.DN)
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		r.primaryPeople = members
	}
	return r.primaryPeople[rid], nil
}
