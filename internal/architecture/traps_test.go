package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// tables is the one package that writes files for spreadsheets.
const tables = "internal/platform/table"

func TestEveryTableForSpreadsheetsIsWrittenInOnePlace(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			file := p.inside() + "/" + name
			if p.inside() != tables && strings.Contains(read(t, file), "csv.NewWriter(") {
				t.Errorf("%s writes a table itself: table.NewWriter keeps what people typed from being a formula", file)
			}
		}
	}
}

func TestNoQueryIsHiddenByItsArgument(t *testing.T) {
	seen := 0
	for _, p := range packages(t) {
		if !strings.HasSuffix(p.inside(), "/sqlgen") {
			continue
		}
		for _, name := range p.GoFiles {
			seen++
			for _, query := range hidden(t, read(t, p.inside()+"/"+name)) {
				t.Errorf("%s runs its argument as SQL in %s, because the parameter has the name of the query: give one of them another name", p.inside(), query)
			}
		}
	}
	if seen == 0 {
		t.Error("no queries are looked at")
	}
}

func TestAHiddenQueryIsFound(t *testing.T) {
	const text = "package sqlgen\n" +
		"const digest = \"SELECT …\"\n" +
		"func (q *Queries) Digest(ctx context.Context, digest string) error {\n\trow := q.db.QueryRowContext(ctx, digest, digest)\n\treturn row.Err()\n}\n" +
		"func (q *Queries) Person(ctx context.Context, id string) error {\n\t_, err := q.db.ExecContext(ctx, person, id)\n\treturn err\n}\n"
	if found := hidden(t, text); len(found) != 1 || found[0] != "Digest" {
		t.Errorf("found %q", found)
	}
}

// hidden names the functions of generated queries that run one of their own
// parameters: it hides the constant of the same name that holds the SQL.
func hidden(t *testing.T, text string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), "queries.sql.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil {
			continue
		}
		own := map[string]bool{}
		for _, field := range f.Type.Params.List {
			for _, name := range field.Names {
				own[name.Name] = true
			}
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !strings.HasSuffix(method.Sel.Name, "Context") {
				return true
			}
			if query, ok := call.Args[1].(*ast.Ident); ok && own[query.Name] {
				found = append(found, f.Name.Name)
			}
			return true
		})
	}
	return found
}
