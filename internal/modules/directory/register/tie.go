package register

import (
	"context"
	"database/sql"
	"fmt"

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
