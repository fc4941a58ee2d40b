package health

import "embed"

// Locales holds the sentences of this package's reasons.
//
//go:embed locales/*.toml
var Locales embed.FS
