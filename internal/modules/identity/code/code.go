// Package code makes and checks one-time codes: what is sent to a phone or an
// address and typed back. It knows neither pages nor letters.
package code

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/code/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/crypt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// What an [Ask] means when it does not say.
const (
	DefaultDigits = 6
	DefaultLasts  = 10 * time.Minute
	DefaultTries  = 5
)

// PerHour is how many codes one purpose and subject get in an hour. With the
// tries of each it bounds how often a code can be guessed at, new codes included.
const PerHour = 10

// keep is how long a code that is over can still be told apart from a wrong one.
const keep = 24 * time.Hour

// alphabet of relayed codes, which are read out over a phone: no vowels, so no
// words, and none of I, O and Y that sound or look like others.
const alphabet = "BCDFGHJKLMNPQRSTVWXZ"

// macPurpose names the key of the hashes.
const macPurpose = "identity.code"

// Ask describes a code to be made.
type Ask struct {
	// Purpose and Subject say what the code is good for, such as
	// "identity.reset" and an identifier. It is refused for anything else.
	Purpose, Subject string
	// Person may be empty.
	Person campus.PersonID
	// Digits is the length, 6 when zero. With Letters it is the number of
	// letters, for codes that one person reads out to another.
	Digits  int
	Letters bool
	Lasts   time.Duration // 10 minutes when zero
	Tries   int           // wrong ones before it is worthless; 5 when zero
}

func (a Ask) withDefaults() Ask {
	if a.Digits <= 0 {
		a.Digits = DefaultDigits
	}
	if a.Lasts <= 0 {
		a.Lasts = DefaultLasts
	}
	if a.Tries <= 0 {
		a.Tries = DefaultTries
	}
	return a
}

// Store keeps codes. It is safe for concurrent use.
type Store struct {
	db   *db.DB
	keys *crypt.Keyring
}

// New makes a store.
func New(d *db.DB, keys *crypt.Keyring) *Store { return &Store{d, keys} }

// Issue makes a code, which replaces the older one of the same purpose and
// subject, and returns it in clear: it is stored only as a keyed hash. It fails
// with [TooMany] when there were [PerHour] in the last hour.
func (s *Store) Issue(ctx context.Context, tx db.Tx, a Ask) (string, error) {
	a = a.withDefaults()
	q := sqlgen.New(tx)
	recent, err := q.CountIssued(ctx, sqlgen.CountIssuedParams{Purpose: a.Purpose, Subject: a.Subject, Since: tx.Now().Add(-time.Hour)})
	if err != nil {
		return "", fmt.Errorf("count codes: %w", err)
	}
	if recent.Issued >= PerHour {
		return "", TooMany.With(fault.Args{"wait": db.Time(recent.Oldest).Add(time.Hour).Sub(tx.Now())})
	}
	plain, codeID := draw(a), id.New()
	mac := s.mac(codeID, a.Purpose, a.Subject, plain)
	// Of two that are made at once the second waits for the first one's
	// transaction, then finds its code in the place and replaces it.
	for range PerHour {
		if err := q.SupersedeCodes(ctx, sqlgen.SupersedeCodesParams{Purpose: a.Purpose, Subject: a.Subject, Now: tx.Now()}); err != nil {
			return "", fmt.Errorf("replace the older code: %w", err)
		}
		n, err := q.AddCode(ctx, sqlgen.AddCodeParams{
			ID: codeID, Purpose: a.Purpose, Subject: a.Subject, PersonID: string(a.Person),
			Mac: mac, TriesLeft: int64(a.Tries), CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(a.Lasts),
		})
		if err != nil {
			return "", fmt.Errorf("store a code: %w", err)
		}
		if n == 1 {
			return plain, nil
		}
	}
	return "", TooMany.With(fault.Args{"wait": time.Minute})
}

// Check uses up a code, in a transaction of its own. Of several requests with
// the right code exactly one gets nil. A wrong code costs a try even when the
// caller does not go on. Its errors are [Wrong], [Expired], [Used], [Exhausted],
// [Superseded] and [Missing].
func (s *Store) Check(ctx context.Context, purpose, subject, typed string) error {
	typed = Normal(typed)
	var verdict error
	err := s.db.InTx(ctx, func(tx db.Tx) (err error) {
		// A refusal is no error of the transaction: the try must be counted.
		verdict, err = s.judge(ctx, tx, purpose, subject, typed)
		return err
	})
	if err != nil {
		return fmt.Errorf("check a code: %w", err)
	}
	return verdict
}

// Waiting reports whether a code was issued that can still be typed: a page asks
// for one only then.
func (s *Store) Waiting(ctx context.Context, purpose, subject string) (bool, error) {
	codes, err := sqlgen.New(s.db.Read()).CodesOf(ctx, sqlgen.CodesOfParams{Purpose: purpose, Subject: subject})
	if err != nil {
		return false, fmt.Errorf("look for a code: %w", err)
	}
	if len(codes) == 0 {
		return false, nil
	}
	c := codes[0]
	return c.UsedAt.IsZero() && c.SupersededAt.IsZero() && c.TriesLeft > 0 && s.db.Now().Before(c.ExpiresAt), nil
}

// judge compares what was typed with the code that counts, then with those that
// it replaced.
func (s *Store) judge(ctx context.Context, tx db.Tx, purpose, subject, typed string) (verdict, err error) {
	q := sqlgen.New(tx)
	codes, err := q.CodesOf(ctx, sqlgen.CodesOfParams{Purpose: purpose, Subject: subject})
	if err != nil {
		return nil, err
	}
	if len(codes) == 0 {
		return Missing, nil
	}
	current := codes[0]
	matches := func(c sqlgen.CodesOfRow) bool {
		mac, err := base64.RawStdEncoding.DecodeString(c.Mac)
		return err == nil && s.keys.VerifyMAC(macPurpose, bound(c.ID, purpose, subject, typed), mac)
	}
	switch {
	case !current.UsedAt.IsZero():
		return Used, nil
	case !current.SupersededAt.IsZero(), !tx.Now().Before(current.ExpiresAt):
		return Expired, nil
	case current.TriesLeft <= 0:
		return Exhausted, nil
	case matches(current):
		n, err := q.UseCode(ctx, sqlgen.UseCodeParams{ID: current.ID, Now: tx.Now()})
		if err != nil || n == 1 {
			return nil, err
		}
		return s.judge(ctx, tx, purpose, subject, typed) // another request was quicker
	}
	for _, older := range codes[1:] {
		if matches(older) {
			return Superseded, nil // it opens nothing, so it costs no try
		}
	}
	left, err := q.CountTry(ctx, current.ID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s.judge(ctx, tx, purpose, subject, typed) // another request was quicker
	case err != nil:
		return nil, err
	case left == 0:
		return Exhausted, nil
	default:
		return Wrong.With(fault.Args{"count": int(left)}), nil
	}
}

// Jobs forgets old codes.
func (s *Store) Jobs(r *jobs.Registry) {
	r.Every("identity.forget_codes", time.Hour, s.forget)
}

func (s *Store) forget(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx db.Tx) error {
		_, err := sqlgen.New(tx).PruneCodes(ctx, tx.Now().Add(-keep))
		return err
	})
}

// bound is what the hash of a code covers: the same digits of another row,
// purpose or subject have another hash. Lengths keep the parts apart.
func bound(codeID, purpose, subject, plain string) []byte {
	return fmt.Appendf(nil, "%s|%d|%s|%d|%s|%s", codeID, len(purpose), purpose, len(subject), subject, plain)
}

func (s *Store) mac(codeID, purpose, subject, plain string) string {
	return base64.RawStdEncoding.EncodeToString(s.keys.MAC(macPurpose, bound(codeID, purpose, subject, plain)))
}

// draw makes a code; every one is equally likely.
func draw(a Ask) string {
	from := "0123456789"
	if a.Letters {
		from = alphabet
	}
	var b strings.Builder
	for range a.Digits {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(from))))
		if err != nil {
			panic("code: " + err.Error()) // the system's generator never fails
		}
		b.WriteByte(from[n.Int64()])
	}
	return b.String()
}

// Normal is a code as it is compared: without blanks and hyphens, in capitals,
// with full-width and Arabic digits read as ours.
func Normal(typed string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(typed) {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r), r == '.':
		case r >= '٠' && r <= '٩':
			b.WriteRune('0' + r - '٠')
		case r >= '۰' && r <= '۹':
			b.WriteRune('0' + r - '۰')
		default:
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}

// Shown is a code in groups, for people to read: "482 913", "5982 6558",
// "BCDF-GHJK".
func Shown(plain string) string {
	group, gap := 3, " "
	if len(plain) == 8 {
		group = 4
	}
	if strings.ContainsAny(plain, alphabet) {
		group, gap = 4, "-"
	}
	var parts []string
	for len(plain) > group {
		parts, plain = append(parts, plain[:group]), plain[group:]
	}
	return strings.Join(append(parts, plain), gap)
}
