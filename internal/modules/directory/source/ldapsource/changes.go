package ldapsource

import (
	"fmt"
	"strconv"

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

// mark is the filter of what changed since the last reading; "" for everything. The
// second of the last change is read again, because it was not over.
func (r *reading) mark(k source.Kind) string {
	switch {
	case r.next.Way == source.ChangesUSN && r.since.USN > 0:
		return fmt.Sprintf("(%s>=%s)", usnAttribute, strconv.FormatInt(r.since.USN+1, 10))
	case r.next.Way == source.ChangesTimestamp && r.since.Stamp[k] != "":
		return fmt.Sprintf("(%s>=%s)", stampAttribute, ldap.EscapeFilter(r.since.Stamp[k]))
	default:
		return ""
	}
}
