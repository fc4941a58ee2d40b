package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/identity"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

func TestADecisionFromTheCommandLineNamesWhoTookItWhyAndUntilWhen(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "amphi.toml")
	if err := os.WriteFile(config, []byte("[server]\ndata_dir = \""+filepath.Join(dir, "var")+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := func(code int, text string, args ...string) {
		t.Helper()
		args = append([]string{"person", args[0], "-c", config}, args[1:]...)
		if got, out := run(t, args...); got != code || !strings.Contains(out, text) {
			t.Errorf("%v: exit %d, want %d and %q in %s", args, got, code, text, out)
		}
	}
	add := func(login string, more ...string) {
		t.Helper()
		want(0, "was added", append([]string{"add", login, "--mail", login + "@v.example", "--given-name", "Lina", "--family-name", "Martin"}, more...)...)
	}
	add("lmartin", "--affiliation", "student")
	add("sroy", "--right", "secretariat")
	add("admin", "--right", "admin")

	want(2, "by", "close", "lmartin", "--reason", "left")
	want(1, "identity.lifecycle_reserved", "close", "lmartin", "--reason", "left", "--by", "admin")
	want(1, "identity.lifecycle_oneself", "close", "sroy", "--reason", "left", "--by", "sroy")
	want(1, "unpaid_fees, discipline", "suspend", "lmartin", "--reason", "unpaid", "--by", "sroy")
	want(1, "identity.lifecycle_date_form", "suspend", "lmartin", "--reason", "unpaid_fees", "--by", "sroy", "--until", "31/08/2099")
	want(0, "lmartin is suspended", "suspend", "lmartin", "--reason", "unpaid_fees", "--by", "sroy", "--until", "2099-08-31", "--note", "file 12")
	want(0, "lmartin is closed", "close", "lmartin", "--reason", "left", "--by", "sroy")
	want(0, "lmartin is suspended", "reopen", "lmartin", "--by", "sroy", "--note", "came back")
	want(0, "lmartin is active", "reopen", "lmartin", "--by", "sroy")
	want(1, "identity.lifecycle_changed", "reopen", "lmartin", "--by", "sroy")

	err := configured{ConfigFile: config}.withIdentity(&terminal{Context: t.Context(), out: os.Stderr, err: os.Stderr}, func(ctx context.Context, _ *db.DB, m *identity.Module) error {
		lina, err := m.PersonByLogin(ctx, "lmartin")
		if err != nil {
			return err
		}
		secretary, err := m.PersonByLogin(ctx, "sroy")
		if err != nil {
			return err
		}
		list, err := m.Lifecycle().Decisions(ctx, lina.ID)
		if err != nil {
			return err
		}
		if len(list) != 2 {
			t.Fatalf("%d decisions", len(list))
		}
		closing, suspension := list[0], list[1]
		if closing.DecidedBy != secretary.ID || closing.Reason.Code != "left" || closing.LiftedBy != secretary.ID || closing.LiftNote != "came back" {
			t.Errorf("the closing is %+v", closing)
		}
		if suspension.DecidedBy != secretary.ID || suspension.Note != "file 12" || suspension.Until.Year() != 2099 {
			t.Errorf("the suspension is %+v", suspension)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
