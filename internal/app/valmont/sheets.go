package valmont

import (
	"fmt"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/campus"
)

// Sheet is one state of a table that another program of the university leaves for the
// directory: semicolons, a byte order mark, headers as people write them.
type Sheet int

// The states of the table of registrations, in the order in which they are read.
const (
	// TermBegins has everybody, a few who just arrived, a question and lines that cannot
	// be taken.
	TermBegins Sheet = iota
	// AfterChanges has more arrivals, names that changed, and an address that two people
	// share.
	AfterChanges
	// CutShort lacks two students in five, as an export that broke off: reading it has to
	// stop.
	CutShort
)

// registryUnit is the department whose registrations the table holds.
const registryUnit = "INFO"

const byteOrderMark = "\ufeff"

// arrivals are students whom only the table of registrations knows.
var arrivals = []Person{
	{StudentNumber: "26900101", GivenName: "Maëlys", FamilyName: "Quintric", Login: "mquintric"},
	{StudentNumber: "26900102", GivenName: "Oumar", FamilyName: "Sangaré", Login: "osangare"},
	{StudentNumber: "26900103", GivenName: "Mathurin", FamilyName: "Le Dantec", Login: "mledantec"},
	{StudentNumber: "26900104", GivenName: "Iris", FamilyName: "Vandenbroucke", Login: "ivandenbroucke"}, // with the second state
	{StudentNumber: "26900105", GivenName: "Noé", FamilyName: "Etchegaray", Login: "netchegaray"},
}

// Registrations is the table of who studies in the department of computer science.
func (u *University) Registrations(state Sheet) string {
	rows := [][]string{{"Numéro étudiant", "Nom", "Prénom", "Mél", "Identifiant", "Statut", "Campus", "Code étape", "Composante"}}
	row := func(p Person, a campus.Affiliation) []string {
		return []string{p.StudentNumber, p.FamilyName, p.GivenName, p.Mail, p.Login, "étudiant", a.Campus, a.Programme, a.Unit}
	}
	for _, p := range u.People {
		if i := slices.IndexFunc(p.Affiliations, func(a campus.Affiliation) bool { return a.Kind == campus.Student && a.Unit == registryUnit }); i >= 0 {
			rows = append(rows, row(p, p.Affiliations[i]))
		}
	}
	first := 1 // of those whom nobody signs in as
	for first < len(rows)-12 && slices.ContainsFunc(u.People, func(p Person) bool { return p.Demo && p.StudentNumber == rows[first][0] }) {
		first++
	}
	last := rows[len(rows)-1]
	place := campus.Affiliation{Campus: last[6], Programme: last[7], Unit: last[8]}
	newcomers := arrivals[:3]
	if state != TermBegins {
		newcomers = arrivals
		rows[first+4][1] += "-Beaulieu" // the name of somebody who married
		rows[first+5][2] += " Marie"
	}
	rows[first+7][1] = "Delacroix-Hamon" // the number is somebody's, the name another's
	for _, p := range newcomers {
		p.Mail = p.Login + "@" + u.Institution.Students
		rows = append(rows, row(p, place))
	}
	switch state {
	case TermBegins:
		rows = append(rows,
			[]string{"", "Perrichon", "Léo", "", "", "étudiant", place.Campus, place.Programme, place.Unit},                                         // no number
			[]string{"26900190", "Tanguy", "Maëlle", "maelle.tanguy(at)valmont", "mtanguy2", "étudiant", place.Campus, place.Programme, place.Unit}, // no address
			slices.Clone(rows[first+2]), // twice
			[]string{"26900191", "", "Ilan", "ilan@" + u.Institution.Students, "ilan2", "étudiant", place.Campus, place.Programme, place.Unit}, // no name
		)
	case AfterChanges: // somebody new is given the address of somebody else
		rows = append(rows, []string{"26900192", rows[first+9][1], "Éloïse", rows[first+9][3], "", "étudiant", place.Campus, place.Programme, place.Unit})
	case CutShort:
		rows = rows[:len(rows)*3/5]
	}
	return sheet(rows)
}

// Staff is the table of who works in some departments, as the personnel office keeps
// it. The second state moves two people to other offices.
func (u *University) Staff(moved bool) string {
	rows := [][]string{{"Matricule", "Nom", "Prénom", "Mél", "Identifiant", "Statut", "Campus", "Service", "Bureau", "Téléphone"}}
	for i, p := range u.People {
		if len(p.Affiliations) == 0 || p.Is(campus.Student) || !slices.Contains([]string{"INFO", "DSI", "AIDE", "SCO", "BRS"}, p.Affiliations[0].Unit) {
			continue
		}
		a := p.Affiliations[0]
		status := "personnel"
		if a.Kind == campus.Teacher {
			status = "enseignant"
		}
		rows = append(rows, []string{matricule(i), p.FamilyName, p.GivenName, p.Mail, p.Login, status, a.Campus, a.Unit, p.Office, p.Phone})
	}
	if moved {
		for _, i := range []int{len(rows) - 2, len(rows) - 5} {
			rows[i][8] = "C12" + string(rune('0'+i%10))
		}
	}
	return sheet(rows)
}

// matricule is the number by which the personnel office knows somebody.
func matricule(n int) string { return fmt.Sprintf("V%05d", 4100+7*n) }

func sheet(rows [][]string) string {
	var b strings.Builder
	b.WriteString(byteOrderMark)
	for _, row := range rows {
		b.WriteString(strings.Join(row, ";") + "\r\n")
	}
	return b.String()
}
