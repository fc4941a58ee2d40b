package ui_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/ui"
)

func TestOnlyTheMiddleOfALongConversationIsFolded(t *testing.T) {
	for n, want := range map[int][2]int{0: {0, 0}, 1: {1, 1}, 8: {8, 8}, 9: {1, 5}, 40: {1, 36}} {
		t.Run(fmt.Sprint(n, " messages"), func(t *testing.T) {
			if from, to := ui.Middle(n); from != want[0] || to != want[1] {
				t.Errorf("folds from %d to %d", from, to)
			}
		})
	}
}

func TestAFoldHoldsWhatItPutsAway(t *testing.T) {
	for name, test := range map[string]struct {
		fold ui.FoldProps
		want string
	}{
		"closed":                       {ui.FoldProps{Label: "Show & tell"}, `<details class="fold"><summary><span class="more">Show &amp; tell</span>`},
		"open":                         {ui.FoldProps{Label: "Show", Open: true}, `<details class="fold" open>`},
		"with the word that closes it": {ui.FoldProps{Count: 34}, `<span class="less">`},
	} {
		t.Run(name, func(t *testing.T) {
			var page strings.Builder
			if err := ui.Fold(test.fold).Render(t.Context(), &page); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(page.String(), test.want) {
				t.Errorf("no %s in %s", test.want, page.String())
			}
		})
	}
}
