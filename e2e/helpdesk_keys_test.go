package e2e

import (
	"testing"

	"github.com/amphi-campus/amphi/e2e/browser"
	"github.com/amphi-campus/amphi/e2e/house"
)

// TestSingleKeysCanBeTurnedOff: who speaks to their computer, or touches keys by
// mistake, turns the keys of the help desk off in their browser, for a request and
// for the list alike (WCAG 2.2, criterion 2.1.4).
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
	agent.Key("?")
	agent.Sees(on, "demande suivante de la liste")
	agent.Check()
	agent.Click("checkbox", on)
	agent.Key("?") // would fold the list of keys
	agent.Sees(on)
	agent.Visit(ticket) // the choice outlives the page
	agent.Key("?")
	agent.SeesNot(on)
	if to := opens(); to != list {
		t.Errorf("keys that are turned off lead to %s", to)
	}
	agent.Visit(ticket)
	agent.Click("DisclosureTriangle", "Clavier")
	agent.Tick(on)
	if to := opens(); to != ticket {
		t.Errorf("keys that are turned on again lead to %s", to)
	}
}
