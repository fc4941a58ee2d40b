package factor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/qr"
)

const (
	// step is how long one code shows (RFC 6238 §4.1).
	step = 30 * time.Second
	// near is by how many steps a code may differ from where it is expected: it
	// was read just before it changed, or typed slowly.
	near = 1
	// far is by how many steps the clock of a phone may be wrong and still be
	// recognised, and be learnt while its app is registered.
	far = 10
	// appPurpose names the key that seals the secrets.
	appPurpose = "identity.totp"
	// enrolmentLasts is how long the same QR code can be registered.
	enrolmentLasts = 30 * time.Minute
)

// AppEnrolment is an authenticator app about to be registered. It stays the same
// for half an hour of one sign-in or session, so that a second tab or the back
// button shows the same code. Another sign-in gets another one: whoever came as
// far with a stolen password must not know the key that the owner registers.
type AppEnrolment struct {
	ID string
	// Key is the secret in groups of four letters, for people who type it; URI is
	// the otpauth address, which opens the app of the same phone; QR is the same
	// as an SVG picture with its quiet zone, safe to put into the page as it is.
	Key, URI, QR string
	ExpiresAt    time.Time
}

// BeginApp starts or resumes the registration of an authenticator app.
func (f *Factors) BeginApp(ctx context.Context, a entry.Actor) (AppEnrolment, error) {
	if !f.works(entry.TOTP) {
		return AppEnrolment{}, NotAllowed
	}
	person, err := f.People.PersonByID(ctx, a.Person)
	if err != nil {
		return AppEnrolment{}, err
	}
	account := totp.GenerateOpts{Issuer: strings.ReplaceAll(f.Institution, ":", " "), AccountName: person.Login}
	fresh, err := totp.Generate(account)
	if err != nil {
		return AppEnrolment{}, fmt.Errorf("make the key of an app: %w", err)
	}
	sealed, err := f.Keys.SealText(appPurpose, fresh.Secret())
	if err != nil {
		return AppEnrolment{}, fmt.Errorf("seal the key of an app: %w", err)
	}
	var row sqlgen.EnrolmentOfRow
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		_, err := q.BeginEnrolment(ctx, sqlgen.BeginEnrolmentParams{
			ID: id.New() + "-" + placeOfEnrolment(a), PersonID: string(a.Person), Secret: sealed, ExpiresAt: tx.Now().Add(enrolmentLasts),
			NowAt: tx.Now(), Place: placeOfEnrolment(a),
		})
		if err != nil {
			return fmt.Errorf("begin to register an app: %w", err)
		}
		row, err = q.EnrolmentOf(ctx, string(a.Person))
		return err
	})
	if err != nil {
		return AppEnrolment{}, err
	}
	secret, err := f.Keys.OpenText(appPurpose, row.Secret)
	if err != nil {
		return AppEnrolment{}, err
	}
	uri := withSecret(fresh.URL(), fresh.Secret(), secret)
	picture, err := qr.SVG(uri, "")
	if err != nil {
		return AppEnrolment{}, err
	}
	return AppEnrolment{ID: row.ID, Key: groups(secret, 4, " "), URI: uri, QR: picture, ExpiresAt: row.ExpiresAt.Time()}, nil
}

// placeOfEnrolment names the sign-in or session of a registration. It is the
// second half of the identifier, behind the 36 letters of the first.
func placeOfEnrolment(a entry.Actor) string { return id.Hash(bound(a)) }

// withSecret puts the secret of a registration that was resumed into the address
// that was made for a fresh one.
func withSecret(uri, fresh, secret string) string {
	return strings.Replace(uri, "secret="+fresh, "secret="+secret, 1)
}

// ConfirmApp registers the app once it shows a right code. A phone whose clock is
// wrong by up to five minutes is taken as it is, because its codes are recognised
// at every sign-in as well; [Factor.Late] says by how much, so that its owner
// can be told. Faults: [AppWrong], [EnrolmentOver], [Slowed].
func (f *Factors) ConfirmApp(ctx context.Context, on Occasion, enrolment, name, typed string) (Factor, error) {
	return f.confirmApp(ctx, on, nil, enrolment, name, typed)
}

// MoveApp registers the app of a new phone as [Factors.ConfirmApp] does and
// removes the old app in the same instant. Faults: those, and [Missing] when the
// old app is gone already.
func (f *Factors) MoveApp(ctx context.Context, on Occasion, old, enrolment, name, typed string) (Factor, error) {
	before, err := f.one(ctx, on.Actor.Person, old, entry.TOTP)
	if err != nil {
		return Factor{}, err
	}
	return f.confirmApp(ctx, on, &before.Factor, enrolment, name, typed)
}

// confirmApp registers an app, in the place of an old one unless that is nil.
func (f *Factors) confirmApp(ctx context.Context, on Occasion, old *Factor, enrolment, name, typed string) (Factor, error) {
	who := on.Actor.Person
	row, err := sqlgen.New(f.DB.Read()).EnrolmentOf(ctx, string(who))
	if errors.Is(err, sql.ErrNoRows) || err == nil && (row.ID != enrolment || !strings.HasSuffix(row.ID, "-"+placeOfEnrolment(on.Actor)) || row.ExpiresAt <= f.DB.Now()) {
		return Factor{}, EnrolmentOver
	}
	if err != nil {
		return Factor{}, fmt.Errorf("read the registration of an app: %w", err)
	}
	person, err := f.People.PersonByID(ctx, who)
	if err != nil {
		return Factor{}, err
	}
	browser, err := f.try(ctx, on.Actor)
	if err != nil {
		return Factor{}, err
	}
	secret, err := f.Keys.OpenText(appPurpose, row.Secret)
	if err != nil {
		return Factor{}, err
	}
	now := stepAt(f.DB.Now().Time())
	at, ok, err := match(secret, typed, now, far)
	if err != nil {
		return Factor{}, err
	}
	if !ok {
		return Factor{}, AppWrong
	}
	added := Factor{ID: id.New(), Kind: entry.TOTP, Label: label(name, i18n.T(ctx, "identity.factor.label.app")), Late: time.Duration(lateness(now, at)) * step}
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).EndEnrolment(ctx, sqlgen.EndEnrolmentParams{PersonID: string(who), ID: enrolment})
		if err != nil {
			return fmt.Errorf("end the registration of an app: %w", err)
		}
		if n == 0 {
			return EnrolmentOver // another tab was quicker
		}
		added.AddedAt = tx.Now().Time()
		err = f.add(ctx, tx, sqlgen.AddFactorParams{
			ID: added.ID, PersonID: string(who), Kind: string(added.Kind), Label: added.Label,
			Secret: row.Secret, LastStep: at, LateSteps: lateness(now, at),
		})
		if err != nil {
			return err
		}
		if err := f.forgive(ctx, tx, who, browser); err != nil {
			return err
		}
		if old == nil {
			return f.changed(ctx, tx, on, person, "factor_added", factorAdded, added)
		}
		if n, err = sqlgen.New(tx).Remove(ctx, sqlgen.RemoveParams{PersonID: string(who), ID: old.ID}); err != nil {
			return fmt.Errorf("remove the old app: %w", err)
		}
		if n == 0 {
			return Missing
		}
		if err := f.Journal.Write(ctx, tx, on.event(factorRemoved, "method", string(old.Kind), "label", old.Label)); err != nil {
			return err
		}
		if err := f.endTrust(ctx, tx, who); err != nil {
			return err
		}
		return f.changed(ctx, tx, on, person, "factor_moved", factorAdded, added, "old", old.Label)
	})
	if err != nil {
		return Factor{}, err
	}
	return added, nil
}

// ProveApp checks a code of one of the actor's authenticator apps. Each code
// works once. Faults: [AppWrong], [AppLate], [AppEarly], [AppReplayed],
// [Slowed], and [Missing] for who has no app.
func (f *Factors) ProveApp(ctx context.Context, a entry.Actor, typed string) (Factor, error) {
	list, err := f.stored(ctx, f.DB.Read(), a.Person)
	if err != nil {
		return Factor{}, err
	}
	var apps []storedFactor
	for _, s := range list {
		if s.Kind == entry.TOTP && f.works(s.Kind) {
			apps = append(apps, s)
		}
	}
	if len(apps) == 0 {
		return Factor{}, Missing
	}
	browser, err := f.try(ctx, a)
	if err != nil {
		return Factor{}, err
	}
	now := stepAt(f.DB.Now().Time())
	var hint error = AppWrong
	for _, app := range apps {
		secret, err := f.Keys.OpenText(appPurpose, app.secret)
		if err != nil {
			return Factor{}, err
		}
		at, ok, err := match(secret, typed, now-app.late, near)
		if err == nil && !ok && app.late != 0 { // the clock was put right meanwhile
			at, ok, err = match(secret, typed, now, near)
		}
		if err != nil {
			return Factor{}, err
		}
		if ok {
			return f.takeStep(ctx, a, browser, app, now, at)
		}
		if at, ok, err = match(secret, typed, now, far); err != nil {
			return Factor{}, err
		} else if ok {
			hint = wrongClock(now, at)
		}
	}
	return Factor{}, hint
}

// takeStep uses up a code that was counted for a browser: of several requests with
// the same one, one is let in.
func (f *Factors) takeStep(ctx context.Context, a entry.Actor, browser string, app storedFactor, now, at int64) (Factor, error) {
	late := lateness(now, at)
	err := f.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).TakeStep(ctx, sqlgen.TakeStepParams{ID: app.ID, Step: at, Late: late, NowAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("use a code of an app: %w", err)
		}
		if n == 0 {
			next := time.Unix((at+late+1)*int64(step/time.Second), 0).Sub(tx.Now().Time())
			return AppReplayed.With(fault.Args{"wait": max(next, time.Second).Round(time.Second)})
		}
		return f.forgive(ctx, tx, a.Person, browser)
	})
	if err != nil {
		return Factor{}, err
	}
	app.Late = time.Duration(late) * step
	return app.Factor, nil
}

// stepAt is the number of the step at an instant.
func stepAt(t time.Time) int64 { return t.Unix() / int64(step/time.Second) }

// lateness is by how many steps a phone is late that shows the code of at. What
// can come from reading and typing is no lateness.
func lateness(now, at int64) int64 {
	late := now - at
	if -near <= late && late <= near {
		return 0
	}
	return min(max(late, -far), far)
}

// wrongClock explains a code that was right at another time.
func wrongClock(now, at int64) error {
	late := time.Duration(now-at) * step
	if late < 0 {
		return AppEarly.With(fault.Args{"early": -late})
	}
	return AppLate.With(fault.Args{"late": late})
}

// match finds the step nearest to expected, within so many, whose code was typed.
func match(secret, typed string, expected, within int64) (at int64, ok bool, err error) {
	typed = code.Normal(typed)
	if len(typed) != otp.DigitsSix.Length() {
		return 0, false, nil
	}
	for off := int64(0); off <= within; off++ {
		for _, at := range []int64{expected - off, expected + off} {
			if at < 0 {
				continue
			}
			same, err := hotp.ValidateCustom(typed, uint64(at), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
			if err != nil {
				return 0, false, fmt.Errorf("compute the code of an app: %w", err)
			}
			if same {
				return at, true, nil
			}
		}
	}
	return 0, false, nil
}

// groups writes s in groups of n letters.
func groups(s string, n int, between string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%n == 0 {
			b.WriteString(between)
		}
		b.WriteRune(r)
	}
	return b.String()
}
