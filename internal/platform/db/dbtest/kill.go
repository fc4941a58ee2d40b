package dbtest

import (
	"bufio"
	"os"
	"os/exec"
	"testing"
)

// childDSN tells a child of KillChild its database.
const childDSN = "AMPHI_TEST_CHILD_DSN"

// EachDSN runs f with the address of an empty database of each engine, for
// tests that open it themselves.
func EachDSN(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, SQLiteDSN(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, PostgresDSN(t)) })
}

// ChildDSN is the database of a test that KillChild has started as a program of
// its own. In an ordinary run there is none, and the test is skipped: it does
// its work as the child of another test.
func ChildDSN(t testing.TB) string {
	t.Helper()
	dsn := os.Getenv(childDSN)
	if dsn == "" {
		t.Skip("this is the child of another test")
	}
	return dsn
}

// KillChild starts one test of this binary as a program of its own on a
// database, shows each line that it writes to enough, and kills it in full
// flight when enough says so. Lines that were on their way then are shown too.
func KillChild(t testing.TB, test, dsn string, enough func(line string) bool) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^"+test+"$")
	child.Env = append(os.Environ(), childDSN+"="+dsn)
	child.Stderr = t.Output()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if enough(lines.Text()) && !killed {
			killed = true
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || !killed {
		t.Fatalf("%s ended by itself: %v", test, err)
	}
}
