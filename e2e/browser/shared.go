package browser

import (
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// shared is the one browser of a test program: starting Chromium takes a
// second, a new tab takes milliseconds.
var shared struct {
	sync.Mutex
	browser *Browser
}

// Shared gives the test program's browser and starts it when needed. Without
// Chromium the test is skipped, and in CI it fails.
func Shared(t testing.TB) *Browser {
	t.Helper()
	path := Find()
	if path == "" {
		need.Without(t, "Chromium")
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.browser == nil {
		b, err := Start(path)
		if err != nil {
			t.Fatal(err)
		}
		shared.browser = b
	}
	return shared.browser
}

// Run runs a package's tests and closes the shared browser after them. It is
// for TestMain.
func Run(m *testing.M) (code int) {
	code = m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.browser != nil {
		if err := shared.browser.Close(); err != nil {
			println("close the browser:", err.Error())
			return max(code, 1)
		}
	}
	return code
}
