package following_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// posted sends an answer with a file, and returns the page.
func posted(t *testing.T, c *http.Client, address string, fields url.Values, name string) (*http.Response, string) {
	t.Helper()
	var sent bytes.Buffer
	form := multipart.NewWriter(&sent)
	for field := range fields {
		if err := form.WriteField(field, fields.Get(field)); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("files", name)
	if err == nil {
		_, err = io.WriteString(part, "content of "+name)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Post(address, form.FormDataContentType(), &sent)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(page)
}

var trayField = regexp.MustCompile(`name="tray" value="([^"]+)"`)

// trayOf is the token of the tray on a page.
func trayOf(t *testing.T, page string) string {
	t.Helper()
	found := trayField.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no tray in\n%s", page)
	}
	return found[1]
}

func TestFilesOfAnAnswerThatComesBackAreNotLost(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine := f.Open(lina, "S", "W")
		c, address := pagetest.Still(), f.Server.URL+"/helpdesk/follow/"+mine.Number+"/reply"
		resp, page := posted(t, c, address, pagetest.Form("body", strings.Repeat("é", 10001)), "thesis.txt")
		if resp.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("%d", resp.StatusCode)
		}
		shows(t, page, "Files that wait", "thesis.txt", "kept", "ééé")
		again := pagetest.Form("body", "", "tray", trayOf(t, page), "tray_keep", "0") // a file alone is an answer
		f.Viewer = hugo
		if resp, _ := pagetest.Ask(t, c, "POST", address, again); resp.StatusCode != http.StatusNotFound {
			t.Errorf("somebody else: %d", resp.StatusCode)
		}
		f.Viewer = lina
		if resp, _ := pagetest.Ask(t, c, "POST", address, again); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("the right answer: %d", resp.StatusCode)
		}
		thread, err := f.Tickets.Thread(t.Context(), mine.ID)
		if err != nil {
			t.Fatal(err)
		}
		if said := thread.Messages[1]; len(said.Files) != 1 || said.Files[0].Name != "thesis.txt" || said.Files[0].Ref == "" {
			t.Errorf("it brought %+v", said.Files)
		}
		resp, page = pagetest.Ask(t, c, "POST", address, again)
		if resp.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("the second time: %d", resp.StatusCode)
		}
		shows(t, page, "The files of your last try are not here any more", `href="#field-files"`)
	})
}

func TestAProgramAloneIsNoAnswer(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine := f.Open(lina, "S", "W")
		resp, page := posted(t, pagetest.Still(), f.Server.URL+"/helpdesk/follow/"+mine.Number+"/reply", pagetest.Form("body", ""), "setup.exe")
		if resp.StatusCode != http.StatusUnprocessableEntity || reload(t, f, mine).Messages != 1 {
			t.Errorf("%d", resp.StatusCode)
		}
		shows(t, page, "Write something, or add a file.", "setup.exe: Programs are not kept.")
	})
}

func TestWhoWritesTooFastKeepsWhatTheyWrote(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = lina
		mine := f.Open(lina, "S", "W")
		c, address := pagetest.Still(), f.Server.URL+"/helpdesk/follow/"+mine.Number+"/reply"
		_, page := posted(t, c, address, pagetest.Form("body", strings.Repeat("é", 10001)), "thesis.txt")
		for range 14 {
			pagetest.Ask(t, c, "POST", address, pagetest.Form("body", "Again"))
		}
		resp, page := posted(t, c, address, pagetest.Form("body", "One too many", "tray", trayOf(t, page), "tray_keep", "0"), "more.txt")
		if resp.StatusCode != http.StatusTooManyRequests || strings.Contains(page, "more.txt") {
			t.Errorf("%d", resp.StatusCode)
		}
		shows(t, page, "One too many", "thesis.txt", "You can write again in")
		before := reload(t, f, mine).Messages
		f.Clock.Advance(time.Minute)
		if resp, _ := pagetest.Ask(t, c, "POST", address, pagetest.Form("body", "One too many", "tray", trayOf(t, page), "tray_keep", "0")); resp.StatusCode != http.StatusSeeOther {
			t.Errorf("a minute later: %d", resp.StatusCode)
		}
		if now := reload(t, f, mine); now.Messages != before+1 {
			t.Errorf("%d messages", now.Messages)
		}
	})
}
