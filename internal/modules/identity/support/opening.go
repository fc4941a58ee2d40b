package support

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/contract"
	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// openingPurpose is what the signed mark of an opening is good for.
const openingPurpose = "identity.support_opening"

// openingLasts is how long an agent may look and act after one opening.
const openingLasts = 30 * time.Minute

// An opening is in the journal of the person whom it is about. The mark that it
// leaves in the address lets the agent reload the page and act, without another
// line each time; it is good for this agent, this person or sign-in, and half an
// hour.

// The kinds of openings in the journal; each has one fact that its sentence says.
const (
	incidentOpened = "identity.incident_opened" // fact "code"
	accountOpened  = "identity.account_opened"  // fact "reason"
)

// write notes in the journal that an agent opened something about somebody.
func (s *Support) write(ctx context.Context, r *http.Request, who campus.PersonID, kind, fact, value string) error {
	e := journal.From(r)
	e.Person, e.Kind, e.Facts = who, kind, map[string]string{fact: value}
	if err := s.DB.InTx(ctx, func(tx db.Tx) error { return s.Journal.Write(ctx, tx, e) }); err != nil {
		return fmt.Errorf("note an opening: %w", err)
	}
	if s.Looked == nil || who == "" {
		return nil
	}
	return s.Looked(ctx, contract.Look{By: web.Viewer(r).Person, About: who, As: campus.RightHelpdesk, What: "identity.support.look." + fact, Why: value})
}

// mark is the signed mark of an opening by the viewer; what is a person or an
// incident code.
func (s *Support) mark(r *http.Request, what string) string {
	end := s.Clock.Now().Add(openingLasts).Unix()
	return s.Keys.Sign(openingPurpose, string(web.Viewer(r).Person)+"|"+what+"|"+strconv.FormatInt(end, 10))
}

// opened reports whether a mark lets the viewer see what it is asked for.
func (s *Support) opened(r *http.Request, mark, what string) bool {
	value, err := s.Keys.Verify(openingPurpose, mark)
	if err != nil {
		return false
	}
	rest, ok := strings.CutPrefix(value, string(web.Viewer(r).Person)+"|"+what+"|")
	if !ok {
		return false
	}
	end, err := strconv.ParseInt(rest, 10, 64)
	return err == nil && s.Clock.Now().Unix() < end
}

// opening is how an agent came to somebody: the address of the page that they
// opened, and the mark of the opening of the person.
type opening struct {
	Mark     string
	Incident string // code; empty when the agent typed a reason
	Back     string // address of the page that acts return to
}

// incidentURL is the address of an incident that was opened already.
func incidentURL(code, mark string) string {
	return "/identity/support/incidents/" + url.PathEscape(code) + "?" + url.Values{"opened": {mark}}.Encode()
}

// personURL is the address of a person who was opened already.
func personURL(who campus.PersonID, mark string) string {
	return "/identity/support/people/" + url.PathEscape(string(who)) + "?" + url.Values{"opened": {mark}}.Encode()
}
