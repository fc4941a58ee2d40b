package need_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// asked is a test that notes how it ended.
type asked struct {
	testing.TB
	skipped, failed string
}

func (a *asked) Helper() {}

func (a *asked) Skipf(format string, args ...any) {
	a.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (a *asked) Fatalf(format string, args ...any) {
	a.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// ask asks for oathtool as a test does, which may end it.
func ask() (a *asked, path string) {
	a = &asked{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		path = need.Program(a, "oathtool")
	}()
	<-done
	return a, path
}

func TestAProgramThatIsThereIsGiven(t *testing.T) {
	t.Setenv("AMPHI_TEST_OATHTOOL", "/opt/oathtool")
	if a, path := ask(); path != "/opt/oathtool" || a.skipped+a.failed != "" {
		t.Errorf("%q was given, skipped with %q, failed with %q", path, a.skipped, a.failed)
	}
}

func TestWithoutItsProgramATestIsSkippedWithASentence(t *testing.T) {
	t.Setenv("AMPHI_TEST_OATHTOOL", "")
	t.Setenv("CI", "")
	a, _ := ask()
	if a.failed != "" || !strings.Contains(a.skipped, "needs oathtool; `make test`") {
		t.Errorf("skipped with %q, failed with %q", a.skipped, a.failed)
	}
}

func TestInCIATestWithoutItsProgramFails(t *testing.T) {
	t.Setenv("AMPHI_TEST_OATHTOOL", "")
	t.Setenv("CI", "true")
	a, _ := ask()
	if a.skipped != "" || !strings.Contains(a.failed, "needs oathtool; `make test`") {
		t.Errorf("skipped with %q, failed with %q", a.skipped, a.failed)
	}
}
