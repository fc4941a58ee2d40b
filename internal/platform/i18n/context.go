package i18n

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
)

type contextKey struct{}

// With carries the printer of the person who asks.
func With(ctx context.Context, p *Printer) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// Of returns the printer that ctx carries, or nil.
func Of(ctx context.Context) *Printer {
	p, _ := ctx.Value(contextKey{}).(*Printer)
	return p
}

// T returns the sentence of key in the language of ctx; see [Printer.T].
func T(ctx context.Context, key string, pairs ...any) string {
	if p := Of(ctx); p != nil {
		return p.T(key, pairs...)
	}
	return "⟦" + key + "⟧"
}

// Locale returns the language of ctx; French where none is set.
func Locale(ctx context.Context) campus.Locale {
	if p := Of(ctx); p != nil {
		return p.locale
	}
	return campus.French
}

// Pick returns the text in the language of ctx, or the other one when the first
// is empty: content that people wrote may exist in one language only.
func Pick(ctx context.Context, french, english string) string {
	if Locale(ctx) == campus.English && english != "" || french == "" {
		return english
	}
	return french
}

// Date words an instant in the language and time zone of ctx.
func Date(ctx context.Context, t time.Time, style Style) string {
	if p := Of(ctx); p != nil {
		return p.Date(t, style)
	}
	return t.UTC().Format(time.RFC3339)
}
