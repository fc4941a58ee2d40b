package provisioning

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/graph"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/ldapwrite"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/moodle"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/nextcloud"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/scim"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/target"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/webhook"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is what an institution can say about the room.
type Config struct {
	Night   int            `toml:"night" help:"hour of the night after which everybody is looked at again and both sides are compared"`
	History time.Duration  `toml:"history" help:"how long it is kept what was said to services, and what they answered"`
	Targets []TargetConfig `toml:"targets"`
}

// TargetConfig is one service in which accounts are kept.
type TargetConfig struct {
	ID             string         `toml:"id" help:"stable name of the target, lower case"`
	Service        string         `toml:"service" help:"identifier of the service in the register of services; the id when empty"`
	Kind           string         `toml:"kind" help:"moodle, scim, nextcloud, graph, ldap or webhook"`
	Off            bool           `toml:"off" help:"keep the settings and do nothing"`
	NameFrench     string         `toml:"name_fr" help:"what people call it; the name of the service when empty"`
	NameEnglish    string         `toml:"name_en" help:"the same in English"`
	DecidesFrench  string         `toml:"decides_fr" help:"who decides about its accounts, as people read it: an office, with how to reach it"`
	DecidesEnglish string         `toml:"decides_en" help:"the same in English"`
	URL            string         `toml:"url" help:"its address, without a slash at the end"`
	CAFile         string         `toml:"ca_file" help:"PEM file of the authority behind its certificate; empty means the system's"`
	Rule           due.Rule       `toml:"rule"`
	Tell           []target.Field `toml:"tell" help:"what it is told besides the login: given_name, family_name, mail, student_number, job_title, language, affiliation, groups; empty means the names and the mail"`
	Groups         []string       `toml:"groups" help:"codes of groups that it keeps as well, * stands for anything; a Moodle has courses and cohorts instead"`
	Timeout        time.Duration  `toml:"timeout" help:"how long one of its answers may take; 0s means 15s"`
	Rate           float64        `toml:"rate" help:"questions a second; 0 means 10"`
	Together       int            `toml:"together" help:"accounts that are worked on at once; 0 means 4"`
	KeepFor        time.Duration  `toml:"keep_for" help:"how long an account stays open when its owner is not due any more"`
	DeleteAfter    time.Duration  `toml:"delete_after" help:"how long a suspended account is kept before it is deleted, at least 24h; 0s keeps it for ever"`
	BrakePercent   int            `toml:"brake_percent" help:"accounts, of a hundred, that may be closed within a day without an administrator's word; 0 means 5"`
	BrakeFloor     int            `toml:"brake_floor" help:"number of closures a day that is always allowed; 0 means 20"`

	Moodle    moodle.Config    `toml:"moodle"`
	SCIM      scim.Config      `toml:"scim"`
	Nextcloud nextcloud.Config `toml:"nextcloud"`
	Graph     graph.Config     `toml:"graph"`
	LDAP      ldapwrite.Config `toml:"ldap"`
	Webhook   webhook.Config   `toml:"webhook"`
}

// The kinds of target.
const (
	kindMoodle    = "moodle"
	kindSCIM      = "scim"
	kindNextcloud = "nextcloud"
	kindGraph     = "graph"
	kindLDAP      = "ldap"
	kindWebhook   = "webhook"
)

var kinds = []string{kindMoodle, kindSCIM, kindNextcloud, kindGraph, kindLDAP, kindWebhook}

// Defaults are what holds when the file does not say.
func Defaults() Config { return Config{Night: 2, History: 90 * 24 * time.Hour} }

var idForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(c.Night >= 0 && c.Night < 24, "night", "must be an hour from 0 to 23")
	want(c.History >= 24*time.Hour, "history", "must be at least 24h")
	seen := map[string]bool{}
	for _, t := range c.Targets {
		want(!seen[t.ID], "targets", "two targets have the id "+t.ID)
		seen[t.ID] = true
	}
	return problems
}

// Check implements config.Checker.
func (c TargetConfig) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	want(idForm.MatchString(c.ID), "id", "must be lower-case letters, digits and dashes")
	want(slices.Contains(kinds, c.Kind), "kind", "must be one of "+strings.Join(kinds, ", "))
	u, err := url.Parse(c.URL)
	want(err == nil && u.Host != "" && slices.Contains(schemes(c.Kind), u.Scheme), "url", "must be an address such as https://moodle.university.fr")
	want(err != nil || u.Scheme != "http" || local(u.Hostname()), "url", "must use https: over http, anybody on the way reads what is known of people")
	want(!strings.HasSuffix(c.URL, "/"), "url", "must not end with a slash")
	for _, k := range c.Rule.Kinds {
		want(slices.Contains(campus.Kinds, k), "rule.kinds", "must be among student, teacher, staff, guest")
	}
	for _, f := range c.Tell {
		want(slices.Contains(target.Fields, f), "tell", "there is nothing that is called "+string(f))
	}
	for key, patterns := range map[string][]string{"rule.groups": c.Rule.Groups, "groups": c.Groups, "moodle.courses": c.Moodle.Courses, "moodle.cohorts": c.Moodle.Cohorts} {
		for _, p := range patterns {
			_, err := path.Match(p, "")
			want(err == nil, key, p+" cannot be read as a pattern")
		}
	}
	want(c.Timeout >= 0 && c.Timeout <= time.Minute, "timeout", "must be at most 1m")
	want(c.Rate >= 0 && c.Rate <= 1000, "rate", "must lie between 0 and 1000")
	want(c.Together >= 0 && c.Together <= 64, "together", "must lie between 0 and 64")
	want(c.KeepFor >= 0, "keep_for", "must not be negative")
	want(c.DeleteAfter == 0 || c.DeleteAfter >= 24*time.Hour, "delete_after", "must be 0s or at least 24h: what is deleted does not come back")
	want(c.BrakePercent >= 0 && c.BrakePercent <= 100, "brake_percent", "must lie between 0 and 100")
	want(c.BrakeFloor >= 0, "brake_floor", "must not be negative")
	return append(problems, c.checkKind()...)
}

// checkKind checks what only one kind of target needs.
func (c TargetConfig) checkKind() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	told := c.told()
	switch c.Kind {
	case kindMoodle:
		want(c.Moodle.Token != "", "moodle.token", "must be the token of the web service")
		for _, f := range []target.Field{target.GivenName, target.FamilyName, target.Mail} {
			want(slices.Contains(told, f), "tell", "a Moodle needs the names and the mail")
		}
	case kindSCIM:
		want(c.SCIM.Token != "", "scim.token", "must be the token of the service")
	case kindNextcloud:
		want(c.Nextcloud.User != "" && c.Nextcloud.Password != "", "nextcloud.password", "user and password must be those of an administrator")
		want(slices.Contains([]string{"", "login", nextcloud.ByKey}, c.Nextcloud.UserID), "nextcloud.user_id", "must be login or key")
	case kindGraph:
		want(c.Graph.ClientID != "" && c.Graph.ClientSecret != "", "graph.client_secret", "client_id and client_secret must be those of the application")
		want(c.Graph.Tenant != "" || c.Graph.TokenURL != "", "graph.tenant", "must be the identifier of the tenant")
		want(len(c.Graph.Licences) == 0 || c.Graph.UsageLocation != "", "graph.usage_location", "licences need a country, such as FR")
	case kindLDAP:
		want(c.LDAP.BindDN != "" && c.LDAP.BindPassword != "", "ldap.bind_password", "bind_dn and bind_password must be those of who may write")
		want(c.LDAP.Base != "", "ldap.base", "must be the entry below which people stand")
		want(c.LDAP.StartTLS || !strings.HasPrefix(c.URL, "ldap://") || local(hostOf(c.URL)), "ldap.start_tls", "over ldap:// without it, anybody on the way reads the password")
		for name, what := range c.LDAP.Attributes {
			want(slices.Contains(ldapwrite.Values, what), "ldap.attributes."+name, "must be one of "+strings.Join(ldapwrite.Values, ", "))
		}
	case kindWebhook:
		_, err := c.Webhook.Key()
		if err != nil {
			want(false, "webhook.secret", err.Error())
		}
	}
	return problems
}

// schemes are those that the address of a target may have.
func schemes(kind string) []string {
	if kind == kindLDAP {
		return []string{"ldaps", "ldap"}
	}
	return []string{"https", "http"}
}

// hostOf is the host of an address; empty when it cannot be read.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// local reports whether a host is this machine.
func local(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasPrefix(host, "127.") || host == "::1"
}

// told is what the target is told.
func (c TargetConfig) told() []target.Field {
	if len(c.Tell) == 0 {
		return []target.Field{target.Login, target.GivenName, target.FamilyName, target.Mail, target.Groups}
	}
	return append([]target.Field{target.Login}, c.Tell...)
}

// withDefaults fills in what the file does not say.
func (c TargetConfig) withDefaults() TargetConfig {
	if c.Service == "" {
		c.Service = c.ID
	}
	if c.Timeout == 0 {
		c.Timeout = 15 * time.Second
	}
	if c.Rate == 0 {
		c.Rate = 10
	}
	if c.Together == 0 {
		c.Together = 4
	}
	if c.BrakePercent == 0 {
		c.BrakePercent = 5
	}
	if c.BrakeFloor == 0 {
		c.BrakeFloor = 20
	}
	m := moodle.Defaults()
	if c.Moodle.Auth == "" {
		c.Moodle.Auth = m.Auth
	}
	if c.Moodle.StudentRole == 0 {
		c.Moodle.StudentRole = m.StudentRole
	}
	if c.Moodle.TeacherRole == 0 {
		c.Moodle.TeacherRole = m.TeacherRole
	}
	return c
}
