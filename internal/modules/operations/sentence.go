package operations

import (
	"context"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// explained is a reason code with its sentences, as far as they can be said without the facts of the
// case: the facts are in the details beside it.
type explained struct{ Code, Message, Next string }

func explain(ctx context.Context, code string) explained {
	return explained{Code: code, Message: sentence(ctx, code+".message"), Next: sentence(ctx, code+".next")}
}

func sentence(ctx context.Context, key string) string {
	printer := i18n.Of(ctx)
	if printer == nil || !printer.Has(key) {
		return ""
	}
	said := printer.T(key)
	if strings.Contains(said, "<no value>") { // it needs facts that nobody kept
		return ""
	}
	return said
}

// labelled is the label of a value from a fixed list, or the value itself where a newer version added one.
func labelled(ctx context.Context, prefix, value string) string {
	printer := i18n.Of(ctx)
	if printer == nil || !printer.Has(prefix+"."+value) {
		return value
	}
	return printer.T(prefix + "." + value)
}
