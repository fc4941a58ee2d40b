package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

func TestEveryPublicNameIsExplained(t *testing.T) {
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			if generated(p.inside() + "/" + name) {
				continue
			}
			positions := token.NewFileSet()
			file, err := parser.ParseFile(positions, filepath.Join(p.Dir, name), nil, parser.ParseComments)
			if err != nil {
				continue // the compiler says it better
			}
			for _, bare := range unexplained(file) {
				t.Errorf("%s/%s:%d: %s has no comment: say what it gives or what must stay true", p.inside(), name, positions.Position(bare.Pos()).Line, bare.Name)
			}
		}
	}
}

func TestUnexplainedNamesAreFound(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x
func Bare() {}
// Said is said.
func Said() {}
func (T) Method() {}
func (t hidden) Method() {}
type T struct{}
// Kinds of things.
const ( A = 1; B = 2 )
var V int
func hiddenToo() {}
`, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range unexplained(file) {
		names = append(names, n.Name)
	}
	if want := []string{"Bare", "Method", "T", "V"}; len(names) != len(want) || names[0] != "Bare" || names[3] != "V" {
		t.Errorf("found %q, there are %q", names, want)
	}
}

// unexplained lists the public names of a file that have no comment. A comment
// on a group of constants or variables explains them all, and so does one at
// the end of the line. Methods of a private type are private.
func unexplained(file *ast.File) []*ast.Ident {
	var bare []*ast.Ident
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || publicReceiver(d.Recv)) && !sayEnough[d.Name.Name] {
				bare = append(bare, d.Name)
			}
		case *ast.GenDecl:
			if d.Doc != nil {
				continue
			}
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if s.Doc == nil && s.Comment == nil && s.Name.IsExported() {
						bare = append(bare, s.Name)
					}
				case *ast.ValueSpec:
					for _, name := range s.Names {
						if s.Doc == nil && s.Comment == nil && name.IsExported() {
							bare = append(bare, name)
						}
					}
				}
			}
		}
	}
	return bare
}

// sayEnough are methods that interfaces of the standard library or the house's
// contract ask for: their meaning is explained there, once.
var sayEnough = map[string]bool{
	"Error": true, "String": true, "Unwrap": true, "Is": true, "ServeHTTP": true, "Write": true, "Read": true, "Close": true,
	"Len": true, "Less": true, "Swap": true, "MarshalText": true, "UnmarshalText": true, "MarshalJSON": true, "UnmarshalJSON": true, "Scan": true, "Value": true,
	"Name": true, "Migrations": true, "Routes": true, "Cards": true, "Search": true, "Services": true, "Nav": true, "Export": true, "Erase": true,
	"Health": true, "Jobs": true, "Locales": true, "JobName": true, "Run": true,
}

func publicReceiver(receiver *ast.FieldList) bool {
	kind := receiver.List[0].Type
	for {
		switch k := kind.(type) {
		case *ast.StarExpr:
			kind = k.X
		case *ast.IndexExpr:
			kind = k.X
		case *ast.IndexListExpr:
			kind = k.X
		case *ast.Ident:
			return k.IsExported()
		default:
			return false
		}
	}
}
