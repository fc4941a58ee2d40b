// Package register is the engine of the directory. It reads what the sources say,
// finds whom they speak of, merges their words, shows what would change, stops when
// that is too much, and writes it into the register of people.
package register

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Entries keeps what the directory shows of a person beyond the register of people.
type Entries interface {
	// PutEntry takes over the merged values of somebody. Those that the register of
	// people keeps are among them. Manager is who [mapping.FieldManager] names, or "".
	PutEntry(ctx context.Context, tx db.Tx, who campus.PersonID, v mapping.Values, manager campus.PersonID, source string) error
}

// Units keeps the org chart.
type Units interface {
	// PutUnit takes over a unit by its code.
	PutUnit(ctx context.Context, tx db.Tx, code string, v mapping.Values, source string) error
	// UnitGone is told that the source has a unit no longer.
	UnitGone(ctx context.Context, tx db.Tx, code, source string) error
}

// Groups keeps groups. Its methods without a transaction take as many as they need,
// and may be called again after half of the work.
type Groups interface {
	// PutGroup takes over a group by its code. People and groups are its members when
	// listed is set; otherwise its members say it themselves.
	PutGroup(ctx context.Context, code string, v mapping.Values, listed bool, people []campus.PersonID, groups []string, source string) error
	// GroupGone is told that the source has a group no longer.
	GroupGone(ctx context.Context, code, source string) error
	// Move puts somebody into groups of a source and takes them out of others. A group
	// that is not there yet is made.
	Move(ctx context.Context, tx db.Tx, who campus.PersonID, join, leave []string, source string) error
}

// Photos keeps the pictures of the sources.
type Photos interface {
	// Keep stores a picture under the digest by which values name it. It runs outside
	// transactions, and fails with a reason when the bytes are no picture.
	Keep(ctx context.Context, digest string, picture []byte) error
	// Kept reports whether the picture is there.
	Kept(ctx context.Context, tx db.Tx, digest string) (bool, error)
}

// Mapper says a record in the words of the house; [mapping.Mapping] is one.
type Mapper interface {
	Map(source.Record) (mapping.Entry, []source.Refusal)
}

// Feed is one source of the configuration, ready to be read.
type Feed struct {
	Config source.Config
	Mapper Mapper
	// Open is its reader, made anew for each run; nil for a source that pushes.
	Open func() (source.Reader, error)
	// Upload reads a file that somebody has; nil for a source that reads none.
	Upload func(name string, open func() (io.ReadCloser, error)) source.Reader
}

// Deps is what the engine asks of its room.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Texts    *i18n.Catalogue
	Zone     *time.Location
	Register contract.Register
	Notices  contract.Notices
	// Officers are told when a run stops: those who hold [campus.RightDirectory].
	Officers func(context.Context) ([]campus.PersonID, error)
	Feeds    []Feed
	// Entries, Units and Groups may be nil: then nothing is kept of them.
	Entries Entries
	Units   Units
	Groups  Groups
	// Photos may be nil: then pictures are left out.
	Photos Photos
	// Journal keeps what those who keep the directory decide; nil keeps nothing.
	Journal Journal
}

// Journal is the journal of security: who decides here whom a record is about, or lets a
// source do more than it may, decides who gets into an account.
type Journal interface {
	// NoteDecision writes, in the caller's transaction, what somebody decided, and about
	// whom; about is empty when it is about nobody in particular.
	NoteDecision(ctx context.Context, tx db.Tx, by, about campus.PersonID, kind string, facts map[string]string) error
}

// The events of the journal, with their facts.
const (
	BudgetLifted    = "identity.directory_budget_lifted"    // source, budget
	QuestionDecided = "identity.directory_question_decided" // source, decision, reason
	RunReleased     = "identity.directory_run_released"     // run
	RunDropped      = "identity.directory_run_dropped"      // run
	ValuePinned     = "identity.directory_value_pinned"     // source, field
)

func (e *Engine) note(ctx context.Context, tx db.Tx, by campus.Viewer, about campus.PersonID, kind string, facts map[string]string) error {
	if e.Journal == nil {
		return nil
	}
	return e.Journal.NoteDecision(ctx, tx, by.Person, about, kind, facts)
}

// Engine keeps the register in step with the sources. It is safe for concurrent
// use.
type Engine struct {
	Deps
	config Config
	names  names
	ranks  ranks
	// print changes with the precedence of the sources, so that a change of the
	// configuration makes every record count as changed.
	print string
}

// New prepares the engine.
func New(d Deps, c Config) *Engine {
	e := &Engine{Deps: d, config: c, names: newNames(c.Names), ranks: rank(d.Feeds)}
	e.print = e.ranks.print()
	return e
}

// feed finds a source by its name.
func (e *Engine) feed(id string) (Feed, error) {
	for _, f := range e.Feeds {
		if f.Config.ID == id {
			return f, nil
		}
	}
	return Feed{}, SourceUnknown.With(map[string]any{"source": id})
}

// SourceName is what people call a source; one that the configuration no longer has
// keeps its identifier.
func (e *Engine) SourceName(ctx context.Context, id string) string {
	if f, err := e.feed(id); err == nil {
		return f.Config.Name(i18n.Locale(ctx))
	}
	return id
}

// t is a sentence of this alcove in the reader's language.
func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "directory.register."+key, pairs...)
}

// fieldName is what people call a field; one without a name is told as it is.
func fieldName(ctx context.Context, field string) string {
	if field == "description" { // a name that the sentences reserve
		field = "description_text"
	}
	key := "directory.register.field." + field
	if i18n.Of(ctx).Has(key) {
		return i18n.T(ctx, key)
	}
	return field
}

// Readable are the names of the sources that can be read now.
func (e *Engine) Readable() []string {
	var list []string
	for _, f := range e.Feeds {
		if f.Open != nil && !f.Config.Off {
			list = append(list, f.Config.ID)
		}
	}
	return list
}

// Probe walks to a source, as far as its kind can tell without reading everything.
func (e *Engine) Probe(ctx context.Context, src string) ([]source.Step, error) {
	feed, err := e.feed(src)
	if err != nil {
		return nil, err
	}
	if feed.Open == nil {
		return nil, SourcePushes.With(fault.Args{"source": src})
	}
	reader, err := feed.Open()
	if err != nil {
		return nil, SourceBroken.Because(err, fault.Args{"source": src})
	}
	if p, ok := reader.(source.Prober); ok {
		return p.Probe(ctx), nil
	}
	return nil, nil
}

// Routes lists the addresses of the alcove. All are for those who keep the
// directory.
func (e *Engine) Routes(r *web.Router) {
	keeper := web.Needs(campus.RightDirectory)
	r.Handle("GET /directory/sources", e.sourcesPage, keeper)
	r.Handle("POST /directory/sources/{id}/run", e.askRun, keeper)
	r.Handle("POST /directory/sources/{id}/identities", e.pass(budgetWaysIn), keeper)
	r.Handle("POST /directory/sources/{id}/creations", e.pass(budgetCreations), keeper)
	r.Handle("GET /directory/runs", e.runsPage, keeper)
	r.Handle("GET /directory/runs/{id}", e.runPage, keeper)
	r.Handle("GET /directory/runs/{id}/report.csv", e.reportCSV, keeper)
	r.Handle("POST /directory/runs/{id}/release", e.releaseRun, keeper)
	r.Handle("POST /directory/runs/{id}/drop", e.dropRun, keeper)
	r.Handle("GET /directory/conflicts", e.conflictsPage, keeper)
	r.Handle("GET /directory/conflicts/{id}", e.conflictPage, keeper)
	r.Handle("POST /directory/conflicts/{id}", e.decideConflict, keeper)
	r.Handle("GET /directory/origins/{person}", e.originsPage, keeper)
	r.Handle("POST /directory/origins/{person}", e.pinValue, keeper)
}
