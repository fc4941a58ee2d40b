package app

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/modules/privacy/erasure"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

// askedBeside opens a request with one file beside its words.
func askedBeside(t *testing.T, h *House, who campus.PersonID, mail, word string) (ticket.Ticket, files.Ref) {
	t.Helper()
	desk := h.helpdesk.Handling()
	file, err := desk.Files.Take(t.Context(), strings.NewReader("trace of "+word), word+".txt")
	if err != nil {
		t.Fatal(err)
	}
	var made ticket.Ticket
	if err := h.DB.InTx(t.Context(), func(tx db.Tx) (err error) {
		made, err = h.helpdesk.Tickets().Open(t.Context(), tx, ticket.Actor{Role: ticket.Requester, Person: who, Mail: mail}, ticket.Opening{
			Ticket:  ticket.Ticket{Channel: ticket.ByPortal, Subject: "About " + word, Locale: campus.French, Requester: who, RequesterMail: mail},
			Message: ticket.Message{Body: "It is " + word, Files: []ticket.Attachment{file}},
		})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return made, files.Ref(file.Ref)
}

// rowsOf counts the rows that a condition finds.
func rowsOf(t *testing.T, h *House, table, where string, args ...any) (n int) {
	t.Helper()
	if err := h.DB.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table+" WHERE "+where, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// erased carries out an erasure.
func erased(t *testing.T, h *House, who campus.PersonID) {
	t.Helper()
	engine := h.privacy.Erasures()
	place, err := engine.Prepare(t.Context(), erasure.Order{Person: who, Cause: erasure.WhenDue})
	if err != nil {
		t.Fatal(err)
	}
	var order string
	if err := h.DB.InTx(t.Context(), func(tx db.Tx) error { order, err = place(t.Context(), tx); return err }); err != nil {
		t.Fatal(err)
	}
	if err := engine.CarryOut(t.Context(), order); err != nil {
		t.Fatal(err)
	}
}

func TestAnErasureReachesWhatSomebodyAskedWithoutSigningIn(t *testing.T) {
	eachDemo(t, func(t *testing.T, h *House) {
		who, _, mail := somebodyClosed(t, h)
		signedIn, itsFile := askedBeside(t, h, who, mail, "zinnobervogel")
		stranger, strangersFile := askedBeside(t, h, "", mail, "purpurschnecke")
		lina := campustest.Lina().Person // an agent wrote this address into her request
		other, othersFile := askedBeside(t, h, lina, mail, "indigofink")
		if err := h.DB.InTx(t.Context(), func(tx db.Tx) error {
			_, err := tx.ExecContext(t.Context(), "INSERT INTO helpdesk_views (id, owner_id, name, filter, made_at) VALUES ('v', $1, 'Mine', '', 0)", string(who))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if rowsOf(t, h, "helpdesk_words", "ticket_id = $1", stranger.ID) == 0 {
			t.Fatal("nothing is found by its words")
		}
		erased(t, h, who)
		there := func(ref files.Ref) bool {
			content, _, err := h.helpdesk.Handling().Files.Files.Open(context.WithoutCancel(t.Context()), ref)
			if errors.Is(err, files.NotFound) {
				return false
			}
			if err := errors.Join(err, content.Close()); err != nil {
				t.Fatal(err)
			}
			return true
		}
		for name, gone := range map[string]struct {
			id   string
			file files.Ref
		}{"asked after signing in": {signedIn.ID, itsFile}, "asked without an account": {stranger.ID, strangersFile}} {
			if n := rowsOf(t, h, "helpdesk_tickets", "id = $1", gone.id); n != 0 {
				t.Errorf("what was %s is there still", name)
			}
			for _, table := range []string{"helpdesk_messages", "helpdesk_attachments", "helpdesk_events", "helpdesk_words"} {
				if n := rowsOf(t, h, table, "ticket_id = $1", gone.id); n != 0 {
					t.Errorf("what was %s leaves %d rows in %s", name, n, table)
				}
			}
			if there(gone.file) {
				t.Errorf("the file of what was %s is there still", name)
			}
		}
		if n := rowsOf(t, h, "helpdesk_views", "owner_id = $1", string(who)); n != 0 {
			t.Error("a kept list is there still")
		}
		if rowsOf(t, h, "helpdesk_tickets", "id = $1", other.ID) != 1 || !there(othersFile) || rowsOf(t, h, "helpdesk_words", "ticket_id = $1", other.ID) == 0 {
			t.Error("somebody else's request went too")
		}
	})
}
