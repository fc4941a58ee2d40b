package ldapsource

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/amphi-campus/amphi/internal/modules/directory/source"
)

// usnAttribute is the number that a domain controller gives every change
// ([MS-ADTS] 3.1.1.1.9).
const usnAttribute = "uSNChanged"

// changes reads what changed in a place by a mark that entries bear, and then a list of
// all keys, because nothing else tells who was deleted or moved away.
func (r *reading) changes(p place) error {
	mark := r.mark(p.kind)
	if p.kind == source.Person && r.next.Way == source.ChangesUSN && slices.Contains(r.wanted(p.kind), backlink) {
		moved, err := r.memberships()
		if err != nil {
			return err
		}
		if moved {
			mark = ""
		}
	}
	if mark == "" {
		return r.whole(p)
	}
	err := r.pages(p.base, "(&"+p.filter+mark+")", r.wanted(p.kind), func(e *ldap.Entry) error { return r.take(p.kind, e, "") })
	if err != nil {
		return err
	}
	if r.next.Stamp[p.kind] == "" { // nothing changed
		r.next.Stamp[p.kind] = r.since.Stamp[p.kind]
	}
	err = r.pages(p.base, p.filter, []string{r.key()}, func(e *ldap.Entry) error {
		record, err := r.record(p.kind, e, "")
		if _, changed := r.seen[record.Key]; changed || record.Key == "" {
			return err
		}
		return r.hand(source.Record{Kind: p.kind, Key: record.Key, Where: record.Where, Unchanged: true})
	})
	if err != nil {
		return err
	}
	r.result.Complete = append(r.result.Complete, p.kind)
	return nil
}

// backlink is the attribute that a domain controller computes from the members of its
// groups. It numbers a change of it at the group alone, never at the person.
const backlink = "memberof"

// memberships reports whether any group of the domain changed, came or went since the
// last reading, so that everybody may have other groups: nothing tells who.
func (r *reading) memberships() (moved bool, err error) {
	base := cmp.Or(r.server.domain, r.config.LDAP.GroupBase)
	if base == "" {
		return true, nil // there is no way to know
	}
	var groups []string
	err = r.pages(base, "(objectClass=group)", []string{guidAttribute, usnAttribute}, func(e *ldap.Entry) error {
		groups = append(groups, guid(e.GetEqualFoldRawAttributeValue(guidAttribute))+" "+e.GetEqualFoldAttributeValue(usnAttribute))
		return nil
	})
	if err != nil {
		return false, err
	}
	slices.Sort(groups)
	sum := sha256.Sum256([]byte(strings.Join(groups, "\n")))
	r.next.Groups = hex.EncodeToString(sum[:])
	return r.next.Groups != r.since.Groups, nil
}

// mark is the filter of what changed since the last reading; "" for everything. The
// second of the last change is read again, because it was not over.
func (r *reading) mark(k source.Kind) string {
	switch {
	case r.next.Way == source.ChangesUSN && r.since.USN > 0:
		return fmt.Sprintf("(%s>=%s)", usnAttribute, strconv.FormatInt(r.since.USN+1, 10))
	case r.next.Way == source.ChangesTimestamp && r.since.Stamp[k] != "":
		return fmt.Sprintf("(%s>=%s)", r.stamp(), ldap.EscapeFilter(r.since.Stamp[k]))
	default:
		return ""
	}
}
