package guide_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/directory/edit"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// unitForm is a form as it is sent, with what a test changes.
func unitForm(changes ...string) url.Values {
	form := url.Values{"name_french": {"Informatique"}, "parent": {"univ"}, "kind": {"department"}, "head": {campustest.Sam().Login}}
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	return form
}

// entryForm is that of Paul's entry.
func entryForm(changes ...string) url.Values {
	form := url.Values{
		"functions_fr_0": {"Professeur d’informatique"}, "functions_unit_0": {"info"}, "desk": {"01 99 00 50 01"}, "mobile": {"06 39 98 00 01"}, "office": {"C215"},
		"hours": {"Mardi 14 h"}, "replaced_by": {campustest.Nadia().Login},
	}
	for i := 0; i < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
	}
	return form
}

func TestOnlyThoseWhoKeepItEdit(t *testing.T) {
	each(t, func(h *house) {
		entryOf, theirs := personPath(paul)+"/edit", personPath(lina)+"/edit"
		strangers := []campus.Viewer{lina, paul, sam, guest()}
		for _, v := range strangers {
			h.as(v)
			for _, path := range []string{entryOf, theirs, "/directory/units/info/edit", "/directory/units/info/close", "/directory/units/new"} {
				h.get(path).is(404).keepsQuiet("C215")
			}
			h.post(entryOf, entryForm("office", "X1")).is(404)
			h.post(theirs, url.Values{"office": {"X1"}}).is(404)
			h.post("/directory/units/info/edit", unitForm("phone", "666")).is(404)
			h.post("/directory/units/info/close", url.Values{}).is(404)
			h.post("/directory/units", url.Values{"code": {"x"}, "name_french": {"X"}, "kind": {"service"}}).is(404)
			h.get("/directory/units/closed").is(200).keepsQuiet("Rouvrir", "Open again")
		}
		h.as(sam).get(personPath(paul)).is(200).says("C215").keepsQuiet("/edit")
		h.get("/directory/units/info").is(200).keepsQuiet("666", "/edit")
		h.get("/directory/units").is(200).keepsQuiet("Créer une unité")

		// A secretary of one unit and one programme edits these, and nothing around them.
		h.as(clerk()).get(entryOf).is(200).says("C215")
		h.get(theirs).is(200)
		h.get(personPath(sam) + "/edit").is(404)
		h.get("/directory/units/univ/edit").is(404)
		h.get("/directory/units/scolarite/edit").is(404)
		h.get("/directory/units/info/edit").is(200).keepsQuiet("Fait partie de", "Fermer cette unité")
		h.get("/directory/units/info/close").is(404)
		h.post("/directory/units/info/edit", unitForm("parent", "", "kind", "other", "phone", "01 99 00 60 00")).is(303)
		h.get("/directory/units/info").is(200).says("Département", "Université", "01 99 00 60 00")
		undo := undoOf(h.as(keeper()).get("/directory/units/info/edit").is(200))
		h.as(sam).post(undo, url.Values{}).is(404)
		h.as(clerk()).post(undo, url.Values{}).is(303)

		// Who keeps one part of the chart arranges that part.
		part := guest()
		part.Mandates = []campus.Mandate{{Right: campus.RightDirectory, Unit: "info"}}
		h.as(part).get("/directory/units/new").is(200).says("Informatique").keepsQuiet("Scolarité")
		h.post("/directory/units", url.Values{"code": {"lab"}, "name_french": {"Labo"}, "kind": {"laboratory"}, "parent": {"univ"}}).is(422)
		h.post("/directory/units", url.Values{"code": {"lab"}, "name_french": {"Labo"}, "kind": {"laboratory"}}).is(422)
		h.post("/directory/units", url.Values{"code": {"lab"}, "name_french": {"Labo"}, "kind": {"laboratory"}, "parent": {"info"}}).is(303)
		h.post("/directory/units/lab/close", url.Values{}).is(303)
		h.as(clerk()).post("/directory/units/lab/reopen", url.Values{}).is(404)
		h.as(part).post("/directory/units/lab/reopen", url.Values{}).is(303)
		h.get("/directory/units/lab").is(200).says("Labo")
	})
}

var undoPath = regexp.MustCompile(`/directory/edits/[0-9a-f-]+/undo`)

// undoOf is the address of the first way back on a page.
func undoOf(p *page) string { return undoPath.FindString(p.text) }

func TestAValueOfASourceIsReplacedKnowinglyAndComesBack(t *testing.T) {
	each(t, func(h *house) {
		h.sources[entry.PartOffice] = edit.Origin{Source: "hr", Name: "SIRH", Since: start.AddDate(0, -2, 0)}
		path := personPath(paul) + "/edit"
		h.as(nadia).get(path).is(200).says("Vient de SIRH", "Remplacer ici ce que disent les sources", "Rien n’a encore été changé")
		h.post(path, entryForm()).is(303)
		h.get(path).is(200).says("Rien n’a encore été changé") // nothing was
		h.post(path, entryForm("office", "C217")).is(422).says("SIRH dit cette valeur", "C217")
		h.as(lina).get(personPath(paul)).says("C215")
		h.as(nadia).post(path, entryForm("office", "C217", "override", "on", "replaced_by", "nobody-at-all")).is(422).says("Personne n’a cet identifiant")
		h.post(path, entryForm("office", "C217", "override", "on", "replaced_by", sam.Login)).is(303)
		h.as(lina).get(personPath(paul)).says("C217", "Sam Okafor").keepsQuiet("C215")
		h.as(nadia).get(path).is(200).says("Saisi ici par Nadia Benali", "SIRH dit", "C215", "Revenir à la source", "Sam Okafor")

		// What the source says next changes nothing of it.
		h.change(func(ctx context.Context, tx db.Tx) error {
			return entry.Put(ctx, tx, paul.Person, entry.Profile{Office: "D101", Phones: []entry.Phone{{Kind: entry.Desk, Number: "01 99 00 50 02"}}}, "hr")
		})
		h.as(lina).get(personPath(paul)).says("C217", "01 99 00 50 02")
		h.as(nadia).post(path, url.Values{"back": {"office"}}).is(303)
		h.as(lina).get(personPath(paul)).says("D101").keepsQuiet("C217")
		h.as(nadia).post(path, url.Values{"back": {"office"}}).is(409)

		// Undone: what stood there before that change.
		undo := undoOf(h.get(path))
		h.post(undo, url.Values{}).is(303)
		h.as(lina).get(personPath(paul)).says("C217")
		h.as(nadia).post(undo, url.Values{}).is(409)

		// Hours that somebody decides themselves are theirs.
		h.change(func(ctx context.Context, tx db.Tx) error {
			return entry.Choose(ctx, tx, paul.Person, entry.Choices{Hours: "Jeudi 9 h"})
		})
		h.get(path).is(200).says("de sa propre main")
		h.post(path, url.Values{"hours": {"Jamais"}, "override": {"on"}}).is(303)
		h.as(lina).get(personPath(paul)).says("Jeudi 9 h").keepsQuiet("Jamais")
	})
}

func TestTheChartIsRearrangedByHand(t *testing.T) {
	each(t, func(h *house) {
		h.as(keeper()).get("/directory/units").is(200).says("Créer une unité", "Unités fermées")
		create := func(changes ...string) *page {
			form := url.Values{"code": {"LABO"}, "name_french": {"Laboratoire d’algorithmique"}, "kind": {"laboratory"}, "parent": {"info"}}
			for i := 0; i < len(changes); i += 2 {
				form.Set(changes[i], changes[i+1])
			}
			return h.post("/directory/units", form)
		}
		create("code", "new").is(422).says("Donnez un code")
		create("code", "info").is(422).says("porte déjà ce code")
		create("name_french", " ").is(422).says("Donnez un nom")
		create("kind", "castle").is(422).says("Choisissez dans la liste")
		create().is(303)
		h.get("/directory/units/LABO").is(200).says("Laboratoire d’algorithmique", "Informatique")
		h.get("/directory/units/LABO/edit").is(200).says("Créée ici")

		edited := url.Values{"name_french": {"Labo Algo"}, "parent": {"scolarite"}, "kind": {"laboratory"}, "mail": {"labo@valmont.example"}, "head": {"pdurand"}, "deputy": {sam.Login}, "keywords": {"tri\r\ngraphes"}}
		h.post("/directory/units/LABO/edit", url.Values{"name_french": {""}, "kind": {"laboratory"}, "mail": {"labo"}}).is(422).says("Donnez un nom", "adresse électronique")
		h.post("/directory/units/LABO/edit", edited).is(303)
		h.get("/directory/units/LABO").is(200).says("Labo Algo", "Scolarité", "labo@valmont.example", "Paul Durand", "En son absence", "Sam Okafor")
		h.get("/directory?q=graphes").is(200).says("Labo Algo")
		h.post("/directory/units/scolarite/edit", url.Values{"name_french": {"Scolarité"}, "kind": {"service"}, "parent": {"LABO"}}).is(422).says("Choisissez dans la liste") // a circle

		// A source that describes it says so before it is closed.
		h.sources["any"] = edit.Origin{Source: "test", Name: "SIRH"}
		h.post("/directory/units/info/edit", unitForm("name_french", "Numérique")).is(422).says("SIRH dit cette valeur")
		h.get("/directory/units/scolarite/close").is(200).says("SIRH décrit encore", "1 unité qui en fait partie passera sous Université", "1 personne y travaille")
		h.get("/directory/units/scolarite").is(200) // looking closes nothing
		h.post("/directory/units/scolarite/close", url.Values{}).is(303)
		h.get("/directory/units/scolarite").is(404)
		h.get("/directory?q=bourses").is(200).keepsQuiet("Scolarité")
		h.get("/directory/units/LABO").is(200).says("Université")
		create("code", "scolarite").is(422).says("peut-être fermée")
		h.get("/directory/units/closed").is(200).says("Scolarité", "Rouvrir")
		h.post("/directory/units/scolarite/reopen", url.Values{}).is(303)
		h.get("/directory/units/LABO").is(200).says("Scolarité")
	})
}

func TestACorrectionThatIsAcceptedIsWrittenOrWaitsForItsSource(t *testing.T) {
	each(t, func(h *house) {
		ask := func(about campus.Viewer, field, wanted string) string {
			h.as(lina).post(personPath(about)+"/correction", url.Values{"field": {field}, "wanted": {wanted}}).is(303)
			list := h.told[sam.Person]
			if about.Person == lina.Person {
				list = h.told[clerk().Person]
			}
			return list[len(list)-1].URL
		}
		accept := func(more ...string) url.Values {
			form := url.Values{"verdict": {"accepted"}}
			for i := 0; i < len(more); i += 2 {
				form.Set(more[i], more[i+1])
			}
			return form
		}
		// No source says it: written at once, as the reviewer put it.
		phone := ask(paul, "phone", "le 01 99 00 50 09, il me semble")
		h.as(sam).get(phone).is(200).says("What will be written")
		h.post(phone, accept("written", strings.Repeat("9", 500))).is(422)
		h.post(phone, accept("written", "01 99 00 50 09")).is(303)
		h.as(lina).get(personPath(paul)).says("01 99 00 50 09").keepsQuiet("01 99 00 50 01")
		h.as(nadia).get(personPath(paul)+"/edit").says("Correction demandée", "Sam Okafor")
		replaced := ask(paul, "replaced", "Mme Roche")
		h.as(sam).post(replaced, accept("written", "Mme Roche")).is(422)
		h.post(replaced, accept("written", campustest.Alix().Login)).is(303)
		h.as(lina).get(personPath(paul)).says("Alix Roche")

		// A source says it: it waits, and is closed when the source follows.
		h.sources[entry.PartOffice] = edit.Origin{Source: "hr", Name: "SIRH"}
		office := ask(paul, "office", "C217")
		h.as(sam).get(office).is(200).says("SIRH").keepsQuiet("What will be written") // the head goes over no source
		h.post(office, accept("written", "C217", "override", "on")).is(303)
		h.as(lina).get(office).is(200).says("à corriger dans SIRH", "À corriger à la source")
		h.get(personPath(paul)).says("C215")
		follow := func() {
			h.t.Helper()
			h.clock.Advance(time.Minute)
			if err := h.desk.Follow(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
		}
		follow()
		h.get(office).is(200).says("À corriger à la source")
		h.change(func(ctx context.Context, tx db.Tx) error {
			return entry.Put(ctx, tx, paul.Person, entry.Profile{Office: "C217"}, "hr")
		})
		follow()
		h.get(office).is(200).says("Acceptée")
		if n := h.told[lina.Person]; !strings.Contains(n[len(n)-1].TitleFrench, "est faite") {
			h.t.Errorf("who asked was told %q", n[len(n)-1].TitleFrench)
		}

		// Those who keep the entry may go over it.
		again := ask(paul, "office", "C219")
		h.as(nadia).post(again, accept("written", "C219", "override", "on")).is(303)
		h.as(lina).get(personPath(paul)).says("C219")

		// What is not kept here waits for somebody to say that it is done.
		name := ask(lina, "name", "Lina Martin-Roy")
		h.as(clerk()).post(name, accept()).is(303)
		h.as(lina).get(name).is(200).says("à corriger dans le compte")
		h.as(sam).post(name, accept()).is(404)
		h.as(clerk()).post(name, accept()).is(303)
		h.as(lina).get(name).is(200).says("Acceptée").keepsQuiet("à corriger")
		h.as(clerk()).post(name, accept()).is(409)
	})
}
