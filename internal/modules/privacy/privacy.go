// Package privacy is the room of what is held about people: what each room and each
// connected service keeps, export, erasure and rectification, and the register of
// processing.
package privacy

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/archive"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// Module is the room.
type Module struct {
	Deps
	config   Config
	archives *archive.Archives
	erasures *erasure.Engine
}

var (
	_ contract.Module       = (*Module)(nil)
	_ contract.Eraser       = (*Module)(nil)
	_ contract.JobOwner     = (*Module)(nil)
	_ contract.Looks        = (*Module)(nil)
	_ contract.Navigator    = (*Module)(nil)
	_ contract.PersonalData = (*Module)(nil)
)

// New opens the room.
func New(d Deps, c Config) *Module {
	m := &Module{Deps: d, config: c}
	m.archives = archive.New(archive.Deps{
		DB: d.DB, Clock: d.Clock, Log: d.Log, Texts: d.Texts, Files: d.Files, Rooms: d.Rooms, Register: d.Register, Tell: m.tellReady,
		Keep: c.KeepExports, PerDay: c.ExportsPerDay, InstitutionFrench: d.InstitutionFrench, InstitutionEnglish: d.InstitutionEnglish,
	})
	m.erasures = erasure.New(erasure.Deps{DB: d.DB, Clock: d.Clock, Log: d.Log, Texts: d.Texts, Keys: d.Keys, Register: d.Register, Rooms: d.Rooms})
	return m
}

// Name is "privacy".
func (m *Module) Name() string { return "privacy" }

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the room's schema steps.
func (m *Module) Migrations() fs.FS {
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return steps
}

//go:embed locales/*.toml
var locales embed.FS

// Locales are the room's sentences.
func (m *Module) Locales() fs.FS { return locales }

// Erasures is what ends personal data, for the command line.
func (m *Module) Erasures() *erasure.Engine { return m.erasures }

// Archives makes copies of personal data, for the command line.
func (m *Module) Archives() *archive.Archives { return m.archives }

// Jobs registers the room's jobs.
func (m *Module) Jobs(r *jobs.Registry) {
	m.archives.Jobs(r)
	m.erasures.Jobs(r)
	r.EveryWith("privacy.propose_due", 24*time.Hour, m.proposeDue, jobs.Policy{Timeout: time.Hour})
	r.Every("privacy.forget_looks", 24*time.Hour, m.forgetLooks)
}

func (m *Module) proposeDue(ctx context.Context) error {
	proposed, ordered, err := m.erasures.ProposeDue(ctx, m.config.Due == dueAutomatic, m.config.DueAtMost)
	if proposed > 0 {
		m.Log.InfoContext(ctx, "data is due for erasure", "proposed", proposed, "ordered", ordered)
	}
	return err
}

// Nav leads everybody to their own data, and the officer to the requests.
func (m *Module) Nav(ctx context.Context, v campus.Viewer) []contract.NavItem {
	items := []contract.NavItem{{Label: i18n.T(ctx, "privacy.nav.mine"), URL: "/privacy", Icon: "lock", Group: 9}}
	if v.Can(campus.RightPrivacy) {
		desk := contract.NavItem{Label: i18n.T(ctx, "privacy.nav.desk"), URL: "/privacy/desk", Icon: "lock", Group: 2}
		// The way there without its number is better than none.
		if n, err := sqlgen.New(m.DB.Read()).CountRequests(ctx, m.DB.Now()); err == nil {
			desk.Count = int(n.Open)
		} else {
			m.Log.WarnContext(ctx, "count requests", "error", err)
		}
		items = append(items, desk)
	}
	return items
}

// Erase implements [contract.Eraser]: the copies that wait in the file store.
func (m *Module) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	n, err := m.archives.DropAll(ctx, who.ID)
	if err != nil || n == 0 {
		return nil, err
	}
	return []contract.Erased{{Table: "files", Fate: contract.Deleted, Rows: n}}, nil
}

// names are what people are called, for agents; who is gone is named by nothing.
func (m *Module) names(ctx context.Context, ids ...campus.PersonID) (map[campus.PersonID]string, error) {
	known, err := m.Register.KnownPeople(ctx, ids)
	if err != nil {
		return nil, err
	}
	names := make(map[campus.PersonID]string, len(known))
	for who, k := range known {
		names[who] = displayName(k)
	}
	return names, nil
}

func displayName(k contract.Known) string {
	return campus.Viewer{GivenName: k.Subject.GivenName, FamilyName: k.Subject.FamilyName, Login: k.Subject.Login}.DisplayName()
}

// who finds one person.
func (m *Module) who(ctx context.Context, person campus.PersonID) (contract.Known, error) {
	known, err := m.Register.KnownPeople(ctx, []campus.PersonID{person})
	if err != nil {
		return contract.Known{}, err
	}
	k, ok := known[person]
	if !ok {
		return contract.Known{}, erasure.PersonMissing
	}
	return k, nil
}

// byLogin finds one person by what they sign in with.
func (m *Module) byLogin(ctx context.Context, login string) (campus.PersonID, error) {
	found, err := m.Register.FindPeople(ctx, contract.FieldLogin, []string{login})
	if err != nil {
		return "", err
	}
	who, ok := found[login]
	if !ok {
		return "", erasure.PersonMissing
	}
	return who, nil
}
