package sso

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/cas"
	"github.com/amphi-campus/amphi/internal/modules/sso/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// What became of the message to a service, as stored. The protocol knows no
// acknowledgement: an answer of success says that the service took the message,
// any other answer below 500 that it was reached (Apache's mod_auth_cas ends its
// session and lets the page behind it refuse the POST with 405).
const (
	logoutWaiting  = "waiting"
	logoutTold     = "told"
	logoutAnswered = "answered"
	logoutFailed   = "failed"
	logoutSkipped  = "skipped" // the service asked not to be told
)

// SessionEnded signs a person out of every service that validated a ticket of
// the session (§2.3.3). Identity calls it in the transaction that ends the
// session, for whatever reason it ends. Tickets on their way are void from here.
func (m *Module) SessionEnded(ctx context.Context, tx db.Tx, session string) error {
	q := sqlgen.New(tx)
	opened, err := q.OpenLogouts(ctx, sqlgen.OpenLogoutsParams{Now: int64(tx.Now()), SessionID: session})
	if err != nil {
		return fmt.Errorf("end services of session %s: %w", session, err)
	}
	for _, logout := range opened {
		if err := jobs.Enqueue(ctx, tx, TellService{ID: logout.ID}, jobs.Priority(-1)); err != nil {
			return fmt.Errorf("end services of session %s: %w", session, err)
		}
	}
	if err := q.EndTickets(ctx, session); err != nil {
		return fmt.Errorf("end tickets of session %s: %w", session, err)
	}
	return nil
}

// TellService is the job that tells one service that a session ended. Its ID is
// that of the row in sso_logouts.
type TellService struct{ ID string }

// JobName is the job's name in the table of jobs.
func (TellService) JobName() string { return "sso.tell_service" }

// tellService posts the message. A service that was told twice ends a session
// that is not there any more, which is harmless.
func (m *Module) tellService(ctx context.Context, job TellService) error {
	row, err := sqlgen.New(m.DB.Read()).Logout(ctx, job.ID)
	if err != nil {
		return fmt.Errorf("read sign-out %s: %w", job.ID, err)
	}
	if row.State != logoutWaiting {
		return nil
	}
	x, err := m.services(ctx)
	if err != nil {
		return err
	}
	s := x.Get(row.ServiceID)
	if s == nil || s.NoSingleLogout {
		return m.finishLogout(ctx, row, logoutSkipped, "")
	}
	status, err := m.postLogout(ctx, row)
	switch {
	case err == nil && status < 300:
		return m.finishLogout(ctx, row, logoutTold, fmt.Sprint(status))
	case err == nil && status < 500:
		return m.finishLogout(ctx, row, logoutAnswered, fmt.Sprint(status))
	case err == nil:
		err = fmt.Errorf("the service answered %d", status)
	}
	return m.logoutMissed(ctx, s, row, err)
}

// finishLogout writes how the message fared.
func (m *Module) finishLogout(ctx context.Context, row sqlgen.SsoLogout, state, answer string) error {
	return m.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).NoteLogout(ctx, sqlgen.NoteLogoutParams{
			ID: row.ID, State: state, Attempts: row.Attempts + 1, Answer: clip(answer), FinishedAt: tx.Now(),
		})
	})
}

// logoutMissed notes a failed attempt, and after the last one an incident. The
// job fails each time, so that it is tried again and seen among the jobs.
func (m *Module) logoutMissed(ctx context.Context, s *registry.Service, row sqlgen.SsoLogout, cause error) error {
	last := row.Attempts+1 >= int64(m.config.LogoutAttempts)
	state, finished := logoutWaiting, db.Time(0)
	if last {
		state, finished = logoutFailed, m.DB.Now()
	}
	err := m.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).NoteLogout(ctx, sqlgen.NoteLogoutParams{
			ID: row.ID, State: state, Attempts: row.Attempts + 1, Answer: clip(cause.Error()), FinishedAt: finished,
		})
	})
	if err != nil {
		return err
	}
	if last {
		m.note(ctx, incident{service: s, reason: LogoutUnanswered, expected: row.ServiceUrl})
	}
	return LogoutUnanswered.Because(cause, fault.Args{"service": s.ID})
}

// postLogout sends the message as appendix C and every known client want it: a
// form with the one field logoutRequest, to the address of the ticket.
func (m *Module) postLogout(ctx context.Context, row sqlgen.SsoLogout) (status int, err error) {
	message := cas.LogoutRequest("LR-"+id.New(), row.Ticket, m.Clock.Now())
	body := url.Values{"logoutRequest": {message}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, row.ServiceUrl, strings.NewReader(body))
	if err != nil {
		return 0, jobs.GiveUp(fmt.Errorf("address of the service: %w", err))
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", "Amphi single logout")
	answer, err := m.channel.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	// A little of the answer is read so that the connection can be used again.
	if _, err := io.CopyN(io.Discard, answer.Body, 4<<10); err != nil && err != io.EOF {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	return answer.StatusCode, nil
}

// backChannel is a client for messages to services: patient for the given time,
// through the proxy of the environment, and never led elsewhere by a redirect.
func backChannel(timeout time.Duration) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = timeout
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.MaxIdleConnsPerHost = 4
	return &http.Client{
		Timeout: timeout, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// openServices are the services that a session has signed in to.
func (m *Module) openServices(ctx context.Context, session string) ([]*registry.Service, error) {
	if session == "" {
		return nil, nil
	}
	ids, err := sqlgen.New(m.DB.Read()).SessionServices(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("list services of a session: %w", err)
	}
	x, err := m.services(ctx)
	if err != nil {
		return nil, err
	}
	var open []*registry.Service
	for _, one := range ids {
		if s := x.Get(one); s != nil {
			open = append(open, s)
		}
	}
	return open, nil
}
