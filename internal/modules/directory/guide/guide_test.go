package guide_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

var (
	lina  = campustest.Lina()
	paul  = campustest.Paul()
	nadia = campustest.Nadia()
	sam   = campustest.Sam()
)

func personPath(v campus.Viewer) string { return "/directory/people/" + string(v.Person) }

// TestEveryAddressLetsInWhomItShould walks every route as everybody. A route that is
// not listed here fails the test.
func TestEveryAddressLetsInWhomItShould(t *testing.T) {
	const (
		signedIn = "signed in" // what they see there is another test's
		keepers  = "those who keep the directory"
	)
	doors := map[string]string{
		"GET /directory": signedIn, "GET /directory/people/{id}": signedIn, "GET /directory/people/{id}/card.vcf": signedIn, "GET /directory/people/{id}/card.svg": signedIn, "GET /directory/people/{id}/photo": signedIn,
		"GET /directory/units": signedIn, "GET /directory/units/{code}": signedIn, "GET /directory/functions": signedIn,
		"GET /directory/mine": signedIn, "POST /directory/mine": signedIn, "POST /directory/mine/photo": signedIn, "POST /directory/mine/photo/withdraw": signedIn,
		"GET /directory/lists": signedIn, "GET /directory/lists/{kind}/{code}": signedIn, "GET /directory/lists/{kind}/{code}/people.csv": signedIn,
		"GET /directory/people/{id}/correction": signedIn, "POST /directory/people/{id}/correction": signedIn,
		"GET /directory/corrections": signedIn, "GET /directory/corrections/{id}": signedIn, "POST /directory/corrections/{id}": signedIn,
		"GET /directory/people/{id}/edit": signedIn, "POST /directory/people/{id}/edit": signedIn,
		"GET /directory/units/new": signedIn, "POST /directory/units": signedIn, "GET /directory/units/{code}/edit": signedIn, "POST /directory/units/{code}/edit": signedIn,
		"GET /directory/units/{code}/close": signedIn, "POST /directory/units/{code}/close": signedIn, "GET /directory/units/closed": signedIn,
		"POST /directory/units/{code}/reopen": signedIn, "POST /directory/edits/{id}/undo": signedIn, // whom they are for is TestOnlyThoseWhoKeepItEdit's
		"GET /directory/groups": keepers, "GET /directory/groups/new": keepers, "POST /directory/groups": keepers, "GET /directory/groups/{code}": keepers,
		"GET /directory/groups/{code}/edit": keepers, "POST /directory/groups/{code}": keepers, "POST /directory/groups/{code}/people": keepers,
		"POST /directory/groups/{code}/people/remove": keepers, "POST /directory/groups/{code}/groups": keepers, "POST /directory/groups/{code}/groups/remove": keepers,
		"GET /directory/groups/{code}/delete": keepers, "POST /directory/groups/{code}/delete": keepers,
	}
	each(t, func(h *house) {
		left := map[string]bool{}
		for pattern := range doors {
			left[pattern] = true
		}
		for _, route := range h.server.Routes() {
			door, known := doors[route.Pattern]
			if !known {
				h.t.Errorf("nobody said whom %s lets in", route.Pattern)
				continue
			}
			delete(left, route.Pattern)
			method, path, _ := strings.Cut(route.Pattern, " ")
			path = strings.NewReplacer("{id}", "none", "{code}", "none", "{kind}", "groups").Replace(path)
			for _, v := range append(campustest.Everyone(), keeper(), guest()) {
				var p *page
				if h.as(v); method == "GET" {
					p = h.get(path)
				} else {
					p = h.post(path, url.Values{})
				}
				refused := p.status == http.StatusUnauthorized || p.status == http.StatusForbidden || strings.HasPrefix(p.location, "/login")
				if wanted := !v.SignedIn() || door == keepers && !v.Can(campus.RightDirectory); refused != wanted {
					h.t.Errorf("%s answers %d (%s) to %q", route.Pattern, p.status, p.location, v.Login)
				}
			}
		}
		for pattern := range left {
			h.t.Errorf("there is no route %s", pattern)
		}
	})
}

func TestEachOneSeesOfAPersonWhatIsMeantForThem(t *testing.T) {
	each(t, func(h *house) {
		const mobile, phone = "06 39 98 00 01", "01 99 00 50 01"
		h.as(sam).get(personPath(paul)).is(200).says("Professeur d’informatique", phone, mobile, "C215", "Mardi 14", "Nadia Benali", "Alix Roche")
		h.as(lina).get(personPath(paul)).is(200).says(phone, "C215").keepsQuiet(mobile)
		h.as(guest()).get(personPath(paul)).is(200).says("Paul Durand", "paul.durand@").keepsQuiet(phone, mobile, "C215", "Mardi 14", "Nadia Benali")
		h.as(paul).get(personPath(lina)).is(200).says("Lina Martin", "Licence Informatique")
		h.as(guest()).get(personPath(lina)).is(404).keepsQuiet("MARTIN Lina")
		h.as(lina).get("/directory/people/01900000-0000-7000-8000-00000000000a").is(404) // another student
		h.as(lina).get(personPath(lina)).is(200)

		h.change(func(ctx context.Context, tx db.Tx) error {
			return entry.Put(ctx, tx, paul.Person, entry.Profile{Unlisted: true, Office: "C215"}, "test")
		})
		for _, v := range []campus.Viewer{lina, sam, guest()} {
			h.as(v)
			for _, part := range []string{"", "/card.vcf", "/card.svg", "/photo", "/correction"} {
				h.get(personPath(paul)+part).is(404).keepsQuiet("Durand", "C215")
			}
			h.get("/directory?q=durand").is(200).keepsQuiet("Paul Durand", "C215")
			h.get("/directory/units/info").is(200).keepsQuiet("Durand")
		}
		h.as(paul).get(personPath(paul)).is(200).says("liste rouge")
		h.as(nadia).get(personPath(paul)).is(200).says("liste rouge")
	})
}

func TestACardHoldsWhatItsReaderMaySee(t *testing.T) {
	each(t, func(h *house) {
		card := h.as(sam).get(personPath(paul) + "/card.vcf").is(200).card()
		if card.Value("VERSION") != "4.0" || card.PreferredValue("FN") != "Paul Durand" || card.Value("ORG") != "Université;Informatique" || len(card["TEL"]) != 2 {
			h.t.Errorf("a colleague’s card: %v", card)
		}
		card = h.as(guest()).get(personPath(paul) + "/card.vcf").is(200).card()
		if len(card["TEL"]) != 0 || len(card["ADR"]) != 0 || card.Value("EMAIL") == "" {
			h.t.Errorf("a guest’s card: %v", card)
		}
		h.as(lina).get("/directory/people/01900000-0000-7000-8000-00000000000a/card.vcf").is(404)
		if p := h.as(sam).get(personPath(paul) + "/card.svg").is(200).says("<svg"); p.header.Get("Content-Type") != "image/svg+xml" {
			h.t.Errorf("the code is served as %s", p.header.Get("Content-Type"))
		}
	})
}

func TestAPhotoIsShownWithConsentAndGoneWithoutIt(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 40, 40))); err != nil {
		t.Fatal(err)
	}
	photo := picture.Bytes()
	each(t, func(h *house) {
		path := personPath(paul) + "/photo"
		h.as(paul)
		h.upload("/directory/mine/photo", url.Values{}, photo).is(422).says("Cochez la case")
		h.upload("/directory/mine/photo", url.Values{"consent": {"on"}}, nil).is(422).says("Choisissez une photo")
		h.upload("/directory/mine/photo", url.Values{"consent": {"on"}}, []byte("<svg/>")).is(422).says("pas une photo lisible")
		h.upload("/directory/mine/photo", url.Values{"consent": {"on"}}, photo).is(303)
		if p := h.as(lina).get(path).is(200); !strings.HasPrefix(p.header.Get("Content-Type"), "image/") {
			h.t.Errorf("the photo is served as %s", p.header.Get("Content-Type"))
		}
		h.as(guest()).get(path).is(404)
		form := url.Values{"seen_photo": {"staff"}, "seen_mobile": {"nobody"}, "seen_phone": {"members"}, "seen_hours": {"members"}, "hours": {"Jeudi 10"}}
		h.as(paul).post("/directory/mine", form).is(303)
		h.as(lina).get(path).is(404)
		h.as(sam).get(path).is(200)
		h.as(sam).get(personPath(paul)).says("Jeudi 10").keepsQuiet("06 39 98 00 01", "Mardi 14")
		h.as(paul).post("/directory/mine/photo/withdraw", url.Values{}).is(303)
		h.as(sam).get(path).is(404)
		h.as(nadia).get(path).is(404)
	})
}

func TestAStudentMayBeFoundByStudentsOnlyIfTheyWish(t *testing.T) {
	each(t, func(h *house) {
		other := campustest.Lina()
		other.Person, other.GivenName = "01900000-0000-7000-8000-00000000000a", "Karim"
		h.as(lina).get("/directory?q=karim").is(200).keepsQuiet("Karim Martin")
		form := url.Values{"seen_entry": {"members"}, "seen_photo": {"staff"}, "seen_mail": {"staff"}, "seen_studies": {"staff"}}
		h.as(other).post("/directory/mine", form).is(303)
		h.as(lina).get("/directory?q=karim").is(200).says("Karim Martin").keepsQuiet("karim@")
		form.Set("seen_entry", "all")
		h.as(other).post("/directory/mine", form).is(422).says("Choisissez dans la liste")
		h.as(guest()).get("/directory?q=karim").is(200).keepsQuiet("Karim Martin")
	})
}

func TestALongListIsReadPageByPage(t *testing.T) {
	each(t, func(h *house) {
		for n := range 250 {
			v := campustest.Lina()
			v.Person, v.Login, v.GivenName, v.FamilyName = campus.PersonID(fmt.Sprintf("01900000-0000-7000-8000-000000001%03d", n)), fmt.Sprint("s", n), "Zoé", fmt.Sprintf("Zz%03d", n)
			h.people.people = append(h.people.people, known(v, ""))
		}
		const list = "/directory/lists/programmes/info"
		h.as(keeper()).get(list).is(200).says("252 ", "MARTIN Lina", "page=2").keepsQuiet("ZZ249")
		h.get(list+"?page=2").is(200).says("ZZ249").keepsQuiet("MARTIN Lina", "page=3")
		h.get(list + "?page=99").is(200).says("ZZ249")
		h.get(list+"/people.csv").is(200).says("Zz000", "Zz249")
	})
}

func TestListsBelongToThoseWhoTeachTheGroup(t *testing.T) {
	each(t, func(h *house) {
		h.change(func(ctx context.Context, tx db.Tx) error {
			if err := h.groups.Put(ctx, tx, group.Group{Code: "td1", Kind: group.ByHand, NameFrench: "TD 1"}, ""); err != nil {
				return err
			}
			return h.groups.Change(ctx, tx, "td1", []campus.PersonID{lina.Person, paul.Person}, nil)
		})
		const list = "/directory/lists/groups/td1"
		h.as(paul).get("/directory/lists").is(200).says("TD 1")
		h.as(paul).get(list).is(200).says("MARTIN Lina", "lina.martin@")
		if csv := h.as(paul).get(list + "/people.csv").is(200).says("Martin,Lina,lina.martin@valmont.example,Licence Informatique"); !strings.HasPrefix(csv.header.Get("Content-Type"), "text/csv") {
			h.t.Error("the file is no table")
		}
		for _, v := range []campus.Viewer{lina, sam, guest()} { // a student of the group, a colleague who is not in it, a guest
			h.as(v).get(list).is(404).keepsQuiet("MARTIN Lina")
			h.as(v).get(list + "/people.csv").is(404).keepsQuiet("Martin,Lina")
		}
		h.as(keeper()).get(list).is(200)
		h.as(paul).get("/directory/lists/programmes/info").is(404) // the students of another unit
		h.as(keeper()).get("/directory/lists/programmes/info").is(200).says("MARTIN Lina")
		h.as(lina).get("/directory/lists/programmes/info").is(404)
	})
}

func TestASecretaryOfOneProgrammeHasItsListAndItsGroupsAndNoOthers(t *testing.T) {
	each(t, func(h *house) {
		rules := map[string]group.Rule{
			"info": {Programmes: []string{"info"}}, "all": {Kinds: []campus.Kind{campus.Student}},
			"more": {Programmes: []string{"info", "droit"}}, "droit": {Programmes: []string{"droit"}},
		}
		h.change(func(ctx context.Context, tx db.Tx) error {
			for code, rule := range rules {
				if err := h.groups.Put(ctx, tx, group.Group{Code: code, Kind: group.ByRule, NameFrench: "Groupe " + code, Rule: rule}, ""); err != nil {
					return err
				}
			}
			return nil
		})
		for code := range rules {
			if err := h.groups.Fill(h.t.Context(), code); err != nil {
				h.t.Fatal(err)
			}
		}
		secretary := guest() // nothing but her mandate lets her in
		secretary.Mandates = []campus.Mandate{{Right: campus.RightSecretariat, Programme: "info"}}
		h.as(secretary).get("/directory/lists").is(200).says("Licence Informatique", "Groupe info").keepsQuiet("Groupe all", "Groupe more", "Groupe droit")
		h.get("/directory/lists/programmes/info").is(200).says("MARTIN Lina")
		h.get("/directory/lists/groups/info").is(200).says("MARTIN Lina")
		h.get("/directory/lists/groups/info/people.csv").is(200).says("Martin,Lina")
		for _, code := range []string{"all", "more", "droit"} {
			h.get("/directory/lists/groups/" + code).is(404).keepsQuiet("MARTIN Lina")
			h.get("/directory/lists/groups/" + code + "/people.csv").is(404).keepsQuiet("Martin,Lina")
		}
		h.get("/directory/groups").is(403)
		secretary.Mandates[0].Right = campus.RightHelpdesk // looks after nobody's lists
		h.as(secretary).get("/directory/lists/groups/info").is(404)
	})
}

func TestGroupsAreMadeByRuleAndByHand(t *testing.T) {
	each(t, func(h *house) {
		h.as(keeper())
		rule := url.Values{"code": {"etudiants"}, "name_french": {"Étudiants"}, "by": {"rule"}, "kinds": {"student"}}
		h.post("/directory/groups", url.Values{"by": {"rule"}}).is(422).says("Donnez un code", "Donnez un nom", "une règle vide")
		preview := url.Values{"preview": {"on"}}
		for name, values := range rule {
			preview[name] = values
		}
		h.post("/directory/groups", preview).is(200).says("2 personnes", "Karim Martin")
		h.get("/directory/groups/etudiants").is(404) // a preview keeps nothing
		h.post("/directory/groups", rule).is(303)
		h.post("/directory/groups", rule).is(422).says("porte déjà ce code")
		if err := h.groups.Fill(h.t.Context(), "etudiants"); err != nil {
			h.t.Fatal(err)
		}
		h.get("/directory/groups/etudiants").is(200).says("Lina Martin", "2 personnes")
		h.post("/directory/groups/etudiants/people", url.Values{"who": {"pdurand"}}).is(409)

		h.post("/directory/groups", url.Values{"code": {"comite"}, "name_french": {"Comité"}, "by": {"hand"}}).is(303)
		h.post("/directory/groups/comite/people", url.Values{"who": {"nobody@valmont.example"}}).is(422).says("Personne n’a cet identifiant")
		h.post("/directory/groups/comite/people", url.Values{"who": {" PDurand "}}).is(303)
		h.post("/directory/groups/comite/groups", url.Values{"group": {"etudiants"}}).is(303)
		h.post("/directory/groups/comite/groups", url.Values{"group": {"comite"}}).is(409)
		h.get("/directory/groups/comite").is(200).says("Paul Durand", "3 personnes en comptant")
		h.post("/directory/groups/comite/people/remove", url.Values{"person": {string(paul.Person)}}).is(303)
		h.post("/directory/groups/comite/groups/remove", url.Values{"group": {"etudiants"}}).is(303)
		h.get("/directory/groups/comite").is(200).says("Personne n’en fait partie")
		h.get("/directory/groups?q=comite").is(200).says("Comité").keepsQuiet("etudiants")
		h.get("/directory/groups/comite/delete").is(200).says("Supprimer")
		h.post("/directory/groups/comite/delete", url.Values{}).is(303)
		h.get("/directory/groups/comite").is(404)
	})
}

func TestNobodyCopiesTheDirectory(t *testing.T) {
	each(t, func(h *house) {
		h.as(lina)
		for i := range 500 {
			if p := h.get("/directory/people/none"); p.status != http.StatusNotFound {
				if i < 300 {
					h.t.Errorf("stopped after %d", i)
				}
				p.is(http.StatusTooManyRequests).says("plus vite que l’annuaire")
				return
			}
		}
		h.t.Error("500 entries were opened in one go")
	})
}

func TestACorrectionIsAnsweredByWhoMayAndOnce(t *testing.T) {
	each(t, func(h *house) {
		ask := personPath(paul) + "/correction"
		h.as(lina).get(ask).is(200).says("Sam Okafor") // who leads the unit
		h.post(ask, url.Values{}).is(422).says("Dites ce qui est faux", "Dites ce qu’il faudrait lire")
		h.post(ask, url.Values{"field": {"office"}, "wanted": {"C217"}}).is(303)
		if n := h.told[sam.Person]; len(n) != 1 || !strings.Contains(n[0].TitleFrench, "Paul Durand") {
			h.t.Fatalf("the head of the unit was told %v", n)
		}
		one := h.told[sam.Person][0].URL
		h.as(guest()).get(one).is(404).keepsQuiet("C217")
		h.as(paul).get(one).is(404)
		h.as(lina).get(one).is(200).says("C215", "C217").keepsQuiet("Votre décision")
		accept := url.Values{"verdict": {"accepted"}}
		h.as(lina).post(one, accept).is(404)
		h.as(guest()).post(one, accept).is(404)
		h.as(sam).get("/directory/corrections").is(200).says("Paul Durand")
		h.as(paul).get("/directory/corrections").is(200).keepsQuiet("À examiner")
		h.as(sam).post(one, url.Values{"verdict": {"refused"}}).is(422).says("Say why you refuse") // he reads English
		h.as(sam).post(one, accept).is(303)
		if n := h.told[lina.Person]; len(n) != 1 || !strings.Contains(n[0].TitleEnglish, "accepted") {
			h.t.Errorf("who asked was told %v", n)
		}
		h.as(nadia).post(one, url.Values{"verdict": {"refused"}, "answer": {"Non."}}).is(409)

		// Whoever leads the unit and is on the red list is told, and not named.
		h.change(func(ctx context.Context, tx db.Tx) error {
			return entry.Put(ctx, tx, sam.Person, entry.Profile{Unlisted: true}, "test")
		})
		h.as(lina).get(ask).is(200).keepsQuiet("Sam Okafor")
		h.get(one).is(200).keepsQuiet("Sam Okafor")

		// Who has no head is the secretariat's; what the asker does not see is not told.
		h.as(guest()).post(ask, url.Values{"field": {"phone"}, "wanted": {"01"}}).is(303)
		h.get(h.told[sam.Person][1].URL).is(200).keepsQuiet("01 99 00 50 01")
		h.as(lina).post(personPath(lina)+"/correction", url.Values{"field": {"name"}, "wanted": {"Lina Martin-Roy"}}).is(303)
		if len(h.told[nadia.Person]) != 1 {
			h.t.Errorf("the secretariat was told %v", h.told[nadia.Person])
		}
		for range 30 {
			h.post(personPath(lina)+"/correction", url.Values{"field": {"name"}, "wanted": {"x"}})
		}
		h.post(personPath(lina)+"/correction", url.Values{"field": {"name"}, "wanted": {"x"}}).is(409)
	})
}
