package provisioning

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/moodle"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

func TestAWrongTargetIsToldAtItsKey(t *testing.T) {
	right := func() TargetConfig {
		return TargetConfig{ID: "moodle", Kind: "moodle", URL: "https://moodle.univ.fr", Moodle: moodle.Config{Token: "t"}}
	}
	if problems := right().Check(); len(problems) != 0 {
		t.Fatalf("a right one: %v", problems)
	}
	for key, change := range map[string]func(*TargetConfig){
		"id":            func(c *TargetConfig) { c.ID = "Moodle 1" },
		"kind":          func(c *TargetConfig) { c.Kind = "blackboard" },
		"url":           func(c *TargetConfig) { c.URL = "http://moodle.univ.fr" },
		"tell":          func(c *TargetConfig) { c.Tell = []target.Field{"shoe_size"} },
		"rule.kinds":    func(c *TargetConfig) { c.Rule = due.Rule{Kinds: []campus.Kind{"pupil"}} },
		"rule.groups":   func(c *TargetConfig) { c.Rule = due.Rule{Groups: []string{"[a"}} },
		"timeout":       func(c *TargetConfig) { c.Timeout = time.Hour },
		"rate":          func(c *TargetConfig) { c.Rate = -1 },
		"delete_after":  func(c *TargetConfig) { c.DeleteAfter = time.Minute },
		"brake_percent": func(c *TargetConfig) { c.BrakePercent = 101 },
		"moodle.token":  func(c *TargetConfig) { c.Moodle.Token = "" },
		"webhook.secret": func(c *TargetConfig) {
			c.Kind, c.Webhook.Secret = "webhook", "whsec_"+base64.StdEncoding.EncodeToString([]byte("short"))
		},
		"scim.token":     func(c *TargetConfig) { c.Kind = "scim" },
		"ldap.base":      func(c *TargetConfig) { c.Kind, c.URL = "ldap", "ldaps://ldap.univ.fr" },
		"ldap.start_tls": func(c *TargetConfig) { c.Kind, c.URL = "ldap", "ldap://ldap.univ.fr" },
		"graph.tenant":   func(c *TargetConfig) { c.Kind = "graph" },
		"nextcloud.password": func(c *TargetConfig) {
			c.Kind = "nextcloud"
		},
	} {
		c := right()
		change(&c)
		found := false
		for _, p := range c.Check() {
			found = found || p.Key == key
		}
		if !found {
			t.Errorf("%s: told %v", key, c.Check())
		}
	}
}

func TestATargetIsReadFromTheFile(t *testing.T) {
	var c struct {
		Provisioning Config `toml:"provisioning"`
	}
	c.Provisioning = Defaults()
	err := config.ReadText("amphi.toml", []byte(`
[[provisioning.targets]]
id = "moodle"
kind = "moodle"
url = "https://moodle.univ.fr"
delete_after = "8760h"
[provisioning.targets.rule]
kinds = ["student", "teacher"]
[provisioning.targets.moodle]
token = "secret"
courses = ["uv-*"]
`), nil, &c)
	if err != nil {
		t.Fatal(err)
	}
	if one := c.Provisioning.Targets[0]; one.Moodle.Courses[0] != "uv-*" || one.DeleteAfter != 365*24*time.Hour || c.Provisioning.Night != 2 {
		t.Errorf("read as %+v", one)
	}
	var text strings.Builder
	if err := config.Print(&text, c); err != nil || strings.Contains(text.String(), `"secret"`) {
		t.Errorf("the token is printed: %v\n%s", err, text.String())
	}
}
