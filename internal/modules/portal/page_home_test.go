package portal_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/fault"
)

func TestEachFaceHasItsOwnHome(t *testing.T) {
	h := open(t)
	h.article("k", nil)
	h.cards = []contract.CardProvider{room{name: "sso", cards: func(context.Context) ([]contract.Card, error) {
		return []contract.Card{{ID: "sso.broken", Title: "Services en panne", Rows: []contract.CardRow{{Title: "Wiki", Tag: "3 incidents", Tone: "warn"}}}}, nil
	}}}
	seen := map[string]campus.Face{}
	for _, c := range []struct {
		viewer campus.Viewer
		order  string // of the sheets
		says   []string
	}{
		{campustest.Lina(), "Bonjour Lina. | Services en panne | Mes services | À l’université | Notifications | Raccourcis", []string{"Licence Informatique · Campus Rives", "!Écrire une actualité"}},
		{campustest.Paul(), "Bonjour Paul. | Mes services | Services en panne | À l’université | Notifications | Raccourcis", []string{"Un étudiant ne peut pas entrer"}},
		{campustest.Nadia(), "Bonjour Nadia. | Services en panne | À l’université | Mes services | Rédaction | Notifications | Raccourcis", []string{"Écrire une actualité", "0 brouillon"}},
		{campustest.Sam(), "Hello Sam. | Shortcuts | Services en panne | My services | Around the university | Notifications", []string{"What somebody locked out reads"}},
		{campustest.Alix(), "Bonjour Alix. | Services en panne | Raccourcis | Mes services | À l’université | Notifications", []string{"Registre des services"}},
	} {
		p := h.as(c.viewer).get("/").is(200).says(c.says...)
		if got := p.headings(); got != c.order {
			t.Errorf("%s reads\n %s, want\n %s", c.viewer.Face(), got, c.order)
		}
		if other, twice := seen[p.headings()]; twice {
			t.Errorf("%s and %s see the same home", other, c.viewer.Face())
		}
		seen[p.headings()] = c.viewer.Face()
	}
	h.as(campustest.Lina()).get("/").says("dimanche 22 novembre · semaine 12 du semestre d’automne")
	h.as(campustest.Sam()).get("/").says("Sunday 22 November · week 12 of the autumn semester")
}

func TestTheHomeStandsWhenARoomDoesNot(t *testing.T) {
	gone := fault.Of(errors.New("x")).Reason
	for name, c := range map[string]struct {
		cards func(context.Context) ([]contract.Card, error)
		code  string
	}{
		"a room that fails":        {func(context.Context) ([]contract.Card, error) { return nil, errors.New("disk on fire") }, gone.Code()},
		"a room that panics":       {func(context.Context) ([]contract.Card, error) { panic("nil map") }, gone.Code()},
		"a room that waits for us": {func(ctx context.Context) ([]contract.Card, error) { <-ctx.Done(); return nil, ctx.Err() }, "portal.room_slow"},
		"a room that never ends":   {func(context.Context) ([]contract.Card, error) { time.Sleep(2 * time.Second); return nil, nil }, "portal.room_slow"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			h.article("k", nil)
			h.cards = []contract.CardProvider{
				room{name: "helpdesk", cards: c.cards},
				room{name: "sso", cards: func(context.Context) ([]contract.Card, error) { return []contract.Card{{Title: "Je réponds"}}, nil }},
			}
			begun := time.Now()
			p := h.get("/").is(200).says("L’assistance ne répond pas.", c.code, "Je réponds", "La bibliothèque ouvre", "Moodle", "!disk on fire", "!nil map")
			if took := time.Since(begun); took > time.Second {
				t.Errorf("the page took %v", took)
			}
			if p.header.Get("X-Request-Id") == "" {
				t.Error("no request id")
			}
		})
	}
}

func TestTheHomeSurvivesACatalogueThatFails(t *testing.T) {
	h := open(t)
	h.services = append(h.services, room{name: "learning", services: func() ([]contract.Service, error) { return nil, errors.New("x") }})
	h.get("/").is(200).says("Les cours ne répond pas.", "Moodle")
	h.get("/portal/services").is(200).says("Les cours ne répond pas.", "Moodle")
}

func TestTheMostUrgentNotificationIsTheOneNotice(t *testing.T) {
	h := open(t)
	h.notice(h.viewer.Person, contract.Notice{TitleFrench: "Bienvenue"})
	h.get("/").says("Bienvenue", "!J’ai vu")
	h.notice(h.viewer.Person, contract.Notice{TitleFrench: "Deux UV à confirmer", DetailFrench: "Avant vendredi.", Tone: "warn", URL: "/studies"})
	h.notice(h.viewer.Person, contract.Notice{TitleFrench: "Une UV est perdue", Tone: "bad", URL: "/studies"})
	p := h.get("/").says("Une UV est perdue", "Deux UV à confirmer", "Bienvenue")
	if n := strings.Count(p.text(), "J’ai vu"); n != 1 {
		t.Errorf("%d notices", n)
	}
	if n := strings.Count(p.text(), "Une UV est perdue"); n != 1 {
		t.Errorf("the notice is said %d times", n)
	}
	action, fields := p.presses("J’ai vu")
	h.post(action, fields).leadsTo("/")
	h.get("/").says("!Une UV est perdue", "Deux UV à confirmer")
}

func TestTheHomeShowsNewsForItsViewerOnly(t *testing.T) {
	h := open(t)
	h.article("s", func(c *news.Content) {
		c.Title.French, c.Audience = "Pour les étudiants", campus.Audience{Kinds: []campus.Kind{campus.Student}}
	})
	h.article("t", func(c *news.Content) {
		c.Title.French, c.Audience = "Pour les enseignants", campus.Audience{Kinds: []campus.Kind{campus.Teacher}}
	})
	h.as(campustest.Lina()).get("/").says("Pour les étudiants", "!Pour les enseignants")
	h.as(campustest.Paul()).get("/").says("!Pour les étudiants", "Pour les enseignants")
}

func TestAnEmptyHouseExplainsItself(t *testing.T) {
	h := open(t)
	h.services = nil
	h.get("/").is(200).says("Aucun service ne vous est ouvert", "Aucune actualité pour le moment", "Rien n’attend d’être lu")
	h.get("/portal/services").is(200).says("Aucun service ne vous est ouvert")
	h.get("/portal/news").is(200).says("Aucune actualité pour le moment")
	h.get("/portal/notifications").is(200).says("Aucune notification")
}
