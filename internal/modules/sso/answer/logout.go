package answer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// LogoutState is what became of the message to a service.
type LogoutState string

// The states. Answered is what a protocol without acknowledgement leaves: the
// service was reached and said neither yes nor no.
const (
	Waiting  LogoutState = "waiting"
	Told     LogoutState = "told"
	Answered LogoutState = "answered"
	Failed   LogoutState = "failed"
	Skipped  LogoutState = "skipped" // the service asked not to be told, or cannot be
)

// ByService is what Answer says of a session that the service itself had ended
// before we could tell it.
const ByService = "ended by the service"

// Logout is one message to one service that a session ended.
type Logout struct {
	ID         string // of the answer
	Protocol   registry.Protocol
	State      LogoutState
	Service    string
	Address    string
	Handle     string // what the service knows its session by
	Detail     string // what the protocol remembers, as JSON
	Session    string
	Person     campus.PersonID
	Attempts   int64
	Answer     string // of the service, or what went wrong
	CreatedAt  db.Time
	FinishedAt db.Time
}

// Closer tells a service of one protocol that a session ended.
type Closer interface {
	// Close sends the message once. It returns what became of it, and what the
	// service said, for the page of the service. With an error it is called again
	// later; jobs.GiveUp around the error ends that.
	Close(ctx context.Context, s *registry.Service, l Logout) (LogoutState, string, error)
}

// SessionEnded makes a message to every service that holds an answer of the
// session, in the transaction that ends it. Answers on their way are void from
// here.
func (s *Store) SessionEnded(ctx context.Context, tx db.Tx, session string) error {
	q := sqlgen.New(tx)
	if err := q.EndSession(ctx, sqlgen.EndSessionParams{ID: session, EndedAt: tx.Now()}); err != nil {
		return fmt.Errorf("note the end of session %s: %w", session, err)
	}
	opened, err := q.OpenLogouts(ctx, sqlgen.OpenLogoutsParams{Now: int64(tx.Now()), SessionID: session})
	if err != nil {
		return fmt.Errorf("end services of session %s: %w", session, err)
	}
	for _, logout := range opened {
		if err := jobs.Enqueue(ctx, tx, TellService{ID: logout.ID}, jobs.Priority(-1)); err != nil {
			return fmt.Errorf("end services of session %s: %w", session, err)
		}
	}
	if err := q.EndAnswers(ctx, session); err != nil {
		return fmt.Errorf("end answers of session %s: %w", session, err)
	}
	return nil
}

// TellService is the job that tells one service that a session ended. Its ID is
// that of the row in sso_logouts.
type TellService struct{ ID string }

// JobName is the job's name in the table of jobs.
func (TellService) JobName() string { return "sso.tell_service" }

// Teller is how messages reach services.
type Teller struct {
	Registry func(context.Context) (*registry.Index, error)
	Closers  map[registry.Protocol]Closer
	Attempts int           // before we give up
	Timeout  time.Duration // of one attempt
	// Missed is told of a service that could not be reached, after the last attempt.
	Missed func(ctx context.Context, s *registry.Service, l Logout) error
}

// Jobs sends the messages.
func (s *Store) Jobs(r *jobs.Registry, t Teller) {
	jobs.Handle(r, func(ctx context.Context, job TellService) error { return s.tell(ctx, t, job) }, jobs.Policy{
		Attempts: t.Attempts, Timeout: t.Timeout + 5*time.Second, FirstPause: 10 * time.Second, LongestPause: 15 * time.Minute,
	})
}

// tell sends one message. A service that was told twice ends a session that is not
// there any more, which is harmless.
func (s *Store) tell(ctx context.Context, t Teller, job TellService) error {
	row, err := sqlgen.New(s.db.Read()).Logout(ctx, job.ID)
	if err != nil {
		return fmt.Errorf("read sign-out %s: %w", job.ID, err)
	}
	l := logoutOf(row)
	if l.State != Waiting {
		return nil
	}
	x, err := t.Registry(ctx)
	if err != nil {
		return err
	}
	service, closer := x.Get(l.Service), t.Closers[l.Protocol]
	if service == nil || service.NoSingleLogout || closer == nil {
		return s.note(ctx, l, Skipped, "", true)
	}
	state, said, err := closer.Close(ctx, service, l)
	if err == nil {
		return s.note(ctx, l, state, said, true)
	}
	final := l.Attempts+1 >= int64(t.Attempts) || jobs.GivesUp(err)
	state = Waiting
	if final {
		state = Failed
	}
	if noted := s.note(ctx, l, state, err.Error(), final); noted != nil {
		return errors.Join(err, noted)
	}
	if final {
		return errors.Join(t.Missed(ctx, service, l), err)
	}
	return err
}

// note writes how the message fared.
func (s *Store) note(ctx context.Context, l Logout, state LogoutState, said string, finished bool) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		at := db.Time(0)
		if finished {
			at = tx.Now()
		}
		return sqlgen.New(tx).NoteLogout(ctx, sqlgen.NoteLogoutParams{ID: l.ID, State: string(state), Attempts: l.Attempts + 1, Answer: said, FinishedAt: at})
	})
}

// Finish writes what a service answered to a message that reached it by another
// way than [Closer.Close]: through the person's browser.
func (s *Store) Finish(ctx context.Context, logout string, state LogoutState, said string) error {
	row, err := sqlgen.New(s.db.Read()).Logout(ctx, logout)
	if err != nil {
		return fmt.Errorf("read sign-out %s: %w", logout, err)
	}
	return s.note(ctx, logoutOf(row), state, said, true)
}

// Logouts are the messages that the end of a session made.
func (s *Store) Logouts(ctx context.Context, session string) ([]Logout, error) {
	rows, err := sqlgen.New(s.db.Read()).SessionLogouts(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("list sign-outs of a session: %w", err)
	}
	return logoutsOf(rows), nil
}

// LogoutsOf are the latest messages to a service.
func (s *Store) LogoutsOf(ctx context.Context, service string, most int32) ([]Logout, error) {
	rows, err := sqlgen.New(s.db.Read()).ServiceLogouts(ctx, sqlgen.ServiceLogoutsParams{ServiceID: service, Limit: most})
	if err != nil {
		return nil, fmt.Errorf("list sign-outs of %s: %w", service, err)
	}
	return logoutsOf(rows), nil
}

// FailedLogouts counts the services that could not be told since then.
func (s *Store) FailedLogouts(ctx context.Context, since db.Time) (int64, error) {
	n, err := sqlgen.New(s.db.Read()).FailedLogouts(ctx, since)
	if err != nil {
		return 0, fmt.Errorf("count failed sign-outs: %w", err)
	}
	return n, nil
}

func logoutsOf(rows []sqlgen.SsoLogout) []Logout {
	list := make([]Logout, len(rows))
	for i, row := range rows {
		list[i] = logoutOf(row)
	}
	return list
}

func logoutOf(row sqlgen.SsoLogout) Logout {
	return Logout{
		ID: row.ID, Protocol: registry.Protocol(row.Protocol), State: LogoutState(row.State), Service: row.ServiceID, Address: row.Address,
		Handle: row.Handle, Detail: row.Detail, Session: row.SessionID, Person: campus.PersonID(row.Person), Attempts: row.Attempts,
		Answer: row.Answer, CreatedAt: row.CreatedAt, FinishedAt: row.FinishedAt,
	}
}
