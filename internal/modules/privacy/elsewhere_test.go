package privacy_test

import (
	"context"
	"embed"
	"io/fs"
	"net/url"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// services is a neighbour that keeps accounts in two programs outside the house.
type services struct {
	asked map[string][]contract.Removal // by erasure
	whole []bool
}

var _ contract.Remover = (*services)(nil)

func (*services) Name() string       { return "services" }
func (*services) Migrations() fs.FS  { return embed.FS{} }
func (*services) Locales() fs.FS     { return embed.FS{} }
func (*services) Routes(*web.Router) {}

func (*services) Holdings(context.Context) []contract.Holding { return nil }

func (*services) Export(context.Context, campus.PersonID, *contract.Archive) error { return nil }

func (*services) ToRemove(_ context.Context, who contract.Traced) ([]contract.Removal, error) {
	if !who.Whole {
		return nil, nil
	}
	return []contract.Removal{{Program: "cloud", Name: "Nuage"}, {Program: "moodle", Name: "Moodle"}}, nil
}

func (s *services) Erase(ctx context.Context, who contract.Traced) ([]contract.Erased, error) {
	s.whole = append(s.whole, who.Whole)
	if s.asked[who.Erasure] == nil && who.Whole {
		s.asked[who.Erasure] = []contract.Removal{
			{Program: "cloud", Name: "Nuage", State: contract.RemovalDone, Since: start}, {Program: "moodle", Name: "Moodle", State: contract.RemovalAsked, Since: start},
		}
	}
	return nil, nil
}

func (s *services) Removals(_ context.Context, erasure string) ([]contract.Removal, error) {
	return s.asked[erasure], nil
}

// answer is what the second program says from now on.
func (s *services) answer(state contract.RemovalState, reason string) {
	for _, list := range s.asked {
		list[1].State, list[1].Reason = state, reason
	}
}

func TestTheProofSaysWhichServicesConfirmedAndTheOfficerSeesWhatIsLeft(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.abroad = &services{asked: map[string][]contract.Removal{}}
		desk := erasable(h, "closed")
		choice := url.Values{"room.people": {"erase"}, "room.notes": {"erase"}, "room.privacy": {"erase"}, "room.services": {"erase"}, "answer": {"C’est fait."}}
		h.as(officer()).get(desk+"/decide").is(200).says("Les comptes dans ces services y sont aussi supprimés", "Nuage, Moodle")
		h.post(desk+"/decide", choice).is(200).says("Comptes dans d’autres services", "Nuage, Moodle")
		if len(h.abroad.whole) != 0 {
			t.Fatal("a preview asked the services")
		}
		choice.Set("login", "lmartin")
		h.post(desk+"/erase", choice).is(303)
		h.work()
		h.get(desk).is(200).says("Nuage supprimé, et confirmé", "Moodle demandée, pas encore confirmée", "!Lina")
		h.get("/privacy/proofs").says("1 preuve, intacte", "Reste à faire : 1 compte dans un autre service", "Moodle demandée")
		h.abroad.answer(contract.RemovalAsked, "provisioning.service_down")
		h.follow()
		h.get("/privacy/proofs").says("1 preuve", "provisioning.service_down")
		h.abroad.answer(contract.RemovalDone, "")
		for range 2 { // once heard, it is proved once
			h.follow()
		}
		h.get("/privacy/proofs").says("2 preuves, toutes intactes", "complète le n° 1", "!Reste à faire")
		h.get("/privacy/proofs?login=lmartin").says("complète le n° 1", "Moodle supprimé, et confirmé")
		if n := h.count("SELECT COUNT(*) FROM privacy_elsewhere WHERE state = 'asked'"); n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

// follow asks the rooms what was confirmed, as the job does.
func (h *house) follow() {
	h.t.Helper()
	if err := h.privacy.Erasures().Follow(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func TestWhoKeepsTheAccountIsNotGivenUpElsewhere(t *testing.T) {
	h := open(t)
	h.abroad = &services{asked: map[string][]contract.Removal{}}
	desk := erasable(h, "active")
	h.as(officer()).get(desk + "/decide").is(200).says("!Nuage, Moodle")
	some := url.Values{
		"room.people": {"keep"}, "why.people": {"Elle étudie ici."}, "room.notes": {"erase"}, "room.privacy": {"keep"}, "why.privacy": {"La réponse."},
		"room.services": {"erase"}, "answer": {"En partie."}, "login": {"lmartin"},
	}
	h.post(desk+"/erase", some).is(303)
	h.work()
	if len(h.abroad.asked) != 0 || len(h.abroad.whole) == 0 || h.abroad.whole[0] {
		t.Errorf("asked %v, whole %v", h.abroad.asked, h.abroad.whole)
	}
}

func TestAHoldOnACategoryCoversThoseWhoHaveLeftIt(t *testing.T) {
	lina := campustest.Lina().Person
	for name, c := range map[string]struct {
		was   []campus.Kind
		state string
		held  bool
	}{
		"who was a student":                           {[]campus.Kind{campus.Student}, "closed", true},
		"who was something else":                      {[]campus.Kind{campus.Staff}, "closed", false},
		"of whom nobody knows what they were":         {[]campus.Kind{}, "closed", true},
		"who has not come yet, and is nothing so far": {[]campus.Kind{}, "invited", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			desk := erasable(h, c.state)
			h.people.left[lina] = c.was
			h.as(officer()).post("/privacy/holds", url.Values{"kind": {"student"}, "reason": {"Recours collectif"}}).is(303)
			choice := url.Values{"room.people": {"erase"}, "room.notes": {"erase"}, "room.privacy": {"erase"}, "answer": {"C’est fait."}, "login": {"lmartin"}}
			if c.held {
				h.post(desk+"/erase", choice).is(409).says("Recours collectif")
			} else {
				h.post(desk+"/erase", choice).is(303)
			}
			h.work()
			if left := h.count("SELECT COUNT(*) FROM notes_sheets WHERE person_id = $1", string(lina)); (left > 0) != c.held {
				t.Errorf("%d notes are left", left)
			}
		})
	}
}

func TestNobodyWhoLeftAHeldCategoryIsErasedByTheNight(t *testing.T) {
	h := open(t)
	erasable(h, "closed")
	lina := campustest.Lina().Person
	h.people.left[lina] = []campus.Kind{campus.Student}
	h.as(officer()).post("/privacy/holds", url.Values{"kind": {"student"}, "reason": {"Recours collectif"}}).is(303)
	h.people.due = []contract.Due{{Person: lina, Since: start.Add(-time.Hour), Rule: "un an après le départ"}}
	proposed, ordered, err := h.privacy.Erasures().ProposeDue(t.Context(), true, 10)
	if err != nil || proposed != 1 || ordered != 0 {
		t.Errorf("%d proposed, %d ordered, %v", proposed, ordered, err)
	}
}
