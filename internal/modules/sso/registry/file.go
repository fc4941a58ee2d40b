package registry

import (
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/platform/config"
)

// File is services as a file holds them, in TOML: [[services]], with the keys of
// [[sso.services]] in the configuration, which is read as well.
type File struct {
	Services []Service `toml:"services"`
	SSO      struct {
		Services []Service `toml:"services"`
	} `toml:"sso"`
}

// Check implements config.Checker.
func (f *File) Check() []config.Problem {
	return append(CheckAll("services", f.Services), CheckAll("sso.services", f.SSO.Services)...)
}

// CheckAll lists what is wrong with services that stand under a key of a file:
// each by itself, and identifiers that two of them have.
func CheckAll(key string, services []Service) []config.Problem {
	var problems []config.Problem
	seen := map[string]int{}
	for i, s := range services {
		if first, twice := seen[s.ID]; twice {
			problems = append(problems, config.Problem{Key: fmt.Sprintf("%s[%d].id", key, i), Text: fmt.Sprintf("%s is already the id of %s[%d]", s.ID, key, first)})
		} else {
			seen[s.ID] = i
		}
		for _, mistake := range s.Check() {
			problems = append(problems, config.Problem{Key: fmt.Sprintf("%s[%d].%s", key, i, mistake.Field), Text: mistake.Text})
		}
	}
	return problems
}

// ReadFile reads the services of a file. All its mistakes come back together, each
// with its line, as *config.Error under name.
func ReadFile(name string, text []byte) ([]Service, error) {
	var f File
	if err := config.ReadText(name, text, nil, &f); err != nil {
		return nil, err
	}
	services := slices.Concat(f.Services, f.SSO.Services)
	for i := range services {
		if services[i].Protocol == "" {
			services[i].Protocol = CAS
		}
	}
	return services, nil
}

// Set gives a key of an entry, as a file writes it (saml.name_id_from), a value: a
// text, a number, true or false; the values of a list have commas between. Mistakes
// come back as *config.Error.
func (s *Service) Set(key, value string) error {
	v := reflect.ValueOf(s).Elem()
	for part := range strings.SplitSeq(key, ".") {
		i := -1
		if v.Kind() == reflect.Struct {
			i = slices.IndexFunc(reflect.VisibleFields(v.Type()), func(f reflect.StructField) bool { return f.Tag.Get("toml") == part && part != "-" })
		}
		if i < 0 {
			break // what is unknown is told by the reader, with the key that is near
		}
		v = v.Field(i)
	}
	if v.Kind() == reflect.Slice {
		v.SetZero() // a list is replaced, not written over from its beginning
	}
	one := struct {
		Service Service `toml:"service"`
	}{*s}
	name := config.EnvPrefix + "SERVICE__" + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
	if err := config.ReadText("a key of the service", nil, []string{name + "=" + value}, &one); err != nil {
		return err
	}
	*s = one.Service
	return nil
}

// WriteFile writes services so that ReadFile reads them back.
func WriteFile(w io.Writer, services []Service) error {
	return config.Write(w, &File{Services: services})
}
