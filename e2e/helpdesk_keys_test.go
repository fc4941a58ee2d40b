package e2e

import (
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// TestSingleKeysCanBeTurnedOff: who speaks to their computer, or touches keys by
// mistake, turns the keys of the help desk off in their browser, on the list or on a
// request and for both alike (WCAG 2.2, criterion 2.1.4).
func TestSingleKeysCanBeTurnedOff(t *testing.T) {
	const list, on = "/helpdesk/tickets", "Les touches sont actives dans ce navigateur"
	h := house.Start(t)
	agent := signedIn(t, h, browser.Desk, "agent")
	opens := func() string { // what the first key of the list and Enter lead to
		agent.Visit(list)
		agent.Heading("Demandes")
		agent.Key("j")
		agent.Key("\r")
		return agent.Path()
	}
	ticket := opens()
	if ticket == list {
		t.Fatal("the keys of the list do nothing")
	}
	for _, page := range []struct{ address, key string }{{ticket, "écrire une note entre agents"}, {list, "cocher la demande, ou la décocher"}} {
		agent.Visit(page.address)
		agent.SeesNot(on)
		agent.Key("?")
		agent.Sees(on, "demande suivante de la liste", page.key)
		agent.Check()
		agent.Click("checkbox", on)
		agent.Key("?") // would fold the list of keys
		agent.Sees(on)
		for _, other := range []string{list, ticket} { // the choice outlives the page
			agent.Visit(other)
			agent.Key("?")
			agent.SeesNot(on)
		}
		if to := opens(); to != list {
			t.Errorf("keys that are turned off lead to %s", to)
		}
		agent.Visit(page.address)
		agent.Click("DisclosureTriangle", "Clavier")
		agent.Tick(on)
		if to := opens(); to != ticket {
			t.Errorf("keys that are turned on again lead to %s", to)
		}
	}
}

// TestSeveralRequestsAreTickedWithKeysAlone: the bar of what can be done with several
// goes with what is ticked, and is never over what has the focus (WCAG 2.2, criterion
// 2.4.11).
func TestSeveralRequestsAreTickedWithKeysAlone(t *testing.T) {
	h := house.Start(t)
	for name, look := range map[string]browser.Look{"on a desk": browser.Desk, "on a phone": {Width: 320, Script: true}} {
		t.Run(name, func(t *testing.T) {
			agent := signedIn(t, h, look, "agent")
			agent.Visit("/helpdesk/tickets?state=all")
			agent.SeesNot("Cochées")
			agent.Key("j")
			agent.Key("x")
			agent.Key("j")
			agent.Key("x")
			agent.Sees("Cochées")
			agent.Check()
			for range 70 { // through the list, the bar and what comes after
				agent.Key("\t")
				if hidden := agent.Covered(); hidden != "" {
					t.Fatalf("the focus cannot be seen: %s", hidden)
				}
			}
			agent.Choose("Que faire", "Changer leur priorité")
			agent.Choose("Quelle priorité", "haute")
			agent.Press("Appliquer aux demandes cochées")
			agent.Sees("2 demandes ont changé.")
			agent.Press("Annuler")
			agent.Sees("2 demandes sont comme avant.")
			if !strings.Contains(agent.Address(), "state=all") {
				t.Errorf("it leads to %s", agent.Address())
			}
		})
	}
}
