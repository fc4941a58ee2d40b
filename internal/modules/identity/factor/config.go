package factor

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/identity/entry"
	"github.com/amphi-campus/amphi/internal/platform/config"
)

// Config is [identity.factor] in the configuration.
type Config struct {
	RequiredKinds    []campus.Kind  `toml:"required_kinds" help:"student, teacher, staff, guest: who must have a second factor; none named: nobody"`
	RequiredRights   []campus.Right `toml:"required_rights" help:"admin, helpdesk, news, secretariat: who must have one because of a right"`
	RequiredServices []string       `toml:"required_services" help:"identifiers of services that ask for a second factor"`
	RequiredOutside  bool           `toml:"required_outside" help:"everybody must have one who signs in from outside the networks of the campus"`
	Networks         []string       `toml:"networks" help:"networks of the campus, such as 192.0.2.0/24, for required_outside"`
	Grace            time.Duration  `toml:"grace" help:"how long somebody who must have a factor may still put it off, from the first sign-in that asked"`
	Methods          []entry.Method `toml:"methods" help:"totp, sms, mail, key, passkey, recovery, relayed: what may be used"`
	RelayRights      []campus.Right `toml:"relay_rights" help:"who may pass a code on to somebody whose identity they have checked"`
	RelayKinds       []campus.Kind  `toml:"relay_kinds" help:"the same by affiliation, within their own unit"`
}

const day = 24 * time.Hour

// Methods lists what can be allowed, the safest first.
var Methods = []entry.Method{entry.Passkey, entry.SecurityKey, entry.TOTP, entry.SMS, entry.Mail, entry.Recovery, entry.Relayed}

// Defaults require a factor of nobody and allow every one but the code by mail:
// who reads the mail of somebody has often their password as well.
func Defaults() Config {
	return Config{
		Grace:       14 * day,
		Methods:     []entry.Method{entry.Passkey, entry.SecurityKey, entry.TOTP, entry.SMS, entry.Recovery, entry.Relayed},
		RelayRights: []campus.Right{campus.RightHelpdesk},
	}
}

// Check implements config.Checker.
func (c Config) Check() []config.Problem {
	var problems []config.Problem
	want := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, config.Problem{Key: key, Text: text})
		}
	}
	for i, k := range c.RequiredKinds {
		want(slices.Contains(campus.Kinds, k), fmt.Sprintf("required_kinds[%d]", i), "must be student, teacher, staff or guest")
	}
	for i, k := range c.RelayKinds {
		want(slices.Contains(campus.Kinds, k) && k != campus.Student, fmt.Sprintf("relay_kinds[%d]", i), "must be teacher, staff or guest")
	}
	for i, r := range c.RequiredRights {
		want(slices.Contains(campus.Rights, r), fmt.Sprintf("required_rights[%d]", i), "must be admin, helpdesk, news or secretariat")
	}
	for i, r := range c.RelayRights {
		want(slices.Contains(campus.Rights, r), fmt.Sprintf("relay_rights[%d]", i), "must be admin, helpdesk, news or secretariat")
	}
	for i, n := range c.Networks {
		_, err := netip.ParsePrefix(n)
		want(err == nil, fmt.Sprintf("networks[%d]", i), "must be a network such as 192.0.2.0/24 or 2001:db8::/32")
	}
	want(!c.RequiredOutside || len(c.Networks) > 0, "networks", "must name the networks of the campus when required_outside is set")
	want(c.Grace >= 0 && c.Grace <= 365*day, "grace", "must lie between 0s and 8760h (a year)")
	for i, m := range c.Methods {
		want(slices.Contains(Methods, m), fmt.Sprintf("methods[%d]", i), "must be totp, sms, mail, key, passkey, recovery or relayed")
	}
	want(slices.ContainsFunc(c.Methods, standsAlone), "methods", "must allow at least one of totp, sms, mail, key and passkey")
	return problems
}

// standsAlone reports whether somebody can register m as their only factor.
func standsAlone(m entry.Method) bool { return m != entry.Recovery && m != entry.Relayed }

// Allows reports whether the institution accepts a method.
func (c Config) Allows(m entry.Method) bool { return slices.Contains(c.Methods, m) }
