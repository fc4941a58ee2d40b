package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
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

// bySecretariat is the source of a registration that the secretariat changed.
const bySecretariat = "secretariat"

// ExtendIn moves the end of a registration in the name of the secretariat, in the
// caller's transaction, from the end that was shown to a later one, and writes it
// into the journal. A source that says otherwise has the last word when it is
// read again.
func (l *Lifecycle) ExtendIn(ctx context.Context, tx db.Tx, by campus.Viewer, who campus.PersonID, kind campus.Kind, was, until time.Time, e journal.Event) error {
	if until.IsZero() || was.IsZero() || !until.After(was) {
		return RegisteredLonger
	}
	return l.move(ctx, tx, by, who, kind, was, until, "registration_extended", e)
}

// ShortenIn takes back what [Lifecycle.ExtendIn] did.
func (l *Lifecycle) ShortenIn(ctx context.Context, tx db.Tx, by campus.Viewer, who campus.PersonID, kind campus.Kind, was, until time.Time, e journal.Event) error {
	return l.move(ctx, tx, by, who, kind, until, was, "registration_shortened", e)
}

func (l *Lifecycle) move(ctx context.Context, tx db.Tx, by campus.Viewer, who campus.PersonID, kind campus.Kind, from, to time.Time, event string, e journal.Event) error {
	if _, err := l.lookedAfter(ctx, by, who); err != nil {
		return err
	}
	n, err := sqlgen.New(tx).MoveRegistration(ctx, sqlgen.MoveRegistrationParams{
		PersonID: string(who), Kind: string(kind), OldUntilAt: db.At(from), UntilAt: db.At(to), Source: bySecretariat, ChangedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("move the end of a registration: %w", err)
	}
	if n == 0 {
		return RegistrationChanged
	}
	e.Actor = by.Person
	return l.write(ctx, tx, e, who, event, map[string]string{"kind": string(kind), "until": LastDay(to).In(l.Zone).Format(dayLayout)})
}

// Ends are when people's registrations of one kind end; a zero time has no end.
// Who has none is left out.
func (l *Lifecycle) Ends(ctx context.Context, ids []campus.PersonID, kind campus.Kind) (map[campus.PersonID]time.Time, error) {
	ends := map[campus.PersonID]time.Time{}
	if len(ids) == 0 {
		return ends, nil
	}
	rows, err := l.DB.Read().QueryContext(ctx, "SELECT person_id, until_at FROM identity_registrations WHERE kind = $1 AND person_id IN "+db.In(len(ids), 2), append([]any{string(kind)}, texts(ids)...)...)
	if err != nil {
		return nil, fmt.Errorf("read registrations: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var who campus.PersonID
		var until db.Time
		if err := rows.Scan(&who, &until); err != nil {
			return nil, fmt.Errorf("read registrations: %w", err)
		}
		ends[who] = until.Time()
	}
	return ends, rows.Err()
}

// texts are identifiers as arguments of a query.
func texts(ids []campus.PersonID) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = string(id)
	}
	return args
}
