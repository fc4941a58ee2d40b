package privacy_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

func newPost(path string, form url.Values) *http.Request {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// copyOf has a copy prepared for somebody, who stays the viewer.
func (h *house) copyOf(v campus.Viewer) string {
	h.t.Helper()
	if p := h.as(v).post("/privacy/export", nil); p.location != "/privacy/export" {
		h.t.Fatalf("asking for a copy answers %d: %s", p.status, p.text())
	}
	h.work()
	copies, err := h.privacy.Archives().Of(h.t.Context(), v.Person)
	if err != nil || len(copies) == 0 || copies[0].State != "ready" {
		h.t.Fatalf("the copies are %+v, %v", copies, err)
	}
	return copies[0].ID
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason.Code()
}

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", migrations()...)
}

func TestPeopleReadWhatIsHeldWhyAndWhoLooked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		look := contract.Look{By: campustest.Sam().Person, About: campustest.Lina().Person, As: campus.RightHelpdesk, What: "notes.look", Why: "K3F-7QX"}
		for range 3 {
			if err := h.privacy.Looked(t.Context(), look); err != nil {
				t.Fatal(err)
			}
		}
		look.By = campustest.Lina().Person
		if err := h.privacy.Looked(t.Context(), look); err != nil { // at oneself
			t.Fatal(err)
		}
		if n := h.count("SELECT COUNT(*) FROM privacy_looks"); n != 1 {
			t.Errorf("the looks of a day are %d lines", n)
		}
		h.get("/privacy").is(200).says("Vos notes", "Consentement (RGPD, article 6(1)(a))", "50 ans", "Moodle", "Nom, adresse", "L’assistance", "K3F-7QX", "!Okafor")
		h.as(officer()).get("/privacy/looks?login=lmartin").says("Sam Okafor", "K3F-7QX")
		h.get("/privacy/looks?login=sokafor").says("Lina Martin")
		h.get("/privacy/looks?login=nobody").says("Personne ne porte cet identifiant.")
		h.as(campustest.Paul()).get("/privacy").says("Personne n’a consulté votre dossier", "!K3F-7QX")
	})
}

func TestACopyHoldsEveryRoomAndExplainsItself(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		lina := campustest.Lina()
		for i := range 700 {
			h.exec("INSERT INTO notes_sheets (id, person_id, changed_by, words) VALUES ($1, $2, '', $3)", fmt.Sprintf("s%04d", i), string(lina.Person), fmt.Sprintf("note %d", i))
		}
		h.exec("INSERT INTO notes_sheets (id, person_id, changed_by, words) VALUES ('x', $1, '', 'the note of somebody else')", string(campustest.Paul().Person))
		copied := h.copyOf(lina)
		if len(h.notices) != 1 || len(h.mails) != 1 || h.mails[0].To != lina.Mail || !strings.Contains(h.mails[0].Text, "https://ent.valmont.example/privacy/export") {
			t.Errorf("the person is told %+v and %+v", h.notices, h.mails)
		}
		body := h.post("/privacy/export/"+copied+"/file", nil).is(200).body
		z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		read := map[string]string{}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			read[f.Name] = string(text)
		}
		var sheets []string
		if err := json.Unmarshal([]byte(read["notes/sheets.json"]), &sheets); err != nil || len(sheets) != 700 || strings.Contains(body, "somebody else") {
			t.Errorf("%d notes: %v", len(sheets), err)
		}
		for _, want := range []string{"people/person.json", "notes/sheets.json", "privacy/looks.json", "ce que vous avez écrit", "what you wrote", "Données de Lina Martin", "Data of Lina Martin"} {
			if !strings.Contains(read["index.html"], want) && !strings.Contains(read["index.html"], strings.ReplaceAll(want, "’", "&#8217;")) {
				t.Errorf("the page of the copy does not say %q", want)
			}
		}
		for name, text := range read {
			if strings.HasSuffix(name, ".json") && !json.Valid([]byte(text)) {
				t.Errorf("%s is no JSON: %.80s", name, text)
			}
		}
	})
}

func TestOneCopyAtATimeAndThreeADay(t *testing.T) {
	h := open(t)
	h.post("/privacy/export", nil).is(303)
	h.post("/privacy/export", nil).is(409).says("Votre copie est en préparation")
	h.get("/privacy/export").says("Votre copie se prépare", "Voir où cela en est")
	h.work()
	h.copyOf(campustest.Lina())
	h.copyOf(campustest.Lina())
	h.post("/privacy/export", nil).is(429).says("3 copies")
	h.clock.Advance(25 * time.Hour)
	h.copyOf(campustest.Lina())
}

func TestACopyIsGoneWhenItsTimeIsOver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		copied := h.copyOf(campustest.Lina())
		h.clock.Advance(7*24*time.Hour + time.Minute)
		h.post("/privacy/export/"+copied+"/file", nil).is(http.StatusGone)
		h.work()
		stored := 0
		if err := h.store.Walk(t.Context(), func(files.Ref, files.Meta) error { stored++; return nil }); err != nil || stored != 0 {
			t.Errorf("%d files are left: %v", stored, err)
		}
		h.get("/privacy/export").says("Supprimée")
	})
}

// A process that is killed between storing a copy and noting it leaves a file that
// nobody can reach; the copy is made again and the file goes.
func TestACopyThatWasCutShortIsMadeAgainAndLeavesNothing(t *testing.T) {
	h := open(t)
	h.post("/privacy/export", nil).is(303)
	if _, err := h.store.Put(t.Context(), bytes.NewReader([]byte("PK half")), files.Meta{Name: "amphi-export-lost.zip"}); err != nil {
		t.Fatal(err)
	}
	h.exec("UPDATE privacy_exports SET state = 'running', done = 2")
	h.work()
	stored := 0
	if err := h.store.Walk(t.Context(), func(files.Ref, files.Meta) error { stored++; return nil }); err != nil || stored != 1 {
		t.Errorf("%d files are left: %v", stored, err)
	}
	if copies, err := h.privacy.Archives().Of(t.Context(), campustest.Lina().Person); err != nil || copies[0].State != "ready" {
		t.Errorf("the copies are %+v, %v", copies, err)
	}
}

func TestARequestHasItsAnswerWithinAMonth(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		p := h.post("/privacy/requests", url.Values{"kind": {"rectification"}, "words": {"Mon nom s’écrit Martín."}}).is(303)
		path := p.location
		h.get(path).says("mardi 22 décembre", "Mon nom s’écrit Martín.")
		h.post("/privacy/requests", url.Values{"kind": {"rectification"}, "words": {"Encore"}}).is(409)
		desk := strings.Replace(path, "/requests/", "/desk/", 1)
		h.as(officer()).get("/privacy/desk").says("Lina Martin", "mardi 22 décembre")
		h.post(desk+"/take", nil).is(303)
		h.post(desk+"/ask", url.Values{"question": {"Avec quel accent ?"}}).is(303)
		h.as(campustest.Lina()).get(path).says("Nous attendons votre réponse", "Avec quel accent ?")
		h.post(path+"/reply", url.Values{"words": {"Aigu."}}).is(303)
		h.as(officer()).post(desk+"/extend", url.Values{"why": {"L’état civil répond lentement."}}).is(303)
		h.post(desk+"/extend", url.Values{"why": {"Encore"}}).is(409)
		h.as(campustest.Lina()).get(path).says("lundi 22 février", "L’état civil répond lentement.")
		h.as(officer()).post(desk+"/answer", url.Values{"state": {"done"}, "answer": {""}}).is(422).says("Écrivez quelques mots.")
		h.post(desk+"/answer", url.Values{"state": {"done"}, "answer": {"C’est corrigé."}}).is(303)
		h.as(campustest.Lina()).get(path).says("Terminée", "C’est corrigé.")
		h.get("/privacy").says("La personne déléguée à la protection des données") // looked at the request
		if len(h.mails) != 3 {
			t.Errorf("%d mails were sent", len(h.mails))
		}
		h.as(officer()).get("/privacy/desk?ended=1").says("Lina Martin")
	})
}

// erasable is Lina with something in every table of the neighbours, and an erasure
// that she asked for.
func erasable(h *house, state string) (desk string) {
	h.t.Helper()
	lina := string(campustest.Lina().Person)
	h.people.states[campustest.Lina().Person] = state
	for i := range 650 { // more than two batches
		h.exec("INSERT INTO notes_sheets (id, person_id, changed_by, words) VALUES ($1, $2, $2, 'note')", fmt.Sprintf("s%04d", i), lina)
	}
	h.exec("INSERT INTO notes_sheets (id, person_id, changed_by, words) VALUES ('paul', $1, $2, 'note of Paul')", string(campustest.Paul().Person), lina)
	h.exec("INSERT INTO notes_lines (id, sheet_id, words) VALUES ('l', 's0001', 'line')")
	h.exec("INSERT INTO notes_marks (id, person_id) VALUES ('m', $1)", lina)
	p := h.as(campustest.Lina()).post("/privacy/requests", url.Values{"kind": {"erasure"}, "words": {"Tout ce qui peut l’être."}}).is(303)
	return strings.Replace(p.location, "/requests/", "/desk/", 1)
}

func TestAnErasureIsPreviewedConfirmedCarriedOutAndProved(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		desk := erasable(h, "closed")
		copied := h.copyOf(campustest.Lina())
		h.as(officer()).get(desk+"/decide").is(200).says("Vos notes", "650", "La loi demande de garder les résultats.")
		choice := url.Values{"room.people": {"erase"}, "room.notes": {"erase"}, "room.privacy": {"erase"}, "answer": {"C’est fait."}}
		h.post(desk+"/decide", choice).is(200).says("Confirmer l’effacement", "Tapez l’identifiant lmartin")
		choice.Set("login", "pdurand")
		h.post(desk+"/erase", choice).is(422).says("Ce n’est pas l’identifiant de cette personne.")
		if n := h.count("SELECT COUNT(*) FROM notes_sheets"); n != 651 {
			t.Fatalf("before the confirmation %d notes are left", n)
		}
		choice.Set("login", "lmartin")
		h.proved = false
		if p := h.post(desk+"/erase", choice); p.location != "/login/factor" {
			t.Fatalf("without a fresh proof the answer is %d", p.status)
		}
		h.proved = true
		h.post(desk+"/erase", choice).is(303)
		h.work()
		for query, want := range map[string]int{
			"SELECT COUNT(*) FROM notes_sheets": 1, "SELECT COUNT(*) FROM notes_sheets WHERE changed_by <> ''": 0, "SELECT COUNT(*) FROM notes_lines": 0,
			"SELECT COUNT(*) FROM notes_marks": 1, "SELECT COUNT(*) FROM notes_people WHERE login = 'lmartin'": 0,
			"SELECT COUNT(*) FROM privacy_requests WHERE person_id = '' AND words = '' AND state = 'done'":  1,
			"SELECT COUNT(*) FROM privacy_erasures WHERE person_id = '' AND sealed = '' AND state = 'done'": 1,
			"SELECT COUNT(*) FROM privacy_exports":                                                          0,
		} {
			if n := h.count(query); n != want {
				t.Errorf("%s: %d, want %d", query, n, want)
			}
		}
		h.get(desk).is(200).says("notes_sheets.person_id", "650", "Gardé", "La loi demande de garder les résultats.", "!Lina")
		h.get("/privacy/proofs?login=lmartin").says("1 preuve, intacte", "Dominique Pradel", "notes_sheets.person_id")
		h.get("/privacy/proofs?login=pdurand").says("Aucune preuve.")
		h.as(campustest.Lina()).post("/privacy/export/"+copied+"/file", nil).is(404)
		h.exec("UPDATE privacy_proofs SET facts = '{}'")
		h.as(officer()).get("/privacy/proofs").says("La preuve n° 1 a été modifiée ou retirée.")
	})
}

func TestAnErasureCutShortGoesOnWhereItWas(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		desk := erasable(h, "closed")
		choice := url.Values{"room.people": {"erase"}, "room.notes": {"erase"}, "room.privacy": {"erase"}, "answer": {"C’est fait."}, "login": {"lmartin"}}
		h.as(officer()).post(desk+"/erase", choice).is(303)
		// As if the process had been killed after the register was cleared: nobody can
		// be looked up any more, and what is sealed says who it was.
		h.exec("UPDATE privacy_erasures SET state = 'running'")
		h.exec("DELETE FROM notes_people WHERE login = 'lmartin'")
		h.work()
		if n := h.count("SELECT COUNT(*) FROM notes_sheets WHERE person_id = $1", string(campustest.Lina().Person)); n != 0 {
			t.Errorf("%d notes are left", n)
		}
		if n := h.count("SELECT COUNT(*) FROM privacy_proofs"); n != 1 {
			t.Errorf("%d proofs", n)
		}
	})
}

func TestAnOpenAccountIsNotErasedAndItsOtherRoomsAre(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		desk := erasable(h, "active")
		h.as(officer()).get(desk + "/decide").says("Le compte de cette personne est ouvert")
		all := url.Values{"room.people": {"erase"}, "room.notes": {"erase"}, "room.privacy": {"erase"}, "answer": {"Oui"}, "login": {"lmartin"}}
		h.post(desk+"/erase", all).is(422).says("Le compte est encore ouvert")
		some := url.Values{"room.people": {"keep"}, "room.notes": {"erase"}, "room.privacy": {"keep"}, "answer": {"En partie."}, "login": {"lmartin"}}
		h.post(desk+"/erase", some).is(422).says("Dites pourquoi ces données sont gardées.")
		some.Set("why.people", "Elle étudie ici.")
		some.Set("why.privacy", "Pour lire la réponse.")
		h.post(desk+"/erase", some).is(303)
		h.work()
		if n := h.count("SELECT COUNT(*) FROM notes_sheets WHERE person_id = $1", string(campustest.Lina().Person)); n != 0 {
			t.Errorf("%d notes are left", n)
		}
		if n := h.count("SELECT COUNT(*) FROM notes_people WHERE login = 'lmartin'"); n != 1 {
			t.Error("the account is gone")
		}
		h.get(desk).says("Elle étudie ici.")
		h.as(campustest.Lina()).get(strings.Replace(desk, "/desk/", "/requests/", 1)).is(200).says("En partie.")
	})
}

func TestALegalHoldStopsAnErasureAndSaysSo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		desk := erasable(h, "closed")
		choice := url.Values{"room.people": {"erase"}, "room.notes": {"erase"}, "room.privacy": {"erase"}, "answer": {"C’est fait."}, "login": {"lmartin"}}
		for name, form := range map[string]url.Values{
			"of nobody": {"reason": {"Recours"}}, "of both": {"login": {"lmartin"}, "kind": {"student"}, "reason": {"Recours"}},
			"of a stranger": {"login": {"nobody"}, "reason": {"Recours"}}, "without a reason": {"login": {"lmartin"}},
			"of the past": {"login": {"lmartin"}, "reason": {"Recours"}, "until": {"2020-01-01"}}, "of another room": {"login": {"lmartin"}, "reason": {"Recours"}, "room": {"kitchen"}},
		} {
			if p := h.as(officer()).post("/privacy/holds", form); p.status != 422 {
				t.Errorf("a hold %s is answered with %d", name, p.status)
			}
		}
		h.post("/privacy/holds", url.Values{"kind": {"student"}, "reason": {"Recours au tribunal"}}).is(303)
		h.get("/privacy/holds").says("Étudiants", "Recours au tribunal", "Dominique Pradel")
		h.get(desk).says("Recours au tribunal")
		h.post(desk+"/erase", choice).is(409).says("Recours au tribunal")
		hold := h.text("SELECT id FROM privacy_holds")
		h.post("/privacy/holds/"+hold+"/lift", nil).is(303)
		h.post("/privacy/holds/"+hold+"/lift", nil).is(404)
		h.post(desk+"/erase", choice).is(303)
		// One that comes between the decision and the job stops the job.
		h.post("/privacy/holds", url.Values{"login": {"lmartin"}, "reason": {"Enquête"}, "until": {"2027-01-31"}}).is(303)
		h.work()
		if n := h.count("SELECT COUNT(*) FROM notes_sheets"); n != 651 {
			t.Errorf("%d notes are left", n)
		}
		h.get(desk).says("Arrêté", "Une mise sous réserve l’empêche", "En cours")
		h.clock.Set(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)) // its time is over
		h.post(desk+"/erase", choice).is(303)
		h.work()
		if n := h.count("SELECT COUNT(*) FROM notes_sheets"); n != 1 {
			t.Errorf("%d notes are left", n)
		}
	})
}

func TestAHoldOnOneRoomKeepsThatRoom(t *testing.T) {
	h := open(t)
	desk := erasable(h, "closed")
	h.as(officer()).post("/privacy/holds", url.Values{"login": {"lmartin"}, "room": {"notes"}, "reason": {"Concours"}}).is(303)
	h.get(desk+"/decide").says("Sous réserve", "Concours")
	h.post(desk+"/erase", url.Values{"room.people": {"erase"}, "room.notes": {"erase"}, "room.privacy": {"erase"}, "answer": {"Oui"}, "login": {"lmartin"}}).is(303)
	h.work()
	if kept, gone := h.count("SELECT COUNT(*) FROM notes_sheets"), h.count("SELECT COUNT(*) FROM notes_people WHERE login = 'lmartin'"); kept != 651 || gone != 0 {
		t.Errorf("%d notes, %d accounts", kept, gone)
	}
}

func TestWhatIsDueIsProposedOnceAndErasedWhenTheOfficerLetsIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		erasable(h, "closed")
		lina, paul := campustest.Lina().Person, campustest.Paul().Person
		h.people.states[paul] = "closed"
		h.people.due = []contract.Due{{Person: lina, Since: start, Rule: "la règle pour les étudiants"}, {Person: paul, Since: start, Rule: "la règle pour les enseignants"}}
		for range 2 {
			if _, _, err := h.privacy.Erasures().ProposeDue(t.Context(), false, 10); err != nil {
				t.Fatal(err)
			}
		}
		h.as(officer()).get("/privacy/due").says("2 personnes", "Lina Martin", "la règle pour les étudiants")
		of := func(who campus.PersonID) string {
			return h.text("SELECT id FROM privacy_erasures WHERE person_id = $1", string(who))
		}
		h.post("/privacy/due/"+of(paul)+"/dismiss", nil).is(303)
		first := of(lina)
		h.get("/privacy/due/"+first).is(200).says("Effacer les données de Lina Martin", "650", "La loi demande de garder les résultats.")
		h.proved = false
		if p := h.post("/privacy/due/"+first+"/let", nil); p.location != "/login/factor" {
			t.Errorf("without a fresh proof the answer is %d", p.status)
		}
		h.proved = true
		h.post("/privacy/due/"+first+"/let", nil).is(303)
		h.post("/privacy/due/"+first+"/let", nil).is(409)
		h.work()
		if n := h.count("SELECT COUNT(*) FROM notes_sheets WHERE person_id = $1", string(lina)); n != 0 {
			t.Errorf("%d notes are left", n)
		}
		if proposed, _, err := h.privacy.Erasures().ProposeDue(t.Context(), false, 10); err != nil || proposed != 0 {
			t.Errorf("%d are proposed again: %v", proposed, err)
		}
		h.get("/privacy/proofs").says("la règle pour les étudiants")
	})
}

func TestANightThatWouldEraseTooManyErasesNobody(t *testing.T) {
	h := open(t)
	for _, v := range []campus.Viewer{campustest.Lina(), campustest.Paul()} {
		h.people.states[v.Person] = "closed"
		h.people.due = append(h.people.due, contract.Due{Person: v.Person, Since: start, Rule: "règle"})
	}
	if proposed, ordered, err := h.privacy.Erasures().ProposeDue(t.Context(), true, 1); err != nil || proposed != 2 || ordered != 0 {
		t.Errorf("%d proposed, %d ordered, %v", proposed, ordered, err)
	}
	h.exec("DELETE FROM privacy_erasures")
	h.exec("INSERT INTO privacy_holds (id, person_id, kind, room, reason, until_at, placed_by, placed_at, lifted_by, lifted_at) VALUES ('h', $1, '', '', 'r', 0, '', 1, '', 0)", string(campustest.Paul().Person))
	if proposed, ordered, err := h.privacy.Erasures().ProposeDue(t.Context(), true, 10); err != nil || proposed != 2 || ordered != 1 {
		t.Errorf("with a hold: %d proposed, %d ordered, %v", proposed, ordered, err)
	}
}

func TestTheRegisterIsMadeOfWhatTheRoomsDeclare(t *testing.T) {
	h := open(t).as(officer())
	h.get("/privacy/register").is(200).says("Université de Valmont", "Vos résultats", "Obligation légale (6(1)(c))", "Les seuls bureaux habilités de l’établissement", "À compléter dans la configuration")
	var r privacy.Register
	if err := json.Unmarshal([]byte(h.get("/privacy/register.json").is(200).body), &r); err != nil || len(r.Activities) != 3 || r.Activities[1].Entries[2].Article != "6(1)(c)" {
		t.Errorf("%+v, %v", r, err)
	}
	if body := h.get("/privacy/register.csv").is(200).body; strings.Count(body, "\n") < 10 || !strings.Contains(body, "notes_marks") {
		t.Error(body)
	}
}

func TestAskingTwiceAtOnceIsOneRequest(t *testing.T) {
	h := open(t)
	ctx, lina := t.Context(), campustest.Lina().Person
	first, second := make(chan error), make(chan error)
	for _, done := range []chan error{first, second} {
		go func() { _, err := h.privacy.Archives().Ask(ctx, lina); done <- err }()
	}
	if a, b := reason(<-first), reason(<-second); a+b != "privacy.export_under_way" {
		t.Errorf("asking twice answers %q and %q", a, b)
	}
}

func (h *house) text(query string, args ...any) (s string) {
	h.t.Helper()
	if err := h.db.Read().QueryRowContext(h.t.Context(), query, args...).Scan(&s); err != nil {
		h.t.Fatal(err)
	}
	return s
}
