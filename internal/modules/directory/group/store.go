package group

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/group/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/directory/stamp"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// codeShape keeps codes apart from what ends lists and addresses: services get them
// as they are. A repetition of all letters that is counted would take ten megabytes.
var codeShape = regexp.MustCompile(`^[\pL\pN][\pL\pN._:@+-]*$`)

// longestCode bounds a code, in characters.
const longestCode = 200

// ValidCode reports whether a group may have this code.
func ValidCode(code string) bool {
	return utf8.RuneCountInString(code) <= longestCode && codeShape.MatchString(code)
}

// Put adds a group or changes what it is called and how its members are found; its
// members stay. By is who did it, or "" for a source. The members of a rule follow
// in a job.
func (g *Groups) Put(ctx context.Context, tx db.Tx, group Group, by campus.PersonID) error {
	group.NameFrench, group.NameEnglish, group.About = campus.OneLine(group.NameFrench), campus.OneLine(group.NameEnglish), campus.OneLine(group.About)
	if !ValidCode(group.Code) || group.NameFrench == "" && group.NameEnglish == "" {
		return Malformed.With(fault.Args{"code": group.Code})
	}
	rule := ""
	if group.Kind == ByRule {
		text, err := json.Marshal(group.Rule)
		if err != nil {
			return fmt.Errorf("write the rule of group %s: %w", group.Code, err)
		}
		rule = string(text)
	}
	err := sqlgen.New(tx).PutGroup(ctx, sqlgen.PutGroupParams{
		Code: group.Code, Kind: string(group.Kind), NameFrench: group.NameFrench, NameEnglish: group.NameEnglish, About: group.About,
		Rule: rule, Open: group.Open, Source: group.Source, ChangedBy: string(by), ChangedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("keep group %s: %w", group.Code, err)
	}
	if group.Kind == ByRule {
		return enqueueFill(ctx, tx, group.Code)
	}
	return nil
}

// Remove deletes a group: its members are in it no more, and neither is the group in
// others. One that is not there is fine.
func (g *Groups) Remove(ctx context.Context, tx db.Tx, code string) error {
	people, err := members(ctx, tx, code)
	if err != nil {
		return err
	}
	if _, err := sqlgen.New(tx).DeleteGroup(ctx, code); err != nil {
		return fmt.Errorf("delete group %s: %w", code, err)
	}
	return g.tell(ctx, tx, people)
}

// ByCode reads one group, or Missing.
func (g *Groups) ByCode(ctx context.Context, code string) (Group, error) {
	row, err := sqlgen.New(g.DB.Read()).GroupByCode(ctx, code)
	if errors.Is(err, sql.ErrNoRows) {
		return Group{}, Missing
	}
	if err != nil {
		return Group{}, fmt.Errorf("read group %s: %w", code, err)
	}
	group := Group{Code: row.Code, Kind: Kind(row.Kind), NameFrench: row.NameFrench, NameEnglish: row.NameEnglish, About: row.About, Open: row.Open, Source: row.Source}
	if row.Rule != "" {
		if err := json.Unmarshal([]byte(row.Rule), &group.Rule); err != nil {
			return Group{}, fmt.Errorf("read the rule of group %s: %w", code, err)
		}
	}
	return group, nil
}

// Listed is a group with the size of its direct membership.
type Listed struct {
	Group
	People, Nested int
}

// All lists every group, by code.
func (g *Groups) All(ctx context.Context) ([]Listed, error) {
	rows, err := sqlgen.New(g.DB.Read()).AllGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the groups: %w", err)
	}
	list := make([]Listed, len(rows))
	for i, r := range rows {
		list[i] = Listed{People: int(r.People), Nested: int(r.Nested), Group: Group{
			Code: r.Code, Kind: Kind(r.Kind), NameFrench: r.NameFrench, NameEnglish: r.NameEnglish, About: r.About, Open: r.Open, Source: r.Source,
		}}
		if r.Rule == "" {
			continue
		}
		if err := json.Unmarshal([]byte(r.Rule), &list[i].Rule); err != nil {
			return nil, fmt.Errorf("read the rule of group %s: %w", r.Code, err)
		}
	}
	return list, nil
}

// GroupsOf are the codes of the groups that somebody is in, directly or through
// another group, in order.
func (g *Groups) GroupsOf(ctx context.Context, who campus.PersonID) ([]string, error) {
	codes, err := sqlgen.New(g.DB.Read()).GroupsOf(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("list the groups of %s: %w", who, err)
	}
	return codes, nil
}

// Members are the people in a group, directly or through another group.
func (g *Groups) Members(ctx context.Context, code string) ([]campus.PersonID, error) {
	return members(ctx, g.DB.Read(), code)
}

// Direct are the people in a group itself, and the groups in it.
func (g *Groups) Direct(ctx context.Context, code string) (people []campus.PersonID, nested []string, err error) {
	q := sqlgen.New(g.DB.Read())
	ids, err := q.DirectPeople(ctx, code)
	if err == nil {
		nested, err = q.Nested(ctx, code)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("list the members of %s: %w", code, err)
	}
	return persons(ids), nested, nil
}

// Holding are the groups that a group is in directly.
func (g *Groups) Holding(ctx context.Context, code string) ([]string, error) {
	codes, err := sqlgen.New(g.DB.Read()).Holding(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("list the groups around %s: %w", code, err)
	}
	return codes, nil
}

// Change puts people into a group and takes others out. Who was in it, or was not, is
// fine. Keep both lists to a few hundred for one transaction; [Groups.Sync] does.
func (g *Groups) Change(ctx context.Context, tx db.Tx, code string, add, drop []campus.PersonID) error {
	q := sqlgen.New(tx)
	if _, err := q.GroupByCode(ctx, code); errors.Is(err, sql.ErrNoRows) {
		return Missing
	} else if err != nil {
		return fmt.Errorf("read group %s: %w", code, err)
	}
	var changed []campus.PersonID
	for _, who := range add {
		n, err := q.AddPerson(ctx, sqlgen.AddPersonParams{GroupCode: code, PersonID: string(who), AddedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("put %s into group %s: %w", who, code, err)
		}
		if n > 0 {
			changed = append(changed, who)
		}
	}
	for _, who := range drop {
		n, err := q.DropPerson(ctx, sqlgen.DropPersonParams{GroupCode: code, PersonID: string(who)})
		if err != nil {
			return fmt.Errorf("take %s out of group %s: %w", who, code, err)
		}
		if n > 0 {
			changed = append(changed, who)
		}
	}
	return g.tell(ctx, tx, changed)
}

// Nest makes a list the groups that a group holds. A group that would hold itself is
// refused with Circle, an unknown one with Missing.
func (g *Groups) Nest(ctx context.Context, tx db.Tx, code string, nested []string) error {
	q := sqlgen.New(tx)
	before, err := q.Nested(ctx, code)
	if err != nil {
		return fmt.Errorf("list the groups in %s: %w", code, err)
	}
	var touched []string
	for _, child := range nested {
		if slices.Contains(before, child) {
			continue
		}
		if _, err := q.GroupByCode(ctx, child); errors.Is(err, sql.ErrNoRows) {
			return Missing.With(fault.Args{"code": child})
		} else if err != nil {
			return fmt.Errorf("read group %s: %w", child, err)
		}
		inside, err := q.Inside(ctx, child)
		if err != nil {
			return fmt.Errorf("list what is in group %s: %w", child, err)
		}
		if slices.Contains(inside, code) {
			return Circle.With(fault.Args{"code": code, "inside": child})
		}
		if _, err := q.AddGroup(ctx, sqlgen.AddGroupParams{GroupCode: code, MemberCode: child}); err != nil {
			return fmt.Errorf("put group %s into %s: %w", child, code, err)
		}
		touched = append(touched, child)
	}
	for _, child := range before {
		if slices.Contains(nested, child) {
			continue
		}
		if _, err := q.DropGroup(ctx, sqlgen.DropGroupParams{GroupCode: code, MemberCode: child}); err != nil {
			return fmt.Errorf("take group %s out of %s: %w", child, code, err)
		}
		touched = append(touched, child)
	}
	var changed []campus.PersonID
	for _, child := range touched {
		people, err := members(ctx, tx, child)
		if err != nil {
			return err
		}
		changed = append(changed, people...)
	}
	slices.Sort(changed)
	return g.tell(ctx, tx, slices.Compact(changed))
}

// batch is how many people one transaction of a long change moves: each costs some five
// statements, and a database over the network must not exceed what a transaction may take.
const batch = 100

// Diff is what would make people the direct members of a group.
func (g *Groups) Diff(ctx context.Context, code string, people []campus.PersonID) (add, drop []campus.PersonID, err error) {
	now, _, err := g.Direct(ctx, code)
	if err != nil {
		return nil, nil, err
	}
	wanted := make(map[campus.PersonID]bool, len(people))
	for _, who := range people {
		wanted[who] = true
	}
	for _, who := range now {
		if !wanted[who] {
			drop = append(drop, who)
		}
		delete(wanted, who)
	}
	for who := range wanted {
		add = append(add, who)
	}
	slices.Sort(add)
	return add, drop, nil
}

// Sync makes a group of a source what the source says, in as many transactions as it
// takes: a change of half the members is better than none, and the next run ends it.
// It leaves a group alone that is kept by hand or by a rule, with Owned.
func (g *Groups) Sync(ctx context.Context, source string, group Group, people []campus.PersonID, nested []string) error {
	group.Kind, group.Source = FromSource, source
	before, err := g.ByCode(ctx, group.Code)
	if err != nil && !errors.Is(err, Missing) {
		return err
	}
	if err == nil && before.Kind != FromSource {
		return Owned.With(fault.Args{"code": group.Code})
	}
	group.Open = group.Open || before.Open
	err = g.DB.InTx(ctx, func(tx db.Tx) error {
		if err := g.Put(ctx, tx, group, ""); err != nil {
			return err
		}
		return g.Nest(ctx, tx, group.Code, nested)
	})
	if err != nil {
		return err
	}
	return g.fill(ctx, group.Code, people)
}

// fill makes people the direct members of a group, a batch at a time.
func (g *Groups) fill(ctx context.Context, code string, people []campus.PersonID) error {
	add, drop, err := g.Diff(ctx, code, people)
	if err != nil {
		return err
	}
	for len(add)+len(drop) > 0 {
		n := min(batch, len(add))
		m := min(batch-n, len(drop))
		if err := g.DB.InTx(ctx, func(tx db.Tx) error { return g.Change(ctx, tx, code, add[:n], drop[:m]) }); err != nil {
			return err
		}
		add, drop = add[n:], drop[m:]
	}
	return nil
}

// Forget takes somebody out of every group, when they are erased. Who is in none is not
// spoken of: others would take note of somebody who is erased already.
func (g *Groups) Forget(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	n, err := sqlgen.New(tx).DropEverywhere(ctx, string(who))
	if err != nil {
		return fmt.Errorf("take %s out of all groups: %w", who, err)
	}
	if n == 0 {
		return nil
	}
	return g.tell(ctx, tx, []campus.PersonID{who})
}

// atOnce is how many people the followers hear about in the transaction itself; the
// rest of a large change follows in jobs, so that nobody waits for it.
const atOnce = 100

// tell says that the groups of people changed.
func (g *Groups) tell(ctx context.Context, tx db.Tx, people []campus.PersonID) error {
	now := people[:min(atOnce, len(people))]
	for some := range slices.Chunk(people[len(now):], atOnce) {
		if err := enqueueTell(ctx, tx, some); err != nil {
			return err
		}
	}
	for _, who := range now {
		if err := stamp.Person(ctx, tx, who); err != nil {
			return err
		}
		for _, f := range g.Followers() {
			if err := f.PersonChanged(ctx, tx, who); err != nil {
				return fmt.Errorf("tell that the groups of %s changed: %w", who, err)
			}
		}
	}
	return nil
}

func members(ctx context.Context, q db.Querier, code string) ([]campus.PersonID, error) {
	ids, err := sqlgen.New(q).Members(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("list the members of %s: %w", code, err)
	}
	return persons(ids), nil
}

func persons(ids []string) []campus.PersonID {
	people := make([]campus.PersonID, len(ids))
	for i, id := range ids {
		people[i] = campus.PersonID(id)
	}
	return people
}

// Membership is a group that somebody is in directly, and since when.
type Membership struct {
	Group string
	Since time.Time
}

// Memberships lists the groups that somebody is in directly.
func (g *Groups) Memberships(ctx context.Context, who campus.PersonID) ([]Membership, error) {
	rows, err := sqlgen.New(g.DB.Read()).Memberships(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("list the memberships of %s: %w", who, err)
	}
	list := make([]Membership, len(rows))
	for i, r := range rows {
		list[i] = Membership{Group: r.GroupCode, Since: r.AddedAt.Time()}
	}
	return list, nil
}
