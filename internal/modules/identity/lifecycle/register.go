package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Registration is until when somebody belongs to the institution in one way.
type Registration struct {
	Kind      campus.Kind
	Until     time.Time // zero for no end
	Source    string    // who said so: "import", "command line"
	ChangedAt time.Time
}

// Register says until when somebody is registered; the zero time means without
// an end. An import calls it for every line, as often as it runs.
func Register(ctx context.Context, tx db.Tx, who campus.PersonID, kind campus.Kind, until time.Time, source string) error {
	if !slices.Contains(campus.Kinds, kind) {
		return KindForm.With(fault.Args{"kind": string(kind)})
	}
	err := sqlgen.New(tx).SetRegistration(ctx, sqlgen.SetRegistrationParams{
		PersonID: string(who), Kind: string(kind), UntilAt: db.At(until), Source: source, ChangedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("write the registration: %w", err)
	}
	return nil
}

// Registrations are somebody's, by kind.
func (l *Lifecycle) Registrations(ctx context.Context, who campus.PersonID) ([]Registration, error) {
	rows, err := sqlgen.New(l.DB.Read()).RegistrationsOf(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("read registrations: %w", err)
	}
	list := make([]Registration, len(rows))
	for i, r := range rows {
		list[i] = Registration{Kind: campus.Kind(r.Kind), Until: r.UntilAt.Time(), Source: r.Source, ChangedAt: r.ChangedAt.Time()}
	}
	return list, nil
}

// Gone is a registration that its source no longer speaks of.
type Gone struct {
	Person campus.PersonID
	Login  string
	Kind   campus.Kind
}

// Missing are the registrations by a source that has not ended and that the
// newest word of the source leaves out, by person.
func (l *Lifecycle) Missing(ctx context.Context, source string, still func(campus.PersonID, campus.Kind) bool) ([]Gone, error) {
	var gone []Gone
	now := db.At(l.Clock.Now())
	for page := (sqlgen.OpenRegistrationsParams{Source: source, Now: now}); ; {
		rows, err := sqlgen.New(l.DB.Read()).OpenRegistrations(ctx, page)
		if err != nil {
			return nil, fmt.Errorf("list registrations: %w", err)
		}
		if len(rows) == 0 {
			return gone, nil
		}
		for _, r := range rows {
			page.AfterPerson, page.AfterKind = r.PersonID, r.Kind
			if g := (Gone{campus.PersonID(r.PersonID), r.Login, campus.Kind(r.Kind)}); !still(g.Person, g.Kind) {
				gone = append(gone, g)
			}
		}
	}
}
