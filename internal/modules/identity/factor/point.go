package factor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// What the codes of this package are good for, as package code keeps them.
const (
	provePurpose = "identity.factor"
	enrolPurpose = "identity.factor_enrol"
)

// CodeLetter is the kind of the message with a code, for [reach.Reach.Sent].
const CodeLetter = "factor_code"

// CodeLasts is how long a code that was sent can be typed.
const CodeLasts = 10 * time.Minute

// Candidate is a phone or address that could become a factor.
type Candidate struct {
	Point  string       // identifier for [Factors.BeginPoint]
	Kind   entry.Method // SMS or Mail
	Masked string
	// Value is the whole number or address: only somebody with a session may see it.
	Value    string
	UsableAt time.Time // ahead while a changed one waits; else zero
	Factor   string    // set when it is a factor already
}

// methodOf is by which method codes reach a point; the institutional address is
// none, because its mailbox is behind this very door.
func methodOf(p reach.Point) (entry.Method, bool) {
	switch p.Channel {
	case reach.MobilePhone:
		return entry.SMS, true
	case reach.RecoveryMail:
		return entry.Mail, true
	default:
		return "", false
	}
}

// Candidates lists the phones and recovery addresses of somebody that the policy
// lets become a factor. One that was never verified is listed too: the code that
// registers it verifies it.
func (f *Factors) Candidates(ctx context.Context, who campus.PersonID) ([]Candidate, error) {
	points, err := f.Reach.Points(ctx, who)
	if err != nil {
		return nil, fmt.Errorf("find where codes can be sent: %w", err)
	}
	stored, err := f.stored(ctx, f.DB.Read(), who)
	if err != nil {
		return nil, err
	}
	now := f.DB.Now().Time()
	var list []Candidate
	for _, p := range points {
		kind, ok := methodOf(p)
		if !ok || !f.works(kind) || !p.Usable(now) && !p.Waiting(now) {
			continue
		}
		c := Candidate{Point: p.ID, Kind: kind, Masked: p.Masked, Value: p.Value}
		if p.Waiting(now) {
			c.UsableAt = p.UsableAt
		}
		if i := slices.IndexFunc(stored, func(s storedFactor) bool { return s.point == p.ID }); i >= 0 {
			c.Factor = stored[i].ID
		}
		list = append(list, c)
	}
	return list, nil
}

// candidate finds a point that may become a factor now.
func (f *Factors) candidate(ctx context.Context, who campus.PersonID, point string) (reach.Point, entry.Method, error) {
	p, err := f.pointOf(ctx, who, point)
	if err != nil {
		return reach.Point{}, "", err
	}
	kind, ok := methodOf(p)
	if !ok || !f.works(kind) {
		return reach.Point{}, "", NotAllowed
	}
	return p, kind, f.ready(p)
}

// pointOf finds a point of somebody.
func (f *Factors) pointOf(ctx context.Context, who campus.PersonID, point string) (reach.Point, error) {
	points, err := f.Reach.Points(ctx, who)
	if err != nil {
		return reach.Point{}, fmt.Errorf("find where codes can be sent: %w", err)
	}
	for _, p := range points {
		if p.ID == point {
			return p, nil
		}
	}
	return reach.Point{}, Missing
}

// ready says why no code goes to a point now, or nil.
func (f *Factors) ready(p reach.Point) error {
	now := f.DB.Now().Time()
	switch {
	case p.Usable(now):
		return nil
	case p.Waiting(now):
		return Waits.With(fault.Args{"date": p.UsableAt})
	default:
		return Missing
	}
}

// subject ties a code to one sign-in or session: read off a screen elsewhere, it
// opens nothing.
func subject(a entry.Actor, what string) string {
	if a.SigningIn() {
		return what + "@attempt:" + a.Attempt
	}
	return what + "@session:" + a.Session
}

// send makes a code and sends it.
func (f *Factors) send(ctx context.Context, a entry.Actor, purpose, what string, at reach.Point) (reach.Sent, error) {
	person, err := f.People.PersonByID(ctx, a.Person)
	if err != nil {
		return reach.Sent{}, err
	}
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		plain, err := f.Codes.Issue(ctx, tx, code.Ask{Purpose: purpose, Subject: subject(a, what), Person: a.Person, Lasts: CodeLasts})
		if err != nil {
			return err
		}
		return f.Reach.SendCode(ctx, tx, person, at, CodeLetter, plain, CodeLasts)
	})
	if err != nil {
		return reach.Sent{}, err
	}
	return f.Reach.Sent(ctx, at, CodeLetter)
}

// BeginPoint sends a code to a candidate. Faults: [Waits], [NotAllowed],
// [Missing], code.TooMany and those of reach.SendCode.
func (f *Factors) BeginPoint(ctx context.Context, a entry.Actor, point string) (reach.Sent, error) {
	p, _, err := f.candidate(ctx, a.Person, point)
	if err != nil {
		return reach.Sent{}, err
	}
	return f.send(ctx, a, enrolPurpose, p.ID, p)
}

// PointSent tells what became of the code of [Factors.BeginPoint], to draw the
// page again. Its time is zero as for [Factors.FactorSent].
func (f *Factors) PointSent(ctx context.Context, a entry.Actor, point string) (reach.Sent, error) {
	p, err := f.pointOf(ctx, a.Person, point)
	if err != nil {
		return reach.Sent{}, err
	}
	return f.sent(ctx, enrolPurpose, subject(a, p.ID), p)
}

// sent tells what became of the newest code to a point, if one for this subject
// is still good.
func (f *Factors) sent(ctx context.Context, purpose, subject string, at reach.Point) (reach.Sent, error) {
	sent, err := f.Reach.Sent(ctx, at, CodeLetter)
	if err != nil {
		return reach.Sent{}, err
	}
	waiting, err := f.Codes.Waiting(ctx, purpose, subject)
	if err != nil {
		return reach.Sent{}, err
	}
	if !waiting {
		sent.At = time.Time{}
	}
	return sent, nil
}

// ConfirmPoint registers a phone or address once its code was typed. Faults: those
// of code.Check, [Slowed], [Registered].
func (f *Factors) ConfirmPoint(ctx context.Context, on Occasion, point, name, typed string) (Factor, error) {
	who := on.Actor.Person
	p, kind, err := f.candidate(ctx, who, point)
	if err != nil {
		return Factor{}, err
	}
	person, err := f.People.PersonByID(ctx, who)
	if err != nil {
		return Factor{}, err
	}
	browser, err := f.try(ctx, on.Actor)
	if err != nil {
		return Factor{}, err
	}
	if err := f.Codes.Check(ctx, enrolPurpose, subject(on.Actor, p.ID), typed); err != nil {
		return Factor{}, err
	}
	added := Factor{ID: id.New(), Kind: kind, Label: label(name, i18n.T(ctx, "identity.factor.label."+string(kind))), Point: p.Masked}
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		added.AddedAt = tx.Now().Time()
		err := f.add(ctx, tx, sqlgen.AddFactorParams{ID: added.ID, PersonID: string(who), Kind: string(kind), Label: added.Label, Point: p.ID})
		if err != nil {
			return err
		}
		if err := f.forgive(ctx, tx, who, browser); err != nil {
			return err
		}
		return f.changed(ctx, tx, on, person, "factor_added", factorAdded, added)
	})
	if err != nil {
		return Factor{}, err
	}
	return added, nil
}

// Send sends a code to one of the actor's SMS or Mail factors.
func (f *Factors) Send(ctx context.Context, a entry.Actor, factor string) (reach.Sent, error) {
	s, p, err := f.sendTo(ctx, a, factor)
	if err != nil {
		return reach.Sent{}, err
	}
	if err := f.ready(p); err != nil {
		return reach.Sent{}, err
	}
	return f.send(ctx, a, provePurpose, s.ID, p)
}

// FactorSent tells what became of the code of [Factors.Send], to draw the page
// again. Its time is zero when no code of this sign-in or session is good any
// more, though one may have gone to the same phone for another.
func (f *Factors) FactorSent(ctx context.Context, a entry.Actor, factor string) (reach.Sent, error) {
	s, p, err := f.sendTo(ctx, a, factor)
	if err != nil {
		return reach.Sent{}, err
	}
	return f.sent(ctx, provePurpose, subject(a, s.ID), p)
}

// sendTo finds a factor of the actor's to which codes are sent, and where.
func (f *Factors) sendTo(ctx context.Context, a entry.Actor, factor string) (storedFactor, reach.Point, error) {
	s, err := f.one(ctx, a.Person, factor, entry.SMS, entry.Mail)
	if err != nil {
		return storedFactor{}, reach.Point{}, err
	}
	points, err := f.Reach.Points(ctx, a.Person)
	if err != nil {
		return storedFactor{}, reach.Point{}, fmt.Errorf("find where codes are sent: %w", err)
	}
	p, ok := placeOf(points, s.point, f.DB.Now().Time())
	if !ok {
		return storedFactor{}, reach.Point{}, PointGone
	}
	return s, p, nil
}

// ProveSent checks a code that [Factors.Send] sent in the same sign-in or session.
// Faults: those of code.Check, and [Slowed].
func (f *Factors) ProveSent(ctx context.Context, a entry.Actor, factor, typed string) (Factor, error) {
	s, p, err := f.sendTo(ctx, a, factor)
	if err != nil {
		return Factor{}, err
	}
	if err := f.ready(p); err != nil { // it changed hands while the code was on its way
		return Factor{}, err
	}
	browser, err := f.try(ctx, a)
	if err != nil {
		return Factor{}, err
	}
	if err := f.Codes.Check(ctx, provePurpose, subject(a, s.ID), typed); err != nil {
		return Factor{}, err
	}
	s.Point = p.Masked
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		// The point may be the one that replaced an older one: from now on it is it.
		if err := sqlgen.New(tx).UsedAt(ctx, sqlgen.UsedAtParams{ID: s.ID, LastUsedAt: tx.Now(), Point: p.ID}); err != nil {
			return fmt.Errorf("note the use of a factor: %w", err)
		}
		return f.forgive(ctx, tx, a.Person, browser)
	})
	return s.Factor, err
}
