package renewal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
	"github.com/amphi-campus/amphi/internal/platform/limit"
	"github.com/amphi-campus/amphi/internal/platform/mailer"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// A recovery is a forgotten password on its way. Whoever begins one is told the
// same whether or not the account exists, in the same time: a row is written
// and a job enqueued for every name. The job looks whom to write to. Proving the
// code or the link begins a sign-in whose first proof it is; the way in then
// asks for the second factor, if there is one, and for a new password.

const (
	// recoveryCookie ties a recovery to the browser that began it, or that opened
	// the link of its letter.
	recoveryCookie = "amphi_recovery"
	// codePurpose is that of the codes; their subject is the recovery.
	codePurpose = "identity.recovery"
	tokenBytes  = 24
	// perHour is how many messages one person gets in an hour, however many
	// strangers begin recoveries in their name.
	perHour = 6
	// pauseBetween is how soon the message can be sent again.
	pauseBetween = time.Minute
	// keepRecoveries is how long the record stays for questions afterwards.
	keepRecoveries = 30 * 24 * time.Hour
)

// SendRecovery is the job that sends the code of a recovery.
type SendRecovery struct {
	ID string `json:"id"`
}

// JobName implements jobs.Args.
func (SendRecovery) JobName() string { return "identity.send_recovery" }

// begin opens a recovery for what somebody typed and gives the browser its
// cookie.
func (x *Renewal) begin(w http.ResponseWriter, r *http.Request, typed string) error {
	typed = strings.ToLower(strings.TrimSpace(typed))
	if err := x.admit(typed, web.ClientAddr(r)); err != nil {
		return err
	}
	person, err := x.People.PersonByLogin(r.Context(), typed)
	if err != nil && fault.Of(err).Reason.Kind() != fault.NotFound {
		return fmt.Errorf("look the account up: %w", err)
	}
	token, e := id.Token(tokenBytes), journal.From(r)
	err = x.DB.InTx(r.Context(), func(tx db.Tx) error {
		return x.openRecovery(r.Context(), tx, sqlgen.OpenRecoveryParams{TokenHash: id.Hash(token), PersonID: string(person.ID), Address: e.Address, UserAgent: e.Agent})
	})
	if err != nil {
		return err
	}
	web.SetCookie(w, r, recoveryCookie, token, x.config.RecoveryLasts)
	return nil
}

// openRecovery writes a recovery with its first code, and has it sent.
func (x *Renewal) openRecovery(ctx context.Context, tx db.Tx, row sqlgen.OpenRecoveryParams) (err error) {
	row.ID, row.StartedAt, row.EndsAt = id.New(), tx.Now(), tx.Now().Add(x.config.RecoveryLasts)
	if row.Sealed, err = x.newCode(ctx, tx, row.ID, row.PersonID, x.config.RecoveryLasts); err != nil {
		return err
	}
	if err := sqlgen.New(tx).OpenRecovery(ctx, row); err != nil {
		return fmt.Errorf("open a recovery: %w", err)
	}
	return jobs.Enqueue(ctx, tx, SendRecovery{ID: row.ID}, jobs.Priority(-1))
}

// onPhone is the subject of the code that goes to a phone. It is another one than
// that of the letters, so that a code says which of the two was read: whoever has
// only the phone must not pass for somebody who reads the mail, and then prove
// the phone once more as the second factor.
func onPhone(recovery string) string { return recovery + "@phone" }

// newCode makes the codes of a recovery, for letters and for phones. They are made with the request and not with
// the message, and for a name that nobody has too: what is answered to a code
// then never depends on whether a message could be sent.
func (x *Renewal) newCode(ctx context.Context, tx db.Tx, recovery, person string, lasts time.Duration) (sealed string, err error) {
	var plain [2]string
	for i, subject := range []string{recovery, onPhone(recovery)} {
		plain[i], err = x.Codes.Issue(ctx, tx, code.Ask{Purpose: codePurpose, Subject: subject, Person: campus.PersonID(person), Lasts: lasts, Tries: x.config.CodeTries})
		if err != nil {
			return "", err
		}
	}
	return x.Keys.SealText(codePurpose, plain[0]+" "+plain[1])
}

// admit takes one recovery from the budgets of an identifier and of a network.
// What nobody is called has a budget too, and empties it as fast.
func (x *Renewal) admit(typed string, from netip.Addr) error {
	if !from.IsLoopback() { // a proxy that nobody declared stands for everybody
		if wait, ok := x.network.Allow(limit.AddressKey(from)); !ok {
			return Slowed.With(fault.Args{"wait": wait})
		}
	}
	if wait, ok := x.identifier.Allow(typed + " " + limit.AddressKey(from)); !ok {
		return Slowed.With(fault.Args{"wait": wait})
	}
	if wait, ok := x.everywhere.Allow(typed); !ok {
		return Slowed.With(fault.Args{"wait": wait})
	}
	return nil
}

// elsewhere is how much wider the budget of a name is from all networks together:
// one stranger cannot use up what its owner needs, and guessing that is spread
// over many still meets a wall.
const elsewhere = 5

// recovery is the one that this browser is on. The error is RecoveryOver when
// there is none, or when its time is over.
func (x *Renewal) recovery(r *http.Request) (sqlgen.IdentityRecovery, error) {
	token := web.Cookie(r, recoveryCookie)
	if token == "" {
		return sqlgen.IdentityRecovery{}, RecoveryOver
	}
	row, err := sqlgen.New(x.DB.Read()).RecoveryByToken(r.Context(), id.Hash(token))
	if errors.Is(err, sql.ErrNoRows) {
		return row, RecoveryOver
	}
	if err != nil {
		return row, fmt.Errorf("read the recovery: %w", err)
	}
	if !x.live(row) {
		return row, RecoveryOver
	}
	return row, nil
}

func (x *Renewal) live(row sqlgen.IdentityRecovery) bool {
	return row.DoneAt.IsZero() && db.At(x.Clock.Now()).Before(row.EndsAt)
}

// prove checks a code for the recovery of a browser, and notes in row by what it
// came. Once one was right, the
// browser need not type it again to come back to its way in.
func (x *Renewal) prove(ctx context.Context, row *sqlgen.IdentityRecovery, typed string) error {
	if !row.ProvedAt.IsZero() {
		return nil
	}
	method, err := x.which(ctx, row.ID, typed)
	if err != nil {
		return err
	}
	if row.PersonID == "" { // guessed for a name that nobody has
		return code.Expired
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).ProveRecovery(ctx, sqlgen.ProveRecoveryParams{ID: row.ID, ProvedAt: tx.Now(), Method: string(method)})
		if err != nil {
			return fmt.Errorf("prove the recovery: %w", err)
		}
		if n == 0 {
			return RecoveryOver
		}
		row.Method = string(method)
		return nil
	})
}

// which uses up the code that was typed and tells by what it came. A name that
// nobody has gets the same answers, after the same work.
func (x *Renewal) which(ctx context.Context, recovery, typed string) (entry.Method, error) {
	wrong := x.Codes.Check(ctx, codePurpose, recovery, typed)
	if wrong == nil {
		return entry.Mail, nil
	}
	err := x.Codes.Check(ctx, codePurpose, onPhone(recovery), typed)
	switch {
	case err == nil:
		return entry.SMS, nil
	case errors.Is(wrong, code.Wrong):
		return "", err // as wrong as the other, or an older one of the phone's
	default:
		return "", wrong
	}
}

// takeOver uses up the link of a letter: the recovery goes on in this browser,
// which need not be the one that began it.
func (x *Renewal) takeOver(w http.ResponseWriter, r *http.Request, link string) (row sqlgen.IdentityRecovery, err error) {
	ctx, token, hash := r.Context(), id.Token(tokenBytes), id.Hash(link)
	err = x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		if row, err = q.RecoveryByLink(ctx, hash); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return LinkOver
			}
			return fmt.Errorf("read the recovery: %w", err)
		}
		n, err := q.TakeLink(ctx, sqlgen.TakeLinkParams{ID: row.ID, LinkHash: hash, TokenHash: id.Hash(token), NowAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("take the link: %w", err)
		}
		if n == 0 {
			return LinkOver
		}
		return nil
	})
	if err != nil {
		return row, err
	}
	row.Method = string(entry.Mail) // links travel by mail only
	web.SetCookie(w, r, recoveryCookie, token, x.config.RecoveryLasts)
	return row, nil
}

// enter begins the sign-in of a proved recovery.
func (x *Renewal) enter(w http.ResponseWriter, r *http.Request, row sqlgen.IdentityRecovery) error {
	method := entry.Method(row.Method)
	if method == "" {
		method = entry.Mail
	}
	return x.Door.Enter(w, r, campus.PersonID(row.PersonID), entry.Proof{Method: method}, entry.Arrival{Next: "/"})
}

// again makes a new code and has it sent, unless the last one just left.
func (x *Renewal) again(ctx context.Context, row sqlgen.IdentityRecovery) error {
	if wait := pauseBetween - db.At(x.Clock.Now()).Sub(row.SentAt); wait > 0 {
		return Slowed.With(fault.Args{"wait": wait})
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		sealed, err := x.newCode(ctx, tx, row.ID, row.PersonID, row.EndsAt.Sub(tx.Now()))
		if err != nil {
			return err
		}
		n, err := sqlgen.New(tx).ReplaceCode(ctx, sqlgen.ReplaceCodeParams{ID: row.ID, Sealed: sealed, SentAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("replace the code: %w", err)
		}
		if n == 0 {
			return RecoveryOver
		}
		return jobs.Enqueue(ctx, tx, SendRecovery{ID: row.ID}, jobs.Priority(-1), jobs.UniqueKey(row.ID))
	})
}

// send sends the newest code of a recovery, and a link. For a name that nobody
// has there is nothing to do. Run twice, it sends the code twice, and the newer
// link counts.
func (x *Renewal) send(ctx context.Context, job SendRecovery) error {
	row, err := sqlgen.New(x.DB.Read()).RecoveryByID(ctx, job.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // forgotten, while a server was down
	}
	if err != nil {
		return fmt.Errorf("read the recovery: %w", err)
	}
	if row.PersonID == "" || !x.live(row) || !row.ProvedAt.IsZero() {
		return nil
	}
	person, err := x.People.PersonByID(ctx, campus.PersonID(row.PersonID))
	if err != nil {
		return err
	}
	if name, page, elsewhere, err := x.Elsewhere(ctx, person); err != nil || elsewhere {
		return errors.Join(err, x.sayWhere(ctx, row, person, name, page))
	}
	points, err := x.recoveryPoints(ctx, person.ID, row.SentBy != "")
	if err != nil {
		return err
	}
	both, err := x.Keys.OpenText(codePurpose, row.Sealed)
	if err != nil {
		return err
	}
	inLetters, onPhones, _ := strings.Cut(both, " ")
	link := id.Token(tokenBytes)
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		sent, err := q.SendingsTo(ctx, sqlgen.SendingsToParams{PersonID: row.PersonID, SinceAt: tx.Now().Add(-time.Hour)})
		if err != nil {
			return fmt.Errorf("count the messages: %w", err)
		}
		if sent >= perHour {
			x.Log.InfoContext(ctx, "no more recovery codes for now", slog.String("person", row.PersonID))
			return nil
		}
		for _, p := range points {
			plain := inLetters
			if p.SMS() {
				plain = onPhones
			}
			if err := x.sendTo(ctx, tx, person, p, plain, link, row.EndsAt.Sub(tx.Now())); err != nil {
				return err
			}
		}
		err = q.NoteSending(ctx, sqlgen.NoteSendingParams{ID: row.ID, LinkHash: id.Hash(link)})
		if err != nil {
			return fmt.Errorf("note the message: %w", err)
		}
		if row.SentBy != "" { // the agent's act is in the journal
			return nil
		}
		return x.Journal.Write(ctx, tx, journal.Event{Person: person.ID, Kind: "identity.reset_asked", Address: row.Address, Agent: row.UserAgent})
	})
}

// sayWhere writes to somebody whose password another place keeps. A password of
// ours would be a second one, and a way around what that place asks for; the page
// looks the same as for everybody, so the letter says it.
func (x *Renewal) sayWhere(ctx context.Context, row sqlgen.IdentityRecovery, person account.Person, name, page string) error {
	if name == "" {
		return nil
	}
	letter := reach.Letter{Kind: "password_elsewhere", Args: []any{"upstream", name}, URL: "/login"}
	if page != "" {
		letter.Kind, letter.Args = "password_elsewhere_at", append(letter.Args, "page", page)
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		sent, err := q.SendingsTo(ctx, sqlgen.SendingsToParams{PersonID: row.PersonID, SinceAt: tx.Now().Add(-time.Hour)})
		if err != nil {
			return fmt.Errorf("count the messages: %w", err)
		}
		if sent >= perHour {
			return nil
		}
		if err := q.NoteSending(ctx, sqlgen.NoteSendingParams{ID: row.ID, LinkHash: ""}); err != nil {
			return fmt.Errorf("note the message: %w", err)
		}
		return x.Contacts.Tell(ctx, tx, person, letter)
	})
}

// recoveryPoints are where a code may go: the verified contacts outside the
// institution, or else the institutional address, which somebody may still read
// in a session that is open. A phone is of no use where no browser waits for the
// code.
func (x *Renewal) recoveryPoints(ctx context.Context, who campus.PersonID, linkOnly bool) ([]reach.Point, error) {
	all, err := x.Contacts.Points(ctx, who)
	if err != nil {
		return nil, fmt.Errorf("read the contacts: %w", err)
	}
	var outside, inside []reach.Point
	for _, p := range all {
		switch {
		case !p.Usable(x.Clock.Now()), linkOnly && p.SMS():
		case p.Channel == reach.Mail:
			inside = append(inside, p)
		default:
			outside = append(outside, p)
		}
	}
	if len(outside) > 0 {
		return outside, nil
	}
	return inside, nil
}

// SendReset sends somebody the link that opens a new password, because an agent
// of the help desk asked for it. The caller has checked the agent's right; e says
// who it was, and the journal keeps it as "identity.reset_sent".
func (x *Renewal) SendReset(ctx context.Context, tx db.Tx, to account.Person, e journal.Event) error {
	err := x.openRecovery(ctx, tx, sqlgen.OpenRecoveryParams{
		TokenHash: id.Hash(id.Token(tokenBytes)), PersonID: string(to.ID), SentBy: string(e.Actor), Address: e.Address, UserAgent: e.Agent,
	})
	if err != nil {
		return err
	}
	e.Person, e.Kind = to.ID, "identity.reset_sent"
	return x.Journal.Write(ctx, tx, e)
}

// sendTo sends code and link to one contact. A phone that had its share of text
// messages does not keep the letters from leaving. One that just got a message
// does: all is undone, and the job tries again a little later.
func (x *Renewal) sendTo(ctx context.Context, tx db.Tx, to account.Person, at reach.Point, plain, link string, lasts time.Duration) error {
	if at.SMS() {
		err := x.Contacts.SendCode(ctx, tx, to, at, "recovery_code", plain, lasts)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, mailer.SMSOff), errors.Is(err, mailer.TooManySMS):
			x.Log.InfoContext(ctx, "no text message with the recovery code", slog.String("person", string(to.ID)), slog.String("reason", fault.Of(err).Reason.Code()))
			return nil
		}
		return fmt.Errorf("send the code: %w", err)
	}
	if err := x.Post.Send(ctx, tx, x.letter(to, at.Value, plain, link, lasts)); err != nil {
		return fmt.Errorf("send the letter: %w", err)
	}
	return nil
}

// letter is the mail with the code, and with the link for the device that one
// reads it on. The link opens a page with a button: what looks at links before
// people do uses nothing up.
func (x *Renewal) letter(to account.Person, address, plain, link string, lasts time.Duration) mailer.Message {
	t := x.Texts.For(to.Locale)
	signature := x.NameFrench
	if t.Locale() == campus.English {
		signature = x.NameEnglish
	}
	l := mailer.Letter{
		Locale:   t.Locale(),
		Greeting: t.T("identity.renewal.letter.greeting", "name", to.DisplayName()),
		Before:   []string{t.T("identity.renewal.letter.asked"), t.T("identity.renewal.letter.code", "lasts", lasts.Round(time.Minute))},
		Code:     code.Shown(plain),
		Label:    t.T("identity.renewal.letter.open"),
		URL:      x.Base.JoinPath("/password/link").String() + "?" + url.Values{"key": {link}}.Encode(),
		After:    []string{t.T("identity.renewal.letter.not_you"), t.T("identity.renewal.letter.never_asked")},

		Signature: signature,
	}
	if !to.State.Usable() && to.State == account.Invited {
		l.Before = append(l.Before, t.T("identity.renewal.letter.not_active"))
	}
	return l.Message("identity.recovery", address, t.T("identity.renewal.letter.subject"))
}

// forget deletes recoveries long after their end.
func (x *Renewal) forget(ctx context.Context) error {
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).ForgetRecoveries(ctx, tx.Now().Add(-keepRecoveries))
		return err
	})
}
