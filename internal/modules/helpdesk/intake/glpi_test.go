package intake_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/intake"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/testenv/need"
)

// glpi answers as the REST API of GLPI does by its documentation (apirest.md): two
// tokens, lists of fifty unless a range is asked, links beside items unless they are
// declined, and the bytes of a document for who accepts them.
type glpi struct {
	lists map[string][]map[string]any // by address: User, Ticket/501/ITILFollowup
	files map[string][]byte           // of documents, by number
}

func (g glpi) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/apirest.php/"), "/")
	say := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v) // who asked hung up
	}
	refuse := func(status int, code string) { say(status, []string{code, "See the documentation"}) }
	if r.Header.Get("App-Token") != "app" {
		refuse(http.StatusBadRequest, "ERROR_WRONG_APP_TOKEN_PARAMETER")
		return
	}
	if path == "initSession" {
		if r.Header.Get("Authorization") != "user_token key" {
			refuse(http.StatusUnauthorized, "ERROR_GLPI_LOGIN_USER_TOKEN")
			return
		}
		say(http.StatusOK, map[string]string{"session_token": "session"})
		return
	}
	if r.Header.Get("Session-Token") != "session" {
		refuse(http.StatusUnauthorized, "ERROR_SESSION_TOKEN_INVALID")
		return
	}
	linked := func(one map[string]any) map[string]any {
		one = maps.Clone(one)
		if r.FormValue("get_hateoas") != "false" {
			one["links"] = []map[string]string{{"rel": "Entity", "href": "http://glpi/Entity/0"}}
		}
		return one
	}
	parts := strings.Split(path, "/")
	if len(parts) == 2 {
		i := slices.IndexFunc(g.lists[parts[0]], func(one map[string]any) bool { return fmt.Sprint(one["id"]) == parts[1] })
		switch {
		case i < 0:
			refuse(http.StatusNotFound, "ERROR_ITEM_NOT_FOUND")
		case parts[0] == "Document" && r.Header.Get("Accept") == "application/octet-stream":
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(g.files[parts[1]]) // who asked hung up
		default:
			say(http.StatusOK, linked(g.lists[parts[0]][i]))
		}
		return
	}
	list, from, until := g.lists[path], 0, 50
	if first, last, ok := strings.Cut(r.FormValue("range"), "-"); ok {
		from, _ = strconv.Atoi(first) // as PHP does: 0
		until, _ = strconv.Atoi(last)
	}
	if from > 0 && from >= len(list) {
		refuse(http.StatusBadRequest, "ERROR_RANGE_EXCEED_TOTAL")
		return
	}
	shown, status := []map[string]any{}, http.StatusOK
	for _, one := range list[from:min(until+1, len(list))] {
		shown = append(shown, linked(one))
	}
	if len(shown) < len(list) {
		status = http.StatusPartialContent
	}
	w.Header().Set("Content-Range", fmt.Sprintf("%d-%d/%d", from, until, len(list)))
	say(status, shown)
}

type row = map[string]any

// library is a GLPI with 230 people and three tickets: one whose private note has a
// contract that GLPI names beside the ticket too, one that brings a program, one of
// which only a link is known.
func library() glpi {
	g := glpi{files: map[string][]byte{"11": []byte("Plan of the room\n"), "12": []byte("%PDF-1.4 contract\n%%EOF\n"), "13": []byte("MZ program")}, lists: map[string][]row{
		"ITILCategory": {{"id": 4, "name": "Comptes", "completename": "Assistance > Comptes"}},
		"Document": {
			{"id": 11, "name": "Plan", "filename": "plan.txt", "mime": "text/plain"}, {"id": 12, "name": "Contrat", "filename": "contrat.pdf", "mime": "application/pdf"},
			{"id": 13, "name": "Outil", "filename": "outil.exe", "mime": "application/x-dosexec"}, {"id": 14, "name": "Notice", "filename": "", "link": "https://docs.example/notice"},
		},
		"Ticket": {
			{"id": 501, "name": "Scanner", "content": "&lt;p&gt;En panne&lt;/p&gt;", "status": 6, "priority": 3, "date": "2023-07-14 10:00:00", "solvedate": "2023-07-15 12:00:00", "closedate": "2023-07-20 09:00:00", "itilcategories_id": 4},
			{"id": 502, "name": "Outil", "content": "Voici", "status": 2, "priority": 3, "date": "2023-07-14 10:00:00", "itilcategories_id": 4},
			{"id": 503, "name": "Sans file", "content": "x", "status": 2, "priority": 3, "date": "2023-07-14 10:00:00", "itilcategories_id": 0},
		},
		"Ticket/501/Ticket_User":        {{"id": 1, "users_id": 7, "type": 1}, {"id": 2, "users_id": 8, "type": 2}},
		"Ticket/501/ITILFollowup":       {{"id": 31, "users_id": 8, "content": "Contrat terminé", "is_private": 1, "date": "2023-07-14 11:30:00"}},
		"Ticket/501/ITILSolution":       {{"id": 41, "users_id": 8, "content": "Remplacé", "date_creation": "2023-07-15 12:00:00"}},
		"Ticket/501/Document_Item":      {{"id": 51, "documents_id": 11}, {"id": 52, "documents_id": 12}},
		"ITILFollowup/31/Document_Item": {{"id": 53, "documents_id": 12}},
		"ITILSolution/41/Document_Item": {{"id": 54, "documents_id": 14}},
		"Ticket/502/Ticket_User":        {{"id": 3, "users_id": 7, "type": 1}},
		"Ticket/502/Document_Item":      {{"id": 55, "documents_id": 13}},
	}}
	for id := range 230 {
		g.lists["User"] = append(g.lists["User"], row{"id": id + 1000, "name": "u" + strconv.Itoa(id)})
	}
	g.lists["User"] = append(g.lists["User"], row{"id": 7, "name": "lmartin", "realname": "Martin", "firstname": "Lina"}, row{"id": 8, "name": "sokafor", "realname": "Okafor", "firstname": "Sam"})
	g.lists["UserEmail"] = []row{{"id": 1, "users_id": 7, "email": campustest.Lina().Mail, "is_default": 1}, {"id": 2, "users_id": 8, "email": campustest.Sam().Mail, "is_default": 1}}
	return g
}

// exported runs the recipe of docs/helpdesk/import.md.
func exported(t *testing.T, g glpi) string {
	t.Helper()
	need.Program(t, "curl")
	need.Program(t, "jq")
	guide, err := os.ReadFile("../../../../docs/helpdesk/import.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)\n## GLPI\n.*?\n```\n(.*?)\n```\n").FindSubmatch(guide)
	if found == nil {
		t.Fatal("the guide has no recipe for GLPI")
	}
	server := httptest.NewServer(g)
	defer server.Close()
	shell := exec.CommandContext(t.Context(), "bash", "-c", string(found[1]))
	shell.Dir = t.TempDir()
	shell.Env = append(os.Environ(), "G="+server.URL, "A=app", "T=key", "no_proxy=*")
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("the recipe stops: %v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(shell.Dir, "export.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheRecipeForGLPIBringsDocuments(t *testing.T) {
	export := exported(t, library())
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		in, _ := open(t, x.DB, x.Tickets, x.Zone)
		var said []string
		report, err := in.Run(t.Context(), intake.Order{
			From: "glpi", Refused: func(r intake.Refusal) { said = append(said, r.String()) }, Unkept: func(u intake.Unkept) { said = append(said, u.String()) },
		}, strings.NewReader(export))
		if err != nil || report.Lines != 4 || report.Tickets != 2 || report.Files != 2 || report.Unkept != 1 || report.Refused != 1 || report.Unmatched != 0 {
			t.Fatalf("%+v %q %v\n%s", report, said, err, export)
		}
		want := []string{`line 4, ticket 503: there is no queue "" here`, `line 3, ticket 502: the file "outil.exe" is not kept: it is a program`}
		for i := range want {
			if i >= len(said) || !strings.HasPrefix(said[i], want[i]) {
				t.Errorf("said %q, want %q", said, want)
			}
		}
		got, thread := imported(t, x, "glpi", "501")
		if got.Requester != campustest.Lina().Person || got.Assignee != campustest.Sam().Person || len(thread.Messages) != 3 {
			t.Fatalf("it became %+v %+v", got, thread.Messages)
		}
		first, note, solution := thread.Messages[0], thread.Messages[1], thread.Messages[2]
		if len(first.Files) != 1 || first.Files[0].Name != "plan.txt" || !note.Internal || len(note.Files) != 1 || note.Files[0].Name != "contrat.pdf" {
			t.Errorf("the files are %+v and %+v: those of a note stay with it", first.Files, note.Files)
		}
		if solution.Body != "Remplacé\n\nNotice: https://docs.example/notice" || len(solution.Files) != 0 {
			t.Errorf("a document that is an address became %+v", solution)
		}
		if _, thread := imported(t, x, "glpi", "502"); len(thread.Messages[0].Files) != 1 || thread.Messages[0].Files[0].Refused == "" {
			t.Errorf("a refused file is not named in its message: %+v", thread.Messages)
		}
	})
}

func TestDocumentsOfGLPIAreNamedWhenTheyDoNotCome(t *testing.T) {
	tickettest.Each(t, func(t *testing.T, x *tickettest.Desk) {
		in, _ := open(t, x.DB, x.Tickets, x.Zone)
		line := func(id int, documents string) string {
			return fmt.Sprintf(`{"id":%d,"name":"N","content":"x","status":1,"date":"2023-07-14 10:00:00","_category":"Comptes","_documents":[%s]}`+"\n", id, documents)
		}
		ok := base64.StdEncoding.EncodeToString([]byte("text"))
		export := line(1, `{"id":1,"filename":"gone.txt"}`) + line(2, `{"id":2,"filename":"bad.txt","data":"§"}`) +
			line(3, `{"id":3,"filename":"a &amp; b.txt","data":"`+ok+`"},{"id":3,"filename":"a.txt","data":"`+ok+`"}`) +
			`{"id":4,"name":"Only a file","status":1,"date":"2023-07-14 10:00:00","_category":"Comptes","_documents":[{"id":5,"filename":"c.txt","data":"` + ok + `"}]}` + "\n"
		for _, dry := range []bool{true, false} {
			var said []string
			report, err := in.Run(t.Context(), intake.Order{
				From: "glpi", DryRun: dry, Refused: func(r intake.Refusal) { said = append(said, r.String()) }, Unkept: func(u intake.Unkept) { said = append(said, u.String()) },
			}, strings.NewReader(export))
			if err != nil || report.Tickets != 3 || report.Files != 2 || report.Unkept != 1 || len(said) != 2 ||
				!strings.Contains(said[0], `ticket 2: the document "bad.txt"`) || !strings.Contains(said[1], `ticket 1: the file "gone.txt" is not kept: the export has no content of it`) {
				t.Errorf("dry %v: %+v %q %v", dry, report, said, err)
			}
		}
		if _, thread := imported(t, x, "glpi", "3"); len(thread.Messages[0].Files) != 1 || thread.Messages[0].Files[0].Name != "a & b.txt" {
			t.Errorf("a document named twice became %+v", thread.Messages[0].Files)
		}
		if _, thread := imported(t, x, "glpi", "4"); len(thread.Messages) != 1 || len(thread.Messages[0].Files) != 1 || thread.Messages[0].By.Role != ticket.Other {
			t.Errorf("a ticket that is only a file became %+v", thread.Messages)
		}
	})
}
