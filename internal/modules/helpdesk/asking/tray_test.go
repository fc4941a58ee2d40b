package asking_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// posted sends a form with a file, and returns the page.
func posted(t *testing.T, c *http.Client, address string, fields url.Values, name, content string) (*http.Response, string) {
	t.Helper()
	var sent bytes.Buffer
	form := multipart.NewWriter(&sent)
	for field, values := range fields {
		for _, value := range values {
			if err := form.WriteField(field, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	part, err := form.CreateFormFile("files", name)
	if err == nil {
		_, err = io.WriteString(part, content)
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

func TestFilesOfARequestThatComesBackAreNotLost(t *testing.T) {
	lina := tickettest.English(campustest.Lina())
	for name, viewer := range map[string]campus.Viewer{"of who has signed in": lina, "of a stranger": {}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, f *tickettest.Front) {
				f.Viewer = viewer
				c, address := pagetest.Still(), f.Server.URL+"/helpdesk/ask/write"
				resp, page := posted(t, c, address, request("subject", "", "contact", "nobody@home.example"), "thesis.txt", "To be or not")
				if resp.StatusCode != http.StatusUnprocessableEntity {
					t.Fatalf("%d", resp.StatusCode)
				}
				shows(t, page, "Files that wait", "thesis.txt", "kept", `name="tray_keep" value="0" checked`)
				again := request("contact", "nobody@home.example", "tray", trayOf(t, page), "tray_keep", "0")
				pagetest.Ask(t, c, "POST", address, again)
				if !viewer.SignedIn() {
					pagetest.Ask(t, c, "POST", f.Server.URL+"/helpdesk/proof", pagetest.Form("code", tickettest.RightCode))
				}
				if got := brought(t, f, only(t, f, viewer.Person, "nobody@home.example")); len(got) != 1 || got[0].Name != "thesis.txt" || got[0].Ref == "" || got[0].Size != 12 {
					t.Errorf("it brought %+v", got)
				}
				// The same tray once more brings nothing, and the page says so.
				resp, page = pagetest.Ask(t, c, "POST", address, again)
				if resp.StatusCode != http.StatusUnprocessableEntity || strings.Contains(page, "thesis.txt") {
					t.Errorf("the second time: %d", resp.StatusCode)
				}
				shows(t, page, "The files of your last try are not here any more", `href="#field-files"`)
			})
		})
	}
}

func TestSomebodyElseDoesNotGetTheFilesThatWait(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = tickettest.English(campustest.Lina())
		c, address := pagetest.Still(), f.Server.URL+"/helpdesk/ask/write"
		_, page := posted(t, c, address, request("subject", ""), "thesis.txt", "To be or not")
		again := request("tray", trayOf(t, page), "tray_keep", "0")
		f.Viewer = tickettest.English(campustest.Paul())
		resp, page := pagetest.Ask(t, c, "POST", address, again)
		if resp.StatusCode != http.StatusUnprocessableEntity || strings.Contains(page, "thesis.txt") || len(f.Heard) != 0 {
			t.Errorf("somebody else: %d, %d requests", resp.StatusCode, len(f.Heard))
		}
		f.Viewer = tickettest.English(campustest.Lina())
		pagetest.Ask(t, c, "POST", address, again)
		if got := brought(t, f, only(t, f, f.Viewer.Person, "")); len(got) != 1 {
			t.Errorf("their own files are gone: %+v", got)
		}
	})
}

func TestTheFilesThatWaitAreBoundedForOnePerson(t *testing.T) {
	each(t, func(t *testing.T, f *tickettest.Front) {
		f.Viewer = tickettest.English(campustest.Lina())
		c, address := pagetest.Still(), f.Server.URL+"/helpdesk/ask/write"
		page := ""
		for range 15 {
			_, page = posted(t, c, address, request("subject", ""), "a.txt", "a")
		}
		shows(t, page, "a.txt")
		_, page = posted(t, c, address, request("subject", "", "tray", trayOf(t, page), "tray_keep", "0"), "b.txt", "b")
		shows(t, page, "a.txt", "Not kept from your last try", "many files came in a short time")
		if strings.Contains(page, "b.txt") {
			t.Error("a sixteenth file in a moment is kept")
		}
		f.Viewer = tickettest.English(campustest.Paul())
		_, page = posted(t, c, address, request("subject", ""), "c.txt", "c")
		shows(t, page, "c.txt")
	})
}
