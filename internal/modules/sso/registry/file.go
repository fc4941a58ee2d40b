package registry

import (
	"fmt"
	"io"
	"slices"

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

// WriteFile writes services so that ReadFile reads them back.
func WriteFile(w io.Writer, services []Service) error {
	return config.Write(w, &File{Services: services})
}
