package oidcop

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [sso.oidc] in the configuration.
type Config struct {
	CodeLifetime    time.Duration `toml:"code_lifetime" help:"how long a client may take to redeem a code"`
	AccessLifetime  time.Duration `toml:"access_lifetime" help:"how long an access token opens something"`
	IDTokenLifetime time.Duration `toml:"id_token_lifetime" help:"how long an ID token may be shown; it says who signed in, not for how long"`
	RefreshLifetime time.Duration `toml:"refresh_lifetime" help:"how long a refresh token may rest unused"`
	OnlineLifetime  time.Duration `toml:"online_lifetime" help:"how long a client may go on without offline_access, if the session here lasts so long"`
	OfflineLifetime time.Duration `toml:"offline_lifetime" help:"how long a client may go on with offline_access before the person is asked again"`
	DeviceLifetime  time.Duration `toml:"device_lifetime" help:"how long a device waits for somebody to type its code"`
	Invitations     []Invitation  `toml:"invitations" help:"who may register clients by a program (RFC 7591); none: nobody"`
}

// Invitation lets the holder of an initial access token register clients within
// bounds.
type Invitation struct {
	Name       string               `toml:"name" help:"whom it was given to, as the entries of the registry will say"`
	TokenHash  string               `toml:"token_hash" help:"SHA-256 of the initial access token in hexadecimal"`
	Hosts      []string             `toml:"hosts" help:"where redirect addresses may lead: hub.univ.fr, or *.apps.univ.fr for every host below"`
	Attributes []registry.Attribute `toml:"attributes" help:"what registered services may be told; people are asked for their consent"`
	Contact    string               `toml:"contact" help:"mail address of who answers for these clients"`
	Most       int                  `toml:"most" help:"how many clients may be registered by it; 0 for 20"`
}

// mostByDefault is how many clients an invitation lets in when it says nothing.
const mostByDefault = 20

// Defaults suit an institution that sets nothing.
func Defaults() Config {
	return Config{
		CodeLifetime:    time.Minute,
		AccessLifetime:  10 * time.Minute,
		IDTokenLifetime: time.Hour,
		RefreshLifetime: 30 * 24 * time.Hour,
		OnlineLifetime:  24 * time.Hour,
		OfflineLifetime: 180 * 24 * time.Hour,
		DeviceLifetime:  10 * time.Minute,
	}
}

var (
	hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
	hostForm = regexp.MustCompile(`^(\*\.)?[a-z0-9.-]+\.[a-z0-9-]+$|^localhost$`)
)

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	within := func(d, least, most time.Duration, key string) {
		want(d >= least && d <= most, key, fmt.Sprintf("must lie between %s and %s", least, most))
	}
	within(c.CodeLifetime, 10*time.Second, 10*time.Minute, "code_lifetime") // RFC 6749 §4.1.2
	within(c.AccessLifetime, time.Minute, 24*time.Hour, "access_lifetime")
	within(c.IDTokenLifetime, time.Minute, 24*time.Hour, "id_token_lifetime")
	within(c.RefreshLifetime, time.Hour, 366*24*time.Hour, "refresh_lifetime")
	within(c.OnlineLifetime, time.Hour, 31*24*time.Hour, "online_lifetime")
	within(c.OfflineLifetime, 24*time.Hour, 5*366*24*time.Hour, "offline_lifetime")
	within(c.DeviceLifetime, time.Minute, time.Hour, "device_lifetime")
	for i, one := range c.Invitations {
		key := fmt.Sprintf("invitations[%d].", i)
		want(one.Name != "", key+"name", "say whom it was given to")
		want(hashForm.MatchString(one.TokenHash), key+"token_hash", "is not a SHA-256 in lower-case hexadecimal: give the hash, not the token")
		want(len(one.Hosts) > 0, key+"hosts", "name at least one host")
		for _, h := range one.Hosts {
			want(hostForm.MatchString(h), key+"hosts", h+" is not a host such as hub.univ.fr or *.apps.univ.fr")
		}
		for _, a := range one.Attributes {
			want(slices.Contains(registry.Attributes, a), key+"attributes", string(a)+" is not one of the attributes that can be released")
		}
		want(one.Most >= 0, key+"most", "must not be negative")
	}
	return problems
}
