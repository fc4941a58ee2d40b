package mapping

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-ldap/ldap/v3"
)

// functions are what expressions can do with a value. One that gives "" has none.
var functions = map[string]func(string) string{
	"lower":    strings.ToLower,
	"upper":    strings.ToUpper,
	"capital":  capital,
	"local":    func(v string) string { before, _, _ := strings.Cut(v, "@"); return before },
	"domain":   func(v string) string { _, after, _ := strings.Cut(v, "@"); return strings.ToLower(after) },
	"bare":     bare,
	"rdn":      rdn,
	"not":      not,
	"enabled":  enabled,
	"state":    state,
	"function": function,
}

// capital writes names that somebody keeps in capitals as people write them; names with
// a small letter are left alone.
func capital(v string) string {
	if strings.ContainsFunc(v, unicode.IsLower) {
		return v
	}
	begins := true
	return strings.Map(func(r rune) rune {
		first := begins
		begins = !unicode.IsLetter(r)
		if first {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, v)
}

// uai is the code of a French establishment, which some directories write before their
// own code without anything between: {UAI}0999999ZL1INFO.
var uai = regexp.MustCompile(`^\d{7}[A-Z](.+)$`)

// bare takes the label of a SupAnn value away: {APOGEE}L1INFO, {UAI:0999999Z}L1INFO.
func bare(v string) string {
	if !strings.HasPrefix(v, "{") {
		return v
	}
	label, rest, ok := strings.Cut(v[1:], "}")
	if !ok {
		return v
	}
	rest = strings.TrimSpace(rest)
	if m := uai.FindStringSubmatch(rest); m != nil && strings.EqualFold(label, "UAI") {
		return strings.TrimLeft(m[1], ":")
	}
	return rest
}

// rdn is the value of the first part of a DN: cn=staff,ou=groups gives staff.
func rdn(v string) string {
	dn, err := ldap.ParseDN(v)
	if err != nil || len(dn.RDNs) == 0 || len(dn.RDNs[0].Attributes) == 0 {
		return v
	}
	return dn.RDNs[0].Attributes[0].Value
}

func not(v string) string {
	b, ok := truth(v)
	if !ok {
		return ""
	}
	return strconv.FormatBool(!b)
}

// truth reads a boolean as LDAP, spreadsheets and people write it.
func truth(v string) (value, ok bool) {
	switch strings.ToLower(v) {
	case "true", "1", "yes", "y", "oui", "o", "vrai", "x":
		return true, true
	case "false", "0", "no", "n", "non", "faux":
		return false, true
	default:
		return false, false
	}
}

// enabled reads userAccountControl of Active Directory ([MS-ADTS] 2.2.16): bit 2 is
// ACCOUNTDISABLE.
func enabled(v string) string {
	bits, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatBool(bits&2 == 0)
}

// state reads supannRessourceEtat, {COMPTE} A SupannActif, and its dated form,
// {COMPTE}A:SupannActif:20250901:20260831. Only the account as a whole is meant: a
// mailbox that is locked closes nobody.
func state(v string) string {
	rest, ok := strings.CutPrefix(strings.ToUpper(v), "{COMPTE}")
	if !ok {
		return ""
	}
	rest = strings.TrimSpace(rest)
	if rest == "" {
		return ""
	}
	switch rest[0] {
	case 'A':
		return "true"
	case 'I', 'S':
		return "false"
	default:
		return ""
	}
}

// function reads supannRoleEntite, [role={SUPANN}D10][type={SUPANN}S310][code=DSI], and
// supannRoleGenerique, {SUPANN}D10; any other value is the name of a function. A
// composite value that was cut off or that names no role says nothing.
func function(v string) string {
	parts := composite(v)
	f := Function{Role: parts["role"], Type: parts["type"], Unit: bare(parts["code"])}
	switch {
	case parts == nil && !strings.HasPrefix(strings.TrimSpace(v), "["):
		f.Role = strings.TrimSpace(v)
	case f.Role == "":
		f.Role = parts["libelle"]
	}
	if f.Role == "" || strings.Contains(f.Role+f.Type+f.Unit, separator) {
		return ""
	}
	return f.String()
}
