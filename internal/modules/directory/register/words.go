package register

import (
	"context"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// t is a sentence of this alcove in the reader's language.
func t(ctx context.Context, key string, pairs ...any) string {
	return i18n.T(ctx, "directory.register."+key, pairs...)
}

// fieldName is what people call a field; one without a name is told as it is.
func fieldName(ctx context.Context, field string) string {
	if field == "description" { // a name that the sentences reserve
		field = "description_text"
	}
	key := "directory.register.field." + field
	if i18n.Of(ctx).Has(key) {
		return i18n.T(ctx, key)
	}
	return field
}
