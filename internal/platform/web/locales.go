package web

import "embed"

// Locales holds the sentences of the ground floor: its failures and the words of
// time.
//
//go:embed locales
var Locales embed.FS
