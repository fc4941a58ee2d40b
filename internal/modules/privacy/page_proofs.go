package privacy

import (
	"net/http"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// proofsView is what was erased, and whether the chain of it holds.
type proofsView struct {
	Lines        []proofLine
	Held, Broken int64
	Login        string // that was asked about
	Turn         turn
	// Left are what programs outside the house have not removed yet, of Open in all.
	Left []erasure.Elsewhere
	Open int
}

// leftShown is how many of what is left elsewhere the page names.
const leftShown = 20

type proofLine struct {
	erasure.Proof
	By string
}

func (m *Module) proofsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	view := proofsView{Login: strings.ToLower(strings.TrimSpace(r.URL.Query().Get("login")))}
	var err error
	if view.Held, view.Broken, err = m.erasures.Verify(ctx); err != nil {
		return err
	}
	view.Turn = turnOf(r, int(view.Held), "/privacy/proofs?")
	proofs, err := m.erasures.Proofs(ctx, view.Login, pageSize, view.Turn.skip())
	if err != nil {
		return err
	}
	if view.Left, view.Open, err = m.erasures.Left(ctx, leftShown); err != nil {
		return err
	}
	ids := make([]campus.PersonID, len(proofs))
	for i, p := range proofs {
		ids[i] = campus.PersonID(p.Facts.OrderedBy)
	}
	names, err := m.names(ctx, ids...)
	if err != nil {
		return err
	}
	for i, p := range proofs {
		view.Lines = append(view.Lines, proofLine{p, names[ids[i]]})
	}
	return web.Render(w, r, http.StatusOK, proofsTempl(view))
}
