package factor

import (
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
)

func TestAConfigurationThatCannotWorkIsRefusedByItsKey(t *testing.T) {
	if problems := Defaults().Check(); len(problems) > 0 {
		t.Errorf("the defaults: %v", problems)
	}
	cases := map[string]func(*Config){
		"required_kinds[0]":  func(c *Config) { c.RequiredKinds = []campus.Kind{"students"} },
		"required_rights[0]": func(c *Config) { c.RequiredRights = []campus.Right{"boss"} },
		"relay_kinds[0]":     func(c *Config) { c.RelayKinds = []campus.Kind{campus.Student} },
		"relay_rights[0]":    func(c *Config) { c.RelayRights = []campus.Right{"boss"} },
		"networks[0]":        func(c *Config) { c.Networks = []string{"the campus"} },
		"networks":           func(c *Config) { c.RequiredOutside = true },
		"grace":              func(c *Config) { c.Grace = -time.Second },
		"methods[1]":         func(c *Config) { c.Methods = []entry.Method{entry.TOTP, entry.Password} },
		"methods":            func(c *Config) { c.Methods = []entry.Method{entry.Recovery, entry.Relayed} },
	}
	for key, change := range cases {
		c := Defaults()
		change(&c)
		problems := c.Check()
		if len(problems) != 1 || problems[0].Key != key {
			t.Errorf("%s: %v", key, problems)
		}
	}
}
