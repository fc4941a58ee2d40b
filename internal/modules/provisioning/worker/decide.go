package worker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ledger"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// decideAtOnce is how many people are read at once, and decideTogether how many
// are decided in one transaction.
const (
	decideAtOnce   = 200
	decideTogether = 50
)

// sliceLast is how long one job goes on before it makes room for others.
const sliceLast = 20 * time.Second

// person is somebody as the sources have them now.
type person struct {
	known  contract.Known
	there  bool
	groups []string
}

// look reads people and their groups.
func (w *Worker) look(ctx context.Context, ids []campus.PersonID) (map[campus.PersonID]person, error) {
	known, err := w.Register.KnownPeople(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	people := make(map[campus.PersonID]person, len(ids))
	for _, id := range ids {
		p := person{}
		p.known, p.there = known[id]
		if p.there && w.needsGroups() {
			if p.groups, err = w.Groups.GroupsOf(ctx, id); err != nil {
				return nil, fmt.Errorf("read the groups of %s: %w", id, err)
			}
		}
		people[id] = p
	}
	return people, nil
}

func (w *Worker) needsGroups() bool {
	for _, s := range w.services {
		if len(s.Carry) > 0 || len(s.Rule.Groups) > 0 {
			return true
		}
	}
	return false
}

// Verdict is what the rule of a target says of somebody.
func (s *Service) Verdict(k contract.Known, groups []string) due.Verdict {
	return s.Rule.Judge(due.Person{State: k.State, Affiliations: k.Subject.Affiliations, Groups: groups})
}

// Account is what a target should know of somebody.
func (s *Service) Account(k contract.Known, groups []string) target.Account {
	a := target.Account{
		Key: string(k.ID), Login: k.Subject.Login, GivenName: k.Subject.GivenName, FamilyName: k.Subject.FamilyName, Mail: k.Subject.Mail,
		StudentNumber: k.Subject.StudentNumber, JobTitle: k.Subject.JobTitle, Language: string(k.Subject.Locale),
	}
	for _, kind := range campus.Kinds {
		if slices.ContainsFunc(k.Subject.Affiliations, func(a campus.Affiliation) bool { return a.Kind == kind }) {
			a.Affiliations = append(a.Affiliations, kind.EduPerson())
		}
	}
	for _, g := range groups {
		if due.Matches(s.Carry, g) {
			a.Groups = append(a.Groups, g)
		}
	}
	slices.Sort(a.Groups)
	return a.Only(s.Told)
}

// decide looks at those about whom something changed, until nobody is left.
func (w *Worker) decide(ctx context.Context, _ decideJob) error {
	again := false
	for begun := w.Clock.Now(); ; {
		noted, err := w.Ledger.NotedPeople(ctx, decideAtOnce)
		if err != nil {
			return err
		}
		if len(noted) == 0 {
			if again { // closures have waited for this
				return w.wake(ctx)
			}
			return nil
		}
		ids := make([]campus.PersonID, len(noted))
		for i, n := range noted {
			ids[i] = n.Person
			again = again || n.Again
		}
		people, err := w.look(ctx, ids)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(noted, decideTogether) {
			if err := w.DB.InTx(ctx, func(tx db.Tx) error { return w.decideAbout(ctx, tx, some, people) }); err != nil {
				return err
			}
		}
		if w.Clock.Now().Sub(begun) > sliceLast {
			return w.DB.InTx(ctx, func(tx db.Tx) error { return jobs.Enqueue(ctx, tx, decideJob{}, jobs.UniqueKey("decide")) })
		}
	}
}

// decideAbout writes down what the rules say of some people. Only who takes the
// note of somebody decides: what was read before the note was renewed is old.
func (w *Worker) decideAbout(ctx context.Context, tx db.Tx, some []ledger.Noted, people map[campus.PersonID]person) error {
	started := map[string]bool{}
	for _, n := range some {
		taken, err := w.Ledger.Take(ctx, tx, n)
		if err != nil {
			return err
		}
		if !taken {
			continue
		}
		for _, name := range w.order {
			s := w.services[name]
			work, err := w.decideOne(ctx, tx, s, n.Person, people[n.Person], n.Again)
			if err != nil {
				return err
			}
			if work && !started[name] {
				started[name] = true
				if err := w.Start(ctx, tx, name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// decideOne brings somebody's line for one target up to date, and reports whether
// there is work now.
func (w *Worker) decideOne(ctx context.Context, tx db.Tx, s *Service, who campus.PersonID, p person, again bool) (bool, error) {
	before, there, err := w.Ledger.Of(ctx, tx, s.ID, who)
	if err != nil {
		return false, err
	}
	if !there {
		if removed, err := w.Ledger.BeingRemoved(ctx, tx, s.ID, who); err != nil || removed {
			return false, err // the end of the removal has them looked at again
		}
	}
	line, err := s.decided(before, there, who, p, again, tx.Now())
	if err != nil || line == before {
		return false, err
	}
	if err := w.Ledger.Put(ctx, tx, line); err != nil {
		return false, err
	}
	return line.Todo() != ledger.Nothing && !line.DueAt.After(tx.Now()), nil
}

// decided is somebody's line as it should stand now. Who never had to do with the
// service has none: the line comes back as it was.
func (s *Service) decided(line ledger.Account, there bool, who campus.PersonID, p person, again bool, now db.Time) (ledger.Account, error) {
	verdict, wanted := due.Closed, ""
	if p.there {
		verdict = s.Verdict(p.known, p.groups)
	}
	if verdict == due.Due {
		var err error
		if wanted, err = s.Account(p.known, p.groups).Digest(); err != nil {
			return line, err
		}
	} else if !there {
		return line, nil
	}
	if !there {
		line.TargetID, line.Person = s.ID, string(who)
	}
	if p.there {
		line.Login = p.known.Subject.Login
		line.Name = target.Account{GivenName: p.known.Subject.GivenName, FamilyName: p.known.Subject.FamilyName}.DisplayName()
		line.Folded = campus.Fold(p.known.Subject.FamilyName + " " + p.known.Subject.GivenName + " " + line.Login)
	}
	line.Decide(verdict, wanted, s.Terms, again, now)
	return line, nil
}

// Foresee is the line that somebody without one is about to get: they may stand at
// the door of a service before anybody has looked at what changed about them. There
// is none for who is not due, nor while an account of theirs is being removed.
func (w *Worker) Foresee(ctx context.Context, s *Service, who campus.PersonID) (line ledger.Account, ok bool, err error) {
	people, err := w.look(ctx, []campus.PersonID{who})
	if err != nil {
		return line, false, err
	}
	if removed, err := w.Ledger.BeingRemoved(ctx, w.DB.Read(), s.ID, who); err != nil || removed {
		return line, false, err
	}
	line, err = s.decided(line, false, who, people[who], false, db.At(w.Clock.Now()))
	return line, line.TargetID != "", err
}
