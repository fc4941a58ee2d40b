package main

import (
	"math"
	"testing"
)

func TestWelchTellsApartWhatDiffersAndNotWhatVaries(t *testing.T) {
	var calm, wide, later []float64
	for i := range 100 {
		calm = append(calm, 100+float64(i%10))
		wide = append(wide, 95+float64(i%20))
		later = append(later, 110+float64(i%10))
	}
	if tt := welch(sampleOf(calm), sampleOf(later)); math.Abs(tt) < 10 {
		t.Errorf("10 apart with a spread of 3 gives t = %.1f", tt)
	}
	if tt := welch(sampleOf(calm), sampleOf(wide)); math.Abs(tt) > 4 {
		t.Errorf("the same mean with another spread gives t = %.1f", tt)
	}
	if s := sampleOf([]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 500}); s.n != 9 || math.Abs(s.mean-1) > 1e-9 {
		t.Errorf("the pause of the machine is in the sample: %+v", s)
	}
}

func TestTheQuestionToAKeyIsFoundInItsPage(t *testing.T) {
	options, ceremony := question([]byte(`<form data-webauthn="create" data-options="{&#34;publicKey&#34;:{}}"><input type="hidden" name="ceremony" value="sealed"/><input name="response"/></form>`))
	if options != `{"publicKey":{}}` || ceremony != "sealed" {
		t.Errorf("found %q and %q", options, ceremony)
	}
}

func TestTheShippedFilterIsAskedInThisProcess(t *testing.T) {
	t.Chdir("..") // the size is read where the source is
	rows, err := measureBreached(t.Context(), nil, plan{passwords: 200_000})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 || rows[1].verdict != reached {
		t.Errorf("got %+v", rows)
	}
}
