package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/device"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// sessionCookie holds the token of a session; over https web adds the __Host-
// prefix. Only the token's hash is stored.
const sessionCookie = "amphi_session"

// tokenBytes is the length of a session token: 256 bits.
const tokenBytes = 32

// touchEvery bounds how often reading a page writes to the session's row.
const touchEvery = time.Minute

// The reasons for which a session ends, as stored.
const (
	endedBySignOut   = "signed_out"
	endedElsewhere   = "closed_elsewhere"
	endedByIdle      = "idle"
	endedByAge       = "age"
	endedByClosing   = "account_closed"
	endedByOtherUser = "another_person"
	endedByPassword  = "password_set"
	endedByUpstream  = "upstream"
)

// Session is one open session as its owner sees it.
type Session struct {
	ID         string
	Shared     bool
	SignedInAt time.Time
	LastSeenAt time.Time
	EndsAt     time.Time // at the latest
	Address    string
	UserAgent  string
}

// limits are the idle and absolute limits of a session.
func (c SessionConfig) limits(shared bool) (idle, absolute time.Duration) {
	if shared {
		return c.SharedIdle, c.SharedAbsolute
	}
	return c.Idle, c.Absolute
}

// Authenticate tells who sends a request, from its session cookie. The zero
// Viewer with a nil error is a stranger; a fault of kind Unauthenticated says why
// a session is over.
func (m *Module) Authenticate(w http.ResponseWriter, r *http.Request) (campus.Viewer, error) {
	token := web.Cookie(r, sessionCookie)
	if token == "" {
		return campus.Viewer{}, nil
	}
	ctx := r.Context()
	row, err := sqlgen.New(m.db.Read()).SessionByToken(ctx, id.Hash(token))
	if errors.Is(err, sql.ErrNoRows) { // forged, or forgotten long ago
		m.dropCookie(w, r)
		return campus.Viewer{}, nil
	}
	if err != nil {
		return campus.Viewer{}, fmt.Errorf("read session: %w", err)
	}
	now := db.At(m.clock.Now())
	if over := overBecause(row, now); over != nil {
		m.dropCookie(w, r)
		return campus.Viewer{}, over
	}
	if now.Sub(row.LastSeenAt) >= touchEvery {
		idle, _ := m.config.Session.limits(row.Shared)
		err := m.db.InTx(ctx, func(tx db.Tx) error {
			return sqlgen.New(tx).TouchSession(ctx, sqlgen.TouchSessionParams{ID: row.SessionID, LastSeenAt: now, IdleAt: now.Add(idle)})
		})
		if err != nil { // reading goes on while the database refuses to write
			m.log.WarnContext(ctx, "touch session", "session", row.SessionID, "error", err)
		}
	}
	rights, mandates := rightsOf(row.Rights)
	return campus.Viewer{
		Person: campus.PersonID(row.ID), Login: row.Login, GivenName: row.GivenName, FamilyName: row.FamilyName, Mail: row.Mail,
		Affiliations: affiliationsOf(row.Affiliations), Rights: rights, Mandates: mandates,
		Locale: campus.Locale(row.Locale), Appearance: row.Appearance,
		Session: row.SessionID, SharedComputer: row.Shared, SignedInAt: row.SignedInAt.Time(), FactorAt: row.FactorAt.Time(),
		Methods: methodsOf(entry.Method(row.Method), entry.Method(row.FactorMethod)),
	}, nil
}

// methodsOf are the values of the "amr" claim for a sign-in's two proofs. Two
// different proofs are multi-factor (RFC 8176 §2, mfa).
func methodsOf(first, second entry.Method) []string {
	methods := slices.Concat(first.AMR(), second.AMR())
	if second != "" && second != first {
		methods = append(methods, "mfa")
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}

// overBecause says why a session is over, or nil while it is open.
func overBecause(row sqlgen.SessionByTokenRow, now db.Time) error {
	switch {
	case row.EndedAt != 0:
		switch row.EndReason {
		case endedElsewhere:
			return SessionClosedElsewhere
		case endedByIdle:
			return SessionIdle
		case endedByAge:
			return SessionTooOld
		case endedByClosing:
			return SessionBlocked
		default:
			return SessionOver
		}
	case !account.State(row.State).Usable():
		return SessionBlocked
	case row.ExpiresAt <= now:
		return SessionTooOld
	case row.IdleAt <= now:
		return SessionIdle
	}
	return nil
}

// openSession gives the browser the session that a finished sign-in leads to.
// When it already has one of the same person, that one gets a new token and a
// fresh start (a renewed sign-in); one of somebody else ends first. opened is
// false when another request finished the same sign-in before.
func (m *Module) openSession(w http.ResponseWriter, r *http.Request, a attempt.Attempt, also func(tx db.Tx) error) (opened bool, err error) {
	ctx := r.Context()
	token := id.Token(tokenBytes)
	idle, absolute := m.config.Session.limits(a.Shared)
	before := web.Viewer(r)
	address := web.ClientAddr(r).String()
	err = m.db.InTx(ctx, func(tx db.Tx) error {
		q, now := sqlgen.New(tx), tx.Now()
		since := now // services that ask for a fresh sign-in go by it
		if !a.Since.IsZero() {
			since = db.At(a.Since)
		}
		opened, err = m.stories.Finish(ctx, tx, a.ID)
		if err != nil || !opened {
			return err
		}
		if err := also(tx); err != nil {
			return err
		}
		if before.Person == a.Person && before.SharedComputer == a.Shared {
			n, err := q.RenewSession(ctx, sqlgen.RenewSessionParams{
				ID: before.Session, TokenHash: id.Hash(token), SignedInAt: since, LastSeenAt: now, IdleAt: now.Add(idle), ExpiresAt: now.Add(absolute),
				Address: address, UserAgent: agentOf(r), AttemptID: a.ID, Method: string(a.Method), FactorMethod: string(a.FactorMethod), FactorAt: db.At(a.FactorAt),
			})
			if err != nil || n == 1 {
				return err
			}
		} else if before.SignedIn() {
			if err := m.endSession(ctx, tx, before.Session, endedByOtherUser); err != nil {
				return err
			}
		}
		return q.OpenSession(ctx, sqlgen.OpenSessionParams{
			ID: id.New(), TokenHash: id.Hash(token), PersonID: string(a.Person), Shared: a.Shared,
			SignedInAt: since, LastSeenAt: now, IdleAt: now.Add(idle), ExpiresAt: now.Add(absolute), Address: address, UserAgent: agentOf(r),
			AttemptID: a.ID, Method: string(a.Method), FactorMethod: string(a.FactorMethod), FactorAt: db.At(a.FactorAt),
		})
	})
	if err != nil {
		return false, fmt.Errorf("open session: %w", err)
	}
	if !opened {
		return false, nil
	}
	keep := absolute
	if a.Shared {
		keep = 0 // gone when the browser closes
	}
	web.SetCookie(w, r, sessionCookie, token, keep)
	return true, nil
}

// strengthen notes that a second factor was proved inside a session, and trusts
// the browser if its owner asked for that.
func (m *Module) strengthen(w http.ResponseWriter, r *http.Request, actor entry.Actor, p entry.Proof) error {
	ctx := r.Context()
	who, err := m.PersonByID(ctx, actor.Person)
	if err != nil {
		return err
	}
	sight := device.See(r)
	sight.Trust = p.Trust && !actor.Shared
	var d device.Device
	err = m.db.InTx(ctx, func(tx db.Tx) (err error) {
		if sight.Trust {
			if d, err = m.devices.Remember(ctx, tx, who, sight); err != nil {
				return err
			}
		}
		return sqlgen.New(tx).StrengthenSession(ctx, sqlgen.StrengthenSessionParams{ID: actor.Session, FactorMethod: string(p.Method), FactorAt: tx.Now()})
	})
	if err != nil {
		return fmt.Errorf("strengthen session: %w", err)
	}
	m.devices.Keep(w, r, d)
	return nil
}

// EndSessionsOf ends all sessions of somebody and all their sign-ins under way
// but one, which except names (empty for all of them), and returns how many
// sessions ended.
func (m *Module) EndSessionsOf(ctx context.Context, tx db.Tx, who campus.PersonID, except string) (int, error) {
	return m.shutOut(ctx, tx, who, except, endedElsewhere)
}

// shutOut ends what others may have opened as somebody: sessions, what services
// may do without one, and sign-ins that wait for a second factor after a password
// which counts no more.
func (m *Module) shutOut(ctx context.Context, tx db.Tx, who campus.PersonID, except, reason string) (int, error) {
	if err := m.stories.Cut(ctx, tx, who, except); err != nil {
		return 0, err
	}
	for _, f := range m.followers {
		if err := f.PersonShutOut(ctx, tx, who, except); err != nil {
			return 0, fmt.Errorf("follow the end of what somebody opened: %w", err)
		}
	}
	if reason == endedByPassword { // whoever knew the old one may have let programs in
		if err := m.apps.EndAll(ctx, tx, who); err != nil {
			return 0, err
		}
	}
	return m.endOthers(ctx, tx, who, except, reason)
}

// maxAgent cuts absurd User-Agent headers.
const maxAgent = 400

// agentOf is the User-Agent header as text: a header may hold any bytes, and
// PostgreSQL takes none that are not UTF-8.
func agentOf(r *http.Request) string {
	agent := r.UserAgent()
	return strings.ToValidUTF8(agent[:min(len(agent), maxAgent)], "")
}

func (m *Module) dropCookie(w http.ResponseWriter, r *http.Request) {
	web.SetCookie(w, r, sessionCookie, "", -1)
}

// endSession ends one session, once, and tells the followers.
func (m *Module) endSession(ctx context.Context, tx db.Tx, session, reason string) error {
	n, err := sqlgen.New(tx).EndSession(ctx, sqlgen.EndSessionParams{ID: session, EndedAt: tx.Now(), EndReason: reason})
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	if n == 0 {
		return nil // it was over already
	}
	for _, f := range m.followers {
		if err := f.SessionEnded(ctx, tx, session); err != nil {
			return fmt.Errorf("follow the end of a session: %w", err)
		}
	}
	return nil
}

// endOthers ends every open session of somebody but one, however many there are,
// and returns how many.
func (m *Module) endOthers(ctx context.Context, tx db.Tx, who campus.PersonID, keep, reason string) (int, error) {
	ended := 0
	for before := -1; ended > before; { // the query gives a page at a time
		before = ended
		rows, err := sqlgen.New(tx).OpenSessionsOf(ctx, sqlgen.OpenSessionsOfParams{PersonID: string(who), Now: tx.Now()})
		if err != nil {
			return ended, fmt.Errorf("list sessions: %w", err)
		}
		for _, row := range rows {
			if row.ID == keep {
				continue
			}
			if err := m.endSession(ctx, tx, row.ID, reason); err != nil {
				return ended, err
			}
			ended++
		}
	}
	return ended, nil
}

// End ends the session of this request and takes its cookie back.
func (m *Module) End(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	v := web.Viewer(r)
	m.dropCookie(w, r)
	if !v.SignedIn() {
		return nil
	}
	if v.SharedComputer { // leave nothing for whoever sits down next, not even the incident code of a stumble
		web.SetCookie(w, r, browserCookie, "", -1)
		w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	}
	return m.db.InTx(ctx, func(tx db.Tx) error {
		if err := m.upstreams.Part(ctx, tx, r, v.Session); err != nil {
			return err
		}
		return m.endSession(ctx, tx, v.Session, endedBySignOut)
	})
}

// Sessions lists the open sessions of somebody, last used first.
func (m *Module) Sessions(ctx context.Context, who campus.PersonID) ([]Session, error) {
	rows, err := sqlgen.New(m.db.Read()).OpenSessionsOf(ctx, sqlgen.OpenSessionsOfParams{PersonID: string(who), Now: db.At(m.clock.Now())})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	sessions := make([]Session, len(rows))
	for i, row := range rows {
		sessions[i] = Session{
			ID: row.ID, Shared: row.Shared, SignedInAt: row.SignedInAt.Time(), LastSeenAt: row.LastSeenAt.Time(),
			EndsAt: row.ExpiresAt.Time(), Address: row.Address, UserAgent: row.UserAgent,
		}
	}
	return sessions, nil
}

// CloseSession ends one of the viewer's own sessions from another one. Somebody
// else's session is answered as one that does not exist.
func (m *Module) CloseSession(ctx context.Context, v campus.Viewer, session string) error {
	return m.db.InTx(ctx, func(tx db.Tx) error {
		rows, err := sqlgen.New(tx).OpenSessionsOf(ctx, sqlgen.OpenSessionsOfParams{PersonID: string(v.Person), Now: tx.Now()})
		if err != nil {
			return fmt.Errorf("list sessions: %w", err)
		}
		for _, row := range rows {
			if row.ID == session {
				return m.endSession(ctx, tx, session, endedElsewhere)
			}
		}
		return SessionMissing
	})
}

// CloseOtherSessions ends all of the viewer's sessions but the current one.
func (m *Module) CloseOtherSessions(ctx context.Context, v campus.Viewer) (ended int, err error) {
	err = m.db.InTx(ctx, func(tx db.Tx) error {
		ended, err = m.endOthers(ctx, tx, v.Person, v.Session, endedElsewhere)
		return err
	})
	return ended, err
}

// CountOpenSessions is how many sessions are open in the whole house.
func (m *Module) CountOpenSessions(ctx context.Context) (int64, error) {
	return sqlgen.New(m.db.Read()).CountOpenSessions(ctx, db.At(m.clock.Now()))
}

// endIdleSessions ends the sessions whose time is over, so that their services
// are told; Authenticate refuses them from the first moment.
func (m *Module) endIdleSessions(ctx context.Context) error {
	for {
		now := db.At(m.clock.Now())
		rows, err := sqlgen.New(m.db.Read()).IdleSessions(ctx, now)
		if err != nil {
			return fmt.Errorf("find idle sessions: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		for _, row := range rows {
			reason := endedByIdle
			if row.ExpiresAt <= now {
				reason = endedByAge
			}
			if err := m.db.InTx(ctx, func(tx db.Tx) error { return m.endSession(ctx, tx, row.ID, reason) }); err != nil {
				return err
			}
		}
	}
}

func (m *Module) forgetSessions(ctx context.Context) error {
	return m.db.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).ForgetSessions(ctx, tx.Now().Add(-keepEnded))
		return err
	})
}
