package csvsource

import (
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/table"
)

// column is one column of a table.
type column struct {
	header string
	// names are the attributes that its values are kept under: the field that its header
	// stands for, then the header itself, folded.
	names []string
	many  bool
}

// synonyms are the headers that stand for each field, folded, those that say it best
// first.
var synonyms = map[string][]string{
	"login":           {"login", "identifiant", "nom d utilisateur", "identifiant de connexion", "uid", "username", "user name", "compte", "account"},
	"mail":            {"mail", "email", "e mail", "courriel", "mel", "adresse electronique", "adresse mail", "adresse email", "adresse e mail", "mail institutionnel", "email institutionnel", "mail address", "email address"},
	"given_name":      {"prenom usuel", "prenom", "prenoms", "given name", "first name", "firstname", "givenname"},
	"family_name":     {"nom usuel", "nom d usage", "nom", "nom de famille", "nom patronymique", "family name", "last name", "lastname", "surname", "sn"},
	"display_name":    {"nom affiche", "nom complet", "display name", "full name"},
	"student_number":  {"numero etudiant", "n etudiant", "no etudiant", "num etudiant", "numero d etudiant", "code etudiant", "cod etu", "student number", "student id", "student no"},
	"employee_number": {"numero agent", "numero d agent", "n agent", "no agent", "matricule", "numero employe", "numero harpege", "matricule siham", "employee number", "employee id", "staff number"},
	"job_title":       {"fonction", "intitule du poste", "emploi", "titre", "job title", "title", "position"},
	"locale":          {"langue", "langue preferee", "language", "preferred language", "locale"},
	"affiliation":     {"affiliation", "statut", "profil", "categorie", "population", "type", "status", "profile", "category"},
	"affiliations":    {"affiliations"},
	"campus":          {"campus", "code campus", "site", "campus code"},
	"programme":       {"programme", "code etape", "etape", "cod etp", "formation", "code formation", "filiere", "program", "programme code"},
	"unit":            {"unite", "composante", "code composante", "service", "departement", "structure", "entite", "affectation", "unit", "department", "faculty"},
	"units":           {"unites", "units"},
	"until":           {"jusqu au", "date de fin", "fin", "fin de contrat", "date fin contrat", "expiration", "date d expiration", "until", "end date", "expires", "expiry date"},
	"mobile":          {"mobile", "portable", "telephone portable", "telephone mobile", "gsm", "mobile phone", "cell phone"},
	"recovery_mail":   {"mail personnel", "email personnel", "courriel personnel", "mail perso", "email perso", "adresse personnelle", "personal email", "personal mail", "private email"},
	"phone":           {"telephone", "tel", "telephone professionnel", "telephone bureau", "poste", "phone", "office phone", "work phone", "telephone number"},
	"office":          {"bureau", "numero de bureau", "office", "room"},
	"building":        {"batiment", "building"},
	"listed":          {"listed", "visible", "dans l annuaire", "in directory"},
	"manager":         {"responsable", "superieur", "manager"},
	"groups":          {"groupes", "groupe", "groups", "group"},
	"functions":       {"fonctions", "functions", "roles"},
	"entitlements":    {"droits", "entitlements"},
	"active":          {"actif", "active", "enabled"},
}

// several are the fields whose cells may hold several values, between bars or on lines
// of their own.
var several = []string{"affiliation", "affiliations", "campus", "programme", "unit", "units", "phone", "groups", "functions", "entitlements"}

// usualKeys name somebody for ever, best first.
var usualKeys = []string{"employee_number", "student_number", "login"}

// fieldOf is the field that a header stands for, and how well it says so.
func fieldOf(folded string) (field string, rank int) {
	for name, headers := range synonyms {
		if i := slices.Index(headers, folded); i >= 0 {
			return name, i
		}
		if strings.ReplaceAll(name, "_", " ") == folded {
			return name, 0
		}
	}
	return "", 0
}

// name makes the columns of a header. Where two stand for one field, the one that says
// it best wins; the other is still there under its own name.
func (r *reading) name(header []string) error {
	best := map[string]int{} // column of a field
	ranks := map[string]int{}
	var unknown []string
	for i, raw := range header {
		text, err := mapping.Clean(raw)
		if err != nil {
			return r.unreadable(err)
		}
		folded := campus.Fold(text)
		c := column{header: text, names: []string{strings.ReplaceAll(folded, " ", "_")}}
		field, rank := fieldOf(folded)
		switch {
		case field != "":
			c.many = slices.Contains(several, field)
			if was, taken := best[field]; !taken || rank < ranks[field] {
				if taken {
					r.columns[was].names = slices.DeleteFunc(r.columns[was].names, func(n string) bool { return n == field })
				}
				best[field], ranks[field] = i, rank
				if c.names[0] != field {
					c.names = append([]string{field}, c.names...)
				}
			}
		case text != "" && !slices.Contains(r.attributes, c.names[0]):
			unknown = append(unknown, text)
		}
		r.columns = append(r.columns, c)
	}
	if len(best) == 0 && len(unknown) == len(header) {
		return source.HeaderMissing.With(fault.Args{"source": r.config.ID, "columns": strings.Join(unknown, ", ")})
	}
	if len(unknown) > 0 {
		r.result.Remarks = append(r.result.Remarks, source.ColumnsUnknown.With(fault.Args{"columns": strings.Join(unknown, ", ")}))
	}
	if own := campus.Fold(r.config.CSV.Key); own != "" {
		for i, c := range r.columns {
			if campus.Fold(c.header) == own || slices.Contains(c.names, r.config.CSV.Key) {
				r.keys = []int{i}
			}
		}
	} else {
		for _, field := range usualKeys {
			if i, there := best[field]; there {
				r.keys = append(r.keys, i)
			}
		}
	}
	if len(r.keys) == 0 {
		return source.HeaderMissing.With(fault.Args{"source": r.config.ID, "columns": strings.Join(header, ", ")})
	}
	return nil
}

// values are those of a cell.
func (c column) values(cell string) []string {
	cell = table.Meant(cell) // our own tables are read, too
	if !c.many {
		return []string{cell}
	}
	if c.names[0] == "affiliations" { // bars stand within them
		return strings.FieldsFunc(cell, func(r rune) bool { return r == '\n' })
	}
	return append([]string{}, strings.FieldsFunc(cell, func(r rune) bool { return r == '|' || r == '\n' })...)
}
