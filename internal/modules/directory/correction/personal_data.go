package correction

import (
	"context"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
)

// Holdings declares what requests keep about people.
func (d *Desk) Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{
		contract.Held(ctx, "directory_corrections", "directory.holding.correction", "duration", Kept).On(contract.PublicTask, contract.DataWritings, contract.DataContact).
			Erased(contract.Delete("person_id"), contract.Delete("asked_by"), contract.Clear("reviewer"), contract.Clear("answered_by"), contract.Clear("held")),
	}
}

// exported is a request as its person reads it: who else is named is their own.
type exported struct {
	Field, Shown, Wanted, State, Answer string
	AskedAt, AnsweredAt                 string
}

// Export writes what somebody asked for, and what was asked for about them.
func (d *Desk) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	asked, err := d.Asked(ctx, who)
	if err != nil {
		return err
	}
	about, err := d.AskedAbout(ctx, who)
	if err != nil {
		return err
	}
	if err := a.JSON("corrections-asked.json", readable(asked)); err != nil {
		return err
	}
	return a.JSON("corrections-about-me.json", readable(about))
}

func readable(list []Correction) []exported {
	out := make([]exported, len(list))
	for i, c := range list {
		out[i] = exported{Field: c.Field, Shown: c.Shown, Wanted: c.Wanted, State: string(c.State), Answer: c.Answer, AskedAt: instant(c.AskedAt), AnsweredAt: instant(c.AnsweredAt)}
	}
	return out
}

// instant is a time for programs; none is empty.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
