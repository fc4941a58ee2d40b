package handling_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/handling"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/tickettest"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/jobs"
)

func TestAnAnswerANoteAndWhatComesOfThem(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		status, _, to := k.post(tick, "messages", "body", "Essayez : mot de passe : Soleil2024!", "kind", "reply", "then", "wait", "minutes", "12", "version", ver(tick))
		now := k.now(tick)
		if status != http.StatusSeeOther || !strings.HasPrefix(to, handling.URL(tick.Number)) || now.State != ticket.Waiting || now.Spent.Minutes() != 12 || now.AnsweredAt.IsZero() {
			t.Fatalf("%d %s: %+v", status, to, now)
		}
		said := k.thread(tick).Messages[1]
		if said.Internal || strings.Contains(said.Body, "Soleil") || said.By.Name != "Sam Okafor" {
			t.Errorf("said %+v", said)
		}
		k.post(tick, "messages", "body", "Pour nous.", "kind", "note", "version", ver(now))
		thread := k.thread(tick)
		if len(thread.Messages) != 3 || !thread.Messages[2].Internal || len(thread.Public().Messages) != 2 || k.now(tick).State != ticket.Waiting {
			t.Errorf("a note: %+v", thread.Messages)
		}
		for name, form := range map[string][]string{
			"nothing": {"body", "  ", "kind", "reply"}, "minutes that are none": {"body", "garde ceci", "minutes", "dix"}, "too many minutes": {"body", "garde ceci", "minutes", "100000"},
			"an act that is none": {"body", "garde ceci", "then", "explode"}, "a book": {"body", strings.Repeat("a", 50_001)},
		} {
			if status, body, _ := k.post(tick, "messages", form...); status != http.StatusUnprocessableEntity || !strings.Contains(body, form[1]) {
				t.Errorf("%s: %d, or the text is lost", name, status)
			}
		}
	})
}

func TestNothingIsLostWhenTwoAgentsAnswerAtOnce(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		k.Clock.Advance(1_000_000_000)
		if status, _, _ := k.as(nour()).post(tick, "messages", "body", "La réponse de Nour.", "version", ver(tick), "seen", fmt.Sprint(tick.ChangedAt.UnixMicro())); status != http.StatusSeeOther {
			t.Fatalf("the first answer: %d", status)
		}
		status, body, _ := k.as(campustest.Sam()).post(tick, "messages", "body", "La réponse de Sam.", "then", "solve", "version", ver(tick), "seen", fmt.Sprint(tick.ChangedAt.UnixMicro()))
		if status != http.StatusConflict || k.now(tick).State == ticket.Solved {
			t.Fatalf("the second answer: %d", status)
		}
		contains(t, body, "La réponse de Sam.", "La réponse de Nour.", "Somebody changed this request while you wrote", ">new<")
		if !strings.Contains(k.page(tick), "La réponse de Sam.") {
			t.Error("the draft does not come back with the page")
		}
		version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(body)[1]
		if status, _, _ := k.post(tick, "messages", "body", "La réponse de Sam.", "then", "solve", "version", version); status != http.StatusSeeOther || k.now(tick).State != ticket.Solved {
			t.Errorf("sent again: %d", status)
		}
		if strings.Contains(k.page(tick), "You began to write") {
			t.Error("the draft stays after it was sent")
		}
	})
}

func TestAFileTravelsWithTheTextUntilItIsSent(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("files", "trace.txt")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(part, "trace"); err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"body": "voir", "minutes": "x", "version": ver(tick)} {
			if err := form.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := form.Close(); err != nil {
			t.Fatal(err)
		}
		resp, err := http.Post(k.server.URL+handling.URL(tick.Number)+"/messages", form.FormDataContentType(), &body)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		again, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("%d, %v", resp.StatusCode, err)
		}
		kept := html.UnescapeString(regexp.MustCompile(`name="kept" value="([^"]+)"`).FindStringSubmatch(string(again))[1])
		if _, _, _ = k.post(tick, "messages", "body", "voir", "kept", kept+"x", "version", ver(tick)); len(k.thread(tick).Messages[1].Files) != 0 {
			t.Error("a forged list of files was believed")
		}
		other := k.asked("Autre", "corps")
		if _, _, _ = k.post(other, "messages", "body", "voir", "kept", kept); len(k.thread(other).Messages[1].Files) != 0 {
			t.Error("files of one ticket came into another")
		}
		k.post(tick, "messages", "body", "voir", "kept", kept)
		sent := k.thread(tick).Messages[2]
		if len(sent.Files) != 1 || sent.Files[0].Name != "trace.txt" {
			t.Fatalf("sent with %v", sent.Files)
		}
		if status, content := k.get(handling.URL(tick.Number) + "/files/" + sent.Files[0].ID); status != http.StatusOK || content != "trace" {
			t.Errorf("read back: %d %q", status, content)
		}
	})
}

func TestWhoWritesIsSeenByTheOthers(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		if status, body, _ := k.as(nour()).post(tick, "draft", "body", "Je commence", "kind", "note", "touched", "1", "version", ver(tick)); status != http.StatusOK || strings.Contains(body, "Nour") {
			t.Fatalf("%d %s", status, body)
		}
		k.Clock.Advance(2 * 60 * 1_000_000_000)
		contains(t, k.as(campustest.Sam()).page(tick), "Nour Haddad is writing here", "2 minutes ago")
		k.Change(tick, tickettest.By(ticket.Agent, nour()), func(w *ticket.Work) error { return w.Take() })
		if _, body, _ := k.post(tick, "draft", "body", "", "version", ver(tick)); !strings.Contains(body, "Nour Haddad") || !strings.Contains(body, "meanwhile") {
			t.Errorf("the pulse says %s", body)
		}
		k.Clock.Advance(10 * 60 * 1_000_000_000)
		if strings.Contains(k.page(tick), "is writing here") {
			t.Error("who left ten minutes ago still writes")
		}
		contains(t, k.as(nour()).page(tick), "Je commence", `value="note" checked`)
		if k.post(tick, "draft", "body", "", "touched", "1"); strings.Contains(k.page(tick), "Je commence") {
			t.Error("a draft that was emptied comes back")
		}
	})
}

var undoMark = regexp.MustCompile(`[?]undo=([^"#]+)`)

func TestWhatWasDoneCanBeTakenBackForAWhile(t *testing.T) {
	for name, test := range map[string]struct {
		path string
		form func(other ticket.Ticket) []string
		back ticket.State
	}{
		"closing":                {"state", func(ticket.Ticket) []string { return []string{"to", "close"} }, ticket.New},
		"solving with an answer": {"messages", func(ticket.Ticket) []string { return []string{"body", "Voilà.", "then", "solve"} }, ticket.Open}, // the answer stays sent
		"solving with a note":    {"messages", func(ticket.Ticket) []string { return []string{"body", "Voilà.", "kind", "note", "then", "solve"} }, ticket.New},
		"taking":                 {"mine", func(ticket.Ticket) []string { return nil }, ticket.New},
		"handing over":           {"place", func(o ticket.Ticket) []string { return []string{"assignee", string(nour().Person), "queue", o.Queue} }, ticket.New},
		"merging":                {"merge", func(o ticket.Ticket) []string { return []string{"with", o.Number} }, ticket.New},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, k *kit) {
				tick, other := k.asked("S", "corps"), k.asked("Autre", "corps")
				status, _, to := k.post(tick, test.path, test.form(other)...)
				mark := undoMark.FindStringSubmatch(to)
				if status != http.StatusSeeOther || mark == nil {
					t.Fatalf("%d %s", status, to)
				}
				undo, err := url.QueryUnescape(mark[1])
				if err != nil {
					t.Fatal(err)
				}
				if _, body := k.get(to); !strings.Contains(body, "Take it back") {
					t.Error("the page does not offer to take it back")
				}
				if status, _, _ := k.as(nour()).post(tick, "undo", "undo", undo); status != http.StatusConflict {
					t.Errorf("another agent took it back: %d", status)
				}
				if status, _, _ := k.as(campustest.Sam()).post(other, "undo", "undo", undo); status != http.StatusConflict {
					t.Errorf("it was taken back in another ticket: %d", status)
				}
				if status, _, _ := k.post(tick, "undo", "undo", undo); status != http.StatusSeeOther {
					t.Errorf("taken back: %d", status)
				}
				if now := k.now(tick); now.State != test.back || now.Assignee != "" || now.MergedInto != "" {
					t.Errorf("it is %s, %q has it", now.State, now.Assignee)
				}
				if status, _, _ := k.post(tick, "undo", "undo", undo); status != http.StatusConflict {
					t.Errorf("taken back twice: %d", status)
				}
				_, _, to = k.post(tick, test.path, test.form(other)...)
				undo, _ = url.QueryUnescape(undoMark.FindStringSubmatch(to)[1])
				k.Clock.Advance(121 * 1_000_000_000)
				if status, _, _ := k.post(tick, "undo", "undo", undo); status != http.StatusConflict {
					t.Errorf("taken back after two minutes: %d", status)
				}
			})
		})
	}
}

func TestATicketIsHandedOverWithAWord(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		var second ticket.Queue
		k.Tx(func(tx db.Tx) (err error) {
			second, err = k.Tickets.KeepQueue(t.Context(), tx, ticket.Queue{Team: "network", NameEnglish: "Network"})
			return err
		})
		status, _, _ := k.post(tick, "place", "assignee", string(nour().Person), "queue", second.ID, "priority", "1", "until", "2026-11-30T09:00", "spent", "5", "note", "Regarde le VLAN.", "version", ver(tick))
		now := k.now(tick)
		if status != http.StatusSeeOther || now.Assignee != nour().Person || now.Queue != second.ID || now.Priority != ticket.Urgent || now.State != ticket.Postponed || now.Spent.Minutes() != 5 ||
			now.PostponedUntil.UTC().Format("2006-01-02 15:04") != "2026-11-30 08:00" {
			t.Fatalf("%d: %+v", status, now)
		}
		if note := k.thread(tick).Messages[1]; !note.Internal || note.Body != "Regarde le VLAN." {
			t.Errorf("the word is %+v", note)
		}
		if n := k.told[nour().Person]; len(n) != 1 || !strings.Contains(n[0].TitleEnglish, "given to you") || n[0].URL != handling.URL(tick.Number) {
			t.Errorf("Nour heard %v", n)
		}
		for name, form := range map[string][]string{
			"to a student": {"assignee", string(campustest.Lina().Person), "queue", second.ID}, "until yesterday": {"assignee", "", "queue", second.ID, "until", "2026-11-01T09:00"},
			"minutes that are none": {"assignee", "", "queue", second.ID, "spent", "-1"},
		} {
			if status, _, _ := k.post(tick, "place", form...); status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status, _, _ := k.post(tick, "place", "queue", "none", "assignee", ""); status != http.StatusNotFound {
			t.Errorf("into no queue: %d", status)
		}
		if status, _, _ := k.post(tick, "place", "queue", second.ID, "assignee", "", "version", ver(tick)); status != http.StatusConflict || k.now(tick).Assignee == "" {
			t.Errorf("over somebody else's change: %d", status)
		}
	})
}

func TestWhatWasPastedByMistakeIsGone(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "Mon dossier médical : asthme sévère. Et mon compte bloque.")
		m := k.thread(tick).Messages[0]
		at := "messages/" + m.ID + "/redact"
		for name, form := range map[string][]string{
			"without a reason": {"pieces", "asthme sévère"}, "a passage that is not there": {"pieces", "diabète", "why", "santé"}, "nothing at all, of a text without quotations": {"why", "santé", "pieces", "absent"},
		} {
			if status, _, _ := k.post(tick, at, form...); status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", name, status)
			}
		}
		if status, _, _ := k.post(tick, at, "pieces", "asthme sévère\n\n", "why", "donnée de santé"); status != http.StatusSeeOther {
			t.Fatalf("redact: %d", status)
		}
		body := k.page(tick)
		contains(t, body, "Mon dossier médical : █████. Et mon compte bloque.", "A message was redacted: donnée de santé", "Something was taken out")
		if strings.Contains(body, "asthme") || strings.Contains(body, "ancien message") {
			t.Error("it is still on the page")
		}
		for _, table := range []string{"helpdesk_messages", "helpdesk_events", "helpdesk_words"} {
			column := map[string]string{"helpdesk_messages": "body || folded", "helpdesk_events": "facts", "helpdesk_words": "word"}[table]
			var n int
			if err := k.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table+" WHERE "+column+" LIKE '%asthme%'").Scan(&n); err != nil || n > 0 {
				t.Errorf("%s still says it %d times, %v", table, n, err)
			}
		}
		var n int
		if err := k.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM helpdesk_words WHERE word = 'compte'").Scan(&n); err != nil || n == 0 {
			t.Errorf("the rest is no longer found: %v", err)
		}
	})
}

func TestAFilePastedByMistakeIsGone(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("S", "corps")
		f, err := k.h.Files.Take(t.Context(), strings.NewReader("ordonnance"), "ordonnance.txt")
		if err != nil {
			t.Fatal(err)
		}
		k.Change(tick, tickettest.By(ticket.Requester, campustest.Lina()), func(w *ticket.Work) error {
			w.Say(ticket.Message{Body: "voir", Files: []ticket.Attachment{f}})
			return nil
		})
		m := k.thread(tick).Messages[1]
		if status, _, _ := k.post(tick, "messages/"+m.ID+"/redact", "file", m.Files[0].ID, "why", "santé"); status != http.StatusSeeOther {
			t.Fatalf("redact: %d", status)
		}
		after := k.thread(tick).Messages[1]
		if after.Files[0].Ref != "" || after.Files[0].Name != "" || after.Body != "voir" {
			t.Errorf("it is %+v", after)
		}
		contains(t, k.page(tick), "This file was taken away")
		registry := jobs.NewRegistry()
		k.h.Files.Jobs(registry)
		ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			jobs.NewRunner(k.DB, registry, slog.New(slog.DiscardHandler), jobs.Options{Poll: 5 * time.Millisecond}).Run(ctx)
		}()
		for ctx.Err() == nil {
			if _, _, err := k.store.Open(ctx, files.Ref(f.Ref)); errors.Is(err, files.NotFound) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if ctx.Err() != nil {
			t.Error("the store still has it")
		}
		stop()
		<-ended
	})
}

func TestTextsAreInsertedInTheLanguageOfWhoAsked(t *testing.T) {
	each(t, func(t *testing.T, k *kit) {
		tick := k.asked("Moodle refusé", "corps")
		form := []string{"title_fr", "Salut", "title_en", "Hello", "body_fr", "Bonjour {name}, {service} ({number}). {agent} {link} {inconnu}", "body_en", "Hello {name}"}
		k.as(nour())
		if status, _, _ := k.send("/helpdesk/setup/templates/new", form[:6]...); status != http.StatusUnprocessableEntity {
			t.Errorf("in one language: %d", status)
		}
		if status, _, _ := k.send("/helpdesk/setup/templates/new", form...); status != http.StatusSeeOther {
			t.Fatalf("kept: %d", status)
		}
		_, list := k.get("/helpdesk/setup/templates")
		one := regexp.MustCompile(`/helpdesk/setup/templates/([0-9a-f-]{36})`).FindStringSubmatch(list)
		if one == nil {
			t.Fatal("it is not listed")
		}
		status, body, _ := k.as(campustest.Sam()).post(tick, "template", "template", one[1], "body", "Déjà écrit.", "version", ver(tick))
		if status != http.StatusOK {
			t.Fatalf("insert: %d", status)
		}
		contains(t, body, "Déjà écrit.\n\nBonjour Lina Martin, Moodle ("+ticket.Spoken(tick.Number)+"). Sam Okafor https://amphi.example/helpdesk/follow/"+tick.Number+" {inconnu}")
		if status, _, _ := k.post(tick, "template", "body", "garde"); status != http.StatusUnprocessableEntity {
			t.Errorf("without a choice: %d", status)
		}
		k.as(nour())
		k.send("/helpdesk/setup/templates/" + one[1] + "/delete")
		if status, _, _ := k.post(tick, "template", "template", one[1]); status != http.StatusNotFound {
			t.Errorf("one that was taken away: %d", status)
		}
		if status, _, _ := k.send("/helpdesk/setup/templates/"+one[1], form...); status != http.StatusNotFound {
			t.Errorf("mending it: %d", status)
		}
	})
}
