package support

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/modules/identity/factor"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/modules/identity/lifecycle"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

var (
	_ contract.Acts   = (*Support)(nil)
	_ contract.Seeker = (*Support)(nil)
)

// What agents do for somebody from a request.
const (
	actReset    = "identity.reset"
	actUnlock   = "identity.unlock"
	actRelay    = "identity.relay"
	actRecovery = "identity.recovery"
)

// Acts implements [contract.Acts]: the acts of the page of a person, for agents whose
// right reaches everybody.
func (s *Support) Acts(ctx context.Context, v campus.Viewer, who campus.PersonID) ([]contract.Act, error) {
	if !v.Can(campus.RightHelpdesk) {
		return nil, nil
	}
	p, err := s.People.PersonByID(ctx, who)
	if err != nil {
		return nil, err
	}
	var acts []contract.Act
	offer := func(id, url string) {
		acts = append(acts, contract.Act{ID: id, Key: "identity.support.offer." + id[len("identity."):], URL: url})
	}
	if p.State.Usable() {
		offer(actReset, "")
	}
	locks, err := s.Locks.Locks(ctx, who)
	if err != nil {
		return nil, err
	}
	now := s.Clock.Now()
	for _, l := range locks {
		if l.Holds(now) {
			offer(actUnlock, "")
			break
		}
	}
	agent, err := s.People.PersonByID(ctx, v.Person)
	if err != nil {
		return nil, err
	}
	if s.Factors.MayRelay(agent, p) {
		proofs, err := s.Factors.Of(ctx, who)
		if err != nil {
			return nil, err
		}
		if len(proofs) > 0 {
			offer(actRelay, "")
		}
	}
	running, open, err := s.Recoveries.Open(ctx, who)
	switch {
	case err != nil:
		return nil, err
	case open:
		offer(actRecovery, "/identity/support/recoveries/"+url.PathEscape(running.ID))
	case p.State.Usable():
		offer(actRecovery, "/identity/support/recoveries/new?"+url.Values{"person": {string(who)}}.Encode())
	}
	return acts, nil
}

// Do implements [contract.Acts]. That the agent acts on a request stands in the
// person's journal before the act does.
func (s *Support) Do(r *http.Request, who campus.PersonID, act, _, why string) (contract.Done, error) {
	ctx, v := r.Context(), web.Viewer(r)
	if !v.Can(campus.RightHelpdesk) {
		return contract.Done{}, web.RightMissing
	}
	p, err := s.People.PersonByID(ctx, who)
	if err != nil {
		return contract.Done{}, err
	}
	if err := s.write(ctx, r, who, accountOpened, "reason", why); err != nil {
		return contract.Done{}, err
	}
	switch act {
	case actReset:
		if !p.State.Usable() {
			return contract.Done{}, NotOffered
		}
		return contract.Done{}, s.DB.InTx(ctx, func(tx db.Tx) error { return s.Resets.SendReset(ctx, tx, p, journal.From(r)) })
	case actUnlock:
		return contract.Done{}, s.Locks.SendUnlock(ctx, v, who, journal.From(r))
	case actRelay:
		agent, err := s.People.PersonByID(ctx, v.Person)
		if err != nil {
			return contract.Done{}, err
		}
		given, err := s.Factors.Relay(ctx, factor.At(r, entry.Actor{Person: v.Person, Session: v.Session}), agent, p)
		return contract.Done{Secret: given.Code, Spelled: strings.Join(given.Spelled, ", ")}, err
	}
	return contract.Done{}, NotOffered
}

// SeekPeople implements [contract.Seeker].
func (s *Support) SeekPeople(ctx context.Context, v campus.Viewer, words string, size int) ([]contract.Known, error) {
	everywhere, within := v.Scope(campus.RightHelpdesk)
	if !everywhere && len(within) == 0 {
		return nil, nil
	}
	people, err := s.Accounts.Search(ctx, lifecycle.Filter{Words: clip(words, 120), Within: within}, size, 0)
	if err != nil {
		return nil, err
	}
	found := make([]contract.Known, len(people))
	for i, p := range people {
		found[i] = contract.Known{ID: p.ID, State: string(p.State), Subject: contract.Subject{
			Login: p.Login, Mail: p.Mail, GivenName: p.GivenName, FamilyName: p.FamilyName, StudentNumber: p.StudentNumber, Locale: p.Locale, Affiliations: p.Affiliations,
		}}
	}
	return found, nil
}
