package directory

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/modules/directory/source/csvsource"
	"github.com/amphi-campus/amphi/internal/modules/directory/source/ldapsource"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// feeds are the sources of the configuration, ready to be read.
func (m *Module) feeds() []register.Feed {
	var feeds []register.Feed
	for _, c := range m.config.Sources {
		mapped, err := mapping.New(c, m.Zone)
		if err != nil { // the check of the configuration says so before
			m.Log.Error("a source of the directory is left out", "source", c.ID, "error", err)
			continue
		}
		f := register.Feed{Config: c, Mapper: mapped}
		switch c.Kind {
		case source.KindLDAP:
			f.Open = func() (source.Reader, error) { return ldapsource.New(c, mapped.Attributes) }
		case source.KindCSV:
			f.Upload = func(name string, open func() (io.ReadCloser, error)) source.Reader {
				return csvsource.Upload(c, mapped.Attributes(source.Person), name, open)
			}
			if c.CSV.File != "" {
				f.Open = func() (source.Reader, error) {
					return csvsource.File(c, mapped.Attributes(source.Person)), nil
				}
			}
		}
		feeds = append(feeds, f)
	}
	return feeds
}

// officers are those who keep the directory.
func (m *Module) officers(ctx context.Context) ([]campus.PersonID, error) {
	if m.Roll == nil {
		return nil, nil
	}
	return m.Roll.HoldersOf(ctx, campus.RightDirectory)
}

// bridge takes over into entries, units and groups what the register merges.
type bridge struct {
	groups  *group.Groups
	sources []source.Config
}

// mine reports whether a source may say who is in a group: one that is its own, or of
// a source that is no more. Groups open doors; a source that brings guests must not
// put them into those of another.
func (b bridge) mine(g group.Group, src string) bool {
	return g.Kind == group.FromSource && b.speaks(src, g.Source)
}

// speaks reports whether a source may speak of what came from another: of its own, and
// of what a source has left that is no more.
func (b bridge) speaks(src, of string) bool {
	return src == of || !slices.ContainsFunc(b.sources, func(c source.Config) bool { return c.ID == of && !c.Off })
}

var (
	_ register.Entries = bridge{}
	_ register.Units   = bridge{}
	_ register.Groups  = bridge{}
)

// PutEntry implements [register.Entries].
func (bridge) PutEntry(ctx context.Context, tx db.Tx, who campus.PersonID, v mapping.Values, manager campus.PersonID, src string) error {
	known, err := entry.Profiles(ctx, tx, []campus.PersonID{who})
	if err != nil {
		return err
	}
	p := known[who] // hours, substitutes and the like are no matter of the sources
	p.Unlisted, p.Manager = v.One(mapping.FieldListed) == "false", manager
	p.Campus, p.Photo = "", ""
	if digest := v.One(mapping.FieldPhoto); digest != "" {
		if p.Photo, err = entry.PhotoOf(ctx, tx, digest); err != nil {
			return err
		}
	}
	// A field of which no source speaks stays as it was entered.
	if said, spoken := v[mapping.FieldOffice]; spoken {
		p.Office = strings.Join(said, " ")
	}
	if said, spoken := v[mapping.FieldBuilding]; spoken {
		p.Building = strings.Join(said, " ")
	}
	if said, spoken := v[mapping.FieldPhone]; spoken {
		p = p.With(entry.PartDesk, strings.Join(said, ", "))
	}
	if said, spoken := v[mapping.FieldFunctions]; spoken {
		p.Functions = functionsOf(said)
	}
	for _, a := range v.Subject().Affiliations {
		if p.Campus == "" {
			p.Campus = a.Campus
		}
	}
	if before, there := known[who]; there && before.Equal(p) {
		return nil
	}
	return entry.Put(ctx, tx, who, p, src)
}

// functionsOf are the functions that sources say, in words.
func functionsOf(said []string) []entry.Function {
	var functions []entry.Function
	for _, text := range said {
		f, ok := mapping.ParseFunction(text)
		if !ok {
			continue
		}
		if named, known := entry.RoleNamed(f.Role); known {
			named.Unit = f.Unit
			functions = append(functions, named)
		}
	}
	return functions
}

// PutUnit implements [register.Units]. What an institution has written beside it
// stays.
func (b bridge) PutUnit(ctx context.Context, tx db.Tx, code string, v mapping.Values, src string) error {
	of, err := unit.SourceOf(ctx, tx, code)
	if err != nil {
		return err
	}
	if !b.speaks(src, of) {
		return unit.Owned.With(map[string]any{"code": code})
	}
	chart, err := unit.Said(ctx, tx)
	if err != nil {
		return err
	}
	u, _ := chart.Of(code)
	u.Code, u.Parent, u.NameFrench = code, v.One(mapping.FieldParent), v.One(mapping.FieldName)
	if kind := unit.Kind(v.One(mapping.FieldType)); kind.Valid() {
		u.Kind = kind
	}
	for f, into := range map[mapping.Field]*string{
		mapping.FieldDescription: &u.AboutFrench, mapping.FieldPhone: &u.Phone, contract.FieldMail: &u.Mail, mapping.FieldAddress: &u.Place,
	} {
		if text := v.One(f); text != "" {
			*into = text
		}
	}
	return unit.Put(ctx, tx, u, src)
}

// UnitGone implements [register.Units].
func (b bridge) UnitGone(ctx context.Context, tx db.Tx, code, src string) error {
	if of, err := unit.SourceOf(ctx, tx, code); err != nil || !b.speaks(src, of) {
		return err // another source speaks of it
	}
	return unit.Remove(ctx, tx, code)
}

// PutGroup implements [register.Groups].
func (b bridge) PutGroup(ctx context.Context, code string, v mapping.Values, listed bool, people []campus.PersonID, groups []string, src string) error {
	g, err := b.groups.ByCode(ctx, code)
	if err != nil && !errors.Is(err, group.Missing) {
		return err
	}
	if err == nil && !b.mine(g, src) {
		return group.Owned.With(map[string]any{"code": code})
	}
	g.Code, g.NameFrench, g.About = code, v.One(mapping.FieldName), v.One(mapping.FieldDescription)
	if g.NameFrench == "" {
		g.NameFrench = code
	}
	if !listed {
		g.Kind, g.Source = group.FromSource, src
		return b.groups.DB.InTx(ctx, func(tx db.Tx) error { return b.groups.Put(ctx, tx, g, "") })
	}
	return b.groups.Sync(ctx, src, g, people, groups)
}

// GroupGone implements [register.Groups].
func (b bridge) GroupGone(ctx context.Context, code, src string) error {
	g, err := b.groups.ByCode(ctx, code)
	if errors.Is(err, group.Missing) || err == nil && (g.Kind != group.FromSource || g.Source != src) {
		return nil // somebody took it over
	}
	if err != nil {
		return err
	}
	return b.groups.DB.InTx(ctx, func(tx db.Tx) error { return b.groups.Remove(ctx, tx, code) })
}

// Move implements [register.Groups]. A group that is kept by hand, by a rule or by
// another source stays as it is, and so does a code that no group can have.
func (b bridge) Move(ctx context.Context, tx db.Tx, who campus.PersonID, join, leave []string, src string) error {
	for _, code := range slices.Concat(join, leave) {
		if !group.ValidCode(code) {
			continue
		}
		g, err := b.groups.ByCode(ctx, code)
		if err != nil && !errors.Is(err, group.Missing) {
			return err
		}
		if err == nil && !b.mine(g, src) {
			continue
		}
		in := slices.Contains(join, code)
		if err != nil { // not there yet, or made a moment ago in this transaction
			if !in {
				continue
			}
			if err := b.groups.Put(ctx, tx, group.Group{Code: code, Kind: group.FromSource, NameFrench: code, Source: src}, ""); err != nil {
				return err
			}
		}
		var add, drop []campus.PersonID
		if in {
			add = []campus.PersonID{who}
		} else {
			drop = []campus.PersonID{who}
		}
		if err := b.groups.Change(ctx, tx, code, add, drop); err != nil {
			return err
		}
	}
	return nil
}
