package register

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// tie goes once more over what names others, when a run has brought people: a
// manager or a member may have come after who names them.
func (w *work) tie(ctx context.Context) error {
	r, err := w.e.RunByID(ctx, w.id)
	if err != nil || r.Counts.Creations == 0 {
		return err
	}
	if w.e.Groups != nil {
		if err := w.eachRecord(ctx, source.Group, mapping.FieldMembers, w.tieGroups); err != nil {
			return err
		}
	}
	if w.e.Entries != nil {
		return w.eachRecord(ctx, source.Person, mapping.FieldManager, w.tieManagers)
	}
	return nil
}

// eachRecord hands over the records of the source that say a field, in pieces.
func (w *work) eachRecord(ctx context.Context, kind source.Kind, f mapping.Field, do func(context.Context, []record) error) error {
	for after := ""; ; {
		var list []record
		err := db.Each(ctx, w.e.DB.Read(), "SELECT "+recordColumns+` FROM directory_records
			WHERE source = $1 AND kind = $2 AND source_key > $3 AND gone_at = 0 AND said LIKE $4 ORDER BY source_key LIMIT 100`,
			[]any{w.feed.Config.ID, string(kind), after, `%"` + string(f) + `":["%`}, func(rows *sql.Rows) error {
				r, err := scanRecord(rows)
				list = append(list, r)
				return err
			})
		if err != nil {
			return fmt.Errorf("read records: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		after = list[len(list)-1].key
		if err := w.hold(ctx); err != nil {
			return err
		}
		if err := do(ctx, list); err != nil {
			return err
		}
	}
}

func (w *work) tieGroups(ctx context.Context, list []record) error {
	for _, r := range list {
		found, err := w.e.aliases(ctx, w.feed.Config.ID, append([]string{}, r.said[mapping.FieldMembers]...))
		if err != nil {
			return err
		}
		people, groups := members(r.said[mapping.FieldMembers], found)
		err = w.e.Groups.PutGroup(ctx, codeOf(r.said, r.key), r.said, true, people, groups, w.feed.Config.ID)
		if err != nil && fault.Of(err).Reason != fault.Unexpected {
			continue // the report of the group's own row has told it
		}
		if err != nil {
			return fmt.Errorf("write group %s: %w", r.key, err)
		}
	}
	return nil
}

func (w *work) tieManagers(ctx context.Context, list []record) error {
	var names []string
	var people []campus.PersonID
	for _, r := range list {
		names = append(names, r.said.One(mapping.FieldManager))
		people = append(people, r.person)
	}
	found, err := w.e.aliases(ctx, w.feed.Config.ID, names)
	if err != nil {
		return err
	}
	all, err := w.e.recordsOf(ctx, w.e.DB.Read(), people)
	if err != nil {
		return err
	}
	pins, err := w.e.pins(ctx, people)
	if err != nil {
		return err
	}
	return w.e.DB.InTx(ctx, func(tx db.Tx) error {
		for _, r := range list {
			m := w.e.ranks.merge(all[r.person], pins[r.person])
			if m.from[mapping.FieldManager] != w.feed.Config.ID {
				continue
			}
			if err := w.e.Entries.PutEntry(ctx, tx, r.person, m.values, found[m.values.One(mapping.FieldManager)].person, w.feed.Config.ID); err != nil {
				return fmt.Errorf("write the entry of %s: %w", r.person, err)
			}
		}
		return nil
	})
}

// resolve finds what the names in entries mean: managers, groups, members.
func (w *work) resolve(ctx context.Context, list []*step) error {
	var names []string
	for _, s := range list {
		o := s.now
		names = append(names, o.after.values[mapping.FieldManager]...)
		names = append(names, o.said[mapping.FieldGroups]...)
		names = append(names, o.old.said[mapping.FieldGroups]...)
		names = append(names, o.said[mapping.FieldMembers]...)
	}
	if len(names) == 0 {
		return nil
	}
	found, err := w.e.aliases(ctx, w.feed.Config.ID, names)
	if err != nil {
		return err
	}
	for _, s := range list {
		s.manager = found[s.now.after.values.One(mapping.FieldManager)].person
		was, is := groupCodes(s.now.old.said[mapping.FieldGroups], found), groupCodes(s.now.said[mapping.FieldGroups], found)
		if s.now.old.gone {
			was = nil
		}
		s.join, s.leave = without(is, was), without(was, is)
		s.members, s.nested = members(s.now.said[mapping.FieldMembers], found)
	}
	return nil
}

// groupCodes are the groups that somebody's own record names. Those that list their
// members themselves are left out; a DN that no group of the source has counts by
// its first value.
func groupCodes(names []string, found map[string]alias) (codes []string) {
	for _, n := range names {
		a, ok := found[n]
		switch {
		case ok && a.kind == source.Group && !a.listed:
			codes = append(codes, a.code)
		case ok:
		case !strings.ContainsRune(n, '='):
			codes = append(codes, n)
		default:
			first, _, _ := strings.Cut(n, ",")
			_, value, _ := strings.Cut(first, "=")
			codes = append(codes, value)
		}
	}
	return codes
}

// without is what of a list is not in another.
func without(list, other []string) (rest []string) {
	for _, v := range list {
		if !slices.Contains(other, v) {
			rest = append(rest, v)
		}
	}
	return rest
}

func members(names []string, found map[string]alias) (people []campus.PersonID, groups []string) {
	people = []campus.PersonID{}
	for _, n := range names {
		switch a := found[n]; {
		case a.person != "":
			people = append(people, a.person)
		case a.kind == source.Group:
			groups = append(groups, a.code)
		}
	}
	return people, groups
}
