package risk

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

func TestAnExportHoldsOnesOwnTriesAndLocks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.refuse(10, lina, "", abroad)
		h.welcome(hugo, "", campusNet)
		files := map[string]*bytes.Buffer{}
		archive := &contract.Archive{Create: func(name string) (io.Writer, error) {
			files[name] = &bytes.Buffer{}
			return files[name], nil
		}}
		if err := h.Export(t.Context(), lina.ID, archive); err != nil {
			t.Fatal(err)
		}
		if got := files["sign_in_signals.json"].String(); strings.Count(got, "203.0.113.9") != 10 || strings.Contains(got, campusNet.String()) {
			t.Errorf("the tries are %s", got)
		}
		if got := files["locks.json"].String(); !strings.Contains(got, "failures") {
			t.Errorf("the locks are %s", got)
		}
	})
}

func TestWhatIsKeptIsDeclared(t *testing.T) {
	h := openOne(t)
	for _, l := range campus.Locales {
		for _, kept := range Holdings(i18n.With(t.Context(), h.texts.For(l))) {
			for _, said := range []string{kept.What, kept.Why, kept.Basis, kept.Until} {
				if strings.Contains(said, "⟦") {
					t.Errorf("%s: %s of %s", l, said, kept.Table)
				}
			}
		}
	}
}
