package privacy

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// maxWhy is how much of a reason is kept with a look, in bytes.
const maxWhy = 300

// Looked implements [contract.Looks].
func (m *Module) Looked(ctx context.Context, l contract.Look) error {
	if l.By == l.About || l.By == "" || l.About == "" {
		return nil
	}
	why := l.Why
	for len(why) > maxWhy {
		_, last := utf8.DecodeLastRuneInString(why)
		why = why[:len(why)-last]
	}
	err := m.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).NoteLook(ctx, sqlgen.NoteLookParams{
			ID: id.New(), PersonID: string(l.About), AgentID: string(l.By), AsRight: string(l.As), What: l.What, Why: why,
			Day: tx.Now().Time().In(m.Zone).Format(time.DateOnly), FirstAt: tx.Now(),
		})
	})
	if err != nil {
		return fmt.Errorf("note who looked: %w", err)
	}
	return nil
}

// look is one line of who looked.
type look struct {
	ID        string
	Agent     campus.PersonID
	As        campus.Right
	What, Why string
	First     time.Time
	Last      time.Time
	Times     int
}

// looksShown is how many lines the page of the person lists.
const looksShown = 100

// looksAt are the newest looks at somebody's file.
func (m *Module) looksAt(ctx context.Context, who campus.PersonID) ([]look, error) {
	rows, err := sqlgen.New(m.DB.Read()).LooksAt(ctx, sqlgen.LooksAtParams{PersonID: string(who), Size: looksShown})
	if err != nil {
		return nil, fmt.Errorf("list who looked: %w", err)
	}
	return looksOf(rows), nil
}

func looksOf(rows []sqlgen.PrivacyLook) []look {
	list := make([]look, len(rows))
	for i, r := range rows {
		list[i] = look{r.ID, campus.PersonID(r.AgentID), campus.Right(r.AsRight), r.What, r.Why, r.FirstAt.Time(), r.LastAt.Time(), int(r.Times)}
	}
	return list
}

// forgetLooks deletes what is older than people can read.
func (m *Module) forgetLooks(ctx context.Context) error {
	for {
		var n int64
		err := m.DB.InTx(ctx, func(tx db.Tx) (err error) {
			n, err = sqlgen.New(tx).ForgetLooks(ctx, tx.Now().Add(-m.config.KeepLooks))
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old looks: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}
