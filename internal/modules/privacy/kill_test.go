package privacy_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// reopen opens the house of a database and of the folder in the environment, which a
// process before may have left in the middle of something.
func reopen(t *testing.T, c *clock.Manual, dsn string) *house {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{DSN: dsn, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.Migrate(t.Context(), migrations()); err != nil {
		t.Fatal(err)
	}
	return build(t, c, d)
}

// eachKilled runs f with the address of a database of each engine and a house on it.
func eachKilled(t *testing.T, f func(t *testing.T, dsn string, h *house)) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		t.Setenv(keptFolder, t.TempDir())
		f(t, dsn, reopen(t, clock.At(start), dsn))
	})
}

// workUntilKilled does the jobs of the room, one at a time, for ever.
func (h *house) workUntilKilled() {
	reg := jobs.NewRegistry()
	h.privacy.Jobs(reg)
	jobs.NewRunner(h.db, reg, slog.New(slog.DiscardHandler), jobs.Options{Workers: 1, Poll: 5 * time.Millisecond}).Run(h.t.Context())
}

// sheets gives somebody many notes at once.
func (h *house) sheets(who campus.PersonID, many int) {
	h.t.Helper()
	const atOnce = 1000 // a transaction lasts two seconds at most, on a crowded machine too
	for from := 1; from <= many; from += atOnce {
		h.exec(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d)
INSERT INTO notes_sheets (id, person_id, changed_by, words) SELECT CAST($1 AS TEXT) || '-' || CAST(i AS TEXT), CAST($1 AS TEXT), '', 'note ' || CAST(i AS TEXT) FROM n`, from, min(from+atOnce-1, many)), string(who))
	}
}

// TestChildPreparesCopies is the child of the tests below; by itself it does nothing.
func TestChildPreparesCopies(t *testing.T) {
	h := reopen(t, clock.At(start), dbtest.ChildDSN(t))
	read := 0
	h.reading = func() {
		if read++; read%100 == 0 {
			fmt.Println("read", read)
		}
	}
	h.told = func() { fmt.Println("stored") }
	h.workUntilKilled()
}

// kept are the files of copies in the store.
func (h *house) kept() (n int) {
	h.t.Helper()
	if err := h.store.Walk(h.t.Context(), func(files.Ref, files.Meta) error { n++; return nil }); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func TestAKillInTheMiddleOfCopiesLosesNoneAndOffersNoHalfOne(t *testing.T) {
	const many = 400
	askers := []campus.Viewer{campustest.Lina(), campustest.Paul(), campustest.Nadia()}
	for name, c := range map[string]struct {
		line string // after which the process is killed
		done int    // copies that may be there then
	}{
		"in the middle of the first":              {"read 200", 0},
		"between storing the first and noting it": {"stored", 1},
		"in the middle of the second":             {"read 600", 1},
	} {
		t.Run(name, func(t *testing.T) {
			eachKilled(t, func(t *testing.T, dsn string, h *house) {
				for _, v := range askers {
					h.sheets(v.Person, many)
					h.as(v).post("/privacy/export", nil).is(303)
				}
				dbtest.KillChild(t, "TestChildPreparesCopies", dsn, func(line string) bool { return line == c.line })

				if n := h.count("SELECT COUNT(*) FROM privacy_exports WHERE state = 'ready'"); n > c.done {
					t.Errorf("%d copies are offered after the kill", n)
				}
				if n := h.count("SELECT COUNT(*) FROM privacy_exports WHERE state IN ('waiting', 'running', 'ready')"); n != len(askers) {
					t.Errorf("%d copies are ready or under way, of %d", n, len(askers))
				}
				h.clock.Advance(10 * time.Minute) // a killed server keeps its job until its lease ends
				h.work()
				for _, v := range askers {
					copies, err := h.privacy.Archives().Of(t.Context(), v.Person)
					if err != nil || len(copies) != 1 || copies[0].State != "ready" {
						t.Fatalf("the copies of %s are %+v, %v", v.Login, copies, err)
					}
					h.wholeCopy(v, copies[0].ID, many)
				}
				// A server may commit what a killed process had already sent: what it finished
				// is known by the time.
				before := h.count("SELECT COUNT(*) FROM privacy_exports WHERE ready_at = $1", int64(db.At(start)))
				if told := len(h.notices) + before; told != len(askers) {
					t.Errorf("%d people are told of %d copies", told, len(askers))
				}
				h.clock.Advance(25 * time.Hour)
				h.work() // the night sweeps what nobody can reach
				if n := h.kept(); n != len(askers) {
					t.Errorf("%d files are kept", n)
				}
			})
		})
	}
}

// wholeCopy checks that a copy holds every note of its owner once.
func (h *house) wholeCopy(v campus.Viewer, id string, many int) {
	h.t.Helper()
	body := h.as(v).post("/privacy/export/"+id+"/file", nil).is(200).body
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	if err != nil {
		h.t.Fatal(err)
	}
	f, err := z.Open("notes/sheets.json")
	if err != nil {
		h.t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		h.t.Fatal(err)
	}
	var list []string
	if err := json.Unmarshal(text, &list); err != nil {
		h.t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, words := range list {
		seen[words] = true
	}
	if len(list) != many || len(seen) != many {
		h.t.Errorf("the copy of %s has %d notes, %d different ones", v.Login, len(list), len(seen))
	}
}

// erasedRows is how many rows the children have to erase, in some twenty batches.
const erasedRows = 6000

// TestChildErases is the child of the test below; by itself it does nothing.
func TestChildErases(t *testing.T) {
	h := reopen(t, clock.At(start), dbtest.ChildDSN(t))
	h.people.states[campustest.Lina().Person] = "closed"
	go func() {
		for before := -1; ; time.Sleep(time.Millisecond) {
			var left int
			if err := h.db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM notes_sheets").Scan(&left); err != nil {
				return // the house closes
			}
			if left != before {
				before = left
				fmt.Println("left", left)
			}
		}
	}()
	h.workUntilKilled()
}

func TestAKillInTheMiddleOfAnErasureLeavesNothingUnsaid(t *testing.T) {
	lina := campustest.Lina().Person
	for name, killAt := range map[string]int{"at the first batch": erasedRows - 1, "half way": erasedRows / 2, "at the last batch": 300} {
		t.Run(name, func(t *testing.T) {
			eachKilled(t, func(t *testing.T, dsn string, h *house) {
				h.people.states[lina] = "closed"
				h.sheets(lina, erasedRows)
				h.exec("INSERT INTO notes_marks (id, person_id) VALUES ('m', $1)", string(lina))
				p := h.as(campustest.Lina()).post("/privacy/requests", url.Values{"kind": {"erasure"}, "words": {"Tout."}}).is(303)
				desk := strings.Replace(p.location, "/requests/", "/desk/", 1)
				h.as(officer()).post(desk+"/erase", url.Values{
					"room.people": {"erase"}, "room.notes": {"erase"}, "room.privacy": {"erase"}, "answer": {"C’est fait."}, "login": {"lmartin"},
				}).is(303)
				dbtest.KillChild(t, "TestChildErases", dsn, func(line string) bool {
					var left int
					_, err := fmt.Sscanf(line, "left %d", &left)
					return err == nil && left <= killAt
				})

				// In one question each: a server may commit in between what the killed process
				// had already sent.
				if n := h.count(`SELECT (SELECT COUNT(*) FROM notes_sheets WHERE person_id = $1) +
	(SELECT COALESCE(SUM(row_count), 0) FROM privacy_steps WHERE table_name = 'notes_sheets' AND fate = 'deleted')`, string(lina)); n != erasedRows {
					t.Errorf("%d rows are left or counted as erased, of %d", n, erasedRows)
				}
				if n := h.count("SELECT (SELECT COUNT(*) FROM privacy_erasures WHERE state = 'done') - (SELECT COUNT(*) FROM privacy_proofs)"); n != 0 {
					t.Errorf("%d erasures are done without their proof", n)
				}
				left := h.count("SELECT COUNT(*) FROM notes_sheets WHERE person_id = $1", string(lina))
				t.Logf("killed with %d rows left", left)
				if left > 0 {
					h.get(desk).is(200).says("En cours", "!Effacement terminé")
				}
				h.clock.Advance(10 * time.Minute)
				h.work()
				for query, want := range map[string]int{
					"SELECT COUNT(*) FROM notes_sheets": 0, "SELECT COUNT(*) FROM notes_marks": 1, "SELECT COUNT(*) FROM notes_people WHERE login = 'lmartin'": 0,
					"SELECT COUNT(*) FROM privacy_erasures WHERE person_id = '' AND sealed = '' AND state = 'done'": 1,
					"SELECT COUNT(*) FROM privacy_proofs": 1,
					"SELECT SUM(row_count) FROM privacy_steps WHERE table_name = 'notes_sheets' AND fate = 'deleted'": erasedRows,
					"SELECT COUNT(*) FROM privacy_requests WHERE state = 'done' AND person_id = ''":                   1,
				} {
					if n := h.count(query); n != want {
						t.Errorf("%s: %d, want %d", query, n, want)
					}
				}
				h.get("/privacy/proofs?login=lmartin").says("1 preuve, intacte", fmt.Sprint(erasedRows))
				if held, broken, err := h.privacy.Erasures().Verify(t.Context()); held != 1 || broken != 0 || err != nil {
					t.Errorf("the chain: %d hold, %d is broken, %v", held, broken, err)
				}
			})
		})
	}
}
