package factor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Holdings declares what the package keeps about people. A challenge that was
// answered is a hash that belongs to nobody.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "identity_factors", "identity.factor.holding.factor").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id")).Mended("/identity/factors"),
		contract.Held(ctx, "identity_keys", "identity.factor.holding.key").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("factor_id").Through("identity_factors", "id", "person_id")),
		contract.Held(ctx, "identity_app_enrolments", "identity.factor.holding.enrolment").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_recovery_codes", "identity.factor.holding.recovery").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_relays", "identity.factor.holding.relay").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id"), contract.Clear("given_by")),
		contract.Held(ctx, "identity_factor_tries", "identity.factor.holding.try").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "identity_factor_grace", "identity.factor.holding.grace").On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id")),
	}
}

// exported is what somebody gets of it. The keys of apps, the records of keys and
// the hashes of codes stay here: they help nobody but an attacker.
type exported struct {
	Factors       []exportedFactor `json:"factors"`
	RecoveryCodes []exportedCode   `json:"recovery_codes"`
	RelayedCodes  []exportedCode   `json:"relayed_codes"`
	// AppUntil is until when an app can be registered with the QR code that was
	// shown last.
	AppUntil    time.Time `json:"app_registration_ends_at,omitzero"`
	WrongCodes  int64     `json:"wrong_codes_in_a_row"`
	LastWrongAt time.Time `json:"last_wrong_code_at,omitzero"`
	RequiredAt  time.Time `json:"first_required_at,omitzero"`
}

// exportedFactor is one factor. Late is how many steps of 30 seconds the clock of
// an app's phone is behind ours.
type exportedFactor struct {
	Kind         entry.Method `json:"kind"`
	Label        string       `json:"label"`
	AddedAt      time.Time    `json:"added_at"`
	LastUsedAt   time.Time    `json:"last_used_at,omitzero"`
	SuspendedAt  time.Time    `json:"suspended_at,omitzero"`
	Discoverable bool         `json:"passkey"`
	BackedUp     bool         `json:"backed_up"`
	Late         int64        `json:"late_steps"`
}

// exportedCode is one code by its dates; UsedAt is zero for one that was not used.
// Who passed a code on stays out: agents are named by the journal only to those
// who look into misuse.
type exportedCode struct {
	MadeAt time.Time `json:"made_at"`
	UsedAt time.Time `json:"used_at,omitzero"`
}

// Export writes factors.json, with the factors whose method the institution
// stopped allowing.
func (f *Factors) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	q, person := sqlgen.New(f.DB.Read()), string(who)
	all := exported{Factors: []exportedFactor{}, RecoveryCodes: []exportedCode{}, RelayedCodes: []exportedCode{}}
	stored, err := f.stored(ctx, f.DB.Read(), who)
	if err != nil {
		return err
	}
	for _, s := range stored {
		all.Factors = append(all.Factors, exportedFactor{s.Kind, s.Label, s.AddedAt, s.LastUsedAt, s.SuspendedAt, s.Passkey, s.BackedUp, s.late})
	}
	codes, err := q.CodesOf(ctx, person)
	if err != nil {
		return fmt.Errorf("read the recovery codes: %w", err)
	}
	for _, c := range codes {
		all.RecoveryCodes = append(all.RecoveryCodes, exportedCode{c.MadeAt.Time(), c.UsedAt.Time()})
	}
	relays, err := q.RelaysOf(ctx, person)
	if err != nil {
		return fmt.Errorf("read the codes that were passed on: %w", err)
	}
	for _, c := range relays {
		all.RelayedCodes = append(all.RelayedCodes, exportedCode{c.GivenAt.Time(), c.UsedAt.Time()})
	}
	enrolment, err := q.EnrolmentOf(ctx, person)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the registration of an app: %w", err)
	}
	tries, err := q.TriesForExport(ctx, person)
	if err != nil {
		return fmt.Errorf("read the wrong codes: %w", err)
	}
	began, err := q.GraceOf(ctx, person)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read when a factor was first required: %w", err)
	}
	all.AppUntil, all.WrongCodes, all.LastWrongAt, all.RequiredAt = enrolment.ExpiresAt.Time(), tries.Failures, db.Time(tries.LastAt).Time(), began.Time()
	return a.JSON("factors.json", all)
}
