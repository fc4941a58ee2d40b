package supanntest

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"
)

// syntaxes are those of the attributes (RFC 4517 §3.3), with how they compare.
var syntaxes = map[rune]string{
	's': "EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15",
	'b': "EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE",
	'd': "EQUALITY distinguishedNameMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.12",
	'o': "EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40", // bytes of any encoding
}

// extra are the attributes that a workspace reads of eduPerson and SupAnn, by the syntax.
const extra = "eduPersonAffiliation:s eduPersonPrimaryAffiliation:s eduPersonEntitlement:s " +
	"supannEtuId:s supannEmpId:s supannListeRouge:b supannEntiteAffectation:s supannEntiteAffectationPrincipale:s supannEtuEtape:s " +
	"supannEtuInscription:s supannRoleEntite:s supannMailPerso:s supannRessourceEtatDate:s supannCodeEntite:s supannCodeEntiteParent:s " +
	"supannTypeEntite:s supannGroupeAdminDN:d exampleBytes:o exampleNote:s"

// schema gives each attribute a number of the arc for examples (RFC 5612): only names
// matter to who reads.
func schema() string {
	var b strings.Builder
	var names []string
	for i, one := range strings.Fields(extra) {
		name, syntax, _ := strings.Cut(one, ":")
		names = append(names, name)
		fmt.Fprintf(&b, "attributetype ( 1.3.6.1.4.1.32473.5.1.%d NAME '%s' %s )\n", i+1, name, syntaxes[rune(syntax[0])])
	}
	for i, class := range []string{"supannPerson", "supannEntite", "supannGroupe"} {
		fmt.Fprintf(&b, "objectclass ( 1.3.6.1.4.1.32473.5.2.%d NAME '%s' AUXILIARY MAY ( %s ) )\n", i+1, class, strings.Join(names, " $ "))
	}
	return b.String()
}

// The names that people are made of: accents of many kinds, an apostrophe, a hyphen.
var (
	given  = strings.Fields("Amélie Benoît Chloé Driss Élodie François Gaëlle Hugo Inès Jérôme Khadija Loïc Maïwenn Noël Océane Paul Quentin Rémi Sofia Théo Ulysse Valérie William Yasmine Zoé")
	family = strings.Fields("Abadie Béranger Cousteau D’Angelo Étienne Fauré Grœning Hœrdt Ibáñez Jaouën Kervella Le-Goff Müller N’Diaye Ørsted Péguy Quéré Rousseau Saïdi Truong Urrutia Vauquelin Weiß Yıldız Żukowski")
	units  = []string{"UNIV", "UFR-SCI", "UFR-LET", "UFR-DRT", "IUT", "BU", "DSI", "LAB-1"}
	steps  = []string{"L1INFO", "L2INFO", "L3MATH", "M1DROIT", "M2LETT"}
)

// Login is the login of the i-th person, from 1: every fifth works here, the others
// study.
func Login(i int) string {
	if i%5 == 0 {
		return fmt.Sprintf("p%05d", i)
	}
	return fmt.Sprintf("e%05d", i)
}

// DN is the entry of a login.
func DN(login string) string { return "uid=" + login + "," + People }

// entries is the whole directory as LDIF (RFC 2849), the same each time.
func entries(count int) string {
	var b strings.Builder
	entry := func(dn string, pairs ...string) {
		line(&b, "dn", dn)
		for i := 0; i < len(pairs); i += 2 {
			line(&b, pairs[i], pairs[i+1])
		}
		b.WriteByte('\n')
	}
	entry(Base, "objectClass", "dcObject", "objectClass", "organization", "dc", "univ", "o", "Université d’essai")
	for _, name := range []string{"people", "groups", "structures", "services"} {
		entry("ou="+name+","+Base, "objectClass", "organizationalUnit", "ou", name)
	}
	for _, dn := range []string{Reader, Limited} {
		name, _, _ := strings.Cut(strings.TrimPrefix(dn, "cn="), ",")
		entry(dn, "objectClass", "organizationalRole", "objectClass", "simpleSecurityObject", "cn", name, "userPassword", Password)
	}
	for i, code := range units {
		pairs := []string{"objectClass", "organizationalUnit", "objectClass", "supannEntite", "ou", code, "supannCodeEntite", code,
			"description", "Structure n°" + fmt.Sprint(i), "supannTypeEntite", fmt.Sprintf("{SUPANN}F1%02d", i)}
		if i > 0 {
			pairs = append(pairs, "supannCodeEntiteParent", units[0])
		}
		entry("ou="+code+","+Units, pairs...)
	}
	members := map[string][]string{}
	for i := 1; i <= count; i++ {
		login, first, last := Login(i), given[i%len(given)], family[i/len(given)%len(family)]
		unit, step := units[1+i%(len(units)-1)], steps[i/7%len(steps)]
		pairs := []string{
			"objectClass", "inetOrgPerson", "objectClass", "supannPerson", "uid", login, "cn", last + " " + first, "sn", last, "givenName", first,
			"displayName", first + " " + last, "mail", login + "@univ.example", "preferredLanguage", "fr", "userPassword", Password,
			"supannEntiteAffectation", unit, "supannEntiteAffectationPrincipale", unit, "eduPersonAffiliation", "member",
		}
		if i%97 == 0 {
			pairs = append(pairs, "supannListeRouge", "TRUE")
		}
		if i%5 == 0 {
			kind := "staff"
			if i%10 == 0 {
				kind = "faculty"
			}
			pairs = append(pairs, "eduPersonAffiliation", "employee", "eduPersonAffiliation", kind, "supannEmpId", fmt.Sprintf("%08d", i),
				"telephoneNumber", fmt.Sprintf("+33 1 99 00 %02d %02d", i/100%100, i%100), "roomNumber", fmt.Sprintf("B%d", i%300))
		} else {
			pairs = append(pairs, "eduPersonAffiliation", "student", "supannEtuId", fmt.Sprintf("2026%04d", i),
				"supannEtuInscription", fmt.Sprintf("[etab={UAI}0999999Z][anneeinsc=2026][affect=%s][etape={UAI:0999999Z}%s]", unit, step))
			members[step] = append(members[step], DN(login))
		}
		entry(DN(login), pairs...)
	}
	for _, step := range steps {
		if len(members[step]) == 0 {
			continue
		}
		pairs := []string{"objectClass", "groupOfNames", "objectClass", "supannGroupe", "cn", step, "description", "Étape " + step}
		for _, dn := range members[step] {
			pairs = append(pairs, "member", dn)
		}
		entry("cn="+step+","+Groups, pairs...)
	}
	return b.String()
}

// line writes one attribute, in base64 when it is no plain text.
func line(b *strings.Builder, name, value string) {
	if utf8.RuneCountInString(value) == len(value) && !strings.HasPrefix(value, " ") {
		fmt.Fprintf(b, "%s: %s\n", name, value)
		return
	}
	fmt.Fprintf(b, "%s:: %s\n", name, base64.StdEncoding.EncodeToString([]byte(value)))
}
