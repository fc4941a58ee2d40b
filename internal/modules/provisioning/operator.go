package provisioning

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Standing is how the work on one target goes, for who runs the program.
type Standing struct {
	ID, Kind, Address string
	State             string // in words
	Counts            map[contract.AccountState]int64
	Queue             int64
	LastError         string // with the reason code; may be empty
}

// Standings are those of all targets, in the order of the configuration.
func (m *Module) Standings(ctx context.Context) ([]Standing, error) {
	desks, err := m.ledger.Desks(ctx)
	if err != nil {
		return nil, err
	}
	counts, err := m.ledger.States(ctx)
	if err != nil {
		return nil, err
	}
	var all []Standing
	for _, s := range m.services {
		desk := desks[s.Service.ID]
		one := Standing{ID: s.Service.ID, Kind: s.Kind, Address: s.TargetConfig.URL, Counts: counts[s.Service.ID]}
		one.State, _ = m.deskState(ctx, desk)
		if desk.Reason != "" {
			one.LastError = desk.Reason + ": " + desk.Detail
		}
		if one.Queue, err = m.ledger.Queue(ctx, s.Service.ID); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// Test asks a service something harmless, and returns what it is or why it does
// not let us in.
func (m *Module) Test(ctx context.Context, id string) (string, error) {
	s, err := m.target(id)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Patience)
	defer cancel()
	said, err := s.Target.Probe(ctx)
	if err != nil {
		f := target.FailureOf(err)
		return "", errors.New(told(ctx, f.Reason().Code(), f.Detail))
	}
	return said, nil
}

// mendable are the failures about which whoever runs Amphi can do something, whoever
// they are met with.
var mendable = []target.Kind{target.Down, target.Denied, target.Busy, target.Unclear}

// mend is what can be done about a failure with this reason code, or "".
func mend(ctx context.Context, code string) string {
	if !slices.ContainsFunc(mendable, func(k target.Kind) bool { return (&target.Failure{Kind: k}).Reason().Code() == code }) {
		return ""
	}
	_, name, _ := strings.Cut(code, ".")
	return i18n.T(ctx, "provisioning.mend."+name)
}

// told is a failure for an administrator: the reason code, what the service said, and
// what can be done.
func told(ctx context.Context, code, detail string) string {
	return strings.TrimSpace(code + ": " + strings.TrimRight(detail, ". ") + ". " + mend(ctx, code))
}

// Pushed is what became of one account that was worked on at once.
type Pushed struct {
	Target string
	State  contract.AccountState
	// Words are what the person reads; Failed is what the service said, with the
	// reason code and what can be done, or empty.
	Words, Failed string
}

// Push works on everything of one person now, in one target or, with "", in all.
func (m *Module) Push(ctx context.Context, login, id string) ([]Pushed, error) {
	who, err := m.byLogin(ctx, login)
	if err != nil {
		return nil, err
	}
	var all []Pushed
	for _, s := range m.services {
		if id != "" && s.Service.ID != id {
			continue
		}
		failed, err := m.worker.Once(ctx, s.Service.ID, who)
		if err != nil {
			return all, fmt.Errorf("push %s to %s: %w", login, s.Service.ID, err)
		}
		one := Pushed{Target: s.Service.ID}
		if failed != nil {
			one.Failed = told(ctx, failed.Reason().Code(), failed.Detail)
		}
		if one.State, one.Words, err = m.words(ctx, s, who); err != nil {
			return all, err
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return nil, TargetMissing
	}
	return all, nil
}

// words are what somebody reads of their account in one target.
func (m *Module) words(ctx context.Context, s *service, who campus.PersonID) (contract.AccountState, string, error) {
	desk, err := m.ledger.Desk(ctx, s.Service.ID)
	if err != nil {
		return "", "", err
	}
	line, there, err := m.ledger.Of(ctx, m.DB.Read(), s.Service.ID, who)
	if err != nil {
		return "", "", err
	}
	a, err := m.worded(ctx, s, desk, line, there)
	return a.State, a.Message + " " + a.Next, err
}

// Reconcile has everybody looked at, and compares both sides of a target, or of
// all with "". What is found to differ is mended by the running workspace.
func (m *Module) Reconcile(ctx context.Context, id string) (map[string]ledger.Report, error) {
	if err := m.worker.Prepare(ctx); err != nil {
		return nil, err
	}
	reports := map[string]ledger.Report{}
	var failed []error
	for _, s := range m.services {
		if id != "" && s.Service.ID != id {
			continue
		}
		if err := m.worker.Compare(ctx, s.Service.ID); err != nil {
			failed = append(failed, err) // the others are compared all the same
			continue
		}
		desk, err := m.ledger.Desk(ctx, s.Service.ID)
		if err != nil {
			return reports, err
		}
		if reports[s.Service.ID], _, err = desk.Report(); err != nil {
			return reports, err
		}
	}
	if len(reports) == 0 && len(failed) == 0 {
		return nil, TargetMissing.With(fault.Args{"id": id})
	}
	return reports, errors.Join(failed...)
}
