package code

import (
	"context"

	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what the package keeps about people. There is nothing to
// export: a code is known by its hash alone, and for a day.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{contract.Held(ctx, "identity_codes", "identity.code.holding").On(contract.LegalObligation, contract.DataSecurity).
		Erased(contract.Delete("person_id"))}
}
