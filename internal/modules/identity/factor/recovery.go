package factor

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

const (
	// codesInSet is how many recovery codes somebody has.
	codesInSet = 10
	// codeLetters is the length of one: 30¹² are 58 bits, and tries are slowed down.
	codeLetters = 12
	// codeAlphabet has no letters and digits that look alike in print: i l o u 0 1.
	codeAlphabet = "23456789abcdefghjkmnpqrstvwxyz"
	// recoveryPurpose names the key of their hashes.
	recoveryPurpose = "identity.recovery"
)

// CodeSet is a fresh set of recovery codes, shown once.
type CodeSet struct {
	Codes  []string // like "kemw-7tra-2s4q"
	MadeAt time.Time
}

// drawCode makes one code.
func drawCode() (string, error) {
	var b strings.Builder
	for range codeLetters {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeAlphabet))))
		if err != nil {
			return "", fmt.Errorf("draw a recovery code: %w", err)
		}
		b.WriteByte(codeAlphabet[n.Int64()])
	}
	return b.String(), nil
}

// codeText is what is hashed: the code belongs to one person.
func codeText(who campus.PersonID, plain string) []byte { return []byte(string(who) + "\n" + plain) }

// NewCodes replaces the recovery codes of somebody by ten fresh ones. Somebody
// without another factor gets none ([CodesAlone]): a sheet of paper alone is soon
// a photo beside the password.
func (f *Factors) NewCodes(ctx context.Context, on Occasion) (CodeSet, error) {
	if !f.works(entry.Recovery) {
		return CodeSet{}, NotAllowed
	}
	who := on.Actor.Person
	person, err := f.People.PersonByID(ctx, who)
	if err != nil {
		return CodeSet{}, err
	}
	var set CodeSet
	macs := make([]string, codesInSet)
	for i := range macs {
		plain, err := drawCode()
		if err != nil {
			return CodeSet{}, err
		}
		set.Codes = append(set.Codes, groups(plain, 4, "-"))
		macs[i] = base64.RawURLEncoding.EncodeToString(f.Keys.MAC(recoveryPurpose, codeText(who, plain)))
	}
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		q := sqlgen.New(tx)
		n, err := q.CountFactors(ctx, string(who))
		if err != nil {
			return fmt.Errorf("count factors: %w", err)
		}
		if n == 0 {
			return CodesAlone
		}
		if _, err := q.DropCodes(ctx, string(who)); err != nil {
			return fmt.Errorf("replace recovery codes: %w", err)
		}
		for _, mac := range macs {
			if err := q.AddCode(ctx, sqlgen.AddCodeParams{ID: id.New(), PersonID: string(who), Mac: mac, MadeAt: tx.Now()}); err != nil {
				return fmt.Errorf("store a recovery code: %w", err)
			}
		}
		set.MadeAt = tx.Now().Time()
		return f.changed(ctx, tx, on, person, "recovery_codes_made", factorAdded, Factor{Kind: entry.Recovery})
	})
	if err != nil {
		return CodeSet{}, err
	}
	return set, nil
}

// codesOf is the factor that stands for all recovery codes of somebody; its
// AddedAt is zero when there are none.
func (f *Factors) codesOf(ctx context.Context, who campus.PersonID) (Factor, error) {
	rows, err := sqlgen.New(f.DB.Read()).CodesOf(ctx, string(who))
	if err != nil {
		return Factor{}, fmt.Errorf("count recovery codes: %w", err)
	}
	codes := Factor{ID: RecoveryID, Kind: entry.Recovery, Label: i18n.T(ctx, "identity.factor.label.recovery")}
	for _, row := range rows {
		codes.AddedAt = row.MadeAt.Time()
		if row.UsedAt.IsZero() {
			codes.CodesLeft++
		} else if used := row.UsedAt.Time(); used.After(codes.LastUsedAt) {
			codes.LastUsedAt = used
		}
	}
	return codes, nil
}

// ProveCode uses up one of the actor's recovery codes and tells them that one was
// used. Faults: [RecoveryWrong], [RecoveryUsed], [Slowed], and [Missing] for who
// has none.
func (f *Factors) ProveCode(ctx context.Context, on Occasion, typed string) (Factor, error) {
	who := on.Actor.Person
	if !f.works(entry.Recovery) {
		return Factor{}, NotAllowed
	}
	rows, err := sqlgen.New(f.DB.Read()).CodesOf(ctx, string(who))
	if err != nil {
		return Factor{}, fmt.Errorf("read recovery codes: %w", err)
	}
	if len(rows) == 0 {
		return Factor{}, Missing
	}
	person, err := f.People.PersonByID(ctx, who)
	if err != nil {
		return Factor{}, err
	}
	browser, err := f.try(ctx, on.Actor)
	if err != nil {
		return Factor{}, err
	}
	text := codeText(who, strings.ToLower(code.Normal(typed)))
	var right *sqlgen.CodesOfRow
	left := 0
	for i, row := range rows { // all of them, so that the time taken says nothing
		mac, err := base64.RawURLEncoding.DecodeString(row.Mac)
		if err != nil {
			return Factor{}, fmt.Errorf("read the hash of a recovery code: %w", err)
		}
		if f.Keys.VerifyMAC(recoveryPurpose, text, mac) {
			right = &rows[i]
		} else if row.UsedAt.IsZero() {
			left++
		}
	}
	if right == nil {
		return Factor{}, RecoveryWrong
	}
	if !right.UsedAt.IsZero() {
		return Factor{}, RecoveryUsed
	}
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		n, err := sqlgen.New(tx).UseCode(ctx, sqlgen.UseCodeParams{PersonID: string(who), ID: right.ID, UsedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("use a recovery code: %w", err)
		}
		if n == 0 {
			return RecoveryUsed
		}
		if err := f.forgive(ctx, tx, who, browser); err != nil {
			return err
		}
		if err := f.Reach.Tell(ctx, tx, person, reach.Letter{Kind: "recovery_code_used", URL: manageURL, Args: []any{"count", left}, Urgent: true}); err != nil {
			return fmt.Errorf("tell of a recovery code: %w", err)
		}
		return f.Journal.Write(ctx, tx, on.event(recoveryUsed, "left", fmt.Sprint(left)))
	})
	if err != nil {
		return Factor{}, err
	}
	return Factor{ID: RecoveryID, Kind: entry.Recovery, AddedAt: right.MadeAt.Time(), CodesLeft: left}, nil
}
