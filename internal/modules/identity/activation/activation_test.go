package activation

import (
	"slices"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/modules/identity/account"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestAStudentActivatesTheirAccountWithTheCertificateAndThePhone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina, b := h.lina(), h.browser()
		want(t, b.get("/activate"), 200, "Activate my account · step 1 of 5", "Student number", "@valmont.example")
		want(t, b.begin(), 200, "step 2 of 5", "Type the code", "••\u00a078")
		want(t, b.typeCode(h.lastCode()), 200, "step 3 of 5", "lmartin", "Choose your password")
		if h.state(lina.ID) != account.Invited {
			t.Fatal("active before there is a password")
		}
		want(t, b.choose("short"), 422, "Error:", "lmartin")
		want(t, b.choose(goodPassword), 200, "step 4 of 5", "/identity/factors/add")
		if s := h.state(lina.ID); s != account.Active {
			t.Errorf("the account is %s", s)
		}
		if h.passwords[lina.ID] != "hash of "+goodPassword {
			t.Errorf("the password is %q", h.passwords[lina.ID])
		}
		want(t, b.get("/activate/done"), 200, "lmartin", "lina.martin@valmont.example", "no second protection")
		if got := h.kinds(); !slices.Contains(got, "identity.account_activated") {
			t.Errorf("the journal holds %q", got)
		}
		var to []string
		for _, m := range h.outbox("activated") {
			to = append(to, m.To)
			if !strings.Contains(m.Text, "lmartin") || !strings.Contains(m.Text, "was not you") && !strings.Contains(m.Text, "Not you?") {
				t.Errorf("the letter to %s says %q", m.To, m.Text)
			}
		}
		if slices.Sort(to); !slices.Equal(to, []string{"+33612345678", "lina.martin@valmont.example", "lina@mail.example"}) {
			t.Errorf("told of it: %q", to)
		}
		// In the portal it is good news, and leads to what to do next.
		if n := h.bell[len(h.bell)-1]; n.TitleEnglish != "Your account is active" || n.Tone != "good" || n.URL != "/identity/factors/add" {
			t.Errorf("in the portal: %+v", n)
		}
	})
}

func TestWhoHasASecondFactorIsNotAskedForOne(t *testing.T) {
	h := openOne(t)
	lina, b := h.lina(), h.browser()
	b.prove()
	h.factors[lina.ID] = true
	a := b.choose(goodPassword)
	want(t, a, 200, "Your account is open")
	if strings.Contains(a.body, "/identity/factors/add") {
		t.Error("a factor is asked for again")
	}
}

func TestEveryQueryRunsOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema...)
}

func TestACodeOfALetterIsReadAsItWasMade(t *testing.T) {
	for range 200 {
		plain := newLetterCode()
		if got := normalLetterCode(strings.ToLower(shownLetterCode(plain))); got != plain {
			t.Fatalf("%q is read as %q", plain, got)
		}
	}
}

func TestTheDefaultsAreInOrderAndMistakesAreNamed(t *testing.T) {
	if p := Defaults().Check(); len(p) != 0 {
		t.Errorf("the defaults: %v", p)
	}
	c := Defaults()
	c.StudentNumber, c.Transfer, c.Burst = "[", "soon", 0
	var keys []string
	for _, p := range c.Check() {
		keys = append(keys, p.Key)
	}
	if !slices.Equal(keys, []string{"burst", "student_number", "transfer"}) {
		t.Errorf("mistakes at %q", keys)
	}
}
