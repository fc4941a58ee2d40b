package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// Kinds of requests.
const (
	Rectification = "rectification" // GDPR, article 16
	Erasure       = "erasure"       // article 17
	Restriction   = "restriction"   // article 18
	Objection     = "objection"     // article 21
)

// kinds are all of them, in the order of the law.
var kinds = []string{Rectification, Erasure, Restriction, Objection}

// States of a request.
const (
	Open      = "open"
	Asked     = "asked" // the officer asked the person something
	Erasing   = "erasing"
	Done      = "done"
	Refused   = "refused"
	Withdrawn = "withdrawn"
)

// Who speaks in the conversation about a request.
const (
	ByPerson  = "person"
	ByOfficer = "officer"
)

// Request is what somebody asks the data protection officer.
type Request struct {
	ID         string
	Number     int64
	Person     campus.PersonID
	Kind       string
	State      string
	Words      string
	AskedAt    time.Time
	DueAt      time.Time // article 12(3): one month, or three when it was extended
	ExtendedAt time.Time
	Extension  string // why it takes longer
	TakenBy    campus.PersonID
	TakenAt    time.Time
	DecidedBy  campus.PersonID
	DecidedAt  time.Time
	Answer     string
}

// Open reports whether the request waits for somebody.
func (q Request) Open() bool { return q.State == Open || q.State == Asked || q.State == Erasing }

// Decidable reports whether the officer can still decide.
func (q Request) Decidable() bool { return q.State == Open || q.State == Asked }

func requestOf(r sqlgen.PrivacyRequest) Request {
	return Request{
		ID: r.ID, Number: r.Number, Person: campus.PersonID(r.PersonID), Kind: r.Kind, State: r.State, Words: r.Words, AskedAt: r.AskedAt.Time(),
		DueAt: r.DueAt.Time(), ExtendedAt: r.ExtendedAt.Time(), Extension: r.Extension, TakenBy: campus.PersonID(r.TakenBy), TakenAt: r.TakenAt.Time(),
		DecidedBy: campus.PersonID(r.DecidedBy), DecidedAt: r.DecidedAt.Time(), Answer: r.Answer,
	}
}

func requestsOf(rows []sqlgen.PrivacyRequest) []Request {
	list := make([]Request, len(rows))
	for i, r := range rows {
		list[i] = requestOf(r)
	}
	return list
}

// Message is one line of the conversation about a request.
type Message struct {
	Officer bool
	Words   string
	At      time.Time
}

// Request is any request, for the officer.
func (m *Module) Request(ctx context.Context, request string) (Request, error) {
	row, err := sqlgen.New(m.DB.Read()).Request(ctx, request)
	if errors.Is(err, sql.ErrNoRows) {
		return Request{}, RequestMissing
	}
	if err != nil {
		return Request{}, fmt.Errorf("read a request: %w", err)
	}
	return requestOf(row), nil
}

// ownRequest is a request of the person who asks; another's is answered as none.
func (m *Module) ownRequest(ctx context.Context, who campus.PersonID, request string) (Request, error) {
	q, err := m.Request(ctx, request)
	if err == nil && q.Person != who {
		return Request{}, RequestMissing
	}
	return q, err
}

func (m *Module) messages(ctx context.Context, request string) ([]Message, error) {
	rows, err := sqlgen.New(m.DB.Read()).Messages(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("list the messages of a request: %w", err)
	}
	list := make([]Message, len(rows))
	for i, r := range rows {
		list[i] = Message{r.Author == ByOfficer, r.Words, r.SaidAt.Time()}
	}
	return list, nil
}

// Ask files a request of somebody.
func (m *Module) Ask(ctx context.Context, who campus.PersonID, kind, words string) (string, error) {
	request := id.New()
	err := m.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.OpenOfKind(ctx, sqlgen.OpenOfKindParams{PersonID: string(who), Kind: kind})
		if err != nil {
			return fmt.Errorf("look for an open request: %w", err)
		}
		if n > 0 {
			return RequestOpen
		}
		number, err := q.NextNumber(ctx)
		if err != nil {
			return fmt.Errorf("number a request: %w", err)
		}
		now := tx.Now().Time().In(m.Zone)
		err = q.AddRequest(ctx, sqlgen.AddRequestParams{
			ID: request, Number: number, PersonID: string(who), Kind: kind, Words: words, AskedAt: tx.Now(), DueAt: db.At(months(now, 1)),
		})
		if err != nil {
			return fmt.Errorf("file a request: %w", err)
		}
		return nil
	})
	return request, err
}

// months is the same day some months later, or the last day of a shorter month
// (Regulation 1182/71, article 3(2)(c)).
func months(from time.Time, n int) time.Time {
	to := from.AddDate(0, n, 0)
	if to.Day() != from.Day() {
		to = to.AddDate(0, 0, -to.Day())
	}
	return to
}

// maxMessages bounds the conversation about one request.
const maxMessages = 100

// Say adds a message, and moves the request between the two who wait for each other.
func (m *Module) Say(ctx context.Context, q Request, author string, by campus.PersonID, words string) error {
	from, to := Open, Asked
	if author == ByPerson {
		from, to = Asked, Open
	}
	known, err := m.who(ctx, q.Person)
	if err != nil {
		return err
	}
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		if !q.Decidable() {
			return RequestOver
		}
		store := sqlgen.New(tx)
		n, err := store.CountMessages(ctx, q.ID)
		if err != nil {
			return fmt.Errorf("count the messages of a request: %w", err)
		}
		if n >= maxMessages {
			return TooManyMessages
		}
		if _, err := store.MoveRequest(ctx, sqlgen.MoveRequestParams{ID: q.ID, OldState: from, NewState: to}); err != nil {
			return fmt.Errorf("move a request: %w", err)
		}
		err = store.AddMessage(ctx, sqlgen.AddMessageParams{ID: id.New(), RequestID: q.ID, Author: author, AuthorID: string(by), Words: words, SaidAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("add a message: %w", err)
		}
		if author == ByOfficer {
			return m.tell(ctx, tx, known, "asked", q)
		}
		return nil
	})
}

// Withdraw ends a request at the wish of the person.
func (m *Module) Withdraw(ctx context.Context, q Request) error {
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		return m.decideRow(ctx, tx, q.ID, Withdrawn, "", "")
	})
}

// Take gives a request to an officer.
func (m *Module) Take(ctx context.Context, q Request, by campus.PersonID) error {
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).TakeRequest(ctx, sqlgen.TakeRequestParams{ID: q.ID, TakenBy: string(by), TakenAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("take a request: %w", err)
		}
		if n == 0 {
			return RequestOver
		}
		return nil
	})
}

// Extend gives a request two more months, within the first and with the reason
// (article 12(3)).
func (m *Module) Extend(ctx context.Context, q Request, why string) error {
	known, err := m.who(ctx, q.Person)
	if err != nil {
		return err
	}
	due := months(q.AskedAt.In(m.Zone), 3)
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		if tx.Now().Time().After(q.DueAt) {
			return ExtensionLate
		}
		n, err := sqlgen.New(tx).ExtendRequest(ctx, sqlgen.ExtendRequestParams{ID: q.ID, DueAt: db.At(due), ExtendedAt: tx.Now(), Extension: why})
		if err != nil {
			return fmt.Errorf("extend a request: %w", err)
		}
		if n == 0 {
			return ExtensionLate
		}
		q.DueAt = due
		return m.tell(ctx, tx, known, "extended", q)
	})
}

// Answer decides a request with words, without erasing anything.
func (m *Module) Answer(ctx context.Context, q Request, state string, by campus.PersonID, words string) error {
	known, err := m.who(ctx, q.Person)
	if err != nil {
		return err
	}
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		if err := m.decideRow(ctx, tx, q.ID, state, by, words); err != nil {
			return err
		}
		return m.tell(ctx, tx, known, state, q)
	})
}

// DecideErasure decides an erasure: the job that carries it out leaves with the decision.
func (m *Module) DecideErasure(ctx context.Context, q Request, by campus.PersonID, words string, kept map[string]string) error {
	known, err := m.who(ctx, q.Person)
	if err != nil {
		return err
	}
	place, err := m.erasures.Prepare(ctx, erasure.Order{Person: q.Person, Cause: erasure.ByRequest, Request: q.ID, Kept: kept, By: by})
	if err != nil {
		return err
	}
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		if err := m.decideRow(ctx, tx, q.ID, Erasing, by, words); err != nil {
			return err
		}
		if _, err := place(ctx, tx); err != nil {
			return err
		}
		return m.tell(ctx, tx, known, Erasing, q)
	})
}

func (m *Module) decideRow(ctx context.Context, tx db.Tx, request, state string, by campus.PersonID, words string) error {
	n, err := sqlgen.New(tx).DecideRequest(ctx, sqlgen.DecideRequestParams{ID: request, State: state, DecidedBy: string(by), DecidedAt: tx.Now(), Answer: words})
	if err != nil {
		return fmt.Errorf("decide a request: %w", err)
	}
	if n == 0 {
		return RequestOver
	}
	return nil
}
