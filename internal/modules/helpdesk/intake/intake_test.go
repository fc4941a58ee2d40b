package intake_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/intake"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/listing"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/words"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

// register knows the people of campustest by their address.
type register struct{}

func (register) FindPeople(_ context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error) {
	if by != contract.FieldMail {
		return nil, fmt.Errorf("people are looked for by %s", by)
	}
	found := map[string]campus.PersonID{}
	for _, v := range campustest.Everyone() {
		for _, mail := range values {
			if v.Mail == mail && mail != "" {
				found[mail] = v.Person
			}
		}
	}
	return found, nil
}

func (register) KnownPeople(_ context.Context, ids []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	found := map[campus.PersonID]contract.Known{}
	for _, v := range campustest.Everyone() {
		for _, one := range ids {
			if v.Person == one {
				found[one] = contract.Known{ID: one, Subject: contract.Subject{GivenName: v.GivenName, FamilyName: v.FamilyName, Mail: v.Mail, Locale: v.Locale, Affiliations: v.Affiliations}}
			}
		}
	}
	return found, nil
}

// marks counts the tickets of which the figures hear.
type marks struct{ tickets int }

func (m *marks) Mark(_ context.Context, _ db.Tx, list ...ticket.Ticket) error {
	m.tickets += len(list)
	return nil
}

func open(t *testing.T, d *db.DB, tickets *ticket.Tickets, zone *time.Location) (*intake.Intake, *marks) {
	t.Helper()
	store, err := files.Disk(t.TempDir(), 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	m := &marks{}
	return &intake.Intake{DB: d, Tickets: tickets, Files: &attached.Attached{DB: d, Files: store, Tickets: tickets}, Register: register{}, Figures: m, Zone: zone}, m
}

// imported is the ticket of a foreign one.
func imported(t *testing.T, x *tickettest.Desk, source, foreign string) (ticket.Ticket, ticket.Thread) {
	t.Helper()
	var id string
	if err := x.DB.Read().QueryRowContext(t.Context(), "SELECT ticket_id FROM helpdesk_imported WHERE source = $1 AND foreign_id = $2", source, foreign).Scan(&id); err != nil {
		t.Fatalf("%s %s was not taken over: %v", source, foreign, err)
	}
	got, err := x.Tickets.ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	thread, err := x.Tickets.Thread(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return got, thread
}

// take imports a file of testdata.
func take(t *testing.T, in *intake.Intake, from string, change ...func(*intake.Order)) (intake.Report, []string) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", from+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var refused []string
	o := intake.Order{From: from, Source: from, Refused: func(r intake.Refusal) { refused = append(refused, r.String()) }}
	for _, c := range change {
		c(&o)
	}
	report, err := in.Run(t.Context(), o, file)
	if err != nil {
		t.Fatal(err)
	}
	return report, refused
}

func date(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestTicketsOfZammadComeWithTheirTimesAuthorsNotesAndFiles(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		in, counted := open(t, x.DB, x.Tickets, x.Zone)
		report, refused := take(t, in, "zammad")
		if report.Tickets != 2 || report.Messages != 4 || report.Refused != 4 || report.Files != 1 || report.Unkept != 1 || report.Unmatched != 1 || counted.tickets != 2 {
			t.Errorf("the report is %+v", report)
		}
		for i, want := range []string{`line 3, ticket 13: there is no queue "Parking" here`, "line 4, ticket 14: it does not say when", "line 5, ticket 12: it stands on line 2", "line 6: it is no ticket of Zammad"} {
			if i >= len(refused) || !strings.HasPrefix(refused[i], want) {
				t.Errorf("%q is not said in %q", want, refused)
			}
		}
		if len(x.Heard) != 0 {
			t.Error("somebody was told of an imported ticket")
		}
		got, thread := imported(t, x, "zammad", "12")
		lina, sam := campustest.Lina(), campustest.Sam()
		if got.State != ticket.Closed || got.Priority != ticket.High || got.Channel != ticket.ByImport || got.Requester != lina.Person || got.Assignee != sam.Person || got.Campus != "rives" || got.RequesterName != "Lina Martin" ||
			!got.OpenedAt.Equal(date(t, "2024-02-01T09:00:00Z")) || !got.AnsweredAt.Equal(date(t, "2024-02-01T11:00:00Z")) || !got.SolvedAt.Equal(date(t, "2024-02-02T15:00:00Z")) || got.Spent != 25*time.Minute || got.LastBy != ticket.Agent ||
			!got.AnswerDue.IsZero() || !got.SolveDue.IsZero() {
			t.Errorf("it became %+v", got)
		}
		if len(thread.Messages) != 3 || thread.Messages[0].Body != "Le réseau **eduroam** refuse mon téléphone." || thread.Messages[0].By.Person != lina.Person || thread.Messages[0].By.Role != ticket.Requester ||
			thread.Messages[0].MailID != "a1@valmont.example" || thread.Messages[0].Channel != ticket.ByMail || len(thread.Messages[0].Files) != 1 ||
			!thread.Messages[1].Internal || thread.Messages[1].By.Role != ticket.Agent || thread.Messages[2].Internal || thread.Messages[2].By.Person != sam.Person {
			t.Errorf("the thread is %+v", thread.Messages)
		}
		if len(thread.Public().Messages) != 2 {
			t.Error("a note among agents is not one any more")
		}
		if len(thread.Facts) != 1 || thread.Facts[0] != (ticket.Fact{Label: "imported", Content: "Zammad #20012"}) {
			t.Errorf("its number before is %v", thread.Facts)
		}
		if waits, _ := imported(t, x, "zammad", "15"); waits.State != ticket.Waiting || waits.Requester != "" || waits.RequesterMail != "x@elsewhere.example" || waits.WaitingSince.IsZero() || !waits.SolvedAt.IsZero() {
			t.Errorf("the one that waits became %+v", waits)
		}
		again, _ := take(t, in, "zammad")
		if again.Tickets != 0 || again.Known != 2 {
			t.Errorf("run again: %+v", again)
		}
		if other, _ := take(t, in, "zammad", func(o *intake.Order) { o.Source, o.Queue = "zammad of the library", "accounts" }); other.Tickets != 3 || other.Refused != 3 {
			t.Errorf("another installation, with a queue for the rest: %+v", other)
		}
	})
}

func TestADryRunSaysTheSameAndWritesNothing(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		in, counted := open(t, x.DB, x.Tickets, x.Zone)
		dry, said := take(t, in, "zammad", func(o *intake.Order) { o.DryRun = true })
		for _, table := range []string{"helpdesk_tickets", "helpdesk_imported", "helpdesk_words", "helpdesk_uploads"} {
			var n int
			if err := x.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s has %d rows, %v", table, n, err)
			}
		}
		if counted.tickets != 0 {
			t.Error("the figures heard of it")
		}
		real, heard := take(t, in, "zammad")
		if dry != real || strings.Join(said, "\n") != strings.Join(heard, "\n") {
			t.Errorf("it would do %+v %q, and did %+v %q", dry, said, real, heard)
		}
	})
}

func TestTicketsOfGLPIComeWithFollowUpsTasksAndSolutions(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		in, _ := open(t, x.DB, x.Tickets, x.Zone)
		report, refused := take(t, in, "glpi")
		if report.Tickets != 1 || len(refused) != 2 || !strings.Contains(refused[0], `the date "hier"`) || !strings.Contains(refused[1], `state "11"`) {
			t.Errorf("%+v %q", report, refused)
		}
		got, thread := imported(t, x, "glpi", "501")
		if got.Subject != "Imprimante & scanner" || got.State != ticket.Closed || got.Priority != ticket.High || got.Requester != campustest.Lina().Person || got.Spent != 30*time.Minute ||
			!got.OpenedAt.Equal(date(t, "2023-07-14T08:00:00Z")) || !got.SolvedAt.Equal(date(t, "2023-07-15T10:00:00Z")) || !got.AnsweredAt.Equal(date(t, "2023-07-14T09:00:00Z")) {
			t.Errorf("it became %+v", got)
		}
		var bodies []string
		for _, m := range thread.Messages {
			bodies = append(bodies, fmt.Sprintf("%s %v %s", m.By.Role, m.Internal, m.Body))
		}
		if strings.Join(bodies, "|") != "requester false Le scanner **ne répond** plus|agent false Redémarrez-le.|agent true Contrat terminé|agent true Passage sur place|agent false Remplacé" {
			t.Errorf("the thread is %q", bodies)
		}
	})
}

func TestTicketsOfRequestTrackerAreFoundByTheirNumberBefore(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		in, _ := open(t, x.DB, x.Tickets, x.Zone)
		newer := x.Open(campustest.Lina(), "Encore bloqué 4711", "Bonjour")
		x.Tx(func(tx db.Tx) error {
			return words.Add(t.Context(), tx, newer.ID, words.Of(newer.Subject))
		})
		report, refused := take(t, in, "rt")
		if report.Tickets != 1 || report.Files != 1 || len(refused) != 1 || !strings.Contains(refused[0], `ticket 4712: the attachment "a.txt"`) {
			t.Errorf("%+v %q", report, refused)
		}
		got, thread := imported(t, x, "rt", "4711")
		if got.State != ticket.Closed || got.Priority != ticket.Urgent || got.Spent != 15*time.Minute || got.Assignee != campustest.Sam().Person || len(thread.Messages) != 3 ||
			thread.Messages[0].Body != "Mon compte est bloqué" || !thread.Messages[1].Internal || thread.Messages[2].Body != "Débloqué." || thread.Messages[2].By.Role != ticket.Agent || len(thread.Messages[2].Files) != 1 {
			t.Errorf("it became %+v %+v", got, thread.Messages)
		}
		sam := campustest.Sam()
		l := listing.New(listing.Deps{DB: x.DB, Clock: x.Clock, Zone: x.Zone, Tickets: x.Tickets, Words: &words.Index{DB: x.DB}})
		rows, _, err := l.List(t.Context(), listing.ReadFilter(map[string][]string{"q": {"4711 "}}).For(sam, nil), 10)
		if err != nil || len(rows) != 2 || rows[0].ID != newer.ID || rows[1].ID != got.ID {
			t.Errorf("4711 finds %v, %v: the newer first", rows, err)
		}
		rows, _, err = l.List(t.Context(), listing.ReadFilter(map[string][]string{"q": {"RT #4711 "}}).For(sam, nil), 10)
		if err != nil || len(rows) != 1 || rows[0].ID != got.ID {
			t.Errorf("RT #4711 finds %v, %v", rows, err)
		}
		answered := x.Change(got, tickettest.By(ticket.Requester, campustest.Lina()), func(w *ticket.Work) error {
			w.Say(ticket.Message{Body: "Encore"})
			return nil
		})
		if answered.State != ticket.Open || !answered.SolveDue.IsZero() {
			t.Errorf("an answer makes it %+v", answered)
		}
	})
}

// TestAnExportOfRequestTracker503IsReadAsItsRecipeWritesIt reads what the recipe of
// docs/helpdesk/import.md made of RT 5.0.3: a ticket that was answered and solved, one
// in HTML, one of somebody whose name there is no address.
func TestAnExportOfRequestTracker503IsReadAsItsRecipeWritesIt(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		in, _ := open(t, x.DB, x.Tickets, x.Zone)
		report, refused := take(t, in, "rt-5.0.3", func(o *intake.Order) { o.From, o.Queue = "rt", "accounts" })
		if report.Tickets != 3 || report.Messages != 5 || report.Files != 1 || report.Unkept != 0 || len(refused) != 0 {
			t.Fatalf("%+v %q", report, refused)
		}
		got, thread := imported(t, x, "rt-5.0.3", "1")
		if got.State != ticket.Closed || got.Priority != ticket.Urgent || got.Spent != 15*time.Minute || got.Assignee != "" || got.Requester != campustest.Lina().Person ||
			thread.Messages[0].Body != "Mon compte est bloqué depuis hier" || thread.Messages[0].Channel != ticket.ByImport || thread.Messages[0].By.Role != ticket.Requester ||
			thread.Messages[1].By.Role != ticket.Agent || thread.Messages[1].By.Name != "Enoch Root" || thread.Messages[1].Files[0].Name != "journal.txt" || !thread.Messages[2].Internal {
			t.Errorf("it became %+v %+v", got, thread.Messages)
		}
		if _, thread := imported(t, x, "rt-5.0.3", "2"); thread.Messages[0].Body != "Le réseau **ne marche pas**" {
			t.Errorf("the one in HTML says %q", thread.Messages[0].Body)
		}
		if got, _ := imported(t, x, "rt-5.0.3", "3"); got.RequesterMail != "noe.kone@valmont.example" {
			t.Errorf("who is called nkone there has the address %q", got.RequesterMail)
		}
	})
}

// many is an export with so many tickets.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":%d,"Subject":"Ticket %d","Status":"open","Queue":{"Name":"Accounts"},"Requestor":[{"id":"lina.martin@valmont.example"}],"Created":"2020-01-01T08:00:00Z","transactions":[{"Type":"Create","Creator":{"id":"x"},"Created":"2020-01-01T08:00:00Z","attachments":[{"ContentType":"text/plain","Content":"Ym9uam91cg=="}]}]}`+"\n", i+1, i)
	}
	return b.String()
}

const killed = 3000

// TestChildImportsUntilKilled is the child of the test below; by itself it does
// nothing.
func TestChildImportsUntilKilled(t *testing.T) {
	d, err := db.Open(t.Context(), db.Config{DSN: dbtest.ChildDSN(t)})
	if err != nil {
		t.Fatal(err)
	}
	in, _ := open(t, d, &ticket.Tickets{DB: d}, time.UTC)
	if _, err := in.Run(t.Context(), intake.Order{From: "rt", Done: func(r intake.Report) { fmt.Println("kept", r.Tickets) }}, strings.NewReader(many(killed))); err != nil {
		t.Fatal(err)
	}
}

func TestAnImportThatWasKilledGoesOnWhereItWas(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		d, err := db.Open(t.Context(), db.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Migrate(t.Context(), tickettest.Steps()); err != nil {
			t.Fatal(err)
		}
		tickets := &ticket.Tickets{DB: d}
		if err := d.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "accounts", NameEnglish: "Accounts"})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		batches := 0
		dbtest.KillChild(t, "TestChildImportsUntilKilled", dsn, func(line string) bool {
			if strings.HasPrefix(line, "kept ") {
				batches++
			}
			return batches >= 2
		})
		if d, err = db.Open(t.Context(), db.Config{DSN: dsn}); err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		in, _ := open(t, d, &ticket.Tickets{DB: d}, time.UTC)
		report, err := in.Run(t.Context(), intake.Order{From: "rt"}, strings.NewReader(many(killed)))
		if err != nil || report.Known < 100 || report.Tickets == 0 || report.Known+report.Tickets != killed {
			t.Errorf("it went on with %+v, %v", report, err)
		}
		for table, want := range map[string]int{"helpdesk_tickets": killed, "helpdesk_messages": killed, "helpdesk_imported": killed, "helpdesk_facts": killed} {
			var n int
			if err := d.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil || n != want {
				t.Errorf("%s has %d rows, want %d; %v", table, n, want, err)
			}
		}
	})
}

// TestManyTicketsAreFoundAsIfEachHadComeAlone takes many over in batches that grow,
// whose words go into the index together.
func TestManyTicketsAreFoundAsIfEachHadComeAlone(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		in, heard := open(t, x.DB, x.Tickets, x.Zone)
		var batches []int
		report, err := in.Run(t.Context(), intake.Order{From: "rt", Done: func(r intake.Report) { batches = append(batches, r.Tickets) }}, strings.NewReader(many(350)))
		if err != nil || report.Tickets != 350 || heard.tickets != 350 || len(batches) < 2 || batches[0] != 100 {
			t.Fatalf("%+v %v, in batches up to %v; the figures heard of %d", report, err, batches, heard.tickets)
		}
		for _, foreign := range []string{"1", "100", "101", "350"} {
			got, thread := imported(t, x, "rt", foreign)
			for _, word := range words.With(words.In(got, thread), got.Subject, "RT #"+foreign) {
				var n int
				if err := x.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM helpdesk_words WHERE word = $1 AND ticket_id = $2", word, got.ID).Scan(&n); err != nil || n != 1 {
					t.Errorf("ticket %s has the word %q %d times: %v", foreign, word, n, err)
				}
			}
		}
	})
}

func TestABatchGrowsWhileItIsQuickAndShrinksWhenOthersWait(t *testing.T) {
	for _, c := range []struct {
		size int
		took time.Duration
		want int
	}{
		{100, 50 * time.Millisecond, 200},
		{300, 50 * time.Millisecond, 400},
		{400, 700 * time.Millisecond, 400},
		{400, 3 * time.Second, 200},
		{30, 3 * time.Second, 25},
	} {
		if got := intake.NextBatch(c.size, c.took); got != c.want {
			t.Errorf("after %d in %s come %d, want %d", c.size, c.took, got, c.want)
		}
	}
}

func TestALineThatIsTooLongIsNamedAndTheNextIsRead(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		in, _ := open(t, x.DB, x.Tickets, x.Zone)
		var refused []string
		long := `{"id":1,"Subject":"` + strings.Repeat("x", 65<<20) + `"}` + "\n"
		report, err := in.Run(t.Context(), intake.Order{From: "rt", DryRun: true, Refused: func(r intake.Refusal) { refused = append(refused, r.String()) }}, strings.NewReader(long+many(1)))
		if err != nil || report.Tickets != 1 || len(refused) != 1 || !strings.HasPrefix(refused[0], "line 1: the line is longer than 64 MB") {
			t.Errorf("%+v %q %v", report, refused, err)
		}
	})
}

func FuzzAnExportNeverStopsAnImport(f *testing.F) {
	for _, from := range []string{"zammad", "glpi", "rt"} {
		text, err := os.ReadFile(filepath.Join("testdata", from+".jsonl"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(from, string(text))
	}
	f.Fuzz(func(t *testing.T, from, text string) {
		intake.ReadAll(from, text)
	})
}
