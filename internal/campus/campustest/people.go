// Package campustest holds the people that tests know by name.
package campustest

import "github.com/amphi-campus/amphi/internal/campus"

// Lina is a second-year student of computer science on the campus Rives.
func Lina() campus.Viewer {
	return campus.Viewer{
		Person: "01900000-0000-7000-8000-000000000001", Login: "lmartin",
		GivenName: "Lina", FamilyName: "Martin", Mail: "lina.martin@valmont.example",
		Affiliations: []campus.Affiliation{{Kind: campus.Student, Campus: "rives", Programme: "info"}},
		Locale:       campus.French, Appearance: campus.AppearanceSystem, Session: "s-lina",
	}
}

// Paul teaches on the campus Rives.
func Paul() campus.Viewer {
	return campus.Viewer{
		Person: "01900000-0000-7000-8000-000000000002", Login: "pdurand",
		GivenName: "Paul", FamilyName: "Durand", Mail: "paul.durand@valmont.example",
		Affiliations: []campus.Affiliation{{Kind: campus.Teacher, Campus: "rives", Unit: "info"}},
		Locale:       campus.French, Appearance: campus.AppearanceSystem, Session: "s-paul",
	}
}

// Nadia works in the secretariat.
func Nadia() campus.Viewer {
	return campus.Viewer{
		Person: "01900000-0000-7000-8000-000000000003", Login: "nbenali",
		GivenName: "Nadia", FamilyName: "Benali", Mail: "nadia.benali@valmont.example",
		Affiliations: []campus.Affiliation{{Kind: campus.Staff, Campus: "rives", Unit: "scolarite"}},
		Rights:       []campus.Right{campus.RightSecretariat, campus.RightNews},
		Locale:       campus.French, Appearance: campus.AppearanceSystem, Session: "s-nadia",
	}
}

// Sam answers at the help desk and reads English.
func Sam() campus.Viewer {
	return campus.Viewer{
		Person: "01900000-0000-7000-8000-000000000004", Login: "sokafor",
		GivenName: "Sam", FamilyName: "Okafor", Mail: "sam.okafor@valmont.example",
		Affiliations: []campus.Affiliation{{Kind: campus.Staff, Campus: "rives", Unit: "dsi"}},
		Rights:       []campus.Right{campus.RightHelpdesk},
		Locale:       campus.English, Appearance: campus.AppearanceSystem, Session: "s-sam",
	}
}

// Alix runs the installation.
func Alix() campus.Viewer {
	return campus.Viewer{
		Person: "01900000-0000-7000-8000-000000000005", Login: "aroche",
		GivenName: "Alix", FamilyName: "Roche", Mail: "alix.roche@valmont.example",
		Affiliations: []campus.Affiliation{{Kind: campus.Staff, Campus: "rives", Unit: "dsi"}},
		Rights:       []campus.Right{campus.RightAdmin},
		Locale:       campus.French, Appearance: campus.AppearanceSystem, Session: "s-alix",
	}
}

// Everyone is one viewer of each face, and a stranger last.
func Everyone() []campus.Viewer {
	return []campus.Viewer{Lina(), Paul(), Nadia(), Sam(), Alix(), {}}
}
