package provisioning

import (
	"context"
	"net/http"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

var _ contract.Acts = (*Module)(nil)

// actRetry puts an account of somebody in front of the queue.
const actRetry = "provisioning.retry"

// Acts implements [contract.Acts]: the accounts on which something is left to do can
// be tried again.
func (m *Module) Acts(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Act, error) {
	if !isAgent(v) || len(m.services) == 0 {
		return nil, nil
	}
	accounts, err := m.accountsOf(ctx, who)
	if err != nil {
		return nil, err
	}
	act := contract.Act{ID: actRetry, Key: "provisioning.offer.retry"}
	for _, a := range accounts {
		if a.line.Todo() != ledger.Nothing {
			act.Choices = append(act.Choices, contract.Choice{Value: a.service.Service.ID, Label: a.Name})
		}
	}
	if len(act.Choices) == 0 {
		return nil, nil
	}
	return []contract.Act{act}, nil
}

// Do implements [contract.Acts].
func (m *Module) Do(r *http.Request, who campus.PersonID, act, choice, _ string) (contract.Done, error) {
	if !isAgent(web.Viewer(r)) {
		return contract.Done{}, web.RightMissing
	}
	s, err := m.target(choice)
	if err != nil {
		return contract.Done{}, err
	}
	if act != actRetry {
		return contract.Done{}, TargetMissing
	}
	_, err = m.hurry(r, s, who)
	return contract.Done{}, err
}

// hurry puts one account of somebody in front of the queue, and reports whether there
// was anything to do.
func (m *Module) hurry(r *http.Request, s *service, who campus.PersonID) (hurried bool, err error) {
	ctx := r.Context()
	if err := m.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if hurried, err = m.ledger.Hurry(ctx, tx, s.Service.ID, who); err != nil || !hurried {
			return err
		}
		return m.worker.Start(ctx, tx, s.Service.ID)
	}); err != nil {
		return false, err
	}
	m.Log.InfoContext(ctx, "provisioning: an account is tried again", "target", s.Service.ID, "person", who, "by", web.Viewer(r).Person, "work", hurried)
	return hurried, nil
}
