package bulk

import (
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestEveryQueryPrepares(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schemas...)
}
