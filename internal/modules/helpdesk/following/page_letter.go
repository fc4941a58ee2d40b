package following

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// A letter about a request has a link that opens it without signing in. Opening the
// link changes nothing, whoever does it: programs that look into mail do. The button
// on its page opens the request to the browser; the link goes on working until some
// time after the request ended.

const letterPurpose = "helpdesk.letter"

// letterLasts is how long the link works after the request ended.
const letterLasts = 60 * 24 * time.Hour

// letterPath is the address of a ticket in letters, without the house's own.
func (f *Following) letterPath(t ticket.Ticket) string {
	return "/helpdesk/letter/" + f.Keys.Sign(letterPurpose, t.ID)
}

// LetterURL is the full address by which a letter to the requester leads to a
// ticket. It is a secret: whoever has it reads the ticket.
func (f *Following) LetterURL(t ticket.Ticket) string {
	return f.Base.JoinPath(f.letterPath(t)).String()
}

// RatingURL is the full address by which a letter asks whether a ticket was solved.
func (f *Following) RatingURL(t ticket.Ticket) string {
	return f.Base.JoinPath(f.letterPath(t), "rating").String()
}

// ofLetter is the ticket of a letter's link.
func (f *Following) ofLetter(r *http.Request) (ticket.Ticket, error) {
	id, err := f.Keys.Verify(letterPurpose, r.PathValue("token"))
	if err != nil {
		return ticket.Ticket{}, LetterOver.From(err)
	}
	t, err := f.Tickets.ByID(r.Context(), id)
	if errors.Is(err, ticket.Missing) {
		return ticket.Ticket{}, LetterOver.From(err)
	}
	if err != nil {
		return ticket.Ticket{}, err
	}
	if ended := t.ClosedAt; !ended.IsZero() && f.Clock.Now().Sub(ended) > letterLasts {
		return ticket.Ticket{}, LetterOver
	}
	return t, nil
}

// letterView is the page behind the link of a letter.
type letterView struct {
	ticket.Ticket
	Path   string
	Answer string // chosen in the letter
	Thanks bool
}

func (f *Following) letterPage(w http.ResponseWriter, r *http.Request) error {
	t, err := f.ofLetter(r)
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, letterTempl(letterView{Ticket: t, Path: f.letterPath(t)}))
}

// openLetter opens the ticket to this browser.
func (f *Following) openLetter(w http.ResponseWriter, r *http.Request) error {
	t, err := f.ofLetter(r)
	if err != nil {
		return err
	}
	if err := f.Proving.Grant(w, r, t.ID); err != nil {
		return err
	}
	return web.SeeOther(w, r, TicketURL(t.Number))
}

func (f *Following) letterRatingPage(w http.ResponseWriter, r *http.Request) error {
	t, err := f.ofLetter(r)
	if err != nil {
		return err
	}
	view := letterView{Ticket: t, Path: f.letterPath(t), Answer: r.URL.Query().Get("answer"), Thanks: r.URL.Query().Get("thanks") != ""}
	return web.Render(w, r, http.StatusOK, letterRatingTempl(view))
}

// rateByLetter keeps the answer of who has the letter.
func (f *Following) rateByLetter(w http.ResponseWriter, r *http.Request) error {
	t, err := f.ofLetter(r)
	if err != nil {
		return err
	}
	if err := f.keepRating(r, t, requesterOf(t)); err != nil {
		return err
	}
	return web.SeeOther(w, r, f.letterPath(t)+"/rating?thanks=yes")
}

func (v letterView) ratingTitle(ctx context.Context) string {
	switch {
	case v.Thanks:
		return i18n.T(ctx, "helpdesk.following.thanks")
	case !v.State.Over():
		return i18n.T(ctx, "helpdesk.following.still_open")
	}
	return i18n.T(ctx, "helpdesk.following.rating_title")
}
