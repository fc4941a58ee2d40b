package attached

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/i18n"
	"github.com/amphi-campus/amphi/internal/platform/id"
	"github.com/amphi-campus/amphi/internal/platform/web"
	"github.com/amphi-campus/amphi/internal/ui"
)

// A browser forgets the files of a form that comes back with a mistake. They wait in a
// tray: its page carries a token, by which the next try of the same person takes them,
// once. What nobody takes goes with the other uploads that no message names.

// Fields of a form whose files wait in a tray.
const (
	TrayField = "tray"      // the token
	KeepField = "tray_keep" // places of the files that are not left out
)

const trayToken = 24 // bytes

// Tray is what waits for the next try of a form.
type Tray struct {
	// Token opens it; empty when nothing waits. It is a secret of the page.
	Token string
	Files []ticket.Attachment
	// Refused are those that came with the form and were not kept.
	Refused []ticket.Attachment
}

// Brought is what a form brings.
type Brought struct {
	Files []ticket.Attachment
	// Lost says that files were to wait for the form and do not: their tray is somebody
	// else's, was taken before, waited for too long, or never was.
	Lost bool
}

// Bring takes in what a form that web.Form has read brings: the files of its tray that
// were not left out, then those of a field. Both count for what one message may bring.
// With an empty field it brings the tray alone.
func (a *Attached) Bring(r *http.Request, field string) (Brought, error) {
	waited, lost, err := a.takeTray(r)
	if err != nil {
		return Brought{}, err
	}
	list, err := a.fromForm(r, field, waited)
	return Brought{list, lost}, err
}

// takeTray empties the tray of a form. Its files are uploads again that a message may
// come to name; those that the person left out go.
func (a *Attached) takeTray(r *http.Request) (kept []ticket.Attachment, lost bool, err error) {
	token, keep := r.PostFormValue(TrayField), r.PostForm[KeepField]
	if token == "" {
		return nil, false, nil
	}
	ctx := r.Context()
	var rows []sqlgen.HelpdeskUpload
	if err := a.DB.InTx(ctx, func(tx db.Tx) (err error) {
		q := sqlgen.New(tx)
		if rows, err = q.TakeTray(ctx, sqlgen.TakeTrayParams{TrayHash: id.Hash(token), OwnerID: owner(r), SinceAt: tx.Now().Add(-uploadWaits)}); err != nil {
			return err
		}
		for _, row := range rows {
			if err := q.NoteUpload(ctx, sqlgen.NoteUploadParams{FileRef: row.FileRef, TakenAt: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return nil, false, fmt.Errorf("take the files that wait for a form: %w", err)
	}
	slices.SortFunc(rows, func(a, b sqlgen.HelpdeskUpload) int { return cmp.Compare(a.Position, b.Position) })
	var left []ticket.Attachment
	for _, row := range rows {
		f := ticket.Attachment{Name: row.Name, MediaType: row.MediaType, Size: row.Size, Ref: row.FileRef}
		if slices.Contains(keep, strconv.FormatInt(row.Position, 10)) {
			kept = append(kept, f)
		} else {
			left = append(left, f)
		}
	}
	if err := a.Drop(ctx, left); err != nil {
		return nil, false, errors.Join(err, a.Drop(ctx, kept))
	}
	return kept, len(rows) == 0 && len(keep) > 0, nil
}

// LayAside lets the files of a form that comes back wait for its next try, and says what
// the page shows of them with [WaitingTempl].
func (a *Attached) LayAside(r *http.Request, list []ticket.Attachment) (Tray, error) {
	var t Tray
	for _, f := range list {
		if f.Ref == "" {
			t.Refused = append(t.Refused, f)
		} else {
			t.Files = append(t.Files, f)
		}
	}
	if len(t.Files) == 0 {
		return t, nil
	}
	t.Token = id.Token(trayToken)
	if err := a.DB.InTx(r.Context(), func(tx db.Tx) error {
		for i, f := range t.Files {
			n, err := sqlgen.New(tx).LayAside(r.Context(), sqlgen.LayAsideParams{
				TrayHash: id.Hash(t.Token), OwnerID: owner(r), Position: int64(i), Name: f.Name, MediaType: f.MediaType, Size: f.Size, TakenAt: tx.Now(), FileRef: f.Ref,
			})
			if err != nil {
				return err
			}
			if n == 0 {
				return errGone
			}
		}
		return nil
	}); err != nil {
		return Tray{}, fmt.Errorf("let the files of a form wait: %w", err)
	}
	return t, nil
}

// errGone is a file that was swept away, or that waits already.
var errGone = errors.New("the file is no upload any more")

// owner is whose files wait; empty for a stranger, who has the token alone.
func owner(r *http.Request) string { return string(web.Viewer(r).Person) }

// places are the files as they are ticked, and all of them.
func (t Tray) places(ctx context.Context) (options []ui.Option, all []string) {
	for i, f := range t.Files {
		at := strconv.Itoa(i)
		options = append(options, ui.Option{Value: at, Label: f.Name, Help: i18n.T(ctx, "helpdesk.tray.size", "size", i18n.Bytes(f.Size))})
		all = append(all, at)
	}
	return options, all
}

// whyRefused says of each file that was not kept why not.
func (t Tray) whyRefused(ctx context.Context) string {
	var all []string
	for _, f := range t.Refused {
		all = append(all, i18n.T(ctx, "helpdesk.tray.because", "name", f.Name, "why", i18n.T(ctx, f.Refused+".title")))
	}
	return strings.Join(all, " ")
}
