package answer

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/sso/answer/internal/sqlgen"
)

// Held is what we keep about one person's services, for their archive.
type Held struct {
	SignIns  []SignIn  `json:"sign_ins"`
	SignOuts []SignOut `json:"sign_outs"`
}

// SignIn is one sign-in to one service.
type SignIn struct {
	Protocol string    `json:"protocol"`
	Service  string    `json:"service"`
	Address  string    `json:"address"`
	State    string    `json:"state"`
	IssuedAt time.Time `json:"issued_at"`
	UsedAt   time.Time `json:"used_at,omitzero"`
}

// SignOut is one sign-out of one service.
type SignOut struct {
	Service    string    `json:"service"`
	State      string    `json:"state"`
	Answer     string    `json:"answer,omitempty"`
	CreatedAt  time.Time `json:"created_at"`
	FinishedAt time.Time `json:"finished_at,omitzero"`
}

// Held lists which services a person signed in to and out of.
func (s *Store) Held(ctx context.Context, who campus.PersonID) (Held, error) {
	q := sqlgen.New(s.db.Read())
	answers, err := q.PersonAnswers(ctx, string(who))
	if err != nil {
		return Held{}, fmt.Errorf("list sign-ins of a person: %w", err)
	}
	logouts, err := q.PersonLogouts(ctx, string(who))
	if err != nil {
		return Held{}, fmt.Errorf("list sign-outs of a person: %w", err)
	}
	all := Held{SignIns: []SignIn{}, SignOuts: []SignOut{}}
	for _, a := range answers {
		all.SignIns = append(all.SignIns, SignIn{a.Protocol, a.ServiceID, a.Address, a.State, a.IssuedAt.Time(), a.UsedAt.Time()})
	}
	for _, l := range logouts {
		all.SignOuts = append(all.SignOuts, SignOut{l.ServiceID, l.State, l.Answer, l.CreatedAt.Time(), l.FinishedAt.Time()})
	}
	return all, nil
}
