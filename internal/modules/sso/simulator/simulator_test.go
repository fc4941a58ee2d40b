package simulator

import (
	"testing"

	"github.com/amphi-campus/amphi/internal/contract"
)

func conditions(outcomes ...contract.Outcome) []contract.Condition {
	met := make([]contract.Condition, len(outcomes))
	for i, o := range outcomes {
		met[i].Outcome = o
	}
	return met
}

func TestTheFirstThatStopsDecides(t *testing.T) {
	const passes, asks, stops = contract.Passes, contract.Asks, contract.Stops
	for _, c := range []struct {
		name string
		met  []contract.Condition
		want contract.Outcome
	}{
		{"nothing to meet", nil, passes},
		{"all pass", conditions(passes, passes), passes},
		{"one asks", conditions(passes, asks, passes), asks},
		{"one stops after one asks", conditions(asks, stops, passes), stops},
	} {
		if got := Verdict(c.met); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestWhatComesAfterAStopIsMarked(t *testing.T) {
	list := steps(t.Context(), conditions(contract.Asks, contract.Stops, contract.Passes))
	if list[0].After || list[1].After || !list[2].After {
		t.Errorf("%+v", list)
	}
}
