package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
)

// PersonalData is implemented by a room that stores anything about people. What it
// declares is shown to everybody about themselves, makes the register of processing
// (GDPR, article 30), and is what an erasure goes by.
type PersonalData interface {
	// Holdings says what the room stores, why, on which legal basis and how long,
	// in the language of the context. A table is declared after those it refers to:
	// an erasure goes through them from the last to the first.
	Holdings(context.Context) []Holding
	// Export writes what the room holds about one person.
	Export(context.Context, campus.PersonID, *Archive) error
}

// Holding describes one kind of personal data that a room keeps. Only Table, the
// four sentences, Ground and Traces have to be given.
type Holding struct {
	Table, What, Why, Basis, Until string

	Ground Ground
	Data   []Data
	// People are whom it is about; empty means everybody who has an account.
	People []People
	// Recipients are who outside the offices of the institution gets it, Transfers the
	// countries outside the European Union that it goes to and what protects it there,
	// Source where it comes from; empty means nobody, none, and from the person or
	// their use of the workspace.
	Recipients, Transfers, Source string
	// Withheld says why an export leaves the table out, such as for a secret that
	// helps nobody but an attacker; empty when it is exported.
	Withheld string
	// Mend is the local address where people change or remove it themselves; empty
	// when they have to ask.
	Mend string
	// Traces are the columns that name a person; none when the table does not let
	// anybody find the rows of one.
	Traces []Trace
}

// Held describes a table by the sentences what, why, basis and until under a key
// of the locales, in the language of the context. The pairs complete them. The
// sentences recipients, transfers, source and withheld are read too when they
// stand there.
func Held(ctx context.Context, table, key string, pairs ...any) Holding {
	p := i18n.Of(ctx)
	said := func(part string) string { return p.T(key+"."+part, pairs...) }
	also := func(part string) string {
		if !p.Has(key + "." + part) {
			return ""
		}
		return said(part)
	}
	return Holding{
		Table: table, What: said("what"), Why: said("why"), Basis: said("basis"), Until: said("until"),
		Recipients: also("recipients"), Transfers: also("transfers"), Source: also("source"), Withheld: also("withheld"),
	}
}

// On sets the legal basis and the categories of the data.
func (h Holding) On(g Ground, data ...Data) Holding {
	h.Ground, h.Data = g, data
	return h
}

// Of sets whom the data is about.
func (h Holding) Of(people ...People) Holding {
	h.People = people
	return h
}

// Mended sets where people change it themselves.
func (h Holding) Mended(address string) Holding {
	h.Mend = address
	return h
}

// Erased adds where the table names a person, and what becomes of it.
func (h Holding) Erased(traces ...Trace) Holding {
	h.Traces = append(h.Traces[:len(h.Traces):len(h.Traces)], traces...)
	return h
}

// Ground is a legal basis: a letter of article 6(1) of the GDPR.
type Ground string

// The six legal bases.
const (
	Consent             Ground = "consent"              // 6(1)(a)
	Agreement           Ground = "contract"             // 6(1)(b)
	LegalObligation     Ground = "legal_obligation"     // 6(1)(c)
	VitalInterests      Ground = "vital_interests"      // 6(1)(d)
	PublicTask          Ground = "public_task"          // 6(1)(e)
	LegitimateInterests Ground = "legitimate_interests" // 6(1)(f)
)

// Grounds are the six, in the order of the article.
var Grounds = []Ground{Consent, Agreement, LegalObligation, VitalInterests, PublicTask, LegitimateInterests}

// Article is the place of the ground in the GDPR.
func (g Ground) Article() string {
	for i, known := range Grounds {
		if g == known {
			return "6(1)(" + string(rune('a'+i)) + ")"
		}
	}
	return ""
}

// Data is a category of personal data.
type Data string

// The categories of personal data.
const (
	DataIdentity   Data = "identity"   // names, identifiers, photo
	DataContact    Data = "contact"    // addresses and numbers
	DataStudies    Data = "studies"    // affiliations, programmes, groups
	DataWork       Data = "work"       // function, unit, office
	DataConnection Data = "connection" // network addresses, browsers, times
	DataSecurity   Data = "security"   // means of signing in, locks, incidents
	DataUse        Data = "use"        // services opened, settings
	DataWritings   Data = "writings"   // what the person wrote
	DataDecisions  Data = "decisions"  // what was decided about the person
)

// People is a category of people.
type People string

// The categories of people.
const (
	PeopleStudents People = "students"
	PeopleTeachers People = "teachers"
	PeopleStaff    People = "staff"
	PeopleGuests   People = "guests"
	PeopleAgents   People = "agents" // who acted on somebody else's file
)

// Archive collects an export: one file of a room at a time.
type Archive struct {
	// Create opens a file of the archive. The one before it is then complete.
	Create func(name string) (io.Writer, error)
}

// JSON adds a file with content as JSON.
func (a *Archive) JSON(name string, content any) error {
	f, err := a.Create(name)
	if err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	if err := json.NewEncoder(f).Encode(content); err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	return nil
}

// List adds a file with a JSON list of which one item at a time is in memory, for
// what can be long. An error of the sequence ends it.
func (a *Archive) List(name string, items iter.Seq2[any, error]) error {
	f, err := a.Create(name)
	if err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	between := "["
	for item, err := range items {
		if err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		if _, err := io.WriteString(f, between); err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		if err := json.NewEncoder(f).Encode(item); err != nil {
			return fmt.Errorf("export %s: %w", name, err)
		}
		between = ","
	}
	if between == "[" {
		between = "[]"
	} else {
		between = "]"
	}
	if _, err := io.WriteString(f, between+"\n"); err != nil {
		return fmt.Errorf("export %s: %w", name, err)
	}
	return nil
}
