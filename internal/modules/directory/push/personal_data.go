package push

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/push/internal/sqlgen"
)

var _ contract.PersonalData = (*Door)(nil)

// Holdings declares what the door keeps about people.
func (d *Door) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "directory_pushed", "directory.tokens.holding.pushed").
			On(contract.PublicTask, contract.DataIdentity, contract.DataContact, contract.DataStudies, contract.DataWork).
			Erased(contract.Delete("person_id")),
		contract.Held(ctx, "directory_tokens", "directory.tokens.holding.token").On(contract.PublicTask, contract.DataDecisions).Of(contract.PeopleAgents).
			Erased(contract.Clear("made_by"), contract.Clear("revoked_by")),
	}
}

// exported is what a program pushed about somebody.
type exported struct {
	Source string    `json:"source"`
	Key    string    `json:"key"`
	Said   any       `json:"said"`
	Since  time.Time `json:"since"`
}

// exportedToken is a token that somebody made or revoked.
type exportedToken struct {
	Source  string    `json:"source"`
	Label   string    `json:"label"`
	Made    time.Time `json:"made"`
	Revoked time.Time `json:"revoked,omitzero"`
}

// Export writes what programs pushed about one person, and which tokens they made.
func (d *Door) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	q := sqlgen.New(d.DB.Read())
	rows, err := q.PushedOfPerson(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read what was pushed: %w", err)
	}
	said := make([]exported, len(rows))
	for i, row := range rows {
		said[i] = exported{row.Source, row.ID, row.Body, row.ChangedAt.Time().UTC()}
		if json.Valid([]byte(row.Body)) {
			said[i].Said = json.RawMessage(row.Body)
		}
	}
	if err := a.JSON("pushed.json", said); err != nil {
		return err
	}
	made, err := q.TokensOfPerson(ctx, string(who))
	if err != nil {
		return fmt.Errorf("read tokens: %w", err)
	}
	tokens := make([]exportedToken, len(made))
	for i, row := range made {
		tokens[i] = exportedToken{row.Source, row.Label, row.MadeAt.Time().UTC(), row.RevokedAt.Time()}
	}
	return a.JSON("tokens.json", tokens)
}
