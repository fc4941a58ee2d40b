package identity

import (
	"context"
	"database/sql"
	"fmt"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"slices"

	"github.com/amphi-campus/amphi/internal/campus"
)

// HoldersFor are those who hold a right over somebody with these affiliations and can
// use their account: first those whose mandate covers one of them, then those who hold
// it over everybody.
func (m *Module) HoldersFor(ctx context.Context, r campus.Right, somebody []campus.Affiliation) ([]campus.PersonID, error) {
	var near, everywhere []campus.PersonID
	err := db.Each(ctx, m.db.Read(), `SELECT p.id, r.campus, r.programme, r.unit FROM identity_people p JOIN identity_mandates r ON r.person_id = p.id
		WHERE r.right_name = $1 AND p.state IN ('active', 'expiring') ORDER BY p.folded_name, p.id`, []any{string(r)}, func(rows *sql.Rows) error {
		held := campus.Mandate{Right: r}
		var who campus.PersonID
		if err := rows.Scan(&who, &held.Campus, &held.Programme, &held.Unit); err != nil {
			return err
		}
		switch {
		case held.Everywhere():
			everywhere = append(everywhere, who)
		case slices.ContainsFunc(somebody, held.Covers) && !slices.Contains(near, who):
			near = append(near, who)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the holders of %s: %w", r, err)
	}
	for _, who := range everywhere {
		if !slices.Contains(near, who) {
			near = append(near, who)
		}
	}
	return near, nil
}
