package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/app/valmont"
	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/modules/directory"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/group"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/modules/directory/unit"
	"github.com/amphi-campus/amphi/internal/modules/directory/year"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

// directorySource is what the demo's directory says about itself.
const directorySource = "valmont"

// Sources are the sources that an administrator of Valmont would declare: two
// tables that other programs leave in a folder, and a partner who pushes.
func Sources(folder string, c directory.Config) directory.Config {
	if len(c.Sources) > 0 {
		return c // somebody tries their own
	}
	c.Sources = []source.Config{
		{
			ID: "scolarite", Kind: source.KindCSV, NameFrench: "Scolarité (informatique)", NameEnglish: "Student registry (computer science)",
			CSV: source.CSVConfig{File: filepath.Join(folder, "inscriptions.csv"), Whole: true},
		},
		{
			ID: "rh", Kind: source.KindCSV, NameFrench: "Ressources humaines", NameEnglish: "Personnel office", Priority: 1,
			CSV: source.CSVConfig{File: filepath.Join(folder, "personnels.csv"), Whole: true},
		},
		{ID: "partenaire", Kind: source.KindAPI, NameFrench: "École partenaire", NameEnglish: "Partner school", Priority: 2},
	}
	return c
}

// seedSources lets the sources be read as they were in the last weeks: at the beginning
// of the term, after some changes, and an export that broke off, which the brake holds.
func (h Rooms) seedSources(ctx context.Context, u *valmont.University, people map[string]campus.PersonID) error {
	officer := campus.Viewer{Person: people["admin"], Rights: []campus.Right{campus.RightDirectory}}
	files := map[string]string{}
	for _, s := range h.Sources {
		files[s.ID] = s.CSV.File
	}
	if files["scolarite"] == "" || files["rh"] == "" {
		return nil
	}
	for _, reading := range []struct {
		source, table string
		dry           bool
		by            campus.PersonID
	}{
		{"rh", u.Staff(false), false, ""},
		{"scolarite", u.Registrations(valmont.TermBegins), true, officer.Person},
		{"scolarite", u.Registrations(valmont.TermBegins), false, officer.Person},
		{"rh", u.Staff(true), false, ""},
		{"scolarite", u.Registrations(valmont.AfterChanges), false, ""},
		{"scolarite", u.Registrations(valmont.CutShort), false, ""},
	} {
		if err := os.MkdirAll(filepath.Dir(files[reading.source]), 0o700); err != nil {
			return fmt.Errorf("make the folder of the tables: %w", err)
		}
		if err := os.WriteFile(files[reading.source], []byte(reading.table), 0o600); err != nil {
			return fmt.Errorf("write a table: %w", err)
		}
		if _, err := h.Directory.Sources().Run(ctx, register.Order{Source: reading.source, Dry: reading.dry, Full: true, By: reading.by}); err != nil {
			return fmt.Errorf("read %s: %w", reading.source, err)
		}
	}
	ends := time.Date(2027, time.September, 30, 0, 0, 0, 0, time.UTC)
	moves := year.Moves{"M-CYBER": "", "M-DATA": "", "BUT-GEA": "L-ECO", "BUT-MLT": "L-ECO"}
	if _, err := h.Directory.Years().Prepare(ctx, officer, "Passage en 2027-2028", moves, ends); err != nil {
		return fmt.Errorf("prepare the change of year: %w", err)
	}
	return nil
}

// seedDirectory fills the org chart, the entries and the groups of Valmont.
func (h Rooms) seedDirectory(ctx context.Context, u *valmont.University, people map[string]campus.PersonID) error {
	more, err := u.Directory()
	if err != nil {
		return err
	}
	if err := h.seedUnits(ctx, u, more, people); err != nil {
		return fmt.Errorf("add the units: %w", err)
	}
	if err := h.seedEntries(ctx, u, people); err != nil {
		return fmt.Errorf("add the entries: %w", err)
	}
	if err := h.seedGroups(ctx, u, more, people); err != nil {
		return fmt.Errorf("add the groups: %w", err)
	}
	if err := h.seedSources(ctx, u, people); err != nil {
		return fmt.Errorf("read the sources: %w", err)
	}
	return nil
}

// seedUnits makes the chart: the presidency on top, the faculties and the general
// secretariat below it, the services below that.
func (h Rooms) seedUnits(ctx context.Context, u *valmont.University, more valmont.Directory, people map[string]campus.PersonID) error {
	units := []unit.Unit{}
	for _, d := range u.Departments {
		one := unit.Unit{
			Code: d.Code, Kind: unit.Service, Parent: "DGS", NameFrench: d.Name.French, NameEnglish: d.Name.English,
			Campus: d.Campus, Phone: d.Phone, Mail: d.Mail, Head: people[headOf(u, d)],
		}
		switch {
		case d.Code == "PRES":
			one.Kind, one.Parent = unit.Institution, ""
		case d.Kind == "management":
			one.Kind, one.Parent = unit.Other, "PRES"
		case d.Kind == "teaching":
			one.Kind, one.Parent = unit.Department, "PRES"
			if strings.HasPrefix(d.Name.French, "Faculté") || strings.HasPrefix(d.Name.French, "IUT") {
				one.Kind = unit.Faculty
			}
		case d.Code == "AIDE":
			one.Parent = "DSI"
		case d.Code == "BRS":
			one.Parent = "SCO"
		}
		if i := slices.IndexFunc(more.Units, func(n valmont.UnitNote) bool { return n.Code == d.Code }); i >= 0 {
			n := more.Units[i]
			one.AboutFrench, one.AboutEnglish, one.Keywords, one.Place = n.About.French, n.About.English, n.Keywords, n.Place
			one.HoursFrench, one.HoursEnglish = n.Hours.French, n.Hours.English
		}
		units = append(units, one)
	}
	for _, a := range more.Associations {
		units = append(units, unit.Unit{
			Code: a.Code, Kind: unit.Association, NameFrench: a.Name.French, NameEnglish: a.Name.English,
			AboutFrench: a.About.French, AboutEnglish: a.About.English, Keywords: a.Keywords, Mail: a.Mail, Campus: a.Campus, Place: a.Place,
		})
	}
	return h.DB.InTx(ctx, func(tx db.Tx) error {
		for _, one := range units {
			if err := unit.Put(ctx, tx, one, directorySource); err != nil {
				return err
			}
		}
		return nil
	})
}

// headOf is the login of who leads a department: whoever’s function says so, or else
// who is in charge of its first programme; "" for nobody.
func headOf(u *valmont.University, d valmont.Department) string {
	for _, p := range u.People {
		leads := strings.HasPrefix(p.Title.French, "Direct") || strings.HasPrefix(p.Title.French, "Responsable") || strings.HasPrefix(p.Title.French, "Président")
		if leads && !p.Demo && len(p.Affiliations) > 0 && p.Affiliations[0].Unit == d.Code {
			return p.Login
		}
	}
	for _, p := range u.Programmes {
		if p.Department == d.Code {
			return p.Head
		}
	}
	return ""
}

// portraits is how many people show a picture, and everySo how far apart they are.
const (
	portraits = 16
	everySo   = 6
	// exDirectory is the place of the one whom nobody finds.
	exDirectory = 41
)

// seedEntries gives those who work a telephone, an office and their functions. Some
// agreed to a picture, one is away, and one is ex-directory.
func (h Rooms) seedEntries(ctx context.Context, u *valmont.University, people map[string]campus.PersonID) error {
	working := 0
	for _, p := range u.People {
		if p.Is(campus.Student) && p.Phone == "" {
			continue
		}
		profile := entry.Profile{Office: p.Office, Phones: []entry.Phone{{Kind: entry.Desk, Number: p.Phone}}}
		if p.Office != "" {
			profile.Building = "Bâtiment " + p.Office[:1]
		}
		if len(p.Affiliations) > 0 {
			profile.Campus = p.Affiliations[0].Campus
			profile.Functions = []entry.Function{{Unit: p.Affiliations[0].Unit, French: p.Title.French, English: p.Title.English}}
		}
		switch p.Login {
		case "teacher":
			profile.Hours = "Mardi 14 h–16 h et sur rendez-vous"
			profile.Phones = append(profile.Phones, entry.Phone{Kind: entry.Mobile, Number: p.Mobile})
		case "dkouznetsov":
			profile.ReplacedBy = people["staff"]
		}
		profile.Unlisted = working == exDirectory
		var chosen entry.Choices
		if working%everySo == 0 && working/everySo < portraits && !profile.Unlisted {
			portrait, err := valmont.Portrait(working / everySo)
			if err != nil {
				return err
			}
			if chosen.Photo, _, err = files.PutPicture(ctx, h.Files, bytes.NewReader(portrait), p.Login+".png", 1<<20, 384); err != nil {
				return err
			}
		}
		working++
		err := h.DB.InTx(ctx, func(tx db.Tx) error {
			if err := entry.Put(ctx, tx, people[p.Login], profile, directorySource); err != nil {
				return err
			}
			if chosen.Photo == "" {
				return nil
			}
			chosen.ConsentAt = tx.Now().Time()
			return entry.Choose(ctx, tx, people[p.Login], chosen)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", p.Login, err)
		}
	}
	return nil
}

// seedGroups makes the groups; the members of rules follow in a job.
func (h Rooms) seedGroups(ctx context.Context, u *valmont.University, more valmont.Directory, people map[string]campus.PersonID) error {
	groups := h.Directory.Groups()
	for _, g := range more.Groups {
		one := group.Group{Code: g.Code, Kind: group.ByHand, NameFrench: g.Name.French, NameEnglish: g.Name.English, About: g.About.French, Open: g.Open}
		if len(g.Kinds)+len(g.Programmes) > 0 {
			one.Kind, one.Rule = group.ByRule, group.Rule{Kinds: g.Kinds, Programmes: g.Programmes}
		}
		var members []campus.PersonID
		if g.Teacher != "" {
			members = append(members, people[g.Teacher])
		}
		for _, p := range u.People {
			if len(members) <= g.Students && len(p.Affiliations) > 0 && p.Affiliations[0].Programme == g.StudentsOf && p.Affiliations[0].Kind == campus.Student && g.StudentsOf != "" {
				members = append(members, people[p.Login])
			}
		}
		err := h.DB.InTx(ctx, func(tx db.Tx) error {
			if err := groups.Put(ctx, tx, one, ""); err != nil {
				return err
			}
			if err := groups.Nest(ctx, tx, g.Code, g.Holds); err != nil {
				return err
			}
			return groups.Change(ctx, tx, g.Code, members, nil)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", g.Code, err)
		}
	}
	return nil
}
