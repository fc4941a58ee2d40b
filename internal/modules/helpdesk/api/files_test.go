package api_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/api"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/ui/pagetest"
)

// upload sends a form with a file to a ticket.
func (h *house) upload(token, number, name, content string, fields ...string) answer {
	h.T.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := form.WriteField(fields[i], fields[i+1]); err != nil {
			h.T.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		h.T.Fatal(err)
	}
	if _, err := io.WriteString(part, content); err != nil {
		h.T.Fatal(err)
	}
	if err := form.Close(); err != nil {
		h.T.Fatal(err)
	}
	return h.ask(token, "POST", "/tickets/"+number+"/files", body.String(), "Content-Type", form.FormDataContentType())
}

// read asks for a file as it was kept.
func (h *house) read(token, path string) (*http.Response, string) {
	h.T.Helper()
	r, err := http.NewRequest(http.MethodGet, h.server.URL+root+path, nil)
	if err != nil {
		h.T.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		h.T.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		h.T.Fatal(err)
	}
	return a, string(text)
}

func items(a answer) (list []map[string]any) {
	all, _ := a.json["items"].([]any)
	for _, one := range all {
		list = append(list, one.(map[string]any))
	}
	return list
}

func TestProgramsSendAndReadFiles(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asked, token := h.Open(campustest.Lina(), "Wi-Fi", "x"), h.token()
		if a := h.upload(token, asked.Number, "page.html", "<script>alert(1)</script>", "body", "the log"); a.status != 201 || !strings.Contains(a.text, "the log") {
			t.Fatalf("an upload is answered %d %s", a.status, a.text)
		}
		if a := h.upload(token, asked.Number, "notes.txt", "among agents", "internal", "1"); a.status != 201 || strings.Contains(a.text, "notes.txt") {
			t.Fatalf("a file of a note is answered %d %s", a.status, a.text)
		}
		public, all := items(h.ask(token, "GET", "/tickets/"+asked.Number+"/files", "")), items(h.ask(token, "GET", "/tickets/"+asked.Number+"/files?internal=1", ""))
		if len(public) != 1 || len(all) != 2 || public[0]["name"] != "page.html" || public[0]["size"] != 25.0 || all[1]["internal"] != true {
			t.Fatalf("listed: %v and %v", public, all)
		}
		path := "/tickets/" + asked.Number + "/files/"
		a, text := h.read(token, path+fmt.Sprint(public[0]["id"]))
		if a.StatusCode != 200 || text != "<script>alert(1)</script>" || a.Header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("it is read as %d %v %q", a.StatusCode, a.Header, text)
		}
		if a, _ := h.read(token, path+fmt.Sprint(all[1]["id"])); a.StatusCode != 404 {
			t.Errorf("a file of a note is read without asking for notes: %d", a.StatusCode)
		}
		if a, text := h.read(token, path+fmt.Sprint(all[1]["id"])+"?internal=1"); a.StatusCode != 200 || text != "among agents" {
			t.Errorf("a file of a note: %d %q", a.StatusCode, text)
		}
	})
}

func TestFilesThatCannotBeKeptChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asked, token := h.Open(campustest.Lina(), "Wi-Fi", "x"), h.token()
		if a := h.upload(token, asked.Number, "run.exe", "MZ\x90\x00 program"); a.status != 422 || a.json["code"] != api.FileRefused.Code() {
			t.Errorf("a program is answered %d %s", a.status, a.text)
		}
		if a := h.ask(token, "POST", "/tickets/"+asked.Number+"/files", "{}", "Content-Type", "application/json"); a.status != 400 {
			t.Errorf("no file is answered %d", a.status)
		}
		h.Change(asked, tickettest.By(ticket.Agent, campustest.Sam()), func(w *ticket.Work) error { w.Move(h.other.ID); return nil })
		bound := h.token(func(o *api.Token) { o.Queues = []string{h.Queue.ID} })
		if a := h.upload(bound, asked.Number, "a.txt", "x"); a.status != 404 {
			t.Errorf("a ticket out of reach takes a file: %d", a.status)
		}
		var kept int
		if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM helpdesk_attachments) + (SELECT COUNT(*) FROM helpdesk_uploads)").Scan(&kept); err != nil || kept != 0 {
			t.Errorf("%d files were kept, %v", kept, err)
		}
	})
}

func TestProgramsAssignToWhoMayHandle(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		asked, token := h.Open(campustest.Lina(), "Wi-Fi", "x"), h.token()
		for _, c := range []struct {
			name, body string
			status     int
			who        string
		}{
			{"an agent", `{"assignee":"` + campustest.Sam().Mail + `"}`, 200, campustest.Sam().Mail},
			{"who is no agent", `{"assignee":"` + campustest.Lina().Mail + `"}`, 400, campustest.Sam().Mail},
			{"nobody knows", `{"assignee":"nobody@example.org"}`, 400, campustest.Sam().Mail},
			{"a change of something else", `{"priority":"high"}`, 200, campustest.Sam().Mail},
			{"nobody", `{"assignee":""}`, 200, ""},
			{"a queue and an agent", `{"queue":"` + h.other.ID + `","assignee":"` + campustest.Sam().Mail + `"}`, 200, campustest.Sam().Mail},
		} {
			if a := h.ask(token, "PATCH", "/tickets/"+asked.Number, c.body); a.status != c.status {
				t.Errorf("%s: %d %s", c.name, a.status, a.text)
			}
			if a := h.ask(token, "GET", "/tickets/"+asked.Number, ""); c.who != "" && a.json["assignee"] != c.who || c.who == "" && a.json["assignee"] != nil {
				t.Errorf("%s: it has %v", c.name, a.json["assignee"])
			}
		}
		if list := items(h.ask(token, "GET", "/tickets?assignee="+campustest.Sam().Mail, "")); len(list) != 1 || list[0]["assignee"] != campustest.Sam().Mail {
			t.Errorf("by agent: %v", list)
		}
	})
}

func TestProgramsSearchByWords(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		token := h.token()
		first, second := h.Open(campustest.Lina(), "Réseau eduroam", "La borne du hall est éteinte"), h.Open(campustest.Lina(), "Eduroam", "depuis ce matin")
		h.Change(second, tickettest.By(ticket.Agent, campustest.Sam()), func(w *ticket.Work) error { w.Move(h.other.ID); return nil })
		for _, c := range []struct {
			query string
			want  int
		}{{"eduroam+", 2}, {"EDUROAM+reseau+", 1}, {"eduro", 2}, {"borne+", 1}, {"nothing+", 0}, {"eduroam+&queue=" + h.other.ID, 1}} {
			if list := items(h.ask(token, "GET", "/tickets?q="+c.query, "")); len(list) != c.want {
				t.Errorf("%s finds %v", c.query, list)
			}
		}
		page := h.ask(token, "GET", "/tickets?q=eduroam+&limit=1", "")
		next := items(h.ask(token, "GET", "/tickets?q=eduroam+&limit=1&after="+fmt.Sprint(page.json["after"]), ""))
		if list := items(page); len(list) != 1 || len(next) != 1 || list[0]["number"] == next[0]["number"] {
			t.Errorf("pages: %v, then %v", list, next)
		}
		bound := h.token(func(o *api.Token) { o.Queues = []string{h.Queue.ID} })
		if list := items(h.ask(bound, "GET", "/tickets?q=eduroam+", "")); len(list) != 1 || list[0]["number"] != first.Number {
			t.Errorf("a token of one queue finds %v", list)
		}
	})
}

func TestWhoMadeATokenIsToldThatItEnds(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.token(func(o *api.Token) { o.Label, o.MadeBy = "of a manager", "manager" })
		h.token(func(o *api.Token) { o.Label, o.MadeBy = "of somebody who left", "gone" })
		warn := func(name string, manager, other int) {
			for range 2 { // a job may run twice
				if err := h.api.Warn(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(h.told["manager"]) != manager || len(h.told["other-manager"]) != other || len(h.told["gone"]) != 0 {
				t.Errorf("%s: told %v", name, h.told)
			}
		}
		warn("a month before", 0, 0)
		h.Clock.Advance(17 * 24 * time.Hour)
		warn("13 days before", 2, 1)
		h.Clock.Advance(12 * 24 * time.Hour)
		warn("a day before", 4, 2)
		h.Clock.Advance(48 * time.Hour)
		warn("afterwards", 4, 2)
		n := h.told["other-manager"][0]
		if !strings.Contains(n.DetailFrench, "of somebody who left") || n.TitleFrench == n.TitleEnglish || n.Key == "" || h.told["other-manager"][1].Tone != "warn" {
			t.Errorf("told %+v", n)
		}
	})
}

func TestTheJournalSaysWhatBecameOfTokens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		page := h.server.URL + "/helpdesk/setup/programs/journal"
		manager := campustest.Paul()
		manager.Rights = []campus.Right{campus.RightDesks}
		for _, c := range []struct {
			name string
			who  campus.Viewer
			want int
		}{{"a stranger", campus.Viewer{}, 303}, {"a student", campustest.Lina(), 403}, {"an agent", campustest.Sam(), 403}, {"who runs the desk", manager, 200}} {
			h.Viewer = c.who
			if a, _ := pagetest.Ask(t, pagetest.Still(), "GET", page, nil); a.StatusCode != c.want {
				t.Errorf("%s reads it: %d", c.name, a.StatusCode)
			}
		}
		h.Viewer.Locale = campus.English
		used := h.token(func(o *api.Token) { o.Label, o.MadeBy = "Printer bot", campustest.Sam().Person })
		h.ask(used, "GET", "/queues", "")
		made, _, err := h.api.AddToken(t.Context(), api.Token{Label: "Old bot"}, 30)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.api.Revoke(t.Context(), made.ID, campustest.Lina().Person); err != nil {
			t.Fatal(err)
		}
		h.Tx(func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE helpdesk_tokens SET used_from = '192.0.2.7' WHERE used_at > 0")
			return err
		})
		_, text := pagetest.Ask(t, pagetest.Still(), "GET", page, nil)
		sam, lina := campustest.Sam(), campustest.Lina()
		for _, want := range []string{"Printer bot", "Old bot", "192.0.2.7", sam.GivenName + " " + sam.FamilyName, "by " + lina.GivenName + " " + lina.FamilyName} {
			if !strings.Contains(text, want) {
				t.Errorf("it does not say %q", want)
			}
		}
		for range 50 {
			h.token()
		}
		if _, text := pagetest.Ask(t, pagetest.Still(), "GET", page, nil); !strings.Contains(text, "?before=") || strings.Contains(text, "Printer bot") {
			t.Error("the journal has no second page")
		}
	})
}
