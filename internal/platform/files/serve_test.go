package files

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOnlyHarmlessTypesAreShownInPlace(t *testing.T) {
	disk := newDisk(t, 1<<20)
	for _, c := range []struct{ content, name, way string }{
		{"\x89PNG\r\n\x1a\n", "logo.png", "inline"},
		{"%PDF-1.7", "cours.pdf", "inline"},
		{"<html><script>alert(1)</script>", "page.html", "attachment"},
		{"<svg onload='x'>", "logo.svg", "attachment"},
		{"PK\x03\x04", "Énoncé.docx", "attachment"},
	} {
		w := httptest.NewRecorder()
		if err := Serve(w, httptest.NewRequest(http.MethodGet, "/", nil), disk, put(t, disk, c.content, c.name)); err != nil {
			t.Fatal(err)
		}
		h := w.Header()
		if !strings.HasPrefix(h.Get("Content-Disposition"), c.way+";") || h.Get("X-Content-Type-Options") != "nosniff" ||
			strings.Contains(h.Get("Content-Security-Policy"), "sandbox") == strings.HasSuffix(c.name, ".pdf") || w.Body.String() != c.content {
			t.Errorf("%s: %v", c.name, h)
		}
	}
}

func TestAFileThatIsUnchangedIsNotSentAgain(t *testing.T) {
	disk := newDisk(t, 1<<20)
	ref := put(t, disk, "text", "x.txt")
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("If-None-Match", `"`+ref.Sum()+`"`)
	w := httptest.NewRecorder()
	if err := Serve(w, r, disk, ref); err != nil || w.Code != http.StatusNotModified {
		t.Fatalf("%d, %v", w.Code, err)
	}
	if err := Serve(httptest.NewRecorder(), r, disk, "nothing"); !errors.Is(err, NotFound) {
		t.Fatal(err)
	}
}
