package identity

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/id"
)

// count is how many rows a query counts.
func (h *house) count(query string) (n int) {
	h.t.Helper()
	if err := h.db.Read().QueryRowContext(h.t.Context(), query).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// whole checks that every session has its finished sign-in and its line in the
// journal, that no sign-in is finished without a session, and that the chain
// holds. Each browser must have signed in once at most.
func (h *house) whole() {
	h.t.Helper()
	sessions := h.count("SELECT COUNT(*) FROM identity_sessions")
	for what, query := range map[string]string{
		"sign-ins that are over":        "SELECT COUNT(*) FROM identity_attempts WHERE outcome = 'in'",
		"sessions with their sign-in":   "SELECT COUNT(*) FROM identity_sessions s JOIN identity_attempts a ON a.id = s.attempt_id AND a.person_id = s.person_id AND a.outcome = 'in'",
		"lines in the journal":          "SELECT COUNT(*) FROM identity_journal WHERE kind = 'identity.signed_in'",
		"different sign-ins that ended": "SELECT COUNT(DISTINCT attempt_id) FROM identity_sessions",
	} {
		if n := h.count(query); n != sessions {
			h.t.Errorf("%d sessions, %d %s", sessions, n, what)
		}
	}
	report, err := h.journal.Verify(h.t.Context(), 0)
	if err == nil {
		err = report.Err()
	}
	if err != nil {
		h.t.Errorf("the journal does not hold: %v", err)
	}
}

// crowd adds people with the password of all tests.
func (h *house) crowd(n int) (logins []string) {
	h.t.Helper()
	for i := range n {
		login := fmt.Sprintf("student%d", i)
		h.add(Person{Login: login, Mail: login + "@valmont.example", FamilyName: "Student"}, linasPassword)
		logins = append(logins, login)
	}
	return logins
}

func TestPeopleWhoSignInAtOnceEachGetTheirOwnSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		logins := h.crowd(6)
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				login, b := logins[i%len(logins)], h.browser()
				if i%5 == 0 { // somebody mistypes in between
					b.signIn(login, "wrong")
				}
				if a := b.signIn(login, linasPassword); !strings.Contains(a.body, "home of "+login) {
					t.Errorf("%s got %d: %.200s", login, a.StatusCode, a.body)
				}
			})
		}
		all.Wait()
		h.whole()
		if n := h.count("SELECT COUNT(*) FROM identity_sessions"); n != 30 {
			t.Errorf("30 sign-ins opened %d sessions", n)
		}
	})
}

func TestAProofThatIsSentManyTimesAtOnceOpensOneSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		show := h.app(h.lina)
		b := h.browser()
		at := b.signIn("lmartin", linasPassword).Request.URL.Query().Get("at")
		form := url.Values{"at": {at}, "code": {show()}}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if a := b.post("/login/factor/totp", form); a.StatusCode >= 500 {
					t.Errorf("a second press got %d", a.StatusCode)
				}
			})
		}
		all.Wait()
		if n := h.count("SELECT COUNT(*) FROM identity_sessions"); n != 1 {
			t.Errorf("one code opened %d sessions", n)
		}
		h.whole()
		want(t, b.get("/identity/sessions"), http.StatusOK, "My open sessions")
	})
}

// confirmed begins the lines in which the house that is killed tells of a session
// that its browser was given.
const confirmed = "confirmed "

func TestAPowerCutInTheMiddleOfSignInsLeavesNoneByHalf(t *testing.T) {
	if folder := os.Getenv(keptHouse); folder != "" {
		signInForEver(t, folder)
	}
	folder := t.TempDir()
	t.Setenv(keptHouse, folder)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	other := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	said, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	other.Cancel = func() error { return other.Process.Kill() } // SIGKILL: nothing is finished, nothing is flushed
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	var tokens []string
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		token, ok := strings.CutPrefix(lines.Text(), confirmed)
		if !ok {
			continue
		}
		if tokens = append(tokens, token); len(tokens) == 25 {
			stop() // and the lines that were written before it are read
		}
	}
	if err := other.Wait(); err == nil || len(tokens) < 25 {
		t.Fatalf("the house ended by itself after %d sign-ins: %v", len(tokens), err)
	}

	now := sunday()
	h := openKept(t, now, folder)
	for _, token := range tokens {
		if h.count("SELECT COUNT(*) FROM identity_sessions WHERE token_hash = '"+id.Hash(token)+"'") != 1 {
			t.Error("a browser has a session that nobody remembers")
		}
	}
	h.whole()
	want(t, h.browser().signIn("student0", linasPassword), http.StatusOK, "home of student0")
	h.whole()
}

// signInForEver is what the other process does, until it is killed.
func signInForEver(t *testing.T, folder string) {
	h := openKept(t, sunday(), folder)
	var out sync.Mutex
	for _, login := range h.crowd(4) {
		go func() {
			for {
				b := h.browser()
				b.signIn(login, linasPassword)
				here, err := url.Parse(h.server.URL)
				if err != nil {
					panic(err)
				}
				for _, c := range b.Jar.Cookies(here) {
					if c.Name == sessionCookie {
						out.Lock()
						io.WriteString(os.Stdout, confirmed+c.Value+"\n") // a closed pipe is the end that is meant
						out.Unlock()
					}
				}
			}
		}()
	}
	select {}
}

// openKept opens the house of a folder, which the process before may have left in
// the middle of something.
func openKept(t *testing.T, now *clock.Manual, folder string) *house {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{DSN: "sqlite:" + filepath.Join(folder, "amphi.db"), Clock: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Migrate(t.Context(), append(cellar, schema)); err != nil {
		t.Fatal(err)
	}
	return open(t, now, d)
}
