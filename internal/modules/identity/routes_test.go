package identity

import (
	"net/url"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
)

func TestStrangersAreKeptOutOfThePagesOfTheRoom(t *testing.T) {
	h := openOne(t)
	for _, path := range []string{"/identity/sessions/x/close", "/identity/sessions/close-others"} {
		want(t, h.browser().post(path, url.Values{}), 401, "platform.sign_in_needed")
	}
	if a := h.browser().get("/identity/sessions"); a.Request.URL.Path != "/login" {
		t.Errorf("a stranger reached %s", a.Request.URL)
	}
}

func TestEveryQueryPreparesOnBothDatabases(t *testing.T) {
	dbtest.EveryQueryPrepares(t, "internal/sqlgen/queries.sql.go", schema)
}
