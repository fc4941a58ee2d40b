package activation

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amphi-campus/amphi/internal/modules/identity/journal"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/table"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// pageSize is how many invitations a page shows, exportSize how many are read at
// a time for the file.
const (
	pageSize   = 25
	exportSize = 500
)

// maxPage keeps page numbers where arithmetic on them is safe.
const maxPage = 100_000

// states are those that the list can be narrowed to.
var states = []InvitationState{Sent, Opened, Used, Unused, Withdrawn}

// invitationsView is one page of invitations.
type invitationsView struct {
	Filter
	List         []Invitation
	Total, Pages int
}

// readFilter takes what the address asks for; what it cannot mean is left out.
func readFilter(r *http.Request) Filter {
	q := r.URL.Query()
	f := Filter{Words: strings.ToValidUTF8(strings.ReplaceAll(q.Get("q"), "\x00", ""), ""), Page: 1, Size: pageSize}
	if s := InvitationState(q.Get("state")); slices.Contains(states, s) {
		f.State = s
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 && n <= maxPage {
		f.Page = n
	}
	return f
}

// url is the address of the list with this filter, or of the file.
func (f Filter) url(path string, page int) string {
	q := url.Values{}
	if f.Words != "" {
		q.Set("q", f.Words)
	}
	if f.State != "" {
		q.Set("state", string(f.State))
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (v invitationsView) pageURL(page int) string { return v.url("/identity/invitations", page) }

// tone of a state's tag.
func (i Invitation) tone() ui.Tone {
	switch i.State {
	case Used:
		return ui.Good
	case Unused:
		return ui.Warn
	case Opened:
		return ui.Info
	default:
		return ""
	}
}

// open reports whether a letter can be sent again or taken back.
func (i Invitation) open() bool { return i.State != Used && i.State != Withdrawn }

func (x *Activation) invitationsPage(w http.ResponseWriter, r *http.Request) error {
	view := invitationsView{Filter: readFilter(r)}
	var err error
	if view.List, view.Total, err = x.invitations(r.Context(), view.Filter); err != nil {
		return err
	}
	view.Pages = max(1, (view.Total+pageSize-1)/pageSize)
	if view.Page > view.Pages {
		return web.SeeOther(w, r, view.pageURL(view.Pages))
	}
	return web.Render(w, r, http.StatusOK, invitationsTempl(view))
}

func (x *Activation) sendInvitationAgain(w http.ResponseWriter, r *http.Request) error {
	i, err := x.sendLetterAgain(r.Context(), web.Viewer(r), r.PathValue("id"), journal.From(r))
	if err != nil {
		return err
	}
	web.Flash(w, r, "identity.activation.invitations.sent_again", "to", i.SentTo)
	return web.SeeOther(w, r, "/identity/invitations")
}

func (x *Activation) withdrawPage(w http.ResponseWriter, r *http.Request) error {
	i, err := x.invitation(r.Context(), x.DB.Read(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if !i.open() {
		return InvitationOver
	}
	p, err := x.People.PersonByID(r.Context(), i.Person)
	if err != nil {
		return fmt.Errorf("find who is invited: %w", err)
	}
	i.Name, i.Login = p.DisplayName(), p.Login
	return web.Render(w, r, http.StatusOK, withdrawTempl(i))
}

func (x *Activation) withdrawInvitation(w http.ResponseWriter, r *http.Request) error {
	if err := x.withdraw(r.Context(), web.Viewer(r), r.PathValue("id")); err != nil {
		return err
	}
	web.Flash(w, r, "identity.activation.invitations.withdrawn")
	return web.SeeOther(w, r, "/identity/invitations")
}

// exportInvitations gives what the list shows as a file, its columns named in
// English for programs.
func (x *Activation) exportInvitations(w http.ResponseWriter, r *http.Request) error {
	f := readFilter(r)
	f.Size = exportSize
	var text strings.Builder
	out := table.NewWriter(&text)
	rows := [][]string{{"login", "name", "sent_to", "state", "created_at", "sent_at", "letters", "expires_at", "invited_by"}}
	for f.Page = 1; f.Page <= maxPage; f.Page++ {
		list, _, err := x.invitations(r.Context(), f)
		if err != nil {
			return err
		}
		for _, i := range list {
			rows = append(rows, []string{
				i.Login, i.Name, i.SentTo, string(i.State), i.CreatedAt.Format(time.RFC3339),
				i.SentAt.Format(time.RFC3339), strconv.Itoa(i.Letters), i.ExpiresAt.Format(time.RFC3339), i.InvitedBy,
			})
		}
		if len(list) < exportSize {
			break
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write the list of invitations: %w", err)
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="invitations.csv"`)
	w.Write([]byte(text.String())) // a client that went away is no failure of ours
	return nil
}

// stateOptions are the states that the list can be narrowed to.
func stateOptions(ctx context.Context) []ui.Option {
	var options []ui.Option
	for _, s := range states {
		options = append(options, ui.Option{Value: string(s), Label: i18n.T(ctx, "identity.activation.state."+string(s))})
	}
	return options
}

// columns of the list; the last holds what can be done.
func columns(ctx context.Context) []ui.Column {
	var columns []ui.Column
	for _, key := range []string{"who", "letter", "state", "acts"} {
		columns = append(columns, ui.Column{Label: i18n.T(ctx, "identity.activation.invitations.column."+key), Quiet: key == "acts"})
	}
	return columns
}

func (v invitationsView) rows(ctx context.Context) [][]ui.Cell {
	rows := make([][]ui.Cell, len(v.List))
	for n, i := range v.List {
		state := ui.Tag(i.tone(), i18n.T(ctx, "identity.activation.state."+string(i.State)))
		rows[n] = []ui.Cell{ui.BodyCell(nameCell(i)), ui.BodyCell(letterCell(i)), ui.BodyCell(state), ui.BodyCell(acts(i))}
	}
	return rows
}

// detail is the small line about the newest letter.
func (i Invitation) detail(ctx context.Context) string {
	words := []string{
		i18n.Date(ctx, i.SentAt, i18n.Short) + ", " + i18n.Date(ctx, i.SentAt, i18n.Clock),
		i18n.T(ctx, "identity.activation.invitations.letters", "count", i.Letters),
	}
	if i.InvitedBy != "" {
		words = append(words, i18n.T(ctx, "identity.activation.invitations.by", "name", i.InvitedBy))
	}
	if i.State == Sent || i.State == Opened {
		words = append(words, i18n.T(ctx, "identity.activation.invitations.until", "when", i18n.Date(ctx, i.ExpiresAt, i18n.Short)))
	}
	return strings.Join(words, " · ")
}
