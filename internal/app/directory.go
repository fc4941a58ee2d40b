package app

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/push"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// directoryCommand does from a shell what the pages of the directory do, and prints
// the same report.
type directoryCommand struct {
	Sync   directorySyncCommand   `cmd:"" help:"Read the sources and bring people, groups and units into step with them."`
	Import directoryImportCommand `cmd:"" help:"Take a CSV file over, as the source that the configuration describes."`
	Check  directoryCheckCommand  `cmd:"" help:"Say whether the sources can be read, and what a reading would change. Changes nothing."`
	Token  directoryTokenCommand  `cmd:"" help:"Keep the tokens by which programs push into the sources."`
}

// reporting is what the commands of the directory have in common.
type reporting struct {
	configured
	Lines    int    `default:"200" help:"How many lines of the report to print; 0 for all."`
	Only     string `default:"" enum:",creation,change,departure,conflict,refusal" help:"Print only lines of this kind: creation, change, departure, conflict or refusal."`
	Language string `default:"en" enum:"en,fr" help:"Language of the report."`
}

// withDirectory runs do with the engine of the directory.
func (c reporting) withDirectory(t *terminal, do func(ctx context.Context, e *register.Engine) error) error {
	return c.withHouse(t, c.Language, func(ctx context.Context, h *House) error { return do(ctx, h.directory.Sources()) })
}

// print writes what the page of a run shows. A run that was not carried out as it
// was asked for is an error, so that scripts notice.
func (c reporting) print(ctx context.Context, t *terminal, e *register.Engine, r register.Run) error {
	said := func(key string) string { return i18n.T(ctx, "directory.register."+key) }
	t.say("%s: %s", e.SourceName(ctx, r.Source), said("state."+r.State))
	for _, line := range []struct {
		key string
		n   int64
	}{
		{"run.read", r.Counts.Read}, {"run.unchanged", r.Counts.Unchanged}, {"column.creations", r.Counts.Creations}, {"column.changes", r.Counts.Changes},
		{"column.departures", r.Counts.Departures}, {"column.conflicts", r.Counts.Conflicts}, {"column.refusals", r.Counts.Refusals},
	} {
		t.say("  %-24s %9d", said(line.key), line.n)
	}
	left := cmp.Or(c.Lines, -1)
	enough := errors.New("enough")
	err := e.EachChange(ctx, r.ID, register.Filter{Kind: c.Only}, func(change register.Change) error {
		if left == 0 {
			return enough
		}
		left--
		t.say("  %-12s %-30s %-24s %s", said("kind."+change.Kind), cmp.Or(change.Name, change.Key), cmp.Or(change.Place, change.Key), register.Summary(ctx, change))
		return nil
	})
	if errors.Is(err, enough) {
		t.say("  …")
	} else if err != nil {
		return err
	}
	if r.Reason != nil {
		return r.Reason
	}
	return nil
}

type directorySyncCommand struct {
	reporting
	Source []string `help:"Read only this source. May be repeated." placeholder:"ID"`
	DryRun bool     `help:"Say what would change, and change nothing."`
	Full   bool     `help:"Read everything, though a source could tell what changed."`
}

// Run reads the sources one after the other; one that fails does not keep the
// others from being read.
func (c directorySyncCommand) Run(t *terminal) error {
	return c.withDirectory(t, func(ctx context.Context, e *register.Engine) error {
		var failed error
		list := c.Source
		if len(list) == 0 {
			list = e.Readable()
		}
		if len(list) == 0 {
			t.say("The configuration has no source that can be read. See docs/directory.md.")
		}
		for _, src := range list {
			r, err := e.Run(ctx, register.Order{Source: src, Dry: c.DryRun, Full: c.Full})
			if err == nil {
				err = c.print(ctx, t, e, r)
			}
			failed = errors.Join(failed, err)
		}
		return failed
	})
}

type directoryImportCommand struct {
	reporting
	File   string `arg:"" help:"CSV file: separated by semicolons, commas or tabulators, in UTF-8 or Windows-1252."`
	Source string `required:"" help:"Source of kind csv in the configuration." placeholder:"ID"`
	DryRun bool   `help:"Say what would change and which lines would be refused, and change nothing."`
}

// Run takes one file over.
func (c directoryImportCommand) Run(t *terminal) error {
	return c.withDirectory(t, func(ctx context.Context, e *register.Engine) error {
		path := filepath.Clean(c.File)
		r, err := e.RunFile(ctx, register.Order{Source: c.Source, Dry: c.DryRun}, filepath.Base(path), func() (io.ReadCloser, error) { return os.Open(path) })
		if err != nil {
			return err
		}
		return c.print(ctx, t, e, r)
	})
}

type directoryCheckCommand struct {
	reporting
	Source []string `help:"Look only at this source. May be repeated." placeholder:"ID"`
}

// checkTime is how long a source may take to answer.
const checkTime = time.Minute

// Run asks each source how it is, and rehearses a reading.
func (c directoryCheckCommand) Run(t *terminal) error {
	return c.withDirectory(t, func(ctx context.Context, e *register.Engine) error {
		var failed error
		list := c.Source
		if len(list) == 0 {
			list = e.Readable()
		}
		for _, src := range list {
			blocked, err := c.probe(ctx, t, e, src)
			failed = errors.Join(failed, err)
			if blocked {
				continue
			}
			r, err := e.Run(ctx, register.Order{Source: src, Dry: true})
			if err == nil {
				err = c.print(ctx, t, e, r)
			}
			failed = errors.Join(failed, err)
		}
		return failed
	})
}

// probe asks a source what it can do. It is blocked when a reading would come no
// further either: of several servers one may be down.
func (c directoryCheckCommand) probe(ctx context.Context, t *terminal, e *register.Engine, src string) (blocked bool, failed error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	steps, err := e.Probe(ctx, src)
	if err != nil {
		return true, err
	}
	for _, step := range steps {
		outcome := ""
		if step.Err != nil {
			outcome = " – failed"
			failed = errors.Join(failed, step.Err)
		}
		t.say("%s: %s: %s%s", src, step.Name, step.Detail, outcome)
	}
	return source.Blocked(steps), failed
}

// directoryTokenCommand keeps the tokens by which programs push into the directory.
type directoryTokenCommand struct {
	Add    tokenAddCommand    `cmd:"" help:"Make a token for a source of the kind scim or api. It is shown once."`
	List   tokenListCommand   `cmd:"" help:"List the tokens, without their secrets."`
	Revoke tokenRevokeCommand `cmd:"" help:"Refuse a token from now on."`
}

// withDoor runs do with the door for programs, in English.
func (c configured) withDoor(t *terminal, do func(ctx context.Context, d *push.Door) error) error {
	return c.withHouse(t, string(campus.English), func(ctx context.Context, h *House) error { return do(ctx, h.directory.Door()) })
}

type tokenAddCommand struct {
	configured
	Source string `arg:"" help:"Identifier of the source."`
	Label  string `arg:"" help:"What will use it, such as \"Entra provisioning\"."`
	Days   int    `default:"365" help:"How many days it holds: 730 at most."`
}

// Run prints the secret and nothing else, so that a script can keep it.
func (c *tokenAddCommand) Run(t *terminal) error {
	return c.withDoor(t, func(ctx context.Context, d *push.Door) error {
		_, secret, err := d.AddToken(ctx, push.Order{Source: c.Source, Label: c.Label, Days: c.Days})
		if err != nil {
			return err
		}
		t.say("%s", secret)
		return nil
	})
}

type tokenListCommand struct{ configured }

// Run prints one token a line.
func (c *tokenListCommand) Run(t *terminal) error {
	return c.withDoor(t, func(ctx context.Context, d *push.Door) error {
		tokens, err := d.Tokens(ctx)
		if err != nil {
			return err
		}
		day := func(at time.Time) string {
			if at.IsZero() {
				return "never"
			}
			return at.UTC().Format(time.DateOnly)
		}
		for _, one := range tokens {
			state := "ends " + day(one.EndsAt)
			switch {
			case !one.RevokedAt.IsZero():
				state = "revoked " + day(one.RevokedAt)
			case !one.Holds(d.Clock.Now()):
				state = "ended " + day(one.EndsAt)
			}
			used := "used " + day(one.UsedAt)
			if one.UsedFrom != "" {
				used += " from " + one.UsedFrom
			}
			t.say("%s  %-16s  made %s  %-18s  %-34s  %s", one.ID, one.Source, day(one.MadeAt), state, used, one.Label)
		}
		return nil
	})
}

type tokenRevokeCommand struct {
	configured
	ID string `arg:"" help:"Identifier of the token, as the list shows it."`
}

// Run revokes it.
func (c *tokenRevokeCommand) Run(t *terminal) error {
	return c.withDoor(t, func(ctx context.Context, d *push.Door) error { return d.RevokeToken(ctx, nil, c.ID) })
}

// securityJournal is the journal of accounts, for who lets programs into the directory.
type securityJournal struct{ *journal.Journal }

// Note implements push.Journal.
func (j securityJournal) Note(ctx context.Context, tx db.Tx, r *http.Request, kind string, facts map[string]string) error {
	if r == nil { // the command line, or nobody
		return j.Write(ctx, tx, journal.Event{Kind: kind, Facts: facts})
	}
	return j.Record(ctx, tx, r, kind, facts)
}

// NoteDecision implements register.Journal.
func (j securityJournal) NoteDecision(ctx context.Context, tx db.Tx, by, about campus.PersonID, kind string, facts map[string]string) error {
	return j.Write(ctx, tx, journal.Event{Person: about, Actor: by, Kind: kind, Facts: facts})
}
