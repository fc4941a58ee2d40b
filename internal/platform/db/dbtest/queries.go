package dbtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/platform/db"
)

// EveryQueryPrepares proves that both engines accept each query that sqlc
// wrote into the given file, such as "internal/sqlgen/queries.sql.go", against
// the tables of the given rooms. A query that only one engine understands is
// found here rather than by the first university that uses the other.
func EveryQueryPrepares(t *testing.T, file string, migrations ...db.Migrations) {
	t.Helper()
	queries := Queries(t, file)
	if len(queries) == 0 {
		t.Fatalf("%s holds no query", file)
	}
	Each(t, func(t *testing.T, d *db.DB) {
		for name, text := range queries {
			s, err := d.Read().PrepareContext(t.Context(), text)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if err := s.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}, migrations...)
}

// Queries are the constants of a file that begin with sqlc's mark.
func Queries(t *testing.T, file string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	queries := make(map[string]string)
	ast.Inspect(parsed, func(n ast.Node) bool {
		constant, ok := n.(*ast.ValueSpec)
		if !ok || len(constant.Values) != 1 {
			return true
		}
		literal, ok := constant.Values[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatalf("%s: %v", constant.Names[0].Name, err)
		}
		if strings.HasPrefix(text, "-- name:") {
			queries[constant.Names[0].Name] = text
		}
		return true
	})
	return queries
}
