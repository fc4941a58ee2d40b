package browser

import (
	"encoding/json"
	"strings"
)

// plain makes texts comparable: French puts narrow no-break spaces before
// some signs, and layout puts line ends where it likes.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}

func unquote(text string) (string, error) {
	var plain string
	err := json.Unmarshal([]byte(text), &plain)
	return plain, err
}
