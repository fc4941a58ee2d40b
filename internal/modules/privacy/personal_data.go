package privacy

import (
	"context"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/privacy/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// Holdings declares what the room keeps about people.
func (m *Module) Holdings(ctx context.Context) []contract.Holding {
	days := func(d time.Duration) int { return int(d / (24 * time.Hour)) }
	return []contract.Holding{
		contract.Held(ctx, "privacy_looks", "privacy.holding.look", "days", days(m.config.KeepLooks)).On(contract.LegalObligation, contract.DataSecurity).
			Erased(contract.Delete("person_id"), contract.Keep("agent_id", i18n.T(ctx, "privacy.holding.look.kept"))),
		contract.Held(ctx, "privacy_exports", "privacy.holding.copy", "days", days(m.config.KeepExports)).On(contract.LegalObligation, contract.DataUse).
			Erased(contract.Delete("person_id")).Mended("/privacy/export"),
		contract.Held(ctx, "privacy_requests", "privacy.holding.request").On(contract.LegalObligation, contract.DataWritings, contract.DataDecisions).
			Erased(contract.Clear("person_id").Also("words", "").Also("answer", "").Also("extension", ""), contract.Clear("taken_by"), contract.Clear("decided_by")),
		contract.Held(ctx, "privacy_messages", "privacy.holding.message").On(contract.LegalObligation, contract.DataWritings).
			Erased(contract.Delete("request_id").Through("privacy_requests", "id", "person_id"), contract.Clear("author_id")),
		contract.Held(ctx, "privacy_holds", "privacy.holding.hold").On(contract.LegalObligation, contract.DataDecisions).
			Erased(contract.Keep("person_id", i18n.T(ctx, "privacy.holding.hold.kept")).Only("lifted_at = 0"), contract.Delete("person_id").Only("lifted_at > 0"),
				contract.Clear("placed_by"), contract.Clear("lifted_by")),
		contract.Held(ctx, "privacy_erasures", "privacy.holding.erasure").On(contract.LegalObligation, contract.DataDecisions).
			Erased(contract.Clear("person_id").Also("sealed", "").Only("state <> 'running'"), contract.Clear("ordered_by")),
		// A proof names nobody but who ordered the erasure.
		contract.Held(ctx, "privacy_proofs", "privacy.holding.proof").On(contract.LegalObligation, contract.DataDecisions).Of(contract.PeopleAgents).
			Erased(contract.Keep("facts", i18n.T(ctx, "privacy.holding.proof.kept")).Marked(contract.Mentions)),
	}
}

// exportMost bounds what one person can have in one file.
const exportMost = 100_000

// exportedLook is a look, without the name of the agent: an office answers for what
// its agents do (Court of Justice, C-579/21).
type exportedLook struct {
	Office string    `json:"office"`
	Page   string    `json:"page"`
	Reason string    `json:"reason,omitempty"`
	First  time.Time `json:"first_at"`
	Last   time.Time `json:"last_at"`
	Times  int       `json:"times"`
}

type exportedCopy struct {
	State     string    `json:"state"`
	AskedAt   time.Time `json:"asked_at"`
	ReadyAt   time.Time `json:"ready_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	FetchedAt time.Time `json:"last_download_at,omitzero"`
	Fetches   int       `json:"downloads"`
	Bytes     int64     `json:"bytes"`
}

type exportedRequest struct {
	Number    int64             `json:"number"`
	Kind      string            `json:"kind"`
	State     string            `json:"state"`
	Words     string            `json:"words"`
	AskedAt   time.Time         `json:"asked_at"`
	DueAt     time.Time         `json:"answer_due_at"`
	Extension string            `json:"why_it_takes_longer,omitempty"`
	DecidedAt time.Time         `json:"decided_at,omitzero"`
	Answer    string            `json:"answer,omitempty"`
	Messages  []exportedMessage `json:"messages"`
}

type exportedMessage struct {
	Author string    `json:"author"` // person or officer
	At     time.Time `json:"at"`
	Words  string    `json:"words"`
}

type exportedHold struct {
	Reason   string    `json:"reason"`
	Room     string    `json:"room,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	PlacedAt time.Time `json:"placed_at"`
	LiftedAt time.Time `json:"lifted_at,omitzero"`
}

type exportedErasure struct {
	Cause      string    `json:"cause"`
	Rule       string    `json:"rule,omitempty"`
	State      string    `json:"state"`
	ProposedAt time.Time `json:"proposed_at"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
}

// Export writes looks.json, copies.json, requests.json and erasures.json.
func (m *Module) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	q := sqlgen.New(m.DB.Read())
	looks, err := q.LooksAt(ctx, sqlgen.LooksAtParams{PersonID: string(who), Size: exportMost})
	if err != nil {
		return fmt.Errorf("export who looked: %w", err)
	}
	lines := make([]exportedLook, len(looks))
	for i, l := range looksOf(looks) {
		lines[i] = exportedLook{office(ctx, l.As), i18n.T(ctx, l.What), l.Why, l.First, l.Last, l.Times}
	}
	if err := a.JSON("looks.json", lines); err != nil {
		return err
	}
	rows, err := q.ExportsOf(ctx, sqlgen.ExportsOfParams{PersonID: string(who), Size: exportMost})
	if err != nil {
		return fmt.Errorf("export the copies: %w", err)
	}
	copies := make([]exportedCopy, len(rows))
	for i, r := range rows {
		copies[i] = exportedCopy{r.State, r.AskedAt.Time(), r.ReadyAt.Time(), r.ExpiresAt.Time(), r.FetchedAt.Time(), int(r.Fetches), r.Size}
	}
	if err := a.JSON("copies.json", copies); err != nil {
		return err
	}
	if err := m.exportRequests(ctx, q, who, a); err != nil {
		return err
	}
	holds, err := q.HoldsOfPerson(ctx, string(who))
	if err != nil {
		return fmt.Errorf("export the holds: %w", err)
	}
	held := make([]exportedHold, len(holds))
	for i, h := range holds {
		held[i] = exportedHold{h.Reason, h.Room, h.UntilAt.Time(), h.PlacedAt.Time(), h.LiftedAt.Time()}
	}
	if err := a.JSON("holds.json", held); err != nil {
		return err
	}
	ends, err := q.ErasuresOf(ctx, string(who))
	if err != nil {
		return fmt.Errorf("export the erasures: %w", err)
	}
	erasures := make([]exportedErasure, len(ends))
	for i, e := range ends {
		erasures[i] = exportedErasure{e.Cause, e.Rule, e.State, e.ProposedAt.Time(), e.EndedAt.Time()}
	}
	return a.JSON("erasures.json", erasures)
}

func (m *Module) exportRequests(ctx context.Context, q *sqlgen.Queries, who campus.PersonID, a *contract.Archive) error {
	rows, err := q.RequestsOf(ctx, sqlgen.RequestsOfParams{PersonID: string(who), Size: exportMost})
	if err != nil {
		return fmt.Errorf("export the requests: %w", err)
	}
	said, err := q.MessagesOf(ctx, string(who))
	if err != nil {
		return fmt.Errorf("export the messages: %w", err)
	}
	messages := map[string][]exportedMessage{}
	for _, s := range said {
		messages[s.RequestID] = append(messages[s.RequestID], exportedMessage{s.Author, s.SaidAt.Time(), s.Words})
	}
	requests := make([]exportedRequest, len(rows))
	for i, r := range rows {
		requests[i] = exportedRequest{r.Number, r.Kind, r.State, r.Words, r.AskedAt.Time(), r.DueAt.Time(), r.Extension, r.DecidedAt.Time(), r.Answer, messages[r.ID]}
	}
	return a.JSON("requests.json", requests)
}

// office is who looked, as the person reads it.
func office(ctx context.Context, right campus.Right) string {
	if key := "privacy.office." + string(right); i18n.Of(ctx).Has(key) {
		return i18n.T(ctx, key)
	}
	return i18n.T(ctx, "privacy.office.somebody")
}
