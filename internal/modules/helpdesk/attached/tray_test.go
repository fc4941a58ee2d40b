package attached_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// counterOf is a page with a form for files, which comes back when it says "again".
type counterOf struct {
	*tickettest.Desk
	*attached.Attached
	url  string
	lock sync.Mutex
	got  attached.Brought // of the last form that did not come back
	tray attached.Tray    // of the last one that did
}

func eachCounter(t *testing.T, test func(*testing.T, *counterOf)) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		c := &counterOf{Desk: x, Attached: shelf(t, x)}
		c.url = x.Serve(func(r *web.Router) {
			r.Handle("POST /send", func(w http.ResponseWriter, r *http.Request) error {
				form, err := web.Form(r)
				if err != nil {
					return err
				}
				got, err := c.Bring(r, "files")
				if err != nil {
					return err
				}
				c.lock.Lock()
				defer c.lock.Unlock()
				if form.Get("again") == "" {
					c.got = got
					return nil
				}
				c.got.Lost = got.Lost
				c.tray, err = c.LayAside(r, got.Files)
				return err
			}, web.Public, web.BodyLimit(attached.MaxBody))
		}).URL + "/send"
		test(t, c)
	})
}

// send posts the form: fields are pairs, files their contents by name.
func (c *counterOf) send(files map[string]string, pairs ...string) {
	c.T.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part, err := form.CreateFormFile("files", name)
		if err == nil {
			_, err = part.Write([]byte(files[name]))
		}
		if err != nil {
			c.T.Error(err)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := form.WriteField(pairs[i], pairs[i+1]); err != nil {
			c.T.Error(err)
		}
	}
	if err := form.Close(); err != nil {
		c.T.Error(err)
	}
	resp, err := http.Post(c.url, form.FormDataContentType(), &body)
	if err != nil {
		c.T.Error(err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.T.Errorf("the form answers %d", resp.StatusCode)
	}
}

// names are what files are called, those that were refused with a cross.
func names(list []ticket.Attachment) string {
	var all []string
	for _, f := range list {
		name := f.Name
		if f.Refused != "" {
			name += " x"
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

func TestFilesWaitForTheNextTryOfAForm(t *testing.T) {
	eachCounter(t, func(t *testing.T, c *counterOf) {
		c.Viewer = campustest.Lina()
		c.send(map[string]string{"a.txt": "a", "b.txt": "bb", "c.exe": "c"}, "again", "yes")
		first := c.tray
		if names(first.Files) != "a.txt, b.txt" || names(first.Refused) != "c.exe x" || first.Token == "" || first.Files[1].Size != 2 {
			t.Fatalf("there wait %+v", first)
		}
		// A second mistake, with one more file.
		c.send(map[string]string{"d.txt": "d"}, "again", "yes", "tray", first.Token, "tray_keep", "0", "tray_keep", "1")
		if names(c.tray.Files) != "a.txt, b.txt, d.txt" || c.tray.Token == first.Token || c.got.Lost {
			t.Fatalf("after another mistake there wait %+v", c.tray)
		}
		// It is right at last, without the second file.
		c.send(nil, "tray", c.tray.Token, "tray_keep", "0", "tray_keep", "2")
		if names(c.got.Files) != "a.txt, d.txt" || c.got.Lost || c.got.Files[0].MediaType != "text/plain; charset=utf-8" {
			t.Errorf("it brought %+v", c.got)
		}
		if n := kept(t, c.Attached); n != 2 {
			t.Errorf("%d files are kept", n)
		}
	})
}

func TestATrayBringsItsFilesOnceToWhoLaidThemAside(t *testing.T) {
	later := map[string]struct {
		viewer campus.Viewer
		token  func(string) string
		after  time.Duration
		keep   string
		files  string
		lost   bool
	}{
		"the same person":                      {viewer: campustest.Lina(), keep: "0", files: "a.txt"},
		"somebody else with the token":         {viewer: campustest.Paul(), keep: "0", lost: true},
		"a stranger with the token":            {keep: "0", lost: true},
		"a token that was altered":             {viewer: campustest.Lina(), token: func(s string) string { return s[1:] + "A" }, keep: "0", lost: true},
		"the hash instead of the token":        {viewer: campustest.Lina(), token: func(string) string { return "x' OR ''='" }, keep: "0", lost: true},
		"a minute before the day is over":      {viewer: campustest.Lina(), after: 24*time.Hour - time.Minute, keep: "0", files: "a.txt"},
		"a minute after it":                    {viewer: campustest.Lina(), after: 24*time.Hour + time.Minute, keep: "0", lost: true},
		"a file that the tray does not have":   {viewer: campustest.Lina(), keep: "7"},
		"nobody who wants any of them":         {viewer: campustest.Lina(), keep: ""},
		"nobody who wants any of those others": {viewer: campustest.Paul(), keep: ""},
	}
	for name, test := range later {
		t.Run(name, func(t *testing.T) {
			eachCounter(t, func(t *testing.T, c *counterOf) {
				c.Viewer = campustest.Lina()
				c.send(map[string]string{"a.txt": "a"}, "again", "yes")
				token := c.tray.Token
				if test.token != nil {
					token = test.token(token)
				}
				c.Viewer = test.viewer
				c.Clock.Advance(test.after)
				pairs := []string{"tray", token}
				if test.keep != "" {
					pairs = append(pairs, "tray_keep", test.keep)
				}
				c.send(map[string]string{"new.txt": "n"}, pairs...)
				want := strings.TrimPrefix(test.files+", new.txt", ", ")
				if names(c.got.Files) != want || c.got.Lost != test.lost {
					t.Errorf("it brought %q, lost %t", names(c.got.Files), c.got.Lost)
				}
			})
		})
	}
}

func TestATrayIsTakenOnceWhenItIsSentTwiceAtATime(t *testing.T) {
	eachCounter(t, func(t *testing.T, c *counterOf) {
		c.send(map[string]string{"a.txt": "a"}, "again", "yes")
		token := c.tray.Token
		var all sync.WaitGroup
		for range 6 { // each of them comes back, so that what it brought waits again
			all.Go(func() { c.send(nil, "again", "yes", "tray", token, "tray_keep", "0") })
		}
		all.Wait()
		var waiting int
		if err := c.Desk.DB.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM helpdesk_uploads WHERE tray_hash <> ''`).Scan(&waiting); err != nil {
			t.Fatal(err)
		}
		if waiting != 1 || kept(t, c.Attached) != 1 {
			t.Errorf("%d files wait", waiting)
		}
		c.send(nil, "tray", token, "tray_keep", "0")
		if len(c.got.Files) != 0 || !c.got.Lost {
			t.Errorf("the old token brought %q", names(c.got.Files))
		}
	})
}

func TestWhatWaitsCountsForWhatAMessageMayBring(t *testing.T) {
	eachCounter(t, func(t *testing.T, c *counterOf) {
		many := map[string]string{}
		pairs := []string{"again", "yes"}
		for i := range attached.MaxFiles - 1 {
			many[fmt.Sprintf("%02d.txt", i)] = "x"
			pairs = append(pairs, "tray_keep", fmt.Sprint(i))
		}
		c.send(many, "again", "yes")
		c.send(map[string]string{"a.txt": "a", "b.txt": "b"}, append(pairs, "tray", c.tray.Token)...)
		if len(c.tray.Files) != attached.MaxFiles || names(c.tray.Refused) != "b.txt x" {
			t.Errorf("%d wait, refused %q", len(c.tray.Files), names(c.tray.Refused))
		}
		big := strings.Repeat("x", attached.MaxFile)
		c.send(map[string]string{"1.txt": big, "2.txt": big}, "again", "yes")
		c.send(map[string]string{"3.txt": big, "4.txt": "x"}, "again", "yes", "tray", c.tray.Token, "tray_keep", "0", "tray_keep", "1")
		if names(c.tray.Files) != "1.txt, 2.txt, 3.txt" || names(c.tray.Refused) != "4.txt x" {
			t.Errorf("there wait %q, refused %q", names(c.tray.Files), names(c.tray.Refused))
		}
	})
}

func TestWhatWaitsIsSweptErasedAndExported(t *testing.T) {
	eachCounter(t, func(t *testing.T, c *counterOf) {
		for _, who := range []campus.Viewer{campustest.Lina(), campustest.Paul(), {}} {
			c.Viewer = who
			c.send(map[string]string{"thesis.txt": "a"}, "again", "yes")
		}
		var out bytes.Buffer
		archive := &contract.Archive{Create: func(string) (io.Writer, error) { return &out, nil }}
		if err := c.Export(t.Context(), campustest.Lina().Person, archive); err != nil || strings.Count(out.String(), "thesis.txt") != 1 {
			t.Errorf("the export says %s, %v", out.String(), err)
		}
		erased, err := c.Erase(t.Context(), contract.Traced{ID: campustest.Lina().Person})
		if err != nil || len(erased) != 1 || erased[0] != (contract.Erased{Table: "helpdesk_uploads", Fate: contract.Deleted, Rows: 1}) || kept(t, c.Attached) != 2 {
			t.Errorf("erased %v, %v, %d left", erased, err, kept(t, c.Attached))
		}
		if _, err := c.Erase(t.Context(), contract.Traced{}); err != nil || kept(t, c.Attached) != 2 {
			t.Errorf("erasing nobody leaves %d files, %v", kept(t, c.Attached), err)
		}
		c.Clock.Advance(25 * time.Hour)
		if err := attached.Sweep(t.Context(), c.Attached); err != nil || kept(t, c.Attached) != 0 {
			t.Errorf("after a day %d are left, %v", kept(t, c.Attached), err)
		}
	})
}
