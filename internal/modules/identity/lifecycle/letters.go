package lifecycle

import (
	"context"
	"fmt"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// tellDecision writes to somebody what was decided about them, once, unless it
// was lifted meanwhile.
func (l *Lifecycle) tellDecision(ctx context.Context, args TellDecision) error {
	return l.DB.InTx(ctx, func(tx db.Tx) error {
		d, err := decision(ctx, tx, args.Person, args.Decision)
		if err != nil || !d.Open() {
			return err
		}
		n, err := sqlgen.New(tx).MarkTold(ctx, sqlgen.MarkToldParams{ID: d.ID, ToldAt: tx.Now()})
		if err != nil || n == 0 {
			return err
		}
		return l.tell(ctx, tx, d, "account_"+string(d.State))
	})
}

// liftedNotice stands, in the list of notices of a decision, for the letter that
// says that it was lifted.
const liftedNotice = 0

// tellLifted writes to somebody that a decision no longer holds, once.
func (l *Lifecycle) tellLifted(ctx context.Context, args TellLifted) error {
	return l.DB.InTx(ctx, func(tx db.Tx) error {
		d, err := decision(ctx, tx, args.Person, args.Decision)
		if err != nil || d.ToldAt.IsZero() { // the person knows of nothing
			return err
		}
		n, err := sqlgen.New(tx).AddNotice(ctx, sqlgen.AddNoticeParams{DecisionID: d.ID, Days: liftedNotice, SentAt: tx.Now()})
		if err != nil || n == 0 {
			return err
		}
		state, err := hold(ctx, tx, d.Person)
		if err != nil || !state.Usable() {
			return err // another decision still holds the account: its own letter said so
		}
		return l.tell(ctx, tx, d, "account_reopened")
	})
}

// ownURL is the page on which people see how their account stands. It asks to
// sign in, and who may not is told there, after the password, why, until when and
// who can mend it.
const ownURL = "/identity/account"

// tell writes one letter about a decision, in the person's language.
func (l *Lifecycle) tell(ctx context.Context, tx db.Tx, d Decision, kind string) error {
	p, err := l.People.PersonByID(ctx, d.Person)
	if err != nil {
		return fmt.Errorf("read whom to write to: %w", err)
	}
	if p.State == account.Invited {
		return nil // nobody has used this account yet
	}
	letter := reach.Letter{
		Kind: kind, URL: ownURL, Args: l.letterArgs(i18n.With(ctx, l.Texts.For(p.Locale)), d),
		Urgent: kind == "account_suspended" || kind == "account_closed",
	}
	if err := l.Letters.Tell(ctx, tx, p, letter); err != nil {
		return fmt.Errorf("write about a decision: %w", err)
	}
	return nil
}

// letterArgs are the facts of a letter. Each is a whole sentence or a date, so
// that a letter reads well whatever is missing.
func (l *Lifecycle) letterArgs(ctx context.Context, d Decision) []any {
	s := l.standing(ctx, d)
	until, day := i18n.T(ctx, "identity.lifecycle.said.no_end"), ""
	if !d.Until.IsZero() {
		day = i18n.Date(ctx, LastDay(d.Until), i18n.Day)
		until = i18n.T(ctx, "identity.lifecycle.said.until", "day", day)
	}
	deleted := i18n.T(ctx, "identity.lifecycle.said.kept")
	if !d.DeletedAt.IsZero() {
		deleted = i18n.T(ctx, "identity.lifecycle.said.deleted", "day", i18n.Date(ctx, d.DeletedAt, i18n.Day))
	}
	return []any{
		"reason", s.Why(ctx), "who", s.Who(ctx), "appeal", s.Contest(ctx), "until", until, "deleted", deleted,
		"from", i18n.Date(ctx, d.From, i18n.Day), "day", day,
	}
}

// Why is the reason as the person may read it, as a sentence.
func (s Standing) Why(ctx context.Context) string {
	if s.ReasonText == "" {
		return i18n.T(ctx, "identity.lifecycle.said.reason_from_office")
	}
	return s.ReasonText
}

// Who says who can mend it, as a sentence.
func (s Standing) Who(ctx context.Context) string {
	if s.Contact == "" {
		return i18n.T(ctx, "identity.lifecycle.said.who", "office", s.Office)
	}
	return i18n.T(ctx, "identity.lifecycle.said.who_contact", "office", s.Office, "contact", s.Contact)
}

// Contest says how to contest the decision, as a sentence.
func (s Standing) Contest(ctx context.Context) string {
	if s.Appeal == "" {
		return i18n.T(ctx, "identity.lifecycle.said.contest", "office", s.Office)
	}
	return s.Appeal
}
