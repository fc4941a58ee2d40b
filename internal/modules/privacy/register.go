package privacy

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/table"
)

// Register is the record of processing activities (GDPR, article 30(1)), in one
// language.
type Register struct {
	Controller   string     `json:"controller"`
	Address      string     `json:"address,omitempty"`
	Contact      string     `json:"contact,omitempty"`
	OfficerName  string     `json:"officer,omitempty"`
	OfficerMail  string     `json:"officer_mail,omitempty"`
	OfficerPhone string     `json:"officer_phone,omitempty"`
	Security     []string   `json:"security"`
	Activities   []Activity `json:"activities"`
}

// Activity is what one room does with personal data.
type Activity struct {
	Room    string  `json:"room"`
	Name    string  `json:"name"`
	Entries []Entry `json:"entries"`
}

// Entry is one kind of data of an activity, in words.
type Entry struct {
	Table      string   `json:"table"`
	What       string   `json:"data"`
	Purpose    string   `json:"purpose"`
	Ground     string   `json:"legal_basis"` // in words
	Article    string   `json:"article"`     // such as 6(1)(e)
	Basis      string   `json:"basis_detail"`
	Categories []string `json:"categories"`
	People     []string `json:"people"`
	Recipients string   `json:"recipients"`
	Transfers  string   `json:"transfers"`
	Source     string   `json:"source"`
	Until      string   `json:"until"`
	Erasure    string   `json:"erasure"` // what becomes of it when a person is erased
}

// Processing makes the record from what the rooms declare, in the language of the
// context.
func (m *Module) Processing(ctx context.Context) Register {
	r := Register{
		Controller: i18n.Pick(ctx, m.InstitutionFrench, m.InstitutionEnglish), Address: m.config.Address, Contact: m.config.Contact,
		OfficerName: m.config.OfficerName, OfficerMail: m.config.OfficerMail, OfficerPhone: m.config.OfficerPhone,
		Security: []string{i18n.T(ctx, "privacy.register.security_house")},
	}
	if also := i18n.Pick(ctx, m.config.SecurityFrench, m.config.SecurityEnglish); also != "" {
		r.Security = append(r.Security, also)
	}
	for _, room := range m.Rooms() {
		holder, ok := room.(contract.PersonalData)
		if !ok {
			continue
		}
		a := Activity{Room: room.Name(), Name: roomName(ctx, room.Name())}
		for _, h := range holder.Holdings(ctx) {
			a.Entries = append(a.Entries, entryOf(ctx, h))
		}
		r.Activities = append(r.Activities, a)
	}
	return r
}

func entryOf(ctx context.Context, h contract.Holding) Entry {
	or := func(text, key string) string {
		if text == "" {
			return i18n.T(ctx, "privacy.register."+key)
		}
		return text
	}
	e := Entry{
		Table: h.Table, What: h.What, Purpose: h.Why, Ground: i18n.T(ctx, "privacy.ground."+string(h.Ground)), Article: h.Ground.Article(), Basis: h.Basis, Until: h.Until,
		Recipients: or(h.Recipients, "no_recipients"), Transfers: or(h.Transfers, "no_transfers"), Source: or(h.Source, "own_source"),
	}
	for _, d := range h.Data {
		e.Categories = append(e.Categories, i18n.T(ctx, "privacy.data."+string(d)))
	}
	for _, p := range h.People {
		e.People = append(e.People, i18n.T(ctx, "privacy.people."+string(p)))
	}
	if len(e.People) == 0 {
		e.People = []string{i18n.T(ctx, "privacy.people.everybody")}
	}
	var fates []contract.Fate
	var said []string
	for _, t := range h.Traces {
		if !slices.Contains(fates, t.Fate) {
			fates = append(fates, t.Fate)
			said = append(said, i18n.T(ctx, "privacy.fate."+string(t.Fate)))
		}
	}
	if len(said) == 0 {
		said = []string{i18n.T(ctx, "privacy.fate.unfound")}
	}
	e.Erasure = strings.Join(said, ", ")
	return e
}

// roomName is what a room is called.
func roomName(ctx context.Context, room string) string { return i18n.T(ctx, room+".name") }

// WriteCSV writes one line for each entry.
func (r Register) WriteCSV(ctx context.Context, to io.Writer) error {
	file := table.NewWriter(to)
	var head []string
	for _, name := range []string{"activity", "what", "purpose", "ground", "article", "basis", "categories", "people", "recipients", "transfers", "source", "until", "erasure", "table"} {
		head = append(head, i18n.T(ctx, "privacy.column."+name))
	}
	lines := [][]string{head}
	for _, a := range r.Activities {
		for _, e := range a.Entries {
			lines = append(lines, []string{
				a.Name, e.What, e.Purpose, e.Ground, e.Article, e.Basis, strings.Join(e.Categories, ", "), strings.Join(e.People, ", "),
				e.Recipients, e.Transfers, e.Source, e.Until, e.Erasure, e.Table,
			})
		}
	}
	return file.WriteAll(lines)
}
