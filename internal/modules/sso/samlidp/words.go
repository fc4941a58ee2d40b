package samlidp

import (
	"context"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// t is a sentence of this alcove in the reader's language.
func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "sso.saml."+key, pairs...)
}
