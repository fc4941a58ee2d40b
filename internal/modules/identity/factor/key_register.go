package factor

import (
	"context"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// BeginKey starts the registration of a key, or of a passkey that signs in alone:
// a passkey is kept on the authenticator and verifies its owner.
func (f *Factors) BeginKey(ctx context.Context, a entry.Actor, passkey bool) (Ceremony, error) {
	kind := entry.SecurityKey
	wants := protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementDiscouraged, UserVerification: protocol.VerificationPreferred}
	if passkey {
		kind = entry.Passkey
		wants = protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		}
	}
	if !f.works(kind) {
		return Ceremony{}, NotAllowed
	}
	person, err := f.People.PersonByID(ctx, a.Person)
	if err != nil {
		return Ceremony{}, err
	}
	keys, _, err := f.keysOf(ctx, f.DB.Read(), a.Person)
	if err != nil {
		return Ceremony{}, err
	}
	known := make([]protocol.CredentialDescriptor, len(keys)) // suspended ones too: the same key is not fresh
	for i, k := range keys {
		raw, err := rawCredentialID(k.credential)
		if err != nil {
			return Ceremony{}, err
		}
		known[i] = protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: raw}
	}
	options, session, err := f.rp.BeginRegistration(keyOwner{Person: person},
		webauthn.WithAuthenticatorSelection(wants), webauthn.WithExclusions(known), webauthn.WithExtensions(webauthn.WithExtensionCredProps()))
	if err != nil {
		return Ceremony{}, fmt.Errorf("begin to register a key: %w", err)
	}
	return f.open(ceremony{Aim: aimRegister, Person: a.Person, Bound: bound(a), Passkey: passkey}, session, options)
}

// ConfirmKey registers the key that answered: response is the JSON of the
// browser's PublicKeyCredential. An empty label is replaced by what the key is.
// Faults: [CeremonyOver], [KeyOrigin], [KeyKnown], [KeyUnverified], [KeyRefused].
func (f *Factors) ConfirmKey(ctx context.Context, on Occasion, ceremonyID string, response []byte, name string) (Factor, error) {
	a := on.Actor
	c, err := f.opened(ceremonyID, aimRegister, a)
	if err != nil {
		return Factor{}, err
	}
	person, err := f.People.PersonByID(ctx, a.Person)
	if err != nil {
		return Factor{}, err
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return Factor{}, refused(err)
	}
	if err := f.fromHere(ctx, answer.Response.CollectedClientData); err != nil {
		return Factor{}, err
	}
	flags := answer.Response.AttestationObject.AuthData.Flags
	if c.Passkey && !flags.HasUserVerified() {
		return Factor{}, KeyUnverified
	}
	credential, err := f.rp.CreateCredential(keyOwner{Person: person}, c.Session, answer)
	if err != nil {
		return Factor{}, refused(err)
	}
	record, err := f.sealRecord(credential)
	if err != nil {
		return Factor{}, err
	}
	added := Factor{ID: id.New(), Kind: entry.SecurityKey, BackedUp: credential.Flags.BackupState, Passkey: discoverable(c, answer)}
	if added.Passkey && flags.HasUserVerified() {
		added.Kind = entry.Passkey
	}
	added.Label = label(name, keyLabel(ctx, credential, on.Agent))
	err = f.DB.InTx(ctx, func(tx db.Tx) error {
		if err := c.spend(ctx, tx); err != nil {
			return err
		}
		added.AddedAt = tx.Now().Time()
		if err := f.add(ctx, tx, sqlgen.AddFactorParams{ID: added.ID, PersonID: string(a.Person), Kind: string(added.Kind), Label: added.Label}); err != nil {
			return err
		}
		err := sqlgen.New(tx).AddKey(ctx, sqlgen.AddKeyParams{
			FactorID: added.ID, CredentialID: credentialID(credential.ID), Record: record,
			SignCount: int64(credential.Authenticator.SignCount), Discoverable: added.Passkey, BackedUp: added.BackedUp,
		})
		if db.IsUnique(err) {
			return KeyKnown.From(err)
		}
		if err != nil {
			return fmt.Errorf("add a key: %w", err)
		}
		if err := f.forgive(ctx, tx, a.Person, a.Browser); err != nil {
			return err
		}
		return f.changed(ctx, tx, on, person, "factor_added", factorAdded, added)
	})
	if err != nil {
		return Factor{}, err
	}
	return added, nil
}

// discoverable reports whether a new credential can be found without its
// identifier: the browser says so (§10.1.3 credProps), or it was required.
func discoverable(c ceremony, answer *protocol.ParsedCredentialCreationData) bool {
	if said := answer.ClientExtensionResults.CredProps; said != nil && said.RK != nil {
		return *said.RK
	}
	return c.Passkey
}
