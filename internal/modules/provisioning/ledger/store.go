package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Ledger is the ledger in the database.
type Ledger struct{ db *db.DB }

// New is the ledger of a database.
func New(d *db.DB) *Ledger { return &Ledger{db: d} }

func (l *Ledger) read() *sqlgen.Queries { return sqlgen.New(l.db.Read()) }

// Note remembers, in the transaction of a change, that somebody is to be looked at.
func (l *Ledger) Note(ctx context.Context, tx db.Tx, who campus.PersonID) error {
	err := sqlgen.New(tx).NotePerson(ctx, sqlgen.NotePersonParams{Person: string(who), Mark: id.New(), NotedAt: tx.Now()})
	if err != nil {
		return fmt.Errorf("note that %s changed: %w", who, err)
	}
	return nil
}

// NoteAgain remembers that many are to be looked at, after those of whom
// something changed.
func (l *Ledger) NoteAgain(ctx context.Context, tx db.Tx, many []campus.PersonID) error {
	q := sqlgen.New(tx)
	for _, who := range many {
		if err := q.NoteAgain(ctx, sqlgen.NoteAgainParams{Person: string(who), Mark: id.New(), NotedAt: tx.Now()}); err != nil {
			return fmt.Errorf("note %s: %w", who, err)
		}
	}
	return nil
}

// Noted is somebody to be looked at. Mark is another one for every change.
type Noted struct {
	Person campus.PersonID
	Mark   string
	// Again says that nothing changed: everybody is looked at.
	Again bool
}

// NotedPeople are the next to be looked at.
func (l *Ledger) NotedPeople(ctx context.Context, most int) ([]Noted, error) {
	rows, err := l.read().Noted(ctx, int32(most))
	if err != nil {
		return nil, fmt.Errorf("read who changed: %w", err)
	}
	noted := make([]Noted, len(rows))
	for i, r := range rows {
		noted[i] = Noted{campus.PersonID(r.Person), r.Mark, r.Turn != 0}
	}
	return noted, nil
}

// NotedSince is since when somebody is to be looked at; none when they are not.
func (l *Ledger) NotedSince(ctx context.Context, who campus.PersonID) ([]time.Time, error) {
	rows, err := l.read().NotedSince(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("read whether %s is to be looked at: %w", who, err)
	}
	since := make([]time.Time, len(rows))
	for i, at := range rows {
		since[i] = at.Time()
	}
	return since, nil
}

// CountNoted is how many are still to be looked at.
func (l *Ledger) CountNoted(ctx context.Context) (int64, error) {
	n, err := l.read().CountNoted(ctx)
	if err != nil {
		return 0, fmt.Errorf("count who changed: %w", err)
	}
	return n, nil
}

// CountNotedAgain is how many of them are looked at because everybody is.
func (l *Ledger) CountNotedAgain(ctx context.Context) (int64, error) {
	n, err := l.read().CountNotedAgain(ctx)
	if err != nil {
		return 0, fmt.Errorf("count who is looked at again: %w", err)
	}
	return n, nil
}

// Take takes a note away; false when somebody else did, or when the person
// changed again meanwhile: then what was read of them must not be used.
func (l *Ledger) Take(ctx context.Context, tx db.Tx, n Noted) (bool, error) {
	rows, err := sqlgen.New(tx).TakeNoted(ctx, sqlgen.TakeNotedParams{Person: string(n.Person), Mark: n.Mark})
	if err != nil {
		return false, fmt.Errorf("take the note of %s: %w", n.Person, err)
	}
	return rows == 1, nil
}

// Of is somebody's line for a target; ok is false when there is none.
func (l *Ledger) Of(ctx context.Context, q db.Querier, target string, who campus.PersonID) (a Account, ok bool, err error) {
	row, err := sqlgen.New(q).Account(ctx, sqlgen.AccountParams{TargetID: target, Person: string(who)})
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, false, nil
	}
	if err != nil {
		return Account{}, false, fmt.Errorf("read the account of %s in %s: %w", who, target, err)
	}
	return Account{row}, true, nil
}

// OfPerson are all of somebody's lines, by target.
func (l *Ledger) OfPerson(ctx context.Context, who campus.PersonID) (map[string]Account, error) {
	rows, err := l.read().PersonAccounts(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("read the accounts of %s: %w", who, err)
	}
	accounts := make(map[string]Account, len(rows))
	for _, r := range rows {
		accounts[r.TargetID] = Account{r}
	}
	return accounts, nil
}

// Put writes a line.
func (l *Ledger) Put(ctx context.Context, tx db.Tx, a Account) error {
	if err := sqlgen.New(tx).PutAccount(ctx, sqlgen.PutAccountParams(a.ProvisioningAccount)); err != nil {
		return fmt.Errorf("write the account of %s in %s: %w", a.Person, a.TargetID, err)
	}
	return nil
}

// DueNow are the lines of a target that a worker does next; without closing, those
// that close an account are left out.
func (l *Ledger) DueNow(ctx context.Context, target string, closing bool, most int) ([]Account, error) {
	rows, err := l.read().DueAccounts(ctx, sqlgen.DueAccountsParams{TargetID: target, NowAt: l.db.Now(), Closing: closing, Most: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("read what is due in %s: %w", target, err)
	}
	return accountsOf(rows), nil
}

// After are lines of a target in the order of their people, for going through all
// of them.
func (l *Ledger) After(ctx context.Context, target string, after campus.PersonID, most int) ([]Account, error) {
	rows, err := l.read().LedgerAfter(ctx, sqlgen.LedgerAfterParams{TargetID: target, Person: string(after), Limit: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("read the ledger of %s: %w", target, err)
	}
	return accountsOf(rows), nil
}

// PeopleAfter are the people of the ledger, in order.
func (l *Ledger) PeopleAfter(ctx context.Context, after campus.PersonID, most int) ([]campus.PersonID, error) {
	rows, err := l.read().PeopleAfter(ctx, sqlgen.PeopleAfterParams{Person: string(after), Limit: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("read the people of the ledger: %w", err)
	}
	people := make([]campus.PersonID, len(rows))
	for i, p := range rows {
		people[i] = campus.PersonID(p)
	}
	return people, nil
}

func accountsOf(rows []sqlgen.ProvisioningAccount) []Account {
	list := make([]Account, len(rows))
	for i, r := range rows {
		list[i] = Account{r}
	}
	return list
}

// Ahead is how many come before a line in the queue of its target.
func (l *Ledger) Ahead(ctx context.Context, a Account) (int64, error) {
	n, err := l.read().Ahead(ctx, sqlgen.AheadParams{TargetID: a.TargetID, NowAt: l.db.Now(), TodoOrder: a.TodoOrder, DueAt: a.DueAt})
	if err != nil {
		return 0, fmt.Errorf("count who comes before %s: %w", a.Person, err)
	}
	return n, nil
}

// Exchange is what was said to a service about somebody, without the words.
type Exchange struct {
	Target         string
	Person         campus.PersonID
	Act            string
	Reason, Detail string // empty when it went well
	Took           time.Duration
	At             time.Time
}

// AddExchange keeps an exchange.
func (l *Ledger) AddExchange(ctx context.Context, tx db.Tx, e Exchange) error {
	err := sqlgen.New(tx).AddExchange(ctx, sqlgen.AddExchangeParams{
		ID: id.New(), TargetID: e.Target, Person: string(e.Person), Act: e.Act, Reason: e.Reason, Detail: e.Detail, Took: e.Took.Microseconds(), DoneAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("keep an exchange: %w", err)
	}
	return nil
}

// Exchanges are the last ones about somebody with a target, newest first.
func (l *Ledger) Exchanges(ctx context.Context, target string, who campus.PersonID, most int) ([]Exchange, error) {
	rows, err := l.read().Exchanges(ctx, sqlgen.ExchangesParams{TargetID: target, Person: string(who), Limit: int32(most)})
	if err != nil {
		return nil, fmt.Errorf("read exchanges: %w", err)
	}
	return exchangesOf(rows), nil
}

// AllExchanges are those about somebody, oldest first.
func (l *Ledger) AllExchanges(ctx context.Context, who campus.PersonID) ([]Exchange, error) {
	rows, err := l.read().PersonExchanges(ctx, string(who))
	if err != nil {
		return nil, fmt.Errorf("read exchanges: %w", err)
	}
	return exchangesOf(rows), nil
}

func exchangesOf(rows []sqlgen.ProvisioningExchange) []Exchange {
	list := make([]Exchange, len(rows))
	for i, r := range rows {
		list[i] = Exchange{r.TargetID, campus.PersonID(r.Person), r.Act, r.Reason, r.Detail, time.Duration(r.Took) * time.Microsecond, r.DoneAt.Time()}
	}
	return list
}

// pruneAtOnce is how many rows one transaction deletes.
const pruneAtOnce = 500

// Prune forgets exchanges that are older than kept.
func (l *Ledger) Prune(ctx context.Context, kept time.Duration) error {
	before := l.db.Now().Add(-kept)
	for n := int64(pruneAtOnce); n == pruneAtOnce; {
		err := l.db.InTx(ctx, func(tx db.Tx) (err error) {
			n, err = sqlgen.New(tx).PruneExchanges(ctx, sqlgen.PruneExchangesParams{DoneAt: before, Limit: pruneAtOnce})
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old exchanges: %w", err)
		}
	}
	return nil
}
