package sso

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/amphi-campus/amphi/internal/campus"
	"github.com/amphi-campus/amphi/internal/campus/campustest"
	"github.com/amphi-campus/amphi/internal/modules/sso/logo"
)

// sendLogo posts the form of a service with a file.
func (h *house) sendLogo(path string, file []byte, fields ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			h.t.Fatal(err)
		}
	}
	if file != nil {
		part, err := m.CreateFormFile(logo.Field, "logo.png")
		if err != nil {
			h.t.Fatal(err)
		}
		if _, err := part.Write(file); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return h.ask(r)
}

func TestALogoIsSentShownReplacedAndRemoved(t *testing.T) {
	h := one(t)
	h.enter(campustest.Alix())
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 300, 300))); err != nil {
		t.Fatal(err)
	}
	fields := []string{"id", "nuage", "name_fr", "Nuage", "protocol", "cas", "patterns", "https://nuage.valmont.example/*"}
	current := func() string {
		x, err := h.module.services(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return x.Get("nuage").Logo
	}
	if w := h.sendLogo("/sso/services", []byte("<svg onload=alert(1)>"), fields...); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "field-"+logo.Field) {
		t.Errorf("a drawing that could act: %d", w.Code)
	}
	if w := h.sendLogo("/sso/services", picture.Bytes(), fields...); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, failure(w))
	}
	first := current()
	w := h.get(first)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/png" {
		t.Fatalf("%s answers %d %s", first, w.Code, w.Header().Get("Content-Type"))
	}
	if shown, err := png.DecodeConfig(w.Body); err != nil || shown.Width != 128 {
		t.Errorf("shown %d wide, %v", shown.Width, err)
	}
	h.enter(campustest.Lina()) // the catalogue shows it to everybody who has signed in
	if w := h.get(first); w.Code != http.StatusOK {
		t.Errorf("a student: %d", w.Code)
	}
	h.enter(campus.Viewer{})
	if w := h.get(first); w.Code == http.StatusOK {
		t.Error("a stranger saw it")
	}
	h.enter(campustest.Alix())
	if w := h.get(logo.Path + strings.Repeat("0", 64) + "-0000000000000000"); w.Code != http.StatusNotFound {
		t.Errorf("a file that no service names: %d", w.Code)
	}
	if w := h.sendLogo("/sso/services/nuage", nil, fields...); w.Code != http.StatusSeeOther || current() != first {
		t.Errorf("saving without a file: %d, logo %q", w.Code, current())
	}
	if w := h.sendLogo("/sso/services/nuage", nil, append(fields, "logo_remove", "on")...); w.Code != http.StatusSeeOther || current() != "" {
		t.Errorf("removing: %d, logo %q", w.Code, current())
	}
	if w := h.get(first); w.Code != http.StatusNotFound {
		t.Errorf("the removed logo: %d", w.Code)
	}
}
