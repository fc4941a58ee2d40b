package register

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// record is what one source says of one person, as it is stored.
type record struct {
	source, key string
	person      campus.PersonID
	said        mapping.Values
	since       map[mapping.Field]db.Time // of values younger than the record
	digest      string
	place       string
	first       db.Time
	gone        bool
	brought     bool   // the source brought this person into the register
	floor       floors // ties that it found entered by hand
}

// sinceWhen is when the source began to say what it says of a field.
func (r record) sinceWhen(f mapping.Field) db.Time {
	if at, ok := r.since[f]; ok {
		return at
	}
	return r.first
}

// ranks orders sources, for each field if they say so.
type ranks struct {
	priority map[string]int
	first    map[mapping.Field][]string // sources that win it, best first
}

func rank(feeds []Feed) ranks {
	r := ranks{priority: map[string]int{}, first: map[mapping.Field][]string{}}
	for _, f := range feeds {
		r.priority[f.Config.ID] = f.Config.Priority
	}
	for _, f := range feeds {
		for _, field := range slices.Concat(f.Config.First, f.Config.Owns) {
			r.first[mapping.Field(field)] = append(r.first[mapping.Field(field)], f.Config.ID)
		}
	}
	for _, list := range r.first {
		slices.SortFunc(list, r.byPriority)
	}
	return r
}

func (r ranks) byPriority(a, b string) int {
	return cmp.Or(cmp.Compare(r.priority[a], r.priority[b]), strings.Compare(a, b))
}

// place is where a source stands for a field: the lowest wins.
func (r ranks) compare(f mapping.Field, a, b string) int {
	list := r.first[f]
	at := func(s string) int {
		if i := slices.Index(list, s); i >= 0 {
			return i
		}
		return len(list)
	}
	return cmp.Or(cmp.Compare(at(a), at(b)), r.byPriority(a, b))
}

// print is a short text that changes when the order does.
func (r ranks) print() string {
	text, err := json.Marshal([]any{r.priority, r.first})
	if err != nil {
		panic(fmt.Sprintf("directory: ranks cannot be written: %v", err)) // maps of texts and numbers can
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// merged is what all sources together say of somebody.
type merged struct {
	values mapping.Values
	// from is the source of each single value; those of fields that are joined from
	// all sources are not there.
	from map[mapping.Field]string
	live bool // some source still speaks of the person
}

// joined are the fields to which every source adds.
var joined = []mapping.Field{contract.FieldAffiliations, mapping.FieldFunctions, mapping.FieldEntitlements}

// merge joins the records of one person. For each field the source of highest
// precedence that says something wins, unless somebody has pinned the field to a
// source. The ends of ties are those of the sources that say the tie, the latest of
// them. A source by which the account is switched off says no ties.
func (r ranks) merge(records []record, pins map[mapping.Field]string) merged {
	m := merged{values: mapping.Values{}, from: map[mapping.Field]string{}}
	var live []record
	for _, rec := range records {
		if !rec.gone {
			live = append(live, rec)
		}
	}
	fields := map[mapping.Field]bool{}
	for _, rec := range live {
		m.live = true
		for f := range rec.said {
			fields[f] = true
		}
	}
	ends := map[campus.Kind]time.Time{}
	for f := range fields {
		if slices.Contains(joined, f) || f == contract.FieldUntil || f == mapping.FieldActive || f == mapping.FieldGroups {
			continue
		}
		var best *record
		for i := range live {
			rec := &live[i]
			if len(rec.said[f]) == 0 {
				continue
			}
			switch {
			case best == nil, pins[f] == rec.source && pins[f] != best.source:
				best = rec
			case pins[f] == best.source:
			case r.compare(f, rec.source, best.source) < 0:
				best = rec
			}
		}
		m.values[f] = nil
		if best != nil {
			m.values[f], m.from[f] = best.said[f], best.source
		}
	}
	for _, f := range joined {
		if !fields[f] {
			continue
		}
		var all []string
		for _, rec := range live {
			if f == contract.FieldAffiliations && rec.said.One(mapping.FieldActive) == "false" {
				continue
			}
			all = append(all, rec.said[f]...)
		}
		slices.Sort(all)
		m.values[f] = slices.Compact(all)
	}
	for _, rec := range live {
		if rec.said.One(mapping.FieldActive) == "false" {
			continue
		}
		s := mapping.Values{contract.FieldAffiliations: rec.said[contract.FieldAffiliations], contract.FieldUntil: rec.said[contract.FieldUntil]}.Subject()
		seen := map[campus.Kind]bool{}
		for _, a := range s.Affiliations {
			if seen[a.Kind] {
				continue
			}
			seen[a.Kind] = true
			at := s.Until[a.Kind] // zero for no end
			old, there := ends[a.Kind]
			switch {
			case !there, at.IsZero(), !old.IsZero() && at.After(old):
				ends[a.Kind] = at
			}
		}
	}
	m.values[contract.FieldUntil] = nil
	for k, at := range ends {
		m.values[contract.FieldUntil] = append(m.values[contract.FieldUntil], formatUntil(k, at))
	}
	slices.Sort(m.values[contract.FieldUntil])
	return m
}

// formatUntil is how an end is stored and compared here: without a time for a tie
// that has none.
func formatUntil(k campus.Kind, at time.Time) string {
	if at.IsZero() {
		return string(k) + "|"
	}
	return string(k) + "|" + at.UTC().Format(time.RFC3339)
}

func parseUntil(text string) (campus.Kind, time.Time) {
	kind, stamp, _ := strings.Cut(text, "|")
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil { // no end
		return campus.Kind(kind), time.Time{}
	}
	return campus.Kind(kind), at
}

// overlay puts what an entry says over what its source said before: a field that it
// does not speak of stays as it was.
func overlay(old, entry mapping.Values) mapping.Values {
	said := make(mapping.Values, len(entry))
	for f, v := range old {
		said[f] = v
	}
	for f, v := range entry {
		said[f] = v
	}
	return said
}

// digest is the mark by which a record is known to be unchanged.
func (e *Engine) digest(v mapping.Values, names []string) string {
	same := make(mapping.Values, len(v)) // nothing is nothing, however it was kept
	for f, list := range v {
		if len(list) == 0 {
			list = nil
		}
		same[f] = list
	}
	if len(names) == 0 {
		names = nil
	}
	text, err := json.Marshal([]any{e.print, same, names})
	if err != nil {
		panic(fmt.Sprintf("directory: values cannot be written: %v", err)) // texts by name can
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
