package renewal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/renewal/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/rules"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// keep writes a new password and puts the one before into the history. first
// tells that there was none before.
func (x *Renewal) keep(ctx context.Context, tx db.Tx, who campus.PersonID, s Secret) (first bool, err error) {
	q := sqlgen.New(tx)
	before, err := q.PasswordOf(ctx, string(who))
	first = errors.Is(err, sql.ErrNoRows)
	if err != nil && !first {
		return false, fmt.Errorf("read the password before: %w", err)
	}
	n, err := q.ReplacePasswords(ctx, sqlgen.ReplacePasswordsParams{PersonID: string(who), ReplacedAt: tx.Now()})
	if err != nil {
		return false, fmt.Errorf("close the history: %w", err)
	}
	if n == 0 && !first { // set from the command line, which keeps no history
		err := q.AddPassword(ctx, sqlgen.AddPasswordParams{ID: id.New(), PersonID: string(who), Hash: before.Hash, Mark: s.before, SetAt: before.ChangedAt, ReplacedAt: tx.Now()})
		if err != nil {
			return false, fmt.Errorf("add to the history: %w", err)
		}
	}
	err = q.AddPassword(ctx, sqlgen.AddPasswordParams{ID: id.New(), PersonID: string(who), Hash: s.Hash, Mark: s.mark, SetAt: tx.Now()})
	if err != nil {
		return false, fmt.Errorf("add to the history: %w", err)
	}
	if err := q.SetPassword(ctx, sqlgen.SetPasswordParams{PersonID: string(who), Hash: s.Hash, ChangedAt: tx.Now()}); err != nil {
		return false, fmt.Errorf("store the password: %w", err)
	}
	_, err = q.ForgetPasswords(ctx, sqlgen.ForgetPasswordsParams{PersonID: string(who), BeforeAt: tx.Now().Add(-x.config.OldKnown), Keep: int32(max(1, x.config.History))})
	if err != nil {
		return false, fmt.Errorf("forget old passwords: %w", err)
	}
	return first, nil
}

// used reports whether a password is the current one or among the last.
func (x *Renewal) used(ctx context.Context, who campus.PersonID, plain string) (bool, error) {
	q := sqlgen.New(x.DB.Read())
	current, err := q.PasswordOf(ctx, string(who))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("read the password: %w", err)
	}
	rows, err := q.LatestPasswords(ctx, sqlgen.LatestPasswordsParams{PersonID: string(who), Limit: int32(x.config.History)})
	if err != nil {
		return false, fmt.Errorf("read the history: %w", err)
	}
	hashes := []string{}
	if current.Hash != "" {
		hashes = append(hashes, current.Hash)
	}
	for _, row := range rows {
		if row.Hash != current.Hash {
			hashes = append(hashes, row.Hash)
		}
	}
	for _, hash := range hashes {
		same, err := x.Hasher.MatchesHash(ctx, hash, rules.Normal(plain))
		if err != nil || same {
			return same, err
		}
	}
	return false, nil
}

func (x *Renewal) stateOf(ctx context.Context, who campus.PersonID, proofSince db.Time) (state sqlgen.StateOfRow, known bool, err error) {
	state, err = sqlgen.New(x.DB.Read()).StateOf(ctx, sqlgen.StateOfParams{PersonID: string(who), SinceAt: proofSince})
	if errors.Is(err, sql.ErrNoRows) {
		return state, false, nil
	}
	if err != nil {
		return state, false, fmt.Errorf("read the state of a password: %w", err)
	}
	return state, true, nil
}

// A mark is a random salt and a few bits of a keyed hash, in base64url. They are
// few on purpose: a wrong password passes for the old one once in 65,536 times,
// and whoever stole the database and the key file together learns 16 bits from
// them, not a fast way around argon2.
const (
	markPurpose = "identity.password_mark"
	markSalt    = 6
	markBits    = 2 // bytes
)

func (x *Renewal) mark(plain string) string {
	salt := make([]byte, markSalt)
	rand.Read(salt) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(append(salt, x.trace(salt, plain)...))
}

// trace is the end of the keyed hash; its beginning names the key.
func (x *Renewal) trace(salt []byte, plain string) []byte {
	mac := x.Keys.MAC(markPurpose, append(salt[:len(salt):len(salt)], plain...))
	return mac[len(mac)-markBits:]
}

// marks reports whether a mark was made of a password with the key in use. After
// a new key the old marks say nothing, which costs a hint and nothing else.
func (x *Renewal) marks(mark, plain string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(mark)
	if err != nil || len(raw) != markSalt+markBits {
		return false
	}
	return hmac.Equal(raw[markSalt:], x.trace(raw[:markSalt], plain))
}

// WasOldPassword reports whether a wrong password is one that somebody replaced
// within the configured time, and since when it is not right any more. It costs
// no argon2 hash, so that a sign-in can always ask; for a person who does not
// exist it does the same work and says no.
func (x *Renewal) WasOldPassword(ctx context.Context, who campus.PersonID, plain string) (since time.Time, ok bool, err error) {
	if x.config.OldKnown == 0 {
		return time.Time{}, false, nil
	}
	rows, err := sqlgen.New(x.DB.Read()).MarksOf(ctx, sqlgen.MarksOfParams{PersonID: string(who), SinceAt: db.At(x.Clock.Now().Add(-x.config.OldKnown))})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read old passwords: %w", err)
	}
	plain = rules.Normal(plain)
	for _, row := range rows {
		if x.marks(row.Mark, plain) {
			return row.ReplacedAt.Time(), true, nil
		}
	}
	return time.Time{}, false, nil
}
