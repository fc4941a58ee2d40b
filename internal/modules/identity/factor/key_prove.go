package factor

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// BeginKeyProof asks for any of the actor's keys and passkeys.
func (f *Factors) BeginKeyProof(ctx context.Context, a entry.Actor) (Ceremony, error) {
	if !f.works(entry.SecurityKey) && !f.works(entry.Passkey) {
		return Ceremony{}, NotAllowed
	}
	keys, credentials, err := f.keysOf(ctx, f.DB.Read(), a.Person)
	if err != nil {
		return Ceremony{}, err
	}
	if len(credentials) == 0 {
		if len(keys) > 0 {
			return Ceremony{}, Suspended
		}
		return Ceremony{}, Missing
	}
	// A key beside a password need not verify its owner; one that can, does.
	options, session, err := f.rp.BeginLogin(keyOwner{Person: account.Person{ID: a.Person}, keys: credentials}, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return Ceremony{}, fmt.Errorf("ask for a key: %w", err)
	}
	return f.open(ceremony{Aim: aimProve, Person: a.Person, Bound: bound(a)}, session, options)
}

// ProveKey checks the answer of a key. The kind of the factor that it returns is
// Passkey when the key verified its owner now, SecurityKey when it was only
// touched. Faults: [CeremonyOver], [KeyOrigin], [KeyUnknown], [KeyCloned],
// [Suspended], [KeyRefused].
func (f *Factors) ProveKey(ctx context.Context, on Occasion, ceremonyID string, response []byte) (Factor, error) {
	if f.rp == nil {
		return Factor{}, NotAllowed
	}
	c, err := f.opened(ceremonyID, aimProve, on.Actor)
	if err != nil {
		return Factor{}, err
	}
	answer, err := f.parse(ctx, response)
	if err != nil {
		return Factor{}, err
	}
	return f.finish(ctx, on, c, answer, on.Actor.Person)
}

// BeginEntry asks for any passkey, of a stranger.
func (f *Factors) BeginEntry(context.Context) (Ceremony, error) {
	if !f.works(entry.Passkey) {
		return Ceremony{}, NotAllowed
	}
	options, session, err := f.rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Ceremony{}, fmt.Errorf("ask for a passkey: %w", err)
	}
	return f.open(ceremony{Aim: aimEnter}, session, options)
}

// FinishEntry tells whose passkey answered. It must have verified its owner,
// because there is no password beside it. Whether the account may be used is
// asked later, by the way in. Faults: those of [Factors.ProveKey], and
// [KeyUnverified].
func (f *Factors) FinishEntry(ctx context.Context, on Occasion, ceremonyID string, response []byte) (campus.PersonID, Factor, error) {
	if !f.works(entry.Passkey) {
		return "", Factor{}, NotAllowed
	}
	c, err := f.opened(ceremonyID, aimEnter, entry.Actor{})
	if err != nil {
		return "", Factor{}, err
	}
	answer, err := f.parse(ctx, response)
	if err != nil {
		return "", Factor{}, err
	}
	owner, err := sqlgen.New(f.DB.Read()).PersonOfKey(ctx, credentialID(answer.RawID))
	if errors.Is(err, sql.ErrNoRows) {
		return "", Factor{}, KeyUnknown
	}
	if err != nil {
		return "", Factor{}, fmt.Errorf("find a key: %w", err)
	}
	if !bytes.Equal(answer.Response.UserHandle, []byte(owner)) {
		return "", Factor{}, KeyRefused.From(errors.New("the user handle is not that of the owner of the key"))
	}
	if !answer.Response.AuthenticatorData.Flags.HasUserVerified() {
		return "", Factor{}, KeyUnverified
	}
	who := campus.PersonID(owner)
	on.Actor.Person = who
	proved, err := f.finish(ctx, on, c, answer, who)
	return who, proved, err
}

// parse reads the answer of a key to a page of ours.
func (f *Factors) parse(ctx context.Context, response []byte) (*protocol.ParsedCredentialAssertionData, error) {
	answer, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, refused(err)
	}
	return answer, f.fromHere(ctx, answer.Response.CollectedClientData)
}

// finish verifies the answer of a key of somebody and takes its count.
func (f *Factors) finish(ctx context.Context, on Occasion, c ceremony, answer *protocol.ParsedCredentialAssertionData, who campus.PersonID) (Factor, error) {
	person, err := f.People.PersonByID(ctx, who)
	if err != nil {
		return Factor{}, err
	}
	keys, credentials, err := f.keysOf(ctx, f.DB.Read(), who)
	if err != nil {
		return Factor{}, err
	}
	at := slices.IndexFunc(keys, func(s storedFactor) bool { return s.credential == credentialID(answer.RawID) })
	if at < 0 {
		return Factor{}, KeyUnknown
	}
	key := keys[at]
	if !key.SuspendedAt.IsZero() {
		return Factor{}, Suspended
	}
	owner := keyOwner{Person: person, keys: credentials}
	var credential *webauthn.Credential
	if c.Aim == aimEnter {
		credential, err = f.rp.ValidateDiscoverableLogin(func(_, _ []byte) (webauthn.User, error) { return owner, nil }, c.Session, answer)
	} else {
		// Keys that were removed since the challenge are no longer allowed.
		c.Session.AllowedCredentialIDs = slices.DeleteFunc(slices.Clone(c.Session.AllowedCredentialIDs), func(id []byte) bool {
			return !slices.ContainsFunc(credentials, func(k webauthn.Credential) bool { return bytes.Equal(k.ID, id) })
		})
		credential, err = f.rp.ValidateLogin(owner, c.Session, answer)
	}
	if err != nil {
		return Factor{}, refused(err)
	}
	if credential.Authenticator.CloneWarning {
		return Factor{}, f.suspend(ctx, on, c, person, key)
	}
	record, err := f.sealRecord(credential)
	if err != nil {
		return Factor{}, err
	}
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		if err := c.spend(ctx, tx); err != nil {
			return err
		}
		q := sqlgen.New(tx)
		n, err := q.TakeCount(ctx, sqlgen.TakeCountParams{
			ID: key.ID, Record: record, Count: int64(credential.Authenticator.SignCount), BackedUp: credential.Flags.BackupState,
		})
		if err != nil {
			return fmt.Errorf("take the count of a key: %w", err)
		}
		if n == 0 {
			// A later answer of the same key was quicker, or the key was removed or
			// suspended a moment ago. Asking again tells which.
			return CeremonyOver
		}
		if err := q.Used(ctx, sqlgen.UsedParams{ID: key.ID, LastUsedAt: tx.Now()}); err != nil {
			return fmt.Errorf("note the use of a key: %w", err)
		}
		return f.forgive(ctx, tx, who, on.Actor.Browser)
	})
	if err != nil {
		return Factor{}, err
	}
	key.Kind = entry.SecurityKey
	if answer.Response.AuthenticatorData.Flags.HasUserVerified() {
		key.Kind = entry.Passkey
	}
	return key.Factor, nil
}

// suspend stops a key whose count went backwards (§6.1.1): either it or its copy
// is in other hands, and nothing tells which. Its owner learns it on every
// channel.
func (f *Factors) suspend(ctx context.Context, on Occasion, c ceremony, person account.Person, key storedFactor) error {
	err := f.DB.InTx(ctx, func(tx db.Tx) error {
		if err := c.spend(ctx, tx); err != nil {
			return err
		}
		n, err := sqlgen.New(tx).Suspend(ctx, sqlgen.SuspendParams{ID: key.ID, SuspendedAt: tx.Now()})
		if err != nil {
			return fmt.Errorf("suspend a key: %w", err)
		}
		if n == 0 {
			return Suspended
		}
		if err := f.Reach.Tell(ctx, tx, person, reach.Letter{Kind: "key_cloned", URL: manageURL, Args: []any{"label", key.Label}, Urgent: true}); err != nil {
			return fmt.Errorf("tell of a cloned key: %w", err)
		}
		return f.Journal.Write(ctx, tx, on.event(keyCloned, "label", key.Label))
	})
	if err != nil {
		return err
	}
	return KeyCloned
}

func rawCredentialID(stored string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(stored)
	if err != nil {
		return nil, fmt.Errorf("read the identifier of a key: %w", err)
	}
	return raw, nil
}
