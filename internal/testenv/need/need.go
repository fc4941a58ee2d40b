// Package need is how a test says that it cannot do without a real program:
// it is skipped where that is missing, and in CI it fails.
package need

import (
	"os"
	"strings"
	"testing"
)

// Program is the path of a program that internal/testenv provides, by the name
// that its flag -need has for it, such as "oathtool".
func Program(t testing.TB, name string) string {
	t.Helper()
	path := os.Getenv("AMPHI_TEST_" + strings.ToUpper(name))
	if path == "" {
		Without(t, name)
	}
	return path
}

// Without ends a test that needs what is not here: a skip that says how to get
// it, or a failure in CI (CI=true), where nothing is skipped in silence.
func Without(t testing.TB, what string) {
	t.Helper()
	const sentence = "this test needs %s; `make test` provides it or says how to get it"
	if os.Getenv("CI") == "true" {
		t.Fatalf(sentence, what)
	}
	t.Skipf(sentence, what)
}
