package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/modules/identity/upstream/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

// Verdict is what the directories say about a password of our own page.
type Verdict struct {
	// Person is whose password it was, when it was right and their account is known.
	Person account.Person
	Proof  entry.Proof
	// Remarks are what the person should know though they go on.
	Remarks []Remark
	// Stopped is why it did not lead in: a fault with a reason of this package. Nil
	// when it did. [Refused] says no more than that the two do not go together.
	Stopped *fault.Fault
	// Facts are for the story of the sign-in, Typed is how the person is called.
	Facts map[string]string
	// Proved says that the password was right though it did not lead in, Untested
	// that nobody looked at it.
	Proved, Untested bool
	// ChangeURL is where a password that has ended can be changed: a page of ours,
	// or one of the directory's; "" when there is none.
	ChangeURL string
}

// Asks reports whether any directory checks passwords.
func (x *Upstreams) Asks() bool {
	return slices.ContainsFunc(x.all, func(u *upstream) bool { return u.directory != nil })
}

// directoriesFor are those to ask about an identifier, in order: those of the
// domain of an address, or all.
func (x *Upstreams) directoriesFor(login string) (list []*upstream) {
	domain := domainOf(login)
	for _, u := range x.all {
		if u.directory != nil && (domain == "" || len(u.Domains) == 0 || u.Serves(domain)) {
			list = append(list, u)
		}
	}
	return list
}

// Waste takes as long as Check does for somebody whom no directory knows, and
// tests nothing: for accounts whose password is ours, so that the time tells
// nobody which those are.
func (x *Upstreams) Waste(ctx context.Context, login string) {
	for _, u := range x.directoriesFor(login) {
		u.directory.Waste(ctx)
	}
}

// Check asks the directories in turn whether a password is right. It stops at the
// first that knows more than that the two do not go together.
func (x *Upstreams) Check(ctx context.Context, login, password string) (Verdict, error) {
	v := Verdict{Stopped: fault.Of(Refused)}
	var down *Verdict
	for _, u := range x.directoriesFor(login) {
		a, err := u.directory.Check(ctx, login, password)
		if err == nil {
			return x.vouched(ctx, u, a)
		}
		var f *Failure
		if !errors.As(err, &f) {
			return Verdict{}, fmt.Errorf("ask %s about a password: %w", u.ID, err)
		}
		one := Verdict{Stopped: x.worded(ctx, u, f), Facts: u.facts(f), Proved: f.Proved, Untested: f.Untested, ChangeURL: u.change(f)}
		if f.Reason != Refused && (!f.Untested || x.first(u)) {
			x.note(ctx, u, f, a, "")
		}
		switch {
		case f.Untested: // another directory may know them, but its no is worth nothing then
			if down == nil {
				down = &one
			}
		case f.Proved:
			return one, nil
		case f.Reason == AccountLocked: // before the password was looked at: the page must not tell
			if err := x.tellLocked(ctx, u, login); err != nil {
				return Verdict{}, err
			}
			v = Verdict{Stopped: &fault.Fault{Reason: Refused, Cause: f}, Facts: one.Facts}
		default:
			if v.Facts == nil {
				v = Verdict{Stopped: &fault.Fault{Reason: Refused, Cause: f}, Facts: one.Facts}
			}
		}
	}
	if down != nil {
		return *down, nil
	}
	return v, nil
}

// vouched is the verdict on a password that was right.
func (x *Upstreams) vouched(ctx context.Context, u *upstream, a Answer) (Verdict, error) {
	p, err := x.identify(ctx, u, a)
	var f *Failure
	if errors.As(err, &f) {
		x.note(ctx, u, f, a, "")
		return Verdict{Stopped: x.worded(ctx, u, f), Facts: u.facts(f), Proved: true}, nil
	}
	if err != nil {
		return Verdict{}, err
	}
	if _, ok := x.quiet.Allow("good " + u.ID); ok { // one a minute says that it works
		x.note(ctx, u, nil, a, "")
	}
	return Verdict{Person: p, Proof: u.proof(entry.Directory, a), Remarks: a.Remarks}, nil
}

// change is where a password that has ended is changed.
func (u *upstream) change(f *Failure) string {
	switch f.Reason {
	case PasswordExpired, PasswordReset:
		if u.directory != nil && u.directory.Changes() {
			return changeURL(u.ID)
		}
		return u.PasswordPage
	case AccountLocked:
		return u.PasswordPage
	default:
		return ""
	}
}

// tellLocked writes to the owner of an account that the directory has locked:
// on the page anybody could learn it.
func (x *Upstreams) tellLocked(ctx context.Context, u *upstream, login string) error {
	p, err := x.People.PersonByLogin(ctx, login)
	if err != nil && fault.Of(err).Reason.Kind() == fault.NotFound {
		return nil // nobody of ours to write to
	}
	if err != nil {
		return fmt.Errorf("look for the owner of a locked account: %w", err)
	}
	if _, ok := x.letters.Allow("locked " + u.ID + " " + string(p.ID)); !ok {
		return nil
	}
	return x.DB.InTx(ctx, func(tx db.Tx) error {
		return x.Letters.Tell(ctx, tx, p, reach.Letter{Kind: "upstream_locked", Args: []any{"upstream", u.Name(p.Locale)}, URL: "/password"})
	})
}

// There is the fault that says where the password of a directory is changed.
func (x *Upstreams) There(ctx context.Context, id string) error {
	u, err := x.byID(id)
	if err != nil {
		return err
	}
	page := u.PasswordPage
	if page == "" {
		page = u.whom(ctx)
	}
	return PasswordThere.With(fault.Args{"upstream": u.called(ctx), "page": page})
}

// KeptFor names the upstream that somebody came by, and the page where it changes
// passwords, which may be empty; ok is false for who never did.
func (x *Upstreams) KeptFor(ctx context.Context, p account.Person) (name, page string, ok bool, err error) {
	links, err := sqlgen.New(x.DB.Read()).LinksOf(ctx, string(p.ID))
	if err != nil {
		return "", "", false, fmt.Errorf("list links of a person: %w", err)
	}
	for _, l := range links {
		if u, err := x.byID(l.Upstream); err == nil { // one that is not configured any more keeps nothing
			return u.Name(p.Locale), u.PasswordPage, true, nil
		}
	}
	return "", "", false, nil
}
