package sso

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/amphi-campus/amphi/internal/modules/sso/registry"
	"github.com/amphi-campus/amphi/internal/platform/fault"
	"github.com/amphi-campus/amphi/internal/platform/files"
	"github.com/amphi-campus/amphi/internal/platform/web"
)

// LogoMissing: no service of the registry has this logo.
var LogoMissing = fault.Declare(fault.NotFound, "sso.logo_missing")

// Where logos live, and what is made of one that was sent.
const (
	logosPath   = "/sso/logos/"
	logoField   = "logo_file"
	logoBody    = 5 << 20 // bytes of the whole form
	logoPixels  = 8 << 20
	logoWidthPx = 128
)

// keepLogo stores the picture that came with a service's form and returns its
// address; "" when none came. A file that is no picture is a problem of the
// field.
func (m *Module) keepLogo(r *http.Request) (path string, problems web.Problems, err error) {
	if r.MultipartForm == nil || len(r.MultipartForm.File[logoField]) == 0 || r.MultipartForm.File[logoField][0].Size == 0 {
		return "", nil, nil
	}
	sent := r.MultipartForm.File[logoField][0]
	f, err := sent.Open()
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	ref, _, err := files.PutPicture(r.Context(), m.Files, f, sent.Filename, logoPixels, logoWidthPx)
	switch {
	case errors.Is(err, files.PictureUnreadable), errors.Is(err, files.PictureTooLarge):
		problems.Add(logoField, "sso.mistake.logo_picture")
		return "", problems, nil
	case err != nil:
		return "", nil, err
	}
	return logosPath + string(ref), nil, nil
}

// dropLogo removes a logo that no service names any more. A logo that stays
// behind harms nobody, so a failure is only noted.
func (m *Module) dropLogo(ctx context.Context, path string) {
	ref, ours := strings.CutPrefix(path, logosPath)
	if !ours {
		return
	}
	if err := m.Files.Delete(ctx, files.Ref(ref)); err != nil {
		m.Log.WarnContext(ctx, "remove a logo", "ref", ref, "error", err)
	}
}

// logoFile answers with the logo of a service. Only what the registry names is
// served: the store also holds other rooms' files.
func (m *Module) logoFile(w http.ResponseWriter, r *http.Request) error {
	x, err := m.services(r.Context())
	if err != nil {
		return err
	}
	path := logosPath + r.PathValue("ref")
	if !slices.ContainsFunc(x.Services(), func(s *registry.Service) bool { return s.Logo == path }) {
		return LogoMissing
	}
	w.Header().Set("Cache-Control", "private, max-age=86400")
	return files.Serve(w, r, m.Files, files.Ref(r.PathValue("ref")))
}
