package identity

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/modules/identity/code"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/reach"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// aboutNobody are the tables that say nothing of a person, and why.
var aboutNobody = map[string]string{
	"identity_spent_challenges": "hashes of random numbers",
	"identity_journal_head":     "the two ends of the chain",
	"identity_alarms":           "networks and counts",
	"identity_upstream_lost":    "counts by the hour",
	"identity_upstream_seen":    "hashes of messages that count once",
	"identity_upstream_keys":    "keys of ours",
}

var (
	tableForm  = regexp.MustCompile(`(?s)CREATE TABLE (identity_\w+) \((.*?)\n\)`)
	columnForm = regexp.MustCompile(`(?m)^ {4}([a-z_]+) +[A-Z]`)
	dropForm   = regexp.MustCompile(`DROP TABLE (\w+);`)
)

// tables are the tables of the room and their columns, as the migrations make them.
func tables(t *testing.T) map[string][]string {
	t.Helper()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string][]string{}
	for _, name := range files {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, m := range dropForm.FindAllStringSubmatch(up, -1) {
			delete(made, m[1])
		}
		for _, m := range tableForm.FindAllStringSubmatch(up, -1) {
			made[m[1]] = nil
			for _, c := range columnForm.FindAllStringSubmatch(m[2], -1) {
				made[m[1]] = append(made[m[1]], c[1])
			}
		}
	}
	return made
}

func TestEveryTableAboutPeopleIsDeclaredInBothLanguages(t *testing.T) {
	h, made := openOne(t), tables(t)
	for _, l := range campus.Locales {
		declared := map[string]bool{}
		for _, kept := range h.Holdings(i18n.With(t.Context(), h.texts.For(l))) {
			if declared[kept.Table] {
				t.Errorf("%s is declared twice", kept.Table)
			}
			declared[kept.Table] = true
			for _, said := range []string{kept.What, kept.Why, kept.Basis, kept.Until} {
				if said == "" || strings.Contains(said, "⟦") {
					t.Errorf("%s: %q is said of %s", l, said, kept.Table)
				}
			}
			if _, ok := made[kept.Table]; !ok {
				t.Errorf("%s is declared and does not exist", kept.Table)
			}
		}
		for name := range made {
			if declared[name] == (aboutNobody[name] != "") {
				t.Errorf("declare %s in Holdings, or say in aboutNobody why it is about nobody", name)
			}
		}
	}
	for name := range aboutNobody {
		if slices.Contains(made[name], "person_id") {
			t.Errorf("%s holds people", name)
		}
	}
}

func TestAnExportIsWholeAndHoldsNoSecret(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		secrets := h.liveALittle(t)
		files := h.export(t, h.lina)
		for name, some := range map[string][]string{
			"person.json":      {"lina.martin@valmont.example"},
			"sessions.json":    {"192.0.2.1"},
			"sign_ins.json":    {`"outcome":"in"`, `"result":"failed"`, "identity.wrong_credentials"},
			"contacts.json":    {"+33639980001", "+33639980002"},
			"factors.json":     {`"Pixel 8"`, `"totp"`, `"made_at"`, `"app_registration_ends_at"`},
			"journal.json":     {"identity.signed_in", "identity.factor_added"},
			"activations.json": nil, "invitations.json": {"lina@ailleurs.example"},
			"passwords.json": nil, "devices.json": {"Firefox"}, "sign_in_signals.json": nil, "locks.json": nil,
			"decisions.json": nil, "registrations.json": nil, "recoveries.json": nil,
		} {
			file, ok := files[name]
			if !ok {
				t.Errorf("%s is missing from %v", name, slices.Sorted(maps.Keys(files)))
				continue
			}
			for _, s := range some {
				if !strings.Contains(file.String(), s) {
					t.Errorf("%s has no %s: %.600s", name, s, file)
				}
			}
			if !json.Valid(file.Bytes()) {
				t.Errorf("%s is no JSON: %.600s", name, file)
			}
		}
		for where, values := range h.kept(t) {
			secrets = append(secrets, values...)
			if len(values) == 0 && mustHold[where] {
				t.Errorf("the test put nothing into %s", where)
			}
		}
		for name, file := range files {
			for _, secret := range secrets {
				if strings.Contains(file.String(), secret) {
					t.Errorf("%s gives %q away", name, secret)
				}
			}
		}
	})
}

func TestAnExportHoldsNothingOfOthers(t *testing.T) {
	h := openOne(t)
	h.liveALittle(t)
	hugo := h.add(Person{Login: "hbernard", Mail: "hugo.bernard@valmont.example", GivenName: "Hugo", FamilyName: "Bernard"}, "")
	for name, file := range h.export(t, hugo) {
		for _, foreign := range []string{string(h.lina), "lmartin", "+3363998", "Pixel 8", "192.0.2.1"} {
			if strings.Contains(file.String(), foreign) {
				t.Errorf("%s of Hugo holds %s: %.600s", name, foreign, file)
			}
		}
	}
}

// liveALittle gives Lina a past: a wrong password and a right one, two numbers, an
// app, recovery codes, an invitation. It returns what was said in clear on the way.
func (h *house) liveALittle(t *testing.T) (secrets []string) {
	t.Helper()
	ctx, b := t.Context(), h.browser()
	do := func(f func(tx db.Tx) error) {
		t.Helper()
		if err := h.db.InTx(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	secretary := h.add(Person{Login: "secretary", Mail: "secretary@valmont.example", GivenName: "Sacha", FamilyName: "Roy"}, "")
	do(func(tx db.Tx) error {
		return h.reach.Record(ctx, tx, h.lina, reach.RecoveryMail, "lina@ailleurs.example")
	})
	h.become(h.lina, account.Invited)
	by := campus.Viewer{Person: secretary, Rights: []campus.Right{campus.RightSecretariat}}
	if _, err := h.activation.Invite(ctx, by, "lmartin", journal.Event{Person: h.lina, Actor: secretary}); err != nil {
		t.Fatal(err)
	}
	h.become(h.lina, account.Active)
	b.signIn("lmartin", "wrong")
	h.clock.Advance(time.Minute)
	want(t, b.signIn("lmartin", linasPassword), 200, "home of lmartin")

	for _, number := range []string{"+33639980001", "+33639980002"} {
		do(func(tx db.Tx) error { return h.reach.Record(ctx, tx, h.lina, reach.MobilePhone, number) })
		h.clock.Advance(time.Hour)
	}
	do(func(tx db.Tx) error {
		plain, err := h.codes.Issue(ctx, tx, code.Ask{Purpose: "identity.test", Subject: string(h.lina), Person: h.lina, Digits: 12})
		secrets = append(secrets, plain)
		return err
	})
	on := factor.Occasion{Actor: entry.Actor{Person: h.lina, Session: "a session"}, Address: "192.0.2.1", Agent: "test"}
	begun, err := h.factors.BeginApp(ctx, on.Actor)
	if err != nil {
		t.Fatal(err)
	}
	key := strings.ReplaceAll(begun.Key, " ", "")
	typed, err := totp.GenerateCode(key, h.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.factors.ConfirmApp(ctx, on, begun.ID, "Pixel 8", typed); err != nil {
		t.Fatal(err)
	}
	set, err := h.factors.NewCodes(ctx, on)
	if err != nil {
		t.Fatal(err)
	}
	next, err := h.factors.BeginApp(ctx, on.Actor) // and another one that stays unfinished
	if err != nil {
		t.Fatal(err)
	}
	return append(append(secrets, set.Codes...), linasPassword, begun.Key, key, next.Key, strings.ReplaceAll(next.Key, " ", ""))
}

// export writes everything that the room holds about somebody.
func (h *house) export(t *testing.T, who campus.PersonID) map[string]*bytes.Buffer {
	t.Helper()
	files := map[string]*bytes.Buffer{}
	archive := &contract.Archive{Create: func(name string) (io.Writer, error) {
		if files[name] != nil {
			t.Errorf("two files are called %s", name)
		}
		files[name] = &bytes.Buffer{}
		return files[name], nil
	}}
	if err := h.Export(t.Context(), who, archive); err != nil {
		t.Fatal(err)
	}
	return files
}

// secretForm finds the columns whose content must not leave the house: hashes,
// keyed hashes, sealed texts, and what browsers and keys are recognised by.
var secretForm = regexp.MustCompile(`hash$|^mac$|^secret$|^record$|^sealed$|^refusal$|^credential_id$|^previous$|^identifier$`)

// mustHold are columns that the test is about.
var mustHold = map[string]bool{
	"identity_passwords.hash": true, "identity_sessions.token_hash": true, "identity_attempts.browser_hash": true, "identity_codes.mac": true,
	"identity_points.refusal": true, "identity_factors.secret": true, "identity_app_enrolments.secret": true, "identity_recovery_codes.mac": true,
	"identity_journal.hash": true, "identity_devices.token_hash": true, "identity_invitations.token_hash": true, "identity_invitations.code_hash": true,
}

// kept reads every secret that is stored, by table and column.
func (h *house) kept(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for table, columns := range tables(t) {
		for _, column := range columns {
			if !secretForm.MatchString(column) {
				continue
			}
			where := table + "." + column
			found[where] = nil
			rows, err := h.db.Read().QueryContext(t.Context(), "SELECT "+column+" FROM "+table+" WHERE "+column+" <> ''")
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var value string
				if err := rows.Scan(&value); err != nil {
					t.Fatal(err)
				}
				found[where] = append(found[where], value)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			rows.Close()
		}
	}
	return found
}
