package files

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
)

// shown are the media types that a browser may show in place. Everything else is downloaded: a page
// of HTML or a drawing (SVG) opened under our address could act as the person who opens it.
var shown = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/gif": true, "image/webp": true,
	"application/pdf": true, "text/plain": true,
}

// Serve answers with a stored file: resumable, cached by its content, and unable to run anything.
// The caller has checked that the viewer may read it.
func Serve(w http.ResponseWriter, r *http.Request, store Store, ref Ref) (err error) {
	content, meta, err := store.Open(r.Context(), ref)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	way := "attachment"
	if plain, _, err := mime.ParseMediaType(meta.MediaType); err == nil && shown[plain] {
		way = "inline"
	}
	disposition := mime.FormatMediaType(way, map[string]string{"filename": meta.Name})
	if disposition == "" {
		disposition = way
	}
	h := w.Header()
	h.Set("Content-Type", meta.MediaType)
	h.Set("Content-Disposition", disposition)
	h.Set("X-Content-Type-Options", "nosniff")
	if meta.MediaType == "application/pdf" {
		h.Del("Content-Security-Policy") // Chromium's viewer, isolated by itself, stays blank under a sandbox
	} else {
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox")
	}
	h.Set("ETag", fmt.Sprintf("%q", ref.Sum()))
	if !strings.Contains(h.Get("Cache-Control"), "=") {
		h.Set("Cache-Control", "private, max-age=3600") // private: the next person on this network may not see it
	}
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}
