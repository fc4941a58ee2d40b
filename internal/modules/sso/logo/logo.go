// Package logo keeps the pictures of services.
package logo

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// Missing: no service of the registry has this logo.
var Missing = fault.Declare(fault.NotFound, "sso.logo_missing")

// Where logos live, and what is made of one that was sent.
const (
	Path  = "/sso/logos/"
	Field = "logo_file"
	Body  = 5 << 20 // bytes of the whole form

	mostPixels = 8 << 20
	widthPx    = 128
)

// Logos is safe for concurrent use.
type Logos struct {
	Files    files.Store
	Registry func(ctx context.Context) (*registry.Index, error)
	Log      *slog.Logger
}

// Routes lists the one address: logos are for all who sign in.
func (m Logos) Routes(r *web.Router) { r.Handle("GET "+Path+"{ref}", m.serve) }

// Keep stores the picture that came with a service's form and returns its
// address; "" when none came. A file that is no picture is a problem of the
// field.
func (m Logos) Keep(r *http.Request) (path string, problems web.Problems, err error) {
	if r.MultipartForm == nil || len(r.MultipartForm.File[Field]) == 0 || r.MultipartForm.File[Field][0].Size == 0 {
		return "", nil, nil
	}
	sent := r.MultipartForm.File[Field][0]
	f, err := sent.Open()
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	ref, _, err := files.PutPicture(r.Context(), m.Files, f, sent.Filename, mostPixels, widthPx)
	switch {
	case errors.Is(err, files.PictureUnreadable), errors.Is(err, files.PictureTooLarge):
		problems.Add(Field, "sso.mistake.logo_picture")
		return "", problems, nil
	case err != nil:
		return "", nil, err
	}
	return Path + string(ref), nil, nil
}

// Drop removes a logo that no service names any more. A logo that stays
// behind harms nobody, so a failure is only noted.
func (m Logos) Drop(ctx context.Context, path string) {
	ref, ours := strings.CutPrefix(path, Path)
	if !ours {
		return
	}
	if err := m.Files.Delete(ctx, files.Ref(ref)); err != nil {
		m.Log.WarnContext(ctx, "remove a logo", "ref", ref, "error", err)
	}
}

// serve answers with the logo of a service. Only what the registry names is
// served: the store also holds other rooms' files.
func (m Logos) serve(w http.ResponseWriter, r *http.Request) error {
	x, err := m.Registry(r.Context())
	if err != nil {
		return err
	}
	path := Path + r.PathValue("ref")
	if !slices.ContainsFunc(x.Services(), func(s *registry.Service) bool { return s.Logo == path }) {
		return Missing
	}
	w.Header().Set("Cache-Control", "private, max-age=86400")
	return files.Serve(w, r, m.Files, files.Ref(r.PathValue("ref")))
}
