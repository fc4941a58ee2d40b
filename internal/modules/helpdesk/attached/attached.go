// Package attached takes in the files beside messages, looks at what they are before
// they are kept, and gives them back in a way that runs nothing.
package attached

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/helpdesk/attached/internal/sqlgen"
	"github.com/amphi-campus/amphi/internal/modules/helpdesk/ticket"
	"github.com/amphi-campus/amphi/internal/platform/db"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
)

// What one message may bring, in bytes and files.
const (
	MaxFile  = 10 << 20
	MaxAll   = 30 << 20
	MaxFiles = 20
	// MaxBody is what a route that takes files in accepts: the files, and the text and
	// the frame around them.
	MaxBody = MaxAll + 2<<20
)

// Pictures of more pixels are refused, and wider ones are made smaller.
const (
	maxPixels = 40_000_000
	maxWidth  = 6000
)

// Attached is the alcove.
type Attached struct {
	DB      *db.DB
	Files   files.Store
	Tickets *ticket.Tickets
}

// Parcel takes in the files of one message, within what one message may bring.
type Parcel struct {
	a     *Attached
	left  int64
	files []ticket.Attachment
}

// Parcel begins the files of a message.
func (a *Attached) Parcel() *Parcel { return &Parcel{a: a, left: MaxAll} }

// Files are those that were added, refused ones too: they go into a message as they
// are, so that everybody reads what was not kept and why.
func (p *Parcel) Files() []ticket.Attachment { return p.files }

// Add looks at a file and keeps it. One that is refused is noted with its reason and
// is no error; an error means that the house could not do its work.
func (p *Parcel) Add(ctx context.Context, r io.Reader, name string) error {
	if len(p.files) >= MaxFiles {
		if len(p.files) == MaxFiles { // one line for all that are too many
			p.files = append(p.files, refused(name, TooMany))
		}
		return nil
	}
	f, err := p.a.take(ctx, r, name, p.left)
	if err != nil {
		return err
	}
	p.left -= f.Size
	p.files = append(p.files, f)
	return nil
}

// Take looks at one file and keeps it, as [Parcel.Add] does.
func (a *Attached) Take(ctx context.Context, r io.Reader, name string) (ticket.Attachment, error) {
	return a.take(ctx, r, name, MaxAll)
}

// FromForm takes in the files of a field of a multipart form that web.Form has read.
// Fields that were left empty bring nothing.
func (a *Attached) FromForm(r *http.Request, field string) ([]ticket.Attachment, error) {
	return a.fromForm(r, field, nil)
}

// fromForm adds the files of a field to those that the message has already.
func (a *Attached) fromForm(r *http.Request, field string, first []ticket.Attachment) ([]ticket.Attachment, error) {
	if r.MultipartForm == nil {
		return first, nil
	}
	p := a.Parcel()
	p.files = first
	for _, f := range first {
		p.left -= f.Size
	}
	for _, part := range r.MultipartForm.File[field] {
		if part.Filename == "" && part.Size == 0 {
			continue
		}
		if err := p.addPart(r.Context(), part); err != nil {
			return nil, errors.Join(err, a.Drop(r.Context(), p.files))
		}
	}
	return p.files, nil
}

func (p *Parcel) addPart(ctx context.Context, part *multipart.FileHeader) (err error) {
	f, err := part.Open()
	if err != nil {
		return fmt.Errorf("read a file of a form: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return p.Add(ctx, f, part.Filename)
}

// take keeps a file of at most left bytes, or says why not.
func (a *Attached) take(ctx context.Context, r io.Reader, name string, left int64) (ticket.Attachment, error) {
	content, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	switch {
	case err != nil:
		return ticket.Attachment{}, fmt.Errorf("read a file: %w", err)
	case len(content) > MaxFile:
		return refused(name, TooLarge), nil
	case int64(len(content)) > left:
		return refused(name, TooMuch), nil
	case len(content) == 0:
		return refused(name, Empty), nil
	}
	if why := suspect(content, name); why != nil {
		return refused(name, why), nil
	}
	if picture(content) {
		made, err := files.Picture(bytes.NewReader(content), maxPixels, maxWidth)
		var f *fault.Fault
		if errors.As(err, &f) || errors.Is(err, files.PictureUnreadable) {
			return refused(name, PictureBroken), nil
		}
		if err != nil {
			return ticket.Attachment{}, err
		}
		content, name = made.Data, strings.TrimSuffix(name, path.Ext(name))+pictureEnding[made.MediaType]
	}
	return a.keep(ctx, content, name)
}

var pictureEnding = map[string]string{"image/jpeg": ".jpg", "image/png": ".png"}

// keep stores a file, and notes it until a message names it.
func (a *Attached) keep(ctx context.Context, content []byte, name string) (ticket.Attachment, error) {
	ref, err := a.Files.Put(ctx, bytes.NewReader(content), files.Meta{Name: name})
	if err != nil {
		return ticket.Attachment{}, fmt.Errorf("keep a file: %w", err)
	}
	if err := a.DB.InTx(ctx, func(tx db.Tx) error {
		return sqlgen.New(tx).NoteUpload(ctx, sqlgen.NoteUploadParams{FileRef: string(ref), TakenAt: tx.Now()})
	}); err != nil {
		return ticket.Attachment{}, errors.Join(fmt.Errorf("note a file: %w", err), a.Files.Delete(ctx, ref))
	}
	stored, meta, err := a.Files.Open(ctx, ref) // the store cleans names and tells types
	if err != nil {
		return ticket.Attachment{}, fmt.Errorf("keep a file: %w", err)
	}
	if err := stored.Close(); err != nil {
		return ticket.Attachment{}, fmt.Errorf("keep a file: %w", err)
	}
	kind := meta.MediaType
	if !harmless(kind) {
		kind = opaque
	}
	return ticket.Attachment{Name: meta.Name, MediaType: kind, Size: meta.Size, Ref: string(ref)}, nil
}

// Copy keeps the files of a message once more, for another message.
func (a *Attached) Copy(ctx context.Context, list []ticket.Attachment) ([]ticket.Attachment, error) {
	copies := make([]ticket.Attachment, 0, len(list))
	for _, f := range list {
		if f.Ref != "" {
			stored, _, err := a.Files.Open(ctx, files.Ref(f.Ref))
			if err != nil {
				return nil, errors.Join(fmt.Errorf("copy a file: %w", err), a.Drop(ctx, copies))
			}
			content, err := io.ReadAll(stored)
			if err := errors.Join(err, stored.Close()); err != nil {
				return nil, errors.Join(fmt.Errorf("copy a file: %w", err), a.Drop(ctx, copies))
			}
			if f, err = a.keep(ctx, content, f.Name); err != nil {
				return nil, errors.Join(err, a.Drop(ctx, copies))
			}
		}
		copies = append(copies, f)
	}
	return copies, nil
}

// Drop deletes files that no message came to name, because writing it failed.
func (a *Attached) Drop(ctx context.Context, list []ticket.Attachment) error {
	var problems []error
	for _, f := range list {
		if f.Ref != "" {
			problems = append(problems, a.drop(ctx, files.Ref(f.Ref)))
		}
	}
	return errors.Join(problems...)
}

// opaque is the type of all that a browser is only to download.
const opaque = "application/octet-stream"

// harmless reports whether a browser may know the type: pictures of our own making,
// text, PDF, and documents that an office program opens. Everything else, pages and
// drawings with scripts among them, is bytes.
func harmless(mediaType string) bool {
	kind, _, err := mime.ParseMediaType(mediaType)
	return err == nil && (shown(kind) || strings.HasPrefix(kind, "application/vnd.") || kind == "text/csv" || kind == "text/calendar")
}

// shown reports whether a browser may show the type in place.
func shown(mediaType string) bool {
	kind, _, err := mime.ParseMediaType(mediaType)
	return err == nil && (Picture(kind) || kind == "text/plain" || kind == "application/pdf")
}

// Picture reports whether files of the type are shown in the page.
func Picture(mediaType string) bool { return mediaType == "image/jpeg" || mediaType == "image/png" }

// refused is a file that was not kept.
func refused(name string, why *fault.Reason) ticket.Attachment {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	return ticket.Attachment{Name: cut(oneLine(name)), Refused: why.Code()}
}
