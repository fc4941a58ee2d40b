package recovery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/recovery/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// What the signed parts of links are good for.
const (
	followPurpose = "identity.recovery_follow"
	stopPurpose   = "identity.recovery_stop"
)

// codePurpose is that of the codes which open an account.
const codePurpose = "identity.recovery"

// FollowURL is the local address under which a recovery can be followed without
// an account.
func (x *Recovery) FollowURL(request string) string {
	return "/identity/recovery/" + x.Keys.Sign(followPurpose, request)
}

func (x *Recovery) stopURL(request string) string {
	return "/identity/recovery/stop/" + x.Keys.Sign(stopPurpose, request)
}

// byToken finds the recovery that a signed link is about.
func (x *Recovery) byToken(ctx context.Context, purpose, token string) (Request, error) {
	request, err := x.Keys.Verify(purpose, token)
	if err != nil {
		return Request{}, Missing
	}
	return x.Request(ctx, request)
}

// Request reads one recovery, or Missing.
func (x *Recovery) Request(ctx context.Context, request string) (Request, error) {
	return found(sqlgen.New(x.DB.Read()).ByID(ctx, request))
}

// Open returns the recovery of somebody that is under way; ok is false for none.
func (x *Recovery) Open(ctx context.Context, who campus.PersonID) (q Request, ok bool, err error) {
	q, err = found(sqlgen.New(x.DB.Read()).OpenOf(ctx, string(who)))
	if errors.Is(err, Missing) {
		return Request{}, false, nil
	}
	return q, err == nil, err
}

func found(row sqlgen.IdentitySupervised, err error) (Request, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return Request{}, Missing
	}
	if err != nil {
		return Request{}, fmt.Errorf("read a recovery: %w", err)
	}
	return requestOf(row), nil
}

// Begin opens a recovery: by is an agent, or the person after a proof of the
// password. The owner is warned on every channel, with a link that stops it.
func (x *Recovery) Begin(ctx context.Context, who, by campus.PersonID, words, incident string, e journal.Event) (Request, error) {
	p, err := x.People.PersonByID(ctx, who)
	if err != nil {
		return Request{}, err
	}
	request := id.New()
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).Open(ctx, sqlgen.OpenParams{ID: request, PersonID: string(who), OpenedBy: string(by), OpenedAt: tx.Now(), Words: words, Incident: incident})
		if err != nil {
			return err
		}
		if n == 0 {
			return Running
		}
		if err := x.tell(ctx, tx, p, request, "recovery_asked", nil); err != nil {
			return err
		}
		e.Actor = by
		return x.write(ctx, tx, e, who, "recovery_asked", incident)
	})
	if err != nil {
		return Request{}, fmt.Errorf("begin a recovery: %w", err)
	}
	return x.Request(ctx, request)
}

// tell warns the owner of the account, with the link that stops the recovery.
func (x *Recovery) tell(ctx context.Context, tx db.Tx, p account.Person, request, kind string, args []any) error {
	letter := reach.Letter{Kind: kind, Args: args, URL: x.stopURL(request), Urgent: true}
	if err := x.Letters.Tell(ctx, tx, p, letter); err != nil {
		return fmt.Errorf("warn the owner: %w", err)
	}
	return nil
}

func (x *Recovery) write(ctx context.Context, tx db.Tx, e journal.Event, who campus.PersonID, kind, incident string) error {
	e.Person, e.Kind, e.Facts = who, "identity."+kind, nil
	if incident != "" {
		e.Facts = map[string]string{"code": incident}
	}
	return x.Journal.Write(ctx, tx, e)
}

// Approve vouches for the person, as the first agent or the second: two
// different people of the help desk, neither of them the person. After the
// second the owner is told from when the account can be opened.
func (x *Recovery) Approve(ctx context.Context, by campus.Viewer, request string, documents []string, inPerson bool, e journal.Event) error {
	if !by.Can(campus.RightHelpdesk) {
		return Reserved
	}
	q, err := x.Request(ctx, request)
	if err != nil {
		return err
	}
	p, err := x.People.PersonByID(ctx, q.Person)
	if err != nil {
		return err
	}
	if err := mayVouch(by, p); err != nil {
		return err
	}
	e.Actor = by.Person
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		queries, seen := sqlgen.New(tx), strings.Join(documents, " ")
		n, err := queries.ApproveFirst(ctx, sqlgen.ApproveFirstParams{ID: request, Agent: string(by.Person), Now: tx.Now(), Documents: seen, InPerson: inPerson})
		if err != nil {
			return err
		}
		if n == 0 {
			n, err = queries.ApproveSecond(ctx, sqlgen.ApproveSecondParams{
				ID: request, Agent: string(by.Person), Now: tx.Now(), Documents: seen, InPerson: inPerson,
				ReadyDesk: int64(tx.Now().Add(x.config.DelayAtDesk)), ReadyAfar: int64(tx.Now().Add(x.config.Delay)),
			})
			if err != nil {
				return err
			}
			if n == 0 {
				return x.whyNot(ctx, tx, request, by.Person, approvedBefore)
			}
			now, err := found(queries.ByID(ctx, request))
			if err != nil {
				return err
			}
			if err := x.tell(ctx, tx, p, request, "recovery_approved", []any{"from", now.ReadyAt}); err != nil {
				return err
			}
		}
		return x.write(ctx, tx, e, q.Person, "recovery_approved", q.Incident)
	})
	if err != nil {
		return fmt.Errorf("approve a recovery: %w", err)
	}
	return nil
}

// whyNot tells why an agent's act on a recovery changed nothing; otherwise is the
// reason when the recovery is open and the agent is not its person.
func (x *Recovery) whyNot(ctx context.Context, tx db.Tx, request string, agent campus.PersonID, otherwise func(Request) error) error {
	q, err := found(sqlgen.New(tx).ByID(ctx, request))
	switch {
	case err != nil:
		return err
	case q.Ended != "":
		return Over
	case q.Person == agent:
		return Oneself
	default:
		return otherwise(q)
	}
}

// approvedBefore is why an approval did not count.
func approvedBefore(q Request) error {
	if q.Second.Given() {
		return Approved
	}
	return SamePerson
}

// tooEarly is why no code can be given.
func tooEarly(Request) error { return NotYet }

// end ends a recovery once: refused by an agent, stopped by the owner, or lapsed.
func (x *Recovery) end(ctx context.Context, q Request, how State, by campus.PersonID, words string, e journal.Event) error {
	p, err := x.People.PersonByID(ctx, q.Person)
	if err != nil {
		return err
	}
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).Stop(ctx, sqlgen.StopParams{ID: q.ID, How: string(how), Agent: string(by), Now: tx.Now(), Words: words})
		if err != nil {
			return err
		}
		if n == 0 {
			return Over
		}
		if err := x.Letters.Tell(ctx, tx, p, reach.Letter{Kind: "recovery_" + string(how), URL: "/identity/recovery"}); err != nil {
			return fmt.Errorf("tell the owner: %w", err)
		}
		return x.write(ctx, tx, e, q.Person, "recovery_"+string(how), q.Incident)
	})
	if err != nil {
		return fmt.Errorf("end a recovery: %w", err)
	}
	return nil
}

// Refuse ends a recovery in the name of the help desk, with words that the
// person who follows it reads.
func (x *Recovery) Refuse(ctx context.Context, by campus.Viewer, request, words string, e journal.Event) error {
	if !by.Can(campus.RightHelpdesk) {
		return Reserved
	}
	q, err := x.Request(ctx, request)
	if err != nil {
		return err
	}
	if q.Person == by.Person {
		return Oneself
	}
	e.Actor = by.Person
	return x.end(ctx, q, Refused, by.Person, words, e)
}

// Key is what an agent hands to the person: both are needed, and both are shown
// once.
type Key struct {
	URL  string // where to open the account, complete
	Code string
}

// Give makes the link and the code that open the account, in place of earlier
// ones. It fails with NotYet before two agents have approved and the delay is
// over.
func (x *Recovery) Give(ctx context.Context, by campus.Viewer, request string, e journal.Event) (Key, error) {
	if !by.Can(campus.RightHelpdesk) {
		return Key{}, Reserved
	}
	q, err := x.Request(ctx, request)
	if err != nil {
		return Key{}, err
	}
	p, err := x.People.PersonByID(ctx, q.Person)
	if err != nil {
		return Key{}, err
	}
	if err := mayVouch(by, p); err != nil {
		return Key{}, err
	}
	e.Actor = by.Person
	var plain string
	token := id.Token(24)
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).Give(ctx, sqlgen.GiveParams{ID: request, LinkHash: id.Hash(token), GivenBy: string(by.Person), GivenAt: tx.Now()})
		if err != nil {
			return err
		}
		if n == 0 {
			return x.whyNot(ctx, tx, request, by.Person, tooEarly)
		}
		if plain, err = x.Codes.Issue(ctx, tx, code.Ask{Purpose: codePurpose, Subject: request, Person: q.Person, Digits: 8, Lasts: x.config.CodeLasts}); err != nil {
			return err
		}
		return x.write(ctx, tx, e, q.Person, "relayed_code_given", q.Incident)
	})
	if err != nil {
		return Key{}, fmt.Errorf("give the code of a recovery: %w", err)
	}
	return Key{URL: x.BaseURL.JoinPath("/identity/recovery/open", token).String(), Code: plain}, nil
}

// byLink finds the recovery that a link can open now.
func (x *Recovery) byLink(ctx context.Context, token string) (Request, error) {
	q, err := found(sqlgen.New(x.DB.Read()).ByLink(ctx, id.Hash(token)))
	if errors.Is(err, Missing) {
		return Request{}, LinkOver
	}
	if err != nil {
		return Request{}, err
	}
	if q.State(x.Clock.Now(), x.config.CodeLasts) != Given {
		return Request{}, LinkOver
	}
	return q, nil
}

// finish opens the account: the new password counts, everything else that
// proved who somebody is goes, and so do their sessions.
func (x *Recovery) finish(ctx context.Context, q Request, p account.Person, token string, secret renewal.Secret, e journal.Event) error {
	e.Person, e.Actor = q.Person, q.Person
	err := x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).Finish(ctx, sqlgen.FinishParams{ID: q.ID, LinkHash: id.Hash(token), EndedAt: tx.Now()})
		if err != nil {
			return err
		}
		if n == 0 {
			return LinkOver
		}
		if err := x.Factors.Forget(ctx, tx, q.Person); err != nil {
			return fmt.Errorf("remove the factors: %w", err)
		}
		if _, err := x.Devices.ForgetAll(ctx, tx, e); err != nil {
			return fmt.Errorf("forget the devices: %w", err)
		}
		if err := x.Passwords.Store(ctx, tx, p, secret, e); err != nil {
			return fmt.Errorf("store the password: %w", err)
		}
		if _, err := x.Sessions.EndSessionsOf(ctx, tx, q.Person, ""); err != nil {
			return fmt.Errorf("end the sessions: %w", err)
		}
		if err := x.Letters.Tell(ctx, tx, p, reach.Letter{Kind: "recovery_done", URL: "/identity/recovery", Urgent: true}); err != nil {
			return fmt.Errorf("tell the owner: %w", err)
		}
		return x.write(ctx, tx, e, q.Person, "recovery_done", q.Incident)
	})
	if err != nil {
		return fmt.Errorf("finish a recovery: %w", err)
	}
	return nil
}

// lapse ends the recoveries that nobody finished.
func (x *Recovery) lapse(ctx context.Context) error {
	for {
		rows, err := sqlgen.New(x.DB.Read()).Lapsing(ctx, db.At(x.Clock.Now().Add(-x.config.Lapse)))
		if err != nil {
			return fmt.Errorf("find recoveries that nobody finished: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		for _, row := range rows {
			if err := x.end(ctx, requestOf(row), Lapsed, "", "", journal.Event{}); err != nil && !errors.Is(err, Over) {
				return err
			}
		}
	}
}

// running and over list recoveries for the agents.
func (x *Recovery) running(ctx context.Context) ([]Request, error) {
	rows, err := sqlgen.New(x.DB.Read()).Running(ctx)
	return requestsOf(rows, err)
}

func (x *Recovery) over(ctx context.Context, limit int) ([]Request, error) {
	rows, err := sqlgen.New(x.DB.Read()).Over(ctx, int32(limit))
	return requestsOf(rows, err)
}

func requestsOf(rows []sqlgen.IdentitySupervised, err error) ([]Request, error) {
	if err != nil {
		return nil, fmt.Errorf("list recoveries: %w", err)
	}
	list := make([]Request, len(rows))
	for i, row := range rows {
		list[i] = requestOf(row)
	}
	return list, nil
}

// known keeps the codes that are in the institution's list.
func (c Config) known(codes []string) []string {
	var kept []string
	for _, d := range c.documents() {
		if slices.Contains(codes, d.Code) {
			kept = append(kept, d.Code)
		}
	}
	return kept
}

// mayVouch says whether an agent may open the account of a person: nobody opens
// that of somebody who may do more than they.
func mayVouch(by campus.Viewer, p account.Person) error {
	for _, r := range p.Rights {
		if !by.Can(r) {
			return MoreRights
		}
	}
	return nil
}
