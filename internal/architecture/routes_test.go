package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// published are addresses that people or other programs know by heart, so a
// room may have them although they do not begin with its name.
var published = map[string][]string{
	"portal":    {"/{$}", "/search", "/language"},
	"identity":  {"/login", "/logout", "/activate", "/password", "/why", "/diagnostic", "/.well-known/change-password"},
	"directory": {"/dav", "/.well-known/carddav", "/scim", "/api/directory"},
	"helpdesk":  {"/api/helpdesk"},
	"sso":       {"/cas", "/saml", "/oidc", "/device", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"},
}

// route is a pattern of net/http: an optional method, then a path.
var route = regexp.MustCompile(`^(?:[A-Z]+ )?(/\S*)$`)

func TestEveryRoomsAddressesBeginWithItsName(t *testing.T) {
	for _, p := range packages(t) {
		room := roomOf(p.inside())
		if room == "" || strings.HasSuffix(p.inside(), "test") { // what only tests serve
			continue
		}
		for _, name := range p.GoFiles {
			if generated(name) {
				continue
			}
			for _, address := range addresses(t, filepath.Join(p.Dir, name)) {
				if !begins(address, append(published[room], "/"+room)) {
					t.Errorf("%s/%s serves %s: let it begin with /%s, so that an address names its room; if the world knows it under this name, add it to `published` here", p.inside(), name, address, room)
				}
			}
		}
	}
}

// addresses are the paths that a file hands to a router's Handle.
func addresses(t *testing.T, file string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return nil // the compiler says it better
	}
	var found []string
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !strings.HasPrefix(method.Sel.Name, "Handle") {
			return true
		}
		literal, ok := call.Args[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err) // the parser has let it pass, so this cannot be
		}
		if pattern := route.FindStringSubmatch(text); pattern != nil {
			found = append(found, pattern[1])
		}
		return true
	})
	return found
}

func begins(address string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return address == n || strings.HasPrefix(address, n+"/") })
}
