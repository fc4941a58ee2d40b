// Package axe holds axe-core, the accessibility checker that every page of the
// browser stories goes through, as the text of one script.
//
// axe-core is by Deque Systems and is under the Mozilla Public License 2.0
// (LICENSE beside this file); the copy is unchanged. To renew it, run
// `npm pack axe-core@VERSION` and take axe.min.js and LICENSE out of the
// archive. It is used by tests only and is no part of the program.
package axe

import _ "embed"

// Script defines the global `axe` when a page evaluates it.
//
//go:embed axe.min.js
var Script string
