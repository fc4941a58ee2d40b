package support

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/attempt"
	"github.com/amphi-campus/amphi/internal/modules/identity/diagnostic"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
)

// SignIns are the stories of sign-ins as the help desk's own room sees them when
// somebody asks there.
type SignIns struct {
	Stories Stories
	Visitor Visitor
	// History is the journal of somebody's account, newest first.
	History func(ctx context.Context, who campus.PersonID, limit int) ([]journal.Entry, error)
	// Names are those of the upstreams.
	Names func(ctx context.Context) []string
}

var _ contract.SignIns = SignIns{}

// SignInHere implements [contract.SignIns].
func (s SignIns) SignInHere(r *http.Request, typed string) (contract.SignIn, bool, error) {
	code := ""
	if typed != "" {
		var ok bool
		if code, ok = attempt.ParseCode(typed); !ok {
			return contract.SignIn{}, false, nil
		}
	}
	own, err := s.Visitor.Story(r, code)
	if none(err) {
		return contract.SignIn{}, false, nil
	}
	if err != nil {
		return contract.SignIn{}, false, err
	}
	if code == "" && own.Shared { // whoever sits there now may be somebody else
		return contract.SignIn{}, false, nil
	}
	a, err := s.Stories.ByCode(r.Context(), own.Code)
	if err != nil {
		return contract.SignIn{}, false, err
	}
	told := contract.SignIn{Code: a.Code, At: a.ChangedAt, Reason: a.Reason, Service: a.Service, Typed: a.Typed, In: a.Outcome == attempt.In}
	for _, step := range a.Steps {
		if step.Reason == a.Reason {
			told.Facts = step.Facts
		}
	}
	return told, true, nil
}

// SignInElsewhere implements [contract.SignIns].
func (s SignIns) SignInElsewhere(ctx context.Context, typed string) (contract.SignIn, bool, error) {
	code, ok := attempt.ParseCode(typed)
	if !ok {
		return contract.SignIn{}, false, nil
	}
	a, err := s.Stories.ByCode(ctx, code)
	if errors.Is(err, attempt.Missing) {
		return contract.SignIn{}, false, nil
	}
	if err != nil {
		return contract.SignIn{}, false, err
	}
	told := contract.SignIn{Code: a.Code, At: a.ChangedAt}
	if diagnostic.ForAnybody(a.Reason) {
		told.Reason = a.Reason
	}
	return told, true, nil
}

// renewals are the events of a new password, mostHistory how many events are read
// to find them.
var renewals = []string{"identity.password_changed", "identity.password_reset"}

const mostHistory = 200

// NewPasswords implements [contract.SignIns].
func (s SignIns) NewPasswords(ctx context.Context, who campus.PersonID, since time.Time) ([]time.Time, error) {
	events, err := s.History(ctx, who, mostHistory)
	if err != nil {
		return nil, err
	}
	var times []time.Time
	for _, e := range events {
		if slices.Contains(renewals, e.Kind) && !e.At.Before(since) {
			times = append(times, e.At)
		}
	}
	return times, nil
}

// Vouchers implements [contract.SignIns].
func (s SignIns) Vouchers(ctx context.Context) []string { return s.Names(ctx) }
