package directory

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"log/slog"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/directory/entry"
	"github.com/amphi-campus/amphi/internal/modules/directory/mapping"
	"github.com/amphi-campus/amphi/internal/modules/directory/register"
	"github.com/amphi-campus/amphi/internal/modules/directory/source"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

// enrolled is a register of people that takes everybody and keeps them by login.
type enrolled struct {
	contract.Register
	people map[string]contract.Known
}

func (r enrolled) FindPeople(_ context.Context, by contract.Field, values []string) (map[string]campus.PersonID, error) {
	found := map[string]campus.PersonID{}
	for _, v := range values {
		if k, ok := r.people[v]; ok && by == contract.FieldLogin {
			found[v] = k.ID
		}
	}
	return found, nil
}

func (r enrolled) KnownPeople(context.Context, []campus.PersonID) (map[campus.PersonID]contract.Known, error) {
	known := map[campus.PersonID]contract.Known{}
	for _, k := range r.people {
		known[k.ID] = k
	}
	return known, nil
}

func (r enrolled) Check(contract.Subject) error { return nil }

func (r enrolled) Enrol(_ context.Context, _ db.Tx, s contract.Subject, _ string) (campus.PersonID, error) {
	k := contract.Known{ID: campus.PersonID(id.New()), Subject: s, State: "active"}
	r.people[s.Login] = k
	return k.ID, nil
}

// scripted is a source whose only record the test writes, and its cursor.
type scripted struct{ photo, cursor string }

func (s *scripted) ID() string { return "hr" }

func (s *scripted) Read(_ context.Context, _ string, each func(source.Record) error) (source.Result, error) {
	values := map[string][]string{"uid": {"ada"}, "mail": {"ada@valmont.example"}, "sn": {"Lovelace"}}
	if s.photo != "" {
		values["jpegphoto"] = []string{s.photo}
	}
	return source.Result{Complete: source.Kinds, Cursor: s.cursor}, each(source.Record{Kind: source.Person, Key: "1", Where: "line 1", Values: values})
}

// portrait is a picture of one colour.
func portrait(t *testing.T, shade uint8) string {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, 800, 600))
	for i := range picture.Pix {
		picture.Pix[i] = color.Gray{Y: shade}.Y
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// stored counts the files of a store.
func stored(t *testing.T, store *files.DiskStore) (n int) {
	t.Helper()
	if err := store.Walk(t.Context(), func(files.Ref, files.Meta) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// workOff lets jobs run until none is left.
func workOff(t *testing.T, d *db.DB, work *jobs.Registry) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		jobs.NewRunner(d, work, slog.New(slog.DiscardHandler), jobs.Options{Poll: 5 * time.Millisecond}).Run(ctx)
	}()
	for left := 1; left > 0; time.Sleep(5 * time.Millisecond) {
		var err error
		if left, err = jobs.NewBoard(d).Count(ctx, jobs.Filter{}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	<-ended
}

// engineOf is an engine that reads one source.
func engineOf(t *testing.T, d *db.DB, now clock.Clock, paper *scripted, people enrolled, photos register.Photos) *register.Engine {
	t.Helper()
	config := source.Config{ID: "hr", Kind: source.KindLDAP, Preset: source.PresetEduPerson}
	mapped, err := mapping.New(config, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return register.New(register.Deps{
		DB: d, Clock: now, Log: slog.New(slog.DiscardHandler), Zone: time.UTC, Register: people, Entries: bridge{}, Photos: photos,
		Feeds: []register.Feed{{Config: config, Mapper: mapped, Open: func() (source.Reader, error) { return paper, nil }}},
	}, register.Defaults())
}

func TestAPhotoFollowsItsSource(t *testing.T) {
	now := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
	dbtest.EachAt(t, now, func(t *testing.T, d *db.DB) {
		store, err := files.Disk(t.TempDir(), 10<<20)
		if err != nil {
			t.Fatal(err)
		}
		paper, people := &scripted{}, enrolled{people: map[string]contract.Known{}}
		engine := engineOf(t, d, now, paper, people, entry.Photos{DB: d, Files: store})
		work := jobs.NewRegistry()
		entry.Jobs(work, d, store)
		read := func(photo string, dry bool) (register.Run, files.Ref) {
			t.Helper()
			now.Advance(time.Hour)
			paper.photo = photo
			r, err := engine.Run(t.Context(), register.Order{Source: "hr", Full: true, Dry: dry})
			if err != nil {
				t.Fatal(err)
			}
			profiles, err := entry.Profiles(t.Context(), d.Read(), []campus.PersonID{people.people["ada"].ID})
			if err != nil {
				t.Fatal(err)
			}
			return r, profiles[people.people["ada"].ID].Photo
		}
		white, grey := portrait(t, 250), portrait(t, 90)
		if read(white, true); stored(t, store) != 0 {
			t.Error("a rehearsal stored a picture")
		}
		_, first := read(white, false)
		if first == "" || stored(t, store) != 1 {
			t.Fatalf("the entry shows %q, and there are %d files", first, stored(t, store))
		}
		content, _, err := store.Open(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		facts, _, err := image.DecodeConfig(content)
		if err := errors.Join(err, content.Close()); err != nil || facts.Width != entry.PhotoWidth {
			t.Errorf("the picture was not drawn again: %v, %v", facts, err)
		}
		if r, same := read(white, false); same != first || r.Counts.Unchanged != 1 || stored(t, store) != 1 {
			t.Errorf("the same picture became %q, with %d files", same, stored(t, store))
		}
		_, second := read(grey, false)
		if second == "" || second == first {
			t.Errorf("a new picture is %q", second)
		}
		workOff(t, d, work)
		if _, _, err := store.Open(t.Context(), first); !errors.Is(err, files.NotFound) {
			t.Errorf("the old picture is still there: %v", err)
		}
		if r, broken := read("\x89PNG\r\n\x1a\nbroken", false); broken != second || r.Counts.Refusals != 1 {
			t.Errorf("a picture that cannot be read made %q of it, with %d refusals", broken, r.Counts.Refusals)
		}
		if _, none := read("", false); none != "" {
			t.Errorf("the source has no picture any more, and the entry %q", none)
		}
		workOff(t, d, work)
		if n := stored(t, store); n != 0 {
			t.Errorf("%d files stay behind", n)
		}
	}, db.Migrations{Name: jobs.Name, FS: jobs.Migrations()}, db.Migrations{Name: "directory", FS: new(Module).Migrations()})
}

// before are the steps of the room that come before one, as the release before had them.
func before(t *testing.T, steps fs.FS, left string) fs.FS {
	t.Helper()
	rest := fstest.MapFS{}
	names, err := fs.Glob(steps, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(steps, name)
		if err != nil {
			t.Fatal(err)
		}
		if name < left {
			rest[name] = &fstest.MapFile{Data: text}
		}
	}
	if !slices.Contains(names, left) {
		t.Fatalf("there is no step %s", left)
	}
	return rest
}

func TestWhoWasReadBeforePicturesWereKeptGetsTheirsOnce(t *testing.T) {
	dbtest.EachDSN(t, func(t *testing.T, dsn string) {
		now := clock.At(time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC))
		d, err := db.Open(t.Context(), db.Config{DSN: dsn, Clock: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
		migrate := func(steps fs.FS) {
			t.Helper()
			if err := d.Migrate(t.Context(), []db.Migrations{{Name: jobs.Name, FS: jobs.Migrations()}, {Name: "directory", FS: steps}}); err != nil {
				t.Fatal(err)
			}
		}
		steps := new(Module).Migrations()
		migrate(before(t, steps, "migrations/0017_photos_again.sql"))
		paper, people := &scripted{photo: portrait(t, 90), cursor: "42"}, enrolled{people: map[string]contract.Known{}}
		read := func(photos register.Photos) (register.Run, files.Ref) {
			t.Helper()
			now.Advance(time.Minute) // everything is read again after a day only
			r, err := engineOf(t, d, now, paper, people, photos).Run(t.Context(), register.Order{Source: "hr"})
			if err != nil {
				t.Fatal(err)
			}
			profiles, err := entry.Profiles(t.Context(), d.Read(), []campus.PersonID{people.people["ada"].ID})
			if err != nil {
				t.Fatal(err)
			}
			return r, profiles[people.people["ada"].ID].Photo
		}
		if _, shown := read(nil); shown != "" {
			t.Fatalf("the release before shows %q", shown)
		}
		store, err := files.Disk(t.TempDir(), 10<<20)
		if err != nil {
			t.Fatal(err)
		}
		keep := entry.Photos{DB: d, Files: store}
		if r, shown := read(keep); shown != "" || r.Mode != "incremental" || r.Counts.Unchanged != 1 {
			t.Fatalf("without the step the run was %s and the entry shows %q", r.Mode, shown)
		}
		migrate(steps)
		r, shown := read(keep)
		if shown == "" || r.Mode != "full" {
			t.Errorf("after the step the run was %s and the entry shows %q", r.Mode, shown)
		}
		if c := r.Counts; c.Changes != 0 || c.Departures != 0 {
			t.Errorf("a picture that comes late counts before the brake: %+v", c)
		}
		if r, again := read(keep); again != shown || r.Counts.Unchanged != 1 || r.Mode != "incremental" {
			t.Errorf("the run after was %s with %+v, and the entry shows %q", r.Mode, r.Counts, again)
		}
	})
}
