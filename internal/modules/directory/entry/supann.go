package entry

import (
	"regexp"
	"strings"
)

// roles are the functions of the nomenclature of generic roles (supannRoleGenerique
// and the role of supannRoleEntite) of the SupAnn recommendations, as RENATER published
// it in June 2021: https://services.renater.fr/documentation/supann/. The French words
// name the function and not who holds it, because the codes do not tell women from men.
var roles = map[string]Function{
	"D10": {French: "Direction d’administration centrale", English: "Director in the central administration"},
	"D22": {French: "Direction scientifique", English: "Scientific director"},
	"D30": {French: "Direction", English: "Director"},
	"D32": {French: "Direction des études", English: "Director of studies"},
	"D34": {French: "Direction de la recherche", English: "Director of research"},
	"D35": {French: "Décanat", English: "Dean"},
	"F10": {French: "Responsable de service", English: "Head of service"},
	"F30": {French: "Responsable de division", English: "Head of division"},
	"F42": {French: "Responsable des services administratifs", English: "Head of administrative services"},
	"F60": {French: "Responsable de bureau", English: "Head of office"},
	"H20": {French: "Mission auprès du ministre", English: "On mission to the minister"},
	"H40": {French: "Mission", English: "Project officer"},
	"J60": {French: "Direction adjointe", English: "Deputy director"},
	"J61": {French: "Responsable de service, adjoint", English: "Deputy head of service"},
	"J62": {French: "Direction adjointe des études", English: "Deputy director of studies"},
	"J63": {French: "Direction scientifique adjointe", English: "Deputy scientific director"},
	"N10": {French: "Conseil d’établissements", English: "Adviser to institutions"},
	"N11": {French: "Conseil pédagogique", English: "Teaching adviser"},
	"N20": {French: "Conseil technique", English: "Technical adviser"},
	"N50": {French: "Coordination", English: "Coordinator"},
	"P00": {French: "Présidence", English: "President"},
	"P10": {French: "Vice-présidence", English: "Vice-president"},
	"P50": {French: "Secrétariat général", English: "General secretary"},
	"P51": {French: "Secrétariat général adjoint", English: "Deputy general secretary"},
	"P70": {French: "Administration", English: "Administrator"},
	"P71": {French: "Administration provisoire", English: "Acting administrator"},
	"R00": {French: "Responsable", English: "In charge"},
	"R40": {French: "Responsable administratif", English: "Administrative manager"},
	"R41": {French: "Responsable de diplôme", English: "In charge of a degree"},
	"R42": {French: "Responsable pédagogique", English: "In charge of teaching"},
	"R43": {French: "Responsable de programme", English: "Programme manager"},
	"S01": {French: "Encadrement, tutorat", English: "Supervisor, tutor"},
	"S10": {French: "Membre", English: "Member"},
	"S11": {French: "Membre suppléant", English: "Substitute member"},
	"S12": {French: "Membre avec voix consultative", English: "Advisory member"},
	"S13": {French: "Participation", English: "Participant"},
	"S14": {French: "Représentation", English: "Representative"},
	"S15": {French: "Délégation", English: "Delegate"},
	"S16": {French: "Correspondance", English: "Correspondent"},
	"S17": {French: "Coordination scientifique", English: "Scientific coordinator"},
	"S20": {French: "Partenariat", English: "Partner"},
	"S21": {French: "Personnalité extérieure", English: "External member"},
	"T31": {French: "Conseil scientifique et technique", English: "Scientific and technical adviser"},
	"T32": {French: "Contrôle de gestion", English: "Management controller"},
	"T65": {French: "Agence comptable", English: "Chief accountant"},
	"T80": {French: "Maîtrise d’ouvrage du système d’information", English: "Owner of the information system"},
	"T81": {French: "Maîtrise d’œuvre du système d’information", English: "In charge of building the information system"},
	"T82": {French: "Autorité qualifiée pour la sécurité des systèmes d’information", English: "Qualified authority for information security"},
	"T83": {French: "Responsable de la sécurité des systèmes d’information", English: "Chief information security officer"},
	"T84": {French: "Sécurité des systèmes d’information", English: "Information security officer"},
	"X00": {French: "Médiation", English: "Mediator"},
	"X51": {French: "Informatique et libertés", English: "Data protection correspondent"},
	"X70": {French: "Hygiène et sécurité", English: "Health and safety officer"},
	"X71": {French: "Prévention, hygiène et sécurité", English: "Health and safety prevention officer"},
	"X80": {French: "Assessorat", English: "Assessor"},
}

// populationCode is one of the nomenclature of populations, which name whole groups of
// people, such as RGPF; those of roles have digits.
var populationCode = regexp.MustCompile(`^[A-Z]{1,8}$`)

// RoleNamed is the function that a source names: the words of a code such as
// {SUPANN}D30 or {NCORPS}300, or the text itself. A body or a population that has no
// name here is its code, which those who work with it know. Any other code tells nobody
// anything, so it is no function.
func RoleNamed(role string) (Function, bool) {
	label, code, coded := strings.Cut(role, "}")
	code = strings.ToUpper(strings.TrimSpace(code))
	switch {
	case !strings.HasPrefix(label, "{"):
		return Function{French: role}, role != ""
	case coded && strings.EqualFold(label, "{SUPANN"):
		f, known := roles[code]
		if !known && populationCode.MatchString(code) {
			return Function{French: code}, true
		}
		return f, known
	case coded && strings.EqualFold(label, "{NCORPS") && code != "":
		if f, known := corps[code]; known {
			return f, true
		}
		return Function{French: code}, true
	default:
		return Function{}, false
	}
}
