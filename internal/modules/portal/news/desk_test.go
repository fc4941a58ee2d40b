package news_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/portal"
	"github.com/amphi-campus/amphi/internal/modules/portal/news"
	"github.com/amphi-campus/amphi/internal/platform/clock"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/db/dbtest"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

var schema = db.Migrations{Name: "portal", FS: new(portal.Module).Migrations()}

var article = news.Content{
	Title: news.Text{French: "Horaires"}, Body: news.Text{French: "Jusqu’à 23 h."}, Summary: news.Text{French: "La bibliothèque"},
}

// each runs f at a desk of its own on both engines.
func each(t *testing.T, f func(t *testing.T, d *news.Desk, c *clock.Manual)) {
	c := clock.At(noon)
	dbtest.EachAt(t, c, func(t *testing.T, base *db.DB) {
		c.Set(noon)
		store, err := files.Disk(t.TempDir(), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		f(t, &news.Desk{DB: base, Clock: c, Log: slog.New(slog.DiscardHandler), Files: store, MaxPicture: 1 << 20}, c)
	}, schema)
}

func titles(t *testing.T, d *news.Desk, v campus.Viewer) string {
	t.Helper()
	list, err := d.Headlines(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, h := range list {
		all = append(all, h.Title.French)
	}
	return strings.Join(all, ", ")
}

func TestAnArticleGoesFromDraftToReadersAndAway(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, c *clock.Manual) {
		ctx, nadia, lina := t.Context(), campustest.Nadia(), campustest.Lina()
		content := article
		content.Audience = campus.Audience{Kinds: []campus.Kind{campus.Student}}
		content.UnpublishAt = noon.Add(3 * time.Hour)
		id, err := d.Write(ctx, nadia, content)
		if err != nil {
			t.Fatal(err)
		}
		if got := titles(t, d, lina); got != "" {
			t.Errorf("a draft is listed: %s", got)
		}
		if _, err := d.Read(ctx, lina, id); !errors.Is(err, news.Missing) {
			t.Errorf("reading a draft: %v", err)
		}
		stage, err := d.Take(ctx, nadia, id, 1, news.Publish)
		if err != nil || stage != news.StageOnline {
			t.Fatalf("publish: %s, %v", stage, err)
		}
		if got := titles(t, d, lina); got != "Horaires" {
			t.Errorf("the student sees %q at once", got)
		}
		if got := titles(t, d, campustest.Paul()); got != "" {
			t.Errorf("the teacher sees %q", got)
		}
		c.Advance(4 * time.Hour)
		if got := titles(t, d, lina); got != "" {
			t.Errorf("after its end the student sees %q", got)
		}
		if _, err := d.Read(ctx, lina, id); !errors.Is(err, news.Over) {
			t.Errorf("reading it after its end: %v", err)
		}
		if _, err := d.Read(ctx, campustest.Paul(), id); !errors.Is(err, news.Missing) {
			t.Errorf("somebody it was never for learns of it: %v", err)
		}
		if err := d.Delete(ctx, nadia, id); err != nil {
			t.Fatal(err)
		}
		if err := d.Delete(ctx, nadia, id); !errors.Is(err, news.Missing) {
			t.Errorf("deleting it twice: %v", err)
		}
	})
}

func TestAScheduledArticleAppearsByItself(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, c *clock.Manual) {
		content := article
		content.PublishAt = noon.Add(time.Hour)
		id, err := d.Write(t.Context(), campustest.Nadia(), content)
		if err != nil {
			t.Fatal(err)
		}
		if stage, err := d.Take(t.Context(), campustest.Nadia(), id, 1, news.Publish); err != nil || stage != news.StageScheduled {
			t.Fatalf("publish: %s, %v", stage, err)
		}
		if drafts, scheduled, err := d.Count(t.Context(), campustest.Nadia()); err != nil || drafts != 0 || scheduled != 1 {
			t.Errorf("the desk counts %d drafts, %d scheduled, %v", drafts, scheduled, err)
		}
		if got := titles(t, d, campustest.Lina()); got != "" {
			t.Errorf("too early: %q", got)
		}
		c.Advance(time.Hour)
		if got := titles(t, d, campustest.Lina()); got != "Horaires" {
			t.Errorf("at its time the student sees %q", got)
		}
	})
}

func TestTwoPublishersDoNotOverwriteEachOther(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, _ *clock.Manual) {
		id, err := d.Write(t.Context(), campustest.Nadia(), article)
		if err != nil {
			t.Fatal(err)
		}
		first, second := article, article
		first.Title.French, second.Title.French = "Premier", "Second"
		if err := d.Change(t.Context(), campustest.Nadia(), id, 1, first); err != nil {
			t.Fatal(err)
		}
		if err := d.Change(t.Context(), campustest.Nadia(), id, 1, second); !errors.Is(err, news.Changed) {
			t.Errorf("the second: %v", err)
		}
		if _, err := d.Take(t.Context(), campustest.Nadia(), id, 1, news.Publish); !errors.Is(err, news.Changed) {
			t.Errorf("publishing what one has not seen: %v", err)
		}
		a, err := d.ForEdit(t.Context(), campustest.Nadia(), id)
		if err != nil || a.Title.French != "Premier" || a.Version != 2 {
			t.Errorf("kept: %q version %d, %v", a.Title.French, a.Version, err)
		}
	})
}

func TestWhatIsOnlineCannotBecomeUnfinished(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, _ *clock.Manual) {
		empty := article
		empty.Body = news.Text{}
		id, err := d.Write(t.Context(), campustest.Nadia(), empty)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Take(t.Context(), campustest.Nadia(), id, 1, news.Publish); !errors.Is(err, news.Unfinished) {
			t.Errorf("publishing without a text: %v", err)
		}
		if err := d.Change(t.Context(), campustest.Nadia(), id, 1, article); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Take(t.Context(), campustest.Nadia(), id, 2, news.Publish); err != nil {
			t.Fatal(err)
		}
		if err := d.Change(t.Context(), campustest.Nadia(), id, 3, empty); !errors.Is(err, news.Unfinished) {
			t.Errorf("emptying what is online: %v", err)
		}
		if _, err := d.Take(t.Context(), campustest.Nadia(), id, 3, news.Reopen); !errors.Is(err, news.StepRefused) {
			t.Errorf("reopening what is online: %v", err)
		}
	})
}

func TestOnlyPublishersWrite(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, _ *clock.Manual) {
		id, err := d.Write(t.Context(), campustest.Nadia(), article)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []campus.Viewer{campustest.Lina(), campustest.Paul(), campustest.Sam(), campustest.Alix(), {}} {
			for act, try := range map[string]func() error{
				"write":   func() error { _, err := d.Write(t.Context(), v, article); return err },
				"change":  func() error { return d.Change(t.Context(), v, id, 1, article) },
				"publish": func() error { _, err := d.Take(t.Context(), v, id, 1, news.Publish); return err },
				"delete":  func() error { return d.Delete(t.Context(), v, id) },
				"list":    func() error { _, err := d.Entries(t.Context(), v); return err },
				"count":   func() error { _, _, err := d.Count(t.Context(), v); return err },
				"open":    func() error { _, err := d.ForEdit(t.Context(), v, id); return err },
				"illustrate": func() error {
					_, err := d.AddPicture(t.Context(), v, bytes.NewReader(drawing(t, 4, 4)), "a.png")
					return err
				},
				"find pictures": func() error { _, err := d.KnownPicture(t.Context(), v, id); return err },
			} {
				if err := try(); !errors.Is(err, news.PublishersOnly) {
					t.Errorf("%s may %s: %v", v.Login, act, err)
				}
			}
		}
	})
}

func TestAnImportedArticleComesOnce(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, _ *clock.Manual) {
		content := article
		content.PublishAt = noon.Add(-48 * time.Hour)
		first, err := d.Import(t.Context(), "valmont.hours", news.Ready, campustest.Nadia().Person, content)
		if err != nil {
			t.Fatal(err)
		}
		content.Title.French = "Autre"
		second, err := d.Import(t.Context(), "valmont.hours", news.Ready, campustest.Nadia().Person, content)
		if err != nil || first != second {
			t.Errorf("the second time: %s, %v", second, err)
		}
		if got := titles(t, d, campustest.Lina()); got != "Horaires" {
			t.Errorf("readers see %q", got)
		}
	})
}

func TestSearchIgnoresAccentsAndTellsNothingOfOthers(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, _ *clock.Manual) {
		content := article
		content.Audience = campus.Audience{Kinds: []campus.Kind{campus.Student}}
		if _, err := d.Import(t.Context(), "k", news.Ready, campustest.Nadia().Person, content); err != nil {
			t.Fatal(err)
		}
		for words, want := range map[string]int{"BIBLIOTHEQUE": 1, "bibliothèque horaires": 1, "piscine": 0, "": 0} {
			found, err := d.Search(t.Context(), campustest.Lina(), words, 10)
			if err != nil || len(found) != want {
				t.Errorf("%q finds %d, %v", words, len(found), err)
			}
		}
		if found, err := d.Search(t.Context(), campustest.Paul(), "bibliotheque", 10); err != nil || len(found) != 0 {
			t.Errorf("a teacher finds %v, %v", found, err)
		}
	})
}

func drawing(t *testing.T, wide, high int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, wide, high))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAPictureIsSeenByTheReadersOfItsArticle(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, c *clock.Manual) {
		ctx, nadia, lina := t.Context(), campustest.Nadia(), campustest.Lina()
		p, err := d.AddPicture(ctx, nadia, bytes.NewReader(drawing(t, 40, 20)), "salle.png")
		if err != nil || p.Width != 40 || p.Height != 20 {
			t.Fatalf("kept %+v, %v", p, err)
		}
		if _, err := d.PictureFile(ctx, lina, p.ID); !errors.Is(err, news.PictureMissing) {
			t.Errorf("a reader sees a picture of no article: %v", err)
		}
		content := article
		content.Picture = p
		content.Picture.Alt.French = "La salle"
		content.Audience = campus.Audience{Kinds: []campus.Kind{campus.Student}}
		if _, err := d.Import(ctx, "k", news.Ready, nadia.Person, content); err != nil {
			t.Fatal(err)
		}
		if _, err := d.PictureFile(ctx, lina, p.ID); err != nil {
			t.Errorf("its reader: %v", err)
		}
		for _, v := range []campus.Viewer{campustest.Paul(), {}} {
			if _, err := d.PictureFile(ctx, v, p.ID); !errors.Is(err, news.PictureMissing) {
				t.Errorf("%q sees it: %v", v.Login, err)
			}
		}
		unused, err := d.AddPicture(ctx, nadia, bytes.NewReader(drawing(t, 8, 8)), "b.png")
		if err != nil {
			t.Fatal(err)
		}
		c.Advance(25 * time.Hour)
		if err := d.DropPictures(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := d.PictureFile(ctx, nadia, unused.ID); !errors.Is(err, news.PictureMissing) {
			t.Errorf("a picture that nobody used is still there: %v", err)
		}
		if _, err := d.PictureFile(ctx, nadia, p.ID); err != nil {
			t.Errorf("the picture of an article is gone: %v", err)
		}
	})
}

func TestAPictureThatClaimsTooMuchIsRefused(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, _ *clock.Manual) {
		bomb := drawing(t, 8000, 8000) // a few kilobytes that unpack to 64 million pixels
		if _, err := d.AddPicture(t.Context(), campustest.Nadia(), bytes.NewReader(bomb), "b.png"); !errors.Is(err, files.PictureTooLarge) {
			t.Errorf("a bomb of %d bytes: %v", len(bomb), err)
		}
		if _, err := d.AddPicture(t.Context(), campustest.Nadia(), strings.NewReader("<svg/>"), "b.png"); !errors.Is(err, files.PictureUnreadable) {
			t.Errorf("a drawing: %v", err)
		}
		if _, err := d.AddPicture(t.Context(), campustest.Nadia(), bytes.NewReader(make([]byte, 2<<20)), "b.png"); !errors.Is(err, files.TooLarge) {
			t.Errorf("a large file: %v", err)
		}
	})
}

func TestAnIdentifierThatIsNoneIsSimplyMissing(t *testing.T) {
	each(t, func(t *testing.T, d *news.Desk, _ *clock.Manual) {
		for _, id := range []string{"", "x", "\xff\xfe", strings.Repeat("a", 5000), "00000000-0000-7000-8000-000000000000", "' OR 1=1 --"} {
			if _, err := d.Read(t.Context(), campustest.Nadia(), id); !errors.Is(err, news.Missing) {
				t.Errorf("%q: %v", id, err)
			}
			if _, err := d.PictureFile(t.Context(), campustest.Nadia(), id); !errors.Is(err, news.PictureMissing) {
				t.Errorf("picture %q: %v", id, err)
			}
		}
	})
}
