package casserver

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/sso/casserver/internal/sqlgen"
)

// Holdings says what the alcove keeps about people.
func Holdings(ctx context.Context) []contract.Holding {
	return []contract.Holding{contract.Held(ctx, "sso_proxy_grants", "sso.cas.holding").On(contract.PublicTask, contract.DataConnection, contract.DataUse).
		Erased(contract.Delete("person"))}
}

// exportedGrant is one proxy-granting ticket, without its secret.
type exportedGrant struct {
	Service  string          `json:"service"`
	Through  json.RawMessage `json:"through"`
	IssuedAt time.Time       `json:"issued_at"`
}

// Export writes which services may open others on behalf of somebody.
func (s *Server) Export(ctx context.Context, who campus.PersonID, a *contract.Archive) error {
	rows, err := sqlgen.New(s.DB.Read()).PersonGrants(ctx, string(who))
	if err != nil {
		return fmt.Errorf("list grants of a person: %w", err)
	}
	grants := make([]exportedGrant, len(rows))
	for i, row := range rows {
		grants[i] = exportedGrant{row.ServiceID, json.RawMessage(row.Chain), row.IssuedAt.Time()}
	}
	return a.JSON("sso/proxies.json", grants)
}
