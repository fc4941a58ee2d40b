package samlidp

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/samlidp/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/saml"
)

// store keeps requests, names and sessions.
type store struct{ db *db.DB }

// kind is what a kept message is.
type kind string

const (
	signIn     kind = "sign-in"      // an AuthnRequest
	signOut    kind = "sign-out"     // a LogoutRequest of a service
	ourSignOut kind = "our-sign-out" // a LogoutRequest of ours, on its way through a browser
)

const (
	// requestsKept is how long a message is known again.
	requestsKept = 24 * time.Hour
	// unansweredKept is how long one that nobody answered is: the person is told
	// after patience that the service has forgotten it, and later that we have.
	unansweredKept = patience + time.Hour
	// answerAgain is how long the same session may be answered once more: the first
	// answer may have been lost on its way.
	answerAgain = 5 * time.Minute
	// sessionsKept is longer than any session.
	sessionsKept = 90 * 24 * time.Hour
)

// Gone: no such message is kept, or not any more.
var errGone = errors.New("no such request is kept")

// handle names a message in addresses of ours. It is made of the message, so that
// the same one gets the same name; who knows it has seen the message.
func handle(entityID, messageID string, message []byte, relayState string) string {
	h := sha256.New()
	for _, part := range []string{entityID, messageID, string(message), relayState} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:24])
}

// keep stores a message and reports whether it is here for the first time.
func (s *store) keep(ctx context.Context, name string, k kind, entityID string, document any) (first bool, err error) {
	text, err := json.Marshal(document)
	if err != nil {
		return false, fmt.Errorf("note a request of %s: %w", entityID, err)
	}
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).KeepRequest(ctx, sqlgen.KeepRequestParams{
			ID: name, Kind: string(k), EntityID: entityID, Document: string(text), CreatedAt: tx.Now(),
		})
		first = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("keep a request of %s: %w", entityID, err)
	}
	return first, nil
}

// drop forgets a request that has no answer yet.
func (s *store) drop(ctx context.Context, name string) (dropped bool, err error) {
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).DropRequest(ctx, name)
		dropped = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("forget a request: %w", err)
	}
	return dropped, nil
}

// keptAs is a message as it is kept.
type keptAs struct {
	Name       string
	EntityID   string
	AnsweredTo string // session
	AnsweredAt time.Time
	At         time.Time
}

// read finds a message and reads its document into what, or returns errGone.
func (s *store) read(ctx context.Context, name string, k kind, what any) (keptAs, error) {
	row, err := sqlgen.New(s.db.Read()).Request(ctx, sqlgen.RequestParams{ID: name, Kind: string(k)})
	if errors.Is(err, sql.ErrNoRows) {
		return keptAs{}, errGone
	}
	if err != nil {
		return keptAs{}, fmt.Errorf("read a kept request: %w", err)
	}
	if err := json.Unmarshal([]byte(row.Document), what); err != nil {
		return keptAs{}, fmt.Errorf("read a kept request of %s: %w", row.EntityID, err)
	}
	kept := keptAs{Name: row.ID, EntityID: row.EntityID, AnsweredTo: row.AnsweredTo, At: row.CreatedAt.Time()}
	if row.AnsweredAt != 0 {
		kept.AnsweredAt = row.AnsweredAt.Time()
	}
	return kept, nil
}

// errAnswered: the message had its answer, for another session or long ago.
var errAnswered = errors.New("the request was answered already")

// answered marks a message as answered for a session, or returns errAnswered. Of
// two that race, one wins.
func (s *store) answered(ctx context.Context, tx db.Tx, name, session string) error {
	n, err := sqlgen.New(tx).AnswerRequest(ctx, sqlgen.AnswerRequestParams{
		ID: name, Session: session, Now: tx.Now(), Since: tx.Now().Add(-answerAgain),
	})
	if err != nil {
		return fmt.Errorf("mark a request as answered: %w", err)
	}
	if n == 0 {
		return errAnswered
	}
	return nil
}

// name is the persistent identifier of somebody at a service provider. It is made
// the first time: 160 random bits, of letters and digits that no comparison
// without case confuses (core, 8.3.7 allows 256 characters).
func (s *store) name(ctx context.Context, entityID string, who campus.PersonID) (string, error) {
	key := sqlgen.NameParams{EntityKey: id.Hash(entityID), Person: string(who)}
	known, err := sqlgen.New(s.db.Read()).Name(ctx, key)
	if !errors.Is(err, sql.ErrNoRows) {
		return known, err
	}
	fresh := strings.TrimPrefix(saml.NewID(), "_")
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.AddName(ctx, sqlgen.AddNameParams{EntityKey: key.EntityKey, Person: key.Person, EntityID: entityID, Name: fresh, CreatedAt: tx.Now()})
		if err == nil && n == 0 { // another tab was first
			fresh, err = q.Name(ctx, key)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make a name for %s: %w", entityID, err)
	}
	return fresh, nil
}

// session is one of ours that a service provider knows by a name.
type session struct {
	ID     string
	Person campus.PersonID
}

func nameKey(n saml.NameID) string {
	return id.Hash(strings.Join([]string{n.Value, n.NameQualifier, n.SPNameQualifier}, "\x00"))
}

// noteSession remembers which session of ours stands behind an assertion.
func (s *store) noteSession(ctx context.Context, tx db.Tx, entityID, index string, n saml.NameID, ours session) error {
	err := sqlgen.New(tx).NoteSession(ctx, sqlgen.NoteSessionParams{
		ID: id.Hash(entityID + "\x00" + index), EntityKey: id.Hash(entityID), NameKey: nameKey(n),
		SessionID: ours.ID, Person: string(ours.Person), CreatedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("note a session of %s: %w", entityID, err)
	}
	return nil
}

// sessions finds those that a LogoutRequest means: of this name, and of these
// indexes when there are any (core, 3.7.3.2).
func (s *store) sessions(ctx context.Context, entityID string, n saml.NameID, indexes []string) ([]session, error) {
	q := sqlgen.New(s.db.Read())
	var found []session
	for _, index := range indexes {
		row, err := q.SessionsByIndex(ctx, id.Hash(entityID+"\x00"+index))
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find a session of %s: %w", entityID, err)
		}
		if row.NameKey == nameKey(n) {
			found = append(found, session{row.SessionID, campus.PersonID(row.Person)})
		}
	}
	if len(indexes) > 0 {
		return found, nil
	}
	rows, err := q.SessionsByName(ctx, sqlgen.SessionsByNameParams{EntityKey: id.Hash(entityID), NameKey: nameKey(n)})
	if err != nil {
		return nil, fmt.Errorf("find the sessions of a name at %s: %w", entityID, err)
	}
	for _, row := range rows {
		found = append(found, session{row.SessionID, campus.PersonID(row.Person)})
	}
	return found, nil
}

// knows reports whether a service provider still has the session of an index.
func (s *store) knows(ctx context.Context, entityID, index string) (bool, error) {
	_, err := sqlgen.New(s.db.Read()).SessionsByIndex(ctx, id.Hash(entityID+"\x00"+index))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// forgetSession notes that a service provider ended a session itself.
func (s *store) forgetSession(ctx context.Context, entityID, ours string) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).ForgetSession(ctx, sqlgen.ForgetSessionParams{EntityKey: id.Hash(entityID), SessionID: ours})
	})
}

const pruneAtOnce = 500

// prune deletes what nobody asks for any more.
func (s *store) prune(ctx context.Context) error {
	now := s.db.Now()
	for what, piece := range map[string]func(*sqlgen.Queries) (int64, error){
		"requests": func(q *sqlgen.Queries) (int64, error) {
			return q.PruneRequests(ctx, sqlgen.PruneRequestsParams{Before: now.Add(-requestsKept), UnansweredBefore: now.Add(-unansweredKept), Most: pruneAtOnce})
		},
		"sessions": func(q *sqlgen.Queries) (int64, error) {
			return q.PruneSessions(ctx, sqlgen.PruneSessionsParams{SeenAt: now.Add(-sessionsKept), Limit: pruneAtOnce})
		},
	} {
		for n := int64(pruneAtOnce); n == pruneAtOnce; {
			err := s.db.InTx(ctx, func(tx db.Tx) (err error) {
				n, err = piece(sqlgen.New(tx))
				return err
			})
			if err != nil {
				return fmt.Errorf("forget old %s: %w", what, err)
			}
		}
	}
	return nil
}
