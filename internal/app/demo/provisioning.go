package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/provisioning"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/due"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/graph"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/moodle"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/nextcloud"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/pretend"
	"github.com/amphi-campus/amphi/internal/modules/provisioning/scim"
	"github.com/amphi-campus/amphi/internal/platform/db"
)

// Provisioning is what an administrator of Valmont would write in
// [provisioning], and the services that this program pretends to be: a Moodle that
// works, a file store that is slow, printers that do not answer, and a mail tenant
// for those who teach and work here. The ledger says what really becomes of it.
func Provisioning(u *valmont.University, c provisioning.Config) (provisioning.Config, http.RoundTripper) {
	const token = "demo"
	learning, files := pretend.NewMoodle(token), pretend.NewNextcloud("amphi", token)
	printing, mail := pretend.NewSCIM(token), pretend.NewGraph("amphi", token)
	printing.Down(true)
	refused, taken := demoStudents(u)
	learning.Refuse = []string{refused.Login}
	learning.Add(pretend.MoodleUser{Username: "ancien-compte", Email: taken.Mail, FirstName: taken.GivenName, LastName: taken.FamilyName, Auth: "manual"})
	studying := due.Rule{Kinds: []campus.Kind{campus.Student, campus.Teacher}}
	working := due.Rule{Kinds: []campus.Kind{campus.Teacher, campus.Staff}}
	c.Targets = []provisioning.TargetConfig{
		{
			ID: "moodle", Kind: "moodle", URL: "https://moodle.valmont.example", Rule: studying, Rate: 50, DeleteAfter: 365 * 24 * time.Hour,
			DecidesFrench: "l’ingénierie pédagogique", DecidesEnglish: "the e-learning office", Moodle: moodle.Config{Token: token},
		},
		{
			ID: "files", Kind: "nextcloud", URL: "https://fichiers.valmont.example", Rate: 0.5, Together: 1,
			DecidesFrench: "l’équipe stockage de la DSI", DecidesEnglish: "the storage team", Nextcloud: nextcloud.Config{User: "amphi", Password: token, Quota: "20 GB"},
		},
		{
			ID: "printing", Kind: "scim", URL: "https://impression.valmont.example/scim/v2", Rate: 5,
			Rule:          due.Rule{Kinds: []campus.Kind{campus.Student, campus.Teacher, campus.Staff}},
			DecidesFrench: "l’équipe impression de la DSI", DecidesEnglish: "the printing team", SCIM: scim.Config{Token: token},
		},
		{
			ID: "mail", Kind: "graph", URL: "https://graph.valmont.example/v1.0", Rule: working, Rate: 20,
			DecidesFrench: "l’équipe messagerie de la DSI", DecidesEnglish: "the mail team",
			Graph: graph.Config{Tenant: "valmont", ClientID: "amphi", ClientSecret: token, TokenURL: "https://graph.valmont.example/token"},
		},
	}
	network := pretend.Network{}
	for i, there := range []http.Handler{learning, files, printing, mail} {
		address, err := url.Parse(c.Targets[i].URL)
		if err != nil { // a mistake in the lines above
			panic(err)
		}
		network[address.Host] = there
	}
	return c, network
}

// demoStudents are two students whose accounts the pretended Moodle does not make:
// it refuses the data of one, and somebody else has the address of the other.
func demoStudents(u *valmont.University) (refused, taken valmont.Person) {
	students := demoPeople(u, campus.Student)
	return students[0], students[1]
}

// demoPeople are those of a kind that nobody signs in as.
func demoPeople(u *valmont.University, kind campus.Kind) []valmont.Person {
	var found []valmont.Person
	for _, p := range u.People {
		if !p.Demo && len(p.Affiliations) == 1 && p.Affiliations[0].Kind == kind {
			found = append(found, p)
		}
	}
	return found
}

// seedProvisioning makes the ledger that a Sunday in November would find: those
// who sign in have a Moodle account, and somebody who studied here is leaving it and
// is not to print any more.
// The rest is made by the work itself, once the demo runs.
func (h Rooms) seedProvisioning(ctx context.Context, u *valmont.University, people map[string]campus.PersonID) error {
	students := demoPeople(u, campus.Student)
	left := students[len(students)-1]
	for _, p := range append([]valmont.Person{left}, u.People...) {
		if p.Login != left.Login && !p.Demo {
			continue
		}
		if _, err := h.Provisioning.Push(ctx, p.Login, "moodle"); err != nil {
			return fmt.Errorf("prepare the account of %s: %w", p.Login, err)
		}
	}
	if _, err := h.Provisioning.Push(ctx, left.Login, "printing"); err != nil {
		return fmt.Errorf("prepare the account of %s: %w", left.Login, err)
	}
	guest := contract.Subject{Affiliations: []campus.Affiliation{{Kind: campus.Guest, Campus: left.Affiliations[0].Campus}}}
	return h.DB.InTx(ctx, func(tx db.Tx) error {
		return h.Identity.Amend(ctx, tx, people[left.Login], guest, []contract.Field{contract.FieldAffiliations}, "demo")
	})
}
